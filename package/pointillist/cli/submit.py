"""``submit``: what signac-flow's own verb does, on the jobs of all classes."""

from __future__ import annotations

import argparse

from .selection import add_where

__all__ = ["extend"]

EXAMPLES = """examples:
  python project.py submit --pretend             the scripts, without submitting them
  python project.py submit -o stats --where session=a
  python project.py submit -j 3f2a
"""


def extend(parser: argparse.ArgumentParser) -> None:
    """Add to signac-flow's ``submit`` what it has not."""
    parser.description = "Submit what can be carried out now to a scheduler."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_where(parser)
