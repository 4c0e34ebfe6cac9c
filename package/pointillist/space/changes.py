"""Changing the data space: records are added, discovered, rekeyed; aggregates follow.

Whoever changes it holds the claim ``space`` of the project's own folder, so that two processes
never write one document at the same time.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import RecordError, SpaceError
from ..model.records import Record, RecordType, check_keys
from .claims import owner_of, take
from .dataspace import DataSpace
from .discovery import Report, identifying_seeds, search
from .fingerprints import Fingerprint
from .journals import Attempts, Journal
from .layout import JobFolder, claims_in
from .membership import DIGEST, MEMBERS, digest, group_members
from .tables import match_rows, read_rows

__all__ = ["add", "discover", "rekey", "sync"]

_PATIENCE = 60.0
"""Seconds for which a change waits for another process's change to end."""


def add(space: DataSpace, journal: Journal, cls: RecordType, values: Mapping[str, Any]) -> Record:
    """Add one record, if it is not there, and let the aggregates follow.

    Raises
    ------
    RecordError
        If the class is an aggregate, or a key is missing or wrong.
    """
    if cls.__member__ is not None:
        raise RecordError(
            f"{cls.__name__} is an aggregate: it follows its members. Add a "
            f"{cls.__member__.__name__}."
        )
    checked = check_keys(cls, values)
    place = tuple(checked.values())
    if place not in space.by_keys(cls):
        with _alone(space, journal):
            _make(space, cls, checked)
            space.forget()
            _sync(space)
    record: Record = space.by_keys(cls)[place]
    return record


def discover(space: DataSpace, journal: Journal) -> Report:
    """Find records by the patterns of their seeds, read tables, and let aggregates follow."""
    report = Report()
    with _alone(space, journal):
        for cls in space.classes:
            if cls.__member__ is None:
                _discover_class(space, cls, report)
        space.forget()
        report.aggregates = _sync(space)
    return report


def sync(space: DataSpace, journal: Journal) -> dict[str, tuple[int, int, int]]:
    """Let the aggregates follow their members; write only what differs.

    Returns
    -------
    dict of str to (int, int, int)
        By class: how many there are, how many are new, how many lost or gained members.
    """
    if not any(_changes(space, cls) for cls in space.classes if cls.__member__ is not None):
        return {}
    with _alone(space, journal):
        space.forget()
        return _sync(space)


def rekey(space: DataSpace, journal: Journal, record: Record, changes: Mapping[str, Any]) -> Record:
    """Give a record other keys; its job moves with all its results and its history.

    Raises
    ------
    RecordError
        If a record with the new keys has results of its own.
    """
    cls = type(record)
    if cls.__member__ is not None:
        raise RecordError(f"{record.label} is an aggregate: its keys come from its members.")
    values = check_keys(cls, {**record._keys, **changes})
    if values == record._keys:
        return record
    with _alone(space, journal):
        other = space.by_keys(cls).get(tuple(values.values()))
        if other is not None:
            _discard_empty(space, other)
        job = space.project_of(cls).open_job(id=record.id)
        job.update_statepoint({**job.statepoint(), **space.statepoint(cls, values)}, overwrite=True)
        _carry_history(space, journal, record.id, job.id)
        space.forget()
        _sync(space)
    moved: Record = space.by_keys(cls)[tuple(values.values())]
    return moved


def _make(space: DataSpace, cls: RecordType, values: Mapping[str, Any]) -> Any:
    try:
        job = space.project_of(cls).open_job(space.statepoint(cls, values))
        job.init()
    except OSError as error:
        raise SpaceError(
            f"{cls.__name__} cannot be added in {space.workspace(cls)}: "
            f"{error.strerror or error}. Make the folder writable, or free some space."
        ) from error
    return job


def _discover_class(space: DataSpace, cls: RecordType, report: Report) -> None:
    roots = {name: space.seed_root(seed) for name, seed in identifying_seeds(cls).items()}
    discovery = search(cls, roots)
    if discovery is not None:
        known = space.by_keys(cls)
        new = sorted(place for place in discovery.found if place not in known)
        gone = [record for place, record in known.items() if place not in discovery.found]
        report.found[cls.__name__] = len(discovery.found)
        report.added[cls.__name__] = []
        report.gone[cls.__name__] = [record.label for record in gone]
        for place in new:
            values = dict(zip(cls.keys, place, strict=True))
            _make(space, cls, values)
            report.added[cls.__name__].append(_label(cls, values))
        space.forget()
    if cls.__table__ is not None:
        path = space.layout.root / cls.__table__
        records = space.records(cls)
        match = match_rows(cls, read_rows(path, cls.keys), records.values(), path)
        for id, metadata in match.metadata.items():
            document = space.document(cls, id)
            if any(name not in document or document[name] != v for name, v in metadata.items()):
                space.project_of(cls).open_job(id=id).document.update(metadata)
                space.forget_document(id)
        report.unmatched[cls.__name__] = [
            " ".join(f"{name}={value}" for name, value in row.items()) for row in match.unmatched
        ]


def _label(cls: RecordType, values: Mapping[str, Any]) -> str:
    record = cls(**values)
    label: str = record.label
    return label


def _changes(space: DataSpace, cls: RecordType) -> list[tuple[Any, list[str]]]:
    """Return each aggregate, or the keys of one to be made, whose members differ from its own."""
    assert cls.__member__ is not None
    candidates = [
        record
        for record in space.records(cls.__member__).values()
        if cls.__member__.__member__ is None or space.members(record)
    ]
    known = space.by_keys(cls)
    wanted: dict[tuple[Any, ...], list[str]] = {place: [] for place in known}
    for group in group_members(cls, candidates):
        wanted[tuple(group.values.values())] = [member.id for member in group.members]
    changed: list[tuple[Any, list[str]]] = []
    for place, ids in wanted.items():
        record = known.get(place)
        if record is None:
            changed.append((dict(zip(cls.keys, place, strict=True)), ids))
        elif list(space.document(cls, record.id).get(MEMBERS, ())) != ids:
            changed.append((record, ids))
    return changed


def _sync(space: DataSpace) -> dict[str, tuple[int, int, int]]:
    done = {}
    for cls in space.classes:
        if cls.__member__ is None:
            continue
        changes = _changes(space, cls)
        new = 0
        for target, ids in changes:
            if isinstance(target, Record):
                job = space.project_of(cls).open_job(id=target.id)
            else:
                job, new = _make(space, cls, target), new + 1
            job.document.update({MEMBERS: ids, DIGEST: digest(ids)})
        if changes:
            space.forget()
        done[cls.__name__] = (len(space.records(cls)), new, len(changes) - new)
    return done


def _discard_empty(space: DataSpace, record: Record) -> None:
    """Remove a record that has nothing but its state point and document."""
    folder = space.job_folder(record)
    kept = {folder.statepoint.name, folder.document.name}
    results = [name for name in os.listdir(folder.path) if name not in kept]
    if results:
        raise RecordError(
            f"{record.label} is there and has results ({', '.join(sorted(results)[:3])}). "
            "Remove one of the two first.",
            record=record.label,
        )
    space.project_of(type(record)).open_job(id=record.id).remove()


def _carry_history(space: DataSpace, journal: Journal, old: str, new: str) -> None:
    """Record under a job's new id what was recorded under its old one."""
    attempts = Attempts().refresh(space.layout)

    def renamed(name: str) -> str:
        return new + name[len(old) :] if name.startswith(old) else name

    for attempt in attempts.last_good.values():
        touched = attempt.job == old or any(name.startswith(old) for name in attempt.inputs)
        if not touched and old not in (attempt.members or ()):
            continue
        inputs: dict[str, Fingerprint | None] = {
            renamed(name): seen for name, seen in attempt.inputs.items()
        }
        members = [renamed(id) for id in attempt.members] if attempt.members is not None else None
        journal.append(replace(attempt, job=renamed(attempt.job), inputs=inputs, members=members))


@contextlib.contextmanager
def _alone(space: DataSpace, journal: Journal) -> Iterator[None]:
    """Hold the claim on the whole data space."""
    folder = JobFolder(space.layout.own)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpaceError(
            f"{folder.path} cannot be made: {error.strerror or error}. Make the project's folder "
            "writable."
        ) from error
    until = time.monotonic() + _PATIENCE
    while True:
        left = claims_in(os.listdir(folder.path)).get("space", [])
        owner = owner_of(folder, "space", left[-1]) if left else None
        if owner is None or owner.alive is False:
            claim = take(folder, "space", left, journal)
            if claim is not None:
                break
        elif time.monotonic() > until:
            raise SpaceError(
                f"{space.layout.root} is being changed by {owner.runner}. Wait until it is done; "
                f"if it no longer runs, remove {folder.claim('space', left[-1])}."
            )
        else:
            time.sleep(0.05)
    try:
        yield
    finally:
        claim.release()
