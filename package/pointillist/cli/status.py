"""``status``: what is done, what is not, and why."""

from __future__ import annotations

import argparse
import json

from ..flow.compiled import CompiledProject
from ..model.records import Record
from ..plan.planner import Planner
from ..space.garbage import garbage_left
from ..view.console import console_for
from ..view.status import Row, show_status, status_json
from .leftout import tell_left_out
from .selection import (
    add_where,
    check_names,
    selected_ids,
    selected_tasks,
    settled_tasks,
    why_no_task,
)

__all__ = ["extend", "main", "rows"]

EXAMPLES = """examples:
  python project.py status                       how many tasks of each step are in which state
  python project.py status -d                    each task, and why it is in its state
  python project.py status -d -j 3f2a            one job
  python project.py status -o stats --where session=a
  python project.py status --json                for programs
"""


_WITHOUT_EFFECT = (
    *("all_ops", "unroll", "compact", "expand", "pretty", "overview", "overview_max_lines"),
    *("parameters", "param_max_width", "eligible_jobs_max_lines", "ignore_errors"),
    *("output_format", "profile", "hide_progress"),
)
"""signac-flow's flags for its own table: they are taken, and change nothing here."""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add to signac-flow's ``status`` what it has not."""
    parser.description = "How many tasks of each step are in which state; with -d each, and why."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_where(parser)
    for action in parser._actions:
        if action.dest in _WITHOUT_EFFECT:
            action.help = argparse.SUPPRESS


def rows(
    lab: CompiledProject,
    planner: Planner,
    names: list[str] | None,
    ids: set[str] | None,
    but_settled: bool = False,
) -> list[Row]:
    """Return the state of each chosen task, steps of records first."""
    found = []
    record: Record | None = None
    with garbage_left():
        for task in selected_tasks(lab, planner, names, ids, but_settled):
            if task.record is not record:
                record, label = task.record, task.record.label
            kind, step = task.step.record.__name__, task.step.name
            found.append(Row(kind, label, task.record.id, step, planner.judge(task)))
    planner.keep()
    for name, id, verdict in lab.own_verdicts(names, ids):
        found.append(Row("", lab.engine.space.label(id), id, name, verdict))
    return found


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``status`` out; return the exit code."""
    check_names(lab, args.operation)
    planner = lab.engine.planner()
    planner.glance()
    ids = selected_ids(lab, args)
    space = lab.engine.space
    detailed = args.detailed or args.full or args.only_incomplete
    counted = not args.dump_json and (args.only_incomplete or not detailed)
    found = rows(lab, planner, args.operation, ids, but_settled=counted)
    settled = settled_tasks(lab, planner, args.operation, ids) if counted else {}
    tell_left_out(lab)
    if args.dump_json:
        print(json.dumps(status_json(found), indent=1))
        return 0
    counts = {
        cls.__name__: sum(ids is None or id in ids for id in space.records(cls).ids)
        for cls in space.classes
    }
    nothing = why_no_task(lab, ids)
    labels = lab.label_counts(ids)
    orphans = {
        cls.__name__: [r.label for r in space.orphans(cls) if ids is None or r.id in ids]
        for cls in space.classes
    }
    only = args.only_incomplete
    excluded = {
        cls.__name__: sum(
            space.exclusion(record) is not None
            for id, record in space.records(cls).items()
            if ids is None or id in ids
        )
        for cls in space.classes
        if space.attempts.exclusions
    }
    how = (detailed, only, nothing, labels, orphans, excluded, settled)
    show_status(console_for(), counts, found, *how)
    return 0
