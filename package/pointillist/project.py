"""Project: a FlowProject over the workspaces of all record classes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import signac

from .cli.parser import ParserWithoutRecords, ProjectParser
from .cli.selection import selected_ids, selected_tasks
from .errors import (
    DeclarationError,
    SpaceError,
    TasksFailed,
)
from .flow.compiled import CompiledProject, IgnoreConditions
from .model.pipeline import order_classes
from .model.records import Record, RecordType
from .run.curation import Curated
from .run.engine import Engine
from .space import changes
from .space.dataspace import DataSpace
from .values.home import ProjectHome

if TYPE_CHECKING:
    from .run.runner import Summary
    from .space.discovery import Report

__all__ = ["Project"]

R = TypeVar("R", bound=Record)


class Project(Curated, CompiledProject):
    """A project: its record classes, their jobs, and everything that is done to them.

    Subclass it and name the classes: ``records = (Recording, Block)``. Everything of
    ``flow.FlowProject`` works too, on the jobs of the first Record class.

    Parameters
    ----------
    path : str or Path, optional
        The project's folder. By default the folder of the file that defines the class; for a
        class that was typed in by hand, the current one.
    environment : flow.environment.ComputeEnvironment, optional
        As in signac-flow.
    entrypoint : dict, optional
        As in signac-flow.

    Raises
    ------
    SpaceError
        If the folder cannot be used.
    """

    records: ClassVar[tuple[Any, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        _check_records(cls)

    def __init__(
        self,
        path: str | Path | None = None,
        environment: Any = None,
        entrypoint: Any = None,
    ) -> None:
        root = Path(path) if path is not None else _folder_of(type(self))
        root = root.absolute()
        home = ProjectHome(self.job_of)
        space = DataSpace(root, self.records, home)
        self.engine = home.engine = Engine(space)
        try:
            signac.init_project(str(root))
        except OSError as error:
            raise SpaceError(
                f"{root} cannot become a project: {error.strerror or error}. It must be a folder "
                "that can be written."
            ) from error
        super().__init__(path=str(root), environment=environment, entrypoint=entrypoint)

    # records

    def add(self, cls: type[R], /, **keys: Any) -> R:
        """Add one record, if it is not there; aggregates follow.

        Raises
        ------
        RecordNotFound
            If a key is missing, or there is no such key or class.
        RecordError
            If the class is an aggregate.
        """
        self[cls]
        kind: Any = cls
        added: Any = changes.add(self.engine.space, self.engine.journal, kind, keys)
        return added  # type: ignore[no-any-return]  # a record of the class

    def add_product(self, cls: type[R], /, **keys: Any) -> list[R]:
        """Add a record for each combination of keys, if it is not there; aggregates follow.

        ``lab.add_product(Run, temperature=[1.5, 2.0, 2.5], replica=range(4))`` adds twelve.

        Parameters
        ----------
        cls : type of Record
            Their class.
        **keys
            By key, the values that it takes, or one value.

        Returns
        -------
        list of Record
            The records, those that were there before too; the last key changes fastest.

        Raises
        ------
        RecordNotFound
            If a key is missing, or there is no such key or class.
        RecordError
            If the class is an aggregate.
        """
        self[cls]
        kind: Any = cls
        added: Any = changes.add_product(self.engine.space, self.engine.journal, kind, keys)
        return added  # type: ignore[no-any-return]  # records of the class

    def discover(self) -> Report:
        """Make jobs of the files that match the seeds' patterns; aggregates follow.

        Returns
        -------
        Report
            What was found, what is new, gone or unmatched.
        """
        return changes.discover(self.engine.space, self.engine.journal)

    def sync(self) -> dict[str, tuple[int, int, int]]:
        """Let aggregates follow their members, as `discover`, `add` and `run` do.

        Returns
        -------
        dict of str to (int, int, int)
            By class: how many there are, how many are new, how many have other members.
        """
        return changes.sync(self.engine.space, self.engine.journal)

    def rekey(self, record: R, **keys: Any) -> R:
        """Give a record other keys; its job moves with all results.

        Raises
        ------
        RecordError
            If a record with these keys has results of its own, or it is an aggregate.
        """
        moved: Any = changes.rekey(self.engine.space, self.engine.journal, record, keys)
        return moved  # type: ignore[no-any-return]  # a record of the same class

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
        order: Any = None,
        ignore_conditions: Any = IgnoreConditions.NONE,
        *,
        fail_fast: bool = False,
        rerun: Iterable[str] = (),
        retry_failed: bool = False,
        cold_matlab: bool = False,
        executor: str | None = None,
        address: str | None = None,
    ) -> Summary:
        """Carry out what must be done: steps of records first, then other operations.

        Parameters
        ----------
        jobs : iterable of Record or signac Job, optional
            Only on these.
        names : iterable of str, optional
            Only these operations; regular expressions that match whole names.
        pretend, np, timeout, num, num_passes, progress, order, ignore_conditions
            As in signac-flow; `np` holds for steps of records too.
        fail_fast : bool
            End at the first failure.
        rerun : iterable of str
            Rules that only show, as ``"source"`` does: what is stale by these alone is done too.
        retry_failed : bool
            Try failed tasks again although nothing has changed.
        cold_matlab : bool
            Start MATLAB anew for each of its steps, not once.
        executor : {"ray"}, optional
            What carries steps out: by default this process, or `np` of this host. With ``"ray"``,
            `np` says how many CPUs are used at most.
        address : str, optional
            The Ray cluster, ``"auto"`` or ``"host:port"``. Without it one that the program has
            joined is used, or a local Ray started for the run.

        Returns
        -------
        Summary
            What was done.

        Raises
        ------
        TasksFailed
            At the end, if tasks failed; the message is the first one's.
        ConfigurationError
            If there is no such executor, or no such cluster.
        """
        from .cli.queued import note_losses
        from .cli.run import foreseen, run_steps
        from .run.attempt import failure
        from .run.runner import Summary

        if isinstance(names, str):
            raise ValueError("names is a sequence of names, not one text.")
        chosen = None if names is None else list(names)
        self.sync()
        listed = None if jobs is None else list(jobs)
        ids = None if listed is None else {job.id for job in listed if hasattr(job, "id")}
        if not pretend:
            note_losses(self)
        planner = self.engine.planner(frozenset(rerun), retry_failed)
        planner.glance()
        if pretend:
            tasks = selected_tasks(self, planner, chosen, ids)
            from .plan.durations import estimate
            from .view.console import console_for
            from .view.summary import show_plan

            plan = foreseen(planner, tasks)
            show_plan(console_for(), plan, estimate(planner.attempts, [task for task, _ in plan]))
            summary = Summary()
        else:
            summary = run_steps(
                self,
                planner,
                chosen,
                ids,
                limit=num,
                timeout=timeout,
                order=order if isinstance(order, str) else None,
                ignore=ignore_conditions,
                fail_fast=fail_fast,
                cold_matlab=cold_matlab,
                np=np,
                executor=executor,
                address=address,
            )
        own = self.own_operations(chosen)
        if own and not summary.limited:
            jobs = listed and [job.job if isinstance(job, Record) else job for job in listed]
            left = _left(num, summary)
            self.run_operations(
                jobs=jobs,
                names=own,
                pretend=pretend,
                np=np,
                timeout=timeout,
                num=left,
                num_passes=num_passes,
                progress=progress,
                order=order,
                ignore_conditions=ignore_conditions,
                fail_fast=fail_fast,
                retry_failed=retry_failed,
            )
        if summary.failed:
            error = failure(*summary.failed[0], self.engine.root)
            count = len(summary.failed)
            text = f"{count} tasks failed, the first: {error}" if count > 1 else str(error)
            raise TasksFailed(text, record=error.record, step=error.step, log=error.log)
        return summary

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
        """Submit all that is still to do to Slurm; other operations as signac-flow does.

        Parameters
        ----------
        bundle_size, parallel, force, ignore_conditions, ignore_conditions_on_execution
            As in signac-flow.
        jobs : iterable of Record or signac Job, optional
            Only these.
        names : iterable of str, optional
            Only these operations; regular expressions that match whole names.
        num : int, optional
            How many tasks are submitted at most.
        **options
            ``rerun``, ``retry_failed``, ``matlab``, ``cold_matlab``; and as in signac-flow
            ``pretend``, ``hold``, ``after``, ``flags``, ``partition``, …

        Raises
        ------
        SchedulerError
            If Slurm cannot be asked, or takes no more.
        """
        from .cli import submit
        from .flow.scripts import has_arrays

        chosen = None if names is None else list(names)
        listed = None if jobs is None else list(jobs)
        if listed == []:
            return
        if self.engine.space.classes and self.chosen_steps(chosen) and has_arrays(self):
            known = {
                "bundle_size": bundle_size,
                "num": num,
                "parallel": parallel,
                "force": force,
                "ignore_conditions": ignore_conditions,
                "job_id": None if listed is None else [job.id for job in listed],
                "operation_name": chosen,
            }
            chosen = submit.main(self, submit.with_defaults(**known, **options))
            if chosen is None:
                return
        super().submit(
            *(bundle_size, listed, chosen, num, parallel, force),
            *(ignore_conditions, ignore_conditions_on_execution),
            **options,
        )

    def run_own(self, args: argparse.Namespace, own: list[str], before: Summary) -> None:
        """Run operations that are no steps of records, as ``run`` on the command line says."""
        with self.at_root(args.switch_to_project_root):
            self.run_operations(
                jobs=self._select_jobs_from_args(args),
                names=own,
                pretend=args.pretend,
                np=args.parallel,
                timeout=args.timeout,
                num=_left(args.num, before),
                num_passes=args.num_passes,
                progress=args.progress,
                order=args.order,
                ignore_conditions=args.ignore_conditions,
                fail_fast=args.fail_fast,
                retry_failed=args.retry_failed,
            )

    def print_status(self, jobs: Any = None, *args: Any, **options: Any) -> None:
        """Print how many tasks of each step are in which state.

        Parameters
        ----------
        jobs : iterable of Record or signac Job, optional
            Only of these.
        *args, **options
            For a project without record classes as in signac-flow; else ``detailed`` and
            ``only_incomplete`` are looked at.
        """
        if not self.engine.space.classes:
            super().print_status(jobs, *args, **options)
            return
        from .cli.status import rows
        from .view.console import console_for
        from .view.status import show_status

        ids = None if jobs is None else {job.id for job in jobs if hasattr(job, "id")}
        found = rows(self, self.engine.planner(), None, ids)
        space = self.engine.space
        counts = {cls.__name__: len(space.records(cls)) for cls in space.classes}
        detailed, only = options.get("detailed", False), options.get("only_incomplete", False)
        labels = self.label_counts(ids)
        show_status(console_for(), counts, found, detailed, only, labels=labels)

    # the command line

    def main(self, parser: Any = None) -> None:
        """Carry out what the command line says, and exit with 1 if anything failed.

        Parameters
        ----------
        parser : argparse.ArgumentParser, optional
            As in signac-flow; verbs and flags of records are then left out.
        """
        if parser is None:
            kind = ProjectParser if self.engine.space.classes else ParserWithoutRecords
            parser = kind(self)
        super().main(parser)

    def _main_run(self, args: argparse.Namespace) -> None:
        if self.engine.space.classes and hasattr(args, "where"):
            from .cli import run

            sys.exit(run.main(self, args))
        super()._main_run(args)

    def _main_status(self, args: argparse.Namespace) -> None:
        if self.engine.space.classes and hasattr(args, "where"):
            from .cli import status

            sys.exit(status.main(self, args))
        super()._main_status(args)

    def _main_exec(self, args: argparse.Namespace) -> None:
        from .cli import exec

        code = exec.main(self, args) if self.engine.space.classes else None
        if code is None:
            super()._main_exec(args)
        elif code:
            sys.exit(code)

    def _main_next(self, args: argparse.Namespace) -> None:
        from .cli import next

        if not self.engine.space.classes or next.main(self, args) is None:
            super()._main_next(args)

    def _main_submit(self, args: argparse.Namespace) -> None:
        if self.engine.space.classes and hasattr(args, "where"):
            from .cli import submit

            rest = submit.main(self, args)
            if rest is None:
                return
            args.operation_name = rest
        super()._main_submit(args)

    def _select_jobs_from_args(self, args: argparse.Namespace) -> Any:
        if not getattr(args, "where", None) and not getattr(args, "filter", None):
            return super()._select_jobs_from_args(args)
        return [self._get_aggregate_from_id(id) for id in sorted(selected_ids(self, args) or ())]


def _left(num: int | None, summary: Summary) -> int | None:
    """Return how many tasks may still be carried out of `num`."""
    if num is None or num < 0:
        return None
    return num - summary.done - len(summary.failed)


def _check_records(cls: type[Project]) -> None:
    classes = cls.records
    if not isinstance(classes, tuple) or not all(isinstance(c, RecordType) for c in classes):
        raise DeclarationError(
            f"{cls.__name__}.records must be a tuple of record classes: records = (Recording, …). "
            f"It is {classes!r}."
        )
    names = [c.__name__ for c in classes]
    if len(set(names)) < len(names):
        raise DeclarationError(f"{cls.__name__}.records: two classes have the same name: {names}.")
    for c in classes:
        if not c.keys and c.__member__ is None:
            raise DeclarationError(f"{cls.__name__}: {c.__name__} has no key. Declare one.")
    order_classes(classes)


def _folder_of(cls: type) -> Path:
    """Return the folder of the file that defines a class, or the current one."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if file is None or "site-packages" in Path(file).parts:
        return Path.cwd()
    return Path(file).absolute().parent
