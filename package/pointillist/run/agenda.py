"""What is left to do in a pool, and in which portions it is handed out.

A portion is what one worker gets at once: many short tasks, all those of a record in a row, or one
task alone that is long, or of which nobody knows yet how long it takes. Portions shrink towards the
end, so that no worker has many left when the others have none.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Set

from ..model.options import Options
from ..plan.tasks import Task
from .claiming import QUICK

__all__ = ["Agenda"]

PORTION = 0.03
"""Seconds that the tasks of a portion take together, about."""

PROTOCOL = 0.0003
"""Seconds that a task takes beside its step: to be claimed, recorded and published."""

Key = tuple[str, str]


class Agenda:
    """The tasks of a run that are open: not begun, or waiting for others that are.

    Parameters
    ----------
    waits : dict of Task to set of (str, str)
        The open tasks, in order, with those open ones that each waits for.
    seconds : dict of str to float
        What tasks of a step take, as far as that is known.
    known : dict of (str, str) to float
        What single tasks took before.
    width : int
        How many processes there are.
    shape : callable
        Gives, for a step's options, which workers can carry it out; by default all can.
    """

    def __init__(
        self,
        waits: Mapping[Task, Set[Key]],
        seconds: Mapping[str, float],
        known: Mapping[Key, float],
        width: int,
        shape: Callable[[Options], Hashable] = lambda options: None,
    ) -> None:
        self._width = width
        self._shape = shape
        self._seconds = dict(seconds)
        self._known = dict(known)
        self._tasks = list(waits)
        self._waits = {task.key: set(makers) for task, makers in waits.items()}
        self._numbers = {task.key: number for number, task in enumerate(self._tasks)}
        self._users: dict[Key, list[Task]] = {}
        self._of_record: dict[str, list[Task]] = {}
        for task, makers in waits.items():
            self._of_record.setdefault(task.record.id, []).append(task)
            for maker in makers:
                self._users.setdefault(maker, []).append(task)
        self._left = Counter(task.step.operation for task in waits)
        self._ready: dict[str, list[int]] = {}
        """By step, the numbers of the tasks that can be begun, as heaps."""
        self._out: set[Key] = set()
        """What is handed out, or settled."""

    def is_open(self, task: Task) -> bool:
        """Whether a task waits for none that is open itself, and is not handed out."""
        return not self._waits[task.key] and task.key not in self._out

    def put(self, task: Task) -> None:
        """Take in a task that can be begun."""
        queue = self._ready.setdefault(task.step.operation, [])
        heapq.heappush(queue, self._numbers[task.key])

    def put_back(self, task: Task) -> None:
        """Take back a task that was handed out and not done."""
        self._out.discard(task.key)
        self._left[task.step.operation] += 1

    def settle(self, task: Task) -> list[Task]:
        """Take note that a task is open no more; return those that wait for none now."""
        if task.key not in self._out:
            self._out.add(task.key)
            self._left[task.step.operation] -= 1
        free = []
        for user in self._users.pop(task.key, ()):
            self._waits[user.key].discard(task.key)
            if self.is_open(user):
                free.append(user)
        return free

    def took(self, task: Task, seconds: float) -> None:
        """Learn how long a task took."""
        operation = task.step.operation
        before = self._seconds.get(operation, seconds)
        self._seconds[operation] = 0.8 * before + 0.2 * seconds

    def set_apart(self, task: Task) -> None:
        """See to it that a task is handed out alone."""
        self._known[task.key] = float("inf")

    def is_short(self, task: Task) -> bool:
        """Whether a task is known to be short, and takes one process."""
        return self.width_of(task) == 1 and self._estimate(task) <= QUICK

    def width_of(self, task: Task) -> int:
        """Return how many of the processes a task takes: all if it asks for more."""
        return min(task.step.call.options.np, self._width)

    def shape_of(self, task: Task) -> Hashable:
        """Return which workers can carry a task out."""
        return self._shape(task.step.call.options)

    def wanted(self) -> list[tuple[Task, int]]:
        """Return for each step with tasks that can be begun the first of them, and how many."""
        return [(self._tasks[queue[0]], len(queue)) for queue in self._queues()]

    def take(
        self,
        free: int,
        most: int | None = None,
        short: bool = False,
        shape: Hashable = None,
    ) -> list[Task]:
        """Hand tasks out, and return them; none if there are none for so many processes.

        Parameters
        ----------
        free : int
            How many processes are free.
        most : int or None
            How many tasks there may be.
        short : bool
            Whether it must be short ones.
        shape : hashable
            Which workers are to carry them out.
        """
        queue = self._next(free, short, shape)
        if queue is None or (most is not None and most <= 0):
            return []
        if not self.is_short(self._tasks[queue[0]]):
            return self._handed([self._tasks[heapq.heappop(queue)]])
        goal = min(PORTION, self._all_short() / (3 * self._width))
        found: list[Task] = []
        total = 0.0
        while queue and (not found or total < goal) and (most is None or len(found) < most):
            task = self._tasks[heapq.heappop(queue)]
            if self._is_out(task):
                continue
            if not self.is_short(task):
                self.put(task)
                break
            along = self._along(task, None if most is None else most - len(found))
            total += sum(self._estimate(each) + PROTOCOL for each in along)
            found += self._handed(along)
        return found

    def _queues(self) -> Iterator[list[int]]:
        """Yield the queues that begin with a task which can be begun."""
        for queue in self._ready.values():
            while queue and self._is_out(self._tasks[queue[0]]):
                heapq.heappop(queue)
            if queue:
                yield queue

    def _next(self, free: int, short: bool, shape: Hashable) -> list[int] | None:
        """Return the queue whose first task comes next: long ones first, wide ones last."""
        found: list[tuple[int, int, list[int]]] = []
        for queue in self._queues():
            task = self._tasks[queue[0]]
            if self.shape_of(task) != shape:
                continue
            width, is_short = self.width_of(task), self.is_short(task)
            if width <= free and (is_short or not short):
                found.append((2 if width > 1 else int(is_short), queue[0], queue))
        return min(found)[2] if found else None

    def _along(self, first: Task, most: int | None) -> list[Task]:
        """Return a task with the short ones of its record that can be done after it."""
        found, keys, shape = [first], {first.key}, self.shape_of(first)
        for task in self._of_record[first.record.id]:
            if most is not None and len(found) >= most:
                break
            if self._numbers[task.key] <= self._numbers[first.key] or self._is_out(task):
                continue
            if self.shape_of(task) != shape:
                continue
            if self._waits[task.key] <= keys and self.is_short(task):
                found.append(task)
                keys.add(task.key)
        return found

    def _handed(self, tasks: Iterable[Task]) -> list[Task]:
        found = list(tasks)
        self._out.update(task.key for task in found)
        self._left.subtract(task.step.operation for task in found)
        return found

    def _is_out(self, task: Task) -> bool:
        return task.key in self._out

    def _estimate(self, task: Task) -> float:
        own = self._known.get(task.key)
        usual = self._seconds.get(task.step.operation, float("inf"))
        return usual if own is None else max(own, usual) if usual < float("inf") else own

    def _all_short(self) -> float:
        """Return the seconds of all that is left and short."""
        return sum(
            self._left[operation] * (seconds + PROTOCOL)
            for operation, seconds in self._seconds.items()
            if seconds <= QUICK
        )
