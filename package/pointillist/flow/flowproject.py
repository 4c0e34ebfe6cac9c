"""FlowProject: a signac-flow project as it is, that may also work on record classes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from flow.aggregates import aggregator, get_aggregate_id
from flow.labels import classlabel, label, staticlabel
from flow.project import IgnoreConditions

from ..errors import DeclarationError, RecordNotFound, SeveralRecords
from .declaring import check_on
from .groups import function_of
from .mended import MendedProject
from .registers import collected
from .shelves import RecordStore, Shelves

if TYPE_CHECKING:
    from ..model.records import Record, RecordType
    from ..run.engine import Engine
    from ..values.collection import Collection
    from .decorators import Decorator

__all__ = [
    "FlowProject",
    "IgnoreConditions",
    "aggregator",
    "classlabel",
    "get_aggregate_id",
    "label",
    "staticlabel",
]

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R", bound="Record")

_MOST = 3
_ID_LENGTH = 32


class FlowProject(MendedProject):
    """A ``flow.FlowProject`` whose known defects are mended, and whose runs go on after failures.

    A project of signac-flow goes on as it is with ``from pointillist import FlowProject``. One
    thing is different: an operation that fails does not end a run. The others are carried out,
    and the first error is raised at the end; with ``fail_fast`` it is raised at once.

    In addition an operation may work on an aggregate that has a job of its own, with a folder and
    a document, and keeps both when a member comes or goes::

        class Session(pt.Aggregate[signac.job.Job], order_by="index"):
            session: str = pt.key()


        @Project.post.isfile("mean.txt")
        @Project.operation(on=Session)
        def mean(session):
            values = [job.doc["value"] for job in session.members]
            Path(session.fn("mean.txt")).write_text(str(sum(values) / len(values)))

    Parameters
    ----------
    path : str or Path, optional
        The project's folder; by default the current one.
    environment : flow.environment.ComputeEnvironment, optional
        As in signac-flow.
    entrypoint : dict, optional
        As in signac-flow.
    """

    _told: set[str]
    _label_totals: dict[str, int]

    @cached_property
    def engine(self) -> Engine:
        """What knows the records of this project."""
        from ..run.engine import Engine
        from ..space.dataspace import DataSpace
        from ..values.home import ProjectHome

        classes = _with_members(dict.fromkeys(self._operation_records.values()))
        home = ProjectHome(self.job_of)
        engine = home.engine = Engine(DataSpace(Path(self.path), tuple(classes), home))
        return engine

    @cached_property
    def shelves(self) -> Shelves:
        """The jobs of the records."""
        return Shelves(self, self.engine.space)

    def __getitem__(self, cls: type[R]) -> Collection[R]:
        """Return all records of a class.

        Raises
        ------
        RecordNotFound
            If the project has no such class.
        """
        from ..values.collection import Collection

        if cls not in self.engine.space.classes:
            known = ", ".join(c.__name__ for c in self.engine.space.classes) or "none"
            name = getattr(cls, "__name__", repr(cls))
            raise RecordNotFound(
                f"{name} is no record class of {type(self).__name__}. There are: {known}."
            )
        self._look_again()
        return Collection(self.engine.space, cls)

    # declaring

    @overload
    @classmethod
    def label(cls, label_name_or_func: F) -> F: ...

    @overload
    @classmethod
    def label(cls, label_name_or_func: str | None = None, *, on: Any = None) -> Decorator: ...

    @classmethod
    def label(cls, label_name_or_func: Any = None, *, on: Any = None) -> Any:
        """Make a function a label, as signac-flow does.

        Parameters
        ----------
        label_name_or_func : str or callable, optional
            The label's name, or the function.
        on : type of Record, optional
            The class whose jobs have the label; by default the jobs of the workspace.

        Returns
        -------
        callable
            The function, or what takes it.
        """
        made = super().label(label_name_or_func)
        if on is None:
            return made
        check_on(on)

        def keep(function: Callable[..., Any]) -> Callable[..., Any]:
            cls._LABEL_RECORDS[function] = on
            return function

        if callable(label_name_or_func):
            return keep(made)
        return lambda function: keep(made(function))

    def _register_operations(self) -> None:
        super()._register_operations()
        self._told, self._label_totals = set(), {}
        on = collected(type(self), "_OPERATION_RECORDS")
        self._operation_records = {
            name: on[function_of(operation)]
            for name, operation in self._operations.items()
            if function_of(operation) in on
        }
        self._label_records = collected(type(self), "_LABEL_RECORDS")

    def _store(self, cls: RecordType) -> RecordStore:
        if cls not in self.engine.space.classes:
            raise DeclarationError(
                f"{type(self).__name__} has an operation on={cls.__name__}, which is not among its "
                f"records. Write: records = (…, {cls.__name__})."
            )
        return self.shelves.store(cls)

    # records and jobs

    @property
    def _has_records(self) -> bool:
        """Whether there are record classes; without any the rooms that know them stay shut."""
        return bool(getattr(self, "_operation_records", ()))

    def job_of(self, record: Record) -> Any:
        """Return the signac job of a record."""
        return self.shelves.job_of(record)

    def record_of(self, job: Any) -> Record:
        """Return the record of a signac job.

        Raises
        ------
        RecordNotFound
            If the job is of no class of the project.
        """
        return self.shelves.record_of(job)

    def open_job(self, statepoint: Any = None, id: str | None = None) -> Any:
        """Return a job by its state point or id, as signac does; also one of a record by its id."""
        if id is None or not self._has_records:
            return super().open_job(statepoint, id)
        try:
            return super().open_job(statepoint, id)
        except KeyError:
            found = self.shelves.find(id)
            if found is None:
                raise
            return found

    def _get_aggregate_from_id(self, id: str, check_abbrevations: bool = True) -> Any:
        if self._has_records and len(id) < _ID_LENGTH and not id.startswith("agg-"):
            beside = {record.id for record in self.shelves.beginning_with(id)}
            found = beside | {job.id for job in self if job.id.startswith(id)} if beside else beside
            if len(found) > 1:
                some = ", ".join(f"{other[:8]}…" for other in sorted(found)[:_MOST])
                raise SeveralRecords(
                    f"{len(found)} job ids begin with {id!r}: {some}. Give more of it."
                )
        return super()._get_aggregate_from_id(id, check_abbrevations)

    def find_matching(self, filter: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the jobs, also those of records, that match a signac filter."""
        yield from super().find_matching(filter)
        if self._has_records:
            yield from self.shelves.matching(filter)

    def _own_job(self, job: Any) -> Any:
        return job if hasattr(job._project, "record_class") else super()._own_job(job)

    def _convert_jobs_to_aggregates(self, jobs: Any) -> Any:
        if not self._has_records or not isinstance(jobs, list | tuple | set):
            return super()._convert_jobs_to_aggregates(jobs)
        beside = [job for job in jobs if hasattr(getattr(job, "_project", None), "record_class")]
        others = [job for job in jobs if job not in beside]
        return [(job,) for job in beside] + super()._convert_jobs_to_aggregates(others)

    def labels(self, job: Any) -> Iterator[str]:
        """Yield the labels of a job, as signac-flow does; each kind of jobs has its own."""
        if not self._label_records:
            yield from super().labels(job)
            return
        kind = getattr(job._project, "record_class", None)
        for function, name in self._label_functions.items():
            if self._label_records.get(function) is not kind:
                continue
            try:
                value = function(job)
            except TypeError:
                value = function(self, job)
            if isinstance(value, str):
                yield value
            elif value:
                yield name or getattr(function, "_label_name", function.__name__)

    def _get_standard_template_context(self) -> Any:
        return {**super()._get_standard_template_context(), "label_totals": self._label_totals}

    def _fetch_status(self, *args: Any, **options: Any) -> Any:
        """Count, beside what signac-flow looks up, how many jobs may have each label."""
        results, job_labels, jobs = super()._fetch_status(*args, **options)
        self._label_totals.clear()
        if self._label_records:
            kinds = {job.id: getattr(job._project, "record_class", None) for job in jobs}
            counts = Counter(kinds.values())
            found = {(name, kinds[e["job_id"]]) for e in job_labels for name in e["labels"]}
            for name, kind in found:
                self._label_totals[name] = self._label_totals.get(name, 0) + counts[kind]
        return results, job_labels, jobs

    # following

    def _reregister_aggregates(self) -> None:
        super()._reregister_aggregates()
        self._look_again()

    def _look_again(self) -> None:
        """Show the aggregates as their members are now; nothing is written."""
        if self._has_records:
            from ..space.changes import foresee

            foresee(self.engine.space)
            self._tell_problems()

    def follow(self) -> None:
        """Let the aggregates follow their members: make and change their jobs."""
        if self._has_records:
            from ..space.changes import sync

            self.engine.space.forget()
            sync(self.engine.space, self.engine.journal)

    def _tell_problems(self) -> None:
        """Say once what could not be read, or belongs nowhere."""
        new = [str(p) for p in self.engine.space.problems if str(p) not in self._told]
        for text in new[:_MOST]:
            print(f"left out: {text}", file=sys.stderr)
        if len(new) > _MOST:
            print(f"left out: {len(new) - _MOST} more", file=sys.stderr)
        self._told.update(new)


def _with_members(classes: dict[Any, None]) -> list[RecordType]:
    """Return record classes with those of their members, down to the plain jobs.

    Raises
    ------
    DeclarationError
        If one is made of records that are no aggregates: these need a `Project`.
    """
    found: dict[Any, None] = {}

    def add(cls: Any, above: Any) -> None:
        if cls is None or not (cls.__member__ or cls.__plain__):
            raise DeclarationError(
                f"an operation is on={above.__name__}, which needs the records of "
                f"{(cls or above).__name__}. Derive the project from pt.Project and name them: "
                f"records = ({(cls or above).__name__}, …)."
            )
        if cls.__plain__:
            return
        add(cls.__member__, above)
        found[cls] = None

    for cls in classes:
        add(cls, cls)
    return list(found)
