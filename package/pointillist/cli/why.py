"""``why``: why a task is complete, will be done, will not be, and what it waits for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

from ..flow.compiled import CompiledProject
from ..plan.explanation import Explainer, Explanation, as_json
from ..plan.planner import Planner
from ..plan.states import State
from ..view.console import console_for
from ..view.why import show_all, show_each, show_one
from .leftout import tell_left_out
from .queued import lay_queue_over
from .selection import (
    add_selection,
    check_names,
    selected_ids,
    selected_tasks,
    settled_tasks,
    why_no_task,
)

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py why                          all that is not complete, what is alike together
  python project.py why stats -j 3f2a            one task, down to where it began
  python project.py why -j 3f2a                  all steps of one record, a line each
  python project.py why stats --where session=a
  python project.py why --json                   all reasons and causes, for programs
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "why",
        help="Why a task is done, will be done, or will not; what it waits for.",
        description="Why tasks are in their states: what differs from what the last good attempt "
        "saw, what is waited for, down to the attempt that failed or the raw file that is missing; "
        "of complete ones, with what they were compared. Without a selection all that is not "
        "complete. Nothing is written.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser)
    parser.add_argument("--json", action="store_true", help="All reasons and causes, as data.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``why`` out; return the exit code."""
    names = [args.step] if args.step else None
    check_names(lab, names)
    planner = lab.engine.planner()
    planner.glance()
    ids = selected_ids(lab, args)
    is_selected = names is not None or ids is not None
    found = list(_explained(lab, planner, names, ids, but_settled=not is_selected))
    tell_left_out(lab)
    if args.json:
        left = [one for one in found if is_selected or one.verdict.state is not State.COMPLETE]
        print(json.dumps(as_json(left), indent=1))
    elif not is_selected or not found:
        is_any = not is_selected and any(settled_tasks(lab, planner, names, ids).values())
        nothing = "everything is complete" if is_any else why_no_task(lab, ids)
        show_all(console_for(), found, nothing)
    elif len(found) == 1:
        show_one(console_for(), found[0])
    else:
        show_each(console_for(), found)
    return 0


def _explained(
    lab: CompiledProject,
    planner: Planner,
    names: list[str] | None,
    ids: set[str] | None,
    but_settled: bool,
) -> Iterator[Explanation]:
    lay_queue_over(lab, planner)
    explainer = Explainer(planner)
    for task in selected_tasks(lab, planner, names, ids, but_settled):
        yield explainer.explain(task)
    for name, id, verdict in lab.own_verdicts(names, ids):
        yield explainer.explain_own(name, id, verdict)
