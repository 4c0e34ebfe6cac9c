"""``prune``: aggregates that have lost all their members are removed."""

from __future__ import annotations

import argparse

from ..flow.compiled import CompiledProject
from ..space.pruning import foresee_prune, prune
from ..view.console import console_for
from ..view.curation import show_pruned
from .asking import agreed

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py prune --pretend    what would be removed
  python project.py prune
  python project.py prune --yes        without asking
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "prune",
        help="Remove aggregates that have lost all their members.",
        description="Remove the job folders of aggregates that have lost all their members, with "
        "what lies in them. What is recorded of them is kept. Aggregates whose members are "
        "excluded are no orphans.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pretend", action="store_true", help="Only say what would be removed.")
    parser.add_argument("--yes", action="store_true", help="Remove it without asking.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``prune`` out; return the exit code."""
    space, console = lab.engine.space, console_for()
    found = foresee_prune(space)
    if args.pretend:
        show_pruned(console, found, removed=False)
        return 0
    if any(not one.refused for one in found) and not args.yes:
        show_pruned(console, found, removed=False)
        if not agreed():
            console.print("nothing was removed.")
            return 1
    shown = [one.record for one in found]
    done = prune(space, lab.engine.journal, shown)  # also what one that was killed has left
    show_pruned(console, done, removed=True)
    return 1 if any(one.refused for one in done) else 0
