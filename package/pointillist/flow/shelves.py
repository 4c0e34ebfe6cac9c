"""The jobs of record classes, as signac-flow wants to see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import signac
from flow.aggregates import _BaseAggregateStore
from signac.job import Job

from ..errors import RecordNotFound, SeveralRecords

if TYPE_CHECKING:
    from ..model.records import Record, RecordType
    from ..space.dataspace import DataSpace

__all__ = ["RecordJob", "RecordStore", "Shelves"]


class Shelves:
    """The jobs of all record classes of a project, wherever they lie.

    Parameters
    ----------
    lab : FlowProject
        The project, whose own workspace holds the first Record class.
    space : DataSpace
        The records.
    """

    def __init__(self, lab: Any, space: DataSpace) -> None:
        self._lab = lab
        self._space = space
        self._projects: dict[RecordType, Any] = {}

    def job_of(self, record: Record) -> Any:
        """Return the signac job of a record."""
        cls = type(record)
        if self._space.is_first(cls):
            return self._lab.open_job(id=record.id)
        project = self._project(cls)
        # an aggregate may be shown before it has a folder to read its state point from
        project._sp_cache.setdefault(record.id, self._space.statepoint(cls, record._keys))
        return project.open_job(id=record.id)

    def record_of(self, job: Any) -> Record:
        """Return the record of a signac job.

        Raises
        ------
        RecordNotFound
            If the job is of no class of the project.
        """
        for cls in self._space.classes:
            found = self._space.records(cls).get(job.id)
            if found is not None:
                record: Record = found
                return record
        raise RecordNotFound(f"the job {job.id} is no record of {type(self._lab).__name__}.")

    def members_of(self, job: Any) -> list[Any]:
        """Return the jobs of an aggregate's members, in order."""
        return [self.job_of(member) for member in self._space.members(self.record_of(job))]

    def beginning_with(self, start: str) -> list[Any]:
        """Return the records, of any class, whose job id begins with `start`."""
        return [
            record
            for cls in self._space.classes
            for id, record in self._space.records(cls).items()
            if id.startswith(start)
        ]

    def find(self, start: str) -> Any:
        """Return the job of a record whose id begins with `start`, or None.

        Raises
        ------
        SeveralRecords
            If several do.
        """
        found = self.beginning_with(start)
        exact = [record for record in found if record.id == start]
        if len(exact or found) > 1:
            some = "; ".join(f"{record.id[:8]}… {record.label}" for record in found[:3])
            raise SeveralRecords(
                f"{len(found)} job ids begin with {start!r}: {some}. Give more of it."
            )
        return self.job_of((exact or found)[0]) if found else None

    def matching(self, filter: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the jobs beside the workspace that match a signac filter."""
        for cls in self._space.classes:
            if not self._space.is_first(cls) and self._space.workspace(cls).is_dir():
                for job in self._project(cls).find_jobs(dict(filter)):
                    record = self._space.records(cls).get(job.id)
                    if record is not None:
                        yield self.job_of(record)

    def store(self, cls: RecordType) -> RecordStore:
        """Return the store that lists the jobs of a class."""
        return RecordStore(cls, lambda: self._space.records(cls), self.job_of, self._is_listed)

    def _is_listed(self, record: Record) -> bool:
        """Whether operations work on a record: not if it is excluded, or has no members."""
        if self._space.exclusion(record) is not None:
            return False
        return type(record).__member__ is None or bool(self._space.members(record))

    def _project(self, cls: RecordType) -> Any:
        if cls not in self._projects:
            root = str(self._space.signac_root(cls))
            self._projects[cls] = _shelf_project(self, self._lab, cls, root)
        return self._projects[cls]


class RecordJob(Job):  # type: ignore[misc]  # signac has no types
    """The signac job of a record that lies beside the workspace."""

    @property
    def members(self) -> list[Any]:
        """The jobs of an aggregate's members, in order."""
        found: list[Any] = self._project.shelves.members_of(self)
        return found


class RecordStore(_BaseAggregateStore):  # type: ignore[misc]  # signac-flow has no types
    """An aggregate store whose aggregates are the single jobs of one class.

    Parameters
    ----------
    cls : RecordType
        The class.
    records : callable
        Gives the records of the class by job id.
    open_job : callable
        Gives the signac job of a record.
    is_listed : callable
        Whether a record is one of those that operations work on.
    """

    def __init__(
        self,
        cls: RecordType,
        records: Callable[[], Mapping[str, Any]],
        open_job: Callable[[Any], Any],
        is_listed: Callable[[Any], bool],
    ) -> None:
        self.cls = cls
        self._records = records
        self._open_job = open_job
        self._is_listed = is_listed

    def __getitem__(self, id: str) -> tuple[Any]:
        try:
            return (self._open_job(self._records()[id]),)
        except KeyError:
            raise KeyError(f"Aggregate id {id} could not be found.") from None

    def __contains__(self, id: object) -> bool:
        return id in self._records()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordStore) and self.cls is other.cls

    def __hash__(self) -> int:
        return hash(self.cls)

    def keys(self) -> Any:
        """Return the job ids."""
        return [id for id, record in self._records().items() if self._is_listed(record)]

    def values(self) -> Iterator[tuple[Any]]:
        """Yield each job in a tuple of its own."""
        return (self[id] for id in self)

    def items(self) -> Iterator[tuple[str, tuple[Any]]]:
        """Yield each job id with its job."""
        return ((id, self[id]) for id in self)

    def _register_aggregates(self) -> None:
        """Do nothing: the records are asked for each time."""


def _shelf_project(shelves: Shelves, lab: Any, cls: RecordType, root: str) -> Any:
    """Return the signac project of a class that is not the first.

    signac-flow asks the project of a job for its environment, and finds the script to call in a
    submission by the module of its class; here both are the lab's.
    """

    def open_job(self: Any, statepoint: Any = None, id: str | None = None) -> Any:
        job = signac.Project.open_job(self, statepoint, id)
        job.__class__ = RecordJob
        return job

    namespace = {"__module__": type(lab).__module__, "open_job": open_job}
    kind = type(type(lab).__name__, (signac.Project,), namespace)
    try:
        project = kind(root)
    except LookupError:
        # It is made with its first job. Until then it is shown, and nothing is written: what
        # signac takes from the disk is the same as in the lab's own.
        project = kind(lab.path)
        project._path = root
        project._workspace = str(Path(root, Path(project.workspace).name))
    project._environment = lab._environment
    project.shelves = shelves
    project.record_class = cls
    return project
