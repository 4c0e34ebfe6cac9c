"""A worker of a pool: forked from a run, it carries out the tasks that it is told.

It is a runner with a journal of its own, and does a task as the serial runner does. It hears class
names, job ids and step names, and says how each task went.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections import deque
from copyreg import dispatch_table
from dataclasses import dataclass, field
from itertools import groupby
from mmap import mmap
from multiprocessing.connection import Connection
from typing import Any

from ..errors import SpaceError
from ..plan.states import State, Verdict
from ..plan.tasks import Task
from ..space.attempts import Attempt
from ..space.dataspace import DataSpace
from ..space.memory import Attempts
from .heartbeat import heartbeat
from .interruption import Stopped, in_worker
from .runner import Listener, Runner, Summary

__all__ = ["NOTHING", "Fact", "Place", "Pooled", "Wire", "packed"]

_WORDS = 0.05
"""Seconds for which what is to be said may wait for more."""

NOTHING = -1

_READY = Verdict(State.READY)

Fact = tuple[Task, Verdict, Attempt | None]
"""How a task was settled by another worker: its verdict, and the attempt if there was one."""


class Wire:
    """Sends and receives plain data and tasks; these as class name, job id and step name.

    Parameters
    ----------
    pipe : Connection
        This end of it.
    space : DataSpace
        The records.
    """

    def __init__(self, pipe: Connection, space: DataSpace) -> None:
        self.pipe = pipe
        self._space = space
        self._classes = {cls.__name__: cls for cls in space.classes}
        self._sending = threading.Lock()

    def send(self, message: Any) -> None:
        """Send something."""
        data = packed(message)
        with self._sending:
            self.pipe.send_bytes(data)

    def receive(self) -> Any:
        """Wait for something, and return it.

        Raises
        ------
        EOFError, OSError
            If the other end is gone.
        """
        found = _Unpickler(io.BytesIO(self.pipe.recv_bytes()))
        found.task = self._task
        return found.load()

    def _task(self, cls: str, id: str, step: str) -> Task:
        kind = self._classes[cls]
        return Task(self._space.records(kind)[id], kind.__steps__[step])


def packed(message: Any) -> memoryview:
    """Return a message as it goes over a wire."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**dispatch_table, Task: _named}
    pickler.dump(message)
    return buffer.getbuffer()


class _Unpickler(pickle.Unpickler):
    """Looks tasks up by their names."""

    task: Any

    def find_class(self, module: str, name: str) -> Any:
        return self.task if name == "_look_up" else super().find_class(module, name)


def _look_up(cls: str, id: str, step: str) -> Task:
    raise AssertionError("a task is looked up by the wire that it comes by")


def _named(task: Task) -> tuple[Any, tuple[str, str, str]]:
    return _look_up, (task.step.record.__name__, task.record.id, task.step.name)


class Place:
    """Which task a worker is at, and since when, in memory that its run reads when it has died.

    Parameters
    ----------
    memory : mmap
        Shared by all processes of the pool.
    number : int
        The worker's place in it.
    """

    FORM = struct.Struct("qd")

    def __init__(self, memory: mmap, number: int) -> None:
        self._memory = memory
        self._offset = number * self.FORM.size
        self.set(NOTHING)

    def set(self, task: int) -> None:
        """Note the number of a task that is begun, or that there is none."""
        self.FORM.pack_into(self._memory, self._offset, task, time.time())

    def get(self) -> tuple[int, float]:
        """Return the number of the task, and when it began."""
        number, start = self.FORM.unpack_from(self._memory, self._offset)
        return number, start


class _Told(Listener):
    """Says how tasks go, many at once if they are short."""

    def __init__(
        self,
        wire: Wire,
        place: Place,
        numbers: dict[tuple[str, str], int],
        attempts: Attempts,
    ) -> None:
        self._wire = wire
        self._place = place
        self._numbers = numbers
        self._attempts = attempts
        self._events: list[tuple[Any, ...]] = []
        self._verdicts: dict[str, Verdict] = {}
        self._time = 0.0
        self.is_alone = False
        """Whether what is begun may take long."""

    def say(self, *event: Any, now: bool = False) -> None:
        self._events.append(event)
        if now or time.monotonic() - self._time > _WORDS:
            self.tell()

    def tell(self) -> None:
        if self._events:
            self._wire.send(self._events)
            self._events = []
        self._time = time.monotonic()

    def started(self, task: Task, verdict: Verdict) -> None:
        self._place.set(self._numbers[task.key])
        before = self._verdicts.setdefault(task.step.operation, verdict)
        if verdict == before:
            verdict = before  # which is written once, where many are told at once
        self.say("started", task, verdict, now=self.is_alone)

    def ended(self, task: Task, attempt: Attempt) -> None:
        self._place.set(NOTHING)
        at = self._attempts.newest(attempt.job) if attempt.outcome == "complete" else None
        self.say("ended", task, attempt, at)

    def again(self, task: Task, attempt: Attempt, seconds: float) -> None:
        self.say("again", task, attempt, seconds, now=True)


@dataclass
class _Group:
    """Tasks of one record that a worker has still to do, and what it is told before."""

    tasks: list[Task]
    direct: frozenset[Task] = frozenset()
    again: bool = False
    facts: list[Fact] = field(default_factory=list)
    is_last: bool = False


@dataclass
class Pooled(Runner):
    """A worker's runner: one thread hears what there is to do, the main one does it.

    Parameters
    ----------
    wire : Wire
        To the run.
    place : Place
        Where this worker notes which task it is at.
    executor : str
        What its journal says of how tasks are carried out.
    """

    wire: Wire = field(kw_only=True)
    place: Place = field(kw_only=True)
    executor: str = field(default="processes", kw_only=True)

    def serve(self) -> None:
        """Carry out, in a process of its own, what the run says."""
        in_worker(signal.SIGINT, signal.SIGTERM)
        gc.freeze()  # what was there before the fork stays shared
        sys.stdout = getattr(sys.stdout, "rich_proxied_file", sys.stdout)  # the bar is the run's
        sys.stderr = getattr(sys.stderr, "rich_proxied_file", sys.stderr)
        self._numbers: dict[tuple[str, str], int] = {}
        self._told = _Told(self.wire, self.place, self._numbers, self._planner.attempts)
        self.listener = self._told
        self._waiting: deque[_Group] = deque()
        self._heard = threading.Condition()
        self._is_over = False
        self._journal.executor = self.executor
        with contextlib.suppress(SpaceError):  # else each task says so
            self._told.say("journal", self._journal.open(), now=True)
        threading.Thread(target=self._listen, name="pointillist pool", daemon=True).start()
        with heartbeat(self._journal), self.worker.warm():
            try:
                self._carry_out()
            except Exception as error:  # of ours, not of a step
                self._told.say("raised", f"{type(error).__name__}: {error}", now=True)
                raise

    # in the thread that listens

    def _listen(self) -> None:
        """Hear what the run says; end with it."""
        try:
            while True:
                self._hear(*self.wire.receive())
        except (EOFError, OSError):
            if not self._is_over:
                os._exit(1)  # its claims are then taken for those of the dead

    def _hear(self, what: str, *told: Any) -> None:
        if what == "portion":
            tasks, numbers, direct, again, facts, beside = told
            self._numbers.update(zip((task.key for task in tasks), numbers, strict=True))
            self._planner.attempts.beside = beside
            with self._heard:
                self._told.is_alone = len(tasks) == 1
                self._waiting.append(_Group([], direct, facts=facts))
                groups = groupby(tasks, key=lambda task: task.record.id)
                self._waiting.extend(_Group(list(of_one), direct, again) for _, of_one in groups)
                self._waiting[-1].is_last = True
                self._heard.notify()
            return
        self._give_back()
        if what == "over":
            with self._heard:
                self._is_over = True
                self._heard.notify()

    def _give_back(self) -> None:
        """Give back what is not begun; what was told with it is kept."""
        with self._heard:
            left = [task for group in self._waiting for task in group.tasks]
            facts = [fact for group in self._waiting for fact in group.facts]
            self._waiting.clear()
            # the last: what was done meanwhile is told after it
            self._waiting.append(_Group([], facts=facts, is_last=True))
        self.wire.send([("returned", left)])

    # in the main thread

    def _carry_out(self) -> None:
        while True:
            with self._heard:
                while not self._waiting and not self._is_over:
                    self._heard.wait()
                if not self._waiting:
                    break
                group = self._waiting.popleft()
            self._learn(group.facts)
            if group.tasks and not self._do(group):
                break
            if group.is_last:
                self._told.tell()
        self._told.tell()

    def _learn(self, facts: list[Fact]) -> None:
        """Take over what other workers have done."""
        for task, verdict, attempt in facts:
            if attempt is not None:
                self._planner.attempts.add(attempt)
                if attempt.outcome == "complete":
                    self._planner.done(task, attempt)
            self._planner.take_over(task, verdict)

    def _do(self, group: _Group) -> bool:
        """Carry out tasks of one record; return whether to go on."""
        tasks, summary, recovered = group.tasks, Summary(), self._claims.recovered
        usual, self.again = self.again, self.again or group.again
        verdicts = {t: _READY if t in group.direct else self._planner.judge(t) for t in tasks}
        goes_on = True
        try:
            through = self._pass(tasks, verdicts, summary)
        except KeyboardInterrupt as stop:
            through, goes_on = [], False
            number = stop.number if isinstance(stop, Stopped) else signal.SIGINT
            self._told.say("broken", summary.broken_off, int(number))
        self.again = usual
        self._planner.release(tasks[0].record)
        for task in through:
            if task.key not in self._taken:
                self._told.say("left", task, verdicts[task])
        rest = [t for t in tasks if t not in through and t.key not in self._taken]
        if rest:
            self._told.say("returned", [t for t in rest if t not in summary.broken_off])
        if self._claims.recovered > recovered:
            self._told.say("recovered", self._claims.recovered - recovered)
        if self._met_others:
            self._met_others = False
            self._told.say("others")
        if summary.failed and self.fail_fast:
            self._told.tell()
            self._give_back()
        return goes_on
