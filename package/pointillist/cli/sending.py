"""Arrays on their way to Slurm: what each is called with, its script, and what is written down."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..cluster.arrays import Array, Key, index_text
from ..cluster.slurm import send
from ..errors import ConfigurationError, SchedulerError
from ..flow.compiled import CompiledProject
from ..flow.scripts import Request, array_command, array_script
from ..plan.tasks import Task
from ..space.confinement import with_members
from ..space.memory import Attempts
from ..space.submissions import SentArray, Submission, append, begun
from ..view.console import console_for
from ..view.quantities import counted
from ..view.submission import show_array

__all__ = ["Sending", "pretend", "send_all"]

_NAME = "SUBMISSION"
"""What stands for a submission's name where nothing is submitted."""


@dataclass
class Sending:
    """An array that is to be sent.

    Parameters
    ----------
    number : str
        Its number in the submission.
    array : Array
        What is in it.
    request : Request
        What each of its elements asks for.
    """

    number: str
    array: Array
    request: Request


def pretend(lab: CompiledProject, args: argparse.Namespace, sendings: list[Sending]) -> None:
    """Print what would be sent."""
    places = {n: f"ARRAY{sending.number}" for n, sending in enumerate(sendings)}
    for sending in sendings:
        command, script = _call(lab, args, Submission(_NAME), sending, places)
        show_array(console_for(), _title(sending), command, script)


def send_all(
    lab: CompiledProject,
    args: argparse.Namespace,
    sendings: list[Sending],
    tasks: Mapping[Key, Task],
) -> None:
    """Write down what is to be sent, and send it, array by array.

    Raises
    ------
    SchedulerError
        If the scheduler takes no more; what it has taken it keeps, and that is written down.
    """
    space = lab.engine.space
    arrays = [_written(space.attempts, args, sending) for sending in sendings]
    needed = {job: with_members(space, task.record) for (_, job), task in tasks.items()}
    submission = begun(space.layout, arrays, space.attempts.index({}), needed)
    places: dict[int, str] = {}
    for n, sending in enumerate(sendings):
        command, script = _call(lab, args, submission, sending, places)
        start = time.time()
        try:
            places[n] = send(command, script)
        except SchedulerError as error:
            raise SchedulerError(
                f"the scheduler has taken {len(places)} of {counted(len(sendings), 'array')}, and "
                f"no more: {error} `submit` again sends the rest."
            ) from error
        told = {"array": sending.number, "id": places[n], "time": start}
        append(space.layout, submission.name, {"kind": "sent", **told})
        waits = _dependencies(sending.array, places)
        after = f", after {', '.join(waits)}" if waits else ""
        show_array(console_for(), f"array {places[n]}: {_title(sending)}{after}")


def _written(attempts: Attempts, args: argparse.Namespace, sending: Sending) -> SentArray:
    """Return an array as it is written down."""
    array = sending.array
    elements = {n: [job for _, job in keys] for n, keys in array.elements.items()}
    keys = [(array.step, job) for jobs in elements.values() for job in jobs]
    counts = {key[1]: attempts.count[key] for key in keys if key in attempts.count}
    return SentArray(sending.number, array.step, _options(args, sending), elements, counts)


def _options(args: argparse.Namespace, sending: Sending) -> dict[str, Any]:
    """Return how the tasks of an array are carried out, for its batch jobs."""
    request = sending.request
    return {
        "processes": request.cores if request.parallel else 1,
        "rerun": list(args.rerun),
        "retry_failed": args.retry_failed,
        "cold_matlab": args.cold_matlab,
        "matlab": args.matlab,
    }


def _call(
    lab: CompiledProject,
    args: argparse.Namespace,
    submission: Submission,
    sending: Sending,
    places: Mapping[int, str],
) -> tuple[list[str], str]:
    """Return the command that hands an array over, and its script."""
    array, request, number = sending.array, sending.request, sending.number
    name = f"{type(lab).__name__}/{array.step}/{submission.batch_name(number)}"
    command = array_command(lab)
    command += ["--parsable", f"--job-name={name}", f"--array={index_text(array.elements)}"]
    waits = _dependencies(array, places)
    if getattr(args, "after", None):
        waits.append(f"afterok:{args.after}")
    if waits:
        # else what waits for an element that has failed would wait for ever
        command += [f"--dependency={','.join(waits)}", "--kill-on-invalid-dep=yes"]
    if request.parallel and request.cores > 1:
        command.append("--nodes=1")
    if not getattr(args, "job_output", None):
        output = lab.engine.space.layout.batch_output(submission.name, number, "%a")
        folder = str(output.parent).replace("%", "%%")  # Slurm takes what follows for something
        command.append(f"--output={folder}/{output.name}")
    if getattr(args, "hold", False):
        command.append("--hold")
    if any("--job-name" in flag or flag.startswith("-J") for flag in args.flags):
        raise ConfigurationError("--job-name cannot be given: by it a batch job is recognised.")
    call = f"work {submission.name} {number}"
    known = {n: v for n, v in vars(args).items() if n not in ("flags", "func", "operation_name")}
    return [*command, *args.flags], array_script(lab, name, array.step, call, request, known)


def _dependencies(array: Array, places: Mapping[int, str]) -> list[str]:
    """Return what an array waits for, as Slurm takes it."""
    beside = [places[n] for n in sorted(array.beside)]
    after = [*(places[n] for n in sorted(array.after)), *sorted(array.queued)]
    kinds = (("aftercorr", beside), ("afterany", after))
    return [":".join([kind, *ids]) for kind, ids in kinds if ids]


def _title(sending: Sending) -> str:
    """Return in words what is in an array, and what it asks for."""
    array, request = sending.array, sending.request
    jobs, cores = len(array.elements), counted(request.cores, "core")
    hours = ""
    if request.walltime is not None:
        hours = f", {jobs * request.cores * request.walltime / 3600:.4g} core-hours at most"
    told = f"{array.step}: {counted(array.count, 'task')} in {counted(jobs, 'batch job')}"
    return f"{told} of {cores}{hours}"
