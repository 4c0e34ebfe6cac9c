"""All attempts of a project, as far as the planner asks for them, read from the journals.

Of each job only where its lines are is kept; they are read when they are asked for. A project with
a hundred thousand jobs has as many lines for each step, and most of them nobody asks for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import SpaceError
from .attempts import Attempt, Exclusion, attempt_in, exclusion_in
from .index import Index, Known, Sheet, has_grown, tail_of
from .journals import Journal, parsed
from .layout import Layout
from .lines import Lines

__all__ = ["Attempts"]

_GOOD = ("complete", "found", "accepted")

T = TypeVar("T")


@dataclass(slots=True)
class _Read:
    """How far a journal was read: its size then, and the end of its last whole line."""

    place: str
    runner: str
    number: int
    size: int = -1
    end: int = 0
    inode: int = 0


def _time_of(place: str) -> int | None:
    try:
        return os.stat(place).st_mtime_ns
    except OSError:
        return None


_TICK = 0.02
"""Seconds within which two changes may carry one time."""

_QUIET = 600_000_000_000
"""Nanoseconds without a heartbeat after which a journal is not expected to grow any more."""

_SHIFT = 44
"""Bits of a place that say where in its journal a line begins; those above say in which."""


class _OfJob:
    """The attempts on one job."""

    __slots__ = ("attempts", "count", "dead", "is_read", "last", "last_good", "reset")

    def __init__(self) -> None:
        self.is_read = True
        self.attempts: list[Attempt] = []
        self.dead: frozenset[tuple[str, int, str | None]] = frozenset()
        self._clear()

    def _clear(self) -> None:
        self.last_good: dict[str, Attempt] = {}
        self.last: dict[str, Attempt] = {}
        self.count: dict[str, int] = {}
        self.reset: dict[str, float] = {}

    def add(self, *attempts: Attempt) -> None:
        """Take more attempts into account.

        What a runner that was taken for dead has recorded after that does not count: it was done
        again by then, and the clocks of two machines do not tell which was later.
        """
        self.attempts += attempts
        deaths = [a for a in attempts if a.outcome == "interrupted" and a.ran_by is not None]
        if deaths:
            self.dead |= {(a.operation, a.number, a.ran_by) for a in deaths}
            attempts = tuple(self.attempts)  # some that counted may be of the dead
            self._clear()
        for attempt in attempts:
            if (attempt.operation, attempt.number, attempt.runner) not in self.dead:
                self._count(attempt)

    def _count(self, attempt: Attempt) -> None:
        name = attempt.operation
        self.count[name] = max(self.count.get(name, 0), attempt.number)
        if name not in self.last or attempt.end >= self.last[name].end:
            self.last[name] = attempt
        if attempt.outcome == "reset":
            self.reset[name] = max(attempt.end, self.reset.get(name, attempt.end))
            if name in self.last_good and self.last_good[name].end <= attempt.end:
                del self.last_good[name]
        elif attempt.outcome in _GOOD and attempt.end > self.reset.get(name, float("-inf")):
            if name not in self.last_good or attempt.end >= self.last_good[name].end:
                self.last_good[name] = attempt


class _ByTask(Mapping[tuple[str, str], T], Generic[T]):
    """What is known of each task, by operation and job."""

    def __init__(self, attempts: Attempts, name: str) -> None:
        self._attempts, self._name = attempts, name

    def _of(self, job: str) -> dict[str, T]:
        found: dict[str, T] = getattr(self._attempts.of_job(job), self._name)
        return found

    def __getitem__(self, key: tuple[str, str]) -> T:
        return self._of(key[1])[key[0]]

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        """Return what is known of a task."""
        return self._of(key[1]).get(key[0], default)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[0] in self._of(key[1])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for job in self._attempts.jobs():
            for operation in self._of(job):
                yield operation, job

    def __len__(self) -> int:
        return sum(len(self._of(job)) for job in self._attempts.jobs())


class Attempts:
    """All attempts of a project, as far as the planner asks for them.

    Parameters
    ----------
    index : Index, optional
        Where lines are that need not be looked for again.

    Attributes
    ----------
    last_good, last : Mapping of (str, str) to Attempt
        By operation and job: the last one whose outputs count, and the last one of all.
    count : Mapping of (str, str) to int
        The highest number of an attempt.
    exclusions : dict of str to Exclusion
        By job: the last word on whether it is excluded.
    beside : set of str
        Where the journals of other workers of a pool lie: `catch_up` leaves them out, as the pool
        tells each worker what it must know of the others.
    """

    def __init__(self, index: Index | None = None) -> None:
        self._index = index
        self.last_good: Mapping[tuple[str, str], Attempt] = _ByTask(self, "last_good")
        self.last: Mapping[tuple[str, str], Attempt] = _ByTask(self, "last")
        self.count: Mapping[tuple[str, str], int] = _ByTask(self, "count")
        self.exclusions: dict[str, Exclusion] = {}
        self.beside: Set[str] = frozenset()
        self._jobs: dict[str, _OfJob] = {}
        self._lines: dict[str, list[int]] = {}
        self._lines_of = Lines()
        self._journals: dict[str, _Read] = {}
        self._numbered: list[_Read] = []
        self._growing: list[_Read] = []
        self._listed = 0
        self._since = 0.0
        self._settled = False
        self._skipped = ""

    def jobs(self) -> list[str]:
        """Return the ids of all jobs on which something was attempted."""
        indexed = self._index.jobs() if self._index is not None else ()
        return list(dict.fromkeys([*indexed, *self._lines, *self._jobs]))

    def lines_of(self, job: str) -> list[int]:
        """Return where the lines on a job are."""
        indexed = self._index.lines_of(job) if self._index is not None else []
        return indexed + self._lines.get(job, [])

    def first_line_of(self, job: str) -> int:
        """Return where the first line on a job is; -1 if there is none."""
        lines = self.lines_of(job)
        return lines[0] if lines else -1

    def is_as_indexed(self, job: str) -> bool:
        """Whether nothing is known of a job but what the index says."""
        return self._index is not None and job not in self._lines and job not in self._jobs

    def beside_index(self) -> Set[str] | None:
        """Return the jobs of which more is known than the index says, or that are excluded.

        None if there is no index, or its journals are not what they were.
        """
        if self._index is None:
            return None
        excluded = {job for job, last in self.exclusions.items() if last.excluded}
        return excluded | self._lines.keys() | self._jobs.keys()

    def of_job(self, job: str) -> _OfJob:
        """Return the attempts on a job, read if they were not yet."""
        found = self._jobs.get(job)
        if found is None:
            lines = self.lines_of(job)
            if not lines:
                return _NOTHING
            found = self._jobs[job] = _OfJob()
            told = [attempt_in(data, said.runner) for said, data in self._read_lines(lines)]
            found.add(*(attempt for attempt in told if attempt is not None))
        return found

    def unread(self, job: str) -> list[dict[str, Any]]:
        """Return what the lines on a job say that were not asked for; none if they were."""
        if job in self._jobs:
            return []
        return [data for _, data in self._read_lines(self.lines_of(job))]

    def _read_lines(self, places: list[int]) -> Iterator[tuple[_Read, dict[str, Any]]]:
        """Yield what some lines say, with their journals; those that are gone say nothing."""
        for place in places:
            journal = self._numbered[place >> _SHIFT]
            try:
                data = parsed(self._lines_of.at(journal.place, place & (1 << _SHIFT) - 1))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unreadable(journal.place, error) from error
            if data is not None:
                yield journal, data

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
        self._lines_of.close()
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
        else:
            self._refresh(layout, own, self.beside)

    def _adopt(self, journals: list[Path]) -> None:
        """Take over where lines are from the index, if its journals have only grown since."""
        if self._index is None or self._numbered:
            return
        places = {path.name: str(path) for path in journals}
        found = []
        for number, known in enumerate(self._index.journals):
            place = places.get(known.name)
            if place is None or not has_grown(place, known):
                break
            size, end = known.size, known.end
            found.append(_Read(place, known.runner, number, size, end, known.inode))
        if len(found) < len(self._index.journals):
            self._index = None
            return
        self._numbered = found
        self._journals = {journal.place: journal for journal in found}
        for told in self._index.exclusions:
            exclusion = exclusion_in(told, str(told.get("runner", "")))
            if exclusion is not None:
                self.add_exclusion(exclusion)

    def index(self, sheets: dict[str, Sheet]) -> Index:
        """Return what is to be kept in the index, with what is known of settled jobs."""
        journals = [
            Known(Path(j.place).name, j.inode, j.size, j.end, j.runner, tail_of(j.place, j.end))
            for j in self._numbered
        ]
        rows = [sheet.rows for sheet in sheets.values()]
        others = {
            job: self.lines_of(job)
            for job in self.jobs()
            if not any(job in sheet for sheet in rows)
        }
        exclusions = [
            {"kind": "exclusion", **e.as_json(), "runner": e.runner}
            for e in self.exclusions.values()
        ]
        return Index(sheets, journals, others, exclusions)

    def _list(self, journals: list[Path], skipped: str, left_out: Set[str]) -> None:
        self._adopt(journals)
        newest = _time_of(skipped)
        self._skipped = skipped
        self._growing.clear()
        for path in journals:
            place = str(path)
            known = self._journals.get(place)
            if place in left_out or (place == skipped and known is None):
                continue
            journal = known or self._known(place, path.stem)
            seen = self._read_on(journal)
            # a runner that lives moves its journal's time every few seconds
            if place == skipped or seen is None:
                continue
            if newest is None or newest - seen < _QUIET:
                self._growing.append(journal)

    def _known(self, place: str, runner: str) -> _Read:
        """Give a journal a number."""
        journal = self._journals[place] = _Read(place, runner, len(self._numbered))
        self._numbered.append(journal)
        return journal

    def _read_on(self, journal: _Read) -> int | None:
        """Read what is new in a journal; return its time, or None if it is gone."""
        try:
            seen = os.stat(journal.place)
            journal.inode = seen.st_ino
            if seen.st_size != journal.size:
                self._read(journal, seen.st_size)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(journal.place, error) from error
        return seen.st_mtime_ns

    def _read(self, journal: _Read, size: int) -> None:
        if size < journal.size:
            self._lose(journal)  # another file under the same name
        with open(journal.place, "rb") as file:
            file.seek(journal.end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._note(journal, line)
                journal.end += len(line)
        journal.size = size

    def _lose(self, journal: _Read) -> None:
        """Forget where the lines of a journal are."""
        if self._index is not None:
            self._lines = {job: self.lines_of(job) for job in self.jobs()}
            self._index = None
        journal.end = 0
        for job, places in list(self._lines.items()):
            self._lines[job] = [p for p in places if p >> _SHIFT != journal.number]

    def _note(self, journal: _Read, line: bytes) -> None:
        """Note a line that begins where a journal was read to."""
        known = line.startswith(_OURS)
        job = _job_in(line) if known else ""
        data = None if job else parsed(line)
        if data is not None:
            if data.get("kind") == "runner":
                journal.runner = str(data.get("runner") or journal.runner)
            exclusion = exclusion_in(data, journal.runner)
            if exclusion is not None:
                self.add_exclusion(exclusion)
            if data.get("kind") == "attempt" and isinstance(data.get("job"), str):
                job = data["job"]
        if not job:
            return
        place, places = journal.number << _SHIFT | journal.end, self._lines.setdefault(job, [])
        if place in places:
            return  # whoever wrote it has told of it
        places.append(place)
        if job in self._jobs:
            attempt = attempt_in(data or parsed(line), journal.runner)
            if attempt is not None:
                self._jobs[job].add(attempt)

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
        return self.of_job(key[1]).reset.get(key[0])

    def add(self, attempt: Attempt, at: tuple[str, int] | None = None) -> None:
        """Take one more attempt into account.

        Parameters
        ----------
        attempt : Attempt
            The attempt.
        at : (str, int), optional
            The journal in which its line stands, and where that begins.
        """
        job = attempt.job
        if at is None:
            found = self.of_job(job)
            if found is _NOTHING:
                found = self._jobs[job] = _OfJob()
            found.is_read = False
            found.add(attempt)
            return
        if job in self._jobs:
            self._jobs[job].add(attempt)
        elif not self.lines_of(job):
            self._jobs[job] = found = _OfJob()
            found.add(attempt)
        place, begin = at
        journal = self._journals.get(place) or self._known(place, Path(place).stem)
        self._lines.setdefault(job, []).append(journal.number << _SHIFT | begin)

    def newest(self, job: str) -> tuple[str, int] | None:
        """Return in which journal the newest line on a job stands, and where it begins."""
        lines = self._lines.get(job)
        if not lines:
            return None
        return self._numbered[lines[-1] >> _SHIFT].place, lines[-1] & (1 << _SHIFT) - 1

    def release(self, job: str) -> None:
        """Forget the attempts on a job; where their lines are is enough to read them again."""
        found = self._jobs.get(job)
        if found is not None and found.is_read:
            del self._jobs[job]


_NOTHING = _OfJob()
"""Of a job on which nothing was attempted."""

_OURS = b'{"kind":"attempt","operation":"'
"""How a line begins in which the job comes next; others are parsed."""


def _job_in(line: bytes) -> str:
    """Return the job that an attempt's line names, or nothing if it is written otherwise."""
    operation = line.find(b'"', len(_OURS))
    if not line.startswith(b'","job":"', operation):
        return ""
    begin = operation + 9
    return line[begin : line.find(b'"', begin)].decode("ascii", "replace")


def _unreadable(place: str, error: OSError) -> SpaceError:
    return SpaceError(
        f"the journal {place} cannot be read: {error.strerror or error}. It says what was done; "
        "make it readable for you."
    )
