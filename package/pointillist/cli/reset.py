"""``reset``: what steps have made is removed, so that it is made again."""

from __future__ import annotations

import argparse

from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject
from ..run.resetting import foresee_reset, reset
from ..view.console import console_for
from ..view.curation import show_resets
from .asking import agreed
from .selection import add_selection, check_steps, selected_ids, selected_tasks

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py reset stats --pretend           what would be removed
  python project.py reset stats -j 3f2a
  python project.py reset --where session=a --yes   without asking
  python project.py reset joined --dependents       also what was made from it
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "reset",
        help="Remove what steps have made, so that it is made again.",
        description="Remove the outputs of the selected tasks and what attempts have left "
        "behind beside them. The tasks are ready again; their history and logs are kept.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser)
    parser.add_argument(
        "--dependents",
        action="store_true",
        help="Also what depends on them, of whatever record.",
    )
    parser.add_argument("--pretend", action="store_true", help="Only say what would be removed.")
    parser.add_argument("--yes", action="store_true", help="Remove it without asking.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``reset`` out; return the exit code."""
    names = [args.step] if args.step else None
    check_steps(lab, names)
    ids = selected_ids(lab, args)
    if names is None and ids is None:
        raise ConfigurationError(
            "say what is to be reset: a STEP, -j ID, or --where KEY=VALUE. Everything: '.*'."
        )
    planner, console = lab.engine.planner(), console_for()
    tasks = selected_tasks(lab, planner, names, ids)
    found = foresee_reset(planner, tasks, args.dependents)
    show_resets(console, found, removed=False)
    held = any(one.refused for one in found)
    chosen = [one.task for one in found if not one.refused]
    if args.pretend or not chosen:
        return 1 if held and not args.pretend else 0
    if not args.yes and not agreed():
        console.print("nothing was removed.")
        return 1
    done = reset(lab.engine, chosen)
    refused = [one for one in done if one.refused]
    for one in refused:
        console.print(f"left alone  {one.task}: {one.refused}", style="yellow", markup=False)
    count = len(done) - len(refused)
    console.print(f"{count} reset; `run` makes {'it' if count == 1 else 'them'} again.")
    return 1 if held or refused else 0
