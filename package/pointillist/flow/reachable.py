"""Which scheduler signac-flow would submit to from here, and whether it answers."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from flow.environment import get_environment
from flow.errors import NoSchedulerError
from flow.scheduling.lsf import LSFScheduler
from flow.scheduling.pbs import PBSScheduler
from flow.scheduling.slurm import SlurmScheduler

__all__ = ["Reachable", "reachable"]

_ASKED_WITH = {SlurmScheduler: "squeue", PBSScheduler: "qstat", LSFScheduler: "bjobs"}


@dataclass(frozen=True)
class Reachable:
    """What signac-flow finds here.

    Attributes
    ----------
    environment : str
        The class that signac-flow picks: ``DefaultSlurmEnvironment``.
    programs : tuple of str
        The programs that it submits and asks with; none if there is no scheduler.
    missing : tuple of str
        Those that are not on ``PATH``.
    jobs : int
        How many jobs of this user the scheduler knows.
    complaint : str
        Why it does not answer; empty if it does.
    """

    environment: str
    programs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    jobs: int = 0
    complaint: str = ""


def reachable() -> Reachable:
    """Ask the scheduler for this user's jobs, as signac-flow's ``status`` does.

    It may take as long as the scheduler's own programs do.

    Raises
    ------
    ValueError
        If ``SIGNAC_FLOW_ENVIRONMENT`` names no environment.
    """
    environment = get_environment()
    name = environment.__name__
    try:
        scheduler = environment.get_scheduler()
    except NoSchedulerError:
        return Reachable(name)
    except KeyError as error:  # the simple scheduler is named by a variable
        return Reachable(name, complaint=f"{error.args[0]} is not set")
    asked = [word for kind, word in _ASKED_WITH.items() if isinstance(scheduler, kind)]
    programs = (*getattr(scheduler, "submit_cmd", ())[:1], *asked)
    missing = tuple(program for program in programs if shutil.which(program) is None)
    if missing:
        return Reachable(name, programs, missing, complaint=f"{missing[0]} is not on PATH")
    complaint = _does_not_answer_a_ping() if isinstance(scheduler, SlurmScheduler) else ""
    if complaint:
        return Reachable(name, programs, complaint=complaint)
    with _standard_error_kept() as errors:
        try:
            return Reachable(name, programs, jobs=len(list(scheduler.jobs() or ())))
        except subprocess.CalledProcessError as error:
            command = error.cmd if isinstance(error.cmd, str) else error.cmd[0]
            complaint = f"{command} failed (exit {error.returncode})"
        except Exception as error:  # whatever signac-flow makes of an answer that it cannot read
            complaint = f"{type(error).__name__}: {error}"
        errors.seek(0)
        return Reachable(name, programs, complaint=_with_last_line(complaint, errors.read()))


def _does_not_answer_a_ping() -> str:
    """Say that Slurm's controller is down, if it is: squeue takes nine seconds to find out."""
    try:
        done = subprocess.run(["scontrol", "ping"], stdin=subprocess.DEVNULL, capture_output=True)
    except OSError:
        return ""
    if done.returncode == 0 or b" is UP" in done.stdout:
        return ""
    first = done.stdout.partition(b"\n")[0]
    complaint = f"scontrol ping failed (exit {done.returncode})"
    return _with_last_line(complaint, first or done.stderr)


def _with_last_line(complaint: str, said: bytes) -> str:
    lines = [line.strip() for line in said.decode(errors="replace").split("\n")]
    return ": ".join([complaint, *[line for line in lines if line][-1:]])


@contextlib.contextmanager
def _standard_error_kept() -> Iterator[IO[bytes]]:
    """Let what this process and its children say on standard error go into a file."""
    sys.stderr.flush()
    usual = os.dup(2)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            try:
                yield file
            finally:
                sys.stderr.flush()
                os.dup2(usual, 2)
    finally:
        os.close(usual)
