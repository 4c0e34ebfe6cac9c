"""Resetting: what is removed, what is ready then, and what a kill on the way leaves."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State
from pointillist.run.resetting import foresee_reset
from pointillist.space.claims import take
from pointillist.space.identity import user
from pointillist.space.journals import Journal

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def halves(raw: Path) -> dict[str, str]:
    if (HERE / "broken").exists():
        raise ValueError("no luck")
    text = raw.read_text()
    return {"left": text[:4], "right": text[4:]}


@pt.step
def joined(lefts: list[str]) -> str:
    return "".join(lefts)


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    pair = halves.step(raw)
    left: str = pair.output("left").to()
    right: str = pair.output("right").to()
    pieces: Path = pt.shell("mkdir {out} && cp {left} {out}/1 && cp {right} {out}/2").to("pieces")

    @property
    def group(self) -> str:
        return "all"


class Group(pt.Aggregate[Item]):
    group: str = pt.key()
    joined: str = joined.step(pt.each(Item.left)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""


@pytest.fixture
def shop(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a project of two items, run."""
    # looking at all packages takes longer than all else together
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})
    made = workshop(PROJECT)
    (made.root / "raw").mkdir()
    for name in "ab":
        (made.root / f"raw/{name}.txt").write_text(f"{name} some text")
    made.lab().discover()
    assert 5 == made.run().done
    return made


def item(shop: Any, lab: Any, name: str = "a") -> Any:
    """Return one item."""
    return lab[shop.module.Item].get(name=name)


def names(shop: Any) -> list[str]:
    """Return the outputs that are there, by the first letters of the jobs."""
    return sorted(place.partition("workspace/")[2][33:] for place in shop.outputs())


def say(shop: Any, task: str) -> str:
    """Return the state of a task and why."""
    return str(shop.verdicts()[task])


def test_one_step(shop: Any) -> None:
    """All outputs of the step go, whole folders too; the task is ready, and who did it is said."""
    lab = shop.lab()
    expected = {"left.txt": 4, "right.txt": 7}
    [done] = lab.reset(item(shop, lab), "left")
    assert ("Item name=a  pair", expected, "") == (str(done.task), done.files, done.refused)
    day = time.strftime("%Y-%m-%d")
    assert f"ready: reset on {day} by {user()}" == say(shop, "Item name=a  pair")
    assert "waiting: pair is ready" == say(shop, "Item name=a  pieces")
    assert "complete" == say(shop, "Item name=b  pair")
    [reset] = [a for a in shop.attempts() if a["outcome"] == "reset"]
    assert user() == reset["user"] and start_of(shop) <= reset["end"] <= time.time()
    [folder] = lab.reset(item(shop, lab), "pieces")
    assert {"pieces": 11} == folder.files
    assert ["joined.txt", "left.txt", "pieces/1", "pieces/2", "right.txt"] == names(shop)
    assert [] == shop.leftovers()

    before = shop.completed()
    assert 2 == shop.run().done
    again = {key for key, count in shop.completed().items() if count > before[key]}
    assert {"Item.pair", "Item.pieces"} == {operation for operation, _ in again}
    assert {State.COMPLETE} == {verdict.state for verdict in shop.verdicts().values()}


def start_of(shop: Any) -> float:
    """Return when the first attempt began."""
    start: float = min(a["start"] for a in shop.attempts())
    return start


def test_dependents(shop: Any) -> None:
    """With dependents also what was made from it goes, of the aggregate too; they go first."""
    lab = shop.lab()
    done = lab.reset(item(shop, lab), "pair", dependents=True)
    assert ["Group group=all  joined", "Item name=a  pieces", "Item name=a  pair"] == [
        str(one.task) for one in done
    ]
    assert ["left.txt", "pieces/1", "pieces/2", "right.txt"] == names(shop)
    assert 3 == shop.run().done


def test_nothing_to_reset(shop: Any) -> None:
    """What was reset already, or never made, is left out; a failure without outputs is not."""
    lab = shop.lab()
    lab.reset(item(shop, lab))
    assert [] == lab.reset(item(shop, lab))
    (shop.root / "broken").touch()
    assert 1 == len(shop.run().failed)
    assert say(shop, "Item name=a  pair").startswith("failed at attempt 2")
    [done] = lab.reset(item(shop, lab))
    assert {} == done.files
    assert say(shop, "Item name=a  pair").startswith("ready: reset on")
    (shop.root / "broken").unlink()
    assert 2 == shop.run().done


def test_found(shop: Any) -> None:
    """Outputs that nobody is known to have made are reset like any others."""
    for journal in (shop.root / ".pointillist/runs").iterdir():
        journal.unlink()
    assert "complete (found)" == say(shop, "Item name=a  pair")
    lab = shop.lab()
    assert 2 == len(lab.reset(item(shop, lab)))
    assert say(shop, "Item name=a  pair").startswith("ready: reset on")


def test_what_comes_back(shop: Any) -> None:
    """Old outputs that come back, from another copy, do not count; new ones are found."""
    lab = shop.lab()
    left = item(shop, lab).path("left")
    kept = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (left, left.with_name("right.txt"))}
    lab.reset(item(shop, lab), "pair")
    for path, (content, moment) in kept.items():
        path.write_bytes(content)
        os.utime(path, ns=(moment, moment))
    assert say(shop, "Item name=a  pair").startswith("ready: reset on")
    later = time.time_ns() + 1_000_000_000
    for path in kept:
        os.utime(path, ns=(later, later))
    assert "complete (found)" == say(shop, "Item name=a  pair")


def test_a_runner_has_it(shop: Any) -> None:
    """A task that a live runner has is left alone, and its files; the others are reset."""
    lab = shop.lab()
    space = lab.engine.space
    claim = take(space.job_folder(item(shop, lab)), "pair", [], Journal(space.layout, "x"))
    assert claim is not None
    found = {str(one.task): one for one in lab.reset(lab[shop.module.Item], "pair")}
    assert "a runner has it; reset it when it has ended" == found["Item name=a  pair"].refused
    assert "" == found["Item name=b  pair"].refused
    assert f"running: by {claim.runner}" == say(shop, "Item name=a  pair")
    assert item(shop, lab).path("left").exists()
    assert not item(shop, lab, "b").path("left").exists()
    claim.release()
    assert "complete" == say(shop, "Item name=a  pair")


def test_what_the_dead_left(shop: Any, fork: Callable[..., int]) -> None:
    """What a killed runner had recorded is finished first, then it goes too, stages included."""
    (shop.root / "raw/a.txt").write_text("another text")

    def die() -> None:
        replace = os.replace

        def last(source: Any, place: Any) -> None:
            if str(place).endswith("left.txt"):
                os.kill(os.getpid(), signal.SIGKILL)
            replace(source, place)

        os.replace = last
        shop.run()

    assert signal.SIGKILL == os.WTERMSIG(fork(die))
    lab = shop.lab()
    [foreseen] = [
        one
        for one in foresee_reset(lab.engine.planner(), lab.engine.planner().tasks())
        if str(one.task) == "Item name=a  pair"
    ]
    assert 4 == len(foreseen.files), "two outputs, two stages"
    lab.reset(item(shop, lab), "pair")
    assert [] == shop.leftovers()
    assert say(shop, "Item name=a  pair").startswith("ready: reset on")


def test_beside_a_run(shop: Any, fork_off: Callable[..., int]) -> None:
    """Resets and runs at once, over and over: in the end all is complete and nothing is left."""
    expected = shop.outputs()

    def resetting() -> None:
        for _ in range(5):
            lab = shop.lab()
            lab.reset(lab[shop.module.Item], "pair", dependents=True)

    def running() -> None:
        for _ in range(5):
            shop.run()

    children = [fork_off(resetting), fork_off(running), fork_off(running)]
    assert [0, 0, 0] == [os.waitpid(child, 0)[1] for child in children]
    assert [] == shop.run().failed
    assert {"complete"} == set(map(str, shop.verdicts().values()))
    assert expected == shop.outputs()
    assert [] == shop.leftovers()


SYSTEM_CALLS = ("link", "replace", "rename", "unlink", "mkdir", "rmdir", "open", "write")


def dying(number: int, work: Callable[[], object], total: Path) -> None:
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
    total.write_text(str(done))


def test_killed_at_any_instant(shop: Any, fork: Callable[..., int], tmp_path: Path) -> None:
    """Killed before any file operation: what is complete has all its outputs, the rest is done.

    Whatever was removed is said to be missing or reset, never half of it taken for a result; the
    reset said once more ends it, and so does a run.
    """
    before = shop.outputs()

    def work() -> None:
        lab = shop.lab()
        lab.reset(item(shop, lab))

    assert 0 == os.system(f"cp -a '{shop.root}' '{tmp_path}/saved'")
    assert 0 == fork(lambda: dying(0, work, tmp_path / "total"))
    points = int((tmp_path / "total").read_text())
    assert 15 < points
    seen = set()
    for number in range(1, points + 1):
        assert 0 == os.system(f"rm -rf '{shop.root}' && cp -a '{tmp_path}/saved' '{shop.root}'")
        end = fork(lambda n=number: dying(n, work, tmp_path / "total"))  # type: ignore[misc]
        assert signal.SIGKILL == os.WTERMSIG(end), number
        there = shop.outputs()
        assert all(before[place] == content for place, content in there.items()), number
        lab = shop.lab()
        planner = lab.engine.planner()
        for task in planner.tasks():
            verdict = planner.judge(task)
            seen.add(re.sub(r"\d{4}-.*|\S+ died", "…", str(verdict)))
            folder = lab.engine.space.job_folder(task.record)
            names = [str(made.filename) for made in task.step.outputs]
            whole = all(folder.output(name).exists() for name in names)
            assert whole or verdict.state is not State.COMPLETE, (number, str(task))
        if number % 2:
            work()
            assert [] == [place for place in shop.outputs() if _id(shop) in place], number
        shop.run()
        assert before == shop.outputs(), number
        assert [] == shop.leftovers(), number
        assert {"complete"} == set(map(str, shop.verdicts().values())), number
    assert {"ready: reset on …", "complete"} < seen


def _id(shop: Any) -> str:
    found: str = item(shop, shop.lab()).id
    return found


def test_an_input_is_taken_away(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails as its input went away under it has not failed: the next run redoes it."""
    lab = shop.lab()
    lab.reset(item(shop, lab), "pieces")
    place = shop.root / "bin/cp"
    place.parent.mkdir()
    place.write_text(
        f'#!/bin/sh\nrm -f "{item(shop, lab).path("left")}"\nexec {shutil.which("cp")} "$@"\n'
    )
    place.chmod(0o755)
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", f"{place.parent}:{path}")
    [(task, attempt)] = shop.run().failed
    assert ("Item name=a  pieces", "changed") == (str(task), attempt.outcome)
    assert "left.txt vanished while the step ran" in str(attempt.error)
    assert "It failed then: " in str(attempt.error) and "cannot stat" in str(attempt.error)
    monkeypatch.setenv("PATH", path)
    assert 2 == shop.run().done
