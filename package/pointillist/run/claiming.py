"""Under which claim a task is carried out: its own, or one that is kept from a step before it.

Who holds the claim on a step has all that depends on it in the same job as well: nobody else may
begin those. So steps that were seen to be short are done in a row under the claim of the first,
which saves the file system most of the work. It needs no agreement beforehand: a runner makes its
claim and then looks. Where it sees that of a step before its own, it gives way; where it sees one
of a step after its own, it does its step alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import SpaceError
from ..plan.tasks import Task
from ..space.claims import Claim, Owner, owner_of, take
from ..space.journals import clock
from ..space.layout import claims_in
from .attempt import Worker
from .heartbeat import surely_held
from .recovery import recover

__all__ = ["Claiming", "holding"]

QUICK = 0.05
"""Seconds up to which a step is short."""

LONGEST = 1.0
"""Seconds for which a claim is kept for more steps at most."""


@dataclass
class Claiming:
    """Makes, keeps and releases the claims of one runner.

    Parameters
    ----------
    worker : Worker
        Carries out attempts.

    Attributes
    ----------
    recovered : int
        The tasks of dead runners that were finished on the way.
    told : (str, str) or None
        A task of a dead runner of which the caller itself says how it ended.
    lost : dict of str to str
        Runners that are known to be dead, and what is said of what they were at.
    """

    worker: Worker
    recovered: int = 0
    told: tuple[str, str] | None = None
    lost: dict[str, str] = field(default_factory=dict)
    _kept: Claim | None = None
    _seconds: dict[str, float] = field(default_factory=dict)

    def claim(self, task: Task) -> Claim | None:
        """Claim a task, and clear up after the dead who had it; None if another runner has it.

        Raises
        ------
        SpaceError
            If the job's folder cannot be written. Claims that were left by the dead then stay.
        """
        if self._kept is not None and self._covers(self._kept, task):
            return self._kept
        self.let_go()
        return self._take(task, []) or self._take_over(task)

    def is_kept(self, claim: Claim) -> bool:
        """Whether a claim was made for an earlier task."""
        return claim is self._kept

    def ended(self, claim: Claim, task: Task, seconds: float, following: Task | None) -> None:
        """Keep a claim for the task that comes next, or release it."""
        self._seconds[task.step.operation] = seconds
        if following is not None and self._covers(claim, following):
            self._kept = claim
        else:
            self.release(claim)

    def let_go(self) -> None:
        """Release the claim that is kept, if any."""
        if self._kept is not None:
            self.release(self._kept)

    def release(self, claim: Claim) -> None:
        """Release a claim."""
        if claim is self._kept:
            self._kept = None
        with contextlib.suppress(OSError):  # read only by now: it counts as left by the dead
            claim.release(surely_held(claim, self.worker.journal))

    def is_dead(self, owner: Owner) -> bool:
        """Whether a runner is known to be dead."""
        if owner.alive is False or owner.runner in self.lost:
            return True
        return owner.runner in self.worker.planner.silent

    def _covers(self, claim: Claim, task: Task) -> bool:
        return (
            claim.alone
            and claim.step in task.step.above
            and self._seconds.get(task.step.operation, float("inf")) <= QUICK
            and clock() - claim.made < LONGEST
            and claim.folder.place == self.worker.space.place(task.record)
        )

    def _take(self, task: Task, left: list[int]) -> Claim | None:
        folder, step = self.worker.space.job_folder(task.record), task.step
        return take(folder, step.name, left, self.worker.journal, step.above, step.below)

    def _take_over(self, task: Task) -> Claim | None:
        """Claim a task that dead runners have left; None if a living one has it."""
        folder = self.worker.space.job_folder(task.record)
        try:
            there = claims_in(os.listdir(folder.place))
        except OSError as error:
            raise SpaceError(
                f"{folder.place} cannot be read: {error.strerror or error}."
            ) from error
        before = [step for name, step in type(task.record).__steps__.items() if name in there]
        for step in before:
            if step.name != task.step.name and step.name not in task.step.above:
                continue
            left = there[step.name]
            owner = owner_of(folder, step.name, left[-1])
            if owner is not None and not self.is_dead(owner):
                return None
            claim = self._take(Task(task.record, step), left)
            if claim is None:
                return None
            held = Task(task.record, step)
            self.recovered += recover(self.worker, held, claim, self.told, self.lost)
            if step.name == task.step.name:
                return claim
            self.release(claim)
        return self._take(task, []) if before else None


@contextlib.contextmanager
def holding(worker: Worker, task: Task) -> Iterator[Claim | None]:
    """Hold the claim on a task without carrying it out: to change its results or its history.

    It gives None if a runner has the task that lives, or of which that cannot be known from here.

    Raises
    ------
    SpaceError
        If the job's folder cannot be read or written.
    """
    claims = Claiming(worker)
    claim = claims.claim(task)
    try:
        yield claim
    finally:
        if claim is not None:
            claims.release(claim)
