"""Several processes: workers do what a serial run does, at the same time, and may die of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State
from pointillist.run.runner import Listener

BASIS = """
from __future__ import annotations
from pathlib import Path
import faulthandler
import os
import signal
import time
import pointillist as pt

HERE = Path(__file__).parent


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("nobody came")
        time.sleep(0.005)

"""

END = """

class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

CHAIN = (
    BASIS
    + """
@pt.step
def more(number: int) -> int:
    return number + 1


@pt.step
def total(numbers: list[int], files: list[Path]) -> str:
    print("adding", len(numbers))
    return f"{sum(numbers)} " + " ".join(f.read_text().strip() for f in files)


class Item(pt.Record):
    i: int = pt.key()

    @property
    def half(self) -> int:
        return self.i % 2

    a: int = more.step(i).to()
    b: int = more.step(a).to()
    c: Path = pt.shell("cat {a} {b} > {out}").to("c.txt")
    d: int = more.step(b).to()


class Half(pt.Aggregate[Item]):
    half: int = pt.key()
    text: str = total.step(pt.each(Item.b), pt.each(Item.c)).to()


class All(pt.Aggregate[Half]):
    text: str = pt.shell("cat {files} > {out}", files=pt.each(Half.text)).to()


class Lab(pt.Project):
    records = (Item, Half, All)


if __name__ == "__main__":
    Lab().main()
"""
)


def made(workshop: Any, source: str, count: int, name: str = "lab") -> Any:
    """Make a project with some records."""
    shop = workshop(source, name)
    shop.lab().add_product(shop.module.Item, i=range(count))
    return shop


def executors(shop: Any) -> dict[str, str]:
    """Give the executor of each runner that has attempted something."""
    found = {}
    for journal in shop.root.glob(".pointillist/runs/*.jsonl"):
        opening, *lines = map(json.loads, journal.read_text().splitlines())
        if any(line["kind"] == "attempt" for line in lines):
            found[opening["runner"]] = opening["executor"]
    return found


def states(shop: Any) -> list[State]:
    """Give the state of each task."""
    return [verdict.state for verdict in shop.verdicts().values()]


class Heard(Listener):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def planned(self, count: int) -> None:
        self.told.append(("planned", str(count)))

    def started(self, task: Any, verdict: Any) -> None:
        self.told.append(("started", str(task)))

    def ended(self, task: Any, attempt: Any) -> None:
        self.told.append(("ended", str(task)))

    def again(self, task: Any, attempt: Any, seconds: float) -> None:
        self.told.append(("again", str(task)))


def test_as_serial(workshop: Any) -> None:
    """A pool's results are those of a serial run, byte for byte; each task is done once."""
    alone, pool = (made(workshop, CHAIN, 40, name) for name in ("alone", "pool"))
    alone.run()
    heard = Heard()
    summary = pool.run(np=2, listener=heard)
    assert 40 * 4 + 3 == summary.done
    assert alone.outputs() == pool.outputs()
    assert alone.completed() == pool.completed()
    assert {1} == set(pool.completed().values())
    assert {State.COMPLETE} == set(states(pool))
    assert [] == pool.leftovers()
    assert {"processes"} == set(executors(pool).values())
    assert 2 == len(executors(pool))
    assert ("planned", "163") == heard.told[0]
    for what in ("started", "ended"):
        assert 163 == len({task for told, task in heard.told if told == what})


def test_nothing_is_left(workshop: Any) -> None:
    """A second run in several processes finds nothing to do, and forks none."""
    shop = made(workshop, CHAIN, 3)
    shop.run(np=2)
    before = sorted(shop.root.glob(".pointillist/runs/*"))
    assert 0 == shop.run(np=2).done
    assert before == sorted(shop.root.glob(".pointillist/runs/*"))


def test_only_what_changed(workshop: Any) -> None:
    """An output that was removed is made again; what then is as before is not."""
    shop = made(workshop, CHAIN, 6)
    shop.run(np=2)
    before = shop.outputs()
    for job in shop.jobs():
        (job / "a.txt").unlink(missing_ok=True)
    assert 6 == shop.run(np=2).done
    assert before == shop.outputs()
    assert {State.COMPLETE} == set(states(shop))


def test_at_once(workshop: Any) -> None:
    """Two tasks are carried out at the same time: each waits for the other one."""
    source = """
@pt.step
def meet(i: int) -> int:
    (HERE / f"here{i}").touch()
    until((HERE / f"here{1 - i}").exists)
    return i


class Item(pt.Record):
    i: int = pt.key()
    met: int = meet.step(i).to()
"""
    shop = made(workshop, BASIS + source + END, 2)
    assert 2 == shop.run(np=2).done


WIDE = """
def shared(kind, i):
    mine = HERE / f"at-{kind}-{i}"
    mine.touch()
    for _ in range(20):
        there = sorted(p.name for p in HERE.glob("at-*"))
        if len(there) > 1 and any(name.startswith("at-wide") for name in there):
            mine.unlink()
            raise ValueError(" ".join(there))
        time.sleep(0.001)
    mine.unlink()
    return i


@pt.step
def narrow(i: int) -> int:
    return shared("narrow", i)


@pt.step(np=NP)
def wide(n: int) -> int:
    return shared("wide", n)


class Item(pt.Record):
    i: int = pt.key()
    n: int = narrow.step(i).to()
    w: int = wide.step(n).to()
    v: int = wide.step(i).to()
"""


@pytest.mark.parametrize("np", [2, 5])
def test_wide(workshop: Any, np: int) -> None:
    """A step that takes all processes, or more than there are, is carried out alone."""
    shop = made(workshop, BASIS + WIDE.replace("NP", str(np)) + END, 6)
    summary = shop.run(np=2)
    assert [] == [attempt.error for _, attempt in summary.failed]
    assert 18 == summary.done


DEATHS = """
@pt.step
def risky(i: int) -> int:
    print("at", i)
    if i in (30, 45) and not (HERE / "mended").exists():
        faulthandler.disable()
        DIE
    return i


@pt.step
def after(number: int) -> int:
    return number


class Item(pt.Record):
    i: int = pt.key()
    first: int = after.step(i).to()
    second: int = risky.step(first).to()
    third: int = after.step(second).to()
"""


@pytest.mark.parametrize(
    "die, said, code",
    [
        ("os._exit(3)", "ended with exit code 3", 3),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV", -signal.SIGSEGV),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL", -signal.SIGKILL),
    ],
    ids=["exit", "segfault", "killed"],
)
def test_death(workshop: Any, die: str, said: str, code: int) -> None:
    """A worker that dies has failed the task that it was at, and no other; the run goes on."""
    shop = made(workshop, BASIS + DEATHS.replace("DIE", die) + END, 60)
    heard = Heard()
    summary = shop.run(np=2, listener=heard)
    assert ["Item i=30  second", "Item i=45  second"] == sorted(str(t) for t, _ in summary.failed)
    for _, attempt in summary.failed:
        assert said in str(attempt.error)
        assert code == attempt.code
        assert "at " in (shop.root / str(attempt.log)).read_text()
    assert ["Item i=30  third", "Item i=45  third"] == sorted(str(t) for t, _ in summary.waiting)
    assert 180 - 4 == summary.done
    assert {1} == set(shop.completed().values())
    outcomes = [attempt["outcome"] for attempt in shop.attempts()]
    assert 180 - 4 == outcomes.count("complete")
    assert 2 == outcomes.count("failed") == len(outcomes) - outcomes.count("complete")
    assert [] == shop.leftovers()
    for what in ("started", "ended"):
        tasks = [task for told, task in heard.told if told == what]
        assert 178 == len(tasks) == len(set(tasks))
    assert 2 == len(shop.run(np=2).still_failed), "it is a failure as any other"
    (shop.root / "mended").touch()
    assert 4 == shop.run(np=2, retry_failed=True).done
    assert {State.COMPLETE} == set(states(shop))


def test_death_with_retries(workshop: Any) -> None:
    """A step with retries is tried again when its worker has died."""
    source = """
@pt.step(retries=1)
def risky(i: int) -> int:
    if i == 3 and not (HERE / "tried").exists():
        (HERE / "tried").touch()
        os._exit(1)
    return i


class Item(pt.Record):
    i: int = pt.key()
    made: int = risky.step(i).to()
"""
    shop = made(workshop, BASIS + source + END, 6)
    heard = Heard()
    summary = shop.run(np=2, listener=heard)
    assert (6, []) == (summary.done, summary.failed)
    assert [("again", "Item i=3  made")] == [told for told in heard.told if told[0] == "again"]
    assert [1, 2] == sorted(a["number"] for a in shop.attempts() if a["job"] == job_of(shop, 3))


def job_of(shop: Any, i: int) -> str:
    """Give the id of a record's job."""
    id: str = shop.lab()[shop.module.Item].get(i=i).id
    return id


def test_death_between_tasks(workshop: Any) -> None:
    """A worker that is killed when it is at no task has failed none: all is done."""
    source = """
@pt.step
def quick(i: int) -> int:
    with (HERE / "workers").open("a") as file:
        file.write(f"{os.getpid()}\\n")
    return i


@pt.step
def killer(numbers: list[int]) -> int:
    for pid in set((HERE / "workers").read_text().split()) - {str(os.getpid())}:
        os.kill(int(pid), signal.SIGKILL)
    return len(numbers)


class Item(pt.Record):
    i: int = pt.key()
    one: int = quick.step(i).to()


class Both(pt.Aggregate[Item]):
    count: int = killer.step(pt.each(Item.one)).to()
    again: int = quick.step(count).to()


class Lab(pt.Project):
    records = (Item, Both)
"""
    shop = made(workshop, BASIS + source, 8)
    summary = shop.run(np=2)
    assert (10, []) == (summary.done, summary.failed)
    assert {1} == set(shop.completed().values())
    assert [] == shop.leftovers()


def test_workers_that_cannot_begin(workshop: Any) -> None:
    """Workers that die before they begin a task end the run with an error that says so."""
    shop = made(workshop, CHAIN, 3)
    lab = shop.lab()
    lab.engine.journal.open = lambda: os._exit(7)
    from pointillist.cli.run import run_steps
    from pointillist.errors import PointillistError

    with pytest.raises(PointillistError, match="exit code 7"):
        run_steps(lab, lab.engine.planner(), None, None, np=2)


def test_stuck(workshop: Any) -> None:
    """What was handed out with a task that takes long is done by who has nothing to do."""
    source = """
@pt.step
def quick(i: int) -> int:
    if i == 50:
        until(lambda: len(list(HERE.glob("workspace/*/made.txt"))) == 299)
    return i


class Item(pt.Record):
    i: int = pt.key()
    made: int = quick.step(i).to()
"""
    shop = made(workshop, BASIS + source + END, 300)
    summary = shop.run(np=2)
    assert (300, []) == (summary.done, [a.error for _, a in summary.failed])
    assert {1} == set(shop.completed().values())


OPTIONS = """
@pt.step(timeout=TIMEOUT, retries=RETRIES)
def some(i: int) -> int:
    with (HERE / "tried").open("a") as file:
        file.write(f"{i}\\n")
    if i % 5 == 3 and not (HERE / "mended").exists():
        BAD
    return i


@pt.step
def other(some: int) -> int:
    return some


class Item(pt.Record):
    i: int = pt.key()
    some: int = some.step(i).to()
    other: int = other.step(some).to()
"""


def options(workshop: Any, count: int, bad: str, **said: Any) -> Any:
    """Make a project, each fifth record of which is bad."""
    text = OPTIONS.replace("TIMEOUT", str(said.get("timeout")))
    text = text.replace("RETRIES", str(said.get("retries", 0))).replace("BAD", bad)
    return made(workshop, BASIS + text + END, count)


def test_timeout(workshop: Any) -> None:
    """A step that takes longer than its timeout has failed; the others are done."""
    shop = options(workshop, 8, "time.sleep(60)", timeout=0.1)
    summary = shop.run(np=2)
    assert ["Item i=3  some"] == [str(task) for task, _ in summary.failed]
    assert "0.1 s" in str(summary.failed[0][1].error)
    assert 14 == summary.done


def test_failures(workshop: Any) -> None:
    """A failure has its error, its log and its attempt, as in a serial run; then it is retried."""
    shop = options(workshop, 20, "raise ValueError(f'bad {i}')")
    summary = shop.run(np=2)
    failed = sorted(str(attempt.error) for _, attempt in summary.failed)
    assert [f"some raised ValueError: bad {i}" for i in (13, 18, 3, 8)] == failed
    assert 32 == summary.done
    assert 4 == len(summary.waiting)
    again = shop.run(np=2)
    assert (0, 4) == (again.done, len(again.still_failed))
    (shop.root / "mended").touch()
    assert 8 == shop.run(np=2, retry_failed=True).done


def test_fail_fast(workshop: Any) -> None:
    """With fail_fast no task is begun after the first failure is known."""
    shop = options(workshop, 400, "raise ValueError(f'bad {i}')")
    summary = shop.run(np=2, fail_fast=True)
    assert summary.limited
    assert 1 <= len(summary.failed) <= 2, "one, or one of each worker"
    assert summary.done < 200
    assert {1} == set(shop.completed().values())
    assert [] == shop.leftovers()


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_limit(workshop: Any, limit: int) -> None:
    """No more tasks are carried out than the limit says, and no fewer."""
    shop = made(workshop, CHAIN, 10)
    summary = shop.run(np=2, limit=limit)
    assert min(limit, 43) == summary.done == len(shop.completed())
    assert (limit < 43) == summary.limited


def test_retries(workshop: Any) -> None:
    """A failed attempt is tried again as often as its step says, and then told once."""
    shop = options(workshop, 4, "raise ValueError(f'bad {i}')", retries=1)
    heard = Heard()
    summary = shop.run(np=2, listener=heard)
    assert ["Item i=3  some"] == [str(task) for task, _ in summary.failed]
    assert 2 == (shop.root / "tried").read_text().split().count("3")
    assert [("again", "Item i=3  some")] == [told for told in heard.told if told[0] == "again"]


def test_hooks(workshop: Any) -> None:
    """The project's hooks are called around each task, in the worker that has it."""
    source = """
def noted(what):
    def note(name, *told):
        with (HERE / "hooks").open("a") as file:
            file.write(f"{what} {name} {told[-1].sp.i} {os.getpid()}\\n")
    return note


class Lab(pt.Project):
    records = (Item,)

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.project_hooks.on_start.append(noted("start"))
        self.project_hooks.on_success.append(noted("success"))
        self.project_hooks.on_exception.append(noted("exception"))
"""
    text = OPTIONS.replace("TIMEOUT", "None").replace("RETRIES", "0")
    shop = made(workshop, BASIS + text.replace("BAD", "raise ValueError") + source, 5)
    shop.run(np=2)
    lines = [line.rsplit(" ", 1) for line in (shop.root / "hooks").read_text().splitlines()]
    starts = [f"start Item.{step} {i}" for step in ("some", "other") for i in range(5)]
    ends = [line.replace("start", "success") for line in starts if not line.endswith("3")]
    bad = ["start Item.other 3"]
    expected = [*(s for s in starts if s not in bad), *ends, "exception Item.some 3"]
    assert sorted(expected) == sorted(line for line, _ in lines)
    assert str(os.getpid()) not in {pid for _, pid in lines}


def test_another_runner(workshop: Any, fork_off: Any) -> None:
    """Two pools at the same time share the tasks; none is done twice, and none is left."""
    shop = made(workshop, CHAIN, 30)
    pid = fork_off(lambda: shop.run(np=2))
    shop.run(np=2)
    assert 0 == os.waitpid(pid, 0)[1]
    assert {State.COMPLETE} == set(states(shop))
    assert {1} == set(shop.completed().values())
    assert [] == shop.leftovers()


SLOW = """
class Item(pt.Record):
    i: int = pt.key()
    made: Path = STEP
"""

PATIENT = """
@pt.step
def patient(i: int) -> str:
    (HERE / f"now{i}").touch()
    until((HERE / "free").exists)
    return str(i)


class Item(pt.Record):
    i: int = pt.key()
    made: str = patient.step(i).to()
"""

COMMAND = """
class Item(pt.Record):
    i: int = pt.key()
    first: Path = pt.shell("echo {i} > {out}").to("first.txt")
    made: Path = pt.shell(
        "test -e free || (touch now{i}; sleep 60); cat {first} > {out}"
    ).to("made.txt")
"""

DEAF = COMMAND.replace("test -e", "trap '' TERM INT; test -e").replace(
    "sleep 60", "sleep 60; sleep 60; sleep 60"
)


def begun(shop: Any, *words: str) -> subprocess.Popen[str]:
    """Begin a run in two processes as a process of its own; wait until both are at work."""
    process = subprocess.Popen(
        [sys.executable, "project.py", "run", "-p", "2", *words],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while len(list(shop.root.glob("now*"))) < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    return process


def left(shop: Any) -> list[str]:
    """Wait until nothing works in the project's folder any more; give what does even so."""
    end = time.monotonic() + 20
    while True:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").readlink() == shop.root:
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.01)


@pytest.mark.parametrize("source", [PATIENT, COMMAND], ids=["python", "command"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupt(workshop: Any, source: str, number: int) -> None:
    """A signal ends what is at work, which is recorded as interrupted, and begins nothing more."""
    shop = made(workshop, BASIS + source + END, 5)
    process = begun(shop)
    process.send_signal(number)
    text = process.communicate(timeout=30)[0]
    assert 128 + number == process.returncode, text
    assert "Traceback" not in text
    assert "were given up" in text
    assert 2 == [attempt["outcome"] for attempt in shop.attempts()].count("interrupted")
    assert [] == shop.leftovers()
    assert [] == left(shop)
    (shop.root / "free").touch()
    shop.run(np=2)
    assert {State.COMPLETE} == set(states(shop))


def test_interrupt_of_all(workshop: Any) -> None:
    """From a terminal a signal comes to all processes: that is the same."""
    shop = made(workshop, BASIS + PATIENT + END, 5)
    process = begun(shop)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in [process.pid, *map(int, children)]:
        os.kill(pid, signal.SIGINT)
    text = process.communicate(timeout=30)[0]
    assert 130 == process.returncode, text
    assert 2 == [attempt["outcome"] for attempt in shop.attempts()].count("interrupted")
    assert [] == shop.leftovers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupt_of_a_worker(workshop: Any, number: int) -> None:
    """A signal that comes to a worker alone stops the run, as it does where there is but one."""
    shop = made(workshop, BASIS + PATIENT + END, 5)
    process = begun(shop)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), number)
    text = process.communicate(timeout=30)[0]
    assert 128 + number == process.returncode, text
    assert "were given up" in text
    assert 2 == [attempt["outcome"] for attempt in shop.attempts()].count("interrupted")
    assert [] == shop.leftovers()


def test_second_interrupt(workshop: Any) -> None:
    """A second signal ends all at once, also commands that are deaf to signals."""
    shop = made(workshop, BASIS + DEAF + END, 5)
    process = begun(shop)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two at the same instant are one for the system
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=30)[0]
    assert 130 == process.returncode, text
    assert [] == left(shop)
    (shop.root / "free").touch()
    shop.run(np=2)
    assert {State.COMPLETE} == set(states(shop))
    assert [] == shop.leftovers()


@pytest.mark.parametrize("source", [PATIENT, COMMAND], ids=["python", "command"])
def test_killed_run(workshop: Any, source: str) -> None:
    """With a run that is killed its workers end, and so do their commands."""
    shop = made(workshop, BASIS + source + END, 5)
    process = begun(shop)
    process.kill()
    process.communicate(timeout=30)
    assert [] == left(shop)
    (shop.root / "free").touch()
    shop.run(np=2)
    assert {State.COMPLETE} == set(states(shop))
    assert [] == shop.leftovers()


def test_command_line(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``run -p 2 -o NAME -j ID`` does the chosen step of the chosen job."""
    shop = made(workshop, CHAIN, 4)
    id = job_of(shop, 2)
    monkeypatch.setattr(sys, "argv", ["project.py", "run", "-p", "2", "-o", "a", "-j", id])
    with pytest.raises(SystemExit) as end:
        shop.lab().main()
    assert not end.value.code
    assert [("Item.a", id)] == list(shop.completed())
    assert {"processes"} == set(executors(shop).values())


def test_from_python(workshop: Any) -> None:
    """``lab.run(np=2)`` carries steps out in two processes."""
    shop = made(workshop, CHAIN, 4)
    assert 19 == shop.lab().run(np=2).done
    assert {"processes"} == set(executors(shop).values())
