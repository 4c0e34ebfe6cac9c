"""Timeouts of Python functions: ended in time, whatever they swallow; nothing rings afterwards."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pointillist.run import timelimit
from pointillist.run.timelimit import Overdue, within

LONG = 600.0


@pytest.fixture(autouse=True)
def nothing_rings() -> Iterator[None]:
    """Afterwards no alarm is set, and its handler is the old one."""
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert (0.0, 0.0) == signal.getitimer(signal.ITIMER_REAL)
    assert before == signal.getsignal(signal.SIGALRM)


def row_by_row(swallowed: list[str]) -> None:
    """Go through rows, and on to the next one where one raises an Exception."""
    for row in "abc":
        try:
            time.sleep(LONG)
        except Exception:
            swallowed.append(row)


def swallowing(times: int) -> str:
    """Swallow everything that is raised, some times; then wait on."""
    for _ in range(times):
        with contextlib.suppress(BaseException):
            time.sleep(LONG)
    time.sleep(LONG)
    return "done"


def returning() -> str:
    """Swallow everything that is raised, and return as if nothing had been."""
    with contextlib.suppress(BaseException):
        time.sleep(LONG)
    return "done"


def converting() -> None:
    """Raise something else instead of what was raised."""
    try:
        time.sleep(LONG)
    except BaseException as error:
        raise ValueError("too bad") from error


def test_what_is_quick_enough() -> None:
    """What is quick enough returns its value, or raises what it raises."""
    assert 3 == within(LONG, lambda a, b: a + b, 1, 2)
    with pytest.raises(ZeroDivisionError):
        within(LONG, lambda: 1 / 0)


def test_no_exception_of_a_row() -> None:
    """The end of the time is no Exception, which a loop over rows would take for a row's own."""
    swallowed: list[str] = []
    with pytest.raises(Overdue):
        within(0.05, row_by_row, swallowed)
    assert [] == swallowed


@pytest.mark.parametrize("times", [0, 1, 3])
def test_it_rings_again(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """What swallows the end of its time and goes on is told again."""
    monkeypatch.setattr(timelimit, "AGAIN", 0.05)
    with pytest.raises(Overdue):
        within(0.05, swallowing, times)


@pytest.mark.parametrize("call", [returning, converting])
def test_swallowed_is_no_success(call: Callable[[], object]) -> None:
    """What returns, or raises something else, when its time was over took too long all the same."""
    with pytest.raises(Overdue):
        within(0.05, call)


def test_interrupted() -> None:
    """A KeyboardInterrupt goes through, also when the time is over."""

    def call() -> None:
        try:
            time.sleep(LONG)
        except BaseException as error:
            raise KeyboardInterrupt from error

    with pytest.raises(KeyboardInterrupt):
        within(0.05, call)


def test_another_thread() -> None:
    """In another thread than the main one nothing is limited."""
    found: list[object] = []

    def call() -> None:
        found.append(within(0.001, time.sleep, 0.05))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert [None] == found
