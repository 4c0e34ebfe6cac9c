"""A data space of which only some jobs are looked at: those that a batch job is about.

A batch job on ten of a hundred thousand records neither lists their folders nor reads the lines
on the others: who submitted it has written down what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import CorruptRecord
from ..model.records import Record, RecordType
from .dataspace import DataSpace
from .index import Index
from .membership import LEFT, MEMBERS
from .memory import Attempts

__all__ = ["confine", "with_members"]


def with_members(space: DataSpace, record: Record) -> list[str]:
    """Return the ids of the jobs that the tasks of a record may depend on: its own, its members'.

    An aggregate whose document cannot be read has none; its tasks say so.
    """
    found = [record.id]
    if type(record).__member__ is not None:
        try:
            members = [*space.members(record), *space.excluded_members(record)]
        except CorruptRecord:
            members = []
        for member in members:
            found += with_members(space, member)
    return found


def confine(
    space: DataSpace,
    ids: Mapping[RecordType, list[str]],
    index: Index,
    is_left_out: Callable[[str], bool],
) -> None:
    """Let a data space know only some jobs and their members, and of them what an index says.

    Parameters
    ----------
    space : DataSpace
        The records, of which nothing was asked yet.
    ids : Mapping of RecordType to list of str
        The jobs, by class.
    index : Index
        Where the lines on them, and on their members, are.
    is_left_out : callable
        Whether a journal, by its name, tells nothing of them.
    """
    space.forget()
    space.layout.is_left_out = is_left_out
    space.index, space.attempts = index, Attempts(index)
    only = {cls: list(ids.get(cls, ())) for cls in space.classes}
    for cls in reversed(space.classes):  # aggregates come after their members
        if cls.__member__ is None:
            continue
        for id in only[cls]:
            only[cls.__member__] += _named(space, cls, id)
    space.only = {cls: list(dict.fromkeys(found)) for cls, found in only.items()}


def _named(space: DataSpace, cls: RecordType, id: str) -> list[Any]:
    """Return the members that an aggregate's document names."""
    try:
        document = space.document(cls, id)
    except CorruptRecord:
        return []
    named = [document.get(entry) for entry in (MEMBERS, LEFT)]
    return [member for members in named if isinstance(members, list) for member in members]
