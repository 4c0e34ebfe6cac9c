"""Carrying operations out in one process or in several: results, errors, deaths, interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import signac
from flow.errors import UserOperationError

import pointillist as pt

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; four jobs lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        signac.init_project().open_job({"i": i}).init()

    class Project(pt.FlowProject):
        pass

    return Project


def by_i(operation: Any) -> int:
    """Give the `i` of the job, to order by."""
    return int(operation._jobs[0].sp.i)


def having(project: Any, name: str) -> list[int]:
    """Return the `i` of the jobs that have a file."""
    return sorted(job.sp.i for job in project if job.isfile(name))


def told(capsys: Capture) -> list[str]:
    """Return the lines that tell of failures."""
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("failed: ")]


@pytest.mark.parametrize("where", ["operation", "project"])
def test_hooks_run_in_the_worker(Project: Any, where: str) -> None:
    """Hooks are called in the process that carries the operation out, in their order."""

    def note(kind: str) -> Callable[..., None]:
        def hook(name: str, *arguments: Any) -> None:
            with Path(arguments[-1].fn("hooks.txt")).open("a") as file:
                print(name, kind, os.getpid(), file=file)

        return hook

    @Project.operation
    def work(job: Any) -> None:
        with Path(job.fn("hooks.txt")).open("a") as file:
            print("work", "itself", os.getpid(), file=file)
        if job.sp.i == 0:
            raise ValueError("no luck")

    kinds = ("on_start", "on_exit", "on_success", "on_exception")
    if where == "operation":
        for kind in kinds:
            getattr(Project.operation_hooks, kind)(note(kind))(work)
    project = Project()
    if where == "project":
        for kind in kinds:
            getattr(project.project_hooks, kind).append(note(kind))
    with pytest.raises(UserOperationError):
        project.run(np=2)
    for job in project:
        lines = [line.split() for line in Path(job.fn("hooks.txt")).read_text().splitlines()]
        end = "on_exception" if job.sp.i == 0 else "on_success"
        assert ["on_start", "itself", end, "on_exit"] == [line[1] for line in lines]
        (process,) = {line[2] for line in lines}
        assert str(os.getpid()) != process


def test_at_the_same_time(Project: Any) -> None:
    """Two operations are carried out at once: each waits for the other one."""

    @Project.operation
    def meet(job: Any) -> None:
        Path(job.fn("here.txt")).touch()
        other = job.project.open_job({"i": 1 - job.sp.i})
        deadline = time.monotonic() + 30
        while not other.isfile("here.txt"):
            assert time.monotonic() < deadline, "the other one did not come"
            time.sleep(0.01)

    project = Project()
    project.run(np=2, jobs=[project.open_job({"i": i}) for i in (0, 1)])
    assert [0, 1] == having(project, "here.txt")


@pytest.mark.parametrize("np", [1, 2])
def test_error_with_its_traceback(Project: Any, capsys: Capture, np: int) -> None:
    """The error that is raised tells where the operation raised, and of what; so does a line."""

    def find_the_bug() -> NoReturn:
        raise ValueError("no luck")

    @Project.operation
    def work(job: Any) -> None:
        find_the_bug()

    project = Project()
    job = project.open_job({"i": 2})
    with pytest.raises(UserOperationError, match=f"operation work .* id {job.id}") as caught:
        project.run(np=np, jobs=[job])
    if np == 2:
        cause = str(caught.value.__cause__)
        assert "in find_the_bug" in cause and "ValueError: no luck" in cause
    else:
        assert isinstance(caught.value.__cause__, ValueError)
    assert [f"failed: work({job.id}): ValueError: no luck"] == told(capsys)


class Awkward(Exception):
    """An exception that can be pickled and not be restored."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class Stubborn(Exception):
    """An exception that cannot be pickled."""

    def __init__(self) -> None:
        super().__init__("stubborn")
        self.function = lambda: None


@pytest.mark.parametrize("kind", ["awkward", "stubborn", "local"])
def test_exceptions_that_cannot_be_sent(Project: Any, kind: str) -> None:
    """Exceptions that no other process can have are told of; the others are carried out."""

    class Local(Exception):
        pass

    @Project.operation
    def work(job: Any) -> None:
        if job.sp.i == 1:
            raise {
                "awkward": Awkward("bad", "worse"),
                "stubborn": Stubborn(),
                "local": Local("local"),
            }[kind]
        Path(job.fn("done.txt")).touch()

    project = Project()
    with pytest.raises(UserOperationError, match="during operation work") as caught:
        project.run(np=2)
    text = {"awkward": "bad and worse", "stubborn": "stubborn", "local": "local"}[kind]
    assert text in str(caught.value.__cause__)
    assert [0, 2, 3] == having(project, "done.txt")


def test_command_that_fails(Project: Any, capsys: Capture) -> None:
    """A command that fails is told of with its exit code; the others are carried out."""

    @Project.operation(cmd=True)
    def work(job: Any) -> str:
        return f"exit {job.sp.i}" if job.sp.i else f"touch {job.fn('done.txt')}"

    project = Project()
    with pytest.raises(UserOperationError) as caught:
        project.run(np=2)
    assert ["3 operations failed; this is the error of the first."] == caught.value.__notes__
    assert [0] == having(project, "done.txt")
    assert [1, 2, 3] == sorted(int(line.rstrip(".")[-1]) for line in told(capsys))


@pytest.mark.parametrize("np", [1, 2])
def test_command_that_cannot_be_made(Project: Any, np: int, capsys: Capture) -> None:
    """A command whose function raises is a failure of its operation only."""

    @Project.operation(cmd=True)
    def work(job: Any) -> str:
        return f"touch {job.fn('done.txt')} {1 / job.sp.i}"

    project = Project()
    with pytest.raises(Exception, match="division by zero"):
        project.run(np=np)
    assert [1, 2, 3] == having(project, "done.txt")
    id = project.open_job({"i": 0}).id
    assert [f"failed: work({id}): ZeroDivisionError: division by zero"] == told(capsys)


@pytest.mark.parametrize("way", ["exit", "kill"])
def test_worker_that_dies(Project: Any, way: str) -> None:
    """A worker that dies fails its operation; the run ends with an error that tells of it."""

    @Project.operation
    def work(job: Any) -> None:
        if way == "exit":
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)

    project = Project()
    job = project.open_job({"i": 2})
    with pytest.raises(UserOperationError) as caught:
        project.run(np=2, jobs=[job])
    expected = f"A worker process died while operation work({job.id}) was carried out"
    assert str(caught.value).startswith(expected)


def test_passes_after_a_worker_died(Project: Any) -> None:
    """What was done before a worker died is gone on with, by new workers."""

    @Project.post.isfile("first.txt")
    @Project.operation
    def first(job: Any) -> None:
        Path(job.fn("first.txt")).touch()

    @Project.pre.after(first)
    @Project.post.isfile("second.txt")
    @Project.operation
    def second(job: Any) -> None:
        Path(job.fn("second.txt")).touch()

    @Project.pre(lambda job: job.sp.i == 3)
    @Project.post.isfile("never.txt")
    @Project.operation
    def die(job: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    project = Project()
    with pytest.raises(UserOperationError, match="A worker process died while"):
        project.run(np=2, order=lambda one: (one.name == "die", by_i(one)))
    done = having(project, "first.txt")
    assert len(done) >= 3  # one worker may be at its last operation when the other one dies
    assert done == having(project, "second.txt")


def test_an_operation_that_exits(Project: Any) -> None:
    """`sys.exit` in a worker fails its operation and not the run; the exit code is told."""

    @Project.operation
    def work(job: Any) -> None:
        if job.sp.i == 1:
            sys.exit(3)
        Path(job.fn("done.txt")).touch()

    project = Project()
    with pytest.raises(UserOperationError, match=r"work\(.*exited with 3"):
        project.run(np=2)
    assert [0, 2, 3] == having(project, "done.txt")


def test_timeout(Project: Any, capsys: Capture) -> None:
    """What takes too long in a worker is ended and has failed; the others are carried out."""

    @Project.operation(cmd=True)
    def work(job: Any) -> str:
        if job.sp.i == 1:
            return f"echo $$ > {job.fn('pid.txt')}; exec sleep 600"
        return f"touch {job.fn('done.txt')}"

    project = Project()
    with pytest.raises(subprocess.TimeoutExpired):
        project.run(np=2, timeout=1)
    assert [0, 2, 3] == having(project, "done.txt")
    job = project.open_job({"i": 1})
    assert not Path(f"/proc/{int(Path(job.fn('pid.txt')).read_text())}").exists()
    (line,) = told(capsys)
    assert line.startswith(f"failed: work({job.id}): ") and "timed out after" in line


@pytest.mark.parametrize("np", [1, 2])
def test_fail_fast(Project: Any, np: int) -> None:
    """With `fail_fast` the first error is raised, and what has not begun is left undone."""

    @Project.operation
    def work(job: Any) -> None:
        Path(job.fn("tried.txt")).touch()
        if job.sp.i == 0:
            raise ValueError("no luck")
        time.sleep(0.05)  # so that all others together take far longer than to be called off

    project = Project()
    for i in range(4, 60):
        project.open_job({"i": i}).init()
    with pytest.raises(UserOperationError):
        project.run(np=np, fail_fast=True, order=by_i)
    tried = having(project, "tried.txt")
    assert 0 == tried[0]
    assert len(tried) < 60 if np == 2 else [0] == tried


# Ctrl-C.


def start(cls: Any, *words: str) -> int:
    """Begin the command line of a project class in a process group of its own; return its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Path("err.txt").open("w") as err:
            os.dup2(err.fileno(), 2)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.argv = ["project.py", *words]
        try:
            cls().main()
            code = 0
        except SystemExit as error:
            code = int(str(error.code))
        except BaseException:
            sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    finally:
        os._exit(code)


def processes(project: Any) -> list[int]:
    """Return the ids of the processes that operations have noted."""
    texts = [Path(job.fn("pid.txt")).read_text() for job in project if job.isfile("pid.txt")]
    return [int(text) for text in texts if text.endswith("\n")]


def ended(child: int) -> int:
    """Return the exit code of a process; if it does not end, end all of its group."""
    deadline = time.monotonic() + 30
    while True:
        process, status = os.waitpid(child, os.WNOHANG)
        if process:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.01)


def is_gone(group: int) -> bool:
    """Whether no process of a group is left, when those that have ended are waited for."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    os.killpg(group, signal.SIGKILL)
    return False


@pytest.mark.parametrize("command", [False, True], ids=["function", "command"])
@pytest.mark.parametrize("np", [1, 2])
def test_interrupted(Project: Any, np: int, command: bool) -> None:
    """Ctrl-C ends a run at once, without a traceback and with exit code 130; no child is left."""

    def wait(job: Any) -> str:
        if command:
            return f"echo $$ > {job.fn('pid.txt')}; exec sleep 600"
        Path(job.fn("pid.txt")).write_text(f"{os.getpid()}\n")
        while True:
            signal.pause()

    Project.operation(wait, cmd=command)
    run = start(Project, "run", "-p", str(np))
    project = Project()
    deadline = time.monotonic() + 60
    while len(processes(project)) < np:
        assert time.monotonic() < deadline, Path("err.txt").read_text()
        time.sleep(0.01)
    os.killpg(run, signal.SIGINT)
    code, said = ended(run), Path("err.txt").read_text()
    assert (130, 0) == (code, said.count("Traceback")), said
    assert "interrupted: what had ended is kept" in said
    assert np == len(processes(project))
    assert is_gone(run)


def test_the_others_after_a_worker_died(Project: Any) -> None:
    """What a dead worker had not begun is handed to new ones; at most two operations are lost."""

    @Project.operation
    def work(job: Any) -> None:
        if job.sp.i == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        Path(job.fn("there.txt")).touch()

    project = Project()
    for i in range(12):
        project.open_job({"i": i}).init()
    with pytest.raises(UserOperationError, match="A worker process died while"):
        project.run(np=2, order=lambda operation: operation._jobs[0].sp.i)
    done = having(project, "there.txt")
    assert 0 not in done
    assert 10 <= len(done)  # the other one that is lost is whichever was at work just then
