"""Excluding records, and including them again; the aggregates follow at once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable

from ..errors import RecordNotFound
from ..model.records import Record
from . import changes
from .attempts import Exclusion
from .dataspace import DataSpace
from .identity import user
from .journals import Journal
from .writing import alone

__all__ = ["exclude", "include"]


def exclude(
    space: DataSpace, journal: Journal, records: Iterable[Record], reason: str
) -> list[Record]:
    """Exclude records: none of their steps is run, and they are members of no aggregate.

    Parameters
    ----------
    space : DataSpace
        The records.
    journal : Journal
        This process's; what it says is all that is kept of it.
    records : iterable of Record
        The records.
    reason : str
        Why.

    Returns
    -------
    list of Record
        Those that were not excluded for this reason before.

    Raises
    ------
    RecordNotFound
        If a record is no longer there.
    SpaceError
        If the project's folder cannot be written.
    """
    return _say(space, journal, records, True, reason)


def include(space: DataSpace, journal: Journal, records: Iterable[Record]) -> list[Record]:
    """Include records again.

    Returns
    -------
    list of Record
        Those that were excluded, themselves and not with their members.

    Raises
    ------
    RecordNotFound
        If a record is no longer there.
    SpaceError
        If the project's folder cannot be written.
    """
    return _say(space, journal, records, False, "")


def _say(
    space: DataSpace, journal: Journal, records: Iterable[Record], excluded: bool, reason: str
) -> list[Record]:
    said = []
    with alone(space, journal):
        attempts = space.attempts.refresh(space.layout)
        for record in records:
            if record.id not in space.records(type(record)):
                raise RecordNotFound(f"{record.label} is not there.", record=record.label)
            now = attempts.excluded(record.id)
            if (now is not None) == excluded and (now is None or now.reason == reason):
                continue
            before = attempts.exclusions.get(record.id)
            moment = time.time()
            if before is not None:  # the later word counts, also when a clock was set back
                moment = max(moment, math.nextafter(before.time, math.inf))
            journal.exclude(Exclusion(record.id, excluded, reason, moment, user()))
            said.append(record)
        changes.follow(space)
    return said
