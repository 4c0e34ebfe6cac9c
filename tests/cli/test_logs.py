"""`logs`: what attempts printed, as it lies there and as it comes."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

PROJECT = '''
from __future__ import annotations

from pathlib import Path

import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def talks(raw: Path) -> str:
    print(f"talking about {raw.name}: [red]Grüße")
    if "bad" in raw.read_text():
        raise ValueError("it is bad")
    return "done"


@pt.step
def hushs(raw: Path) -> str:
    if "bad" in raw.read_text():
        raise SystemExit(7)
    return "done"


@pt.step(retries=1)
def waits(raw: Path) -> str:
    print("first", flush=True)
    (HERE / "begun").write_text("begun")
    said = (HERE / "gate").read_text()
    print(said, end="")
    if "fail" in said:
        raise ValueError("as told")
    return said


class Sample(pt.Record):
    """A file."""

    name: str = pt.key()

    raw: Path = pt.seed("raw/{name}.txt")

    talk: str = talks.step(raw).to()
    hush: str = hushs.step(raw).to()
    say: str = pt.matlab("say", raw, pt.out).to()
    bytes: str = pt.shell(r"printf '\\377\\n'; cp {raw} {out}").to()
    wait: str = waits.step(raw).to()


class Lab(pt.Project):
    """The lab."""

    records = (Sample,)


if __name__ == "__main__":
    Lab().main()
'''

SAY = """
function say(source, target)
    printf("Octave reads\\n");
    text = fileread(source);
    if (strfind(text, "bad"))
        error("say: it is bad");
    end
    copyfile(source, target);
end
"""

STEPS = ("talk", "hush", "say", "bytes")
ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}
Verb = Callable[..., tuple[str, str]]
Ids = dict[str, str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, verb: Verb) -> Path:
    """Give a project in which `good` ran once, `bad` twice, and `new` never."""
    root = tmp_path_factory.mktemp("logs")
    (root / "project.py").write_text(PROJECT)
    (root / "matlab").mkdir()
    (root / "matlab/say.m").write_text(SAY)
    (root / "raw").mkdir()
    for name in ("good", "bad"):
        (root / f"raw/{name}.txt").write_text(f"{name}\n")
    verb("discover", cwd=root)
    verb("run", "-o", *STEPS, cwd=root, code=1)
    verb("run", "-o", *STEPS, "--retry-failed", cwd=root, code=1)
    (root / "raw/new.txt").write_text("new\n")
    verb("discover", cwd=root)
    return root


def ids(root: Path) -> Ids:
    """Give the job ids by the samples' names."""
    return {
        json.loads(file.read_text())["name"]: file.parent.name
        for file in root.glob("workspace/*/signac_statepoint.json")
    }


def log(root: Path, name: str, step: str, attempt: int) -> Path:
    """Give the place of a log."""
    return root / f"workspace/{ids(root)[name]}/.pointillist/logs/{step}.{attempt}.log"


def test_the_last_log(ran: Path, verb: Verb) -> None:
    """Standard output has the log and nothing else, standard error which attempt it is."""
    printed, errors = verb("logs", "talk", "-j", ids(ran)["good"], cwd=ran)
    assert "talking about good.txt: [red]Grüße\n" == printed
    assert f"Sample name=good  talk: attempt 1, complete\n{log(ran, 'good', 'talk', 1)}\n" == errors


def logs(root: Path, *arguments: str) -> tuple[bytes, list[str]]:
    """Give a log, with whatever is in it, and the lines on standard error."""
    done = subprocess.run(
        [sys.executable, "project.py", "logs", *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    )
    return done.stdout, done.stderr.decode().splitlines()


def test_a_failed_attempt(ran: Path) -> None:
    """The last of two attempts is told with its error; the name may be the operation's."""
    printed, errors = logs(ran, "Sample.talk", "-j", ids(ran)["bad"][:16])
    lines = printed.decode().splitlines()
    assert ["talking about bad.txt: [red]Grüße", "Traceback (most recent call last):"] == lines[:2]
    assert "ValueError: it is bad" == lines[-1]
    assert [
        "Sample name=bad  talk: attempt 2, failed: talks raised ValueError: it is bad",
        str(log(ran, "bad", "talk", 2)),
    ] == errors


def test_an_earlier_attempt(ran: Path) -> None:
    """With ``--attempt`` it is that one."""
    _, errors = logs(ran, "talk", "-j", ids(ran)["bad"], "--attempt", "1")
    assert str(log(ran, "bad", "talk", 1)) == errors[1]


def test_octave(ran: Path, verb: Verb) -> None:
    """What a MATLAB step printed is there, and how it failed."""
    printed, errors = verb("logs", "say", "-j", ids(ran)["bad"], cwd=ran)
    assert "Octave reads" == printed.splitlines()[0]
    assert "error: say: it is bad" in printed
    assert "attempt 2, failed: say failed (exit 1): say: it is bad" in errors
    printed, _ = verb("logs", "say", "-j", ids(ran)["good"], cwd=ran)
    assert "Octave reads\n" == printed


def test_bytes_that_are_no_text(ran: Path) -> None:
    """A log is printed as it is, whatever bytes are in it."""
    assert b"\xff\n" == logs(ran, "bytes", "-j", ids(ran)["good"])[0]


def test_nothing_printed(ran: Path, verb: Verb) -> None:
    """Where nothing was printed that is said, with how the attempt ended."""
    printed, errors = verb("logs", "hush", "-j", ids(ran)["good"], cwd=ran)
    assert "" == printed
    assert "Sample name=good  hush: attempt 1, complete\nnothing was printed\n" == errors


def test_several_steps(ran: Path, verb: Verb) -> None:
    """Without a step it is said which have logs; where it is one only, that is the one."""
    id = ids(ran)["bad"]
    _, errors = verb("logs", "-j", id, cwd=ran, code=1)
    assert (
        f"Error: Sample name=bad: several steps have logs. Name one, `logs STEP -j {id[:8]}`:\n"
        "  Sample.bytes: attempts 1\n  Sample.hush: attempts 1, 2\n"
        "  Sample.say: attempts 1, 2\n  Sample.talk: attempts 1, 2\n"
    ) == errors


def test_the_only_step_with_a_log(ran: Path, verb: Verb, tmp_path: Path) -> None:
    """Without a step the only log is printed; one that is lost is said to be gone."""
    root = Path(shutil.copytree(ran, tmp_path / "lab"))
    for step in ("say", "bytes"):
        log(root, "good", step, 1).unlink()
    printed, _ = verb("logs", "-j", ids(root)["good"], cwd=root)
    assert "talking about good.txt: [red]Grüße\n" == printed
    printed, errors = verb("logs", "say", "-j", ids(root)["good"], cwd=root)
    assert ("", f"its log is gone: {log(root, 'good', 'say', 1)}") == (
        *(printed, errors.splitlines()[1]),
    )


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("bad", ["talk", "--attempt", "3"], "bad  talk has no attempt 3: there are 1, 2."),
        ("good", ["talk", "--attempt", "9"], "good  talk has no attempt 9: there is 1 only."),
        ("new", ["talk"], "new  talk was never carried out; it is ready: output talk.txt is mis"),
        ("new", [], "new: there is no log, nothing was printed:\n  talk is ready: output talk.txt"),
        ("good", ["nonsense"], "no operation is called nonsense. There are: Sample.talk, Sam"),
        ("good", ["h.*|t.*"], "h.*|t.* means several steps: Sample.talk, Sample.hush. Name one."),
    ],
)
def test_errors(ran: Path, verb: Verb, name: str, arguments: list[str], message: str) -> None:
    """What is not there is said in one line, with what there is."""
    printed, errors = verb("logs", *arguments, "-j", ids(ran)[name], cwd=ran, code=1)
    assert "" == printed
    assert errors.startswith("Error: ") and message in errors


def test_nothing_is_written(ran: Path, verb: Verb) -> None:
    """Looking at logs changes no file: it works where nothing can be written."""

    def look() -> dict[Path, int]:
        files = (p for p in ran.rglob("*") if "__pycache__" not in p.parts)
        return {path: path.lstat().st_mtime_ns for path in files}

    before = look()
    verb("logs", "talk", "-j", ids(ran)["good"], cwd=ran)
    verb("logs", "talk", "-j", ids(ran)["good"], "--follow", cwd=ran)
    assert before == look()


def test_follow_what_is_not_running(ran: Path, verb: Verb) -> None:
    """Where nothing runs, the last log is printed, and that is said."""
    printed, errors = verb("logs", "talk", "-j", ids(ran)["good"], "--follow", cwd=ran)
    assert "talking about good.txt: [red]Grüße\n" == printed
    assert "Sample name=good  talk is not running; what it printed last:" == errors.splitlines()[0]


class Followed:
    """A run whose step has printed ``first`` and waits, and a `logs --follow` beside it."""

    def __init__(self, root: Path, id: str) -> None:
        self.root = root
        for name in ("gate", "begun"):
            os.mkfifo(root / name)
        begun = os.open(root / "begun", os.O_RDONLY | os.O_NONBLOCK)
        self.run = self._started("run", "-o", "wait", "-j", id)
        self.await_begin(begun)
        os.close(begun)
        # reads, so that what a retry says of its beginning blocks nobody
        self.begun = os.open(root / "begun", os.O_RDWR)
        self.logs = self._started("logs", "wait", "-j", id, "--follow")

    def _started(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "project.py", *arguments],
            cwd=self.root,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def printed(self) -> IO[str]:
        """What `logs` prints."""
        assert self.logs.stdout is not None
        return self.logs.stdout

    def await_begin(self, begun: int) -> None:
        """Wait until the step is at work, or a minute if it never is."""
        ready, _, _ = select.select([begun], [], [], 60)
        assert [begun] == ready, "the step did not begin"

    def say(self, text: str) -> None:
        """Let the step go on."""
        (self.root / "gate").write_text(text)

    def end(self) -> tuple[int, str, str]:
        """Wait until `logs` ends; return its exit code and the rest of what it said."""
        rest, errors = self.logs.communicate(timeout=60)
        return self.logs.returncode, rest, errors

    def stop(self) -> None:
        """End what still runs."""
        for process in (self.logs, self.run):
            process.kill()
            process.communicate()
        os.close(self.begun)


@pytest.fixture
def followed(ran: Path, tmp_path: Path) -> Followed:
    """Give a run that is followed, in a copy of the project."""
    root = Path(shutil.copytree(ran, tmp_path / "lab"))
    return Followed(root, ids(root)["new"])


def test_follow(followed: Followed) -> None:
    """A log is printed as it grows, over a retry, until the step is done."""
    try:
        assert "first\n" == followed.printed.readline()
        followed.say("fail\n")
        assert "fail\n" == followed.printed.readline()
        while "first\n" != (line := followed.printed.readline()):
            assert line, "the retry was not followed"
        followed.say("well\n")
        code, rest, errors = followed.end()
        assert (0, "well\n") == (code, rest)
        assert [
            f"Sample name=new  wait: attempt 1, running; {log(followed.root, 'new', 'wait', 1)}",
            "attempt 1, failed: waits raised ValueError: as told",
            "attempt 2, complete",
        ] == errors.splitlines()
    finally:
        followed.stop()


def test_follow_until_its_runner_dies(followed: Followed) -> None:
    """When the runner is killed, following ends, and says that nothing is recorded."""
    try:
        assert "first\n" == followed.printed.readline()
        os.killpg(followed.run.pid, signal.SIGKILL)
        followed.run.wait()
        code, rest, errors = followed.end()
        assert (0, "") == (code, rest)
        assert (
            "Sample name=new  wait is no longer running; nothing is recorded of attempt 1"
            == errors.splitlines()[-1]
        )
    finally:
        followed.stop()


def test_ctrl_c_ends_following(followed: Followed) -> None:
    """Ctrl-C ends following without a word; what was followed goes on."""
    try:
        assert "first\n" == followed.printed.readline()
        followed.logs.send_signal(signal.SIGINT)
        code, rest, errors = followed.end()
        assert (0, "") == (code, rest)
        assert 1 == len(errors.splitlines()), errors
        followed.say("well\n")
        assert 0 == followed.run.wait(timeout=60)
    finally:
        followed.stop()
