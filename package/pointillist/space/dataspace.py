"""The data space: all records of a project as they lie on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import signac
from signac.job import calc_id

from ..errors import CorruptRecord, RecordError, SpaceError
from ..model import keys
from ..model.fields import Field, Output, Seed
from ..model.pipeline import order_classes
from ..model.records import Home, Record, RecordType
from .attempts import Exclusion
from .configuration import Configuration, read_configuration
from .fingerprints import stamp
from .garbage import garbage_left
from .index import Index, Sheet, read_index
from .layout import DOCUMENT, STATEPOINT, WORKSPACE, JobFolder, Layout, is_job
from .membership import LEFT, MEMBERS
from .memory import Attempts
from .reading import time_of
from .shelf import Shelf, decoded, kinds_of
from .statepoints import keys_in

__all__ = ["DataSpace"]


class DataSpace:
    """All records of a project.

    Parameters
    ----------
    root : Path
        The project's folder.
    classes : tuple of RecordType
        The classes, the first Record class of which lives in ``workspace/``.
    home : Home
        What the records ask for their values.
    """

    def __init__(self, root: Path, classes: tuple[Any, ...], home: Home) -> None:
        self.layout = Layout(root)
        self.classes = order_classes(classes)
        self.home = home
        self._problems: dict[str, RecordError] = {}
        self._first = next((c for c in classes if c.__member__ is None), None)
        self._places: dict[RecordType, str] = {}
        self._shelves: dict[RecordType, Shelf] = {}
        # An id is its state point's hash: what was read once under it holds for good.
        self._keys: dict[tuple[RecordType, str], dict[str, Any] | None] = {}
        self._documents: dict[str, tuple[int | None, Mapping[str, Any]]] = {}
        self._foreseen: dict[str, tuple[list[str], list[str]]] = {}
        self._configuration: Configuration | None = None
        self.only: dict[RecordType, list[str]] | None = None
        """The jobs that are known, if that are not all; see `confinement`."""

    @cached_property
    def index(self) -> Index | None:
        """What was seen before, read once."""
        return read_index(self.layout)

    @cached_property
    def attempts(self) -> Attempts:
        """What the journals say, as of when it was last refreshed; also who is excluded."""
        return Attempts(self.index)

    @property
    def configuration(self) -> Configuration:
        """The project's settings, read once."""
        if self._configuration is None:
            found = read_configuration(self.layout)
            steps = [step for cls in self.classes for step in cls.__steps__.values()]
            found.rules.check(step.operation for step in steps if step.stored)
            self._configuration = found
        return self._configuration

    @property
    def problems(self) -> list[RecordError]:
        """What is wrong with single records; the others are there."""
        found = [problem for cls in self.classes for problem in self._shelf(cls).problems]
        return list({**{str(problem): problem for problem in found}, **self._problems}.values())

    def report(self, problem: RecordError) -> None:
        """Keep a problem for people to see, once."""
        self._problems.setdefault(str(problem), problem)

    def forget(self, cls: RecordType | None = None) -> None:
        """Look anew, when it is next asked for, which jobs are there and what documents say.

        Parameters
        ----------
        cls : RecordType, optional
            The only class whose jobs came or went.
        """
        if cls is not None:
            self._shelves.pop(cls, None)
            return
        self._shelves.clear()
        self._documents.clear()
        self._foreseen.clear()
        self._problems.clear()

    def look(self, cls: RecordType, recognise: Callable[[str], dict[str, Any] | None]) -> None:
        """Look which jobs of a class are there, if it is not known; read what is not recognised.

        Parameters
        ----------
        cls : RecordType
            The class.
        recognise : callable
            Gives the keys of the job of an id, or None if its state point must be read.
        """
        if cls not in self._shelves:
            self._shelves[cls] = self._read(cls, recognise)

    def glance(
        self, cls: RecordType, known: Callable[[list[str]], list[tuple[list[str], Sheet]]]
    ) -> bool:
        """Look which jobs of a class are there, if it is not known; read what is not recognised.

        Parameters
        ----------
        cls : RecordType
            The class.
        known : callable
            Given the ids of all jobs, gives those of which the state points need not be read, with
            the sheets in which their keys are.

        Returns
        -------
        bool
            False if it was known, or if two jobs have the same keys.
        """
        if cls in self._shelves:
            return False
        shelf = self._empty(cls)
        ids = self._listed(cls)
        for told, sheet in known(ids):
            shelf.tell(told, sheet)
        if self._fill(cls, shelf, [id for id in ids if id not in shelf], _unknown):
            self._shelves[cls] = shelf
        return cls in self._shelves

    def learn(self, cls: RecordType, id: str, values: dict[str, Any]) -> None:
        """Know a job's keys from its maker: its state point need not be read."""
        self._keys[cls, id] = values

    def refresh(self) -> None:
        """Look anew at those workspaces in which jobs came or went since they were read."""
        for cls, shelf in list(self._shelves.items()):
            if shelf.seen is None or shelf.seen != time_of(self.workspace(cls)):
                del self._shelves[cls]

    # where things are

    def is_first(self, cls: RecordType) -> bool:
        """Whether the class lives in the plain workspace."""
        return cls is self._first or cls.__plain__

    def signac_root(self, cls: RecordType) -> Path:
        """Return the folder of the signac project that holds a class."""
        if self.is_first(cls):
            return self.layout.root
        return self.layout.project_of(cls.__name__, cls.__member__ is not None)

    def workspace(self, cls: RecordType) -> Path:
        """Return the folder that holds the jobs of a class."""
        return self.signac_root(cls) / WORKSPACE

    def place(self, record: Record) -> str:
        """Return where a record's job lies, as text."""
        return self.job_place(type(record), record.id)

    def job_place(self, cls: RecordType, id: str) -> str:
        """Return where the job of a class and id lies, as text."""
        if cls not in self._places:
            self._places[cls] = f"{self.workspace(cls)}/"
        return self._places[cls] + id

    def job_folder(self, record: Record) -> JobFolder:
        """Return the places of a record's job."""
        return JobFolder(self.place(record))

    def statepoint(self, cls: RecordType, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state point of the record of a class with these keys."""
        plain = {name: keys.encode(values[name]) for name in cls.keys}
        return {**self.marks(cls), **plain}

    def marks(self, cls: RecordType) -> dict[str, str]:
        """Return what the state points of a class say before the keys: whose they are."""
        if self.is_first(cls):
            return {}
        return {"aggregate" if cls.__member__ else "record": cls.__name__}

    def seed_root(self, seed: Seed) -> Path:
        """Return the folder that a seed's pattern is relative to."""
        return self.configuration.root(seed.root) if seed.root else self.layout.root

    def path(self, record: Record, target: Field) -> Path:
        """Return where a seed or a stored output lies.

        Raises
        ------
        RecordError
            If the field has no place: a key, or an unstored value.
        """
        return Path(self.field_place(record, target))

    def field_place(self, record: Record, target: Field) -> str:
        """Return where a seed or a stored output lies, as text.

        Raises
        ------
        RecordError
            If the field has no place: a key, or an unstored value.
        """
        if isinstance(target, Seed):
            return str(self.seed_root(target) / target.pattern.format(record._keys))
        if isinstance(target, Output) and target.stored and target.filename:
            return f"{self.place(record)}/{target.filename}"
        raise RecordError(
            f"{type(record).__name__}.{target.name} lies nowhere: it is not stored in a file.",
            record=record.label,
        )

    # what is there

    def records(self, cls: RecordType) -> Shelf:
        """Return the records of a class by job id, in the order of their keys."""
        return self._shelf(cls)

    def label(self, id: str) -> str:
        """Return the label of the record of a job id; the id itself if no record has it."""
        found = (self.records(cls).get(id) for cls in self.classes)
        return next((record.label for record in found if record is not None), id)

    def by_keys(self, cls: RecordType) -> dict[tuple[Any, ...], Any]:
        """Return the records of a class by the values of their keys."""
        return self._shelf(cls).by_keys

    def foreign(self, cls: RecordType) -> int:
        """Return how many jobs in the workspace of a class lack one of its keys."""
        return self._shelf(cls).foreign

    def document(self, cls: RecordType, id: str) -> Mapping[str, Any]:
        """Return a job's document, to read.

        Raises
        ------
        CorruptRecord
            If it cannot be read.
        """
        place = f"{self.job_place(cls, id)}/{DOCUMENT}"
        seen = time_of(place)
        if seen is None or self._documents.get(id, (None, {}))[0] != seen:
            try:
                with open(place, "rb", buffering=0) as file:
                    data = json.loads(file.read())
                if not isinstance(data, dict):
                    raise ValueError("it is no JSON object")
            except FileNotFoundError:
                data = {}
            except (OSError, ValueError, RecursionError) as error:
                raise self._corrupt_document(cls, id, str(error)) from error
            self._documents[id] = (seen, data)
        return self._documents[id][1]

    def _corrupt_document(self, cls: RecordType, id: str, why: str) -> CorruptRecord:
        path = JobFolder(self.workspace(cls) / id).document
        return CorruptRecord(
            f"{cls.__name__} {id[:8]}…: the document {path} cannot be read: {why}. "
            "Restore it, or remove it to begin with an empty one.",
            record=f"{cls.__name__} {id}",
        )

    def members(self, record: Record) -> list[Any]:
        """Return an aggregate's members as its document names them, in order.

        Those that are excluded are left out, also where the document does not say so yet.
        """
        found = self._named(record, MEMBERS)
        if not self.attempts.exclusions:
            return found
        return [member for member in found if self.exclusion(member) is None]

    def excluded_members(self, record: Record) -> list[Any]:
        """Return those that would be an aggregate's members, but are excluded."""
        if not self.attempts.exclusions:
            return []
        named = [*self._named(record, MEMBERS), *self._named(record, LEFT)]
        return [member for member in named if self.exclusion(member) is not None]

    def exclusion(self, record: Record) -> Exclusion | None:
        """Return who excluded a record, when and why; None if it is not excluded.

        An aggregate all of whose members are excluded is excluded with them.
        """
        told = self.attempts.excluded(record.id)
        if told is not None or not self.attempts.exclusions or type(record).__member__ is None:
            return told
        if self.members(record):
            return None
        with_it = [self.exclusion(member) for member in self.excluded_members(record)]
        why = [exclusion for exclusion in with_it if exclusion is not None]
        if not why:
            return None
        last = max(why, key=lambda exclusion: exclusion.time)
        reasons = ", ".join(dict.fromkeys(exclusion.reason for exclusion in why))
        return replace(last, job=record.id, reason=f"all its members are excluded: {reasons}")

    def _named(self, record: Record, entry: str) -> list[Any]:
        """Return the members that an aggregate's document names under an entry."""
        cls = type(record)
        if cls.__member__ is None:
            raise RecordError(f"{record.label} is no aggregate: it has no members.")
        known = self.records(cls.__member__)
        if record.id in self._foreseen:
            named = self._foreseen[record.id][entry == LEFT]
        else:
            named = self.document(cls, record.id).get(entry, [])
            if not isinstance(named, list) or not all(isinstance(id, str) for id in named):
                raise self._corrupt_document(cls, record.id, f"{entry} is no list of job ids")
        return [known[id] for id in named if id in known]

    def foresee(self, cls: RecordType, aggregate: Any, members: list[str], left: list[str]) -> None:
        """Show an aggregate with members that are not written down yet.

        Parameters
        ----------
        cls : RecordType
            Its class.
        aggregate : Record or dict
            The aggregate, or the keys of one that has no job yet.
        members : list of str
            Their ids, in order.
        left : list of str
            The ids of those that are excluded.
        """
        if not isinstance(aggregate, Record):
            id = calc_id(self.statepoint(cls, aggregate))
            found: Any = cls._found(id, aggregate, self.home)  # type: ignore[attr-defined]  # a Record
            shelf = self._shelf(cls)
            shelf.put(found)
            shelf.seen = None  # look again before it is believed next time
            aggregate = found
        self._foreseen[aggregate.id] = (members, left)

    def orphans(self, cls: RecordType) -> list[Any]:
        """Return the aggregates of a class that have no members any more."""
        if cls.__member__ is None:
            return []
        found = []
        for record in self.records(cls).values():
            try:
                if not self.members(record) and not self.excluded_members(record):
                    found.append(record)
            except CorruptRecord as error:
                self.report(error)
        return found

    def project_of(self, cls: RecordType) -> Any:
        """Return the signac project that holds a class, made if it is not there."""
        root = self.signac_root(cls)
        root.mkdir(parents=True, exist_ok=True)
        return signac.init_project(str(root))

    def _shelf(self, cls: RecordType) -> Shelf:
        if cls not in self._shelves:
            with garbage_left():
                self._shelves[cls] = self._read(cls, _unknown)
        return self._shelves[cls]

    def _read(self, cls: RecordType, recognise: Callable[[str], dict[str, Any] | None]) -> Shelf:
        shelf = self._empty(cls)
        self._fill(cls, shelf, self._listed(cls), recognise)
        return shelf

    def _empty(self, cls: RecordType) -> Shelf:
        def make(id: str, sheet: Sheet) -> Any:
            return self.record_of(cls, id, decoded(cls, sheet.keys[sheet.rows[id]]))

        return Shelf(make, time_of(self.workspace(cls)))

    def record_of(self, cls: RecordType, id: str, values: dict[str, Any]) -> Any:
        """Return the record of a job with these keys."""
        return cls._found(id, values, self.home)  # type: ignore[attr-defined]  # a Record

    def _listed(self, cls: RecordType) -> list[str]:
        """Return the ids of the jobs in the workspace of a class."""
        if self.only is not None:
            return self.only[cls]
        workspace = self.workspace(cls)
        sheet = self._sheet(cls)
        known = sheet.rows if sheet is not None else {}
        try:
            names = os.listdir(workspace)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SpaceError(
                f"{workspace} cannot be read: {error.strerror or error}. Make the folder readable."
            ) from error
        others = {name for name in set(names).difference(known) if not is_job(name)}
        return [name for name in names if name not in others] if others else names

    def _fill(
        self,
        cls: RecordType,
        shelf: Shelf,
        ids: list[str],
        recognise: Callable[[str], dict[str, Any] | None],
    ) -> bool:
        """Put the records of some jobs on a shelf; see `Shelf.put_all`."""
        found = []
        sheet = self._sheet(cls)
        for id in ids:
            try:
                if (cls, id) not in self._keys:
                    self._keys[cls, id] = self._known_keys(cls, id, sheet, recognise)
                values = self._keys[cls, id]
            except CorruptRecord as error:
                shelf.problems.append(error)
                continue
            if values is None:
                shelf.foreign += 1
            else:
                found.append(self.record_of(cls, id, values))
        return shelf.put_all(found)

    def _sheet(self, cls: RecordType) -> Sheet | None:
        """Return what the index says of a class, if it has the keys that it had then."""
        sheet = self.index.sheets.get(cls.__name__) if self.index is not None else None
        return sheet if sheet is not None and sheet.kinds == kinds_of(cls) else None

    def _known_keys(
        self,
        cls: RecordType,
        id: str,
        sheet: Sheet | None,
        recognise: Callable[[str], dict[str, Any] | None],
    ) -> dict[str, Any] | None:
        """Return the keys of a job, from its state point only if nobody else knows them."""
        known = self._indexed(cls, id, sheet) if sheet is not None else None
        if known is None:
            known = recognise(id)
        return self.keys_of(cls, id) if known is None else known

    def _indexed(self, cls: RecordType, id: str, sheet: Sheet) -> dict[str, Any] | None:
        """Return the keys of a job as the index has them; None if its state point may differ."""
        row = sheet.rows.get(id)
        if row is None:
            return None
        place = f"{self.job_place(cls, id)}/{STATEPOINT}"
        if stamp(place) != sheet.statepoint_of(row):
            return None
        try:
            return decoded(cls, sheet.keys[row])
        except (TypeError, ValueError):
            return None

    def keys_of(self, cls: RecordType, id: str) -> dict[str, Any] | None:
        """Return the keys in a job's state point, or None if it is no record of the class.

        Raises
        ------
        CorruptRecord
            If the state point cannot be read, is another job's, or holds a key of a wrong type.
        """
        return keys_in(f"{self.job_place(cls, id)}/{STATEPOINT}", cls, id, self.is_first(cls))


def _unknown(id: str) -> None:
    """Recognise no job."""
