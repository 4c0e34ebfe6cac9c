"""Ctrl-C and SIGTERM: the step at hand is ended, its bookkeeping is not.

While a run lasts, a signal is noted. It is raised at once only where the code of a step is running
(`interruptible`); everywhere else it waits until the runner asks (`check`), so that a claim, a
record and a rename are never broken off by it. A second signal does not wait.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeVar

from ..commands.trees import kill_all

__all__ = [
    "Stopped",
    "check",
    "handled",
    "interruptible",
    "sleep",
    "terminable",
    "uninterrupted",
]

T = TypeVar("T")

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A run was stopped by a signal.

    Attributes
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def code(self) -> int:
        """What a process that was stopped so exits with: 130, or 143 for SIGTERM."""
        return 128 + self.number


class _Watch:
    """What came while a run lasts."""

    def __init__(self, hard: bool) -> None:
        self.hard = hard
        self.received = 0
        self.is_open = False

    def came(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if self.received:
            self._again(number)
        self.received = number
        if self.is_open:
            self.is_open = False
            raise Stopped(number)

    def _again(self, number: int) -> None:
        kill_all()
        if self.hard:
            os.write(2, b"\nstopped at once: the next run clears up what is left.\n")
            os._exit(128 + number)
        raise Stopped(number)


_watch: _Watch | None = None


@contextlib.contextmanager
def handled(hard: bool = False) -> Iterator[None]:
    """Note the signals that come; in other threads than the main one nothing is changed.

    Parameters
    ----------
    hard : bool
        Whether a second signal ends the process at once. Else it is raised, wherever the code is.
    """
    global _watch
    if not _is_main():
        yield
        return
    if _watch is not None:  # a run within a step: what it records is not broken off either
        before_it, _watch.is_open = _watch.is_open, False
        try:
            yield
        finally:
            _watch.is_open = before_it
        return
    _watch = _Watch(hard)
    before = {number: signal.signal(number, _watch.came) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _watch = None


def check() -> None:
    """Raise the signal that came, if one did.

    Raises
    ------
    Stopped
        If one did.
    """
    if _watch is not None and _watch.received and _is_main():
        raise Stopped(_watch.received)


def interruptible(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call something that a signal may end at any point.

    What does not let itself be ended is taken for ended all the same: what it returns is not given.

    Raises
    ------
    Stopped
        If a signal came, before or meanwhile.
    """
    watch = _watch
    if watch is None or not _is_main():
        return call(*args, **kwargs)
    outer, watch.is_open = watch.is_open, True
    try:
        if watch.received:
            raise Stopped(watch.received)
        result = call(*args, **kwargs)
    except BaseException as error:
        if watch.received and not isinstance(error, Stopped):
            raise Stopped(watch.received) from error
        raise
    finally:
        watch.is_open = outer
    if watch.received:
        raise Stopped(watch.received)
    return result


def sleep(seconds: float) -> None:
    """Wait, unless a signal comes."""
    interruptible(time.sleep, seconds)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Put a Ctrl-C off until the end, where it is raised; while a run lasts that is so anyway."""
    if _watch is not None or not _is_main():
        yield
        return
    caught: list[tuple[Any, ...]] = []
    before = signal.signal(signal.SIGINT, lambda *received: caught.append(received))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end a program with its workers: they are raised."""
    if not _is_main():
        yield
        return

    def came(number: int, _: FrameType | None) -> None:
        # multiprocessing is there only if there are workers
        for child in getattr(sys.modules.get("multiprocessing"), "active_children", list)():
            os.kill(child.pid, signal.SIGINT)
        raise Stopped(number)

    before = {number: signal.signal(number, came) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    """Return the signals that are not ignored: a shell lets Ctrl-C pass its background jobs by."""
    return [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
