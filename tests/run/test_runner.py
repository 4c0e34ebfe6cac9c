"""The runner: order, failures, retries, timeouts, interruption, runners elsewhere."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import TaskError
from pointillist.plan.states import State
from pointillist.run import heartbeat
from pointillist.space.identity import Identity

HEAD = """
from __future__ import annotations
from pathlib import Path
import time
import pointillist as pt

HERE = Path(__file__).parent
"""

TAIL = """

class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

ITEM = """
class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
"""


def made(workshop: Any, steps: str, wired: str, names: str = "ab") -> Any:
    """Make a project with records ``a``, ``b`` and some steps."""
    shop = workshop(HEAD + steps + ITEM + "".join(f"    {w}\n" for w in wired.splitlines()) + TAIL)
    (shop.root / "raw").mkdir()
    for name in names:
        (shop.root / f"raw/{name}.txt").write_text(name)
    shop.lab().discover()
    return shop


FRAGILE = """
@pt.step(retries=RETRIES)
def fragile(raw: Path) -> str:
    tried = HERE / "tried"
    tried.write_text((tried.read_text() if tried.exists() else "") + raw.stem)
    if raw.stem == "a" and tried.read_text().count("a") < 3:
        raise ValueError("no luck")
    return raw.read_text()


@pt.step
def louder(text: str) -> str:
    return text.upper()
"""

FRAGILE_WIRED = """text: str = fragile.step(raw).to()
loud: str = louder.step(text).to()"""


def test_failure_lets_others_go_on(workshop: Any) -> None:
    """A step that raises is told once, with its log; other records go on, what needs it waits."""
    shop = made(workshop, FRAGILE.replace("RETRIES", "0"), FRAGILE_WIRED)
    summary = shop.run()
    assert 2 == summary.done
    [(task, attempt)] = summary.failed
    assert ("Item name=a", "text") == (task.record.label, task.step.name)
    assert "fragile raised ValueError: no luck" == attempt.error
    log = (shop.root / str(attempt.log)).read_text()
    assert log.startswith("Traceback") and "calls.py" not in log and 'raise ValueError("no' in log
    assert ["Item name=a  loud"] == [str(task) for task, _ in summary.waiting]
    assert [] == shop.leftovers()


def test_failed_is_not_tried_again(workshop: Any) -> None:
    """A failed task is tried again when something changed or when it is asked for, else not."""
    shop = made(workshop, FRAGILE.replace("RETRIES", "0"), FRAGILE_WIRED)
    shop.run()
    again = shop.run()
    assert (0, []) == (again.done, again.failed)
    [(_, verdict)] = again.still_failed
    assert "failed at attempt 1: fragile raised ValueError: no luck" == str(verdict.reasons[0])
    assert verdict.log is not None and verdict.log.exists()
    assert 1 == len(shop.run(retry_failed=True).failed)
    (shop.root / "raw/a.txt").write_text("a, mended")
    assert 2 == shop.run().done
    assert all(v.state is State.COMPLETE for v in shop.verdicts().values())


def test_retries(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``retries=2`` a step is tried three times, later each time, each with its own number."""
    monkeypatch.setattr("pointillist.run.runner.RETRY", 0.1)
    shop = made(workshop, FRAGILE.replace("RETRIES", "2"), FRAGILE_WIRED)
    summary = shop.run()
    assert (4, []) == (summary.done, summary.failed)
    tried = [a for a in shop.attempts() if a["operation"] == "Item.text" and a["number"] > 1]
    assert [2, 3] == [a["number"] for a in tried]
    assert ["failed", "complete"] == [a["outcome"] for a in tried]
    assert "aaab" == (shop.root / "tried").read_text()
    all_three = [a for a in shop.attempts() if a["operation"] == "Item.text"][:3]
    waits = [b["start"] - a["end"] for a, b in itertools.pairwise(all_three)]
    assert [True, True] == [waits[0] >= 0.1, waits[1] >= 0.2], waits


def test_retries_run_out(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When retries are used up the task failed, and counts as one."""
    monkeypatch.setattr("pointillist.run.runner.RETRY", 0.001)
    shop = made(workshop, FRAGILE.replace("RETRIES", "1"), FRAGILE_WIRED)
    summary = shop.run()
    [(_, attempt)] = summary.failed
    assert (2, "failed") == (attempt.number, attempt.outcome)


def test_fail_fast(workshop: Any) -> None:
    """``fail_fast`` ends the run at the first failure, and the summary says that it stopped."""
    shop = made(workshop, FRAGILE.replace("RETRIES", "0"), FRAGILE_WIRED)
    summary = shop.run(fail_fast=True)
    assert (0, 1, True) == (summary.done, len(summary.failed), summary.limited)
    assert 1 == len(shop.attempts())


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_limit(workshop: Any, limit: int) -> None:
    """A limit carries out that many tasks; the next run goes on."""
    steps = "@pt.step\ndef copy(raw: Path) -> str:\n    return raw.read_text()\n"
    shop = made(workshop, steps, "one: str = copy.step(raw).to()\ntwo: str = copy.step(raw).to()")
    summary = shop.run(limit=limit)
    assert (limit, True) == (summary.done, summary.limited)
    assert limit == len(shop.outputs())
    assert 4 - limit == shop.run().done


SLOW = """
@pt.step(timeout=0.3)
def slow(raw: Path) -> str:
    if raw.stem == "a":
        time.sleep(30)
    return raw.read_text()
"""


def test_timeout_of_python(workshop: Any) -> None:
    """A Python step that takes longer than its timeout is ended and says so; others go on."""
    shop = made(workshop, SLOW, "text: str = slow.step(raw).to()")
    begin = time.monotonic()
    summary = shop.run()
    assert time.monotonic() - begin < 10
    [(_, attempt)] = summary.failed
    assert "slow took longer than its timeout of 0.3 s. Raise timeout= if it may." == attempt.error
    assert 1 == summary.done and [] == shop.leftovers()


def test_timeout_of_command(workshop: Any) -> None:
    """A command that takes longer than its timeout is ended with all that it started."""
    wired = (
        "text: str = pt.shell('(sleep 30 & echo $! > {pids}; wait); cat {raw} > {out}', "
        "pids='pids').options(timeout=0.5).to('text.txt')"
    )
    shop = made(workshop, "", wired, "a")
    [(_, attempt)] = shop.run().failed
    assert str(attempt.error).endswith(
        " took longer than its timeout of 0.5 s. Raise timeout= if it may. "
        "What it had started was ended as well."
    )
    child = int((shop.root / "pids").read_text())
    state = Path(f"/proc/{child}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "ZX"
    assert {} == shop.outputs() and [] == shop.leftovers()


@pytest.mark.parametrize("kind", ["python", "command"])
def test_interrupt(workshop: Any, kind: str) -> None:
    """Ctrl-C in a step: exit 130, it is said how to go on, recorded, and nothing lies about."""
    steps = """
@pt.step
def slow(raw: Path) -> str:
    (HERE / "now").touch()
    while not (HERE / "free").exists():
        time.sleep(0.01)
    return raw.read_text()
"""
    wired = {
        "python": "text: str = slow.step(raw).to()",
        "command": "text: str = pt.shell('touch now; test -e free || sleep 60; cat {raw} > {out}')"
        ".to('text.txt')",
    }
    shop = made(workshop, steps, wired[kind])
    process = subprocess.Popen(
        [sys.executable, "project.py", "run"],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (shop.root / "now").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=30)[0]
    assert 130 == process.returncode, text
    assert "interrupted: Item name=a  text was given up; what had ended is kept. " in text
    assert "The same command goes on from here." in text and "Traceback" not in text
    assert [("interrupted", "interrupted")] == [(a["outcome"], a["error"]) for a in shop.attempts()]
    assert [] == shop.leftovers() and {} == shop.outputs()
    (shop.root / "free").touch()
    assert 2 == shop.run().done


def test_interrupt_while_publishing(workshop: Any, fork: Any) -> None:
    """Ctrl-C between the closing line and the renames waits until all outputs have their place."""
    steps = "@pt.step\ndef two(raw: Path) -> dict[str, str]:\n    return {'x': 'x', 'y': 'y'}\n"
    wired = "s = two.step(raw)\nx: str = s.output('x').to()\ny: str = s.output('y').to()"
    shop = made(workshop, steps, wired, "a")

    def work() -> None:
        rename = os.replace

        def interrupted(source: Any, place: Any) -> None:
            if str(place).endswith("y.txt"):
                os.kill(os.getpid(), signal.SIGINT)
            rename(source, place)

        os.replace = interrupted
        try:
            shop.run()
        except KeyboardInterrupt:
            os._exit(7)

    assert 7 == os.WEXITSTATUS(fork(work))
    assert ["complete"] == [a["outcome"] for a in shop.attempts()]
    assert 2 == len(shop.outputs()) and [] == shop.leftovers()
    assert [State.COMPLETE] == [v.state for v in shop.verdicts().values()]


COPY = "@pt.step\ndef copy(raw: Path) -> str:\n    return raw.read_text()\n"


def claim_elsewhere(shop: Any, name: str = "20200101T000000-elsewhere-1") -> Path:
    """Let a runner of another host have claimed the step of the first record."""
    runs = shop.root / ".pointillist/runs"
    runs.mkdir(parents=True, exist_ok=True)
    who = {**Identity.own().as_json(), "host": "elsewhere"}
    opening = {"kind": "runner", "format": 1, "runner": name, "start": 0.0, **who}
    journal = runs / f"{name}.jsonl"
    journal.write_text(json.dumps(opening) + "\n")
    os.link(journal, shop.jobs()[0] / ".text.claim.1")
    return Path(journal)


def test_runner_elsewhere_lives(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of a runner on another host is left alone as long as its heartbeat moves."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.4)
    shop = made(workshop, COPY, "text: str = copy.step(raw).to()")
    journal = claim_elsewhere(shop)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.02):
            os.utime(journal)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        summary = shop.run()
    finally:
        over.set()
        thread.join()
    assert 1 == summary.done and 1 == len(summary.elsewhere)
    assert "by 20200101T000000-elsewhere-1, which cannot be seen from here" in str(
        summary.elsewhere[0][1]
    )
    assert (shop.jobs()[0] / ".text.claim.1").exists()


def test_runner_elsewhere_falls_silent(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task of a runner on another host is taken over when its heartbeat has stopped."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.3)
    shop = made(workshop, COPY, "text: str = copy.step(raw).to()")
    claim_elsewhere(shop)
    summary = shop.run()
    assert (2, []) == (summary.done, summary.elsewhere)
    assert [] == shop.leftovers()
    [died] = [a for a in shop.attempts() if a["outcome"] == "interrupted"]
    assert "its runner 20200101T000000-elsewhere-1 died" == died["error"]


def test_taken_over_while_it_ran(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who finds at the end that another runner took the task over publishes and removes nothing."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.0)
    steps = """
@pt.step
def copy(raw: Path) -> str:
    import os
    folder = next((HERE / "workspace").iterdir())
    os.link(HERE / "other", folder / ".text.claim.2")
    (folder / ".text.stage.2-0123456789ab.text.txt").write_text("half of th")
    return raw.read_text()
"""
    shop = made(workshop, steps, "text: str = copy.step(raw).to()", "a")
    opening = {"kind": "runner", "runner": "other", **Identity.own().as_json()}
    (shop.root / "other").write_text(json.dumps(opening) + "\n")
    summary = shop.run()
    assert (0, []) == (summary.done, summary.failed)
    assert [] == [a for a in shop.attempts() if a["outcome"] == "complete"]
    names = sorted(Path(name).name for name in shop.leftovers())
    assert ".text.stage.2-0123456789ab.text.txt" in names and ".text.claim.2" in names
    assert {} == shop.outputs()


def test_second_attempt_of_a_process_that_died(workshop: Any, fork: Any) -> None:
    """What a process recorded earlier is not taken for what it was making when it died."""
    steps = """
@pt.step
def two(raw: Path) -> dict[str, str]:
    return {"x": raw.read_text() + "x", "y": raw.read_text() + "y"}
"""
    wired = "s = two.step(raw)\nx: str = s.output('x').to()\ny: str = s.output('y').to()"
    shop = made(workshop, steps, wired, "a")

    def work() -> None:
        lab = shop.lab()
        lab.run()
        (shop.root / "raw/a.txt").write_text("b")
        from pointillist.space.journals import Journal

        Journal.append = lambda *a: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment]  # to die there
        lab.run()

    assert signal.SIGKILL == os.WTERMSIG(fork(work))
    summary = shop.run()
    assert (1, 0) == (summary.done, summary.recovered)
    assert {b"bx", b"by"} == set(shop.outputs().values())
    assert [] == shop.leftovers()


def test_clock_set_back(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt counts as the last one although the clock was set back before it."""
    shop = made(workshop, COPY, "text: str = copy.step(raw).to()")
    assert 2 == shop.run().done
    (shop.root / "raw/a.txt").write_text("another text")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 5000)
    assert 1 == shop.run().done
    monkeypatch.undo()
    assert 0 == shop.run().done


def test_forced_over_a_dead_runner(workshop: Any, fork: Any) -> None:
    """What a dead runner has recorded is published before the task is forced, and fails."""
    steps = """
@pt.step
def two(raw: Path) -> dict[str, str]:
    if (HERE / "broken").exists():
        raise OSError("broken")
    return {"x": raw.read_text() + "x", "y": raw.read_text() + "y"}
"""
    wired = "s = two.step(raw)\nx: str = s.output('x').to()\ny: str = s.output('y').to()"
    shop = made(workshop, steps, wired, "a")
    shop.run()
    (shop.root / "raw/a.txt").write_text("b")

    def work() -> None:
        rename = os.replace

        def replace(source: Any, place: Any) -> None:
            if str(place).endswith("y.txt"):
                os.kill(os.getpid(), signal.SIGKILL)
            rename(source, place)

        os.replace = replace
        shop.run()

    assert signal.SIGKILL == os.WTERMSIG(fork(work))
    assert {b"bx", b"ay"} == set(shop.outputs().values())
    (shop.root / "broken").touch()
    lab = shop.lab()
    [task] = lab.engine.planner().tasks()
    with pytest.raises(TaskError, match="broken"):
        lab.carry_out(task)
    assert {b"bx", b"by"} == set(shop.outputs().values())
    assert [] == shop.leftovers()
    assert [State.COMPLETE] == [v.state for v in shop.verdicts().values()]


def test_output_cannot_take_its_place(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a rename fails after the closing line, what is half replaced is not complete."""
    steps = """
@pt.step
def two(raw: Path) -> dict[str, str]:
    return {"x": raw.read_text() + "x", "y": raw.read_text() + "y"}
"""
    wired = "s = two.step(raw)\nx: str = s.output('x').to()\ny: str = s.output('y').to()"
    shop = made(workshop, steps, wired, "a")
    shop.run()
    (shop.root / "raw/a.txt").write_text("b")
    rename = os.replace

    def replace(source: Any, place: Any) -> None:
        if str(place).endswith("y.txt"):
            raise PermissionError(1, "Operation not permitted", str(place))
        rename(source, place)

    monkeypatch.setattr(os, "replace", replace)
    [(_, attempt)] = shop.run().failed
    assert str(attempt.error).startswith("what it made cannot take its place: ")
    assert str(attempt.error).endswith(
        "y.txt: Operation not permitted. Make the job's folder writable."
    )
    monkeypatch.undo()
    assert {b"bx", b"ay"} == set(shop.outputs().values())
    assert [State.FAILED] == [v.state for v in shop.verdicts().values()]
    assert 1 == shop.run(retry_failed=True).done
    assert {b"bx", b"by"} == set(shop.outputs().values()) and [] == shop.leftovers()
