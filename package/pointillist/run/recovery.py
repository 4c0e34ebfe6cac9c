"""Recovery: what dead runners have left behind is finished, or discarded and written down."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import SpaceError
from ..plan.tasks import Task
from ..space.attempts import Attempt, attempt_in
from ..space.claims import Claim, Owner, owner_of
from ..space.journals import read_journal
from ..space.layout import JobFolder, stages_in
from .attempt import Worker
from .publish import discard, is_published, publish

__all__ = ["recover"]


def recover(
    worker: Worker,
    task: Task,
    claim: Claim,
    told: tuple[str, str] | None = None,
    lost: Mapping[str, str] = MappingProxyType({}),
) -> int:
    """Finish or discard what dead runners have left; return how many tasks were finished.

    Under their claim they may have been at steps that depend on the claimed one.

    A dead runner's journal has a closing line: what it made is renamed into place. It has none:
    what it made is discarded, and this runner's journal says that the attempt was interrupted; not
    so of the task `told`, of which the caller says more. Of some runners it says in `lost` what is
    recorded as the reason.

    Raises
    ------
    SpaceError
        If that cannot be done now; nothing is lost by trying again later.
    """
    if not claim.left:
        return 0
    finished = 0
    last_good = worker.planner.attempts.last_good
    below = [s for n, s in type(task.record).__steps__.items() if n in task.step.below]
    tasks = [task, *(Task(task.record, step) for step in below)]
    for generation in claim.left:
        owner = owner_of(claim.folder, task.step.name, generation)
        if owner is None:
            continue
        found = _recorded_by(owner, worker)
        for each in tasks:
            recorded = found.get(each.key)
            if recorded is not None and not is_published(claim.folder, recorded):
                _finish(recorded, claim.folder, each)
                finished += 1
            elif each.key == told:
                continue
            elif each is not task:
                if stages_in(claim.names, each.step.name) or _has_printed(worker, each, claim):
                    _note_death(owner, worker, each, claim.folder, lost)
            elif recorded is None or last_good.get(each.key) != recorded:
                _note_death(owner, worker, each, claim.folder, lost)
    for each in tasks:
        discard(claim.folder, each.step.name, names=claim.names)
    claim.names = os.listdir(claim.folder.place)
    return finished


def _has_printed(worker: Worker, task: Task, claim: Claim) -> bool:
    """Whether there is a log of an attempt of which no journal tells."""
    number = worker.planner.attempts.count.get(task.key, 0) + 1
    return claim.folder.log(task.step.name, number).exists()


def _recorded_by(owner: Owner, worker: Worker) -> dict[tuple[str, str], Attempt]:
    """Return the last complete attempt of each task that a runner has recorded."""
    found = {}
    try:
        lines = list(read_journal(worker.space.layout.journal(owner.runner)))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpaceError(
            f"the journal of {owner.runner}, which died, cannot be read: "
            f"{error.strerror or error}. It says what was done; make it readable for you."
        ) from error
    for data in lines:
        attempt = attempt_in(data, owner.runner)
        if attempt is None:
            continue
        worker.planner.attempts.add(attempt)
        if attempt.outcome == "complete":
            found[attempt.operation, attempt.job] = attempt
    return found


def _finish(recorded: Attempt, folder: JobFolder, task: Task) -> None:
    """Publish what a dead runner had recorded."""
    try:
        publish(folder, task.step.name, recorded)
    except OSError as error:
        raise SpaceError(
            f"what {recorded.runner} has made cannot take its place in {folder.path}: "
            f"{error.strerror or error}. Make the folder writable."
        ) from error


def _note_death(
    owner: Owner, worker: Worker, task: Task, folder: JobFolder, lost: Mapping[str, str]
) -> None:
    """Record that an attempt of a dead runner made nothing."""
    now = time.time()
    number = worker.planner.attempts.count.get(task.key, 0) + 1
    died = Attempt(
        task.step.operation,
        task.record.id,
        "interrupted",
        number,
        min(owner.beat / 1e9, now),
        now,
        {},
        log=worker.log_of(folder.log(task.step.name, number)),
        error=lost.get(owner.runner, f"its runner {owner.runner} died"),
        ran_by=owner.runner,
    )
    worker.record(died)
