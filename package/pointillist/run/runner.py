"""The serial runner: it goes through tasks in order, claims, attempts and recovers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

from ..errors import PointillistError, SpaceError, Superseded, TaskError
from ..plan.planner import Planner
from ..plan.states import State, Verdict
from ..plan.tasks import Task
from ..space.claims import Claim, Owner, owner_of, take
from ..space.journals import Attempt, Journal, read_journal
from ..space.layout import JobFolder, claims_in
from .attempt import Worker, failure
from .publish import discard, is_published, publish

__all__ = ["Listener", "Runner", "Summary"]

BEAT = 10.0
"""Seconds between two heartbeats of a runner."""

SILENCE = 60.0
"""Seconds without a heartbeat after which a runner on another host counts as dead."""


class Listener:
    """Is told how a run goes; this one does nothing with it."""

    def planned(self, count: int) -> None:
        """`count` tasks will be done, as far as can be told now."""

    def started(self, task: Task, verdict: Verdict) -> None:
        """A task is begun."""

    def ended(self, task: Task, attempt: Attempt) -> None:
        """An attempt has ended."""

    def waiting_for(self, owner: Owner) -> None:
        """The run waits to see whether a runner elsewhere still lives."""


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
    limited : bool
        Whether the run stopped at its limit, or at its first failure.
    """

    done: int = 0
    recovered: int = 0
    failed: list[tuple[Task, Attempt]] = field(default_factory=list)
    still_failed: list[tuple[Task, Verdict]] = field(default_factory=list)
    waiting: list[tuple[Task, Verdict]] = field(default_factory=list)
    kept: list[tuple[Task, Verdict]] = field(default_factory=list)
    elsewhere: list[tuple[Task, Verdict]] = field(default_factory=list)
    limited: bool = False


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
    """

    worker: Worker
    listener: Listener = field(default_factory=Listener)
    around: Callable[[Task], AbstractContextManager[None]] = lambda task: nullcontext()
    fail_fast: bool = False
    limit: int | None = None
    again: bool = False
    _silent: set[str] = field(default_factory=set, init=False)

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
        """
        ordered = list(tasks)
        summary = Summary()
        verdicts = {task: self._planner.judge(task) for task in ordered}
        self.listener.planned(_foreseen(self._planner, verdicts))
        changed: set[Task] = set()
        with _heartbeat(self._journal):
            todo = ordered
            while todo:
                todo = self._pass(todo, verdicts, changed, summary)
        return summary

    def force(self, task: Task) -> Attempt | None:
        """Carry a task out whatever its state is; None if another runner has it."""
        with _heartbeat(self._journal):
            claim = self._claim(task)
            if claim is None:
                return None
            try:
                return self._attempts(task, claim)
            finally:
                claim.release()

    def _pass(
        self,
        tasks: list[Task],
        verdicts: dict[Task, Verdict],
        changed: set[Task],
        summary: Summary,
    ) -> list[Task]:
        """Go through tasks once; return those to go through again."""
        foreign: list[tuple[Task, Verdict]] = []
        begun = len(summary.elsewhere)
        for task in tasks:
            verdict = verdicts[task]
            if any(maker in changed for maker in self._upstream(task)):
                verdict = self._planner.rejudge(task)
                if verdict != verdicts[task]:
                    changed.add(task)
                verdicts[task] = verdict
            if self._wants(verdict):
                if self._is_full(summary):
                    summary.limited = True
                    break
                changed.add(task)
                verdict = verdicts[task] = self._take_up(task, verdict, summary)
                if summary.failed and self.fail_fast:
                    summary.limited = True
                    break
            self._sort(task, verdict, summary, foreign)
        if summary.limited or not foreign or not self._await_silence(foreign):
            summary.elsewhere += foreign
            return []
        del summary.elsewhere[begun:]
        summary.waiting.clear()
        summary.kept.clear()
        summary.still_failed.clear()
        for task in tasks:
            self._planner.forget(task)
            verdicts[task] = self._planner.judge(task)
        return tasks

    def _upstream(self, task: Task) -> list[Task]:
        try:
            return self._planner.needs(task).upstream
        except PointillistError:
            return []  # its verdict says why

    def _sort(
        self,
        task: Task,
        verdict: Verdict,
        summary: Summary,
        foreign: list[tuple[Task, Verdict]],
    ) -> None:
        failed_now = any(task == other for other, _ in summary.failed)
        if verdict.state is State.WAITING:
            summary.waiting.append((task, verdict))
        elif verdict.state is State.FAILED and not failed_now:
            summary.still_failed.append((task, verdict))
        elif verdict.state is State.STALE and verdict.note == "kept":
            summary.kept.append((task, verdict))
        elif verdict.state is State.RUNNING:
            foreign.append((task, verdict))
        elif verdict.note == "found" and task.key not in self._planner.attempts.last_good:
            self.worker.baseline(task)

    def _wants(self, verdict: Verdict) -> bool:
        settled = verdict.state in (State.COMPLETE, State.STALE, State.FAILED)
        return verdict.wanted or (self.again and settled)

    def _is_full(self, summary: Summary) -> bool:
        carried_out = summary.done + len(summary.failed)
        return self.limit is not None and carried_out >= self.limit

    def _take_up(self, task: Task, verdict: Verdict, summary: Summary) -> Verdict:
        """Claim a task, look again, and carry it out if it still must be."""
        try:
            claim = self._claim(task)
        except SpaceError as error:
            return self._unclaimed(task, error, summary)
        if claim is None:
            self._planner.forget(task)
            return self._planner.judge(task)
        try:
            if claim.left and self._recover(task, claim):
                summary.recovered += 1
            verdict = self._planner.judge_claimed(task)
            if self._wants(verdict):
                self.listener.started(task, verdict)
                attempt = self._attempts(task, claim)
                if attempt.outcome == "complete":
                    summary.done += 1
                else:
                    summary.failed.append((task, attempt))
                self.listener.ended(task, attempt)
        except Superseded:
            pass
        finally:
            claim.release()
        self._planner.forget(task)
        return self._planner.judge(task)

    def _unclaimed(self, task: Task, error: SpaceError, summary: Summary) -> Verdict:
        """Count a task that cannot even be claimed as failed; nothing can be recorded of it."""
        attempt = _unrecorded(task, str(error))
        self.listener.started(task, self._planner.judge(task))
        summary.failed.append((task, attempt))
        self.listener.ended(task, attempt)
        return Verdict(State.FAILED)

    def _attempts(self, task: Task, claim: Claim) -> Attempt:
        """Attempt a task as often as it may be, within the project's hooks."""
        retries = task.step.call.options.retries
        while True:
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
                    text = f"a hook raised {type(error).__name__}: {error}"
                    attempt = _unrecorded(task, text)
            assert attempt is not None
            if attempt.outcome == "complete" or retries <= 0:
                return attempt
            retries -= 1

    def _claim(self, task: Task) -> Claim | None:
        folder = self.worker.space.job_folder(task.record)
        try:
            left = claims_in(os.listdir(folder.path)).get(task.step.name, [])
        except OSError as error:
            raise SpaceError(f"{folder.path} cannot be read: {error.strerror or error}.") from error
        if left:
            owner = owner_of(folder, task.step.name, left[-1])
            if owner is not None and not self._is_dead(owner):
                return None
        return take(folder, task.step.name, left, self._journal)

    # the dead

    def _recover(self, task: Task, claim: Claim) -> bool:
        """Finish or discard what dead runners have left; return whether something was finished."""
        finished = False
        for generation in claim.left:
            owner = owner_of(claim.folder, task.step.name, generation)
            if owner is None:
                continue
            recorded = self._recorded_by(owner, task)
            if recorded is None or not self._finish(task, claim.folder, recorded):
                now = time.time()
                died = Attempt(
                    task.step.operation,
                    task.record.id,
                    "interrupted",
                    self._planner.attempts.count.get(task.key, 0) + 1,
                    owner.beat / 1e9,
                    now,
                    {},
                    error=f"its runner {owner.runner} died",
                )
                self._journal.append(died)
                self._planner.attempts.add(died)
            else:
                finished = True
        discard(claim.folder, task.step.name)
        return finished

    def _recorded_by(self, owner: Owner, task: Task) -> Attempt | None:
        """Return the last complete attempt of a task that a runner has recorded."""
        found = None
        try:
            lines = list(read_journal(self.worker.space.layout.journal(owner.runner)))
        except OSError:
            return None
        for data in lines:
            if data.get("kind") == "attempt":
                attempt = Attempt.from_json(data, owner.runner)
                self._planner.attempts.add(attempt)
                if (attempt.operation, attempt.job) == task.key and attempt.outcome == "complete":
                    found = attempt
        return found

    def _finish(self, task: Task, folder: JobFolder, recorded: Attempt) -> bool:
        """Publish what a dead runner had recorded; False if there is nothing of it left."""
        if not is_published(folder, recorded):
            publish(folder, task.step.name, recorded)
            return True
        last = self._planner.attempts.last_good.get(task.key)
        return last is not None and last.end == recorded.end and not last.error

    def _is_dead(self, owner: Owner) -> bool:
        return owner.alive is False or owner.runner in self._silent

    def _await_silence(self, foreign: list[tuple[Task, Verdict]]) -> bool:
        """Watch runners that cannot be seen from here; return whether one has died."""
        owners: dict[str, Owner] = {}
        for task, _ in foreign:
            folder = self.worker.space.job_folder(task.record)
            owner = self._planner.snapshot.owner(folder, task.step.name)
            if owner is not None and owner.alive is None:
                owners[owner.runner] = owner
        dead = False
        for owner in owners.values():
            self.listener.waiting_for(owner)
            if self._stays_silent(owner):
                self._silent.add(owner.runner)
                dead = True
        return dead

    def _stays_silent(self, owner: Owner) -> bool:
        place = self.worker.space.layout.journal(owner.runner)
        until = time.monotonic() + SILENCE
        while time.monotonic() < until:
            try:
                if os.stat(place).st_mtime_ns != owner.beat:
                    return False
            except FileNotFoundError:
                return True
            time.sleep(0.5)
        return True


def _unrecorded(task: Task, error: str) -> Attempt:
    """Return a failure that no journal holds."""
    now = time.time()
    return Attempt(task.step.operation, task.record.id, "failed", 0, now, now, {}, error=error)


def _foreseen(planner: Planner, verdicts: dict[Task, Verdict]) -> int:
    """Return how many tasks will be done if none fails: those wanted and those waiting for them."""
    coming: set[Task] = set()
    for task, verdict in verdicts.items():
        if verdict.wanted:
            coming.add(task)
        elif verdict.state is State.WAITING:
            try:
                upstream = planner.needs(task).upstream
            except PointillistError:
                continue
            makers = [m for m in upstream if not planner.judge(m).usable]
            if makers and all(maker in coming for maker in makers):
                coming.add(task)
    return len(coming)


@contextmanager
def _heartbeat(journal: Journal) -> Iterator[None]:
    """Let the journal's time move while a run lasts."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            journal.beat()

    thread = threading.Thread(target=beat, name="pointillist heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
