"""``history``: all attempts on a record, and what else journals tell of it."""

from __future__ import annotations

import argparse
import json

from ..flow.compiled import CompiledProject
from ..space.history import History
from ..view.console import console_for
from ..view.history import history_json, show_history
from .onejob import OneJob, add_job, find_job, running_steps, states, steps_called

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py history -j 3f2a              all that was done to a record
  python project.py history stats -j 3f2a        one step
  python project.py history -j 3f2a --json       all that is recorded: inputs, outputs, arguments
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "history",
        help="All attempts on a record, oldest first.",
        description="All attempts on a record, oldest first: when, how they ended, who made them "
        "and where; also what was found, accepted, reset or excluded, and why.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "step", nargs="?", metavar="STEP", help="Only this step: stats, Block.stats."
    )
    add_job(parser)
    parser.add_argument("--json", action="store_true", help="All that is recorded, for programs.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``history`` out; return the exit code."""
    job = find_job(lab, args.job_id)
    operations = None if args.step is None else steps_called(lab, args.step, job)
    history = job.history
    if operations is not None:
        chosen = [attempt for attempt in history.attempts if attempt.operation in operations]
        history = History(chosen, history.exclusions, history.runners)
    if args.json:
        print(json.dumps(history_json(job.label, job.id, history), indent=1))
        return 0
    names = None if operations is None else {name.rpartition(".")[2] for name in operations}
    running = {
        step: owner.runner
        for step, owner in running_steps(job).items()
        if names is None or step in names
    }
    unrun = states(lab, job, _never_done(job, operations))
    unrun = {step: state for step, state in unrun.items() if step not in running}
    show_history(console_for(), job.label, job.id, history, unrun, running)
    return 0


def _never_done(job: OneJob, operations: list[str] | None) -> list[str]:
    """Return the operations of a record, or those of the chosen ones, that journals do not tell."""
    if job.record is None:
        return []
    done = {attempt.operation for attempt in job.history.attempts}
    own = [step.operation for step in type(job.record).__steps__.values()]
    return [o for o in own if o not in done and (operations is None or o in operations)]
