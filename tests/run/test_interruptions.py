"""Ctrl-C and SIGTERM: what runs is ended and recorded, nothing is left over, and no traceback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.states import State

from .filecalls import before_each, count

SOURCE = """
from __future__ import annotations
from pathlib import Path
import time
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def patient(raw: Path) -> str:
    (HERE / "now").touch()
    while not (HERE / "free").exists():
        time.sleep(0.01)
    return raw.read_text()


@pt.step
def stubborn(raw: Path) -> str:
    (HERE / "now").touch()
    while not (HERE / "free").exists():
        try:
            time.sleep(0.01)
        except BaseException:
            (HERE / "swallowed").touch()
    return raw.read_text()


@pt.step
def polite(raw: Path) -> str:
    (HERE / "now").touch()
    try:
        while not (HERE / "free").exists():
            time.sleep(0.01)
    except KeyboardInterrupt:
        raise ValueError("it was interrupted")
    return raw.read_text()


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    text: str = STEP


class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

COMMAND = (
    "pt.shell('touch now; test -e free || (sleep 60 & echo $! > child; wait); cat {raw} > {out}')"
    ".to('text.txt')"
)


@pytest.fixture
def shop(workshop: Any) -> Any:
    """Make a project of two records with one step."""

    def made(step: str) -> Any:
        shop = workshop(SOURCE.replace("STEP", step))
        (shop.root / "raw").mkdir()
        for name in "ab":
            (shop.root / f"raw/{name}.txt").write_text(name)
        shop.lab().discover()
        return shop

    return made


def begun(shop: Any, *words: str) -> subprocess.Popen[str]:
    """Begin a run as a process of its own, and wait until its first step is at work."""
    process = subprocess.Popen(
        [sys.executable, "project.py", "run", *words],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (shop.root / "now").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    return process


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize(
    "step",
    ["patient.step(raw).to()", "polite.step(raw).to()", COMMAND],
    ids=["python", "python that turns it into an error", "command"],
)
def test_once(shop: Any, number: signal.Signals, step: str) -> None:
    """The step is ended and recorded as interrupted, no other begins; the next run goes on."""
    here = shop(step)
    process = begun(here)
    process.send_signal(number)
    text = process.communicate(timeout=60)[0]
    assert 128 + number == process.returncode, text
    assert "interrupted: Item name=a  text was given up; what had ended is kept." in text
    assert "Traceback" not in text and "name=b" not in text
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]
    assert [] == here.leftovers() and {} == here.outputs()
    if (here.root / "child").exists():
        assert not lives(int((here.root / "child").read_text()))
    (here.root / "free").touch()
    assert 2 == here.run().done
    assert {1} == set(here.completed().values())


def test_while_a_command_begins(shop: Any) -> None:
    """A Ctrl-C that comes before the runner waits for its command ends the command as well."""
    here = shop(
        "pt.shell('echo $$ > child; touch now; kill -s INT $PPID; sleep 60; cat {raw} {out}').to()"
    )
    process = begun(here)
    text = process.communicate(timeout=90)[0]
    assert 130 == process.returncode, text
    assert not lives(int((here.root / "child").read_text()))
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]


def test_twice(shop: Any) -> None:
    """A step that swallows Ctrl-C is ended by the second one; the next run clears up after it."""
    here = shop("stubborn.step(raw).to()")
    process = begun(here)
    process.send_signal(signal.SIGINT)
    while not (here.root / "swallowed").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=60)[0]
    assert 130 == process.returncode, text
    assert "stopped at once: the next run clears up what is left." in text
    assert "Traceback" not in text and [] == here.attempts()
    (here.root / "free").touch()
    assert 2 == here.run().done
    assert ["interrupted", "complete", "complete"] == [a["outcome"] for a in here.attempts()]
    assert [] == here.leftovers()


DEAF = (
    'pt.shell(\'echo $$ > child; trap "touch swallowed" TERM; touch now; '
    "while ! test -e free; do sleep 0.02; done; cp {raw} {out}').to('text.txt')"
)


def test_twice_of_a_command(shop: Any) -> None:
    """A command that is deaf to SIGTERM is killed by the second Ctrl-C, without its grace."""
    here = shop(DEAF)
    source = (here.root / "project.py").read_text()
    grace = "import pointillist.commands.trees\npointillist.commands.trees.GRACE = 3600\n"
    (here.root / "project.py").write_text(source.replace("class Item", f"{grace}class Item"))
    process = begun(here)
    process.send_signal(signal.SIGINT)
    while not (here.root / "swallowed").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=60)[0]
    assert 130 == process.returncode, text
    assert "stopped at once" in text and "Traceback" not in text
    assert not lives(int((here.root / "child").read_text()))
    (here.root / "free").touch()
    assert 2 == here.run().done and [] == here.leftovers()


def test_a_background_job(shop: Any) -> None:
    """A run that a shell has begun in the background, where it ignores Ctrl-C, goes on."""
    here = shop("patient.step(raw).to()")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = begun(here)
    finally:
        signal.signal(signal.SIGINT, before)
    process.send_signal(signal.SIGINT)
    (here.root / "free").touch()
    text = process.communicate(timeout=60)[0]
    assert 0 == process.returncode, text
    assert {1} == set(here.completed().values())


def test_swallowed_is_no_success(shop: Any) -> None:
    """A step that swallows Ctrl-C and returns in the end is recorded as interrupted."""
    here = shop("stubborn.step(raw).to()")
    process = begun(here)
    process.send_signal(signal.SIGINT)
    while not (here.root / "swallowed").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    (here.root / "free").touch()
    text = process.communicate(timeout=60)[0]
    assert 130 == process.returncode, text
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]
    assert [] == here.leftovers() and {} == here.outputs()


def test_swallowed_timeout(shop: Any) -> None:
    """A step that swallows its time-out and returns in the end has failed all the same."""
    here = shop("stubborn.step(raw).to()")
    source = (here.root / "project.py").read_text()
    source = source.replace("@pt.step\ndef stubborn", "@pt.step(timeout=0.05)\ndef stubborn")
    source = source.replace('(HERE / "swallowed").touch()', '(HERE / "free").touch()')
    again = type(here)(here.root, source)
    summary = again.run()
    assert ["stubborn took longer than its timeout of 0.05 s. Raise timeout= if it may."] == [
        attempt.error for _, attempt in summary.failed[:1]
    ]
    assert "failed" == again.attempts()[0]["outcome"]


def test_api(shop: Any, fork: Any) -> None:
    """`lab.run()` raises KeyboardInterrupt when all is recorded, and the handlers are the old."""
    here = shop("patient.step(raw).to()")

    def work() -> None:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        interrupt_when(here.root / "now", signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            here.lab().run()
        assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert 0 == fork(work)
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]
    assert [] == here.leftovers()


def test_api_twice_anywhere(shop: Any, fork: Any, tmp_path: Path) -> None:
    """Two Ctrl-C at once, at any file operation of `lab.run()`: what is recorded is published."""
    here = shop("patient.step(raw).to()")
    (here.root / "free").touch()
    new, spare = here.root, tmp_path / "spare"
    shutil.copytree(new, spare)
    for number in range(1, count(fork, new, here.run) + 1):
        shutil.rmtree(new)
        shutil.copytree(spare, new)

        def work(at: int = number) -> None:
            before_each(new, lambda n: interrupt_twice() if n == at else None)
            with pytest.raises(KeyboardInterrupt):
                here.lab().run()
            texts = new.glob("workspace/*/text.txt")
            assert len(here.completed()) == len(list(texts)), f"interrupted at {at}"

        assert 0 == fork(work)
        assert [] == here.run().failed
        assert [1, 1] == list(here.completed().values()), f"interrupted at {number}"
        assert [] == here.leftovers(), f"interrupted at {number}"


def interrupt_twice() -> None:
    """Send this process two Ctrl-C; the first is no more than noted."""
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.raise_signal(signal.SIGINT)


def test_api_terminated(shop: Any, fork: Any) -> None:
    """`lab.run()` that gets SIGTERM ends its program with 143, when all is recorded."""
    here = shop("patient.step(raw).to()")

    def work() -> None:
        interrupt_when(here.root / "now", signal.SIGTERM)
        try:
            here.lab().run()
        except SystemExit as end:
            os._exit(int(str(end.code)))

    assert 143 == os.waitstatus_to_exitcode(fork(work))
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]


def test_another_thread(shop: Any, fork: Any) -> None:
    """A run in another thread than the main one works, and leaves signals alone."""
    here = shop("patient.step(raw).to()")
    (here.root / "free").touch()

    def work() -> None:
        thread = threading.Thread(target=here.lab().run)
        thread.start()
        thread.join()

    assert 0 == fork(work)
    assert {State.COMPLETE} == {verdict.state for verdict in here.verdicts().values()}


def test_while_waiting_to_retry(shop: Any, fork: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a failed step waits for its next attempt ends the wait."""
    monkeypatch.setattr("pointillist.run.runner.RETRY", 3600.0)
    here = shop("pt.shell('false; touch {out}; exit 3').options(retries=1).to('text.txt')")

    def work() -> None:
        seen = here.root / ".pointillist/runs"

        def failed() -> bool:
            return any('"failed"' in journal.read_text() for journal in seen.glob("*.jsonl"))

        threading.Thread(target=lambda: kill_when(failed, signal.SIGINT), daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            here.lab().run()

    assert 0 == fork(work)
    assert ["failed"] == [attempt["outcome"] for attempt in here.attempts()]
    assert [] == here.leftovers()


SLOW = """
from __future__ import annotations
import time
from pathlib import Path
import pointillist as pt

HERE = Path(__file__).parent


class Slow:
    pass


class SlowFormat:
    def read(self, path):
        return self.wait("read")

    def write(self, value, path, **options):
        path.write_text("")
        self.wait("write")

    def wait(self, what):
        if what == "WHAT":
            (HERE / "now").touch()
            for _ in range(2000):
                time.sleep(0.01)
        return Slow()


pt.formats.register(SlowFormat(), type=Slow, suffix=".slow")


@pt.step
def copy(raw: Slow) -> Slow:
    return raw


class Item(pt.Record):
    name: str = pt.key()
    raw: Slow = pt.seed("raw/{name}.slow")
    copied: Slow = copy.step(raw).to("copied.slow")


class Lab(pt.Project):
    records = (Item,)
"""


@pytest.mark.parametrize("what", ["read", "write"])
def test_files_that_take_long(workshop: Any, fork: Any, what: str) -> None:
    """Ctrl-C ends also the reading of an input and the writing of an output."""
    here = workshop(SLOW.replace("WHAT", what))
    (here.root / "raw").mkdir()
    (here.root / "raw/a.slow").touch()
    here.lab().discover()

    def work() -> None:
        interrupt_when(here.root / "now", signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            here.lab().run()

    assert 0 == fork(work)
    assert ["interrupted"] == [attempt["outcome"] for attempt in here.attempts()]
    assert [] == here.leftovers() and {} == here.outputs()


WITHIN = """
from __future__ import annotations
import os, signal, time
import multiprocessing
from pathlib import Path
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def twice(raw: Path) -> str:
    rename = os.replace

    def interrupted(source, place):
        os.replace = rename
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        rename(source, place)

    os.replace = interrupted
    return raw.read_text()


def sleep():
    (HERE / "now").touch()
    time.sleep(600)


@pt.step
def forking(raw: Path) -> int:
    process = multiprocessing.get_context("fork").Process(target=sleep)
    process.start()
    while not (HERE / "now").exists():
        time.sleep(0.005)
    process.terminate()
    process.join()
    return process.exitcode


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    STEP


class Lab(pt.Project):
    records = (Item,)
"""


def test_twice_while_it_publishes(workshop: Any, fork: Any) -> None:
    """`lab.run()` publishes what is recorded and lets its claim go, however often Ctrl-C comes."""
    here = workshop(WITHIN.replace("STEP", "text: str = twice.step(raw).to()"))
    (here.root / "raw").mkdir()
    for name in "ab":
        (here.root / f"raw/{name}.txt").write_text(name)
    here.lab().discover()

    def work() -> None:
        with pytest.raises(KeyboardInterrupt):
            here.lab().run()

    assert 0 == fork(work)
    assert ["complete"] == [attempt["outcome"] for attempt in here.attempts()]
    assert 1 == len(here.outputs()) and [] == here.leftovers()


def test_processes_of_a_step(workshop: Any) -> None:
    """What a step forks has the handlers of before the run: SIGTERM ends it without a word."""
    here = workshop(WITHIN.replace("STEP", "code: int = forking.step(raw).to()"))
    (here.root / "raw").mkdir()
    (here.root / "raw/a.txt").write_text("a")
    here.lab().discover()
    assert 1 == here.run().done
    assert [f"{-signal.SIGTERM}".encode()] == [text.strip() for text in here.outputs().values()]
    assert [None] == [attempt.get("log") for attempt in here.attempts()]


NESTED = """
from __future__ import annotations
from pathlib import Path
import os, signal
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def inner(raw: Path) -> str:
    return raw.read_text()


@pt.step
def outer(raw: Path) -> str:
    rename = os.replace

    def interrupted(source, place):
        if str(place).endswith("inside.txt"):
            os.kill(os.getpid(), signal.SIGINT)
        rename(source, place)

    os.replace = interrupted
    try:
        return Lab()[Item].first().inside
    finally:
        os.replace = rename


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    outside: str = outer.step(raw).to()
    inside: str = inner.step(raw).to()


class Lab(pt.Project):
    records = (Item,)
"""


def test_a_run_within_a_step(workshop: Any, fork: Any) -> None:
    """Ctrl-C while a run within a step publishes waits for it, and then ends both."""
    shop = workshop(NESTED)
    (shop.root / "raw").mkdir()
    (shop.root / "raw/a.txt").write_text("a")
    shop.lab().discover()

    def work() -> None:
        with pytest.raises(KeyboardInterrupt):
            shop.lab().run()

    assert 0 == fork(work)
    told = [(attempt["operation"], attempt["outcome"]) for attempt in shop.attempts()]
    assert {("Item.inside", "complete"), ("Item.outside", "interrupted")} == set(told)
    assert ["inside.txt"] == [Path(place).name for place in shop.outputs()]
    assert [] == shop.leftovers()


OWN = """
import time
from pathlib import Path
import pointillist as pt


class Lab(pt.Project):
    pass


@Lab.operation
def function(job):
    Path(job.path, "now").touch()
    time.sleep(600)
    Path(job.path, "done.txt").touch()


@Lab.operation(directives={"fork": True})
def forked(job):
    function(job)


@Lab.operation(cmd=True)
def command(job):
    return f"touch {job.fn('now')}; sleep 600; touch {job.fn('done.txt')}"


@Lab.operation(cmd=True)
def daemon(job):
    return f"(setsid sh -c 'touch {job.fn('now')}; sleep 600' &) ; sleep 600"


@Lab.operation
def stubborn(job):
    Path(job.path, "now").touch()
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            Path(job.path, "swallowed").touch()


@Lab.operation
def swallower(job):
    Path(job.path, "now").touch()
    try:
        time.sleep(600)
    except BaseException:
        pass


if __name__ == "__main__":
    Lab().main()
"""


class Own:
    """A run of one hand-written operation on two jobs, begun as a process of its own."""

    def __init__(self, workshop: Any, name: str, np: int) -> None:
        self.shop = workshop(OWN)
        for i in range(2):
            self.shop.lab().open_job({"i": i}).init()
        self.np = np
        self.process = subprocess.Popen(
            [sys.executable, "project.py", "run", "-o", name, "-p", str(np)],
            cwd=self.shop.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OF_TEST": str(self.shop.root)},
        )
        self.await_files("now")

    def await_files(self, name: str) -> None:
        """Wait until the operations at work have made a file each."""
        while len(list(self.shop.root.glob(f"workspace/*/{name}"))) < self.np:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.005)

    def end(self) -> str:
        """Return what it printed, when it has ended; nothing that it has started lives on."""
        text = self.process.communicate(timeout=60)[0]
        assert [] == self.living()
        return text

    def living(self) -> list[str]:
        """Return the commands of all living processes that were started by it."""
        found = []
        mark = f"OF_TEST={self.shop.root}\0".encode()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (place / "environ").read_bytes() and lives(int(place.name)):
                    found.append((place / "cmdline").read_text())
            except OSError:
                pass
        return found


@pytest.mark.parametrize("np", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
@pytest.mark.parametrize("name", ["function", "forked", "command", "daemon", "swallower"])
def test_own_operations(workshop: Any, name: str, number: signal.Signals, np: int) -> None:
    """A hand-written operation ends with all that it started, as 130 or 143; it is recorded."""
    own = Own(workshop, name, np)
    assert [] != own.living()
    own.process.send_signal(number)
    text = own.end()
    assert 128 + number == own.process.returncode, text
    assert (0, 1) == (text.count("Traceback"), text.count("goes on from here")), text
    assert [] == list(own.shop.root.glob("workspace/*/done.txt"))
    assert ["interrupted"] * np == [attempt["outcome"] for attempt in own.shop.attempts()]
    assert [] == own.shop.leftovers()


@pytest.mark.parametrize("np", [1, 2])
def test_own_operations_twice(workshop: Any, np: int) -> None:
    """A hand-written operation that swallows Ctrl-C is ended by the second one."""
    own = Own(workshop, "stubborn", np)
    own.process.send_signal(signal.SIGINT)
    own.await_files("swallowed")
    own.process.send_signal(signal.SIGINT)
    text = own.end()
    assert 130 == own.process.returncode, text
    assert "stopped at once: the next run clears up what is left." in text
    assert "Traceback" not in text


def test_exec_of_an_own_operation(workshop: Any) -> None:
    """`exec` of a command ends with what the command started."""
    own = Own(workshop, "command", 1)
    own.process.send_signal(signal.SIGTERM)
    own.end()
    [job] = [place.parent for place in own.shop.root.glob("workspace/*/now")]
    (job / "now").unlink()
    process = subprocess.Popen(
        [sys.executable, "project.py", "exec", "command", job.name],
        cwd=own.shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OF_TEST": str(own.shop.root)},
    )
    own.process = process
    own.await_files("now")
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in own.end()
    assert 143 == process.returncode


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_own_operations_by_api(workshop: Any, fork: Any, number: signal.Signals) -> None:
    """`lab.run()` of a hand-written operation raises when it is recorded; handlers are the old."""
    shop = workshop(OWN)
    shop.lab().open_job({"i": 0}).init()
    kind = KeyboardInterrupt if number == signal.SIGINT else SystemExit

    def work() -> None:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        now = shop.lab().open_job({"i": 0}).fn("now")
        interrupt_when(Path(now), number)
        with pytest.raises(kind):
            shop.lab().run(names=["function"])
        assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert 0 == fork(work)
    assert ["interrupted"] == [attempt["outcome"] for attempt in shop.attempts()]


def interrupt_when(file: Path, number: int) -> None:
    """Send this process a signal as soon as a file is there."""
    threading.Thread(target=lambda: kill_when(file.exists, number), daemon=True).start()


def kill_when(ready: Any, number: int) -> None:
    """Send this process a signal as soon as something holds."""
    while not ready():
        time.sleep(0.005)
    os.kill(os.getpid(), number)
