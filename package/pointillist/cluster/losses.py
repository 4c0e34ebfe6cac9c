"""What a scheduler has lost is recorded: failed attempts, with the scheduler's own reason."""

from __future__ import annotations

import contextlib
from collections import defaultdict

from ..errors import Superseded, TaskError
from ..plan.tasks import Task
from ..run.attempt import Worker
from ..run.claiming import Claiming
from ..space.submissions import append, close
from .queue import Batch, Element, Queue

__all__ = ["note"]


def note(worker: Worker, queue: Queue) -> list[Task]:
    """Write down what has ended, and that the tasks failed which were lost; return these.

    Who calls this holds the claim on submissions, and has asked the scheduler under it.

    Parameters
    ----------
    worker : Worker
        Whose journal tells of the losses.
    queue : Queue
        What the scheduler says.

    Raises
    ------
    SpaceError
        If it cannot be written.
    """
    found: list[Task] = []
    if queue.problem:
        return found
    for element, task in list(queue.lost(worker.planner)):
        if _fail(worker, element, task):
            found.append(task)
    layout = worker.space.layout
    ended: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for element in queue.ended:
        told = (element.submission.name, element.array.number, element.job.state)
        ended[told].append(element.number)
        element.array.ended[element.number] = element.job.state
    for (name, array, state), elements in ended.items():
        append(
            layout, name, {"kind": "ended", "array": array, "state": state, "elements": elements}
        )
    for submission in queue.submissions:
        if not any(array.left for array in submission.arrays.values()):
            close(layout, submission.name)
    queue.ended.clear()
    return found


def _fail(worker: Worker, element: Element, task: Task) -> bool:
    """Record that a task has failed; return whether nobody else had it by now."""
    claims = Claiming(worker, told=task.key)
    claim = claims.claim(task)
    if claim is None:
        return False
    printed = worker.space.layout.batch_output(
        element.submission.name, element.array.number, element.number
    )
    more = ""
    with contextlib.suppress(OSError):
        if printed.stat().st_size:
            more = f". It printed {printed.relative_to(worker.space.layout.root)}"
    error = TaskError(f"{Batch.of(element.job)}{more}")
    last = worker.planner.attempts.last.get(task.key)
    cut_short = last is not None and last.end >= element.array.sent  # it began that one
    try:
        worker.fail(task, claim, error, last.start if last and cut_short else element.array.sent)
    except Superseded:
        return False
    finally:
        claims.release(claim)
    worker.planner.forget(task)
    return True
