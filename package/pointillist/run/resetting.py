"""Resetting: what a task has made is removed, and what was before does not count any more.

The outputs are renamed aside first, each in one call, under names that are never taken for an
output and that the next attempt clears away; then ``reset`` is recorded; then they are removed.
Who is killed before the record has a task with outputs missing, who is killed after it has one
that was reset: both are what is there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import PointillistError, SpaceError
from ..plan.planner import Planner
from ..plan.states import State
from ..plan.tasks import Task
from ..space.attempts import Attempt
from ..space.claims import Claim
from ..space.fingerprints import glance
from ..space.identity import user
from ..space.layout import JobFolder, stages_in
from .attempt import Worker
from .claiming import holding
from .engine import Engine
from .heartbeat import heartbeat
from .publish import discard

__all__ = ["Reset", "foresee_reset", "reset"]


@dataclass(frozen=True)
class Reset:
    """What is removed of one task.

    Parameters
    ----------
    task : Task
        The task.
    files : dict of str to int
        Bytes by name in the job's folder: outputs, and what attempts have left behind.
    refused : str
        Why it is left alone; empty if it is not.
    """

    task: Task
    files: dict[str, int]
    refused: str = ""


def foresee_reset(planner: Planner, tasks: Iterable[Task], dependents: bool = False) -> list[Reset]:
    """Return what a reset of some tasks would remove; those without anything are left out.

    Parameters
    ----------
    planner : Planner
        Knows what depends on what.
    tasks : iterable of Task
        The tasks.
    dependents : bool
        Whether also what depends on them, of whatever record.

    Returns
    -------
    list of Reset
        Those that depend on others first.
    """
    chosen = dict.fromkeys(tasks)
    if dependents:
        for task in planner.tasks():
            if task not in chosen and any(m in chosen for m in _upstream(planner, task)):
                chosen[task] = None
    found = []
    for task in reversed(chosen):
        files = _files(task, planner.space.job_folder(task.record))
        if planner.judge(task).state is State.RUNNING:
            found.append(Reset(task, files, _HELD))
        elif files or _has_history(planner, task):
            found.append(Reset(task, files))
    return found


def reset(engine: Engine, tasks: Iterable[Task]) -> list[Reset]:
    """Remove what some tasks have made, and record that they were reset.

    Parameters
    ----------
    engine : Engine
        Records it.
    tasks : iterable of Task
        In the order in which they are reset: those that depend on others first.

    Returns
    -------
    list of Reset
        What was removed; nothing of a task that a runner has.

    Raises
    ------
    SpaceError
        If something cannot be removed or recorded.
    """
    planner = engine.planner()
    worker = engine.worker(planner)
    found = []
    with heartbeat(engine.journal):
        for task in tasks:
            with holding(worker, task) as claim:
                if claim is None:
                    found.append(Reset(task, {}, _HELD))
                    continue
                planner.attempts.refresh(engine.space.layout)
                found.append(Reset(task, _reset(worker, task, claim)))
    return found


_HELD = "a runner has it; reset it when it has ended"


def _upstream(planner: Planner, task: Task) -> list[Task]:
    try:
        return planner.needs(task).upstream
    except PointillistError:
        return []  # a document that cannot be read: `status` says so


def _has_history(planner: Planner, task: Task) -> bool:
    last = planner.attempts.last.get(task.key)
    return last is not None and last.outcome != "reset"


def _files(task: Task, folder: JobFolder) -> dict[str, int]:
    """Return the outputs that are there, and what was left behind, with their sizes."""
    try:
        names = os.listdir(folder.path)
    except FileNotFoundError:
        return {}
    outputs = [str(made.filename) for made in task.step.outputs if made.filename in names]
    return {name: _size(folder.output(name)) for name in outputs + stages_in(names, task.step.name)}


def _size(path: Path) -> int:
    try:
        seen = glance(path)
    except OSError:
        return 0
    return seen.size if seen is not None else 0


def _reset(worker: Worker, task: Task, claim: Claim) -> dict[str, int]:
    folder, step = claim.folder, task.step.name
    files = _files(task, folder)
    try:
        discard(folder, step)  # so that there is room for what is renamed now
        for made in task.step.outputs:
            place = folder.output(str(made.filename))
            if os.path.lexists(place):
                os.rename(place, folder.replaced(step, str(made.filename)))
    except OSError as error:
        raise SpaceError(
            f"{task}: {error.filename} cannot be removed: {error.strerror or error}. Make the "
            "job's folder writable.",
            record=task.record.label,
            step=task.step.operation,
        ) from error
    last, now = worker.planner.attempts.last.get(task.key), time.time()
    end = now if last is None else max(now, last.end + 1e-6)
    attempt = Attempt(task.step.operation, task.record.id, "reset", 0, now, end, {}, user=user())
    worker.record(attempt)
    discard(folder, step)
    worker.planner.forget(task)
    return files
