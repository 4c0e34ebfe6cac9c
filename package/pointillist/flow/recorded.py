"""Hand-written operations as attempts: claimed before they begin, in the journal when they end.

The claim of an operation goes before its attempt is recorded: a claim that a dead runner has left
so always means that an attempt did not come to its end. Whoever dies in between leaves an operation
that is judged by its conditions alone, as they are when nothing is recorded.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.project import IgnoreConditions

from ..errors import TaskError, TasksFailed
from ..run.heartbeat import fallen_silent, heartbeat
from ..run.interruption import uninterrupted
from ..space.attempts import Attempt
from ..space.claims import Owner
from ..space.identity import user
from .claiming import Claims, Left
from .endings import attempt_of, attempted
from .verdicts import DIED, Verdicts

__all__ = ["Book"]

_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID")
"""Where MPI says which of several processes this is that carry one operation out together."""

_MOST = 3

Key = tuple[str, str]


class Book:
    """Claims the operations of one run, and records how each ends.

    Parameters
    ----------
    project : CompiledProject
        The project.
    ignore : IgnoreConditions
        The conditions that do not count.
    retry : bool
        Whether operations are carried out again whose conditions hold, but whose attempt died.
    """

    def __init__(
        self,
        project: Any,
        ignore: IgnoreConditions = IgnoreConditions.NONE,
        retry: bool = False,
    ) -> None:
        self._project = project
        self._ignore = ignore
        self._retry = retry
        self._journal = project.engine.journal
        self._layout = project.engine.space.layout
        self._attempts = project.engine.attempts
        self._verdicts = Verdicts(project)
        self._claims = Claims(self._verdicts, self._journal)
        self._for_workers = self._journal
        self._again: set[Key] = set()
        self._looked: set[Key] = set()
        self._foreign: dict[Key, Owner] = {}
        self.elsewhere: set[Key] = set()
        """What other runners have; this run leaves it to them."""
        self.undone: dict[Key, Left] = {}
        """What was not carried out in this pass after all."""
        self.still_failed: list[str] = []
        """What is failed and was not tried again."""

    # a pass

    def open(self) -> None:
        """Make the journal, with which workers that are forked after it claim."""
        self._for_workers = self._journal.for_workers()

    def join(self) -> None:
        """Claim, in a worker that was forked, with the journal of its run."""
        self._claims.journal = self._for_workers

    def begin(self) -> None:
        """Begin a pass: take into account what others have done."""
        self._attempts.refresh(self._layout, self._journal)
        self._verdicts.look_again()
        self.undone.clear()

    @property
    def has_more(self) -> bool:
        """Whether another pass may carry out more, although this one did nothing."""
        return any(left is not Left.SETTLED for left in self.undone.values())

    def leaves_out(self, jobs: tuple[Any, ...]) -> bool:
        """Whether a job is excluded."""
        return self._verdicts.exclusion(jobs) is not None

    def wants_again(self, name: str, jobs: tuple[Any, ...]) -> bool:
        """Whether an operation that is not eligible is tried again, as its attempt died.

        Looks for the claims of the dead once in a run, and records their deaths.
        """
        key = name, get_aggregate_id(jobs)
        operation = self._project._operations[name]
        if key in self._looked or not operation._postconditions:
            return False
        self._looked.add(key)
        owner = self._verdicts.owner(name, jobs)
        if owner is not None and self._verdicts.is_dead(owner):
            self._bury(name, jobs)
        if not self._verdicts.died(name, jobs) or not operation._complete(jobs):
            return False
        if self._retry and operation._eligible(jobs, IgnoreConditions.POST):
            self._again.add(key)
            return True
        said = f"{name}({key[1]})"
        print(f"failed before: {said}: {DIED}", file=sys.stderr)
        self.still_failed.append(said)
        return False

    def others_fell_silent(self) -> bool:
        """Watch runners on other hosts that have something; return whether one has died."""
        owners = {owner.runner: owner for owner in self._foreign.values()}
        for runner in owners:
            print(f"waiting up to a minute for a sign of life of {runner} …", file=sys.stderr)
        quiet = fallen_silent(self._layout, owners)
        self._verdicts.silent |= quiet
        self.elsewhere -= {key for key, owner in self._foreign.items() if owner.runner in quiet}
        self._foreign.clear()
        return bool(quiet)

    def check(self) -> None:
        """Raise if something is failed that was not tried again.

        Raises
        ------
        TasksFailed
            The message lists it.
        """
        if self.still_failed:
            some = ", ".join(self.still_failed[:_MOST])
            more = f" and {len(self.still_failed) - _MOST} more"
            raise TasksFailed(
                f"{some}{more if len(self.still_failed) > _MOST else ''}: {DIED}. Look at what is "
                "there; `run --retry-failed` carries out again."
            )

    # in the process that has the journal

    def beating(self) -> AbstractContextManager[None]:
        """Show other hosts that this runner lives, as long as the context lasts."""
        self.open()
        return heartbeat(self._journal)

    def carry(self, operation: Any, timeout: float | None) -> None:
        """Carry an operation out and record it, or leave it to another runner."""
        with uninterrupted():  # but for the operation itself
            try:
                found = self.attempt(operation, timeout)
            except BaseException as error:
                self.hear(operation, None, error)
                raise
            self.hear(operation, found)

    def hear(
        self, operation: Any, found: Attempt | Left | None, error: BaseException | None = None
    ) -> None:
        """Record how an operation has ended, here or in a worker.

        Parameters
        ----------
        operation : Execution
            The operation.
        found : Attempt or Left or None
            What `attempt` returned.
        error : BaseException or None
            What it raised.
        """
        key = operation.name, get_aggregate_id(operation._jobs)
        if error is not None:
            found = attempt_of(error)
        if found is Left.DEAD and not self._bury(operation.name, operation._jobs):
            found = Left.ELSEWHERE
        if found is Left.ELSEWHERE:
            self.elsewhere.add(key)
            owner = self._verdicts.owner(operation.name, operation._jobs, now=True)
            if owner is not None and owner.alive is None:
                self._foreign[key] = owner
        if isinstance(found, Left):
            self.undone[key] = found
        elif found is not None:
            self._append(found)

    def perform(self, name: str, jobs: tuple[Any, ...], call: Callable[[], None]) -> None:
        """Carry an operation out whatever its state is: claimed and recorded, but for two cases.

        A command of a run that carries out just this operation goes on under the run's claim, and
        the run records it. Of several processes that MPI starts the first claims and records.

        Parameters
        ----------
        name : str
            The operation.
        jobs : tuple of signac Job
            What it works on.
        call : callable
            Carries it out.

        Raises
        ------
        TaskError
            If another runner has it.
        """
        if self._claims.is_of_caller(name, jobs) or _is_further_rank():
            call()
            return
        claim = self._claims.take(name, jobs)
        if claim is Left.DEAD and self._bury(name, jobs):
            claim = self._claims.take(name, jobs)
        if isinstance(claim, Left):
            text = f"{name}({get_aggregate_id(jobs)}): another runner is at it."
            raise TaskError(text, step=name)
        with self.beating():
            try:
                with self._claims.held(claim):
                    attempt = attempted(name, jobs, call)
            except BaseException as error:
                died = attempt_of(error)
                if died is not None:
                    self._append(died)
                raise
            self._append(attempt)

    def lost(self, operation: Any) -> bool:
        """Record that a worker died in an operation; return whether it was one that was begun."""
        died = self._claims.lost(operation.name, operation._jobs)
        if died is not None:
            self._append(died)
        return died is not None

    def accept(self, name: str, jobs: tuple[Any, ...], note: str) -> bool:
        """Record that an operation whose attempt died is right as it is; False if it is at work."""
        if not self._bury(name, jobs):
            return False
        id, now = get_aggregate_id(jobs), time.time()
        last = self._attempts.last.get((name, id))
        end = now if last is None else max(now, last.end + 1e-6)
        self._append(Attempt(name, id, "accepted", 0, now, end, {}, note=note, user=user()))
        return True

    def _bury(self, name: str, jobs: tuple[Any, ...]) -> bool:
        return self._claims.bury(name, jobs, self._append)

    def _append(self, attempt: Attempt) -> None:
        number = self._attempts.count.get((attempt.operation, attempt.job), 0) + 1
        numbered = replace(attempt, number=number)
        begin = self._journal.append(numbered)
        self._attempts.add(numbered, (self._journal.place, begin))

    # also in a worker, which was forked and has the same journal to claim with

    def attempt(self, operation: Any, timeout: float | None) -> Attempt | Left:
        """Claim an operation, look at its conditions again, and carry it out.

        An error of the operation is raised; `hear` finds the attempt in it.
        """
        name, jobs = operation.name, operation._jobs
        claim = self._claims.take(name, jobs)
        if isinstance(claim, Left):
            return claim
        with self._claims.held(claim):
            if not self._is_wanted(name, jobs):
                return Left.SETTLED
            call = partial(self._project._execute_operation, operation, timeout)
            return attempted(name, jobs, call)

    def _is_wanted(self, name: str, jobs: tuple[Any, ...]) -> bool:
        again = (name, get_aggregate_id(jobs)) in self._again
        ignore = self._ignore | (IgnoreConditions.POST if again else IgnoreConditions.NONE)
        if not self._project._operations[name]._eligible(jobs, ignore):
            return False
        if ignore & IgnoreConditions.PRE:
            return True
        return not self._verdicts.in_the_way(name, jobs, self._claims.journal.runner)


def _is_further_rank() -> bool:
    """Whether MPI has started this process beside a first one."""
    return any(os.environ.get(rank, "0") not in ("", "0") for rank in _RANKS)
