"""A FlowProject that holds the operations of record classes beside its own."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flow.project import IgnoreConditions

from ..errors import ConfigurationError, RecordNotFound, TaskError
from ..model.pipeline import StepSpec
from ..model.records import RecordType
from ..plan.states import State, Verdict
from ..plan.tasks import Task
from ..run.engine import Engine
from ..space import changes
from .flowproject import FlowProject
from .operations import Operation, compile_step, group_of
from .recorded import Book
from .shelves import RecordStore
from .verdicts import Verdicts

if TYPE_CHECKING:
    from ..run.acceptance import Acceptance

__all__ = ["CompiledProject", "IgnoreConditions"]


class CompiledProject(FlowProject):
    """What ``Project`` is to signac-flow: one project over the workspaces of all classes."""

    engine: Engine

    def carry_out(self, task: Task) -> None:
        """Carry a task out, whatever its state is.

        Raises
        ------
        TaskError
            If it fails, or another runner has it.
        """
        from ..run.attempt import failure
        from ..run.runner import Runner

        planner = self.engine.planner()
        runner = Runner(self.engine.worker(planner), around=self.hooks_around)
        attempt = runner.force(task)
        if attempt is None:
            raise TaskError(
                f"{task}: another runner is at it.",
                record=task.record.label,
                step=task.step.operation,
            )
        if attempt.outcome != "complete":
            raise failure(task, attempt, self.engine.root)

    # registering

    def _register_groups(self) -> None:
        super()._register_groups()  # of the operations that are no steps
        stores: dict[RecordType, RecordStore] = {}
        for step in self._steps():
            operation = compile_step(step, self.record_of, self.engine.planner, self.carry_out)
            self._operations[step.operation] = operation
            group = group_of(operation)
            self._groups[group.name] = group
            if step.record not in stores:
                stores[step.record] = self.shelves.store(step.record)
            self._group_to_aggregate_store[group] = stores[step.record]

    def _steps(self) -> Iterator[StepSpec]:
        for cls in self.engine.space.classes:
            yield from (step for step in cls.__steps__.values() if step.stored)

    # jobs and records

    @property
    def _has_records(self) -> bool:
        return bool(self.engine.space.classes)

    def _look_again(self) -> None:
        self.engine.space.refresh()
        self.engine.attempts.refresh(self.engine.space.layout)

    def follow(self) -> None:
        """Let the aggregates follow their members, where operations work on records."""
        if self._operation_records:
            changes.sync(self.engine.space, self.engine.journal)

    def _get_aggregate_from_id(self, id: str, check_abbrevations: bool = True) -> Any:
        found = self.shelves.find(id)
        if found is not None and (check_abbrevations or found.id == id):
            return (found,)
        try:
            return super()._get_aggregate_from_id(id, check_abbrevations)
        except LookupError:
            raise RecordNotFound(
                f"there is no job whose id begins with {id!r}. `status -d` lists them."
            ) from None

    # operations by name

    def chosen_steps(self, names: Iterable[str] | None) -> list[StepSpec]:
        r"""Return the steps whose operation, step or output is called as a name says.

        Parameters
        ----------
        names : iterable of str, optional
            Regular expressions, matched whole: ``Block.stats``, ``stats``, ``Block\..*``.
        """
        if names is None:
            return list(self._steps())
        patterns = [_pattern(name) for name in names]
        return [s for s in self._steps() if any(p.fullmatch(n) for p in patterns for n in _said(s))]

    def own_operations(self, names: Iterable[str] | None = None) -> list[str]:
        """Return the names of the operations that were written with ``@Project.operation``."""
        own = [name for name, op in self._operations.items() if not isinstance(op, Operation)]
        if names is None:
            return own
        groups = [n for n in self._groups if n not in self._operations]
        patterns = [_pattern(name) for name in names]
        return [n for n in own + groups if any(p.fullmatch(n) for p in patterns)]

    def unknown_names(self, names: Iterable[str] | None) -> list[str]:
        """Return those names that select nothing."""
        return [
            name
            for name in names or ()
            if not self.chosen_steps([name]) and not self.own_operations([name])
        ]

    def _gather_selected_flow_groups(self, names: Any = None, i_pass: int = 1) -> list[Any]:
        if names is None:
            return list(self._groups.values())
        found: dict[str, Any] = {}
        for name in names:
            for step in self.chosen_steps([name]):
                found[step.operation] = self._groups[step.operation]
            for group in self.own_operations([name]):
                found[group] = self._groups[group]
        unknown = self.unknown_names(names)
        if unknown and i_pass == 1:
            print(f"Unrecognized flow operation(s): {', '.join(unknown)}", file=sys.stderr)
        return list(found.values())

    # hooks, labels and states

    def label_counts(self, ids: set[str] | None = None) -> dict[str, int]:
        """Return how many jobs of the first Record class have each label."""
        if not self._label_functions:
            return {}
        space = self.engine.space
        jobs = [
            self.job_of(record)
            for cls in filter(space.is_first, space.classes)
            for record in space.records(cls).values()
            if ids is None or record.id in ids
        ]
        return dict(Counter(label for job in jobs for label in self.labels(job)))

    def hooks_around(self, task: Task) -> AbstractContextManager[None]:
        """Call the project's and the operation's hooks around a task."""
        name = task.step.operation
        if not self._has_hooks(name):
            return nullcontext()
        operation = SimpleNamespace(name=name, _jobs=(self.job_of(task.record),))
        around: AbstractContextManager[None] = self._run_with_hooks(operation)
        return around

    def _has_hooks(self, name: str) -> bool:
        own = self._operation_hooks.get(name)
        return _calls_any(self._project_hooks) or (own is not None and _calls_any(own))

    def own_verdicts(
        self, names: Iterable[str] | None = None, ids: set[str] | None = None
    ) -> Iterator[tuple[str, str, Verdict]]:
        """Yield operation, aggregate id and state of the operations that conditions judge."""
        groups = {self._groups[n] for n in self.own_operations(names) if n in self._operations}
        if not groups:
            return
        self._reregister_aggregates()
        self.engine.attempts.refresh(self.engine.space.layout, self.engine.journal)
        verdicts = Verdicts(self)
        for id, jobs, group in self._generate_selected_aggregate_groups(selected_groups=groups):
            if ids is None or id in ids:
                yield group.name, id, verdicts.judge(group.name, jobs)

    def accept_operations(
        self, names: Iterable[str] | None, ids: set[str] | None, note: str, pretend: bool
    ) -> list[Acceptance]:
        """Accept operations whose attempt died although their conditions hold.

        Parameters
        ----------
        names : iterable of str or None
            Only these, as regular expressions.
        ids : set of str or None
            Only on these jobs or aggregates.
        note : str
            Why they are right as they are.
        pretend : bool
            Whether nothing is recorded.
        """
        from ..run.acceptance import HELD, Acceptance

        book, found = Book(self), []
        for name, id, verdict in list(self.own_verdicts(names, ids)):
            if verdict.state is State.FAILED:
                jobs = self._get_aggregate_from_id(id)
                done = pretend or book.accept(name, jobs, note)
                found.append(Acceptance(f"{name}({id})", verdict, "" if done else HELD))
        return found

    # running the operations that are no steps

    def run_operations(
        self, *, pretend: bool, ignore_conditions: Any, retry_failed: bool, **options: Any
    ) -> None:
        """Run operations, each claimed and recorded.

        Parameters
        ----------
        pretend, ignore_conditions
            As in signac-flow.
        retry_failed : bool
            Whether those are carried out again whose conditions hold, but whose attempt died.
        **options
            All other parameters of `MendedProject.run`.

        Raises
        ------
        flow.errors.UserOperationError
            At the end, if operations failed: the first of the errors.
        flow.errors.UserConditionError
            At the end, if a condition cannot be judged.
        TasksFailed
            If an operation is failed and was not tried again.
        """
        book = None if pretend else Book(self, ignore_conditions, retry_failed)
        self._run(
            pretend=pretend,
            ignore_conditions=ignore_conditions,
            book=book,
            **options,
        )
        if book is not None:
            book.check()

    def _performer(self, name: str) -> Callable[[tuple[Any, ...]], None]:
        carry_out = super()._performer(name)
        if isinstance(self._operations[name], Operation):
            return carry_out  # a step, which is recorded already
        book = Book(self)
        book.begin()
        return lambda jobs: book.perform(name, jobs, lambda: carry_out(jobs))

    @classmethod
    def _add_operation_selection_arg_group(cls, parser: Any) -> None:
        super()._add_operation_selection_arg_group(parser)
        if parser.prog.endswith(" run"):
            parser.add_argument(
                "--retry-failed",
                action="store_true",
                help="Try what failed again although nothing has changed.",
            )

    def _more_run_options(self, args: Any) -> dict[str, Any]:
        return {**super()._more_run_options(args), "retry_failed": args.retry_failed}


def _calls_any(hooks: Any) -> bool:
    return bool(hooks.on_start or hooks.on_exit or hooks.on_success or hooks.on_exception)


def _pattern(name: str) -> re.Pattern[str]:
    try:
        return re.compile(name)
    except re.error as error:
        raise ConfigurationError(
            f"{name!r} is neither the name of an operation nor a regular expression: {error}."
        ) from None


def _said(step: StepSpec) -> list[str]:
    cls = step.record.__name__
    names = dict.fromkeys([step.name, *(made.name for made in step.outputs)])
    return [said for name in names for said in (f"{cls}.{name}", name)]
