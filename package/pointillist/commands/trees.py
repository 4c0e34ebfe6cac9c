"""All processes that one command has started: found wherever they went, and ended together.

A command finds a mark of its own in its environment, which what it starts inherits. So also those
are found that were started twice over, to get rid of parent, process group and session.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["GRACE", "Tree", "is_within", "kill_all", "marked"]

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL."""

VARIABLE = "POINTILLIST_COMMAND"
"""Has the mark; within a command of a command that of each, so that either finds it."""


class _Process(NamedTuple):
    """A process; its start time tells it from a later one with the same id."""

    pid: int
    start: int


class Tree:
    """What one command has started, or will.

    Parameters
    ----------
    roots : iterable of int
        Processes that belong to it, with what they have started.

    Attributes
    ----------
    environment : dict of str to str
        The variable by which it is found.
    """

    def __init__(self, roots: Iterable[int] = ()) -> None:
        self._roots = set(roots)
        self._mark = f"[{os.getpid()}.{time.monotonic_ns()}]"
        self._leader: subprocess.Popen[bytes] | None = None
        self.environment = {VARIABLE: os.environ.get(VARIABLE, "") + self._mark}

    def begun(self, leader: subprocess.Popen[bytes]) -> None:
        """Take a command in that was started with `environment` and leads a session."""
        self._leader = leader
        _at_work.add(self)

    def left(self) -> None:
        """Forget it: what it has left in the background is its own affair."""
        _at_work.discard(self)

    def end(self) -> None:
        """End it: SIGTERM, grace, SIGKILL; its leader has been waited for then."""
        found = self._processes()
        self._signal(found, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        try:
            while found and time.monotonic() < deadline:
                time.sleep(0.01)
                found = self._processes(found)
        finally:  # also when a second KeyboardInterrupt comes
            self.kill(found)
            if self._leader is not None:
                self._leader.wait()

    def kill(self, known: Iterable[_Process] = ()) -> None:
        """Kill it, until nothing of it is left that can be killed."""
        found = self._processes(known)
        deadline = time.monotonic() + GRACE
        while found and time.monotonic() < deadline:
            self._signal(found, signal.SIGKILL)
            time.sleep(0.01)
            found = self._processes(found)

    def _processes(self, known: Iterable[_Process] = ()) -> set[_Process]:
        """Return what lives of it: its session, what has its mark, and the descendants of these.

        Without ``/proc`` the leader stands for its process group.
        """
        leader = 0
        if self._leader is not None:
            leader = self._leader.pid
            self._leader.poll()
        if not Path("/proc/self/stat").exists():
            with contextlib.suppress(ProcessLookupError):
                if leader:
                    os.killpg(leader, 0)
                    return {_Process(leader, 0)}
            return {_Process(pid, 0) for pid in self._roots}
        known, mark = set(known), self._mark.encode()
        found, parents = set(), {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:  # proc(5): pid (name) state parent group session …; a name may hold any character
                words = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if words[0] in (b"Z", b"X"):
                continue
            process = _Process(int(entry.name), int(words[19]))
            parents[process] = int(words[1])
            is_known = process in known or process.pid in self._roots
            if is_known or (leader and int(words[3]) == leader) or _has(entry / "environ", mark):
                found.add(process)
        size = -1
        while size != len(found):
            size = len(found)
            pids = {process.pid for process in found} | ({leader} if leader else set())
            found |= {process for process, parent in parents.items() if parent in pids}
        return found

    def _signal(self, found: Iterable[_Process], number: signal.Signals) -> None:
        """Send a signal to the leader's group and to the processes that are not in it."""
        found = list(found)
        group = self._leader.pid if self._leader is not None else 0
        if found and group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        # parents first: a shell whose command is killed begins the next one
        for process in sorted(found, key=lambda process: (process.start, process.pid)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.getpgid(process.pid) != group:
                    os.kill(process.pid, number)


_at_work: set[Tree] = set()
os.register_at_fork(after_in_child=_at_work.clear)


def kill_all(others: Iterable[int] = ()) -> None:
    """Kill the commands that this process runs, and others, with all that they have started."""
    for tree in [*_at_work, Tree(others)]:
        tree.kill()


def is_within() -> bool:
    """Whether this process was started by a command, or is carrying one out."""
    return VARIABLE in os.environ


@contextlib.contextmanager
def marked() -> Iterator[None]:
    """Mark all that is started: a KeyboardInterrupt or timeout ends what is left of it."""
    tree = Tree()
    before = os.environ.get(VARIABLE)
    os.environ.update(tree.environment)
    _at_work.add(tree)
    try:
        yield
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        tree.end()
        raise
    finally:
        _at_work.discard(tree)
        if before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = before


def _has(environ: Path, mark: bytes) -> bool:
    try:
        return mark in environ.read_bytes()
    except OSError:  # it has ended, or is another user's
        return False
