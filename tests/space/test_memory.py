"""What a runner knows of the journals of others while it runs, and what it must not miss."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from pointillist.space.attempts import Attempt
from pointillist.space.journals import Journal, clock
from pointillist.space.layout import Layout
from pointillist.space.memory import Attempts

Make = Callable[..., Attempt]


def test_a_journal_made_within_a_tick_of_a_listing(layout: Layout, attempt: Make) -> None:
    """A journal is seen although the folder's time is what it was when it was listed last."""
    own, other = Journal(layout, "serial"), Journal(layout, "serial")
    own.open()
    listed = layout.runs.stat()
    attempts = Attempts().refresh(layout, own)
    other.append(attempt(job="a"))
    os.utime(layout.runs, ns=(listed.st_atime_ns, listed.st_mtime_ns))  # a file system's slow clock
    time.sleep(0.05)
    attempts.catch_up(layout, own)
    assert {"a"} == {job for _, job in attempts.last}


@pytest.mark.parametrize("beats", [True, False])
def test_a_runner_that_slept_is_read_again(layout: Layout, attempt: Make, beats: bool) -> None:
    """What a runner records after ten minutes without a sign of life is seen by one at work."""
    own, other = Journal(layout, "serial"), Journal(layout, "serial")
    own.open()
    other.append(attempt(job="a"))
    long_ago = time.time() - 1000
    os.utime(other.place, (long_ago, long_ago))
    other.beaten = clock() - 1000
    attempts = Attempts()
    for _ in range(3):
        attempts.refresh(layout, own)
        time.sleep(0.03)
    if beats:
        other.beat(15)
    attempts.catch_up(layout, own)
    other.append(attempt(job="b"))
    attempts.catch_up(layout, own)
    assert {"a", "b"} == {job for _, job in attempts.last}


def _append(_: int, barrier: Any, journal: Journal, said: Attempt) -> None:
    barrier.wait()
    journal.append(said)


def test_a_fork_has_a_journal_of_its_own(
    layout: Layout, attempt: Make, race: Callable[..., list[Any]]
) -> None:
    """What a forked process records does not pass for its parent's own, which it need not read."""
    own = Journal(layout, "serial")
    own.append(attempt(job="a"))
    attempts = Attempts().refresh(layout, own)
    race(1, _append, own, attempt(job="b"))
    attempts.catch_up(layout, own)
    assert {"b"} == {job for _, job in attempts.last}
    assert 2 == len(layout.journals())


def record(attempts: Attempts, journal: Journal, said: Attempt) -> None:
    """Record an attempt and take it into account, as a runner does."""
    begin = journal.append(said)
    attempts.add(said, (journal.place, begin))


def test_what_is_released_is_read_again(layout: Layout, attempt: Make) -> None:
    """Attempts of one's own are read again from their lines, with those of others, each once."""
    own, other = Journal(layout, "serial"), Journal(layout, "serial")
    other.append(attempt(job="a", operation="Item.one", number=1, end=1.0))
    attempts = Attempts().refresh(layout, own)
    record(attempts, own, attempt(job="a", operation="Item.two", number=1, end=2.0))
    record(attempts, own, attempt(job="b", operation="Item.one", number=1, end=3.0))
    attempts.release("a")
    record(attempts, own, attempt(job="a", operation="Item.two", number=2, end=4.0))
    for refresh in (lambda: attempts, lambda: attempts.refresh(layout, own)):
        refresh().release("a")
        told = [(one.operation, one.number) for one in attempts.of_job("a").attempts]
        assert [("Item.one", 1), ("Item.two", 1), ("Item.two", 2)] == told
        assert 2 == attempts.count["Item.two", "a"]
    assert (own.place, 0) < (attempts.newest("b") or ("", 0))


def test_what_stands_nowhere_is_not_released(layout: Layout, attempt: Make) -> None:
    """An attempt that could not be recorded stays known for as long as the process lives."""
    attempts = Attempts().refresh(layout)
    attempts.add(attempt(job="a", operation="Item.one", outcome="failed", number=1))
    attempts.release("a")
    assert "failed" == attempts.last["Item.one", "a"].outcome
    assert attempts.newest("a") is None


def test_lines_of_ones_own_in_the_index(layout: Layout, attempt: Make) -> None:
    """Who takes an index over finds each line of who wrote it once, and reads none again."""
    own = Journal(layout, "serial")
    attempts = Attempts().refresh(layout, own)
    for job in "ab":
        record(attempts, own, attempt(job=job, operation="Item.one", number=1))
    index = attempts.refresh(layout, own).index({})
    later = Attempts(index).refresh(layout)
    for job in "ab":
        assert later.is_as_indexed(job)
        assert 1 == len(later.of_job(job).attempts)
