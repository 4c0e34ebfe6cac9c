"""All attempts of a project, as far as the planner asks for them, read from the journals."""

from __future__ import annotations

import os
import time
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

from ..errors import SpaceError
from .attempts import Attempt, Exclusion, attempt_in, exclusion_in
from .journals import Journal, parsed
from .layout import Layout

__all__ = ["Attempts"]

_GOOD = ("complete", "found", "accepted")


@dataclass(slots=True)
class _Read:
    """How far a journal was read: its size then, and the end of its last whole line."""

    place: str
    runner: str
    size: int = -1
    end: int = 0


def _time_of(place: str) -> int | None:
    try:
        return os.stat(place).st_mtime_ns
    except OSError:
        return None


_TICK = 0.02
"""Seconds within which two changes may carry one time."""

_QUIET = 600_000_000_000
"""Nanoseconds without a heartbeat after which a journal is not expected to grow any more."""


class Attempts:
    """All attempts of a project, as far as the planner asks for them.

    Attributes
    ----------
    last_good, last : dict of (str, str) to Attempt
        By operation and job: the last one whose outputs count, and the last one of all.
    count : dict of (str, str) to int
        The highest number of an attempt.
    exclusions : dict of str to Exclusion
        By job: the last word on whether it is excluded.
    beside : set of str
        Where the journals of other workers of a pool lie: `catch_up` leaves them out, as the pool
        tells each worker what it must know of the others.
    """

    def __init__(self) -> None:
        self.last_good: dict[tuple[str, str], Attempt] = {}
        self.last: dict[tuple[str, str], Attempt] = {}
        self.count: dict[tuple[str, str], int] = {}
        self._reset: dict[tuple[str, str], float] = {}
        self.exclusions: dict[str, Exclusion] = {}
        self.beside: Set[str] = frozenset()
        self._journals: dict[str, _Read] = {}
        self._growing: list[_Read] = []
        self._listed = 0
        self._since = 0.0
        self._settled = False
        self._skipped = ""
        self._dead: set[tuple[str, str, int, str]] = set()
        self._misled = False

    def refresh(self, layout: Layout, own: Journal | None = None) -> Attempts:
        """Read what has been appended to the journals since they were last read.

        Parameters
        ----------
        layout : Layout
            The project's places.
        own : Journal, optional
            This process's journal, whose attempts are known.

        Raises
        ------
        SpaceError
            If a journal cannot be read: without it, what is done would be done again.
        """
        return self._refresh(layout, own, frozenset())

    def _refresh(self, layout: Layout, own: Journal | None, left_out: Set[str]) -> Attempts:
        try:
            changed = os.stat(layout.runs).st_mtime_ns
            journals = layout.journals()
        except FileNotFoundError:
            return self
        except OSError as error:
            raise SpaceError(
                f"{layout.runs} cannot be read: {error.strerror or error}. It says what was done; "
                "make it readable for you."
            ) from error
        now = time.monotonic()
        # a file that was made within one tick of the clock after a listing does not show
        self._settled = changed == self._listed and now > self._since + _TICK
        if changed != self._listed:
            self._listed, self._since = changed, now
        self._list(journals, own.place if own is not None else "", left_out)
        return self

    def catch_up(self, layout: Layout, own: Journal) -> None:
        """Read what other runners have appended since `refresh`, with few questions to the disk.

        Looked at are journals that came since, and those whose runners may still live: one
        ``stat`` each.

        Raises
        ------
        SpaceError
            If a journal cannot be read.
        """
        try:
            changed = os.stat(own.folder).st_mtime_ns
        except OSError:
            changed = 0
        if self._settled and changed == self._listed and own.place == self._skipped:
            for journal in self._growing:
                if journal.place not in self.beside:
                    self._read_on(journal)
            self._put_right()
        else:
            self._refresh(layout, own, self.beside)

    def _list(self, journals: list[Path], skipped: str, left_out: Set[str]) -> None:
        newest = _time_of(skipped)
        self._skipped = skipped
        self._growing.clear()
        for path in journals:
            place = str(path)
            if place == skipped or place in left_out:
                continue
            journal = self._journals.setdefault(place, _Read(place, path.stem))
            seen = self._read_on(journal)
            # a runner that lives moves its journal's time every few seconds
            if seen is not None and (newest is None or newest - seen < _QUIET):
                self._growing.append(journal)
        self._put_right()

    def _put_right(self) -> None:
        """Read all anew if something counted that a later line shows to be of the dead."""
        if not self._misled:
            return
        self._misled = False
        for known in (self.last_good, self.last, self._reset):
            known.clear()
        skipped = {self._skipped} if self._skipped else set[str]()
        for place in [*self._journals, *((skipped | self.beside) - self._journals.keys())]:
            journal = _Read(place, Path(place).stem)
            self._read_on(journal)
            if place in self._journals:
                self._journals[place] = journal
        self._growing = [self._journals[journal.place] for journal in self._growing]

    def _read_on(self, journal: _Read) -> int | None:
        """Read what is new in a journal; return its time, or None if it is gone."""
        try:
            seen = os.stat(journal.place)
            if seen.st_size != journal.size:
                self._read(journal, seen.st_size)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SpaceError(
                f"the journal {journal.place} cannot be read: {error.strerror or error}. It says "
                "what was done; make it readable for you."
            ) from error
        return seen.st_mtime_ns

    def _read(self, journal: _Read, size: int) -> None:
        if size < journal.size:
            journal.end = 0  # another file under the same name
        with open(journal.place, "rb") as file:
            file.seek(journal.end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                journal.end += len(line)
                data = parsed(line)
                if data is not None and data.get("kind") == "runner":
                    journal.runner = str(data.get("runner") or journal.runner)
                attempt = attempt_in(data, journal.runner)
                if attempt is not None:
                    self.add(attempt)
                    continue
                exclusion = exclusion_in(data, journal.runner)
                if exclusion is not None:
                    self.add_exclusion(exclusion)
        journal.size = size

    def excluded(self, job: str) -> Exclusion | None:
        """Return who excluded a job, when and why; None if it is not excluded."""
        last = self.exclusions.get(job)
        return last if last is not None and last.excluded else None

    def add_exclusion(self, exclusion: Exclusion) -> None:
        """Take one more exclusion, or its end, into account."""
        known = self.exclusions.get(exclusion.job)
        if known is None or exclusion.time >= known.time:
            self.exclusions[exclusion.job] = exclusion

    def reset_at(self, key: tuple[str, str]) -> float | None:
        """Return when a task was last reset, in seconds since 1970; None if it never was."""
        return self._reset.get(key)

    def _is_of_the_dead(self, attempt: Attempt | None) -> bool:
        """Whether a runner that was taken for dead has recorded an attempt after that.

        It was done again by then, and the clocks of two machines do not tell which was later.
        """
        if attempt is None:
            return False
        told = (attempt.operation, attempt.job, attempt.number, attempt.runner)
        return told in self._dead

    def add(self, attempt: Attempt) -> None:
        """Take one more attempt into account."""
        key = (attempt.operation, attempt.job)
        if attempt.outcome == "interrupted" and attempt.ran_by is not None:
            self._dead.add((*key, attempt.number, attempt.ran_by))
            wrong = (self.last_good.get(key), self.last.get(key))
            self._misled |= any(self._is_of_the_dead(known) for known in wrong)
        elif self._dead and self._is_of_the_dead(attempt):
            return
        self.count[key] = max(self.count.get(key, 0), attempt.number)
        if key not in self.last or attempt.end >= self.last[key].end:
            self.last[key] = attempt
        if attempt.outcome == "reset":
            self._reset[key] = max(attempt.end, self._reset.get(key, attempt.end))
            if key in self.last_good and self.last_good[key].end <= attempt.end:
                del self.last_good[key]
        elif attempt.outcome in _GOOD and attempt.end > self._reset.get(key, float("-inf")):
            if key not in self.last_good or attempt.end >= self.last_good[key].end:
                self.last_good[key] = attempt
