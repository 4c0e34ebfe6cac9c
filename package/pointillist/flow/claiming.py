"""Claims of hand-written operations: taking them, and clearing up after those that died."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

from ..run.heartbeat import surely_held
from ..run.interruption import uninterrupted
from ..space.attempts import Attempt
from ..space.claims import Claim, owner_of, take
from ..space.journals import Journal
from ..space.snapshot import Snapshot
from .endings import death
from .verdicts import Verdicts

__all__ = ["Claims", "Left"]

_TRIES = 10
"""How often an operation is claimed anew that nobody has after all."""

_VARIABLE = "POINTILLIST_RUNNER"
"""Names the runner to the commands that it starts, which may be its own operations."""


class Left(Enum):
    """Why an operation was not carried out."""

    ELSEWHERE = "another runner has it"
    DEAD = "a dead runner has left a claim"
    SETTLED = "by now its conditions say otherwise"


class Claims:
    """Takes and releases the claims of one runner's operations.

    Parameters
    ----------
    verdicts : Verdicts
        Knows where an operation is claimed, and who is dead.
    journal : Journal
        This runner's journal.

    Attributes
    ----------
    journal : Journal
        What is claimed with; in a worker that was forked the journal of its run.
    """

    def __init__(self, verdicts: Verdicts, journal: Journal) -> None:
        self._verdicts = verdicts
        self.journal = journal

    def take(self, name: str, jobs: tuple[Any, ...]) -> Claim | Left:
        """Claim an operation on some jobs, or say why that cannot be."""
        folder, token = self._verdicts.place(name, jobs)
        if len(jobs) > 1:
            folder.path.mkdir(parents=True, exist_ok=True)
        for _ in range(_TRIES):
            claim = take(folder, token, [], self.journal)  # nearly always nobody has it
            if claim is not None:
                return claim
            owner = self._verdicts.owner(name, jobs, now=True)
            if owner is not None:
                return Left.DEAD if self._verdicts.is_dead(owner) else Left.ELSEWHERE
            time.sleep(random.uniform(0.0, 0.05))
        return Left.ELSEWHERE

    @contextmanager
    def held(self, claim: Claim) -> Iterator[None]:
        """Release a claim at the end; until then commands know whose they are."""
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = self.journal.runner
        try:
            yield
        finally:
            with uninterrupted():
                claim.release(surely_held(claim, self.journal))
            os.environ.pop(_VARIABLE)
            if before is not None:
                os.environ[_VARIABLE] = before

    def is_of_caller(self, name: str, jobs: tuple[Any, ...]) -> bool:
        """Whether the runner that has the operation has started this process."""
        owner = self._verdicts.owner(name, jobs, now=True)
        return owner is not None and owner.runner == os.environ.get(_VARIABLE)

    def bury(self, name: str, jobs: tuple[Any, ...], note: Callable[[Attempt], None]) -> bool:
        """Clear up after runners that died; return whether nobody has the operation now.

        Parameters
        ----------
        name : str
            The operation.
        jobs : tuple of signac Job
            The jobs.
        note : callable
            Records the attempts that died, before their claims go.
        """
        folder, token = self._verdicts.place(name, jobs)
        for _ in range(_TRIES):
            left = Snapshot().claims(folder, token)
            if not left:
                return True
            owner = owner_of(folder, token, left[-1])
            if owner is not None and not self._verdicts.is_dead(owner):
                return False
            claim = take(folder, token, left, self.journal) if owner is not None else None
            if claim is not None:
                owners = [owner_of(folder, token, generation) for generation in claim.left]
                for dead in filter(None, owners):
                    text = f"its runner {dead.runner} died"
                    note(death(name, jobs, dead, text))
                claim.release()
                return True
            time.sleep(random.uniform(0.0, 0.05))  # two who took it over at once both gave way
        return False

    def lost(self, name: str, jobs: tuple[Any, ...]) -> Attempt | None:
        """Clear up after a worker of this run that died; return the attempt if it had begun one."""
        folder, token = self._verdicts.place(name, jobs)
        generation = max(Snapshot().claims(folder, token), default=0)
        owner = owner_of(folder, token, generation) if generation else None
        if owner is None or owner.runner != self.journal.runner:
            return None
        Claim(folder, token, generation, (), self.journal.runner).release()
        return death(name, jobs, owner, "its worker process died")
