"""Processes: codes, logs, timeouts that reach every descendant, interruption."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pointillist.commands import trees
from pointillist.commands.process import Finished, run
from pointillist.errors import CommandFailed, ProgramNotFound, TimedOut

Runner = Callable[..., Finished]


@pytest.fixture
def sh(tmp_path: Path) -> Runner:
    """Run a shell command in a fresh folder with ``log`` beside it."""

    def call(command: str, *, timeout: float | None = None, stdout: Path | None = None) -> Finished:
        return run(
            command,
            shell=True,
            cwd=tmp_path,
            env={"POINT": "7"},
            log=tmp_path / "log",
            timeout=timeout,
            stdout=stdout,
        )

    return call


def is_running(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except FileNotFoundError:
        return False


def runs(folder: Path, *argv: str) -> bool:
    """Tell whether the process of a folder in ``/proc`` runs a command."""
    try:
        return (folder / "cmdline").read_bytes().split(b"\0")[:-1] == [
            word.encode() for word in argv
        ]
    except FileNotFoundError:
        return False


def test_code_log_folder_and_environment(sh: Runner, tmp_path: Path) -> None:
    """Both streams reach the log, in order, appended; the exit code comes back."""
    (tmp_path / "log").write_text("earlier\n")
    done = sh('echo "$POINT" "$HOME" "$PWD"; echo no >&2; exit 3')
    assert (3, "exit 3") == (done.code, done.ending)
    assert 0 < done.seconds < 60
    expected = f"earlier\n7 {os.environ['HOME']} {tmp_path}\nno\n"
    assert expected == (tmp_path / "log").read_text()


def test_standard_output_can_go_to_a_file(sh: Runner, tmp_path: Path) -> None:
    """With ``stdout`` the value is alone in its file and the rest in the log."""
    assert 0 == sh("echo value; echo note >&2", stdout=tmp_path / "out").code
    assert ("value\n", "note\n") == ((tmp_path / "out").read_text(), (tmp_path / "log").read_text())


def test_nothing_is_read_from_the_terminal(sh: Runner) -> None:
    """Standard input is empty, so a command that reads ends at once."""
    assert 1 == sh("read line").code


def test_a_signal_is_named(sh: Runner) -> None:
    """A command that a signal ends has a negative code and says which."""
    done = sh("kill -SEGV $$")
    assert (-signal.SIGSEGV, "killed by SIGSEGV") == (done.code, done.ending)


def test_a_command_of_any_length_runs(sh: Runner, tmp_path: Path) -> None:
    """A shell command longer than an argument may be (128 KiB) runs as well."""
    words = " ".join(["'file name'"] * 20_000)
    assert 0 == sh(f"printf '%s\\n' {words} > out").code
    assert 20_000 == (tmp_path / "out").read_text().count("file name\n")


def test_a_list_of_arguments_needs_no_quotes(tmp_path: Path) -> None:
    """Arguments of a program are passed on as they are."""
    names = ["a b", "'; rm -rf ~", "x\ny", ""]
    program = "import sys; print(sys.argv[1:])"
    argv = [sys.executable, "-c", program, *names]
    assert 0 == run(argv, cwd=tmp_path, env={}, log=tmp_path / "log").code
    assert f"{names}\n" == (tmp_path / "log").read_text()


def test_a_timeout_ends_every_descendant(
    sh: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children in the group, in a session of their own and deaf to SIGTERM are all ended."""
    monkeypatch.setattr(trees, "GRACE", 0.3)
    apart = f"6{os.getpid()}"
    command = (
        f"echo $$ > pids; setsid sleep {apart} & sleep 600 & echo $! >> pids; "
        "sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 602; done'"
    )
    with pytest.raises(TimedOut, match=r"longer than its timeout of 1 s") as caught:
        sh(command, timeout=1)
    assert tmp_path / "log" == caught.value.log
    assert isinstance(caught.value, TimeoutError)
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert 3 == len(pids)
    assert [False] * 3 == [is_running(pid) for pid in pids]
    assert [] == [path for path in Path("/proc").glob("[0-9]*") if runs(path, "sleep", apart)]


DAEMON = """
import os, signal, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
if sys.argv[1] == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open("started", "w") as file:
    print(os.getpid(), os.getppid(), os.getsid(0), file=file)
os.rename("started", "daemon")
time.sleep(600)
"""


@pytest.mark.parametrize("kind", ["tame", "deaf"])
def test_a_timeout_ends_a_daemon(
    sh: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What got rid of its parent, its process group and its session is ended as well."""
    monkeypatch.setattr(trees, "GRACE", 0.3)
    (tmp_path / "daemon.py").write_text(DAEMON)
    with pytest.raises(TimedOut):
        sh(f"{sys.executable} -S daemon.py {kind}; echo $$ > shell; sleep 600", timeout=2)
    daemon, parent, session = map(int, (tmp_path / "daemon").read_text().split())
    shell = int((tmp_path / "shell").read_text())
    assert shell not in (parent, session)
    assert not is_running(daemon)


def test_a_daemon_of_a_command_that_ended_lives(sh: Runner, tmp_path: Path) -> None:
    """What a command that ended well has left in the background is its own affair."""
    (tmp_path / "daemon.py").write_text(DAEMON)
    sh(f"{sys.executable} -S daemon.py tame; while ! test -e daemon; do sleep 0.01; done")
    with pytest.raises(TimedOut):  # of another command
        sh("sleep 600", timeout=0.05)
    daemon = int((tmp_path / "daemon").read_text().split()[0])
    try:
        assert is_running(daemon)
    finally:
        os.kill(daemon, signal.SIGKILL)


def test_a_timeout_that_is_not_reached_changes_nothing(sh: Runner) -> None:
    """A command that is quick enough just finishes."""
    assert 0 == sh("true", timeout=60).code


def test_an_interrupted_wait_ends_the_command(
    sh: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a KeyboardInterrupt nothing of the command is left."""
    os.mkfifo(tmp_path / "ready")

    def interrupt() -> None:
        (tmp_path / "ready").read_text()  # returns when the command has started
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(trees, "GRACE", 0.2)
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        sh("sleep 600 & echo $! > pid; echo > ready; wait")
    watcher.join()
    assert not is_running(int((tmp_path / "pid").read_text()))


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    """The error names the program and is a FileNotFoundError."""
    with pytest.raises(ProgramNotFound, match='"no-such-program" is not there') as caught:
        run(["no-such-program"], cwd=tmp_path, env={}, log=tmp_path / "log")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_program_that_cannot_start_is_named(tmp_path: Path) -> None:
    """A file that is not executable, and a folder that is gone, are told apart."""
    (tmp_path / "text").write_text("x")
    with pytest.raises(CommandFailed, match="executable program"):
        run([str(tmp_path / "text")], cwd=tmp_path, env={}, log=tmp_path / "log")
    with pytest.raises(CommandFailed, match=r"folder .*gone is not there"):
        run(["true"], cwd=tmp_path / "gone", env={}, log=tmp_path / "log")
