"""One going through of tasks by a pool: the run says who does what, workers say how it went.

Workers are told which tasks to do, with what others have done of what these read, and say how each
went; the run decides what comes next. One that dies has failed the task that it was at; of one that
is lost with its host nothing is known, and what it was at is done again.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from ..errors import PointillistError, SpaceError, TaskError
from ..model.options import Options
from ..plan.durations import estimate
from ..plan.states import Verdict
from ..plan.tasks import Task
from ..space.attempts import Attempt
from . import interruption
from .agenda import Agenda
from .deaths import blamed, cleared, gone, how, recorded
from .hands import Hand
from .pooled import NOTHING, Fact
from .runner import Summary, unrecorded

if TYPE_CHECKING:
    from .pool import Pool

__all__ = ["Key", "Passing"]

PATIENCE = 0.1
"""Seconds for which a task may keep others waiting that were handed out with it, while workers
have nothing to do."""

LOSSES = 2
"""How often a task is begun anew, beside its retries, whose worker was lost for no fault of its."""

Key = tuple[str, str]


class Passing(ABC):
    """One going through of tasks by a pool: who does what, and what becomes of it.

    Parameters
    ----------
    pool : Pool
        The pool.
    waits : dict of Task to set of (str, str)
        The open tasks, with those that each waits for.
    verdicts : dict of Task to Verdict
        What all tasks are.
    summary : Summary
        What the run has done so far.
    """

    shape: Callable[[Options], Hashable] = staticmethod(lambda options: None)
    """Gives, for a step's options, which workers can carry it out."""

    def __init__(
        self,
        pool: Pool,
        waits: dict[Task, set[Key]],
        verdicts: dict[Task, Verdict],
        summary: Summary,
    ) -> None:
        self._pool, self._verdicts, self._summary = pool, verdicts, summary
        self._worker, self._planner = pool.worker, pool.worker.planner
        self._tasks = list(waits)
        self._numbers = {task.key: number for number, task in enumerate(self._tasks)}
        attempts = self._planner.attempts
        usual = {e.operation: e.each for e in estimate(attempts, waits) if e.each is not None}
        good = {task.key: attempts.last_good.get(task.key) for task in waits}
        known = {
            key: max(0.0, made.end - made.start)
            for key, made in good.items()
            if made is not None and made.outcome == "complete"
        }
        self._agenda = Agenda(waits, usual, known, pool.processes, self.shape)
        self._hands: list[Hand | None] = [None] * pool.processes
        self._changed: set[Key] = set()
        self._settled: dict[Key, tuple[int, Hand | None]] = {}
        self._deaths: dict[Key, int] = {}
        self._barren = 0
        self._is_over = False

    def carry_out(self, tasks: list[Task]) -> list[Task]:
        """Carry out what is open; return those of the tasks that were gone through."""
        self._begin_passing()
        try:
            for task in self._tasks:
                if self._agenda.is_open(task):
                    self._agenda.put(task)
            self._fill()
            while self._is_busy():
                self._hear()
                self._fill()
        except KeyboardInterrupt:
            self._stop()
            raise
        finally:
            self._end()
            interruption.pass_on_to()
        for number, task in enumerate(tasks):
            if task.key in self._numbers and task.key not in self._settled:
                self._summary.limited = True
                return tasks[:number]
        return tasks

    def _living(self) -> list[Hand]:
        return [hand for hand in self._hands if hand is not None]

    @abstractmethod
    def _begin_passing(self) -> None:
        """Say who is to hear the signals that come to the run."""

    def _is_busy(self) -> bool:
        return any(hand.tasks for hand in self._living())

    # handing out

    def _fill(self) -> None:
        """Give each worker something to do, as far as there is something."""
        for number in range(len(self._hands)):
            while self._give(number):
                pass
        self._ask_back()

    def _ask_back(self) -> None:
        """Ask for what waits for a task that takes long, if workers have nothing to do."""
        idle = any(hand is None or not hand.tasks for hand in self._hands)
        if idle and not self._is_over:
            for hand in self._living():
                late = time.monotonic() - hand.since > PATIENCE
                if late and len(hand.tasks) > 1 and not hand.is_asked:
                    hand.is_asked = True
                    hand.say("back")

    def _give(self, number: int) -> bool:
        """Give a worker one portion, if it is to have one; return whether it got one."""
        hand = self._hands[number]
        found = self._portion(hand)
        if not found:
            return False
        if hand is None:
            hand = self._hands[number] = self._begin(number, found[0])
        self._hand_out(hand, found)
        return True

    def _left_of_limit(self) -> int | None:
        """Return how many tasks may still be handed out."""
        if self._pool.limit is None:
            return None
        out = sum(len(each.tasks) for each in self._living())
        return self._pool.limit - self._summary.done - len(self._summary.failed) - out

    def _portion(self, hand: Hand | None) -> list[Task]:
        """Choose what a worker gets next."""
        if self._is_over or (hand is not None and (hand.is_ending or hand.is_asked)):
            return []
        most = self._left_of_limit()
        if hand is not None and hand.tasks:
            if len(hand.tasks) > hand.last or not all(map(self._agenda.is_short, hand.tasks)):
                return []
            return self._agenda.take(1, most, short=True, shape=hand.shape)
        shape = hand.shape if hand is not None else None
        return self._agenda.take(self._free(), most, shape=shape)

    def _free(self) -> int:
        """Return how many processes what is begun may take."""
        return self._pool.processes - sum(each.width for each in self._living() if each.tasks)

    def _hand_out(self, hand: Hand, found: list[Task]) -> None:
        if not hand.tasks:
            hand.since, hand.width = time.monotonic(), self._agenda.width_of(found[0])
        hand.last = len(found)
        hand.tasks.update(dict.fromkeys(found))
        keys = {task.key for task in found}
        direct, facts = set[Task](), list[Fact]()
        for task in found:
            makers = self._pool._upstream(task)
            if not any(maker.key in keys for maker in makers):
                direct.add(task)
            facts += self._facts(hand, makers)
        numbers = [self._numbers[task.key] for task in found]
        beside = {each.journal for each in self._living() if each is not hand} - {""}
        again = found[0].key in self._deaths
        hand.say("portion", found, numbers, frozenset(direct), again, facts, beside)

    def _facts(self, hand: Hand, makers: Iterable[Task]) -> Iterable[Fact]:
        """Return what a worker does not know of tasks that others have settled."""
        for maker in makers:
            number, by = self._settled.get(maker.key, (-1, None))
            if number < hand.born or by is hand or maker.key in hand.known:
                continue
            hand.known.add(maker.key)
            attempt = self._planner.attempts.last_good.get(maker.key)
            yield maker, self._planner.judge(maker), attempt

    @abstractmethod
    def _begin(self, number: int, first: Task) -> Hand:
        """Begin a worker that can carry some task out, in one of the places for workers."""

    # hearing

    def _hear(self) -> None:
        """Wait until workers say something, or die."""
        hands = self._living()
        idle = len(hands) < len(self._hands) or not all(hand.tasks for hand in hands)
        seconds = PATIENCE / 2 if idle and any(len(hand.tasks) > 1 for hand in hands) else 1.0
        ends: dict[Any, Hand] = {end: hand for hand in hands for end in hand.ends}
        found: list[Any] = interruption.interruptible(wait, list(ends), seconds)
        heard = [ends[end] for end in found if isinstance(end, Connection)]
        dead = [ends[end] for end in found if isinstance(end, int)]
        if not found:  # what a step has forked may hold the ends of its process open
            dead = [hand for hand in hands if not hand.is_alive()]
        dead += [hand for hand in heard if not self._listen(hand) and hand not in dead]
        for hand in dead:
            self._buried(hand)

    def _listen(self, hand: Hand) -> bool:
        """Take in what a worker has said; return False if it says no more."""
        try:
            events = hand.wire.receive()
        except (EOFError, OSError):
            return False
        for what, *told in events:
            getattr(self, f"_{what}")(hand, *told)
        return True

    def _journal(self, hand: Hand, place: str) -> None:
        hand.journal = place

    def _started(self, hand: Hand, task: Task, verdict: Verdict) -> None:
        hand.begun.add(task.key)
        hand.since = time.monotonic()
        self._pool.listener.started(task, verdict)

    def _again(self, hand: Hand, task: Task, attempt: Attempt, seconds: float) -> None:
        self._planner.attempts.add(attempt)
        self._pool.listener.again(task, attempt, seconds)

    def _ended(
        self,
        hand: Hand | None,
        task: Task,
        attempt: Attempt,
        at: tuple[str, int] | None = None,
    ) -> None:
        self._barren = 0
        pool = self._pool
        pool._taken.add(task.key)
        if attempt.number:
            self._planner.attempts.add(attempt, at)
        if attempt.outcome == "complete":
            self._summary.done += 1
            verdict = self._planner.done(task, attempt)
            self._agenda.took(task, attempt.end - attempt.start)
            self._planner.release(task.record)
        else:
            self._summary.failed.append((task, attempt))
            self._planner.forget(task)
            verdict = self._planner.judge(task)
            if pool.fail_fast:
                self._give_up()
        pool.listener.ended(task, attempt)
        self._changed.add(task.key)
        self._settle(hand, task, verdict)

    def _left(self, hand: Hand, task: Task, verdict: Verdict) -> None:
        if verdict != self._verdicts[task]:
            self._changed.add(task.key)
        self._planner.take_over(task, verdict)
        self._settle(hand, task, verdict)

    def _returned(self, hand: Hand, tasks: list[Task]) -> None:
        hand.is_asked, hand.last = False, 0
        for task in tasks:
            hand.tasks.pop(task, None)
            self._agenda.put_back(task)
        for task in tasks:
            if self._agenda.is_open(task):
                self._consider(task)

    def _broken(self, hand: Hand, tasks: list[Task], number: int) -> None:
        self._summary.broken_off += tasks
        hand.is_ending = True
        for task in tasks:
            self._planner.forget(task)
            self._settle(hand, task, self._planner.judge(task))
        if not self._is_over:  # the signal came to the worker alone, or to it first
            for other in self._living():
                if other is not hand:
                    other.stop()
            raise interruption.Stopped(number)

    def _others(self, hand: Hand) -> None:
        self._pool._met_others = True

    def _recovered(self, hand: Hand, count: int) -> None:
        self._pool._claims.recovered += count

    def _raised(self, hand: Hand, error: str) -> None:
        raise PointillistError(f"a worker of the pool ended: {error}")

    def _settle(self, hand: Hand | None, task: Task, verdict: Verdict) -> None:
        """Take note of what a task is now, and of what can be begun by that."""
        self._verdicts[task] = verdict
        self._settled[task.key] = (len(self._settled), hand)
        if hand is not None:
            hand.tasks.pop(task, None)
            hand.begun.discard(task.key)
        for user in self._agenda.settle(task):
            self._consider(user)

    def _consider(self, task: Task) -> None:
        """See whether a task that waits for none any more is to be done."""
        pool, before = self._pool, self._verdicts[task]
        upstream = pool._upstream(task)
        if any(maker.key in self._changed for maker in upstream):
            if not pool._has_waited(before, upstream):
                verdict = self._planner.rejudge(task)
                if verdict != before:
                    self._changed.add(task.key)
                self._verdicts[task] = verdict
                if not pool._wants(task, verdict):
                    self._settle(None, task, verdict)
                    return
        elif not pool._wants(task, before):
            self._settle(None, task, before)
            return
        self._agenda.put(task)

    # the dead

    def _buried(self, hand: Hand) -> None:
        """Take note of the death of a worker: the task that it was at has failed."""
        while hand.wire.pipe.poll() and self._listen(hand):
            pass
        hand.close()
        self._hands[self._hands.index(hand)] = None
        if hand.is_ending:
            return
        number, start = hand.doing()
        at = self._tasks[number] if number != NOTHING else None
        open_ones = list(hand.tasks)
        last = self._planner.attempts.last
        before = {task.key: last.get(task.key) for task in open_ones}
        claims = self._pool._claims
        if hand.lost and hand.journal:
            claims.lost[gone(hand.journal)] = f"the worker that carried it out is lost: {hand.lost}"
        ended = recorded(self._worker, hand.journal, open_ones)
        self._barren += 1
        claims.told = at.key if at is not None else None
        for task in open_ones:
            attempt = ended.get(task.key)
            if attempt is not None and hand.lost and attempt.outcome == "interrupted":
                cleared(self._worker, claims, task)  # it had been told of its end
            elif attempt is not None and (attempt.outcome == "complete" or task != at):
                self._tell_begun(hand, task)
                cleared(self._worker, claims, task)
                self._ended(hand, task, attempt)
            elif task == at:
                self._tell_begun(hand, task)
                self._blame(hand, task, start)
            else:
                cleared(self._worker, claims, task)
        claims.told = None
        broken = [t for t in hand.tasks if hand.lost and last.get(t.key) != before[t.key]]
        for task in broken:
            self._tell_begun(hand, task)
            self._died(hand, task, last[task.key], task.step.call.options.retries + LOSSES)
        self._returned(hand, list(hand.tasks))
        if self._barren > len(self._hands) + 2:
            raise PointillistError(
                "the workers of the pool end before they have done anything: the last one "
                f"{hand.lost or how(hand.exitcode)}. Run in one process to see why."
            )

    def _tell_begun(self, hand: Hand, task: Task) -> None:
        if task.key not in hand.begun:
            self._pool.listener.started(task, self._verdicts[task])

    def _blame(self, hand: Hand, task: Task, start: float) -> None:
        claims = self._pool._claims
        code = hand.exitcode
        error = TaskError(f"the worker process that carried it out {how(code)}.", code=code)
        try:
            attempt = blamed(self._worker, claims, task, error, start)
        except SpaceError as error:
            attempt = unrecorded(task, str(error))
        if attempt is None:
            self._others(hand)
            self._planner.forget(task)
            self._left(hand, task, self._planner.judge(task))
            return
        self._died(hand, task, attempt, task.step.call.options.retries)

    def _died(self, hand: Hand, task: Task, attempt: Attempt, retries: int) -> None:
        """Hand a task out once more, alone, or let it have failed if its workers died too often."""
        self._deaths[task.key] = self._deaths.get(task.key, 0) + 1
        if not attempt.number or self._deaths[task.key] > retries:
            self._ended(hand, task, attempt)
            return
        self._pool.listener.again(task, attempt, 0.0)
        hand.tasks.pop(task)
        self._agenda.put_back(task)
        self._agenda.set_apart(task)
        self._agenda.put(task)

    # the end

    @abstractmethod
    def _stop(self) -> None:
        """End what workers are at, as the signal says that came to the run."""

    def _give_up(self) -> None:
        """Begin no further task."""
        self._is_over = True
        self._summary.limited = True
        for hand in self._living():
            hand.say("back")

    def _end(self) -> None:
        """Let workers end what they are at, and wait for them."""
        self._is_over = True
        for hand in self._living():
            hand.say("over")
            hand.is_ending = True
        for hand in self._living():
            while self._listen(hand):
                pass
            hand.close()
            number, _ = hand.doing()
            if number != NOTHING and self._tasks[number] not in self._summary.broken_off:
                self._summary.broken_off.append(self._tasks[number])
        self._hands.clear()
