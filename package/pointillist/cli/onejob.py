"""The one job that a verb is about: ``-j`` gives it, whether it is a record or not."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError, RecordNotFound
from ..flow.compiled import CompiledProject
from ..model.records import Record
from ..plan.tasks import Task
from ..space.claims import Owner, owner_of
from ..space.history import History, read_history
from ..space.layout import JobFolder, claims_in
from .selection import check_names

__all__ = ["OneJob", "add_job", "find_job", "running_steps", "states", "steps_called"]


@dataclass(frozen=True)
class OneJob:
    """A job, or one that was there once and that journals tell of.

    Parameters
    ----------
    id, label : str
        Its id, and what it is called for people.
    record : Record or None
        The record, if it is one.
    folder : JobFolder or None
        Its folder, if it is there.
    history : History
        What the journals tell of it.
    """

    id: str
    label: str
    record: Record | None
    folder: JobFolder | None
    history: History


def add_job(parser: argparse.ArgumentParser) -> None:
    """Add ``-j`` to a verb's parser."""
    parser.add_argument("-j", "--job-id", required=True, help="The job's id, or how it begins.")


def find_job(lab: CompiledProject, start: str) -> OneJob:
    """Return the job whose id begins with `start`.

    Raises
    ------
    RecordNotFound
        If there is none, and there was none.
    SeveralRecords
        If there are several.
    """
    layout = lab.engine.space.layout
    try:
        jobs = lab._get_aggregate_from_id(start)
    except RecordNotFound:
        history = read_history(layout, start)
        known = history.jobs()
        if len(known) != 1:
            raise
        return OneJob(known[0], f"job {known[0][:8]} (no longer there)", None, None, history)
    if len(jobs) != 1:  # signac-flow's groups of jobs have an id and no folder
        return OneJob(start, start, None, None, read_history(layout, start))
    id, folder = str(jobs[0].id), JobFolder(Path(jobs[0].path))
    history = read_history(layout, id)
    try:
        record = lab.record_of(jobs[0])
    except RecordNotFound:
        return OneJob(id, f"job {id[:8]}", None, folder, history)
    return OneJob(id, record.label, record, folder, history)


def steps_called(lab: CompiledProject, name: str, job: OneJob) -> list[str]:
    """Return the operations of a job that a name means, as ``-o`` takes it.

    Raises
    ------
    ConfigurationError
        If it means none, or none of this job's; the message lists those.
    """
    check_names(lab, [name])
    steps = lab.chosen_steps([name])
    found = [s.operation for s in steps if job.record is None or s.record is type(job.record)]
    found += lab.own_operations([name])
    if not found and job.record is not None:
        own = [step.name for step in type(job.record).__steps__.values() if step.stored]
        raise ConfigurationError(
            f"{name} is no step of {job.label}. Its steps: {', '.join(own) or 'none'}."
        )
    return found


def states(
    lab: CompiledProject, job: OneJob, operations: list[str] | None = None
) -> dict[str, str]:
    """Return the state of each step of a record, in words; nothing of what is no record."""
    if job.record is None:
        return {}
    wanted = [
        step
        for step in type(job.record).__steps__.values()
        if step.stored and (operations is None or step.operation in operations)
    ]
    if not wanted:
        return {}  # without a look at the whole project
    planner = lab.engine.planner()
    return {step.name: str(planner.judge(Task(job.record, step))) for step in wanted}


def running_steps(job: OneJob) -> dict[str, Owner]:
    """Return who has which steps of a job now; what the dead have left behind does not count."""
    if job.folder is None:
        return {}
    try:
        claims = claims_in([path.name for path in job.folder.path.iterdir()])
    except OSError:
        return {}
    found = {}
    for step, generations in claims.items():
        owner = owner_of(job.folder, step, generations[-1])
        if owner is not None and owner.alive is not False:
            found[step] = owner
    return found
