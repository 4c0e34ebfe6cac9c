"""``provenance``: from a value back to the raw files that it was made of."""

from __future__ import annotations

import argparse
import json

from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject
from ..plan.provenance import provenance
from ..space.history import read_history
from ..view.console import console_for
from ..view.provenance import show_provenance
from .onejob import add_job, find_job

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py provenance -j 3f2a           of all stored outputs of a record
  python project.py provenance stats -j 3f2a     of one value
  python project.py provenance -j 3f2a --json    with all attempts and environments, for programs
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "provenance",
        help="From a value back to the raw files that it was made of.",
        description="The tree from a value back to raw files: the attempt that made it, what it "
        "was called with, and the same of each of its inputs; and whether what is there now is "
        "still what was seen.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("field", nargs="?", metavar="FIELD", help="Only this value: stats.")
    add_job(parser)
    parser.add_argument("--json", action="store_true", help="All that is recorded, for programs.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``provenance`` out; return the exit code."""
    job = find_job(lab, args.job_id)
    if job.record is None:
        raise ConfigurationError(
            f"{job.label} is no record of {type(lab).__name__}: it has no values that come from "
            f"steps. `history -j {job.id[:8]}` shows what was done to it."
        )
    fields = None
    if args.field is not None:
        fields = [args.field.removeprefix(f"{type(job.record).__name__}.")]
    history = read_history(lab.engine.space.layout)
    found = provenance(lab.engine.planner(), history, job.record, fields)
    if args.json:
        print(json.dumps(found, indent=1))
    else:
        show_provenance(console_for(), found)
    return 0
