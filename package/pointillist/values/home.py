"""What records ask for their values: loads what is there, computes what is missing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import FormatError, TasksFailed, ValueNotThere
from ..formats import LazyFormat, format_for
from ..model.fields import Field, Output
from ..model.records import Record
from ..plan.planner import Planner
from ..plan.states import Verdict
from ..plan.tasks import Task, step_of
from ..run.engine import Engine, closure

__all__ = ["ProjectHome"]


class ProjectHome:
    """The home of a project's records.

    Parameters
    ----------
    open_job : callable
        Gives the signac job of a record.
    """

    engine: Engine

    def __init__(self, open_job: Callable[[Record], Any]) -> None:
        self._open_job = open_job

    def job(self, record: Record) -> Any:
        """Return the signac job."""
        return self._open_job(record)

    def folder(self, record: Record) -> Path:
        """Return the job's folder."""
        return self.engine.space.job_folder(record).path

    def document(self, record: Record) -> Mapping[str, Any]:
        """Return the job document, to read."""
        return self.engine.space.document(type(record), record.id)

    def members(self, record: Record) -> list[Any]:
        """Return the members of an aggregate, in order."""
        return self.engine.space.members(record)

    def excluded_members(self, record: Record) -> list[Any]:
        """Return those that would be members of an aggregate, but are excluded."""
        return self.engine.space.excluded_members(record)

    def path(self, record: Record, field: Field) -> Path:
        """Return where a seed or an output lies."""
        return self.engine.space.path(record, field)

    def value(self, record: Record, field: Field, compute: bool) -> Any:
        """Return a value, computed first if it is missing and that is wanted."""
        from ..run.calls import read_field

        if not isinstance(field, Output):
            if not self.path(record, field).exists() and not getattr(field, "optional", False):
                raise ValueNotThere(
                    f"{record.label}: {field.name} is missing: {self.path(record, field)}",
                    record=record.label,
                )
            return read_field(self.engine.space, record, field)
        task = Task(record, step_of(record, field))
        if not field.stored:
            return self._unstored(task, field, compute)
        self._bring_about(task, field, compute)
        return read_field(self.engine.space, record, field)

    def open(self, record: Record, field: Field) -> Any:
        """Return a context manager that reads a seed or an output piece by piece."""
        path = self.path(record, field)
        found = format_for(field.annotation, path.name)
        if not isinstance(found, LazyFormat):
            raise FormatError(
                f"{type(record).__name__}.{field.name}: files like {path.name} are read whole; "
                f"use record.{field.name}."
            )
        if isinstance(field, Output):
            self._bring_about(Task(record, step_of(record, field)), field, compute=True)
        return found.open(path)

    def states(self, record: Record) -> Mapping[str, str]:
        """Return the state of each step, by its name."""
        planner = self.engine.planner()
        return {
            step.name: _short(planner.judge(Task(record, step)))
            for step in type(record).__steps__.values()
            if step.stored
        }

    def _bring_about(self, task: Task, field: Output, compute: bool) -> None:
        """See to it that a task's results may be used."""
        planner = self.engine.planner()
        verdict = planner.judge(task)
        if verdict.usable:
            return
        if not compute:
            raise ValueNotThere(
                f"{task.record.label}: {field.name} is not there: {verdict}. Read it without "
                "compute=False to compute it.",
                record=task.record.label,
                step=task.step.operation,
                log=verdict.log,
            )
        self._run(planner, [task])

    def _run(self, planner: Planner, wanted: list[Task]) -> None:
        """Carry out some tasks with all that they need, or say what stood in the way."""
        from ..run.attempt import failure
        from ..run.runner import Runner

        tasks = closure(planner, wanted)
        summary = Runner(self.engine.worker(planner)).run(tasks)
        unfinished = [t for t in wanted if not planner.judge(t).usable]
        if not unfinished:
            return
        if summary.failed:
            task, attempt = summary.failed[0]
            error = failure(task, attempt, self.engine.root)
            raise TasksFailed(str(error), record=error.record, step=error.step, log=error.log)
        task = unfinished[0]
        verdict = planner.judge(task)
        blocking = next((t for t in tasks if planner.judge(t).log is not None), task)
        log = planner.judge(blocking).log
        cause = "" if blocking is task else f"\n  {blocking}: {planner.judge(blocking)}"
        remedy = "Mend what failed, or try again with project.run(retry_failed=True)."
        raise TasksFailed(
            f"{task}: {verdict}{cause}" + (f"\n  log: {log}\n  {remedy}" if log else ""),
            record=task.record.label,
            step=task.step.operation,
            log=log,
        )

    def _unstored(self, task: Task, field: Output, compute: bool) -> Any:
        from ..run.calls import Bench, part_of

        if not compute:
            raise ValueNotThere(
                f"{task.record.label}: {field.name} is not stored: it is computed each time it is "
                "asked for.",
                record=task.record.label,
                step=task.step.operation,
            )
        planner = self.engine.planner()
        missing = [t for t in planner.needs(task).upstream if not planner.judge(t).usable]
        if missing:
            self._run(planner, missing)
        with tempfile.TemporaryDirectory(prefix="pointillist-") as folder:
            bench = Bench(
                space=self.engine.space,
                record=task.record,
                places={},
                log_place=str(Path(folder) / "log"),
                control=str(Path(folder) / "call"),
                program=self.engine.worker(planner).program,
            )
            return part_of(bench.carry_out(task.step.call, field.annotation), field)


def _short(verdict: Verdict) -> str:
    return f"{verdict.state}({verdict.note})" if verdict.note else str(verdict.state)
