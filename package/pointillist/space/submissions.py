"""Submissions: what was handed to a scheduler at once, and what is known to have ended of it.

A submission is JSON lines, as a journal is. It is written before anything is handed over, so that
a batch job finds in it which tasks are its own and what it must know of them::

    {"kind": "submission", …}   who, when, and how far each journal was read
    {"kind": "array", …}        one step: how its tasks are carried out
    {"kind": "element", …}      a batch job of an array: its jobs, and where the lines on them are
    {"kind": "sent", …}         the scheduler has taken an array, and calls it so
    {"kind": "withdrawn", …}    somebody has cancelled elements with `cancel`
    {"kind": "ended", …}        elements have ended, and how

Who appends holds the claim ``submission`` of the project's folder. When all has ended the file
gets another name, so that nobody reads it any more.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..errors import SpaceError
from .dataspace import DataSpace
from .elements import elements_told, journals_told
from .identity import runner_name, user
from .index import Index
from .journals import Journal, read_journal
from .jsontext import json_line
from .layout import Layout
from .writing import alone

__all__ = [
    "SentArray",
    "Submission",
    "append",
    "begun",
    "close",
    "open_submissions",
    "submitting",
]


@dataclass
class SentArray:
    """An array of a submission.

    Parameters
    ----------
    number : str
        Its number in the submission.
    step : str
        The operation.
    options : dict
        How its tasks are carried out.
    elements : dict of int to list of str
        The jobs of each element.
    counts : dict of str to int
        How many attempts there had been on a job, where there had been any.
    id : str
        What the scheduler calls it; empty if it is not known to have been taken.
    sent : float
        When it was, or not before when, in seconds since 1970.
    withdrawn : set of int
        The elements that somebody has cancelled with `cancel`.
    ended : dict of int to str
        Those that have ended, and how.
    """

    number: str
    step: str
    options: dict[str, Any] = field(default_factory=dict)
    elements: dict[int, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    id: str = ""
    sent: float = 0.0
    withdrawn: set[int] = field(default_factory=set)
    ended: dict[int, str] = field(default_factory=dict)

    @property
    def left(self) -> list[int]:
        """The elements that are not known to have ended."""
        return [element for element in self.elements if element not in self.ended]


@dataclass
class Submission:
    """What one `submit` has handed to a scheduler.

    Parameters
    ----------
    name : str
        Its name.
    user : str
        Who submitted.
    start : float
        When, in seconds since 1970.
    arrays : dict of str to SentArray
        By number.
    """

    name: str
    user: str = ""
    start: float = 0.0
    arrays: dict[str, SentArray] = field(default_factory=dict)

    def batch_name(self, array: str) -> str:
        """Return what ends the name of an array's batch jobs on the scheduler."""
        return f"{self.name}.{array}"


@contextmanager
def submitting(space: DataSpace, journal: Journal) -> Iterator[None]:
    """Be the only process that changes what is written of submissions.

    Raises
    ------
    SpaceError
        If another one is at it for a minute, or the project's folder cannot be written.
    """
    with alone(space, journal, "submission", "being submitted"):
        yield


def begun(
    layout: Layout,
    arrays: Iterable[SentArray],
    index: Index,
    needed: Mapping[str, Iterable[str]],
) -> Submission:
    """Write down what is to be submitted, before it is.

    Parameters
    ----------
    layout : Layout
        The project's places.
    arrays : iterable of SentArray
        The arrays.
    index : Index
        Where the lines on all jobs are.
    needed : Mapping of str to iterable of str
        Of each job, those whose lines must be known where it is worked on.

    Raises
    ------
    SpaceError
        If it cannot be written.
    """
    found = Submission(_free_name(layout), user(), time.time(), {a.number: a for a in arrays})
    opening = {
        "kind": "submission",
        "format": 1,
        "submission": found.name,
        "user": found.user,
        "start": found.start,
        "root": str(layout.root),
        "inode": os.stat(layout.root).st_ino,
    }
    lines = [{**opening, **journals_told(layout, index)}]
    for array in found.arrays.values():
        told = {"array": array.number, "step": array.step, "options": array.options}
        lines.append({"kind": "array", **told})
    lines += elements_told(found.arrays.values(), index, needed)
    append(layout, found.name, *lines)
    return found


def _free_name(layout: Layout) -> str:
    name, number = runner_name(), 1
    while any(
        layout.submission(_numbered(name, number), ended).exists() for ended in (False, True)
    ):
        number += 1
    return _numbered(name, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def append(layout: Layout, name: str, *lines: dict[str, Any]) -> None:
    """Append lines to a submission, in one call.

    Raises
    ------
    SpaceError
        If that cannot be done.
    """
    place = layout.submission(name)
    data = b"".join(map(json_line, lines))
    try:
        layout.submissions.mkdir(parents=True, exist_ok=True)
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            while data:
                data = data[os.write(file, data) :]
        finally:
            os.close(file)
    except OSError as error:
        raise SpaceError(
            f"what is submitted cannot be written to {place}: {error.strerror or error}. Make the "
            "project's folder writable, or free some space."
        ) from error


def open_submissions(layout: Layout) -> list[Submission]:
    """Return the submissions of which something may be left on the scheduler, oldest first.

    Raises
    ------
    SpaceError
        If one cannot be read: without it, what was submitted would be submitted again.
    """
    try:
        return [_read(layout, name) for name in layout.open_submissions()]
    except OSError as error:
        raise SpaceError(
            f"{error.filename or layout.submissions} cannot be read: {error.strerror or error}. It "
            "says what was submitted; make it readable for you."
        ) from error


def close(layout: Layout, name: str) -> None:
    """Put a submission aside of which nothing is left."""
    os.rename(layout.submission(name), layout.submission(name, ended=True))


def _read(layout: Layout, name: str) -> Submission:
    found = Submission(name)
    for line in read_journal(layout.submission(name)):
        if line.get("kind") == "submission" and _is_of_a_copy(layout, line):
            break
        with contextlib.suppress(KeyError, TypeError, ValueError):  # a line of no sense
            _take(found, line)
    return found


def _take(found: Submission, line: dict[str, Any]) -> None:
    """Take over what one line says."""
    kind, number = line.get("kind"), str(line.get("array"))
    if kind == "submission":
        found.user, found.start = str(line["user"]), float(line["start"])
    elif kind == "array":
        found.arrays[number] = SentArray(number, line["step"], line["options"], sent=found.start)
    elif number in found.arrays:
        array = found.arrays[number]
        if kind == "element":
            array.elements[int(line["element"])] = list(line["jobs"])
            array.counts |= line["counts"]
        elif kind == "sent":
            array.id, array.sent = str(line["id"]), float(line["time"])
        elif kind == "withdrawn":
            array.withdrawn |= set(line["elements"])
        elif kind == "ended":
            array.ended |= dict.fromkeys(line["elements"], str(line["state"]))


def _is_of_a_copy(layout: Layout, line: dict[str, Any]) -> bool:
    """Whether this is a copy of the project that was submitted, whose batch jobs work there.

    A place may be called otherwise on another host, and some file systems number files anew.
    """
    here = (str(layout.root), os.stat(layout.root).st_ino)
    return line.get("root") != here[0] and line.get("inode") != here[1]
