"""A command ends with the process that runs it, however that ends."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pointillist.commands import process, watch


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def run(command: str, folder: Path) -> None:
    """Run a shell command in a folder."""
    process.run(command, shell=True, cwd=folder, env={}, log=folder / "log")


def run_long(folder: Path) -> None:
    """Run a command that does not end; tell when it is at work and the watching shell knows it."""
    begun = watch.begun

    def told(group: int) -> None:
        begun(group)
        (folder / "told").touch()

    watch.begun = told
    run(LONG.format("now"), folder)


def await_long(folder: Path) -> list[int]:
    """Wait for that; return its processes."""
    await_file(folder / "told")
    await_file(folder / "now")
    return noted(folder, "now")


def begin(work: Callable[[], None]) -> int:
    """Begin something in a fork of this process; return its id."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    return child


def await_file(file: Path) -> None:
    """Wait until a file is there."""
    while not file.exists():
        time.sleep(0.005)


def assert_gone(pids: list[int]) -> None:
    """Wait until some processes have ended."""
    until = time.monotonic() + 30
    while any(lives(pid) for pid in pids):
        assert time.monotonic() < until, "they live on"
        time.sleep(0.005)


LONG = "sleep 1000 & echo $! > {0}.one; echo $$ > {0}.two; touch {0}; wait"


def noted(folder: Path, *names: str) -> list[int]:
    """Return the processes that commands have noted."""
    files = [folder / f"{name}.{which}" for name in names for which in ("one", "two")]
    return [int(file.read_text()) for file in files]


def test_killed(tmp_path: Path) -> None:
    """SIGKILL of the process that waits for a command ends the command and what it has started."""

    def work() -> None:
        run("true", tmp_path)
        run_long(tmp_path)

    child = begin(work)
    pids = await_long(tmp_path)
    assert [True, True] == [lives(pid) for pid in pids]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert_gone(pids)


def test_killed_with_several(tmp_path: Path) -> None:
    """Of commands in several threads those at work end, also when another one has just ended."""

    def work() -> None:
        for name in "ab":
            threading.Thread(target=run, args=(LONG.format(name), tmp_path)).start()
            await_file(tmp_path / name)
        run("true", tmp_path)
        (tmp_path / "now").touch()
        signal.pause()

    child = begin(work)
    await_file(tmp_path / "now")
    pids = noted(tmp_path, "a", "b")
    assert [True] * 4 == [lives(pid) for pid in pids]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert_gone(pids)


def test_killed_with_a_fork_that_lives(tmp_path: Path) -> None:
    """The command ends although another process lives on that was forked from the killed one."""

    def work() -> None:
        run("true", tmp_path)
        other = begin(signal.pause)
        (tmp_path / "other").write_text(str(other))
        run_long(tmp_path)

    child = begin(work)
    pids = await_long(tmp_path)
    other = int((tmp_path / "other").read_text())
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert_gone(pids)
        assert lives(other)
    finally:
        os.kill(other, signal.SIGKILL)


def test_the_shell_was_killed(tmp_path: Path) -> None:
    """Where somebody has killed the shell, there is another one for the next but one command."""

    def work() -> None:
        run("true", tmp_path)
        shell = watch._shell
        assert shell is not None
        shell.kill()
        shell.wait()
        run("true", tmp_path)
        run_long(tmp_path)

    child = begin(work)
    pids = await_long(tmp_path)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert_gone(pids)


@pytest.mark.parametrize("ends", ["exit", "kill"])
def test_ended_before(tmp_path: Path, ends: str) -> None:
    """What a command left in the background, having ended itself, is nobody's to kill."""

    def work() -> None:
        run("(trap '' HUP; exec sleep 1000) > /dev/null 2>&1 & echo $! > one", tmp_path)
        assert watch._shell is not None
        (tmp_path / "shell").write_text(str(watch._shell.pid))
        if ends == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    child = begin(work)
    os.waitpid(child, 0)
    assert_gone([int((tmp_path / "shell").read_text())])
    pid = int((tmp_path / "one").read_text())
    try:
        assert lives(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
