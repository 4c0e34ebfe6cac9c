"""Looking at very many jobs in as many processes as there are cores."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["divided"]

R = TypeVar("R")

MOST = 8
"""Processes at most: a disk is not faster for more of them."""


def divided(look: Callable[[list[str]], R], ids: list[str], least: int) -> list[R]:
    """Look at some jobs, in forks of this process if they are many.

    Parameters
    ----------
    look : callable
        Looks at a part of them; what it finds must be plain data. It changes nothing that is not
        in it, as what it changes in a fork is lost.
    ids : list of str
        The jobs.
    least : int
        How many are worth a process.

    Returns
    -------
    list
        What was found in each part, in order.
    """
    count = min(len(ids) // least, _cores(), MOST)
    if count < 2 or not _is_alone():  # a lock that another thread holds stays locked in a fork
        return [look(ids)]
    size = -(-len(ids) // count)
    parts = [ids[begin : begin + size] for begin in range(0, len(ids), size)]
    forks: list[_Fork[R]] = []
    try:
        with contextlib.suppress(OSError):  # no more processes are to be had
            for part in parts[1:]:
                forks.append(_Fork.begin(look, part))
        here = [look(part) for part in (parts[0], *parts[1 + len(forks) :])]
        return [here[0], *(fork.found() for fork in forks), *here[1:]]
    finally:
        for fork in forks:
            fork.end()


def _is_alone() -> bool:
    return threading.active_count() == 1


def _cores() -> int:
    """Return how many cores this process may use; 1 where forking is not safe, as on macOS."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@dataclass
class _Fork(Generic[R]):
    """A fork of this process that looks at a part."""

    look: Callable[[list[str]], R]
    ids: list[str]
    pid: int
    pipe: int

    @classmethod
    def begin(cls, look: Callable[[list[str]], R], ids: list[str]) -> _Fork[R]:
        """Fork."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return cls(look, ids, pid, reading)
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            with open(writing, "wb") as file:
                pickle.dump(look(ids), file, protocol=5)
            os._exit(0)
        finally:
            os._exit(1)

    def found(self) -> R:
        """Return what it has found; if it died of something, look here."""
        with open(self.pipe, "rb", closefd=False) as file:
            content = file.read()
        try:
            found: R = pickle.loads(content)
        except (EOFError, pickle.UnpicklingError):
            return self.look(self.ids)
        return found

    def end(self) -> None:
        """End it, if it has not ended."""
        os.close(self.pipe)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
