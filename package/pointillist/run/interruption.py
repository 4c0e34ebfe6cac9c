"""Ctrl-C and SIGTERM: what is at work is ended, its bookkeeping is not.

The first signal is noted. It is raised at once where it may end what is at work (`interruptible`);
where claims, records and renames are made it waits until the runner asks (`check`), so that none
of them is broken off. A second signal does not wait.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ..commands.trees import kill_all

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = [
    "Stopped",
    "check",
    "handled",
    "in_worker",
    "interruptible",
    "pass_on_to",
    "sleep",
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
    """What came, in a program, or while a run of another program lasts.

    Parameters
    ----------
    is_open : bool
        Whether a signal is raised now.
    again : callable
        Is told of a second signal.
    """

    def __init__(self, is_open: bool, again: Callable[[int], None]) -> None:
        self.is_open = is_open
        self._again = again
        self.received = 0
        self._is_raised = False
        self._before: dict[signal.Signals, Any] = {}

    def came(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        if self.received:
            self._again(number)
            return
        self.received = number
        for worker in _pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGINT)
        self.raise_first()

    def raise_first(self) -> None:
        """Raise the signal that came, unless it was, if that may be now."""
        if self.received and self.is_open and not self._is_raised:
            self.raise_now()

    def raise_now(self) -> NoReturn:
        """Raise the signal that came."""
        self._is_raised = True
        raise Stopped(self.received)

    def install(self) -> None:
        """Take signals, but for those that are ignored, as a shell's background jobs do Ctrl-C."""
        for number in _SIGNALS:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):  # None: another language's, not to be restored
                self._before[number] = signal.signal(number, self.came)

    def remove(self) -> None:
        """Leave signals to who had them before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _no_workers() -> Iterable[BaseProcess]:
    return ()


_watch: _Watch | None = None
_workers: Callable[[], Iterable[BaseProcess]] = _no_workers


@contextlib.contextmanager
def handled(is_program: bool = False, is_open: bool = False) -> Iterator[None]:
    """Note the signals that come; in other threads than the main one nothing is changed.

    Parameters
    ----------
    is_program : bool
        Whether this is all that the process does: a second signal ends it at once. Else that is
        raised as well, where something is at work.
    is_open : bool
        Whether a signal is raised at once wherever it is not put off, and not only where something
        is `interruptible`.

    Raises
    ------
    Stopped
        If a signal came. Of SIGTERM, where this is not the program, SystemExit is raised.
    """
    global _watch
    if not _is_main():
        yield
        return
    if _watch is not None:  # of the program, or of a run with a step that runs others
        outer, _watch.is_open = _watch.is_open, _watch.is_open and is_open
        try:
            yield
        finally:
            _watch.is_open = outer
        return
    _watch = watch = _Watch(is_open, _end_at_once if is_program else _raise_again)
    watch.install()
    try:
        yield
    except Stopped as stop:
        if stop.number == signal.SIGTERM and not is_program:
            raise SystemExit(stop.code) from None
        raise
    finally:
        watch.remove()
        _watch = None


def in_worker(*numbers: signal.Signals) -> None:
    """Take signals in a worker that was forked from a run: the first ends what is at work.

    From a terminal it comes twice: to all processes, and from the run.

    Parameters
    ----------
    *numbers : signal.Signals
        Which; by default SIGINT.
    """
    global _watch
    _watch = _Watch(False, lambda number: None)
    for number in numbers or (signal.SIGINT,):
        signal.signal(number, _watch.came)


def pass_on_to(workers: Callable[[], Iterable[BaseProcess]] = _no_workers) -> None:
    """Pass the first signal on to some processes, as SIGINT; a second one kills them."""
    global _workers
    _workers = workers


def _pids() -> set[int]:
    return {worker.pid for worker in _workers() if worker.pid is not None}


def _end_at_once(number: int) -> None:
    kill_all(_pids())
    os.write(2, b"\nstopped at once: the next run clears up what is left.\n")
    os._exit(128 + number)


def _raise_again(number: int) -> None:
    kill_all(_pids())
    if _watch is not None and _watch.is_open:
        raise Stopped(number)


def _in_fork() -> None:
    """Leave signals, in a process that a step forks, to who had them before the run."""
    global _watch
    if _watch is not None:
        _watch.remove()
        _watch = None
    pass_on_to()


os.register_at_fork(after_in_child=_in_fork)


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
            watch.raise_now()
        result = call(*args, **kwargs)
    except BaseException as error:
        if watch.received and not isinstance(error, Stopped):
            raise Stopped(watch.received) from error
        raise
    finally:
        watch.is_open = outer
    if watch.received:
        watch.raise_now()
    return result


def sleep(seconds: float) -> None:
    """Wait, unless a signal comes."""
    interruptible(time.sleep, seconds)


class uninterrupted:  # noqa: N801  # used as `with uninterrupted():`
    """Put a signal off until the end, where it is raised; a context manager."""

    def __enter__(self) -> None:
        self._watch = _watch if _is_main() else None
        if self._watch is not None:
            self._outer, self._watch.is_open = self._watch.is_open, False

    def __exit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.is_open = self._outer
            self._watch.raise_first()


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
