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
    lab = shop.lab()
    planner = lab.engine.planner()
    for task in planner.tasks():
        if planner.judge(task).state is State.COMPLETE:
            for made in task.step.outputs:
                place = lab.engine.space.job_folder(task.record).output(made.filename)
                start = str(place.relative_to(shop.root))
                expected = {k: v for k, v in wanted.items() if (k + "/").startswith(start + "/")}
                found = {
                    k: v for k, v in shop.outputs().items() if (k + "/").startswith(start + "/")
                }
                assert expected and expected == found, (str(task), planner.judge(task))


def copied(source: Any, place: Path) -> None:
    """Copy a project as it lies, hard links and times included."""
    assert 0 == os.system(f"rm -rf '{place}' && cp -a '{source}' '{place}'")


@pytest.fixture(autouse=True)
def quick_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be known: looking at all packages takes longer than a whole run."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})


@pytest.mark.parametrize("again", [False, True], ids=["fresh", "over old outputs"])
def test_death_at_any_step(workshop: Any, fork: Any, tmp_path: Path, again: bool) -> None:
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

    for number in range(1, points + 1):
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
