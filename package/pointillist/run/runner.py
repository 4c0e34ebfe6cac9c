"""The serial runner: it goes through tasks in order, claims, attempts and recovers."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from ..errors import PointillistError, SpaceError, Superseded, TaskError
from ..plan.planner import Planner
from ..plan.states import Awaits, State, Verdict
from ..plan.tasks import Task
from ..space.attempts import Attempt
from ..space.claims import Claim, Owner
from ..space.garbage import garbage_left
from ..space.journals import Journal
from . import interruption
from .attempt import Worker, failure
from .claiming import Claiming
from .heartbeat import fallen_silent, heartbeat
from .interruption import Stopped

__all__ = ["Listener", "Runner", "Summary", "unrecorded"]

_TRIES = 10
"""How often a task is claimed anew that nobody has done after all."""

RETRY = 1.0
"""Seconds before a failed attempt is tried again; twice as many before each further one."""

LONGEST_WAIT = 60.0
"""Seconds that are waited before a further attempt at most."""


class Listener:
    """Is told how a run goes; this one does nothing with it."""

    def planned(self, count: int) -> None:
        """`count` tasks will be done, as far as can be told now."""

    def started(self, task: Task, verdict: Verdict) -> None:
        """A task is begun."""

    def ended(self, task: Task, attempt: Attempt) -> None:
        """An attempt has ended."""

    def again(self, task: Task, attempt: Attempt, seconds: float) -> None:
        """A failed attempt will be tried again in some seconds."""

    def waiting_for(self, owner: Owner) -> None:
        """The run waits to see whether a runner elsewhere still lives."""

    def noted(self, text: str) -> None:
        """There is something to be known about where the run takes place."""


@dataclass
class Summary:
    """What a run did.

    Parameters
    ----------
    done : int
        Tasks completed.
    recovered : int
        Tasks whose results a dead runner had recorded, and which were published now.
    failed : list of (Task, Attempt)
        Tasks whose last attempt failed in this run.
    still_failed : list of (Task, Verdict)
        Tasks that failed before and were not tried again, as nothing has changed.
    waiting : list of (Task, Verdict)
        Tasks that wait for something.
    kept : list of (Task, Verdict)
        Stale tasks that are left as they are.
    elsewhere : list of (Task, Verdict)
        Tasks that other runners have.
    excluded : int
        Tasks of records that are excluded.
    limited : bool
        Whether the run stopped at its limit, or at its first failure.
    stopped : int
        What to exit with if a signal stopped the run: 130 or 143; else 0.
    broken_off : list of Task
        The tasks that were at work then.
    """

    done: int = 0
    recovered: int = 0
    failed: list[tuple[Task, Attempt]] = field(default_factory=list)
    still_failed: list[tuple[Task, Verdict]] = field(default_factory=list)
    waiting: list[tuple[Task, Verdict]] = field(default_factory=list)
    kept: list[tuple[Task, Verdict]] = field(default_factory=list)
    elsewhere: list[tuple[Task, Verdict]] = field(default_factory=list)
    excluded: int = 0
    limited: bool = False
    stopped: int = 0
    broken_off: list[Task] = field(default_factory=list)

    @property
    def missing(self) -> list[tuple[Task, Verdict]]:
        """Those of the waiting tasks that wait for a seed that is not there."""
        return [(t, v) for t, v in self.waiting if any(r.rule == "seed" for r in v.reasons)]


@dataclass
class Runner:
    """Carries tasks out, one after the other.

    Parameters
    ----------
    worker : Worker
        Carries out attempts.
    listener : Listener
        Is told how it goes.
    around : callable
        Gives a context in which a task is carried out: a project's hooks.
    fail_fast : bool
        Whether the run ends at the first failure.
    limit : int or None
        How many tasks to carry out at most.
    again : bool
        Whether tasks are carried out that are complete.
    tells : bool
        Whether a signal that stops a run is told in its summary, and not raised.
    """

    worker: Worker
    listener: Listener = field(default_factory=Listener)
    around: Callable[[Task], AbstractContextManager[None]] = lambda task: nullcontext()
    fail_fast: bool = False
    limit: int | None = None
    again: bool = False
    tells: bool = False
    _claims: Claiming = field(init=False)
    _taken: set[tuple[str, str]] = field(default_factory=set, init=False)
    _met_others: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._claims = Claiming(self.worker)

    @property
    def _planner(self) -> Planner:
        return self.worker.planner

    @property
    def _journal(self) -> Journal:
        return self.worker.journal

    def run(self, tasks: Iterable[Task]) -> Summary:
        """Carry out what must be done of some tasks.

        Parameters
        ----------
        tasks : iterable of Task
            Such that each comes after those whose results it reads, as `Planner.tasks` gives them.

        Returns
        -------
        Summary
            What was done. A failed task does not end the run, but those that need it wait.

        Raises
        ------
        KeyboardInterrupt, SystemExit
            If Ctrl-C or SIGTERM stopped it, when all is recorded, unless it `tells` that.
        """
        settled = self._planner.is_settled
        with garbage_left():
            ordered = [task for task in tasks if self.again or not settled(task.record)]
        self._planner.keep()
        summary = Summary()
        with interruption.handled(), self.worker.warm():
            try:
                self._run(ordered, summary)
                interruption.check()
            except KeyboardInterrupt as stop:
                if not self.tells:
                    raise
                summary.limited = True
                summary.stopped = stop.code if isinstance(stop, Stopped) else 130
        return summary

    def _run(self, ordered: list[Task], summary: Summary) -> None:
        verdicts: dict[Task, Verdict] = {}
        for task in self._by_record(ordered):
            verdicts[task] = self._planner.judge(task)
        self.listener.planned(_foreseen(verdicts))
        with heartbeat(self._journal):
            gone_through = self._pass(ordered, verdicts, summary)
            while not summary.limited and self._others_made_way(ordered, verdicts):
                gone_through = self._pass(ordered, verdicts, summary)
            for task in gone_through:
                self._sort(task, verdicts[task], summary)

    def force(self, task: Task) -> Attempt | None:
        """Carry a task out whatever its state is; None if another runner has it."""
        with interruption.handled(), heartbeat(self._journal):
            interruption.check()
            claim = self._claims.claim(task)
            if claim is None:
                return None
            try:
                self._planner.judge_claimed(task, claim, self._journal)
                return self._attempts(task, claim)
            finally:
                self._claims.release(claim)

    def _pass(
        self, tasks: list[Task], verdicts: dict[Task, Verdict], summary: Summary
    ) -> list[Task]:
        """Go through tasks once, up to the limit; return those that were gone through."""
        try:
            return self._go_through(tasks, verdicts, summary)
        finally:
            self._claims.let_go()
            summary.recovered = self._claims.recovered

    def _go_through(
        self, tasks: list[Task], verdicts: dict[Task, Verdict], summary: Summary
    ) -> list[Task]:
        changed: set[tuple[str, str]] = set()
        for number, task in enumerate(self._by_record(tasks)):
            upstream = self._upstream(task)
            if any(maker.key in self._taken or maker.key in changed for maker in upstream):
                if not self._has_waited(verdicts[task], upstream):  # else the claim judges it
                    verdict = self._planner.rejudge(task)
                    if verdict != verdicts[task]:
                        changed.add(task.key)
                    verdicts[task] = verdict
                    if not self._wants(task, verdict):
                        self._claims.let_go()
                        continue
            elif not self._wants(task, verdicts[task]):
                self._claims.let_go()
                continue
            if self._is_full(summary):
                summary.limited = True
                return tasks[:number]
            following = tasks[number + 1] if number + 1 < len(tasks) else None
            verdicts[task] = self._take_up(task, following, summary)
            if task.key not in self._taken:
                changed.add(task.key)
            if summary.failed and self.fail_fast:
                summary.limited = True
                return tasks[: number + 1]
        return tasks

    def _by_record(self, tasks: list[Task]) -> Iterator[Task]:
        """Yield tasks; once the next record is begun, little is kept in mind of the one before."""
        record = None
        for task in tasks:
            interruption.check()
            if task.record is not record:
                if record is not None:
                    self._planner.release(record)
                record = task.record
            yield task

    def _has_waited(self, verdict: Verdict, upstream: list[Task]) -> bool:
        """Whether a task waited for nothing but others that this run has completed by now."""
        return (
            verdict.state is State.WAITING
            and len(verdict.reasons) == len(upstream)
            and all(self._planner.judge(maker).state is State.COMPLETE for maker in upstream)
        )

    def _others_made_way(self, tasks: list[Task], verdicts: dict[Task, Verdict]) -> bool:
        """Look again if other runners are at work; return whether there is more to do now.

        Whoever ends a task last sees what all have ended before, so that nothing is left undone
        where each of two runners waited for a task of the other.
        """
        if not self._met_others and not any(v.state is State.RUNNING for v in verdicts.values()):
            return False
        self._met_others = False
        self._look_again(tasks, verdicts)
        foreign = [t for t in tasks if verdicts[t].state is State.RUNNING]
        if not any(self._wants(task, verdicts[task]) for task in tasks):
            if foreign and self._await_silence(foreign):
                self._look_again(tasks, verdicts)
        return any(self._wants(task, verdicts[task]) for task in tasks)

    def _look_again(self, tasks: list[Task], verdicts: dict[Task, Verdict]) -> None:
        self._planner.attempts.refresh(self.worker.space.layout, self._journal)
        open_ones = [t for t in tasks if verdicts[t].state is not State.COMPLETE]
        for task in open_ones:
            for maker in [*self._upstream(task), task]:
                self._planner.forget(maker)
        for task in open_ones:
            verdicts[task] = self._planner.judge(task)

    def _upstream(self, task: Task) -> list[Task]:
        try:
            return self._planner.needs(task).upstream
        except PointillistError:
            return []  # its verdict says why

    def _sort(self, task: Task, verdict: Verdict, summary: Summary) -> None:
        """Enter a task that this run has not done where the summary lists it."""
        if verdict.state is State.WAITING:
            summary.waiting.append((task, verdict))
        elif verdict.state is State.FAILED and task.key not in self._taken:
            summary.still_failed.append((task, verdict))
        elif verdict.state is State.STALE and verdict.note == "kept":
            summary.kept.append((task, verdict))
        elif verdict.state is State.RUNNING:
            summary.elsewhere.append((task, verdict))
        elif verdict.state is State.EXCLUDED:
            summary.excluded += 1
        elif verdict.note == "found" and task.key not in self._planner.attempts.last_good:
            self.worker.baseline(task)

    def _wants(self, task: Task, verdict: Verdict) -> bool:
        settled = verdict.state in (State.COMPLETE, State.STALE, State.FAILED)
        return (verdict.wanted or (self.again and settled)) and task.key not in self._taken

    def _is_full(self, summary: Summary) -> bool:
        carried_out = summary.done + len(summary.failed)
        return self.limit is not None and carried_out >= self.limit

    def _take_up(self, task: Task, following: Task | None, summary: Summary) -> Verdict:
        """Claim a task, look again, and carry it out if it still must be."""
        for _ in range(_TRIES):
            try:
                claim = self._claims.claim(task)
                if claim is not None:
                    attempt = self._settle(task, claim, following, summary)
                    if attempt is not None and attempt.outcome == "complete":
                        return self._planner.done(task, attempt)
            except SpaceError as error:
                # claims that were left stay, and with them what a dead runner has recorded
                return self._unclaimed(task, error, summary)
            except Superseded:
                pass
            self._planner.forget(task)
            self._planner.attempts.refresh(self.worker.space.layout, self._journal)
            verdict = self._planner.judge(task)
            if not self._wants(task, verdict):
                break
            # two who took it over at once have both given way, or the other one has just died
            time.sleep(random.uniform(0.0, 0.05))
        self._met_others = self._met_others or task.key not in self._taken
        return verdict

    def _settle(
        self, task: Task, claim: Claim, following: Task | None, summary: Summary
    ) -> Attempt | None:
        """Carry out a claimed task, if it must be after all."""
        attempt: Attempt | None = None
        try:
            if self._claims.is_kept(claim):
                verdict = self._planner.judge_held(task)
            else:
                verdict = self._planner.judge_claimed(task, claim, self._journal)
            if not self._wants(task, verdict):
                return None
            self.listener.started(task, verdict)
            try:
                attempt = self._attempts(task, claim)
            except KeyboardInterrupt:
                summary.broken_off.append(task)
                raise
            self._taken.add(task.key)
            if attempt.outcome == "complete":
                summary.done += 1
            else:
                summary.failed.append((task, attempt))
            self.listener.ended(task, attempt)
            return attempt
        finally:
            if attempt is not None and attempt.outcome == "complete":
                self._claims.ended(claim, task, attempt.end - attempt.start, following)
            else:
                self._claims.release(claim)

    def _unclaimed(self, task: Task, error: SpaceError, summary: Summary) -> Verdict:
        """Count a task that cannot even be begun as failed; nothing can be recorded of it."""
        attempt = unrecorded(task, str(error))
        self.listener.started(task, self._planner.judge(task))
        summary.failed.append((task, attempt))
        self._taken.add(task.key)
        self.listener.ended(task, attempt)
        return Verdict(State.FAILED)

    def _attempts(self, task: Task, claim: Claim) -> Attempt:
        """Attempt a task as often as it may be; once more if an input changed while it ran."""
        waits, is_again = 0, False
        while True:
            before = self._planner.attempts.last.get(task.key)
            attempt = self._attempt(task, claim)
            last = self._planner.attempts.last.get(task.key)
            # it may be a hook alone that failed
            made = last is not None and last != before and last.outcome == "complete"
            if attempt.outcome == "changed" and not is_again and self._has_inputs(task):
                is_again = True
                self.listener.again(task, attempt, 0.0)
                interruption.check()
                continue
            if made or attempt.outcome == "complete" or waits >= task.step.call.options.retries:
                return attempt
            seconds = min(RETRY * 2**waits, LONGEST_WAIT) * random.uniform(1.0, 1.25)
            waits += 1
            self.listener.again(task, attempt, seconds)
            interruption.sleep(seconds)

    def _has_inputs(self, task: Task) -> bool:
        inputs = self._planner.needs(task).inputs.values()
        return all(source.optional or os.path.lexists(source.path) for source in inputs)

    def _attempt(self, task: Task, claim: Claim) -> Attempt:
        """Attempt a task once, within the project's hooks."""
        attempt: Attempt | None = None
        begun = False
        try:
            with self.around(task):
                begun = True
                attempt = self.worker.attempt(task, claim)
                if attempt.outcome != "complete":
                    raise failure(task, attempt, self.worker.space.layout.root)
        except Superseded:
            raise
        except Exception as error:
            if begun and attempt is None:
                raise  # an error of ours, not of a step or a hook
            if not isinstance(error, TaskError):
                failed = unrecorded(task, f"a hook raised {type(error).__name__}: {error}")
                if attempt is not None and attempt.outcome == "complete":
                    return failed
                attempt = failed
        assert attempt is not None
        return attempt

    def _await_silence(self, foreign: list[Task]) -> bool:
        """Watch runners that cannot be seen from here; return whether one has died."""
        owners: dict[str, Owner] = {}
        for task in foreign:
            folder = self.worker.space.job_folder(task.record)
            owner = self._planner.snapshot.owner(folder, task.step.name)
            if owner is not None and owner.alive is None:
                owners[owner.runner] = owner
        for owner in owners.values():
            self.listener.waiting_for(owner)
        quiet = fallen_silent(self.worker.space.layout, owners)
        self._planner.silent |= quiet
        return bool(quiet)


def unrecorded(task: Task, error: str) -> Attempt:
    """Return a failure that no journal holds."""
    now = time.time()
    return Attempt(task.step.operation, task.record.id, "failed", 0, now, now, {}, error=error)


def _foreseen(verdicts: dict[Task, Verdict]) -> int:
    """Return how many tasks will be done if none fails: those wanted and those waiting for them."""
    coming: set[Task] = set()
    for task, verdict in verdicts.items():
        if verdict.wanted:
            coming.add(task)
        elif verdict.state is State.WAITING:
            if all(isinstance(r, Awaits) and r.task in coming for r in verdict.reasons):
                coming.add(task)
    return len(coming)
