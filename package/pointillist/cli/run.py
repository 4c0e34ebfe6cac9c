"""``run``: carry out what must be done."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject, IgnoreConditions
from ..plan.durations import estimate
from ..plan.planner import Planner
from ..plan.states import Awaits, State, Verdict
from ..plan.tasks import Task
from ..run.pool import Pool, processes_of
from ..run.runner import Listener, Runner, Summary
from ..space.changes import sync
from ..space.rulesets import RULES
from ..view.console import console_for
from ..view.progress import RunProgress
from ..view.summary import show_plan, show_summary
from .leftout import tell_left_out
from .queued import note_losses
from .selection import (
    add_where,
    check_names,
    selected_ids,
    selected_tasks,
    settled_tasks,
    why_no_task,
)

__all__ = ["extend", "foreseen", "main", "ordered", "run_steps"]

EXAMPLES = """examples:
  python project.py run                          everything that must be done
  python project.py run -o stats                 one step, in every class that has it
  python project.py run --where session=a        some records
  python project.py run -p 4                     in four processes; -p alone: one for each core
  python project.py run --executor ray           on a Ray that is started for the run
  python project.py run --executor ray --address auto -p 64    on 64 CPUs of a Ray cluster
  python project.py run -j 3f2a --pretend        what would be done on one, why, how long it takes
  python project.py run --rerun source           also where only the source changed
  python project.py run --cold-matlab            start MATLAB anew for each of its steps
"""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add to signac-flow's ``run`` what it has not."""
    parser.description = "Carry out what must be done: steps of records, then other operations."
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
        "--matlab", help="The program for MATLAB steps: matlab, octave-cli, a path."
    )
    parser.add_argument(
        "--cold-matlab",
        action="store_true",
        help="Start MATLAB anew for each step; by default a run starts it once.",
    )
    parser.add_argument(
        "--executor",
        choices=["ray"],
        help="What carries steps out; by default this process, or with -p several of this host. "
        "With ray, -p says how many CPUs are used at most.",
    )
    parser.add_argument(
        "--address",
        help="The Ray cluster: auto, or HOST:PORT. Without it a local Ray is started for the run.",
    )


def run_steps(
    lab: CompiledProject,
    planner: Planner,
    names: list[str] | None,
    ids: set[str] | None,
    *,
    listener: Listener | None = None,
    limit: int | None = None,
    timeout: float | None = None,
    order: str | None = None,
    ignore: Any = IgnoreConditions.NONE,
    fail_fast: bool = False,
    cold_matlab: bool = False,
    tells: bool = False,
    np: int | None = None,
    executor: str | None = None,
    address: str | None = None,
) -> Summary:
    """Carry out the chosen steps on the chosen records, in `np` processes.

    Raises
    ------
    ConfigurationError
        If there is no such executor, or no such cluster.
    """
    if executor not in (None, "ray") or (address is not None and executor is None):
        raise ConfigurationError(
            f"executor={executor!r}, address={address!r}: the executor is 'ray' or left out; only "
            "with 'ray' there is an address."
        )
    worker = lab.engine.worker(planner)
    worker.cold_matlab = cold_matlab
    worker.timeout = timeout if timeout is not None and timeout > 0 else None
    again = bool(ignore & IgnoreConditions.POST)
    how = (
        worker,
        listener or Listener(),
        lab.hooks_around,
        fail_fast,
        limit if limit is not None and limit >= 0 else None,
        again,
        tells,
    )
    processes = processes_of(np)
    runner: Runner
    if executor == "ray":
        from ..ray.pool import RayPool

        runner = RayPool(*how, cls=type(lab), address=address, most=max(0, np or 0))
    else:
        runner = Pool(*how, processes=processes) if processes > 1 else Runner(*how)
    return runner.run(ordered(selected_tasks(lab, planner, names, ids, not again), order))


def ordered(tasks: Iterable[Task], order: str | None) -> list[Task]:
    """Return tasks in the order that ``--order`` asks for; each still comes after its makers."""
    found = list(tasks)
    if order in (None, "none", "by-job"):
        return found
    classes = {cls: i for i, cls in enumerate(dict.fromkeys(t.step.record for t in found))}
    if order == "cyclic":
        places = {key: i for i, key in enumerate(dict.fromkeys(t.step.operation for t in found))}
        return sorted(found, key=lambda t: (classes[t.step.record], places[t.step.operation]))
    shuffled = list(dict.fromkeys(t.record.id for t in found))
    random.shuffle(shuffled)
    ranks = {id: i for i, id in enumerate(shuffled)}
    return sorted(found, key=lambda t: (classes[t.step.record], ranks[t.record.id]))


def foreseen(planner: Planner, tasks: Iterable[Task]) -> list[tuple[Task, Verdict]]:
    """Return the tasks that a run would do if none failed, and why."""
    coming: dict[Task, Verdict] = {}
    for task in tasks:
        verdict = planner.judge(task)
        if verdict.wanted:
            coming[task] = verdict
        elif verdict.state is State.WAITING and _waits_for_steps(verdict):
            makers = [m for m in planner.needs(task).upstream if not planner.judge(m).usable]
            if all(maker in coming for maker in makers):
                coming[task] = verdict
    return list(coming.items())


def _waits_for_steps(verdict: Verdict) -> bool:
    return all(isinstance(reason, Awaits) for reason in verdict.reasons)


def _left(planner: Planner, chosen: list[Task], planned: Mapping[Task, Verdict]) -> Counter[str]:
    """Return how many tasks a run would leave undone although they are not complete, by state."""
    verdicts = [planner.judge(task) for task in chosen if task not in planned]
    done = (State.COMPLETE, State.EXCLUDED)
    left = [verdict for verdict in verdicts if verdict.state not in done]
    return Counter(f"{v.state} ({v.note})" if v.note else str(v.state) for v in left)


def _is_any(
    lab: CompiledProject, planner: Planner, names: list[str] | None, ids: set[str] | None
) -> bool:
    """Whether any task is selected."""
    settled = settled_tasks(lab, planner, names, ids)
    return any(settled.values()) or any(selected_tasks(lab, planner, names, ids, but_settled=True))


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``run`` out; return the exit code."""
    console, errors = console_for(), console_for(sys.stderr)
    lab.engine.matlab = args.matlab
    check_names(lab, args.operation_name)
    if not args.pretend:
        sync(lab.engine.space, lab.engine.journal)
        note_losses(lab)
    steps, own = lab.chosen_steps(args.operation_name), lab.own_operations(args.operation_name)
    planner = lab.engine.planner(frozenset(args.rerun), args.retry_failed)
    planner.glance()
    ids = selected_ids(lab, args)
    unread = tell_left_out(lab, foreign=False)
    if args.pretend:
        chosen = list(selected_tasks(lab, planner, args.operation_name, ids, but_settled=True))
        if steps or not own:
            limit = args.num if args.num is not None and args.num >= 0 else None
            plan = foreseen(planner, chosen)
            left = _left(planner, chosen, dict(plan))
            if plan or left or not own:
                estimates = estimate(planner.attempts, [task for task, _ in plan[:limit]])
                show_plan(console, plan[:limit], estimates, left)
            else:
                console.print("no step is to be done.")
        if own:
            lab.run_own(args, own, Summary())
        return 0
    start = time.monotonic()
    with RunProgress(errors) as progress:
        summary = run_steps(
            lab,
            planner,
            args.operation_name,
            ids,
            listener=progress,
            limit=args.num,
            timeout=args.timeout,
            order=args.order,
            ignore=args.ignore_conditions,
            fail_fast=args.fail_fast,
            cold_matlab=args.cold_matlab,
            tells=True,
            np=args.parallel,
            executor=args.executor,
            address=args.address,
        )
    if steps or not own:
        is_any = _is_any(lab, planner, args.operation_name, ids)
        nothing = "" if is_any else why_no_task(lab, ids)
        took = time.monotonic() - start
        show_summary(console, summary, took, lab.engine.root, nothing, bool(own))
    if own and not summary.limited:
        lab.run_own(args, own, summary)
    if summary.stopped:
        return summary.stopped
    undone = summary.failed or summary.still_failed or summary.missing
    return 1 if undone or unread else 0
