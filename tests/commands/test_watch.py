"""A command ends with the process that runs it, however that ends."""

from __future__ import annotations

import os
import signal
import time
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


def test_killed(tmp_path: Path) -> None:
    """SIGKILL of the process that waits for a command ends the command and what it has started."""
    child = os.fork()
    if child == 0:
        try:
            run("true", tmp_path)
            run("sleep 1000 & echo $! > one; echo $$ > two; sync; touch now; wait", tmp_path)
        finally:
            os._exit(1)
    while not (tmp_path / "now").exists():
        time.sleep(0.005)
    pids = [int((tmp_path / name).read_text()) for name in ("one", "two")]
    assert [True, True] == [lives(pid) for pid in pids]
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    until = time.monotonic() + 30
    while any(lives(pid) for pid in pids):
        assert time.monotonic() < until, "they live on"
        time.sleep(0.005)


@pytest.mark.parametrize("ends", ["exit", "kill"])
def test_ended_before(tmp_path: Path, ends: str) -> None:
    """What a command left in the background, having ended itself, is nobody's to kill."""
    child = os.fork()
    if child == 0:
        try:
            run("(trap '' HUP; exec sleep 1000) > /dev/null 2>&1 & echo $! > one", tmp_path)
            assert watch._shell is not None
            (tmp_path / "shell").write_text(str(watch._shell.pid))
            if ends == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    pid = int((tmp_path / "one").read_text())
    shell = int((tmp_path / "shell").read_text())
    try:
        until = time.monotonic() + 30
        while lives(shell):  # after that nobody is left who could kill anything
            assert time.monotonic() < until, "the watching shell lives on"
            time.sleep(0.005)
        assert lives(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
