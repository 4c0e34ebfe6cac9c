"""Journals: each runner appends to one of its own, and all of them together are the attempts.

A journal is JSON lines. The first says who the runner is, each further one is one ended attempt
(`Attempt`), or says that a job is excluded from now on, or included (`Exclusion`). A line counts
when its newline is there: a writer that dies in the middle of a line leaves one that nobody reads.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from ..errors import SpaceError
from .fingerprints import Fingerprint
from .identity import Identity, runner_name, user
from .layout import Layout

__all__ = [
    "Attempt",
    "Attempts",
    "Exclusion",
    "Journal",
    "Outcome",
    "StoredOutput",
    "attempt_in",
    "clock",
    "exclusion_in",
    "read_journal",
]

Outcome = Literal["complete", "found", "accepted", "failed", "changed", "interrupted", "reset"]

_GOOD = ("complete", "found", "accepted")


@dataclass(slots=True)
class StoredOutput:
    """An output as an attempt made it.

    Parameters
    ----------
    file : str
        Its name in the job's folder.
    print : Fingerprint
        What was staged; renaming it into place changes neither size nor time.
    staged : str
        Its name in the job's folder before it was renamed into place.
    """

    file: str
    print: Fingerprint
    staged: str = ""


@dataclass(slots=True)
class Attempt:
    """One ended execution of a task.

    Parameters
    ----------
    operation : str
        ``Block.stats``.
    job : str
        The job's id.
    outcome : {"complete", "found", "accepted", "failed", "changed", "interrupted", "reset"}
        ``found`` and ``accepted`` are no executions: outputs that were there, or that somebody
        blessed, and the inputs seen beside them; ``changed``: an input changed while the step
        ran; ``reset``: the outputs were removed, and what was before does not count any more.
    number : int
        1 for the task's first attempt.
    start, end : float
        Seconds since 1970.
    inputs : dict of str to Fingerprint or None
        By ``<job id>/<field>``; None for an optional seed that was not there.
    arguments : object
        What it was called with, as JSON.
    members : list of str or None
        The members' ids, in order, if the step takes anything from them.
    version : str or None
        The author's version.
    source : str or None
        The hash of the step's source.
    outputs : dict of str to StoredOutput
        By field.
    environment : str
        The hash under which the environment is kept.
    log : str or None
        The log, relative to the project, if anything was printed.
    error : str or None
        What went wrong, in a line.
    code : int or None
        The exit code of a command that failed; ``-n`` when signal ``n`` ended it.
    exception : str or None
        The name of the exception that a step, or the format of its output, raised.
    note : str or None
        What somebody who accepted or reset it said.
    ran_by : str or None
        The runner that carried it out, if it is not the one in whose journal it stands: a record
        that gets other keys takes its attempts along.
    user : str or None
        Who accepted or reset it.
    runner : str
        The journal that it stands in.
    """

    operation: str
    job: str
    outcome: Outcome
    number: int
    start: float
    end: float
    inputs: dict[str, Fingerprint | None]
    arguments: Any = None
    members: list[str] | None = None
    version: str | None = None
    source: str | None = None
    outputs: dict[str, StoredOutput] = field(default_factory=dict)
    environment: str = ""
    log: str | None = None
    error: str | None = None
    code: int | None = None
    exception: str | None = None
    note: str | None = None
    ran_by: str | None = None
    user: str | None = None
    runner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, without what is not set."""
        data: dict[str, Any] = {
            "operation": self.operation,
            "job": self.job,
            "outcome": self.outcome,
            "number": self.number,
            "start": self.start,
            "end": self.end,
        }
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.environment:
            data["environment"] = self.environment
        data["inputs"] = {name: p and p.as_json() for name, p in self.inputs.items()}
        data["outputs"] = {
            name: {"file": o.file, "staged": o.staged, **o.print.as_json()}
            for name, o in self.outputs.items()
        }
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], runner: str) -> Attempt:
        """Return the attempt that `as_json` described."""
        known = {name: v for name, v in data.items() if name in _FIELDS}
        known["inputs"] = {
            name: None if p is None else Fingerprint.from_json(p)
            for name, p in data.get("inputs", {}).items()
        }
        known["outputs"] = {
            name: StoredOutput(o["file"], Fingerprint.from_json(o), o.get("staged", ""))
            for name, o in data.get("outputs", {}).items()
        }
        return cls(**known, runner=runner)


_FIELDS = frozenset(Attempt.__dataclass_fields__)
_OPTIONAL = [name for name, field in Attempt.__dataclass_fields__.items() if field.default is None]


@dataclass(frozen=True)
class Exclusion:
    """That a job is excluded from now on, or included again.

    Parameters
    ----------
    job : str
        The job's id.
    excluded : bool
        False if it is included again.
    reason : str
        Why, as somebody said.
    time : float
        Seconds since 1970.
    user : str
        Who said so.
    runner : str
        The journal that it stands in.
    """

    job: str
    excluded: bool
    reason: str
    time: float
    user: str = ""
    runner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = {"job": self.job, "excluded": self.excluded, "reason": self.reason}
        return {**told, "time": self.time, "user": self.user}


class Journal:
    """This process's journal: made when first needed, appended to, never rewritten.

    Parameters
    ----------
    layout : Layout
        The project's places.
    executor : str
        What carries the tasks out.
    """

    def __init__(self, layout: Layout, executor: str) -> None:
        self._layout = layout
        self._executor = executor
        self._file: int | None = None
        self._size = 0
        self._beside: list[Path] = []
        self.runner = ""
        self.folder = str(layout.runs)
        self.place = ""
        self.inode = (0, 0)
        self.beaten = float("-inf")
        """When it last showed a sign of life, by `clock`."""
        self.doubt = float("-inf")
        """When a sign of life last came so late that the runner may have been thought dead."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return Path(self.place)

    def open(self) -> str:
        """Make the journal if it is not there yet, and return where it lies.

        Raises
        ------
        SpaceError
            If it cannot be written.
        """
        if self._file is not None:
            return self.place
        self.beaten = clock()
        try:
            self._layout.runs.mkdir(parents=True, exist_ok=True)
            name, number = runner_name(), 0
            while self._file is None:
                number += 1
                self.runner = name if number == 1 else f"{name}-{number}"
                self.place = str(self._layout.journal(self.runner))
                self._file = self._made()
            made = os.fstat(self._file)
            self.inode, self._size = (made.st_dev, made.st_ino), made.st_size
        except OSError as error:
            self.place = ""
            raise SpaceError(
                f"nothing can be recorded in {self._layout.runs}: {error.strerror or error}. "
                "Make the project's folder writable, or free some space."
            ) from error
        return self.place

    def append(self, attempt: Attempt) -> None:
        """Append an ended attempt. When this returns, the attempt counts.

        Raises
        ------
        SpaceError
            If it cannot be written; the journal is then as it was before.
        """
        self._append({"kind": "attempt", **attempt.as_json()})

    def exclude(self, exclusion: Exclusion) -> None:
        """Append that a job is excluded from now on, or included.

        Raises
        ------
        SpaceError
            If it cannot be written.
        """
        self._append({"kind": "exclusion", **exclusion.as_json()})

    def _append(self, line: dict[str, Any]) -> None:
        self.open()
        try:
            assert self._file is not None
            self._size += _write(self._file, line, self._size)
        except OSError as error:
            raise SpaceError(
                f"the attempt cannot be recorded in {self.place}: {error.strerror or error}."
            ) from error

    def beat(self, late: float = float("inf")) -> None:
        """Show that this runner lives: the journal's time, and so that of all its claims, moves.

        Parameters
        ----------
        late : float
            Seconds after which a sign of life comes so late that others may have acted.
        """
        if self._file is None:
            return
        now = clock()
        if now - self.beaten > late:
            self.doubt = now  # before others can read that it beats again
        os.utime(self._file)
        self.beaten = now
        for path in list(self._beside):
            try:
                os.utime(path)
            except OSError:
                self._beside.remove(path)

    def beat_also(self, path: Path) -> None:
        """Move the time of one more file with the journal's, as long as the file is there."""
        self._beside.append(path)

    def close(self) -> None:
        """Close the journal."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _made(self) -> int | None:
        """Make the journal with its first line in it; None if the name is taken."""
        # Under another name first, so that a journal always has its first line. Who makes that
        # name, exclusively, is the only one who may make the journal.
        fresh = self.path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        try:
            file = os.open(fresh, flags, 0o666)
        except FileExistsError:
            return None
        try:
            if not self.path.exists():
                _write(file, self._opening(), 0)
                os.rename(fresh, self.path)
                return file
            os.unlink(fresh)
        except OSError:
            os.close(file)
            fresh.unlink(missing_ok=True)
            raise
        os.close(file)
        return None

    def _opening(self) -> dict[str, Any]:
        return {
            "kind": "runner",
            "format": 1,
            "runner": self.runner,
            "executor": self._executor,
            "user": user(),
            "start": time.time(),
            **Identity.own().as_json(),
        }


def clock() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _write(file: int, data: dict[str, Any], before: int) -> int:
    """Append one line to a journal of so many bytes, whole or not at all; return its length."""
    line = _ENCODED(data).encode() + b"\n"
    try:
        if os.write(file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(file, before)
        raise
    return len(line)


_ENCODED = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, check_circular=False).encode


def read_journal(path: Path, holding: bytes = b"") -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal; what is no whole line, or no JSON, is left out.

    With `holding` only the first line and those with these bytes in them.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.endswith(b"\n"):
                return
            if number and holding not in line:
                continue
            data = _parsed(line)
            if data is not None:
                yield data


def attempt_in(data: dict[str, Any] | None, runner: str) -> Attempt | None:
    """Return the attempt that a journal's line tells, or None if it tells none of this format."""
    if data is None or data.get("kind") != "attempt":
        return None
    try:
        attempt = Attempt.from_json(data, runner)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return attempt if _is_sound(attempt) else None


def _is_sound(attempt: Attempt) -> bool:
    """Whether what is compared and ordered by is of the right types, whoever wrote the line."""
    prints = [*attempt.inputs.values(), *(made.print for made in attempt.outputs.values())]
    return (
        isinstance(attempt.operation, str)
        and isinstance(attempt.job, str)
        and attempt.outcome in get_args(Outcome)
        and isinstance(attempt.number, int)
        and isinstance(attempt.start, int | float)
        and isinstance(attempt.end, int | float)
        and all(p is None or (isinstance(p.size, int) and isinstance(p.mtime, int)) for p in prints)
    )


def exclusion_in(data: dict[str, Any] | None, runner: str) -> Exclusion | None:
    """Return the exclusion that a journal's line tells, or None if it tells none."""
    if data is None or data.get("kind") != "exclusion":
        return None
    try:
        said = (str(data["job"]), bool(data["excluded"]), str(data["reason"]), float(data["time"]))
        return Exclusion(*said, str(data.get("user", "")), runner)
    except (KeyError, TypeError, ValueError):
        return None


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
    """

    def __init__(self) -> None:
        self.last_good: dict[tuple[str, str], Attempt] = {}
        self.last: dict[tuple[str, str], Attempt] = {}
        self.count: dict[tuple[str, str], int] = {}
        self._reset: dict[tuple[str, str], float] = {}
        self.exclusions: dict[str, Exclusion] = {}
        self._journals: dict[str, _Read] = {}
        self._growing: list[_Read] = []
        self._listed = 0
        self._since = 0.0
        self._skipped = ""

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
        if changed != self._listed:
            self._listed, self._since = changed, time.monotonic()
        self._list(journals, own.place if own is not None else "")
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
        # a file that was made within one tick of the clock after a listing does not show
        settled = changed == self._listed and time.monotonic() > self._since + _TICK
        if settled and own.place == self._skipped:
            for journal in self._growing:
                self._read_on(journal)
        else:
            self.refresh(layout, own)

    def _list(self, journals: list[Path], skipped: str) -> None:
        newest = _time_of(skipped)
        self._skipped = skipped
        self._growing.clear()
        for path in journals:
            place = str(path)
            if place == skipped:
                continue
            journal = self._journals.setdefault(place, _Read(place, path.stem))
            seen = self._read_on(journal)
            # a runner that lives moves its journal's time every few seconds
            if seen is not None and (newest is None or newest - seen < _QUIET):
                self._growing.append(journal)

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
                data = _parsed(line)
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

    def add(self, attempt: Attempt) -> None:
        """Take one more attempt into account."""
        key = (attempt.operation, attempt.job)
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


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
