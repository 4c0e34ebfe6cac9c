"""``discover``: files that match a seed's pattern become jobs."""

from __future__ import annotations

import argparse

from ..flow.compiled import CompiledProject
from ..space import changes
from ..space.discovery import identifying_seeds
from ..view.console import console_for
from ..view.discovery import show_report
from .leftout import tell_left_out

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
    patterns = {
        cls.__name__: [seed.text for seed in identifying_seeds(cls).values()]
        for cls in lab.engine.space.classes
    }
    show_report(console_for(), report, patterns)
    return 1 if tell_left_out(lab) else 0
