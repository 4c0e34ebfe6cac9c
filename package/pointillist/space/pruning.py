"""Pruning: the folders of aggregates that have lost all their members are removed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import RecordError
from ..model.records import Record, RecordType
from . import changes
from .claims import owner_of
from .dataspace import DataSpace
from .fingerprints import glance
from .journals import Journal
from .layout import JobFolder, claims_in, is_pruned
from .writing import alone, writing

__all__ = ["Pruned", "foresee_prune", "prune"]


@dataclass(frozen=True)
class Pruned:
    """An orphaned aggregate.

    Parameters
    ----------
    record : Record
        The aggregate.
    size : int
        The bytes of all that lies in its folder.
    entries : int
        How many files and folders that is.
    refused : str
        Why it is kept; empty if it is not.
    """

    record: Record
    size: int
    entries: int
    refused: str = ""


def foresee_prune(space: DataSpace) -> list[Pruned]:
    """Return the orphaned aggregates; nothing is written.

    Raises
    ------
    RecordError
        If part of the data space cannot be read, so that nobody knows whose members are gone.
    """
    changes.foresee(space)
    found = [_seen(space, record) for record in _orphans(space)]
    space.forget()
    return found


def prune(
    space: DataSpace, journal: Journal, shown: Iterable[Record] | None = None
) -> list[Pruned]:
    """Remove the folders of the orphaned aggregates; what the journals say of them stays.

    Parameters
    ----------
    space : DataSpace
        The records.
    journal : Journal
        This process's.
    shown : iterable of Record, optional
        Only these, if they are still orphaned.

    Raises
    ------
    RecordError
        If part of the data space cannot be read, so that nobody knows whose members are gone.
    SpaceError
        If a folder cannot be removed.
    """
    with alone(space, journal):
        changes.follow(space)
        for place in _left_behind(space):
            shutil.rmtree(place, ignore_errors=True)
        ids = None if shown is None else {record.id for record in shown}
        orphans = [record for record in _orphans(space) if ids is None or record.id in ids]
        found = [_seen(space, record) for record in orphans]
        for pruned in found:
            if not pruned.refused:
                folder = space.job_folder(pruned.record)
                with writing(folder.path):
                    # in one call: a folder with half of its files is never taken for a job
                    os.rename(folder.path, folder.pruned)
                    shutil.rmtree(folder.pruned)
        space.forget()
    return found


def _orphans(space: DataSpace) -> list[Record]:
    """Return the orphaned aggregates; refuse where some may only look as if they were."""
    found: list[Record] = []
    for cls in space.classes:
        orphans = space.orphans(cls)
        if orphans and cls.__member__ is not None:
            home = space.workspace(cls.__member__)
            if not home.is_dir():
                raise RecordError(
                    f"{home} is not there: whether the members of {orphans[0].label} are gone for "
                    "good is not certain. Is a disk missing?",
                    record=orphans[0].label,
                )
        found += orphans
    if found and space.problems:
        raise RecordError(
            f"whose members are gone is not certain while this is so: {space.problems[0]}",
            record=space.problems[0].record,
        )
    return found


def _seen(space: DataSpace, record: Record) -> Pruned:
    folder = space.job_folder(record)
    seen = glance(folder.path)
    size, entries = (seen.size, seen.count or 0) if seen is not None else (0, 0)
    return Pruned(record, size, entries, _held(folder))


def _held(folder: JobFolder) -> str:
    """Return which step of a job a runner has that may live; empty if none."""
    for step, generations in claims_in(os.listdir(folder.path)).items():
        owner = owner_of(folder, step, generations[-1])
        if owner is not None and owner.alive is not False:
            return f"{step} is running, by {owner.runner}"
    return ""


def _left_behind(space: DataSpace) -> Iterator[Path]:
    """Yield what a prune that was killed has not removed any more."""
    classes: list[RecordType] = [cls for cls in space.classes if cls.__member__ is not None]
    for cls in classes:
        workspace = space.workspace(cls)
        if workspace.is_dir():
            yield from (workspace / n for n in os.listdir(workspace) if is_pruned(n))
