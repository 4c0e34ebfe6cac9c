"""``discover``: files that match a seed's pattern become jobs."""

from __future__ import annotations

import argparse
import sys

from ..flow.project import CompiledProject
from ..space import changes
from ..view.console import console_for
from ..view.discovery import show_report
from ..view.summary import show_problems

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py discover
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    return verbs.add_parser(
        "discover",
        help="Make jobs of the files that match the seeds' patterns; aggregates follow.",
        description="Files and folders that match a seed's pattern become jobs, tables beside "
        "the data become metadata, and aggregates follow their members.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``discover`` out; return the exit code."""
    report = changes.discover(lab.engine.space, lab.engine.journal)
    show_report(console_for(), report)
    problems = lab.engine.space.problems
    show_problems(console_for(sys.stderr), problems)
    return 1 if problems else 0
