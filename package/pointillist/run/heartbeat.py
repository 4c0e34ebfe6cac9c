"""Signs of life: a runner gives its own, and watches for those of runners on other hosts."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..space.claims import Claim
from ..space.journals import Journal, clock
from ..space.layout import Layout
from .interruption import sleep

__all__ = ["BEAT", "SILENCE", "fallen_silent", "heartbeat", "surely_held"]

BEAT = 10.0
"""Seconds between two heartbeats of a runner."""

SILENCE = 60.0
"""Seconds without a heartbeat after which a runner on another host counts as dead."""


@contextmanager
def heartbeat(journal: Journal) -> Iterator[None]:
    """Let the journal's time, and with it that of all claims, move while a run lasts."""
    over = threading.Event()
    with contextlib.suppress(OSError):
        journal.beat(SILENCE / 4)

    def beat() -> None:
        while not over.wait(BEAT):
            with contextlib.suppress(OSError):  # a full or read-only disk is told where it matters
                journal.beat(SILENCE / 4)

    thread = threading.Thread(target=beat, name="pointillist heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def surely_held(claim: Claim, journal: Journal) -> bool:
    """Whether nobody can have taken a claim over: the runner was never silent since it made it.

    Who takes over has seen no sign of life for `SILENCE` seconds, so that the disk need not be
    asked by a runner that shows one every few seconds. One that was stopped and goes on asks.
    """
    beats = clock() - journal.beaten < SILENCE / 4  # looked at before the doubt, set after it
    return beats and claim.made > journal.doubt


def fallen_silent(layout: Layout, runners: Iterable[str]) -> set[str]:
    """Watch some runners and return those that gave no sign of life for `SILENCE` seconds.

    Time is this process's own: the clocks of hosts differ, but whether a heartbeat has moved does
    not depend on them.
    """
    first = {runner: _beat_of(layout, runner) for runner in runners}
    quiet = set(first)
    until = time.monotonic() + SILENCE
    while quiet and time.monotonic() < until:
        sleep(SILENCE / 100)
        quiet = {runner for runner in quiet if _beat_of(layout, runner) == first[runner]}
    return quiet


def _beat_of(layout: Layout, runner: str) -> int | None:
    """Return when a runner last showed that it lives, by its journal; None if that is gone."""
    try:
        # opened, as a network file system may answer a mere stat from memory
        with layout.journal(runner).open("rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
