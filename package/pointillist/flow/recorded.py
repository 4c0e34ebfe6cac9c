"""Hand-written operations as attempts: claimed before they begin, in the journal when they end.

The claim of an operation goes before its attempt is recorded: a claim that a dead runner has left
so always means that an attempt did not come to its end. Whoever dies in between leaves an operation
that is judged by its conditions alone, as they are when nothing is recorded.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.errors import UserOperationError
from flow.project import IgnoreConditions

from ..errors import TaskError, TasksFailed
from ..run.heartbeat import fallen_silent, heartbeat, surely_held
from ..run.publish import uninterrupted
from ..space.claims import Claim, Owner, owner_of, take
from ..space.journals import Attempt, Outcome
from ..space.snapshot import Snapshot
from .verdicts import DIED, Verdicts

__all__ = ["Book", "Left"]

_TRIES = 10
"""How often an operation is claimed anew that nobody has after all."""

_VARIABLE = "POINTILLIST_RUNNER"
"""Names the runner to the commands that it starts, which may be its own operations."""

_RANKS = ("OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID")
"""Where MPI says which of several processes this is that carry one operation out together."""

_KEPT = "_pointillist_attempt"

_MOST = 3

Key = tuple[str, str]


class Left(Enum):
    """Why an operation was not carried out."""

    ELSEWHERE = "another runner has it"
    DEAD = "a dead runner has left a claim"
    SETTLED = "by now its conditions say otherwise"


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
        """Make the journal, which workers that are forked after it share."""
        self._journal.open()

    def begin(self) -> None:
        """Begin a pass: take into account what others have done."""
        self._attempts.refresh(self._layout, self._journal)
        self._verdicts.look_again()
        self.undone.clear()

    @property
    def has_more(self) -> bool:
        """Whether another pass may carry out more, although this one did nothing."""
        return any(left is not Left.SETTLED for left in self.undone.values())

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

    def uninterrupted(self) -> AbstractContextManager[None]:
        """Put a Ctrl-C off until something is recorded."""
        return uninterrupted()

    def carry(self, operation: Any, timeout: float | None) -> None:
        """Carry an operation out and record it, or leave it to another runner."""
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
            found = getattr(error, _KEPT, None)
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
        owner = self._verdicts.owner(name, jobs, now=True)
        within = owner is not None and owner.runner == os.environ.get(_VARIABLE)
        if within or _is_further_rank():
            call()
            return
        claim = self._take(name, jobs)
        if claim is Left.DEAD and self._bury(name, jobs):
            claim = self._take(name, jobs)
        if isinstance(claim, Left):
            text = f"{name}({get_aggregate_id(jobs)}): another runner is at it."
            raise TaskError(text, step=name)
        with self.beating():
            try:
                with self._held(claim):
                    attempt = _attempted(name, jobs, call)
            except BaseException as error:
                self._append(getattr(error, _KEPT))
                raise
            self._append(attempt)

    def lost(self, operation: Any) -> bool:
        """Record that a worker died in an operation; return whether it was one that was begun."""
        name, jobs = operation.name, operation._jobs
        folder, token = self._verdicts.place(name, jobs)
        generation = max(self._claims(name, jobs), default=0)
        owner = owner_of(folder, token, generation) if generation else None
        if owner is None or owner.runner != self._journal.runner:
            return False
        self._append(self._death(name, jobs, owner, "its worker process died"))
        Claim(folder, token, generation, (), self._journal.runner).release()
        return True

    def _append(self, attempt: Attempt) -> None:
        number = self._attempts.count.get((attempt.operation, attempt.job), 0) + 1
        numbered = replace(attempt, number=number)
        self._journal.append(numbered)
        self._attempts.add(numbered)

    def _bury(self, name: str, jobs: tuple[Any, ...]) -> bool:
        """Record the deaths of runners that left claims; return whether nobody has it now."""
        folder, token = self._verdicts.place(name, jobs)
        for _ in range(_TRIES):
            left = self._claims(name, jobs)
            if not left:
                return True
            owner = owner_of(folder, token, left[-1])
            if owner is not None and not self._verdicts.is_dead(owner):
                return False
            claim = take(folder, token, left, self._journal) if owner is not None else None
            if claim is not None:
                owners = [owner_of(folder, token, generation) for generation in claim.left]
                for dead in filter(None, owners):
                    text = f"its runner {dead.runner} died"
                    self._append(self._death(name, jobs, dead, text))
                claim.release()
                return True
            time.sleep(random.uniform(0.0, 0.05))  # two who took it over at once both gave way
        return False

    def _claims(self, name: str, jobs: tuple[Any, ...]) -> list[int]:
        return Snapshot().claims(*self._verdicts.place(name, jobs))

    def _death(self, name: str, jobs: tuple[Any, ...], owner: Owner, error: str) -> Attempt:
        now = time.time()
        start = min(owner.beat / 1e9, now)
        id = get_aggregate_id(jobs)
        return Attempt(name, id, "interrupted", 0, start, now, {}, error=error)

    # also in a worker, which was forked and has the same journal to claim with

    def attempt(self, operation: Any, timeout: float | None) -> Attempt | Left:
        """Claim an operation, look at its conditions again, and carry it out.

        An error of the operation is raised; `hear` finds the attempt in it.
        """
        name, jobs = operation.name, operation._jobs
        claim = self._take(name, jobs)
        if isinstance(claim, Left):
            return claim
        with self._held(claim):
            if not self._is_wanted(name, jobs):
                return Left.SETTLED
            call = partial(self._project._execute_operation, operation, timeout)
            return _attempted(name, jobs, call)

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[None]:
        """Release a claim at the end; until then commands know whose they are."""
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = self._journal.runner
        try:
            yield
        finally:
            with uninterrupted():
                claim.release(surely_held(claim, self._journal))
            os.environ.pop(_VARIABLE)
            if before is not None:
                os.environ[_VARIABLE] = before

    def _is_wanted(self, name: str, jobs: tuple[Any, ...]) -> bool:
        again = (name, get_aggregate_id(jobs)) in self._again
        ignore = self._ignore | (IgnoreConditions.POST if again else IgnoreConditions.NONE)
        if not self._project._operations[name]._eligible(jobs, ignore):
            return False
        if ignore & IgnoreConditions.PRE:
            return True
        return not self._verdicts.in_the_way(name, jobs, self._journal.runner)

    def _take(self, name: str, jobs: tuple[Any, ...]) -> Claim | Left:
        folder, token = self._verdicts.place(name, jobs)
        if len(jobs) > 1:
            folder.path.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            claim = take(folder, token, [], self._journal)  # nearly always nobody has it
            if claim is not None:
                return claim
            owner = self._verdicts.owner(name, jobs, now=True)
            if owner is not None:
                return Left.DEAD if self._verdicts.is_dead(owner) else Left.ELSEWHERE
            time.sleep(random.uniform(0.0, 0.05))
        return Left.ELSEWHERE


def _attempted(name: str, jobs: tuple[Any, ...], call: Callable[[], None]) -> Attempt:
    """Carry something out and tell how it ended; what it raises is raised, and has the attempt."""
    start = time.time()
    try:
        call()
    except BaseException as error:
        vars(error)[_KEPT] = _ended(name, jobs, start, error)
        raise
    return _ended(name, jobs, start, None)


def _ended(name: str, jobs: tuple[Any, ...], start: float, error: BaseException | None) -> Attempt:
    cause = error.__cause__ if isinstance(error, UserOperationError) else error
    code = exception = None
    outcome: Outcome = "complete" if error is None else "failed"
    text: str | None = None
    if isinstance(cause, KeyboardInterrupt):
        outcome, text = "interrupted", "interrupted"
    elif isinstance(cause, SystemExit):
        code = cause.code if isinstance(cause.code, int) else None
        text = f"exited with {cause.code}"
    elif isinstance(cause, subprocess.CalledProcessError):
        code = cause.returncode
        how = f"exit {code}" if code >= 0 else f"signal {-code}"
        text = f"its command failed ({how})"
    elif isinstance(cause, subprocess.TimeoutExpired):
        text = "its command took longer than its timeout"
    elif cause is not None:
        exception = type(cause).__name__
        text = f"raised {exception}: {cause}".rstrip(": ").splitlines()[0]
    return Attempt(
        *(name, get_aggregate_id(jobs), outcome, 0, start, time.time(), {}),
        error=text,
        code=code,
        exception=exception,
    )


def _is_further_rank() -> bool:
    """Whether MPI has started this process beside a first one."""
    return any(os.environ.get(rank, "0") not in ("", "0") for rank in _RANKS)
