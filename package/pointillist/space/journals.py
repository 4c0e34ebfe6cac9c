"""Journals: each runner appends to one of its own, and all of them together are the attempts.

A journal is JSON lines. The first says who the runner is, each further one is one ended attempt
(`Attempt`), or says that a job is excluded from now on, or included (`Exclusion`). A line counts
when its newline is there: a writer that dies in the middle of a line leaves one that nobody reads.
"""

from __future__ import annotations

import copy
import errno
import os
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SpaceError
from .attempts import Attempt, Exclusion
from .identity import Identity, runner_name, user
from .jsontext import json_line, loads
from .layout import Layout

__all__ = ["Journal", "clock", "parsed", "read_journal"]


class Journal:
    """This process's journal: made when first needed, appended to, never rewritten.

    A process that is forked begins one of its own: the other lives and dies by itself, and does
    not read what it takes for its own.

    Parameters
    ----------
    layout : Layout
        The project's places.
    executor : str
        What carries the tasks out.
    """

    def __init__(self, layout: Layout, executor: str) -> None:
        self._layout = layout
        self.executor = executor
        self.folder = str(layout.runs)
        self._begin()
        _journals.add(self)

    def _begin(self) -> None:
        self._file: int | None = None
        self._size = 0
        self._beside: list[Path] = []
        self.runner = ""
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

    def append(self, attempt: Attempt) -> int:
        """Append an ended attempt. When this returns, the attempt counts.

        Returns
        -------
        int
            Where its line begins.

        Raises
        ------
        SpaceError
            If it cannot be written; the journal is then as it was before.
        """
        return self._append({"kind": "attempt", **attempt.as_json()})

    def exclude(self, exclusion: Exclusion) -> None:
        """Append that a job is excluded from now on, or included.

        Raises
        ------
        SpaceError
            If it cannot be written.
        """
        self._append({"kind": "exclusion", **exclusion.as_json()})

    def _append(self, line: dict[str, Any]) -> int:
        self.open()
        try:
            if clock() - self.beaten > _LONG:
                self.beat(_LONG)
            assert self._file is not None
            begin = self._size
            self._size += _write(self._file, line, begin)
            return begin
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
        if now - self.beaten > late:
            os.utime(self.folder)  # who takes it for one that grows no more lists all anew
        self.beaten = now
        for path in list(self._beside):
            try:
                os.utime(path)
            except OSError:
                self._beside.remove(path)

    def beat_also(self, path: Path) -> None:
        """Move the time of one more file with the journal's, as long as the file is there."""
        self._beside.append(path)

    def for_workers(self) -> Journal:
        """Return this journal for processes that are forked, to claim with; they append nothing."""
        self.open()
        return copy.copy(self)

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
            "executor": self.executor,
            "user": user(),
            "start": time.time(),
            **Identity.own().as_json(),
        }


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def _forked() -> None:
    for journal in _journals:
        journal._begin()


os.register_at_fork(after_in_child=_forked)


_LONG = 60.0
"""Seconds without a sign of life after which one comes before the next line."""


def clock() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def _write(file: int, data: dict[str, Any], before: int) -> int:
    """Append one line to a journal of so many bytes, whole or not at all; return its length."""
    line = json_line(data)
    try:
        if os.write(file, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(file, before)
        raise
    return len(line)


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
            data = parsed(line)
            if data is not None:
                yield data


def parsed(line: bytes) -> dict[str, Any] | None:
    """Return what a line of a journal says, or None if that is no JSON object."""
    try:
        data = loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
