"""Which records the command line selects: ``-j``, ``-f`` and ``--where``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from signac.filterparse import parse_filter_arg

from ..errors import ConfigurationError, RecordNotFound
from ..flow.compiled import CompiledProject
from ..plan.planner import Planner
from ..plan.states import day
from ..plan.tasks import Task
from ..values.collection import Collection, matches_text

__all__ = [
    "add_selection",
    "add_where",
    "check_names",
    "check_steps",
    "selected_ids",
    "selected_records",
    "selected_tasks",
    "settled_tasks",
    "why_no_task",
]


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add ``--where`` to a verb's parser, beside the flags that select jobs."""
    groups = [g for g in parser._action_groups if g.title == "job-operation selection"]
    place: argparse._ActionsContainer = groups[0] if groups else parser
    place.add_argument(
        "--where",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="Only records with these keys, properties or metadata: --where session=a parity=even.",
    )


def add_selection(parser: argparse.ArgumentParser, step: bool = True) -> None:
    """Add what selects tasks, or records, to the parser of a verb that is not signac-flow's."""
    if step:
        parser.add_argument(
            "step",
            nargs="?",
            metavar="STEP",
            help="The step: stats, or Block.stats; a regular expression that matches whole names.",
        )
    parser.add_argument(
        "-j",
        "--job-id",
        nargs="+",
        default=[],
        metavar="ID",
        help="Only these jobs: their ids, or how they begin.",
    )
    add_where(parser)


def check_names(lab: CompiledProject, names: Iterable[str] | None) -> None:
    """Refuse names of operations that select none.

    Raises
    ------
    ConfigurationError
        The message lists the operations.
    """
    unknown = lab.unknown_names(names)
    if unknown:
        known = ", ".join(lab.operations) or "none"
        raise ConfigurationError(
            f"no operation is called {', '.join(unknown)}. There are: {known}."
        )


def check_steps(lab: CompiledProject, names: list[str] | None) -> None:
    """Refuse names that select nothing but operations written by hand.

    Raises
    ------
    ConfigurationError
        If there is no step among them.
    """
    check_names(lab, names)
    if names and not lab.chosen_steps(names):
        raise ConfigurationError(
            f"{', '.join(names)} is no step but an operation written by hand: its conditions alone "
            "say whether it is complete. `why` names the one that is false."
        )


def selected_ids(lab: CompiledProject, args: argparse.Namespace) -> set[str] | None:
    """Return the job ids that the arguments select, or None for all.

    Raises
    ------
    RecordNotFound
        If an id or a name selects nothing.
    ConfigurationError
        If the arguments contradict each other.
    """
    ids = getattr(args, "job_id", None)
    filter_ = getattr(args, "filter", None)
    where = getattr(args, "where", None)
    if ids and filter_:
        raise ConfigurationError("-j/--job-id and -f/--filter cannot be combined; give one.")
    chosen: set[str] | None = None
    if ids:
        found = [lab._get_aggregate_from_id(id) for id in ids]
        chosen = {jobs[0].id for jobs in found if len(jobs) == 1}
    if filter_:
        parsed = parse_filter_arg(filter_)
        fitting = {
            record.id
            for cls in lab.engine.space.classes
            for record in _collection(lab, cls).where(parsed)
        }
        chosen = fitting | {job.id for job in lab.find_jobs(parsed)}
    if where:
        fitting = _where(lab, where)
        chosen = fitting if chosen is None else chosen & fitting
    return chosen


def _collection(lab: CompiledProject, cls: Any) -> Collection[Any]:
    return Collection(lab.engine.space, cls)


def _where(lab: CompiledProject, conditions: list[str]) -> set[str]:
    space = lab.engine.space
    found = set()
    known: set[str] = set()
    wanted = []
    for condition in conditions:
        name, equals, text = condition.partition("=")
        if not equals or not name:
            raise ConfigurationError(f"--where {condition!r}: write KEY=VALUE, as in session=a.")
        wanted.append((name, text))
    for cls in space.classes:
        for record in space.records(cls).values():
            has = {n for n, _ in wanted if _has(record, n)}
            known |= has
            if len(has) == len(wanted) and all(matches_text(record, n, t) for n, t in wanted):
                found.add(record.id)
    for name, _ in wanted:
        if name not in known:
            keys = dict.fromkeys(k for cls in space.classes for k in cls.keys)
            raise RecordNotFound(
                f"--where {name}=…: no record has such a key, property or metadata. "
                f"Keys: {', '.join(keys)}."
            )
    return found


def _has(record: Any, name: str) -> bool:
    cls = type(record)
    return (
        name in cls.keys
        or isinstance(getattr(cls, name, None), property)
        or name in record.document
    )


def selected_records(lab: CompiledProject, args: argparse.Namespace) -> list[Any]:
    """Return the records that ``-j`` and ``--where`` select, members before their aggregates.

    Raises
    ------
    ConfigurationError
        If neither is given.
    RecordNotFound
        If an id or a name selects nothing.
    """
    ids = selected_ids(lab, args)
    if ids is None:
        raise ConfigurationError("say which records: -j ID, or --where KEY=VALUE.")
    space = lab.engine.space
    return [
        record for cls in space.classes for id, record in space.records(cls).items() if id in ids
    ]


def selected_tasks(
    lab: CompiledProject,
    planner: Planner,
    names: list[str] | None,
    ids: set[str] | None,
    but_settled: bool = False,
) -> Iterator[Task]:
    """Yield the tasks of the chosen operations on the chosen records, in their order.

    Those of records that the planner found settled at a glance may be left out.
    """
    steps = {step.operation for step in lab.chosen_steps(names)}
    for task in planner.tasks(but_settled):
        if task.step.operation in steps and (ids is None or task.record.id in ids):
            yield task


def settled_tasks(
    lab: CompiledProject, planner: Planner, names: list[str] | None, ids: set[str] | None
) -> dict[tuple[str, str], int]:
    """Return by class and step, in their order, how many tasks the others have left out."""
    counts = {}
    chosen = {step.operation for step in lab.chosen_steps(names)}
    for cls in lab.engine.space.classes:
        settled = planner.settled(cls)
        count = len(settled if ids is None else settled & ids)
        steps = [s for s in cls.__steps__.values() if s.stored and s.operation in chosen]
        counts.update({(cls.__name__, step.name): count for step in steps})
    return counts


def why_no_task(lab: CompiledProject, ids: set[str] | None) -> str:
    """Say why a selection has no task."""
    space = lab.engine.space
    if ids is not None:
        return _why_none_of(lab, ids) if ids else "no record is selected"
    if not any(space.records(cls) for cls in space.classes):
        return "there are no records yet, `discover` finds them"
    return "no record has a step"


def _why_none_of(lab: CompiledProject, ids: set[str]) -> str:
    """Say why some records have no task: the steps, or their state."""
    space, said = lab.engine.space, list[str]()
    for cls in space.classes:
        said += [
            f"{record.label} is orphaned: its members are gone; `prune` removes it"
            for record in space.orphans(cls)
            if record.id in ids
        ]
        for id, record in space.records(cls).items():
            found = space.exclusion(record) if id in ids else None
            if found is not None:
                when = f"{found.user}, {day(found.time)}"
                said.append(f"{record.label} is excluded: {found.reason} ({when})")
    more = f" (and {len(said) - 1} more like it)" if len(said) > 1 else ""
    return "; ".join(["no step of a record is selected", *(line + more for line in said[:1])])
