"""``accept``: what is there counts as complete, with a note that says why."""

from __future__ import annotations

import argparse

from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject
from ..run.acceptance import accept
from ..space.changes import sync
from ..view.console import console_for
from ..view.curation import show_acceptances
from .selection import add_selection, check_names, selected_ids, selected_tasks

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py accept --pretend                                  what would be accepted
  python project.py accept stats --note "only renamed a variable"     one step, on all records
  python project.py accept stats -j 3f2a --note "checked by eye"
  python project.py accept --where session=a --note "raw data are on tape now"
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "accept",
        help="Let what is there count as complete, with a note.",
        description="What is there of the selected tasks counts as complete: outputs, inputs, "
        "arguments, version and source as they are now are what changes are looked for against "
        "from now on. For what is stale, edited, failed with all outputs there, or waits for a "
        "raw file that is gone for good; of hand-written operations for those whose attempt died "
        "although their conditions hold. Nothing is run and no file changes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser)
    parser.add_argument("--note", help="Why it is right as it is; needed but for --pretend.")
    parser.add_argument("--pretend", action="store_true", help="Only say what would be accepted.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``accept`` out; return the exit code."""
    names = [args.step] if args.step else None
    check_names(lab, names)
    if not args.pretend and args.note is None:
        raise ConfigurationError('say why it is right as it is: --note "…".')
    if not args.pretend:
        sync(lab.engine.space, lab.engine.journal)
    ids = selected_ids(lab, args)
    tasks = list(selected_tasks(lab, lab.engine.planner(), names, ids))
    note = args.note or ""
    found = accept(lab.engine, tasks, note, args.pretend)
    found += lab.accept_operations(names, ids, note, args.pretend)
    show_acceptances(console_for(), found, args.pretend)
    return 1 if any(one.refused for one in found) else 0
