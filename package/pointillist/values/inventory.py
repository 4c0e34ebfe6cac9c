"""Which combinations of keys there are, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import CorruptRecord
from ..model.records import Record, RecordType
from ..space.dataspace import DataSpace
from .collection import look_up

__all__ = ["Entry", "Presence", "inventory", "values_of"]


class Presence(StrEnum):
    """What is there of one combination of keys."""

    THERE = "there"
    MISSING = "missing"
    EXCLUDED = "excluded"
    NONE = "none"


@dataclass(frozen=True)
class Entry:
    """One record.

    Parameters
    ----------
    record : Record
        The record.
    values : tuple
        What it has under the names that were asked for; None where it has nothing.
    presence : Presence
        Whether it is excluded, or a seed of it is missing.
    why : str
        The reason for which it is excluded, or the seed that is missing.
    """

    record: Record
    values: tuple[Any, ...]
    presence: Presence
    why: str = ""


def inventory(space: DataSpace, cls: RecordType, names: Iterable[str]) -> list[Entry]:
    """Return what is there of each record of a class, in the order of their keys.

    Parameters
    ----------
    space : DataSpace
        The records.
    cls : RecordType
        The class.
    names : iterable of str
        Keys, properties or entries of the document.
    """
    wanted = list(names)
    found = []
    for record in space.records(cls).values():
        try:
            values = tuple(_value(record, name) for name in wanted)
            found.append(Entry(record, values, *_presence(space, record)))
        except CorruptRecord as error:
            space.report(error)
    return found


def _value(record: Record, name: str) -> Any:
    """Return what a record has under a name, as something that can be counted."""
    try:
        value = look_up(record, name)
    except CorruptRecord:
        raise
    except Exception:  # a property that has no value for it: a row of a table is not there
        return None
    return str(value) if isinstance(value, list | dict | set) else value


def _presence(space: DataSpace, record: Record) -> tuple[Presence, str]:
    exclusion = space.exclusion(record)
    if exclusion is not None:
        return Presence.EXCLUDED, exclusion.reason
    for name, seed in type(record).seeds.items():
        if not seed.optional and not space.path(record, seed).exists():
            return Presence.MISSING, f"{name}: {space.path(record, seed)}"
    return Presence.THERE, ""


def values_of(entries: Iterable[Entry], place: int) -> list[Any]:
    """Return the distinct values at one place of the entries, in order; None last."""
    distinct = list(dict.fromkeys(entry.values[place] for entry in entries))
    known = [value for value in distinct if value is not None]
    kinds: dict[str, list[Any]] = {}  # values of several types have no order of their own
    for value in known:
        is_number = isinstance(value, int | float)
        kinds.setdefault("" if is_number else type(value).__name__, []).append(value)
    ordered = [value for kind in sorted(kinds) for value in _sorted(kinds[kind])]
    return ordered + [None] * (len(known) < len(distinct))


def _sorted(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)
