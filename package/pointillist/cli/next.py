"""``next``: the ids of the jobs on which an operation can be carried out now."""

from __future__ import annotations

import argparse

from ..flow.compiled import CompiledProject
from .selection import check_names, selected_tasks

__all__ = ["extend", "main"]

EXAMPLES = """examples:
  python project.py next Block.stats             the jobs on which it would run now
  python project.py next stats
"""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add examples to signac-flow's ``next``."""
    parser.description = "Print the ids of the jobs on which an operation would run now."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter


def main(lab: CompiledProject, args: argparse.Namespace) -> int | None:
    """Carry ``next`` out on a step; None if the operation is none of a record class."""
    if args.name in lab.own_operations():
        return None
    check_names(lab, [args.name])
    planner = lab.engine.planner()
    tasks = selected_tasks(lab, planner, [args.name], None)
    for id in dict.fromkeys(task.record.id for task in tasks if planner.judge(task).wanted):
        print(id)
    return 0
