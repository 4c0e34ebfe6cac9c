"""What a worker of a pool leaves behind when it dies: the run finishes it, and records the failure.

Unlike a runner of another process group, or host, it is known to be dead, how it ended, and which
task it was at.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from ..errors import PointillistError, Superseded, TaskError
from ..plan.tasks import Task
from ..space.attempts import Attempt, attempt_in
from ..space.identity import Identity
from ..space.journals import read_journal
from ..space.layout import claims_in
from .attempt import Worker
from .claiming import Claiming

__all__ = ["blamed", "cleared", "gone", "how", "recorded"]

PATIENCE = 10.0
"""Seconds in which a process ends by itself that has lost who started it."""

Key = tuple[str, str]


def how(code: int | None) -> str:
    """Return in words how a process ended, by its exit code; ``-n`` for signal ``n``."""
    if code is None or code >= 0:
        return f"ended with exit code {code or 0}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    more = ": perhaps memory ran out" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{more}"


def gone(journal: str) -> str:
    """Wait until a worker is gone that was lost, if it was on this host; return its name.

    It ends with who started it, but perhaps a moment later.
    """
    identity = None
    with contextlib.suppress(OSError, KeyError, TypeError):
        identity = Identity.from_json(next(read_journal(Path(journal)), {}))
    until = time.monotonic() + PATIENCE
    while identity is not None and identity.alive():
        if time.monotonic() > until:  # in a call that lets no thread do anything
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(identity.pid, signal.SIGKILL)
        time.sleep(0.01)
    return Path(journal).stem


def recorded(worker: Worker, journal: str, tasks: Iterable[Task]) -> dict[Key, Attempt]:
    """Return the last attempt on each of some tasks that a dead worker has recorded."""
    found: dict[Key, Attempt] = {}
    keys = {task.key for task in tasks}
    with contextlib.suppress(OSError):
        for line in read_journal(Path(journal)):
            attempt = attempt_in(line, Path(journal).stem)
            if attempt is not None and (attempt.operation, attempt.job) in keys:
                found[attempt.operation, attempt.job] = attempt
                worker.planner.attempts.add(attempt)
    return found


def cleared(worker: Worker, claims: Claiming, task: Task) -> None:
    """Finish what a dead worker has left of a task, if it has left its claim."""
    folder = worker.space.job_folder(task.record)
    with contextlib.suppress(OSError, PointillistError):  # who has the task next says so
        there = claims_in(os.listdir(folder.place)).keys()
        if not there.isdisjoint({task.step.name, *task.step.above}):
            claim = claims.claim(task)
            if claim is not None:
                claims.release(claim)


def blamed(
    worker: Worker, claims: Claiming, task: Task, error: TaskError, start: float
) -> Attempt | None:
    """Record that a task has failed, as the worker that was at it has died.

    Parameters
    ----------
    worker : Worker
        The run's.
    claims : Claiming
        The run's.
    task : Task
        The task.
    error : TaskError
        How it died.
    start : float
        When it began the task, in seconds since 1970.

    Returns
    -------
    Attempt or None
        None if another runner has the task by now.

    Raises
    ------
    SpaceError
        If the job's folder cannot be read or written.
    """
    claim = claims.claim(task)
    if claim is None:
        return None
    try:
        return worker.fail(task, claim, error, start)
    except Superseded:
        return None
    finally:
        claims.release(claim)
