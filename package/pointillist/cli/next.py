"""``next``: the ids of the jobs on which an operation can be carried out now."""

from __future__ import annotations

import argparse

from ..flow.operations import Operation
from ..flow.project import CompiledProject
from .selection import selected_tasks

__all__ = ["main"]


def main(lab: CompiledProject, args: argparse.Namespace) -> int | None:
    """Carry ``next`` out on a step; None if the operation is none of a record class."""
    name = args.name
    steps = lab.chosen_steps([name]) if name not in lab.operations else []
    if not steps and not isinstance(lab.operations.get(name), Operation):
        return None
    planner = lab.engine.planner()
    for task in selected_tasks(lab, planner, [name], None):
        if planner.judge(task).wanted:
            print(task.record.id)
    return 0
