"""``work``: what a batch job does on its node: the tasks of one element of an array."""

from __future__ import annotations

import argparse
import os
import sys
import time

from ..cluster.node import tasks_of_element
from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject
from ..run.pool import Pool
from ..run.runner import Listener, Runner
from ..view.console import console_for
from ..view.summary import show_summary
from .leftout import tell_left_out

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py work 20261120T140305-login1-4711 2        in a script of `submit`
  python project.py work 20261120T140305-login1-4711 2 17     one element, by hand
"""

_ELEMENT = "SLURM_ARRAY_TASK_ID"


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "work",
        help="Carry out the tasks of a batch job, as the scripts of `submit` do.",
        description="Carry out, on a node of a cluster, the tasks of one element of an array that "
        "`submit` has handed over. Each is judged once more: what is done already, or waits for "
        "something that is not there, is left. It exits with 1 if a task failed.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submission", help="The submission: how its file is called.")
    parser.add_argument("array", help="The number of the array in it.")
    parser.add_argument(
        "element", nargs="?", type=int, help=f"The element's number; by default ${_ELEMENT}."
    )
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``work`` out; return the exit code."""
    element = args.element
    if element is None:
        text = os.environ.get(_ELEMENT, "")
        if not text.isdecimal():
            raise ConfigurationError(
                f"which element? There is no ${_ELEMENT}: this is no batch job of an array. Give "
                "its number."
            )
        element = int(text)
    start = time.monotonic()
    engine = lab.engine
    array, tasks = tasks_of_element(engine, args.submission, args.array, element)
    options = array.options
    engine.matlab = options.get("matlab")
    planner = engine.planner(frozenset(options["rerun"]), options["retry_failed"])
    worker = engine.worker(planner)
    worker.cold_matlab = options["cold_matlab"]
    how = (worker, Listener(), lab.hooks_around, False, None, False, True)
    processes = options["processes"]
    runner = Pool(*how, processes=processes) if processes > 1 else Runner(*how)
    tell_left_out(lab, foreign=False)
    summary = runner.run(tasks)
    nothing = "" if tasks else "its records are no longer there"
    took = time.monotonic() - start
    show_summary(console_for(), summary, took, engine.root, nothing)
    sys.stdout.flush()
    code = summary.stopped or (1 if summary.failed or summary.still_failed else 0)
    if not code:
        output = engine.space.layout.batch_output(args.submission, args.array, element)
        output.unlink(missing_ok=True)  # it says nothing that journals do not say
    return code
