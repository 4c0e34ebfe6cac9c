"""``exec``: carry one operation out on some jobs, whatever their state is."""

from __future__ import annotations

import argparse
import sys

from ..errors import ConfigurationError, TaskError
from ..flow.compiled import CompiledProject
from ..plan.tasks import Task
from ..view.console import console_for
from .selection import check_names

__all__ = ["extend", "main"]

EXAMPLES = """examples:
  python project.py exec Block.stats 3f2a        once more, whatever its state is
  python project.py exec stats                   on every job that has it
"""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add to signac-flow's ``exec`` what it has not."""
    parser.description = "Carry one operation out, whatever its state is."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for action in parser._actions:
        if action.dest == "operation":  # a step is also found by its short name
            action.choices = None
        elif action.dest == "job_id":
            action.help = "The job ids, or how they begin. Defaults to all jobs."
    parser.add_argument(
        "--matlab", help="The program for MATLAB steps: matlab, octave-cli, a path."
    )


def main(lab: CompiledProject, args: argparse.Namespace) -> int | None:
    """Carry ``exec`` out on a step; None if the operation is none of a record class."""
    if args.operation in lab.own_operations():
        return None
    check_names(lab, [args.operation])
    lab.engine.matlab = args.matlab
    failed = 0
    for task in _tasks(lab, args.operation, args.job_id):
        try:
            lab.carry_out(task)
        except TaskError as error:
            console_for(sys.stderr).print(f"failed: {error}", style="red", markup=False)
            failed += 1
        else:
            console_for().print(f"done: {task}", markup=False)
    return 1 if failed else 0


def _tasks(lab: CompiledProject, name: str, shortened: list[str]) -> list[Task]:
    steps = lab.chosen_steps([name])
    chosen = [lab._get_aggregate_from_id(id)[0].id for id in shortened]
    tasks = []
    for step in steps:
        records = lab.engine.space.records(step.record)
        tasks += [Task(records[id], step) for id in chosen or records if id in records]
    for id in chosen:
        if not any(task.record.id == id for task in tasks):
            raise ConfigurationError(
                f"{name} is no operation of the job {id}. It is one of "
                f"{', '.join(step.record.__name__ for step in steps) or 'no record class'}."
            )
    return tasks
