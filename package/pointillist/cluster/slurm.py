"""Slurm: its commands, and what they say, as plain data."""

from __future__ import annotations

import getpass
import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import SchedulerError

__all__ = [
    "LONGEST",
    "LOST",
    "BatchJob",
    "cancel",
    "ended_jobs",
    "jobs_of",
    "longest_array",
    "send",
]

WAITING = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"}
AT_WORK = {"CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING"}
AT_WORK |= {"STAGE_OUT"}
LOST = {"BOOT_FAIL", "CANCELLED", "DEADLINE", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "TIMEOUT"}
LOST |= {"FAILED", "REVOKED"}
"""How a batch job ends that may leave tasks undone which it should have done."""

LONGEST = 1001
"""The length of an array that Slurm allows where nobody has said otherwise."""

_PATIENCE = 60.0
"""Seconds that a command of Slurm may take."""


@dataclass(frozen=True)
class BatchJob:
    """An element of an array, as Slurm sees it.

    Parameters
    ----------
    array : str
        What Slurm calls the array.
    element : int
        Its number.
    name : str
        What its submitter has called it.
    state : str
        ``PENDING``, ``RUNNING``, ``COMPLETED``, ``TIMEOUT``, …
    reason : str
        Why it waits, or has ended so; empty if Slurm gives none.
    node : str
        Where it is carried out; empty if that is not decided.
    """

    array: str
    element: int
    name: str
    state: str
    reason: str = ""
    node: str = ""

    @property
    def id(self) -> str:
        """What Slurm calls it."""
        return f"{self.array}_{self.element}"

    @property
    def waits(self) -> bool:
        """Whether it is still to begin."""
        return self.state in WAITING

    @property
    def is_left(self) -> bool:
        """Whether it has not ended."""
        return self.waits or self.state in AT_WORK


def longest_array() -> int:
    """Return how many elements an array may have.

    Raises
    ------
    SchedulerError
        If Slurm cannot be asked.
    """
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", _said(["scontrol", "show", "config"]), re.M)
    return max(int(found[1]), 1) if found else LONGEST


def send(command: Sequence[str], script: str) -> str:
    """Hand a script over; return what Slurm calls the array.

    Parameters
    ----------
    command : sequence of str
        ``sbatch`` with its options, ``--parsable`` among them.
    script : str
        The script.

    Raises
    ------
    SchedulerError
        If Slurm does not take it.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        said = _said([*command, file.name])
    id = said.strip().partition(";")[0]
    if not id.isdecimal():
        raise SchedulerError(f"sbatch has not said what it calls the array, but: {said.strip()!r}.")
    return id


def jobs_of(users: Iterable[str]) -> list[BatchJob]:
    """Return the elements of arrays that some users have in the queue, or had a while ago.

    Raises
    ------
    SchedulerError
        If Slurm cannot be asked.
    """
    names = ",".join(sorted(set(users) or {getpass.getuser()}))
    form = "%F|%K|%T|%r|%N|%j"
    told = _said(["squeue", "--user", names, "--array", "--states=all", "--noheader", "-o", form])
    found = []
    for line in told.splitlines():
        array, element, state, reason, node, name = line.split("|", 5)
        if element.isdecimal():
            why = "" if reason in ("None", "(null)") else reason
            found.append(BatchJob(array, int(element), name, state, why, node))
    return found


def ended_jobs(arrays: Iterable[str]) -> list[BatchJob]:
    """Return how elements of arrays have ended that are not in the queue any more.

    Where no accounts are kept nobody knows: none are returned.
    """
    form = "JobID,State,ExitCode,NodeList"
    command = ["sacct", "--allocations", "--parsable2", "--noheader", "--format", form, "--jobs"]
    try:
        told = _said([*command, ",".join(sorted(arrays))])
    except SchedulerError:
        return []
    found = []
    for line in told.splitlines():
        id, state, code, node = line.split("|", 3)
        array, _, element = id.partition("_")
        if element.isdecimal():
            status = code.partition(":")[0]
            reason = f"exit code {status}" if status not in ("", "0") else ""
            word = state.split()[0]  # CANCELLED by 1000
            found.append(BatchJob(array, int(element), "", word, reason, node))
    return found


def cancel(jobs: Sequence[str]) -> None:
    """Cancel arrays, or elements of arrays.

    Raises
    ------
    SchedulerError
        If Slurm cannot be asked.
    """
    _said(["scancel", *jobs])


def _said(command: Sequence[str]) -> str:
    """Return what a command of Slurm prints."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE,
        )
    except FileNotFoundError:
        raise SchedulerError(f"{command[0]} is not there: Slurm is not installed here.") from None
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace")  # bytes, whatever was asked for
        raise SchedulerError(
            f"{command[0]} has not ended for {_PATIENCE:.0f} s: {_last_line(command, said)}"
        ) from None
    except OSError as error:
        raise SchedulerError(
            f"{command[0]} cannot be started: {error.strerror or error}."
        ) from error
    if done.returncode:
        why = _last_line(command, done.stderr)
        raise SchedulerError(f"{command[0]} exited with {done.returncode}: {why}")
    return done.stdout


def _last_line(command: Sequence[str], said: str) -> str:
    """Return the last that a command has said, as a sentence."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    line = lines[-1].removeprefix(f"{command[0]}: ") if lines else "it says nothing"
    return line if line.endswith(".") else f"{line}."
