"""``cancel``: end what was submitted."""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict

from ..cluster.arrays import index_text
from ..cluster.queue import Element
from ..cluster.slurm import cancel
from ..flow.compiled import CompiledProject
from ..space.submissions import append, submitting
from ..view.console import console_for
from ..view.quantities import counted
from .queued import asked_queue
from .selection import add_selection, check_steps, selected_ids

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py cancel                       all that was submitted
  python project.py cancel stats                 one step
  python project.py cancel -j 3f2a               all steps of one record
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "cancel",
        help="End what was submitted and has not ended.",
        description="End batch jobs that `submit` has handed to Slurm, whether they wait or are at "
        "work. Their tasks are then what they would be if they had not been submitted. A batch job "
        "ends whole: other tasks that are in it end too.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser)
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``cancel`` out; return the exit code."""
    names = [args.step] if args.step else None
    check_steps(lab, names)
    ids = selected_ids(lab, args)
    steps = {step.operation for step in lab.chosen_steps(names)}
    engine, console = lab.engine, console_for()
    with submitting(engine.space, engine.journal):
        left = asked_queue(lab).left
        chosen = [
            element
            for element in left
            if any(step in steps and (ids is None or id in ids) for step, id in element.keys)
        ]
        if not chosen:
            console.print("nothing of that is with the scheduler.")
            return 0
        cancel(_targets(chosen, left))
        _note(lab, chosen)
    counts: Counter[str] = Counter(step for element in chosen for step, _ in element.keys)
    told = ", ".join(f"{count} of {step}" for step, count in counts.items())
    jobs = counted(len(chosen), "batch job")
    console.print(f"cancelled {jobs} with {counted(counts.total(), 'task')}: {told}.", markup=False)
    return 0


def _targets(chosen: list[Element], left: list[Element]) -> list[str]:
    """Return what the scheduler calls the elements: whole arrays where nothing else is left."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for element in chosen:
        numbers[element.job.array].append(element.number)
    all_left = Counter(element.job.array for element in left)
    return [
        array if len(found) == all_left[array] else f"{array}_[{index_text(found)}]"
        for array, found in numbers.items()
    ]


def _note(lab: CompiledProject, chosen: list[Element]) -> None:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for element in chosen:
        found[element.submission.name, element.array.number].append(element.number)
    for (name, array), elements in found.items():
        told = {"kind": "withdrawn", "array": array, "elements": elements}
        append(lab.engine.space.layout, name, told)
