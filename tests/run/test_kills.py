"""SIGKILL at random instants of whole runs, and two runs at the same time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State

KILLS = 30

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def halves(raw: Path) -> dict[str, str]:
    text = raw.read_text()
    return {"left": text[:5000], "right": text[5000:]}


@pt.step
def joined(lefts: list[str], folders: list[Path]) -> str:
    print("joining", len(lefts))
    return "".join(lefts) + "".join((f / "2").read_text() for f in folders)


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    @property
    def group(self) -> str:
        return "vowel" if self.name in "aeiou" else "other"

    pair = halves.step(raw)
    left: str = pair.output("left").to()
    right: str = pair.output("right").to()
    swapped: Path = pt.shell("cat {right} {left} > {out}").to("swapped.txt")
    pieces: Path = pt.shell("mkdir {out} && cp {left} {out}/1 && cp {right} {out}/2").to("pieces")


class Group(pt.Aggregate[Item]):
    group: str = pt.key()
    joined: str = joined.step(pt.each(Item.left), pt.each(Item.pieces)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""

NAMES = "abcdef"
TASKS = 3 * len(NAMES) + 2


def made(workshop: Any, name: str) -> Any:
    """Make the project with its data."""
    shop = workshop(PROJECT, name)
    (shop.root / "raw").mkdir()
    for letter in NAMES:
        (shop.root / f"raw/{letter}.txt").write_text(f"{letter}12345678\n" * 1000)
    shop.lab().discover()
    return shop


def start(shop: Any, *words: str) -> subprocess.Popen[str]:
    """Begin ``python project.py run`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "project.py", "run", *words],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check_end(shop: Any, wanted: dict[str, bytes]) -> None:
    """Hold the end of a run: all there, nothing left over, nothing done twice."""
    assert wanted == shop.outputs()
    assert [] == shop.leftovers()
    assert TASKS == len(shop.completed()) and {1} == set(shop.completed().values())
    assert all(v.state is State.COMPLETE and not v.note for v in shop.verdicts().values())


def test_killed_at_random(
    workshop: Any, fork_off: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Thirty kills: never anything partial, nothing finished done twice, the end is the same."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})
    calm = made(workshop, "calm")
    calm.run()
    wanted = calm.outputs()
    assert 5 * len(NAMES) + 2 == len(wanted)

    rounds, kills, chance = 0, 0, random.Random(20261120)
    while kills < KILLS:
        rounds += 1
        shop = made(workshop, f"round {rounds}")
        while kills < KILLS:
            pid = fork_off(lambda: os._exit(len(shop.run().failed)))  # noqa: B023  # forked at once
            time.sleep(chance.uniform(0.02, 0.12))
            os.kill(pid, signal.SIGKILL)
            end = os.waitpid(pid, 0)[1]
            for place, content in shop.outputs().items():
                assert wanted[place] == content, place
            if not os.WIFSIGNALED(end):
                assert 0 == end
                break
            kills += 1
        last = start(shop)
        text = last.communicate()[0]
        assert 0 == last.returncode, text
        check_end(shop, wanted)


def test_process_killed(workshop: Any) -> None:
    """A real ``python project.py run`` that is killed in a step; the next goes on from there."""
    shop = made(workshop, "lab")
    source = (shop.root / "project.py").read_text()
    slow = source.replace(
        'print("joining"',
        'import time; (Path(__file__).parent / "now").touch(); time.sleep(60); print("joining"',
    )
    (shop.root / "project.py").write_text(slow)
    process = start(shop)
    while not (shop.root / "now").exists():
        assert process.poll() is None, process.communicate()
    process.kill()
    process.wait()
    before = shop.outputs()
    assert 5 * len(NAMES) == len(before)
    (shop.root / "project.py").write_text(source)
    process = start(shop)
    text = process.communicate()[0]
    assert 0 == process.returncode and "2 tasks done" in text
    assert {1} == set(shop.completed().values())
    assert ["interrupted"] == [a["outcome"] for a in shop.attempts() if a["outcome"] != "complete"]


def test_two_runs_at_once(workshop: Any, fork_off: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of one project at the same time: all is done, nothing twice, nothing failed."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})
    calm = made(workshop, "calm")
    calm.run()
    for number in range(5):
        shop = made(workshop, f"lab {number}")
        for times in (1, 2):
            both = [fork_off(lambda: os._exit(troubles(shop.run()))) for _ in range(2)]  # noqa: B023
            assert [0, 0] == [os.waitpid(pid, 0)[1] for pid in both]
            assert {times} == set(shop.completed().values())
            assert [] == shop.leftovers()
            if times == 1:
                check_end(shop, calm.outputs())
            for letter in NAMES:
                (shop.root / f"raw/{letter}.txt").write_text(f"{letter}abcdefgh\n" * 1000)


def troubles(summary: Any) -> int:
    """Return how many tasks of a run failed, now or before."""
    return len(summary.failed) + len(summary.still_failed)


def test_two_processes_at_once(workshop: Any) -> None:
    """Two ``python project.py run`` at once: both exit 0, and a third has nothing to do."""
    shop = made(workshop, "lab")
    both = [start(shop), start(shop)]
    texts = [process.communicate()[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], "\n".join(texts)
    summary = shop.run()
    assert (0, [], []) == (summary.done, summary.waiting, summary.failed)
    assert {1} == set(shop.completed().values())
