"""``include``: a record that was excluded is taken in again."""

from __future__ import annotations

import argparse

from ..flow.compiled import CompiledProject
from ..space import exclusions
from ..view.console import console_for
from ..view.curation import show_exclusions
from .exclude import followers
from .selection import add_selection, selected_records

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py include -j 3f2a
  python project.py include --where session=a
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "include",
        help="Take in again what was excluded.",
        description="A record that was excluded is a member of its aggregates again, and its "
        "steps are run again where they must be.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser, step=False)
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``include`` out; return the exit code."""
    space = lab.engine.space
    records = selected_records(lab, args)
    found = exclusions.include(space, lab.engine.journal, records)
    show_exclusions(console_for(), found, None, followers(space, found), len(records))
    return 0
