"""The program ``pointillist``: new projects from templates, and whether all is there for them."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from ..errors import PointillistError
from . import doctor, templates

__all__ = ["main"]

EXAMPLES = """examples:
  pointillist templates
  pointillist new recordings my_project
  cd my_project && python init.py && python project.py run
  pointillist doctor
"""


def main(arguments: list[str] | None = None) -> int:
    """Carry out what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="pointillist",
        description="Pipelines over folders of recordings.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    new = verbs.add_parser(
        "new",
        help="Make a project from a template.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("template", help="Its name: see `pointillist templates`.")
    new.add_argument("folder", type=Path, help="Where to; made if it is not there.")
    verbs.add_parser(
        "templates",
        help="List the templates.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.add(verbs)
    args = parser.parse_args(arguments)
    try:
        if args.verb == "doctor":
            return doctor.main(args)
        if args.verb == "new":
            templates.copy(args.template, args.folder)
            print(f"{args.folder} is ready. Next:")
            folder = shlex.quote(str(args.folder))
            print(f"  cd {folder} && python init.py && python project.py run")
        else:
            for name in templates.names():
                print(f"{name:12} {templates.description(name)}")
    except PointillistError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0
