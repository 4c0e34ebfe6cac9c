"""Calls in a session end as calls in programs of their own do, and leave nothing behind."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from pointillist.commands import session, watch
from pointillist.commands.matlab import MatlabCall, Program, find_program, prepare, result
from pointillist.commands.process import run
from pointillist.commands.sessions import Sessions
from pointillist.errors import TimedOut

STAND_IN = Path(__file__).parent / "stand_in" / "matlab"

FUNCTIONS = {
    "prints": (
        "function prints(x)\n disp(x); fprintf(2, 'to standard error\\n'); printf('no newline');\n"
        " system('echo from a program'); x\n warning('lab:odd', 'odd'); disp(pi); A = [1.5 2]\n"
        ' fputs(stdout, "bytes \\xe9 \\x00\\n"); end'
    ),
    "fails": "function fails(x)\n disp('before');\n deeper(x);\nend\n"
    "function deeper(x)\n error('lab:bad', 'no good: %s\\n%d', x, 5);\nend",
    "recurses": "function recurses(n)\n recurses(n + 1);\nend",
    "outOfBounds": "function outOfBounds()\n x = 1:3; x(7)\nend",
    "broken": "function broken(\n x = 1;\nend",
    "leaves": "function leaves(code)\n disp('leaving'); exit(code);\nend",
    "dies": "function dies()\n disp('dying'); fflush(stdout); kill(getpid(), 9); pause(60);\nend",
    "twice": "function x = twice(x)\n x = {x, x};\nend",
    "job": (
        "function id = job()\n x = pointillist.job(); id = {x.id, x.statepoint.i, pwd()};\nend"
    ),
    "process": "function id = process()\n id = getpid();\nend",
    "variable": "function x = variable(name)\n x = getenv(name);\nend",
    "hangs": (
        "function hangs(file)\n disp('hanging'); fclose(fopen(file, 'w'));\n"
        " while ~exist([file ' ends'], 'file') pause(0.01); end\nend"
    ),
    "leavesOpen": "function leavesOpen(out)\n f = fopen(out, 'w'); fputs(f, 'whole');\nend",
    "litters": (
        "function litters()\n global shared; shared = 5; counts(); counts();\n"
        " assignin('base', 'basic', 1); fopen('left.txt', 'w'); figure('visible', 'off');\n"
        " warning('off', 'all'); warning('error', 'lab:odd'); lasterr('old'); lastwarn('old');\n"
        " addpath(pwd()); cd('/'); format long; rand('seed', 1); randn('state', 7);\n"
        " setenv('HOME', '/nowhere'); set(0, 'defaultfigurecolor', [1 0 0]); more on;\n"
        " page_output_immediately(false); save_precision(3); eval('function made(), end');\n"
        " max_recursion_depth(9); evalin('base', 'y = 2;'); try, error('lab:x', 'y'); end\nend"
    ),
    "counts": (
        "function n = counts()\n persistent k; if isempty(k) k = 0; end\n k = k + 1; n = k;\nend"
    ),
    "looks": (
        "function s = looks()\n global shared; s.shared = isempty(shared); s.count = counts();\n"
        " s.base = evalin('base', 'who'); s.files = numel(fopen('all')); s.path = path();\n"
        " s.folder = pwd(); s.figures = numel(get(0, 'children')); s.warning = warning();\n"
        " s.lasterr = lasterr(); s.lastwarn = lastwarn(); s.precision = output_precision();\n"
        " s.home = getenv('HOME'); s.defaults = fieldnames(get(0, 'default'));\n"
        " s.made = exist('made'); s.more = page_screen_output();\n"
        " s.immediately = page_output_immediately(); s.save = save_precision();\n"
        " s.depth = max_recursion_depth(); s.last = lasterror(); s.folders = argv();\n"
        " s.seeded = numel(rand('state'));\nend"
    ),
    "random": "function x = random()\n x = [rand(1, 2) randn(1, 2) rande() randg(1) rand()];\nend",
}

COMPARED: list[tuple[str, tuple[Any, ...], int]] = [
    ("prints", ("grün\n",), 0),
    ("fails", ("x",), 0),
    ("recurses", (1,), 0),
    ("outOfBounds", (), 0),
    ("broken", (), 0),
    ("absent", (), 0),
    ("prints", ([1, 2],), 0),
    ("leaves", (5,), 0),
    ("leaves", (0,), 0),
    ("dies", (), 0),
    ("twice", ("ü",), 1),
    ("job", (), 1),
]


JOB = {"id": "abc", "statepoint": {"i": 1}}


class Ended(NamedTuple):
    """How a call ended."""

    code: int
    log: str
    value: Any


class Lab:
    """A folder with functions, and calls of them: cold, or in sessions."""

    def __init__(self, root: Path, program: Program) -> None:
        self.root = root
        self.program = program
        self.matlab = root / "user's ünï"
        self.matlab.mkdir()
        for name, text in FUNCTIONS.items():
            (self.matlab / f"{name}.m").write_text(text)
        self.sessions = Sessions()
        self._count = itertools.count()

    def _folder(self) -> Path:
        folder = self.root / f"con'trol\n ü: % {os.getpid()} {next(self._count)}"
        folder.mkdir()
        return folder

    def cold(self, function: str, *args: Any, nargout: int = 0) -> Ended:
        """Carry a call out in a program of its own."""
        folder = self._folder()
        words, env = prepare(
            self.program,
            MatlabCall(function, args, nargout),
            folder=folder,
            search_path=[self.matlab],
            job=JOB,
        )
        done = run(words, cwd=self.root, env=env, log=folder / "log")
        value = result(folder) if nargout and done.code == 0 else None
        return Ended(done.code, _text(folder / "log"), value)

    def warm(self, function: str, *args: Any, nargout: int = 0, **options: Any) -> Ended:
        """Carry a call out in a session."""
        sessions = options.pop("sessions", self.sessions)
        log = options.pop("log", None) or self._folder() / "log"
        done, value = sessions.run(
            self.program,
            MatlabCall(function, args, nargout),
            search_path=[self.matlab],
            job=JOB,
            cwd=self.root,
            log=log,
            **options,
        )
        return Ended(done.code, _text(log), value)

    def process(self, **options: Any) -> int:
        """Return the process that carries calls out now."""
        return int(self.warm("process", nargout=1, **options).value)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="surrogateescape")


def _lab(root: Path, program: str) -> Lab:
    return Lab(root, find_program(program))


@pytest.fixture(params=["octave-cli", str(STAND_IN)], ids=["octave", "matlab"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """Give functions for GNU Octave, and for the stand-in for MATLAB."""
    lab = _lab(tmp_path, request.param)
    with lab.sessions:
        yield lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Give functions for GNU Octave."""
    made = _lab(tmp_path, "octave-cli")
    with made.sessions:
        yield made


@pytest.fixture(autouse=True)
def spools(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of all spool folders."""
    folder = tmp_path_factory.mktemp("spools")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def is_there(pid: int) -> bool:
    """Whether a process lives that need not be a child of this one."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except FileNotFoundError:
        return False


def awaited(done: Callable[[], bool]) -> bool:
    """Wait until something has come true, for half a minute at most."""
    deadline = time.monotonic() + 30
    while not done() and time.monotonic() < deadline:
        time.sleep(0.01)
    return done()


def test_codes_logs_and_values_are_those_of_a_cold_start(either: Lab) -> None:
    """All kinds of ends, one after the other in sessions, are told from cold ones by nothing."""
    for function, args, nargout in COMPARED:
        cold = either.cold(function, *args, nargout=nargout)
        assert cold == either.warm(function, *args, nargout=nargout), function
        assert cold == either.warm(function, *args, nargout=nargout), function


def test_nothing_is_left_of_a_call(lab: Lab) -> None:
    """After a call that litters, the next one finds what it finds in a program of its own."""
    cold = lab.cold("looks", nargout=1).value
    process = lab.process()
    lab.warm("litters")
    warm = lab.warm("looks", nargout=1).value
    assert process == lab.process()
    assert sorted(cold) == sorted(warm)
    for name, value in cold.items():
        np.testing.assert_equal(warm[name], value, name)


def test_random_numbers_are_not_those_of_the_call_before(lab: Lab) -> None:
    """Random numbers are new for each call, as they are at each start of GNU Octave."""
    drawn = [lab.warm("random", nargout=1).value for _ in range(3)]
    assert 7 * 3 == len({number for numbers in drawn for number in numbers})


def test_one_session_carries_out_many_calls(either: Lab) -> None:
    """It is started once, also when calls fail in between."""
    process = either.process()
    assert 1 == either.warm("fails", "x").code
    assert process == either.process()


def test_edited_and_new_functions_are_read(lab: Lab) -> None:
    """A function that is edited or made between two calls is the new one, also at once."""
    process = lab.process()
    for number in range(5):
        for name in ("edited", f"made{number}"):
            code = f"function x = {name}()\n x = {number};\nend"
            (lab.matlab / f"{name}.m").write_text(code)
            assert number == lab.warm(name, nargout=1).value
    assert process == lab.process()


def test_a_file_that_was_left_open_is_whole(lab: Lab) -> None:
    """What a function has written and not closed is on the disk when its call has ended."""
    lab.warm("leavesOpen", lab.root / "out")
    assert "whole" == (lab.root / "out").read_text()


@pytest.mark.parametrize("function", ["leaves", "dies"])
def test_a_session_that_a_call_ends_is_replaced(lab: Lab, function: str) -> None:
    """The next call has a new one."""
    process = lab.process()
    lab.warm(function, *([3] if function == "leaves" else []))
    assert process != lab.process()
    assert not is_there(process)


def test_a_call_that_takes_too_long_ends_its_session(lab: Lab) -> None:
    """What it had printed is in its log, and the next call has a new session."""
    process = lab.process()
    with pytest.raises(TimedOut):
        lab.warm("hangs", lab.root / "begun", log=lab.root / "late", timeout=0.5)
    assert (lab.root / "late").read_text().startswith("hanging\n")
    assert not (lab.root / "octave-workspace").exists()
    assert not is_there(process)
    assert lab.process() not in (0, process)


def test_a_start_counts_towards_the_timeout(lab: Lab) -> None:
    """A program that does not come up in time is ended too."""
    slow = lab.root / "octave-slow"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    lab.program = find_program(str(slow))
    with pytest.raises(TimedOut):
        lab.warm("process", timeout=0.2)


def test_a_program_that_does_not_come_up_fails_the_call(lab: Lab) -> None:
    """Its code and what it has printed are the call's, as in a cold start."""
    sick = lab.root / "octave-sick"
    sick.write_text("#!/bin/sh\necho no licence\nexit 9\n")
    sick.chmod(0o755)
    lab.program = find_program(str(sick))
    assert Ended(9, "no licence\n", None) == lab.cold("process") == lab.warm("process")


def test_what_a_start_prints_is_in_each_log(lab: Lab) -> None:
    """A banner is in every log, as if each call had started the program."""
    loud = lab.root / "octave-loud"
    loud.write_text('#!/bin/sh\necho banner\nexec octave-cli "$@"\n')
    loud.chmod(0o755)
    lab.program = find_program(str(loud))
    cold = lab.cold("prints", 1)
    assert cold.log.startswith("banner\n")
    assert [cold, cold] == [lab.warm("prints", 1), lab.warm("prints", 1)]


def test_a_session_that_died_between_calls_is_replaced(lab: Lab) -> None:
    """A call that had not begun is carried out by a new session."""
    process = lab.process()
    os.kill(process, signal.SIGSTOP)  # it cannot take the request, and looks alive
    killer = threading.Timer(0.2, os.kill, (process, signal.SIGKILL))
    killer.start()
    assert process != lab.process()


def test_ctrl_c_ends_the_call_and_its_session(lab: Lab) -> None:
    """KeyboardInterrupt goes on, and nothing is at work any more."""
    process, begun = lab.process(), lab.root / "begun"

    def interrupt() -> None:
        awaited(begun.exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        lab.warm("hangs", begun)
    assert not is_there(process)


def test_a_session_is_replaced_after_many_calls(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What its calls leak does not grow for ever."""
    monkeypatch.setattr(session, "MOST_CALLS", 2)
    first, second, third = lab.process(), lab.process(), lab.process()
    assert first == second != third
    assert not is_there(first)


def test_another_environment_needs_another_session(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call finds the variables of now, as a program of its own would."""
    assert "" == lab.warm("variable", "LAB_COLOUR", nargout=1).value
    monkeypatch.setenv("LAB_COLOUR", "red")
    assert "red" == lab.warm("variable", "LAB_COLOUR", nargout=1).value
    monkeypatch.delenv("LAB_COLOUR")
    assert "" == lab.warm("variable", "LAB_COLOUR", nargout=1).value


def test_calls_at_once_have_sessions_of_their_own(lab: Lab) -> None:
    """Two threads never share one."""
    first, begun = lab.process(), lab.root / "begun"
    thread = threading.Thread(target=lab.warm, args=("hangs", begun))
    thread.start()
    assert awaited(begun.exists)
    second = lab.process()
    (lab.root / "begun ends").touch()
    thread.join()
    assert first != second
    assert first == lab.process()  # the last that was free is kept
    assert not is_there(second)


def test_a_fork_has_a_session_of_its_own(lab: Lab) -> None:
    """A child starts one, ends it, and leaves the parent's alone."""
    process = lab.process()
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            with lab.sessions:
                code = 1 if lab.process() == process else 0
        finally:
            os._exit(code)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert process == lab.process()


def test_nothing_is_left_at_the_end(lab: Lab, spools: Path) -> None:
    """The program and its spool folder go with the sessions."""
    with Sessions() as sessions:
        process = lab.process(sessions=sessions)
        assert 1 == len(list(spools.iterdir()))
    assert not is_there(process)
    assert [] == list(spools.iterdir())


@pytest.mark.parametrize("with_its_watch", [False, True])
def test_a_session_ends_with_its_runner(lab: Lab, spools: Path, with_its_watch: bool) -> None:
    """It does so when its runner is killed, and by itself if the shell that watches is too."""
    told = lab.root / "told"
    pid = os.fork()
    if pid == 0:
        process = lab.process()
        shell = watch._shell.pid if watch._shell else 0
        (lab.root / "partial").write_text(f"{process} {shell}")
        (lab.root / "partial").rename(told)
        time.sleep(600)
    assert awaited(told.exists)
    process, shell = map(int, told.read_text().split())
    if with_its_watch:
        os.kill(shell, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert awaited(lambda: not is_there(process))
    if not with_its_watch:
        assert awaited(lambda: list(spools.iterdir()) == [])
