"""What a batch job must know of its element, as it is written in a submission, and read.

Of a hundred thousand jobs, and ten thousand journals, it needs a few: those of the lines on its own
jobs and their members, those that may have grown, and those that came since, but for the journals
of other batch jobs of its submission on other jobs. A batch job's journal is called after it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, SpaceError
from .index import Index, Known
from .journals import read_journal
from .layout import Layout
from .memory import _SHIFT

if TYPE_CHECKING:
    from .submissions import SentArray

__all__ = ["ElementTold", "batch_of", "elements_told", "journals_told", "read_element"]

_KNOWN = ("name", "inode", "size", "end", "runner", "tail")

_QUIET = 600_000_000_000
"""Nanoseconds without a sign of life after which a journal is not expected to grow any more."""


@dataclass
class ElementTold:
    """What a batch job knows of its element.

    Parameters
    ----------
    array : SentArray
        Its array, with this element only.
    index : Index
        Where the lines are that it needs.
    is_left_out : callable
        Whether a journal, by its name, need not be read.
    """

    array: SentArray
    index: Index
    is_left_out: Callable[[str], bool]


_BATCH = re.compile(r"[^-]+-[^-]+-\d+-(?P<batch>.+\.\d+\.\d+)(-\d+)?")


def batch_of(runner: str) -> str:
    """Return the submission, array and element that a runner's name says it is of; or nothing."""
    found = _BATCH.fullmatch(runner)
    return found["batch"] if found else ""


def journals_told(layout: Layout, index: Index) -> dict[str, Any]:
    """Return what is written of the journals: how far each was read, and which may still grow."""
    times = {}
    for known in index.journals:
        try:
            times[known.name] = os.stat(layout.runs / known.name).st_mtime_ns
        except OSError:
            continue
    newest = max(times.values(), default=0)
    return {
        "journals": [[getattr(known, name) for name in _KNOWN] for known in index.journals],
        "growing": [name for name, time in times.items() if newest - time < _QUIET],
        "exclusions": index.exclusions,
    }


def elements_told(
    arrays: Iterable[SentArray], index: Index, needed: Mapping[str, Iterable[str]]
) -> Iterator[dict[str, Any]]:
    """Yield what is written of each element.

    Parameters
    ----------
    arrays : iterable of SentArray
        The arrays.
    index : Index
        Where the lines on all jobs are.
    needed : Mapping of str to iterable of str
        Of each job, those whose lines must be known where it is worked on.
    """
    listed = list(arrays)
    at: dict[str, list[str]] = {}
    for array in listed:
        for element, jobs in array.elements.items():
            for job in jobs:
                at.setdefault(job, []).append(f"{array.number}.{element}")
    for array in listed:
        for element, jobs in array.elements.items():
            ids = dict.fromkeys(id for job in jobs for id in needed[job])
            places = {id: index.lines_of(id) for id in ids}
            yield {
                "kind": "element",
                "array": array.number,
                "element": element,
                "jobs": jobs,
                "counts": {job: array.counts[job] for job in jobs if job in array.counts},
                "lines": {id: found for id, found in places.items() if found},
                "beside": list(dict.fromkeys(other for id in ids for other in at.get(id, ()))),
            }


def read_element(layout: Layout, name: str, array: str, element: int) -> ElementTold:
    """Return what a batch job must know of its element.

    Raises
    ------
    ConfigurationError
        If there is no such element.
    SpaceError
        If the submission cannot be read.
    """
    from .submissions import SentArray

    place = layout.submission(name)
    if not place.exists():
        place = layout.submission(name, ended=True)
    opening: dict[str, Any] = {}
    told: dict[str, Any] = {}
    found = SentArray(array, "")
    try:
        for line in read_journal(place, f'"array":"{array}",'.encode()):
            kind = line.get("kind")
            if kind == "submission":
                opening = line
            elif kind == "array" and line["array"] == array:
                found.step, found.options = line["step"], line["options"]
            elif kind == "element" and (line["array"], line["element"]) == (array, element):
                told, found.elements[element] = line, line["jobs"]
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SpaceError(f"{place} cannot be read: {error.strerror or error}.") from error
    if not told:
        raise ConfigurationError(
            f"there is no element {element} of the array {array} of a submission {name}: "
            f"{place} does not tell of it. `work` is for batch jobs, `run` does what is to be done."
        )
    return _told(found, name, opening, told)


def _told(
    array: SentArray, name: str, opening: dict[str, Any], told: dict[str, Any]
) -> ElementTold:
    journals = [Known(*known) for known in opening["journals"]]
    growing, lines = set(opening["growing"]), told["lines"]
    used = {place >> _SHIFT for places in lines.values() for place in places}
    chosen = [n for n, known in enumerate(journals) if n in used or known.name in growing]
    numbers = {old: new for new, old in enumerate(chosen)}
    inside = (1 << _SHIFT) - 1
    others = {
        job: [numbers[place >> _SHIFT] << _SHIFT | place & inside for place in places]
        for job, places in lines.items()
    }
    index = Index({}, [journals[n] for n in chosen], others, opening["exclusions"])
    left_out = {known.name for known in journals} - {known.name for known in index.journals}
    beside, start = {f"{name}.{other}" for other in told["beside"]}, f"{name}."

    def is_left_out(journal: str) -> bool:
        batch = batch_of(journal.removesuffix(".jsonl"))
        return journal in left_out or (batch.startswith(start) and batch not in beside)

    return ElementTold(array, index, is_left_out)
