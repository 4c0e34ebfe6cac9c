"""How long tasks take, by what attempts of the same step took before."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..space.memory import Attempts
from .tasks import Task

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """How long the tasks of one step will take.

    Parameters
    ----------
    operation : str
        The step.
    tasks : int
        How many there are.
    each : float or None
        Seconds of one: the median of earlier attempts; None if there are none.
    attempts : int
        How many earlier attempts that is of: the last complete one of each record.
    """

    operation: str
    tasks: int
    each: float | None
    attempts: int

    @property
    def seconds(self) -> float:
        """Seconds of all; 0 if nobody knows."""
        return self.tasks * (self.each or 0.0)


def estimate(attempts: Attempts, tasks: Iterable[Task]) -> list[Estimate]:
    """Return how long tasks will take, one after the other, step by step.

    Parameters
    ----------
    attempts : Attempts
        What was done before.
    tasks : iterable of Task
        What is to be done.
    """
    counts = Counter(task.step.operation for task in tasks)
    took: dict[str, list[float]] = {operation: [] for operation in counts}
    for (operation, _), made in attempts.last_good.items():
        if operation in took and made.outcome == "complete":
            took[operation].append(max(0.0, made.end - made.start))
    return [
        Estimate(operation, count, statistics.median(known) if known else None, len(known))
        for operation, count in counts.items()
        for known in [took[operation]]
    ]
