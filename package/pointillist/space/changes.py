"""Changing the data space: records are added, discovered, rekeyed; aggregates follow."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from signac.job import calc_id

from ..errors import CorruptRecord, RecordError, RecordNotFound, SpaceError
from ..model.records import Record, RecordType, check_key, check_keys
from .claims import owner_of
from .creation import Creation
from .dataspace import DataSpace
from .discovery import Report, identifying_seeds, search
from .fingerprints import Fingerprint
from .garbage import garbage_left
from .journals import Journal
from .layout import claims_in
from .membership import DIGEST, LEFT, MEMBERS, digest, group_members
from .memory import Attempts
from .tables import match_rows, read_rows
from .writing import alone, make, move, read_statepoint, write_document

__all__ = ["add", "add_product", "discover", "follow", "foresee", "rekey", "sync"]


def add(space: DataSpace, journal: Journal, cls: RecordType, values: Mapping[str, Any]) -> Record:
    """Add one record, if it is not there, and let the aggregates follow.

    Raises
    ------
    RecordError
        If the class is an aggregate, a key is missing or wrong, or the record is there but corrupt.
    SpaceError
        If the project's folder cannot be written.
    """
    _check_is_no_aggregate(cls)
    checked = check_keys(cls, values)
    place = tuple(checked.values())
    if place not in space.by_keys(cls):
        with alone(space, journal):
            make(space, cls, checked)
            follow(space)
    record: Record = space.by_keys(cls)[place]
    return record


@garbage_left()
def add_product(
    space: DataSpace, journal: Journal, cls: RecordType, values: Mapping[str, Any]
) -> list[Record]:
    """Add a record for each combination of keys, and let the aggregates follow.

    Parameters
    ----------
    space : DataSpace
        The records.
    journal : Journal
        This process's.
    cls : RecordType
        The records' class.
    values : mapping of str to iterable or single value
        By key.

    Raises
    ------
    RecordError
        If the class is an aggregate, or a key is missing or wrong.
    SpaceError
        If the project's folder cannot be written.
    """
    _check_is_no_aggregate(cls)
    axes = {name: [v] if _is_single(v) else list(v) for name, v in values.items()}
    if not all(axes.values()):
        return []
    names = list(check_keys(cls, {name: axis[0] for name, axis in axes.items()}))
    checked = [[check_key(cls, name, value) for value in axis] for name, axis in axes.items()]
    order = [list(axes).index(name) for name in names]
    points = itertools.product(*checked)
    places = list(dict.fromkeys(tuple([point[n] for n in order]) for point in points))
    creation = Creation(space, cls)
    creation.look(places)
    known = space.by_keys(cls)
    if not all(place in known for place in places):
        with alone(space, journal):
            known = space.by_keys(cls)
            for place in places:
                if place not in known:
                    creation.make(place)
            space.forget(cls)
            follow(space)
    known = space.by_keys(cls)
    return [known[place] for place in places]


def _is_single(value: Any) -> bool:
    return isinstance(value, str) or not isinstance(value, Iterable)


def _check_is_no_aggregate(cls: RecordType) -> None:
    if cls.__member__ is not None:
        raise RecordError(
            f"{cls.__name__} is an aggregate: it follows its members. Add a "
            f"{cls.__member__.__name__}."
        )


def discover(space: DataSpace, journal: Journal) -> Report:
    """Find records by the patterns of their seeds, read tables, and let aggregates follow.

    Raises
    ------
    SpaceError
        If a folder or table cannot be read, or the project's folder cannot be written.
    """
    report = Report()
    problems: list[RecordError] = []
    with garbage_left(), alone(space, journal):
        for cls in space.classes:
            if cls.__member__ is None:
                _discover_class(space, cls, report, problems)
        report.aggregates = follow(space)
    for problem in problems:
        space.report(problem)
    return report


def sync(space: DataSpace, journal: Journal) -> dict[str, tuple[int, int, int]]:
    """Let the aggregates follow their members; write only what differs.

    Returns
    -------
    dict of str to (int, int, int)
        By class: how many there are, how many are new, how many lost or gained members.
    """
    problems: list[RecordError] = []
    space.attempts.refresh(space.layout)
    if any(_changes(space, cls, problems) for cls in space.classes if cls.__member__ is not None):
        with alone(space, journal):
            return follow(space)
    for problem in problems:
        space.report(problem)
    return {}


def foresee(space: DataSpace) -> None:
    """Show aggregates as `sync` would make them; write nothing."""
    space.forget()
    space.attempts.refresh(space.layout)
    problems: list[RecordError] = []
    for cls in space.classes:
        if cls.__member__ is not None:
            for aggregate, members, left in _wanted(space, cls, problems):
                try:
                    if isinstance(aggregate, Record):
                        space.document(cls, aggregate.id)
                except CorruptRecord as error:
                    problems.append(error)
                    members, left = [], []  # it is left out until somebody mends it
                space.foresee(cls, aggregate, members, left)
    for problem in problems:
        space.report(problem)


def rekey(space: DataSpace, journal: Journal, record: Record, changes: Mapping[str, Any]) -> Record:
    """Give a record other keys; its job moves with all its results and its history.

    Raises
    ------
    RecordError
        If a record with the new keys has results of its own, or one of its steps is running.
    """
    cls = type(record)
    if cls.__member__ is not None:
        raise RecordError(f"{record.label} is an aggregate: its keys come from its members.")
    values = check_keys(cls, {**record._keys, **changes})
    if values == record._keys:
        return record
    with alone(space, journal):
        if record.id not in space.records(cls):
            raise RecordNotFound(f"{record.label} is no longer there.", record=record.label)
        _check_idle(space, record)
        other = space.by_keys(cls).get(tuple(values.values()))
        if other is not None:
            _check_moved(space, record, other)
            _discard_empty(space, other)
        # First the history: who is killed between the two can rekey once more.
        statepoint = {**read_statepoint(space, record), **space.statepoint(cls, values)}
        _carry_history(space, journal, record, calc_id(statepoint))
        excluded = space.attempts.refresh(space.layout).excluded(record.id)
        if excluded is not None:
            journal.exclude(replace(excluded, job=calc_id(statepoint)))
        move(space, record, statepoint)
        if excluded is not None:  # what is found under the old keys next is another record
            later = math.nextafter(excluded.time, math.inf)
            journal.exclude(replace(excluded, excluded=False, reason="rekeyed", time=later))
        space.forget()
        follow(space)
    moved: Record = space.by_keys(cls)[tuple(values.values())]
    return moved


def _discover_class(
    space: DataSpace, cls: RecordType, report: Report, problems: list[RecordError]
) -> None:
    roots = {}
    for name, seed in identifying_seeds(cls).items():
        roots[name] = space.seed_root(seed)
        if seed.root is not None and not roots[name].is_dir():
            raise SpaceError(
                f"{cls.__name__}.{name}: the root {seed.root!r} is not there: {roots[name]}. Mount "
                "it, or say where it lies: see [roots] in .pointillist/config.toml."
            )
    found = search(cls, roots)
    if found is not None:
        creation = Creation(space, cls)
        creation.look(found)
        known = space.by_keys(cls)
        new = sorted(place for place in found if place not in known)
        gone = [record for place, record in known.items() if place not in found]
        report.found[cls.__name__] = len(found)
        report.gone[cls.__name__] = [f"{record.label}  (job {record.id[:8]})" for record in gone]
        made = []
        for place in new:
            with contextlib.suppress(CorruptRecord):  # the data space reports it
                creation.make(place)
                made.append(place)
        if new:
            space.forget(cls)
        known = space.by_keys(cls)
        report.added[cls.__name__] = [known[place].label for place in made if place in known]
    if cls.__table__ is not None:
        path = space.layout.root / cls.__table__
        records = space.records(cls)
        match = match_rows(cls, read_rows(path, cls.keys), records.values(), path)
        for id, metadata in match.metadata.items():
            try:
                document = space.document(cls, id)
            except CorruptRecord as error:
                problems.append(error)
                continue
            if any(name not in document or document[name] != v for name, v in metadata.items()):
                write_document(space, cls, id, {**document, **metadata})
        report.unmatched[cls.__name__] = [
            " ".join(f"{name}={value}" for name, value in row.items()) for row in match.unmatched
        ]


def _wanted(
    space: DataSpace, cls: RecordType, problems: list[RecordError]
) -> list[tuple[Any, list[str], list[str]]]:
    """Return each aggregate, or the keys of one to be made, with members and excluded ones.

    As long as a document that decides on membership cannot be read, the class is left as it is.
    """
    assert cls.__member__ is not None
    groups: dict[tuple[Any, ...], list[str]] = {}
    left: dict[tuple[Any, ...], list[str]] = {}
    try:
        excluded = []
        candidates = []
        for record in space.records(cls.__member__).values():
            if space.exclusion(record) is not None:
                excluded.append(record)
            elif cls.__member__.__member__ is None or space.members(record):
                candidates.append(record)
        for group in group_members(cls, candidates, problems):
            groups[tuple(group.values.values())] = [member.id for member in group.members]
        for record in excluded:  # one by one: what is wrong with one of them stops nothing
            for group in group_members(cls, [record], []):
                left.setdefault(tuple(group.values.values()), []).append(record.id)
    except CorruptRecord as error:
        problems.append(error)
        return []
    Creation(space, cls).look(groups)
    known = space.by_keys(cls)
    wanted = {**dict.fromkeys(known, ()), **groups}
    return [
        (known.get(place) or dict(zip(cls.keys, place, strict=True)), [*ids], left.get(place, []))
        for place, ids in wanted.items()
    ]


def _changes(
    space: DataSpace, cls: RecordType, problems: list[RecordError]
) -> list[tuple[Any, list[str], list[str]]]:
    """Return those whose members are not those that they should have."""
    changed: list[tuple[Any, list[str], list[str]]] = []
    for aggregate, ids, left in _wanted(space, cls, problems):
        try:
            said: Mapping[str, Any] = {}
            if isinstance(aggregate, Record):
                said = space.document(cls, aggregate.id)
            is_new = not isinstance(aggregate, Record)
            if is_new or said.get(MEMBERS, []) != ids or said.get(LEFT, []) != left:
                changed.append((aggregate, ids, left))
        except CorruptRecord as error:
            problems.append(error)
    return changed


def follow(space: DataSpace) -> dict[str, tuple[int, int, int]]:
    """Do what `sync` does; who calls it holds the claim on the data space."""
    done = {}
    space.attempts.refresh(space.layout)
    problems: list[RecordError] = []
    for cls in space.classes:
        if cls.__member__ is None:
            continue
        changes = _changes(space, cls, problems)
        creation = Creation(space, cls)
        made = [_follow(space, creation, *change, problems) for change in changes]
        if changes:
            space.forget(cls)
        done[cls.__name__] = (len(space.records(cls)), made.count("new"), made.count("changed"))
    for problem in problems:
        space.report(problem)
    return done


def _follow(
    space: DataSpace,
    creation: Creation,
    target: Any,
    ids: list[str],
    left: list[str],
    problems: list[RecordError],
) -> str:
    """Make an aggregate or give it its members; return what was done."""
    cls = creation.cls
    says = {MEMBERS: ids, DIGEST: digest(ids), **({LEFT: left} if left else {})}
    is_new = not isinstance(target, Record)
    if is_new and creation.create(tuple(target.values()), json.dumps(says)):
        return "new"
    try:
        id = make(space, cls, target) if is_new else target.id
        said = {name: v for name, v in space.document(cls, id).items() if name != LEFT}
    except CorruptRecord as error:
        problems.append(error)
        return "corrupt"
    write_document(space, cls, id, said | says)
    return "new" if is_new else "changed"


def _check_idle(space: DataSpace, record: Record) -> None:
    """Raise if a runner that may live holds a step of a record."""
    folder = space.job_folder(record)
    for step, generations in claims_in(os.listdir(folder.path)).items():
        owner = owner_of(folder, step, generations[-1])
        if owner is not None and owner.alive is not False:
            raise RecordError(
                f"{record.label}: {step} is running, by {owner.runner}. Rekey when it is done.",
                record=record.label,
                step=step,
            )


def _check_moved(space: DataSpace, record: Record, other: Record) -> None:
    """Raise if the data of a record are still where they were: nothing was renamed."""
    for seed in identifying_seeds(type(record)).values():
        path = space.path(record, seed)
        if path.exists():
            raise RecordError(
                f"{record.label} cannot become {other.label}, which is there: both have data of "
                f"their own ({path} was not renamed).",
                record=record.label,
            )


def _discard_empty(space: DataSpace, record: Record) -> None:
    """Remove a record that has nothing but its state point and document."""
    folder = space.job_folder(record)
    kept = {folder.statepoint.name, folder.document.name}
    results = sorted(set(os.listdir(folder.path)) - kept)
    if results:
        raise RecordError(
            f"{record.label} is there and has results ({', '.join(results[:3])}). "
            "Remove one of the two first.",
            record=record.label,
        )
    space.project_of(type(record)).open_job(id=record.id).remove()


def _carry_history(space: DataSpace, journal: Journal, record: Record, new: str) -> None:
    """Record under a job's new id what was recorded under its old one."""
    attempts = Attempts().refresh(space.layout)
    old = record.id
    logs = str(space.job_folder(record).path.relative_to(space.layout.root))

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
        log = attempt.log
        if log is not None and log.startswith(logs):
            log = logs[: -len(old)] + new + log[len(logs) :]
        carried = replace(
            attempt,
            job=renamed(attempt.job),
            # of two attempts the later one counts, and this one goes before the one it repeats
            end=math.nextafter(attempt.end, math.inf),
            inputs=inputs,
            members=members,
            log=log,
            ran_by=attempt.ran_by or attempt.runner,
        )
        journal.append(carried)
