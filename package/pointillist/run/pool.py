"""The pool: workers carry the tasks of a run out at the same time, the run says who does what.

Workers are forked when everything is judged, and so know what the run knows. One that dies has
failed the task that it was at, and another one goes on.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..plan.states import Verdict
from ..plan.tasks import Task
from . import interruption
from .hands import Forked, Hand
from .passing import Key, Passing
from .pooled import Place, Pooled, Wire
from .runner import Runner, Summary

__all__ = ["Pool", "processes_of"]


@dataclass
class Pool(Runner):
    """Carries tasks out in several processes.

    Parameters
    ----------
    processes : int
        How many at most.
    """

    processes: int = field(default=2, kw_only=True)

    def _pass(
        self, tasks: list[Task], verdicts: dict[Task, Verdict], summary: Summary
    ) -> list[Task]:
        waits: dict[Task, set[Key]] = {}
        pending: set[Key] = set()
        for task in self._by_record(tasks):
            makers = {maker.key for maker in self._upstream(task)} & pending
            if makers or self._wants(task, verdicts[task]):
                waits[task] = makers
                pending.add(task.key)
        if not waits:
            return tasks
        with contextlib.suppress(OSError):
            self.worker.environment.record()  # once, not by each worker
        return self._passing(waits, verdicts, summary).carry_out(tasks)

    def _passing(
        self, waits: dict[Task, set[Key]], verdicts: dict[Task, Verdict], summary: Summary
    ) -> Passing:
        return _Forking(self, waits, verdicts, summary)


class _Forking(Passing):
    """One going through of tasks by workers that are forked from the run."""

    def __init__(self, pool: Pool, *what: Any) -> None:
        super().__init__(pool, *what)
        self._memory = mmap.mmap(-1, Place.FORM.size * pool.processes)

    def carry_out(self, tasks: list[Task]) -> list[Task]:
        try:
            return super().carry_out(tasks)
        finally:
            self._memory.close()

    def _begin_passing(self) -> None:
        living = self._living
        interruption.pass_on_to(lambda: [h.process for h in living() if isinstance(h, Forked)])

    def _begin(self, number: int, first: Task) -> Hand:
        pool, space = self._pool, self._worker.space

        def made(pipe: Connection) -> Pooled:
            return Pooled(
                self._worker,
                around=pool.around,
                fail_fast=pool.fail_fast,
                again=pool.again,
                wire=Wire(pipe, space),
                place=Place(self._memory, number),
            )

        hand = Forked.from_run(made, self._living(), space)
        hand.born = len(self._settled)
        return hand

    def _stop(self) -> None:
        """Leave them to the signal, which was passed on to them when it came."""


def processes_of(np: int | None) -> int:
    """Return in how many processes tasks are carried out; None for one, negative for each core."""
    if np is None or np >= 0:
        return 1 if np is None else np
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
