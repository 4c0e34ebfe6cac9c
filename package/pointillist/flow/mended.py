"""signac-flow's project on an engine of ours, with its known defects mended."""

from __future__ import annotations

import contextlib
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import flow
from flow.aggregates import _AggregatesCursor
from flow.errors import NoSchedulerError, SubmitError
from flow.project import FlowCmdOperation, IgnoreConditions
from flow.util.misc import _add_cwd_to_environment_pythonpath, _switch_to_directory
from signac.filterparse import parse_filter_arg
from signac.job import Job

from ..commands.trees import is_within, marked
from ..errors import ConfigurationError, PointillistError
from ..run.interruption import Stopped, handled, interruptible
from .conditions import Condition
from .declaring import FlowProjectType
from .executions import hooks_around
from .groups import register_groups
from .passes import Order, Passes
from .selection import Filtered, chosen
from .submission import ask_scheduler, submit, with_our_templates
from .workers import Carrier

if TYPE_CHECKING:
    from .decorators import ConditionClass, GroupEntry, HookClass, OperationRegister
    from .recorded import Book

__all__ = ["IgnoreConditions", "MendedProject"]


class MendedProject(flow.FlowProject, metaclass=FlowProjectType):  # type: ignore[misc]  # no types
    """A ``flow.FlowProject`` whose known defects are mended, and whose runs go on to the end."""

    if TYPE_CHECKING:
        operation: ClassVar[OperationRegister]
        pre: ClassVar[ConditionClass]
        post: ClassVar[ConditionClass]
        operation_hooks: ClassVar[HookClass]

        @classmethod
        def make_group(
            cls,
            name: str,
            submit_options: str = "",
            run_options: str = "",
            group_aggregator: Any = None,
        ) -> GroupEntry:
            """Make a group of operations."""

    _operation_records: dict[str, Any] = {}

    # registering

    def _register_operations(self) -> None:
        super()._register_operations()
        for operation in self._operations.values():
            for conditions in (operation._preconditions, operation._postconditions):
                conditions[:] = [Condition(condition._callback) for condition in conditions]

    def _register_groups(self) -> None:
        register_groups(self)

    def _reregister_aggregates(self) -> None:
        for store in self._group_to_aggregate_store.inverse:
            if hasattr(store, "_register_aggregates"):
                store._register_aggregates()

    def follow(self) -> None:
        """Make what operations work on, before they are carried out: jobs are there already."""

    def _generate_selected_aggregate_groups(
        self,
        selected_aggregates: Any = None,
        selected_groups: Any = None,
    ) -> Iterator[tuple[str, tuple[Any, ...], Any]]:
        """Yield what is selected, store by store in the order of their declaration.

        signac-flow goes through a set of stores, and for each of them through all aggregates.
        """
        for store, groups in self._group_to_aggregate_store.inverse.items():
            matching = [g for g in groups if selected_groups is None or g in selected_groups]
            if matching:
                for id, jobs in chosen(store, selected_aggregates):
                    for group in matching:
                        yield id, jobs, group

    # jobs

    def _convert_jobs_to_aggregates(self, jobs: Any) -> Any:
        """Take jobs of a plain ``signac.Project`` too: they are looked up here by their ids."""
        self._reregister_aggregates()
        if jobs is None or isinstance(jobs, _AggregatesCursor):
            return super()._convert_jobs_to_aggregates(jobs)
        return super()._convert_jobs_to_aggregates([self._own(job) for job in jobs])

    def _own(self, jobs: Any) -> Any:
        if isinstance(jobs, Job):
            return self._own_job(jobs)
        if isinstance(jobs, Iterable) and not isinstance(jobs, str):
            return tuple(self._own_job(job) if isinstance(job, Job) else job for job in jobs)
        return jobs  # signac-flow says what is wrong with it

    def _own_job(self, job: Any) -> Any:
        if hasattr(job._project, "_environment") or job not in self:
            return job
        return self.open_job(id=job.id)

    def find_matching(self, filter: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the jobs, also those of record classes, that match a signac filter."""
        yield from self.find_jobs(filter)

    def _select_jobs_from_args(self, args: Any) -> Any:
        self._reregister_aggregates()
        if not getattr(args, "filter", None) or args.job_id:
            return super()._select_jobs_from_args(args)
        found = Filtered(self, parse_filter_arg(args.filter))
        if found.partly:
            which = "1 aggregate" if found.partly == 1 else f"{found.partly} aggregates"
            whose = "its" if found.partly == 1 else "their"
            print(
                f"-f: {which} left out, as only some of {whose} jobs match the filter.",
                file=sys.stderr,
            )
        return found

    @contextlib.contextmanager
    def _buffered(self) -> Iterator[None]:
        try:
            with super()._buffered():
                yield
        finally:  # also if a condition raised
            self._is_buffered = False
            self._jobs_cursor = None

    # running

    def run(
        self,
        jobs: Iterable[Any] | None = None,
        names: Iterable[str] | None = None,
        pretend: bool = False,
        np: int | None = None,
        timeout: float | None = None,
        num: int | None = None,
        num_passes: int | None = 1,
        progress: bool = False,
        order: Order = None,
        ignore_conditions: Any = IgnoreConditions.NONE,
        *,
        fail_fast: bool = False,
    ) -> Any:
        """Carry out all eligible operations, as signac-flow does, but to the end.

        Parameters
        ----------
        jobs : iterable of signac Job or of tuples of them, optional
            Only on these jobs or aggregates.
        names : iterable of str, optional
            Only these operations or groups: regular expressions that match whole names.
        pretend, np, timeout, num, num_passes, progress, order, ignore_conditions
            As in signac-flow.
        fail_fast : bool
            Raise the first error at once, as signac-flow does.

        Raises
        ------
        flow.errors.UserOperationError
            At the end, if operations failed: the first of the errors.
        flow.errors.UserConditionError
            If a condition cannot be judged.
        """
        self._run(
            *(jobs, names, pretend, np, timeout, num, num_passes, progress, order),
            *(ignore_conditions, fail_fast, None),
        )

    def _run(
        self,
        jobs: Iterable[Any] | None,
        names: Iterable[str] | None,
        pretend: bool,
        np: int | None,
        timeout: float | None,
        num: int | None,
        num_passes: int | None,
        progress: bool,
        order: Order,
        ignore_conditions: Any,
        fail_fast: bool,
        book: Book | None,
    ) -> None:
        """Run, and let a book claim and record the operations if there is one."""
        if isinstance(names, str):
            raise ValueError(
                "The names argument of FlowProject.run() must be a sequence of strings, "
                "not a string."
            )
        if not isinstance(ignore_conditions, IgnoreConditions):
            raise ValueError(
                "The ignore_conditions argument of FlowProject.run() "
                "must be a member of class IgnoreConditions."
            )
        with (
            handled(is_open=True),
            Carrier(self, np, timeout, pretend, progress, fail_fast, book) as carrier,
        ):
            passes = Passes(
                self,
                self._convert_jobs_to_aggregates(jobs),
                names,
                None if num is not None and num < 0 else num,
                None if num_passes is not None and num_passes < 0 else num_passes,
                order,
                ignore_conditions,
                carrier,
                pretend,
                book,
            )
            passes.run()
        for found, what in ((passes.failed, "failed"), (passes.unjudged, "cannot be judged")):
            if found:
                (_, error), *others = found
                if others:
                    error.add_note(
                        f"{len(found)} operations {what}; this is the error of the first."
                    )
                raise error

    def _execute_operation(self, operation: Any, *args: Any, **kwargs: Any) -> None:
        """Carry an operation out; all that it started ends when it is stopped, or timed out."""
        with marked():
            interruptible(super()._execute_operation, operation, *args, **kwargs)

    @contextlib.contextmanager
    def _run_with_hooks(self, operation: Any) -> Iterator[None]:
        hooks = [self._project_hooks, self._operation_hooks.get(operation.name)]
        with hooks_around([h for h in hooks if h], operation.name, operation._jobs):
            yield

    # submission

    def _query_scheduler_status(self, err: Any = None, ignore_errors: bool = False) -> Any:
        return ask_scheduler(self, sys.stderr if err is None else err)

    def _setup_template_environment(self) -> Any:
        return with_our_templates(super()._setup_template_environment())

    def submit(
        self,
        bundle_size: int = 1,
        jobs: Iterable[Any] | None = None,
        names: Iterable[str] | None = None,
        num: int | None = None,
        parallel: bool = False,
        force: bool = False,
        ignore_conditions: Any = IgnoreConditions.NONE,
        ignore_conditions_on_execution: Any = IgnoreConditions.NONE,
        **options: Any,
    ) -> None:
        """Submit all eligible operations to the scheduler, as signac-flow does.

        Parameters
        ----------
        bundle_size : int
            How many operations go into one submission; 0 for all.
        jobs : iterable of signac Job or of tuples of them, optional
            Only on these jobs or aggregates.
        names : iterable of str, optional
            Only these operations or groups: regular expressions that match whole names.
        num : int, optional
            How many operations are submitted at most.
        parallel : bool
            Whether the operations of a bundle run at the same time.
        force : bool
            Whether warnings and checks are ignored.
        ignore_conditions, ignore_conditions_on_execution : IgnoreConditions
            The conditions that do not count now, and when the operations are carried out.
        **options
            For the environment's ``submit``: ``pretend``, ``hold``, ``after``, ``flags``, …
        """
        if isinstance(names, str):
            raise ValueError(
                "The 'names' argument must be a sequence of strings, however "
                f"a single string was provided: {names}."
            )
        if not isinstance(ignore_conditions, IgnoreConditions):
            raise ValueError(
                "The ignore_conditions argument of FlowProject.run() "
                "must be a member of class IgnoreConditions."
            )
        if not options.get("pretend"):
            self.follow()
        eligible = self._get_submission_operations(
            self._convert_jobs_to_aggregates(jobs),
            self._get_default_directives(),
            names,
            ignore_conditions,
            ignore_conditions_on_execution,
        )
        submit(self, eligible, num, bundle_size, parallel=parallel, force=force, **options)

    # the command line

    def main(self, parser: Any = None) -> None:
        """Carry out what the command line says; what goes wrong on purpose is said in a line.

        Parameters
        ----------
        parser : argparse.ArgumentParser, optional
            As in signac-flow.
        """
        with handled(is_program=True, is_open=True), _frames_unread():
            try:
                try:
                    super().main(parser)
                finally:
                    sys.stdout.flush()
            except PointillistError as error:
                print(f"Error: {error}", file=sys.stderr)
                sys.exit(1)
            except KeyboardInterrupt as stop:
                if not is_within():  # else who started it says so
                    print(
                        "\ninterrupted: what had ended is kept, the task at hand was given up. "
                        "The same command goes on from here.",
                        file=sys.stderr,
                    )
                sys.exit(stop.code if isinstance(stop, Stopped) else 130)
            except BrokenPipeError:  # `status | head` has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)

    @classmethod
    def _add_operation_selection_arg_group(cls, parser: Any) -> None:
        super()._add_operation_selection_arg_group(parser)
        if parser.prog.endswith(" run"):
            parser.add_argument(
                "--fail-fast", action="store_true", help="End the run at the first failure."
            )

    def _main_run(self, args: Any) -> None:
        if not args.pretend:
            self.follow()  # a filter selects what is there
        with self.at_root(args.switch_to_project_root):
            self.run(
                jobs=self._select_jobs_from_args(args),
                names=args.operation_name,
                pretend=args.pretend,
                np=args.parallel,
                timeout=args.timeout,
                num=args.num,
                num_passes=args.num_passes,
                progress=args.progress,
                order=args.order,
                ignore_conditions=args.ignore_conditions,
                **self._more_run_options(args),
            )

    def _more_run_options(self, args: Any) -> dict[str, Any]:
        """Return the options of `run` that signac-flow has not."""
        return {"fail_fast": args.fail_fast}

    def _main_submit(self, args: Any) -> None:
        if not args.pretend:
            self.follow()
        try:
            super()._main_submit(args)
        except NoSchedulerError:
            raise ConfigurationError(
                f"signac-flow sees no scheduler here ({self._environment.__name__}). Submit on a "
                "machine that has one; `run` needs none."
            ) from None
        except (SubmitError, FileNotFoundError) as error:
            raise ConfigurationError(f"the scheduler took nothing more: {error}") from error

    def _main_next(self, args: Any) -> None:
        self.follow()
        self._reregister_aggregates()
        super()._main_next(args)

    def _main_exec(self, args: Any) -> None:
        """Carry an operation out on jobs or aggregates, whatever its state is."""
        self.follow()
        carry_out = self._performer(args.operation)
        for _, jobs, _ in self._generate_selected_aggregate_groups(
            selected_aggregates=self._select_jobs_from_args(args),
            selected_groups={self._groups[args.operation]},
        ):
            carry_out(jobs)

    def _performer(self, name: str) -> Callable[[tuple[Any, ...]], None]:
        """Return what carries an operation out on some jobs."""
        operation = self._operations[name]

        def carry_out(jobs: tuple[Any, ...]) -> None:
            with marked():
                if isinstance(operation, FlowCmdOperation):
                    interruptible(subprocess.run, operation(*jobs), shell=True, check=True)
                else:
                    interruptible(operation, *jobs)

        return carry_out

    @contextlib.contextmanager
    def at_root(self, wanted: bool) -> Iterator[None]:
        """Work in the project's folder, if that is wanted; modules are found as before."""
        if not wanted:
            yield
            return
        with _add_cwd_to_environment_pythonpath(), _switch_to_directory(self.path):
            yield


@contextlib.contextmanager
def _frames_unread() -> Iterator[None]:
    """Let signac-flow look up the program's file without reading the sources of all frames."""

    def stack() -> list[inspect.FrameInfo]:
        return inspect.stack(context=0)

    flow.project.inspect = SimpleNamespace(**{**vars(inspect), "stack": stack})
    try:
        yield
    finally:
        flow.project.inspect = inspect
