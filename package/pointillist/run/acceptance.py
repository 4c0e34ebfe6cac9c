"""Accepting: what is there becomes what a task is judged against, with a note that says why."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass

from ..plan.planner import Planner
from ..plan.states import State, Verdict
from ..plan.tasks import Task
from ..space.attempts import StoredOutput
from ..space.claims import Claim
from ..space.fingerprints import Fingerprint, look
from ..space.identity import user
from .attempt import Worker
from .claiming import holding
from .engine import Engine
from .heartbeat import heartbeat

__all__ = ["HELD", "Acceptance", "accept"]

HELD = "a runner has it; wait until it has ended"
"""Why what is at work cannot be accepted."""


@dataclass(frozen=True)
class Acceptance:
    """What became of one task that was to be accepted.

    Parameters
    ----------
    task : Task or str
        The task; the name and job of a hand-written operation.
    before : Verdict
        What it was.
    refused : str
        Why it could not be accepted, and what to do; empty if it was.
    """

    task: Task | str
    before: Verdict
    refused: str = ""


def accept(
    engine: Engine, tasks: Iterable[Task], note: str, pretend: bool = False
) -> list[Acceptance]:
    """Accept what is there of some tasks; those that are complete, or excluded, are passed over.

    Parameters
    ----------
    engine : Engine
        Judges the tasks and records what was accepted.
    tasks : iterable of Task
        Such that each comes after those whose results it reads.
    note : str
        Why they are right as they are.
    pretend : bool
        Whether nothing is recorded.

    Returns
    -------
    list of Acceptance
        In the order of the tasks; one that is complete once others are accepted is none of them.

    Raises
    ------
    SpaceError
        If nothing can be recorded.
    """
    chosen = list(tasks)
    before, planner = engine.planner(), engine.planner()
    first = {task: before.judge(task) for task in chosen}
    worker = engine.worker(planner)
    found: list[Acceptance] = []
    coming: set[Task] = set()
    with heartbeat(engine.journal):
        for task in chosen:
            if _is_settled(first[task]) or _is_settled(planner.judge(task)):
                continue
            refused = _foreseen(planner, task, coming) if pretend else _accept(worker, task, note)
            if refused is not None:
                found.append(Acceptance(task, first[task], refused))
    return found


def _is_settled(verdict: Verdict) -> bool:
    """Whether there is nothing to accept: it is complete as it is, or excluded."""
    if verdict.state is State.COMPLETE:
        return verdict.note != "edited"
    return verdict.state is State.EXCLUDED


def _foreseen(planner: Planner, task: Task, coming: set[Task]) -> str | None:
    """Return what `_accept` would, once those in `coming` are accepted; add the task to them."""
    verdict = planner.judge(task)
    refused = _obstacle(planner, task, verdict, coming)
    if refused:
        return refused
    coming.add(task)
    waits = verdict.state is State.WAITING and all(r.rule == "needs" for r in verdict.reasons)
    return None if waits and not planner.differences(task) else ""


def _obstacle(planner: Planner, task: Task, verdict: Verdict, coming: set[Task]) -> str:
    """Return why a task cannot be accepted, empty if it can."""
    if verdict.state is State.RUNNING:
        return HELD
    names = planner.snapshot.names(planner.space.job_folder(task.record))
    missing = [str(made.filename) for made in task.step.outputs if made.filename not in names]
    if missing:
        return f"{', '.join(missing)} is missing: there is nothing to accept; `run` makes it"
    if verdict.state is State.WAITING:
        try:
            upstream = planner.needs(task).upstream
        except ValueError as error:  # a document that cannot be read
            return str(error)
        makers = {maker.step.operation for maker in upstream}
        for reason in verdict.reasons:
            if reason.rule != "seed" and reason.what not in makers:
                return str(reason)
        for maker in upstream:
            state = planner.judge(maker).state
            if not planner.judge(maker).usable and maker not in coming:
                return f"{maker} is {state}: accept that too, or `run` it"
    return ""


def _accept(worker: Worker, task: Task, note: str) -> str | None:
    """Accept one task; return why it was refused, empty if it was not, None if it is complete."""
    planner = worker.planner
    with holding(worker, task) as claim:
        if claim is None:
            planner.forget(task)
            return HELD
        verdict = planner.judge_claimed(task, claim, worker.journal)
        if _is_settled(verdict):
            return None
        refused = _obstacle(planner, task, verdict, set())
        return refused or _record(worker, task, claim, note)


def _record(worker: Worker, task: Task, claim: Claim, note: str) -> str:
    """Record what is there as what counts; return why that cannot be, empty if it is done."""
    planner, needs = worker.planner, worker.planner.needs(task)
    limit, start = worker.space.configuration.hash_limit, time.time()
    known = planner.attempts.last_good.get(task.key) or planner.attempts.last.get(task.key)
    inputs: dict[str, Fingerprint | None] = {}
    outputs = {}
    try:
        now = os.stat(claim.folder.claim(task.step.name, claim.generation)).st_ctime_ns
        for name, source in needs.inputs.items():
            seen = look(source.path, limit, now if source.maker is None else None)
            if seen is None and source.maker is None and known is not None:
                seen = known.inputs.get(name)  # it is gone; if it comes back, it is compared
            inputs[name] = seen
        for made in task.step.outputs:
            there = look(claim.folder.output(str(made.filename)), limit)
            if there is None:
                return f"{made.filename} is gone"
            outputs[made.name] = StoredOutput(str(made.filename), there)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror or error}"
    if claim.superseded():
        return "another runner took it over"
    attempt = worker.describe(
        task, needs, "accepted", start, inputs, number=0, outputs=outputs, note=note, user=user()
    )
    worker.record(attempt)
    planner.forget(task)
    return ""
