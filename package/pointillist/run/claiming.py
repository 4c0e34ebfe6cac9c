"""Claiming a task without carrying it out: for what changes its results or its history."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import SpaceError
from ..plan.tasks import Task
from ..space.claims import Claim, owner_of, take
from ..space.layout import claims_in
from .attempt import Worker
from .publish import uninterrupted
from .recovery import recover

__all__ = ["holding"]


@contextmanager
def holding(worker: Worker, task: Task) -> Iterator[Claim | None]:
    """Hold the claim on a task, with what the dead have left of it finished or discarded.

    It gives None if a runner has the task that lives, or of which that cannot be known from here.

    Raises
    ------
    SpaceError
        If the job's folder cannot be read or written.
    """
    folder, step = worker.space.job_folder(task.record), task.step.name
    try:
        left = claims_in(os.listdir(folder.path)).get(step, [])
    except OSError as error:
        raise SpaceError(f"{folder.path} cannot be read: {error.strerror or error}.") from error
    owner = owner_of(folder, step, left[-1]) if left else None
    lives = owner is not None and owner.alive is not False
    claim = None if lives else take(folder, step, left, worker.journal)
    if claim is None:
        yield None
        return
    try:
        with uninterrupted():
            recover(worker, task, claim)
        yield claim
    finally:
        claim.release()
