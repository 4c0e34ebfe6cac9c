"""``submit``: the whole pipeline that is still to do, as job arrays that wait for each other."""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from typing import Any

from ..cluster.arrays import Key, planned
from ..cluster.pipeline import coming
from ..cluster.queue import Queue, look
from ..cluster.slurm import LONGEST, longest_array
from ..errors import ConfigurationError, SchedulerError
from ..flow.compiled import CompiledProject, IgnoreConditions
from ..flow.scripts import Request, has_arrays
from ..plan.tasks import Task
from ..space.changes import sync
from ..space.rulesets import RULES
from ..space.submissions import submitting
from ..view.console import console_for
from ..view.quantities import counted
from ..view.submission import in_words, show_submitted
from .asking import agreed
from .queued import asked_queue
from .selection import add_where, check_names, selected_ids, selected_tasks, why_no_task
from .sending import Sending, pretend, send_all

__all__ = ["extend", "main", "with_defaults"]

EXAMPLES = """examples:
  python project.py submit --pretend             arrays, dependencies and scripts; sends nothing
  python project.py submit                       everything that is still to do
  python project.py submit -b 50 -p              50 tasks in each batch job, side by side
  python project.py submit -o stats --where session=a
  python project.py submit --partition long -- --nice=100
"""

_MANY = 1000
"""Tasks that are submitted without a question."""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add to signac-flow's ``submit`` what it has not."""
    parser.description = (
        "Hand everything that is still to do to a scheduler. On Slurm each step is a job array, "
        "and what reads its results waits for it; nothing is submitted twice. Operations written "
        "by hand, PBS and LSF get what signac-flow gives them: a batch job for each bundle of "
        "what can be carried out now."
    )
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_where(parser)
    parser.add_argument(
        "--rerun",
        choices=list(RULES),
        nargs="+",
        default=[],
        help="Also do again what is stale by rules that only show; by default that is source.",
    )
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="Try what failed again although nothing has changed.",
    )
    parser.add_argument(
        "--matlab", help="The program for MATLAB steps on the nodes: matlab, octave-cli, a path."
    )
    parser.add_argument(
        "--cold-matlab", action="store_true", help="Start MATLAB anew for each of its steps."
    )
    parser.add_argument(
        "--yes", action="store_true", help=f"Submit more than {_MANY} tasks without a question."
    )


def with_defaults(**said: Any) -> argparse.Namespace:
    """Return the arguments of a `submit` in Python, with those that were not said."""
    usual: dict[str, Any] = dict.fromkeys(("matlab", "filter"))
    usual |= dict.fromkeys(("pretend", "show_template_help", "retry_failed", "cold_matlab"), False)
    usual |= {"template": "script.sh", "rerun": [], "flags": [], "where": [], "yes": True}
    return argparse.Namespace(**{**usual, **said})


def main(lab: CompiledProject, args: argparse.Namespace) -> list[str] | None:
    """Submit the steps of records; return the names of what is left to signac-flow's way."""
    names = args.operation_name or None
    check_names(lab, names)
    own, steps = lab.own_operations(names), lab.chosen_steps(names)
    if steps and not has_arrays(lab):
        if lab._environment.scheduler_type is not None:
            print(
                "Only on Slurm the whole pipeline is submitted, in arrays that wait for each "
                "other; here it is a batch job for each bundle of what can be carried out now.",
                file=sys.stderr,
            )
        own += [step.operation for step in steps]
    elif steps:
        _check(args)
        if args.pretend:
            _pretend(lab, args)
        else:
            _submit(lab, args)
    return [re.escape(name) for name in own] or None


def _check(args: argparse.Namespace) -> None:
    if args.ignore_conditions != IgnoreConditions.NONE:
        raise ConfigurationError(
            "--ignore-conditions is for operations written by hand; name them with -o. A step is "
            "done again with --rerun, or after `reset`."
        )
    if args.bundle_size < 0:
        raise ConfigurationError(
            "--bundle says how many tasks there are in a batch job: 0 or more."
        )


def _pretend(lab: CompiledProject, args: argparse.Namespace) -> None:
    queue = look(lab.engine.space)
    most, problem = LONGEST, queue.problem
    if not problem:
        try:
            most = longest_array()
        except SchedulerError as error:
            problem = str(error)
    sendings, _, queued, left = _plan(lab, args, queue, most)
    pretend(lab, args, sendings)
    counts = _counts(sendings)
    show_submitted(console_for(), "would be submitted", counts, len(queued), left, _why(lab, args))
    if problem:
        print(f"The scheduler cannot be asked: {problem}", file=sys.stderr)


def _submit(lab: CompiledProject, args: argparse.Namespace) -> None:
    space, journal = lab.engine.space, lab.engine.journal
    sync(space, journal)
    with submitting(space, journal):
        sendings, tasks, queued, left = _plan(lab, args, asked_queue(lab), longest_array())
        counts = _counts(sendings)
        if counts.total() > _MANY and not args.yes:
            told = f"{counted(counts.total(), 'task')}: {in_words(counts)}."
            console_for().print(told, markup=False)
            if not agreed("Submit them?", "nothing was submitted"):
                return
        if sendings:
            send_all(lab, args, sendings, tasks)
    show_submitted(console_for(), "submitted", counts, len(queued), left, _why(lab, args))


def _plan(
    lab: CompiledProject, args: argparse.Namespace, queue: Queue, most: int
) -> tuple[list[Sending], dict[Key, Task], dict[Key, str], Counter[str]]:
    """Return what is to be sent, its tasks, those that are queued, and how many others are left."""
    planner = lab.engine.planner(frozenset(args.rerun), args.retry_failed)
    queued = queue.queued(planner)
    chosen = selected_tasks(lab, planner, args.operation_name or None, selected_ids(lab, args))
    found, left = coming(planner, chosen, queued)
    if args.num is not None and args.num >= 0:
        if len(found) > args.num:
            left["left out by -n"] = len(found) - args.num
        found = dict(list(found.items())[: args.num])
    if not found:
        return [], {}, queued, left
    makers = {key: keys for key, (_, keys) in found.items()}
    steps = {s.operation: s for cls in lab.engine.space.classes for s in cls.__steps__.values()}
    arrays = planned(makers, steps, args.bundle_size, most, queued)
    sendings = []
    for number, array in enumerate(arrays, 1):
        largest = max(map(len, array.elements.values()))
        options = steps[array.step].call.options
        request = Request(options, largest, args.parallel and largest > 1)
        sendings.append(Sending(str(number), array, request))
    return sendings, {key: task for key, (task, _) in found.items()}, queued, left


def _counts(sendings: list[Sending]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sending in sendings:
        counts[sending.array.step] += sending.array.count
    return counts


def _why(lab: CompiledProject, args: argparse.Namespace) -> str:
    """Say why there is no task at all; empty if there are some."""
    ids = selected_ids(lab, args)
    tasks = selected_tasks(lab, lab.engine.planner(), args.operation_name or None, ids)
    return "" if any(tasks) else why_no_task(lab, ids)
