"""Timeouts of Python functions: what takes too long is ended, also if it swallows exceptions."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Overdue", "within"]

AGAIN = 1.0
"""Seconds after which a function that swallowed the end of its time is told once more."""

T = TypeVar("T")


class Overdue(Exception):
    """Something took too long."""


class _TimeIsUp(BaseException):
    """Raised in what takes too long: no Exception, so that a step does not take it for its own."""


class _Alarm:
    """Raises `_TimeIsUp` when the time is over, again and again until it is stopped."""

    def __init__(self, seconds: float) -> None:
        self.is_over = False
        self._raises = True
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)

    def _ring(self, *_: object) -> None:
        if self._raises:
            self.is_over = True
            raise _TimeIsUp

    def stop(self) -> None:
        self._raises = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)


def within(seconds: float | None, call: Callable[..., T], *args: Any) -> T:
    """Call something that may take some seconds; only in the main thread is that held.

    Raises
    ------
    Overdue
        If it took longer, whatever it returned or raised then. What is in a call to compiled code
        ends when that returns.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        return call(*args)
    alarm = _Alarm(seconds)
    try:
        try:
            result = call(*args)
        finally:
            alarm.stop()
    except BaseException as error:
        alarm.stop()  # something may have come just before it was stopped
        if alarm.is_over and not isinstance(error, KeyboardInterrupt):
            raise Overdue from None if isinstance(error, _TimeIsUp) else error
        raise
    if alarm.is_over:
        raise Overdue
    return result
