"""SIGKILL before every file operation of a run: nothing partial, nothing twice, the same end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def halves(raw: Path) -> dict[str, str]:
    text = raw.read_text()
    return {"left": text[:50], "right": text[50:]}


@pt.step
def joined(lefts: list[str], rights: list[str]) -> str:
    print("joining", len(lefts))
    return "".join(lefts) + "|" + "".join(rights)


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


class Group(pt.Aggregate[Item]):
    group: str = pt.key()
    joined: str = joined.step(pt.each(Item.left), pt.each(Item.right)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""

SYSTEM_CALLS = ("link", "replace", "rename", "unlink", "mkdir", "rmdir", "open", "write")


def fill(shop: Any, letters: str, names: str = "a") -> None:
    """Write the raw files: 100 letters each, whatever the letters."""
    (shop.root / "raw").mkdir(exist_ok=True)
    for name in names:
        text = "".join(letters[i % len(letters)] for i in range(100))
        (shop.root / f"raw/{name}.txt").write_text(text + name)


def killing(number: int, work: Callable[[], object], total: Path | None = None) -> None:
    """Do something, but die before the file operation of a number; 0: count them all."""
    done = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*args: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return counts

    for name in SYSTEM_CALLS:
        setattr(os, name, counted(getattr(os, name)))
    work()
    if total is not None:
        total.write_text(str(done))


def count(shop: Any, fork: Any, work: Callable[[], object]) -> int:
    """Return how many file operations something does; it is done in a fork."""
    place = shop.root.parent / "count"
    assert 0 == fork(lambda: killing(0, work, place))
    return int(place.read_text())


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


def copied(source: Any, place: Path) -> None:
    """Copy a project as it lies, hard links and times included."""
    assert 0 == os.system(f"rm -rf '{place}' && cp -a '{source}' '{place}'")


@pytest.fixture(autouse=True)
def quick_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be known: looking at all packages takes longer than a whole run."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})


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
    points = count(shop, fork, shop.run)
    new = shop.outputs()
    assert 8 == len(new) and set(new) == set(old or new)
    assert not again or all(len(old[k]) == len(new[k]) for k in new)
    assert 50 < points

    for number in range(1, points + 1, stride):
        copied(tmp_path / "saved", shop.root)
        end = fork(lambda n=number: killing(n, shop.run))
        assert signal.SIGKILL == os.WTERMSIG(end), number
        for place, content in shop.outputs().items():
            assert content in (old.get(place), new[place]), (number, place)
        check_judgement(shop, new)
        assert 0 == fork(shop.run), number
        assert new == shop.outputs(), number
        assert [] == shop.leftovers(), number
        once = {key: before.get(key, 0) + 1 for key in shop.completed()}
        assert once == shop.completed(), number
        assert all(v.state is State.COMPLETE and not v.note for v in shop.verdicts().values())


def test_death_in_recovery(workshop: Any, fork: Any, tmp_path: Path) -> None:
    """Killed between two renames, then at any step of the recovery: still all ends well."""
    shop = workshop(PROJECT)
    fill(shop, "0123456789")
    shop.lab().discover()
    assert 0 == fork(shop.run)
    fill(shop, "abcdefghij")

    def between_renames() -> None:
        rename, done = os.replace, []

        def replace(source: Any, place: Any) -> None:
            done.append(str(place)) if str(place).endswith((".txt", "pieces")) else None
            if len(done) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            rename(source, place)

        os.replace = replace
        shop.run(limit=1)

    assert signal.SIGKILL == os.WTERMSIG(fork(between_renames))
    halves = {Path(k).name: v for k, v in shop.outputs().items() if "t.txt" in k}
    assert halves["left.txt"][:1] == b"a" and halves["right.txt"][:1] == b"0"
    [verdict] = [v for task, v in shop.verdicts().items() if task.endswith("pair")]
    assert State.STALE is verdict.state
    assert "died; the next run finishes or discards it" in str(verdict)

    copied(shop.root, tmp_path / "saved")
    copied(tmp_path / "saved", shop.root)
    assert 1 == shop.run().recovered
    new = shop.outputs()
    for number in range(1, 13):  # claim, renames, tidying, release
        copied(tmp_path / "saved", shop.root)
        assert signal.SIGKILL == os.WTERMSIG(fork(lambda n=number: killing(n, shop.run)))
        check_judgement(shop, new)
        assert 0 == fork(shop.run), number
        assert new == shop.outputs() and [] == shop.leftovers(), number
        assert {2} == set(shop.completed().values()), number
