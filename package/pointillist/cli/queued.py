"""What the scheduler has of the project's tasks, for the verbs that look at all of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..errors import SchedulerError
from ..flow.compiled import CompiledProject
from ..plan.planner import Planner
from ..view.console import console_for

if TYPE_CHECKING:
    from ..cluster.queue import Queue

__all__ = ["asked_queue", "lay_queue_over", "note_losses"]


def lay_queue_over(lab: CompiledProject, planner: Planner) -> None:
    """Let a planner say what is submitted and what is lost; nothing is written."""
    if not _is_any(lab):
        return
    from ..cluster.queue import look

    queue = look(lab.engine.space)
    queue.lay_over(planner)
    _tell(queue)


def note_losses(lab: CompiledProject) -> None:
    """Write down what has ended on the scheduler; what it has lost is failed from now on."""
    if not _is_any(lab):
        return
    from ..cluster.losses import note
    from ..cluster.queue import look
    from ..space.submissions import submitting

    engine = lab.engine
    with submitting(engine.space, engine.journal):
        queue = look(engine.space)
        note(engine.worker(engine.planner()), queue)
    _tell(queue)


def asked_queue(lab: CompiledProject) -> Queue:
    """Return what the scheduler has, having noted what has ended.

    Who calls this holds the claim on submissions.

    Raises
    ------
    SchedulerError
        If the scheduler cannot be asked.
    """
    from ..cluster.losses import note
    from ..cluster.queue import look

    queue = look(lab.engine.space)
    if queue.problem:
        raise SchedulerError(
            f"the scheduler cannot be asked what it has already, so nothing was done: "
            f"{queue.problem}"
        )
    note(lab.engine.worker(lab.engine.planner()), queue)
    return queue


def _is_any(lab: CompiledProject) -> bool:
    """Whether something may be left on a scheduler: else nothing of it need be loaded."""
    try:
        return bool(lab.engine.space.layout.open_submissions())
    except OSError:
        return True  # who reads them says what is wrong


def _tell(queue: Queue) -> None:
    if queue.problem:
        console_for(sys.stderr).print(
            f"The scheduler cannot be asked: {queue.problem} What was last known counts.",
            style="yellow",
            markup=False,
        )
