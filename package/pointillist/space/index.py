"""The index: what was seen of jobs on which nothing is to be done, to be seen again faster.

It is a cache: it may be deleted, be torn or come from elsewhere, and no answer differs. What it
says of a job counts as long as the job's folder has the number and the times that it had, and the
journals have only grown. One file, replaced whole, of numbers that are read in one piece::

    pointillist index 2 <CRC-32 of the rest> <bytes of the head>
    the head: JSON
    for each class: the ids, the numbers, where the lines begin, the keys, a line for each job

Who writes it looks at nothing that changed within the last instant before the look began: two
changes within one tick of a file system's clock carry one time.
"""

from __future__ import annotations

import contextlib
import os
import sys
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from .layout import Layout

__all__ = [
    "FOLDER",
    "Index",
    "Known",
    "Sheet",
    "folder_stamp",
    "has_grown",
    "read_index",
    "tail_of",
    "time_at",
    "write_index",
]

_MAGIC = b"pointillist index 2"
_ID = 32
"""Characters of a job id."""


@dataclass(slots=True)
class Known:
    """A journal, as far as the index knows it.

    Parameters
    ----------
    name : str
        Its name among the journals.
    inode : int
        The file's number.
    size : int
        Its size when it was read.
    end : int
        Where its last whole line ended.
    runner : str
        Who wrote it.
    tail : int
        The CRC-32 of what was before that end.
    """

    name: str
    inode: int
    size: int
    end: int
    runner: str
    tail: int


@dataclass
class Sheet:
    """What is known of the settled jobs of one class.

    Parameters
    ----------
    signature : str
        A hash of all that the class says of its steps.
    kinds : list of (str, str)
        The names and types of the class's keys.
    width : int
        How many numbers there are of each job: three of its folder, then size and time of its
        state point and of each file that its steps make or read.
    ids : list of str
        The jobs.
    numbers : array of int
        The numbers, one job after the other.
    lines : array of int
        Where the lines on the jobs are, one job after the other.
    begins : array of int
        Where in `lines` those of each job begin; and the end.
    keys : list of bytes
        The values of each job's keys, as in its state point: a list in JSON.
    """

    signature: str
    kinds: list[list[str]]
    width: int
    ids: list[str] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    begins: array[int] = field(default_factory=lambda: array("q", [0]))
    keys: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = {id: row for row, id in enumerate(self.ids)}

    def add(self, id: str, numbers: Sequence[int], lines: list[int], keys: bytes) -> None:
        """Add a job."""
        self.rows[id] = len(self.ids)
        self.ids.append(id)
        self.numbers.extend(numbers)
        self.lines.extend(lines)
        self.begins.append(len(self.lines))
        self.keys.append(keys)

    def join(self, other: Sheet) -> None:
        """Add all jobs of another sheet; none of them is here."""
        first, begin = len(self.ids), len(self.lines)
        self.rows.update((id, first + row) for row, id in enumerate(other.ids))
        self.ids += other.ids
        self.numbers.extend(other.numbers)
        self.lines.extend(other.lines)
        self.begins.extend(begin + end for end in other.begins[1:])
        self.keys += other.keys

    def extend(self, other: Sheet, which: Callable[[str, tuple[int, ...]], bool]) -> None:
        """Add those jobs of another sheet that are not here and of which `which` is true."""
        for row, id in enumerate(other.ids):
            numbers = other.numbers_of(row)
            if id not in self.rows and which(id, numbers):
                self.add(id, numbers, other.lines_of(row), other.keys[row])

    def numbers_of(self, row: int) -> tuple[int, ...]:
        """Return the numbers of a job."""
        return tuple(self.numbers[row * self.width : (row + 1) * self.width])

    def statepoint_of(self, row: int) -> tuple[int, int]:
        """Return the size and the time of a job's state point."""
        at = row * self.width + FOLDER
        return self.numbers[at], self.numbers[at + 1]

    def lines_of(self, row: int) -> list[int]:
        """Return where the lines on a job are."""
        return self.lines[self.begins[row] : self.begins[row + 1]].tolist()


FOLDER = 3
"""How many numbers there are of a folder."""


@dataclass
class Index:
    """All that the index says.

    Parameters
    ----------
    sheets : dict of str to Sheet
        By class.
    journals : list of Known
        The journals; a line's place says in which of them it is.
    others : dict of str to list of int
        Where the lines on all other jobs are.
    exclusions : list of dict
        The lines on exclusions, with the number of their journal.
    """

    sheets: dict[str, Sheet] = field(default_factory=dict)
    journals: list[Known] = field(default_factory=list)
    others: dict[str, list[int]] = field(default_factory=dict)
    exclusions: list[dict[str, Any]] = field(default_factory=list)

    def lines_of(self, job: str) -> list[int]:
        """Return where the lines on a job are."""
        for sheet in self.sheets.values():
            row = sheet.rows.get(job)
            if row is not None:
                return sheet.lines_of(row)
        return self.others.get(job, [])

    def jobs(self) -> Iterator[str]:
        """Yield the ids of all jobs on which there are lines."""
        for sheet in self.sheets.values():
            yield from sheet.ids
        yield from self.others


def tail_of(place: str, end: int) -> int:
    """Return the CRC-32 of what is before some place in a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    begin = max(0, end - _TAIL)
    with open(place, "rb", buffering=0) as file:
        return zlib.crc32(os.pread(file.fileno(), end - begin, begin))


_TAIL = 1024
"""Bytes by which a journal is known that has only grown."""


def has_grown(place: str, known: Known) -> bool:
    """Whether a journal is the one that the index knows, with or without more at its end."""
    try:
        seen = os.stat(place)
        if seen.st_ino != known.inode or seen.st_size < known.size:
            return False
        return tail_of(place, known.end) == known.tail
    except OSError:
        return False


def folder_stamp(place: str) -> tuple[int, int, int]:
    """Return what changes when something comes into a folder or goes: number and times.

    Raises
    ------
    OSError
        If it is not there.
    """
    seen = os.stat(place)
    return seen.st_ino, seen.st_mtime_ns, seen.st_ctime_ns


def read_index(layout: Layout) -> Index | None:
    """Return what the index says; None if there is none, or none that is whole."""
    try:
        with open(layout.index, "rb") as file:
            first, rest = file.readline(), file.read()
        magic, check, size = first.rsplit(b" ", 2)
        if magic != _MAGIC + sys.byteorder.encode() or zlib.crc32(rest) != int(check):
            return None
        view = memoryview(rest)
        head, at = orjson.loads(view[: int(size)]), int(size)
        sheets = {}
        for name, told in head["sheets"].items():
            signature, kinds, width, count, line_count, key_size = told
            text = bytes(view[at : at + _ID * count]).decode("ascii")
            at += _ID * count
            arrays = []
            for length in (width * count, line_count, count + 1):
                arrays.append(array("q"))
                arrays[-1].frombytes(view[at : at + 8 * length])
                at += 8 * length
            numbers, lines, begins = arrays
            keys = bytes(view[at : at + key_size]).split(b"\n") if count else []
            at += key_size
            ids = [text[n : n + _ID] for n in range(0, len(text), _ID)]
            sheets[name] = Sheet(signature, kinds, width, ids, numbers, lines, begins, keys)
        journals = [Known(*told) for told in head["journals"]]
        return Index(sheets, journals, head["others"], head["exclusions"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _fresh(layout: Layout) -> Path:
    """Return where an index is written before it takes its place, whole."""
    return layout.index.with_name(f"{layout.index.name}.{os.getpid()}")


def time_at(layout: Layout) -> int | None:
    """Return the time, in nanoseconds, that what is written to the disk now has; None if none can.

    It is the file system's, which may be another machine's.
    """
    fresh = _fresh(layout)
    try:
        fresh.touch()
        seen = fresh.stat().st_mtime_ns
        fresh.unlink()
    except OSError:
        return None
    return seen


def write_index(layout: Layout, index: Index) -> None:
    """Replace the index; where it cannot be written, the next look takes longer."""
    try:
        content = _content(index)
    except TypeError:  # somebody has written of a job whose id is no text
        return
    fresh = _fresh(layout)
    try:
        fresh.write_bytes(content)
        os.replace(fresh, layout.index)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def _content(index: Index) -> bytes:
    keys = {name: b"\n".join(sheet.keys) for name, sheet in index.sheets.items()}
    head: Mapping[str, Any] = {
        "sheets": {
            name: (s.signature, s.kinds, s.width, len(s.ids), len(s.lines), len(keys[name]))
            for name, s in index.sheets.items()
        },
        "journals": [(k.name, k.inode, k.size, k.end, k.runner, k.tail) for k in index.journals],
        "others": index.others,
        "exclusions": index.exclusions,
    }
    told = orjson.dumps(head)
    parts = [told]
    for name, sheet in index.sheets.items():
        parts.append("".join(sheet.ids).encode("ascii"))
        parts += [sheet.numbers.tobytes(), sheet.lines.tobytes(), sheet.begins.tobytes()]
        parts.append(keys[name])
    rest = b"".join(parts)
    first = b"%b%b %d %d\n" % (_MAGIC, sys.byteorder.encode(), zlib.crc32(rest), len(told))
    return first + rest
