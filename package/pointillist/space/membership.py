"""Which records belong to which aggregate, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ..errors import CorruptRecord, DeclarationError, RecordError
from ..model import keys
from ..model.records import Record, RecordType, sort_key

__all__ = ["DIGEST", "LEFT", "MEMBERS", "Group", "digest", "group_members"]

MEMBERS = "members"
"""The document's entry with the ordered member ids."""

DIGEST = "members_digest"
"""The document's entry with their digest."""


LEFT = "members_excluded"
"""The document's entry with the ids of those that would be members, but are excluded."""


@dataclass(frozen=True)
class Group:
    """The members of one aggregate.

    Parameters
    ----------
    values : dict
        The aggregate's keys.
    members : tuple of Record
        Its members, in order.
    """

    values: dict[str, Any]
    members: tuple[Record, ...]


def group_members(
    cls: RecordType, candidates: Iterable[Record], problems: list[RecordError]
) -> list[Group]:
    """Group records by an aggregate's keys.

    Parameters
    ----------
    cls : RecordType
        The aggregate's class.
    candidates : iterable of Record
        All records of the member's class.
    problems : list of RecordError
        Is told of each record that belongs nowhere, because a property has no value for it or one
        of a wrong type.

    Returns
    -------
    list of Group
        In the order of the aggregate's keys.

    Raises
    ------
    CorruptRecord
        If a property takes what cannot be read, so that nobody knows where its record belongs.
    DeclarationError
        If members cannot be ordered.
    """
    groups: dict[tuple[Any, ...], list[Record]] = {}
    ways = [
        (getattr(cls.__fields__[name], "of", None) or name, kind, f"{cls.__name__}.{name}")
        for name, kind in cls.keys.items()
    ]
    orders = [_ascending(wanted) for wanted in cls.__order__]
    for record in candidates:
        try:
            if cls.__select__ is not None and not _value(cls, record, cls.__select__):
                continue
            values = [keys.check(_value(cls, record, way), kind, name) for way, kind, name in ways]
            for wanted in orders:
                _value(cls, record, wanted)
        except DeclarationError as error:
            text = str(error).removeprefix(f"{record.label}: ")
            problems.append(
                RecordError(f"{record.label} is in no {cls.__name__}: {text}", record=record.label)
            )
            continue
        groups.setdefault(tuple(values), []).append(record)
    return [
        Group(dict(zip(cls.keys, place, strict=True)), tuple(ordered(cls, groups[place])))
        for place in sorted(groups)
    ]


def ordered(cls: RecordType, members: Iterable[Record]) -> list[Record]:
    """Return members in the order that the aggregate declares; ties by the members' keys."""
    result = sorted(members, key=sort_key)
    for wanted in reversed(cls.__order__):
        way = _ascending(wanted)
        placed = [(_value(cls, record, way), record) for record in result]
        try:
            placed.sort(key=itemgetter(0), reverse=way != wanted)
        except TypeError as error:
            raise DeclarationError(
                f"{cls.__name__} cannot be ordered by {_said(wanted)}: {error}. Give every "
                f"{type(result[0]).__name__} a value of one type."
            ) from None
        result = [record for _, record in placed]
    return result


def _ascending(wanted: Any) -> Any:
    return wanted.removeprefix("-") if isinstance(wanted, str) else wanted


def _said(wanted: Any) -> str:
    return wanted if isinstance(wanted, str) else getattr(wanted, "__name__", repr(wanted))


def _value(cls: RecordType, record: Record, wanted: Any) -> Any:
    """Return what a member has under a name, or a function gives of it."""
    try:
        return wanted(record._as_member) if callable(wanted) else record._look_up(wanted)
    except CorruptRecord:  # where it belongs is not known
        raise
    except Exception as error:
        if isinstance(error, KeyError) and type(record).__plain__ and not callable(wanted):
            raise DeclarationError(f"its state point has no {wanted}") from error
        table = f", or a row in {type(record).__table__}" if type(record).__table__ else ""
        what = "the function" if callable(wanted) else "its property"
        raise DeclarationError(
            f"{record.label}: {what} {_said(wanted)}, by which {cls.__name__} groups or orders, "
            f"raised {type(error).__name__}: {error}. It may depend on keys and the document only; "
            f"it needs a value{table}.",
            record=record.label,
        ) from error


def digest(members: Iterable[str]) -> str:
    """Return the digest of ordered member ids."""
    return hashlib.sha256("\n".join(members).encode()).hexdigest()[:32]
