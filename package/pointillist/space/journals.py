"""Journals: each runner appends to one of its own, and all of them together are the attempts.

A journal is JSON lines. The first says who the runner is, each further one is one ended attempt
(`Attempt`). A line counts when its newline is there: a writer that dies in the middle of a line
leaves one that nobody reads.
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
    "Journal",
    "Outcome",
    "StoredOutput",
    "attempt_in",
    "read_journal",
]

Outcome = Literal["complete", "found", "failed", "changed", "interrupted"]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Attempt:
    """One ended execution of a task.

    Parameters
    ----------
    operation : str
        ``Block.stats``.
    job : str
        The job's id.
    outcome : {"complete", "found", "failed", "changed", "interrupted"}
        ``found`` is no execution: outputs that were there, and the inputs seen beside them;
        ``changed``: an input changed while the step ran.
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
    runner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, without what is not set."""
        data = {
            name: getattr(self, name)
            for name, field in self.__dataclass_fields__.items()
            if name not in ("inputs", "outputs", "runner") and getattr(self, name) != field.default
        }
        data["inputs"] = {name: p and p.as_json() for name, p in self.inputs.items()}
        data["outputs"] = {
            name: {"file": o.file, "staged": o.staged, **o.print.as_json()}
            for name, o in self.outputs.items()
        }
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], runner: str) -> Attempt:
        """Return the attempt that `as_json` described."""
        known = {name: v for name, v in data.items() if name in cls.__dataclass_fields__}
        known["inputs"] = {
            name: None if p is None else Fingerprint.from_json(p)
            for name, p in data.get("inputs", {}).items()
        }
        known["outputs"] = {
            name: StoredOutput(o["file"], Fingerprint.from_json(o), o.get("staged", ""))
            for name, o in data.get("outputs", {}).items()
        }
        return cls(**known, runner=runner)


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
        self._beside: list[Path] = []
        self.runner = ""
        self.path = Path()

    def open(self) -> Path:
        """Make the journal if it is not there yet, and return its path.

        Raises
        ------
        SpaceError
            If it cannot be written.
        """
        if self._file is not None:
            return self.path
        try:
            self._layout.runs.mkdir(parents=True, exist_ok=True)
            name, number = runner_name(), 0
            while self._file is None:
                number += 1
                self.runner = name if number == 1 else f"{name}-{number}"
                self.path = self._layout.journal(self.runner)
                self._file = self._made()
        except OSError as error:
            raise SpaceError(
                f"nothing can be recorded in {self._layout.runs}: {error.strerror or error}. "
                "Make the project's folder writable, or free some space."
            ) from error
        return self.path

    def append(self, attempt: Attempt) -> None:
        """Append an ended attempt. When this returns, the attempt counts.

        Raises
        ------
        SpaceError
            If it cannot be written; the journal is then as it was before.
        """
        self.open()
        try:
            assert self._file is not None
            _write(self._file, {"kind": "attempt", **attempt.as_json()})
        except OSError as error:
            raise SpaceError(
                f"the attempt cannot be recorded in {self.path}: {error.strerror or error}."
            ) from error

    def beat(self) -> None:
        """Show that this runner lives: the journal's time, and so that of all its claims, moves."""
        if self._file is None:
            return
        os.utime(self._file)
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
                _write(file, self._opening())
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


def _write(file: int, data: dict[str, Any]) -> None:
    """Append one line to a journal, whole or not at all."""
    line = json.dumps(data, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
    before = os.fstat(file).st_size
    try:
        if os.write(file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(file, before)
        raise


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a journal; what is no whole line, or no JSON, is left out."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
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


class Attempts:
    """All attempts of a project, as far as the planner asks for them."""

    def __init__(self) -> None:
        self.last_good: dict[tuple[str, str], Attempt] = {}
        self.last: dict[tuple[str, str], Attempt] = {}
        self.count: dict[tuple[str, str], int] = {}
        self._read: dict[Path, int] = {}

    def refresh(self, layout: Layout) -> Attempts:
        """Read what has been appended to the journals since they were last read.

        Raises
        ------
        SpaceError
            If a journal cannot be read: without it, what is done would be done again.
        """
        try:
            journals = layout.journals()
        except OSError as error:
            raise SpaceError(
                f"{layout.runs} cannot be read: {error.strerror or error}. It says what was done; "
                "make it readable for you."
            ) from error
        for path in journals:
            try:
                self._read_on(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise SpaceError(
                    f"the journal {path} cannot be read: {error.strerror or error}. It says what "
                    "was done; make it readable for you."
                ) from error
        return self

    def _read_on(self, path: Path) -> None:
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read[path] = self._read.get(path, 0) + len(line)
                data = _parsed(line)
                attempt = attempt_in(data, path.stem)
                if attempt is not None:
                    self.add(attempt)

    def add(self, attempt: Attempt) -> None:
        """Take one more attempt into account."""
        key = (attempt.operation, attempt.job)
        self.count[key] = max(self.count.get(key, 0), attempt.number)
        if key not in self.last or attempt.end >= self.last[key].end:
            self.last[key] = attempt
        good = attempt.outcome in ("complete", "found")
        if good and (key not in self.last_good or attempt.end >= self.last_good[key].end):
            self.last_good[key] = attempt


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
