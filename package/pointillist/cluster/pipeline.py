"""The pipeline that is still to do: what could be done if nothing failed, with what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable

from ..plan.planner import Planner
from ..plan.states import Awaits, State
from ..plan.tasks import Task
from .arrays import Key

__all__ = ["coming"]


def coming(
    planner: Planner, tasks: Iterable[Task], queued: Container[Key]
) -> tuple[dict[Key, tuple[Task, list[Key]]], Counter[str]]:
    """Return the tasks that are to be submitted, and how many others are left undone, by state.

    Parameters
    ----------
    planner : Planner
        Judges.
    tasks : iterable of Task
        Such that each comes after those whose results it reads.
    queued : container of (str, str)
        The tasks that the scheduler has already.

    Returns
    -------
    dict of (str, str) to (Task, list of (str, str))
        The tasks, in order, with those that each reads from.
    Counter of str
        Those that wait for something which is not to come, or failed, …
    """
    found: dict[Key, tuple[Task, list[Key]]] = {}
    left: Counter[str] = Counter()
    for task in tasks:
        if task.key in queued:
            continue
        verdict = planner.judge(task)
        wanted = verdict.wanted
        if verdict.state is State.WAITING and all(isinstance(r, Awaits) for r in verdict.reasons):
            makers = [m for m in planner.needs(task).upstream if not planner.judge(m).usable]
            wanted = all(maker.key in found or maker.key in queued for maker in makers)
        if wanted:
            found[task.key] = (task, [maker.key for maker in planner.needs(task).upstream])
        elif verdict.state not in (State.COMPLETE, State.EXCLUDED):
            left[f"{verdict.state} ({verdict.note})" if verdict.note else str(verdict.state)] += 1
    return found, left
