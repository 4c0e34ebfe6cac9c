"""SIGKILL at random instants of whole runs, of forks of this process and of real ones.

With ``POINTILLIST_LONG=1`` in the environment there are 300 kills instead of 40.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from pointillist.plan.states import State

LONG = bool(os.environ.get("POINTILLIST_LONG"))
FORKS, PROCESSES = (270, 30) if LONG else (34, 6)
"""How many forks of this process are killed, and how many ``python project.py run``."""

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


Closed = dict[tuple[str, str], dict[str, Any]]


def closed(shop: Any) -> Closed:
    """Return the attempts whose closing lines are in journals, by operation and job."""
    found: Closed = {}
    for attempt in shop.attempts():
        if attempt["outcome"] == "complete":
            assert (attempt["operation"], attempt["job"]) not in found, "done twice"
            found[attempt["operation"], attempt["job"]] = attempt
    return found


def check_killed(shop: Any, counted: Closed, wanted: dict[str, bytes]) -> Closed:
    """Hold what a kill leaves: nothing partial, nothing lost that counted; return what counts."""
    for place, content in shop.outputs().items():
        assert wanted[place] == content, place
    now = closed(shop)
    assert counted.items() <= now.items()
    assert set(shop.completed()) == set(now)
    return now


def check_end(shop: Any, counted: Closed, wanted: dict[str, bytes]) -> None:
    """Hold the end of a run: all there, nothing left over, nothing done twice or lost."""
    assert wanted == shop.outputs()
    assert [] == shop.leftovers()
    now = closed(shop)
    assert TASKS == len(now) and counted.items() <= now.items()
    for (_, job), attempt in now.items():
        [folder] = [path for path in shop.jobs() if path.name == job]
        for made in attempt["outputs"].values():
            if (folder / made["file"]).is_file():
                content = (folder / made["file"]).read_bytes()
                assert made["hash"] == hashlib.sha256(content).hexdigest()
    assert all(v.state is State.COMPLETE and not v.note for v in shop.verdicts().values())


@pytest.fixture
def quick_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be known: looking at all packages takes longer than a whole run."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})


@pytest.fixture
def wanted(workshop: Any, fork: Any, quick_environment: None) -> dict[str, bytes]:
    """Return the outputs of a run that nobody disturbs."""
    calm = made(workshop, "calm")
    assert 0 == fork(calm.run)
    outputs: dict[str, bytes] = calm.outputs()
    assert 5 * len(NAMES) + 2 == len(outputs)
    return outputs


def test_forks_killed_at_random(workshop: Any, fork_off: Any, wanted: dict[str, bytes]) -> None:
    """Runs killed again and again: nothing partial, lost or done twice, the end is the same."""
    rounds, kills, chance = 0, 0, random.Random(20261120)
    while kills < FORKS:
        rounds += 1
        shop, counted, longest = made(workshop, f"round {rounds}"), {}, 0.12
        end = signal.SIGKILL
        while end:
            pid = fork_off(lambda: os._exit(troubles(shop.run())))  # noqa: B023  # forked at once
            time.sleep(chance.uniform(0.01, longest))
            os.kill(pid, signal.SIGKILL)
            end = os.waitpid(pid, 0)[1]
            counted = check_killed(shop, counted, wanted)
            assert end in (0, signal.SIGKILL)
            kills += end == signal.SIGKILL
        check_end(shop, counted, wanted)


def test_processes_killed_at_random(workshop: Any, wanted: dict[str, bytes]) -> None:
    """The same with ``python project.py run``, killed as soon as some tasks are done."""
    rounds, kills, chance = 0, 0, random.Random(20261122)
    while kills < PROCESSES:
        rounds += 1
        shop, counted = made(workshop, f"round {rounds}"), {}
        end = -signal.SIGKILL
        while end:
            process = start(shop)
            enough = len(counted) + chance.randint(1, 8)
            while process.poll() is None and len(shop.completed()) < enough:
                time.sleep(0.001)  # the kill is at random anyhow
            process.kill()
            text, end = process.communicate()[0], process.returncode
            counted = check_killed(shop, counted, wanted)
            assert end in (0, -signal.SIGKILL), text
            assert "Traceback" not in text
            kills += end == -signal.SIGKILL
        check_end(shop, counted, wanted)


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


def test_two_runs_at_once(workshop: Any, fork_off: Any, wanted: dict[str, bytes]) -> None:
    """Two runs of one project at the same time: all is done, nothing twice, nothing failed."""
    for number in range(5):
        shop = made(workshop, f"lab {number}")
        for times in (1, 2):
            both = [fork_off(lambda: os._exit(troubles(shop.run()))) for _ in range(2)]  # noqa: B023
            assert [0, 0] == [os.waitpid(pid, 0)[1] for pid in both]
            assert {times} == set(shop.completed().values())
            assert [] == shop.leftovers()
            if times == 1:
                check_end(shop, {}, wanted)
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
