"""``exec``: carry one operation out on some jobs, whatever their state is."""

from __future__ import annotations

import argparse
import sys

from ..errors import TaskError
from ..flow.operations import Operation
from ..flow.project import CompiledProject
from ..plan.tasks import Task
from ..view.console import console_for

__all__ = ["extend", "main"]

EXAMPLES = """examples:
  python project.py exec Block.stats 3f2a        once more, whatever its state is
"""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add examples to signac-flow's ``exec``."""
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--matlab", help="The program for MATLAB steps: matlab, octave-cli, a path."
    )


def main(lab: CompiledProject, args: argparse.Namespace) -> int | None:
    """Carry ``exec`` out on a step; None if the operation is none of a record class."""
    operation = lab.operations[args.operation]
    if not isinstance(operation, Operation):
        return None
    lab.engine.matlab = args.matlab
    ids = [lab._get_aggregate_from_id(id)[0].id for id in args.job_id]
    records = lab.engine.space.records(operation.step.record)
    failed = 0
    for id in ids or list(records):
        if id not in records:
            print(
                f"Error: {operation.step.operation} is no operation of the job {id}.",
                file=sys.stderr,
            )
            failed += 1
            continue
        try:
            lab.carry_out(Task(records[id], operation.step))
        except TaskError as error:
            console_for(sys.stderr).print(f"failed: {error}", style="red", markup=False)
            failed += 1
    return 1 if failed else 0
