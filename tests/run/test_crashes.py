"""SIGKILL before every file operation of a run: nothing partial, nothing twice, the same end.

A closing line that is in a journal when its runner dies counts: what it tells of is published.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State

from .filecalls import count, dying

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def halves(raw: Path) -> dict[str, str]:
    text = raw.read_text()
    return {"left": text[:50], "right": text[50:]}


@pt.step
def letters(raw: Path, out: Path) -> Path:
    (out / "first").mkdir(parents=True)
    (out / "first/1").write_text(raw.read_text()[:1])
    (out / "last").write_text(raw.read_text()[-1:])
    return out


@pt.step
def joined(lefts: list[str], rights: list[str], letters: list[Path]) -> str:
    print("joining", len(lefts))
    return "".join(lefts) + "|" + "".join(rights) + (letters[0] / "first/1").read_text()


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    @property
    def group(self) -> str:
        return "all"

    pair = halves.step(raw)
    left: str = pair.output("left").to()
    right: str = pair.output("right").to()
    swapped: Path = pt.shell("cat {right} {left} > {out}").to("swapped.txt")
    both = pt.shell("cat {raw} > {out.copy}; wc -c < {raw} > {out.size}")
    copy: Path = both.output("copy").to("copy.txt")
    size: Path = both.output("size").to("size.txt")
    pieces: Path = pt.shell(
        "mkdir {out} && cp {left} {out}/1 && mkdir {out}/more && cp {right} {out}/more/2"
    ).to("pieces")
    alphabet: Path = letters.step(raw, pt.out).to("alphabet")


class Group(pt.Aggregate[Item]):
    group: str = pt.key()
    joined: str = joined.step(
        pt.each(Item.left), pt.each(Item.right), pt.each(Item.alphabet)
    ).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""


def fill(shop: Any, letters: str, names: str = "a") -> None:
    """Write the raw files: 100 letters each, whatever the letters."""
    (shop.root / "raw").mkdir(exist_ok=True)
    for name in names:
        text = "".join(letters[i % len(letters)] for i in range(100))
        (shop.root / f"raw/{name}.txt").write_text(text + name)


def check_judgement(shop: Any, wanted: dict[str, bytes]) -> None:
    """Hold that a task is complete only if all its outputs are as they must be."""
    lab, there = shop.lab(), shop.outputs()
    planner = lab.engine.planner()
    for task in planner.tasks():
        if planner.judge(task).state is State.COMPLETE:
            for made in task.step.outputs:
                place = lab.engine.space.job_folder(task.record).output(made.filename)
                start = f"{place.relative_to(shop.root)}/"
                expected = {k: v for k, v in wanted.items() if f"{k}/".startswith(start)}
                found = {k: v for k, v in there.items() if f"{k}/".startswith(start)}
                assert expected and expected == found, (str(task), planner.judge(task))


def closed(shop: Any) -> dict[tuple[str, str, int], dict[str, Any]]:
    """Return the outputs that closing lines tell of, by operation, job and attempt."""
    return {
        (a["operation"], a["job"], a["number"]): a["outputs"]
        for a in shop.attempts()
        if a["outcome"] == "complete"
    }


def check_nothing_lost(shop: Any, counted: dict[tuple[str, str, int], Any]) -> None:
    """Hold that what had been recorded is what lies there now, and was not done again."""
    now = closed(shop)
    assert counted.items() <= now.items()
    last = {(operation, job): number for operation, job, number in sorted(now)}
    for (operation, job, number), outputs in counted.items():
        if number == last[operation, job]:
            [folder] = [path for path in shop.jobs() if path.name == job]
            for made in outputs.values():
                if (folder / made["file"]).is_file():
                    content = (folder / made["file"]).read_bytes()
                    assert made["hash"] == hashlib.sha256(content).hexdigest(), made["file"]


def check_whole(there: dict[str, bytes], wanted: dict[str, bytes]) -> None:
    """Hold that a folder that is in its place has all its files: those before, or those after."""
    folders = {str(Path(*Path(k).parts[:3])) for k in wanted if "pieces/" in k or "alphabet/" in k}
    assert 2 == len(folders)
    for folder in folders:
        files = {k for k in there if k.startswith(f"{folder}/")}
        assert files in (set(), {k for k in wanted if k.startswith(f"{folder}/")})


def copied(source: Any, place: Path) -> None:
    """Copy a project as it lies, hard links and times included."""
    # a command that a kill has left may write for an instant more, and make the folder again
    assert 0 == os.system(
        f"until rm -rf '{place}' '{place}.new'; cp -a '{source}' '{place}.new'; "
        f"mv -T '{place}.new' '{place}'; do :; done 2>/dev/null"
    )


@pytest.fixture(autouse=True)
def quick_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be known: looking at all packages takes longer than a whole run."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})


@pytest.fixture(
    params=[0.0, float("inf")], ids=["a claim a step", "a claim for many"], autouse=True
)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no step, or each, count as short: those are done in a row under one claim."""
    monkeypatch.setattr("pointillist.run.claiming.QUICK", request.param)


@pytest.mark.parametrize(
    ("again", "stride"), [(False, 3), (True, 1)], ids=["fresh", "over old outputs"]
)
def test_death_at_any_step(
    workshop: Any, fork: Any, tmp_path: Path, again: bool, stride: int
) -> None:
    """Killed before any file operation, a run leaves nothing partial and the next one ends it."""
    shop = workshop(PROJECT)
    fill(shop, "0123456789")
    shop.lab().discover()
    old: dict[str, bytes] = {}
    if again:
        assert 0 == fork(shop.run)
        old = shop.outputs()
        fill(shop, "abcdefghij")  # outputs of the same sizes
    before = shop.completed()
    copied(shop.root, tmp_path / "saved")
    assert 0 == fork(shop.run)
    new = shop.outputs()
    assert 10 == len(new) and set(new) == set(old or new)
    assert not again or all(len(old[k]) == len(new[k]) for k in new)

    for number in itertools.count(1, stride):
        copied(tmp_path / "saved", shop.root)
        end = fork(lambda n=number: dying(shop.root, n, shop.run))
        if end == 0:
            break  # it was through before
        assert signal.SIGKILL == os.WTERMSIG(end), number
        for place, content in shop.outputs().items():
            assert content in (old.get(place), new[place]), (number, place)
        check_whole(shop.outputs(), new)
        check_judgement(shop, new)
        counted = closed(shop)
        assert 0 == fork(shop.run), number
        check_nothing_lost(shop, counted)
        assert new == shop.outputs(), number
        assert [] == shop.leftovers(), number
        once = {key: before.get(key, 0) + 1 for key in shop.completed()}
        assert once == shop.completed(), number
        assert all(v.state is State.COMPLETE and not v.note for v in shop.verdicts().values())
    assert 50 < number


PAIR = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    both = pt.shell(
        "cp {raw} {out.copy}; mkdir -p {out.parts}/in; tr a-z A-Z < {raw} > {out.parts}/in/1"
    )
    copy: Path = both.output("copy").to("copy.txt")
    parts: Path = both.output("parts").to("parts")


class Lab(pt.Project):
    records = (Item,)
"""


@pytest.fixture
def pair(workshop: Any, fork: Any, tmp_path: Path) -> Any:
    """Make a project with one task that makes a file and a folder, done before; copied aside."""
    shop = workshop(PAIR)
    fill(shop, "0123456789")
    shop.lab().discover()
    assert 0 == fork(shop.run)
    fill(shop, "abcdefghij")
    copied(shop.root, tmp_path / "saved")
    return shop


def check_end(shop: Any, fork: Any, new: dict[str, bytes], counted: Any, deaths: Any) -> None:
    """Hold that the next run ends well what was killed several times."""
    check_judgement(shop, new)
    assert 0 == fork(shop.run), deaths
    check_nothing_lost(shop, counted)
    assert new == shop.outputs() and [] == shop.leftovers(), deaths
    assert {2} == set(shop.completed().values()), deaths
    assert [State.COMPLETE] == [v.state for v in shop.verdicts().values()], deaths


def test_death_in_recovery(pair: Any, fork: Any, tmp_path: Path) -> None:
    """Killed after its closing line, then at any step of the recovery: it is published once."""
    assert 0 == fork(pair.run)
    new = pair.outputs()
    recovered = 0
    for first in itertools.count(1):
        copied(tmp_path / "saved", pair.root)
        if 0 == fork(lambda n=first: dying(pair.root, n, pair.run)):
            break
        counted = closed(pair)
        if len(counted) < 2:
            continue  # not yet recorded: `test_death_at_any_step`
        copied(pair.root, tmp_path / "dead")
        for second in itertools.count(1):
            copied(tmp_path / "dead", pair.root)
            if 0 == fork(lambda n=second: dying(pair.root, n, pair.run)):
                break
            recovered += 1
            check_end(pair, fork, new, counted, (first, second))
    assert 30 < recovered


def test_death_in_recovery_of_a_recovery(pair: Any, fork: Any, tmp_path: Path) -> None:
    """Killed up to four times, each time at another step: still nothing is lost or done twice."""
    points = count(fork, pair.root, pair.run)
    new = pair.outputs()
    chance, most = random.Random(20261121), 0
    for number in range(400 if os.environ.get("POINTILLIST_LONG") else 40):
        copied(tmp_path / "saved", pair.root)
        deaths = []
        for upper in (points, 16, 16, 16):
            deaths.append(chance.randint(1, upper))
            if 0 == fork(lambda n=deaths[-1]: dying(pair.root, n, pair.run)):
                break
        most = max(most, len(deaths))
        check_end(pair, fork, new, closed(pair), (number, deaths))
    assert 4 == most


def test_death_in_discover(workshop: Any, fork: Any, tmp_path: Path) -> None:
    """Killed at any step of a discovery: aggregates have their old members or their new ones."""
    shop = workshop(PROJECT)
    fill(shop, "0123456789")
    shop.lab().discover()
    assert 0 == fork(shop.run)
    fill(shop, "0123456789", "abc")
    copied(shop.root, tmp_path / "saved")
    points = count(fork, shop.root, lambda: shop.lab().discover())
    before = json.loads(
        next((tmp_path / "saved").rglob("Group/**/signac_job_document.json")).read_text()
    )
    after = json.loads(next(shop.root.rglob("Group/**/signac_job_document.json")).read_text())
    assert (1, 3) == (len(before["members"]), len(after["members"]))
    assert 0 == fork(shop.run)
    new = shop.outputs()
    for number in range(1, points + 1):
        copied(tmp_path / "saved", shop.root)
        work = lambda n=number: dying(shop.root, n, lambda: shop.lab().discover())  # noqa: E731
        assert signal.SIGKILL == os.WTERMSIG(fork(work)), number
        [document] = shop.root.rglob("Group/**/signac_job_document.json")
        assert json.loads(document.read_text()) in (before, after), number
        assert 0 == fork(shop.verdicts), number
        assert 0 == fork(lambda: shop.lab().discover()), number
        assert after == json.loads(document.read_text()), number
        if number % 8 == 0:  # what follows differs little
            assert 0 == fork(shop.run), number
            assert new == shop.outputs() and [] == shop.leftovers(), number
