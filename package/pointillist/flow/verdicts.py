"""The states of hand-written operations, and the reasons: conditions, claims, the last attempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.errors import UserConditionError

from ..plan.planner import left_out
from ..plan.states import After, Failed, Held, Reason, State, Verdict
from ..space.attempts import Attempt, Exclusion
from ..space.claims import Owner
from ..space.layout import JobFolder, operation_claim
from ..space.snapshot import Snapshot
from .conditionnames import condition_name
from .conditions import members_below
from .groups import function_of

__all__ = ["DIED", "Verdicts"]

DIED = "conditions hold, but the attempt died"
_AT_WORK = Verdict(State.WAITING, (Reason("needs", "itself", text="it comes after itself"),))


class Verdicts:
    """Judges operations on jobs or aggregates of them; writes nothing.

    Parameters
    ----------
    project : CompiledProject
        The project; its attempts are taken as they were read last.
    """

    def __init__(self, project: Any) -> None:
        self._project = project
        self._attempts = project.engine.attempts
        self._layout = project.engine.space.layout
        self._snapshot = Snapshot()
        self._judged: dict[tuple[str, str], Verdict] = {}
        self.silent: set[str] = set()
        """Runners elsewhere that have shown no sign of life and count as dead."""

    def look_again(self) -> None:
        """Ask the disk anew about everything."""
        self._snapshot = Snapshot()
        self._judged.clear()

    # claims and attempts

    def place(self, name: str, jobs: tuple[Any, ...]) -> tuple[JobFolder, str]:
        """Return the folder in which an operation on some jobs is claimed, and under what name."""
        if len(jobs) == 1:
            return JobFolder(jobs[0].path), operation_claim(name)
        return JobFolder(self._layout.claims), operation_claim(name, get_aggregate_id(jobs))

    def owner(self, name: str, jobs: tuple[Any, ...], *, now: bool = False) -> Owner | None:
        """Return who has an operation on some jobs, alive or dead; None if nobody has.

        Parameters
        ----------
        name : str
            The operation.
        jobs : tuple of signac Job
            The jobs.
        now : bool
            Whether the disk is asked anew.
        """
        snapshot = Snapshot() if now else self._snapshot
        return snapshot.owner(*self.place(name, jobs))

    def is_dead(self, owner: Owner) -> bool:
        """Whether a runner is known to be dead."""
        return owner.runner in self.silent or owner.alive is False

    def last(self, name: str, jobs: tuple[Any, ...]) -> Attempt | None:
        """Return the last attempt that a journal tells of."""
        found: Attempt | None = self._attempts.last.get((name, get_aggregate_id(jobs)))
        return found

    def died(self, name: str, jobs: tuple[Any, ...]) -> bool:
        """Whether the last recorded attempt did not come to its end."""
        last = self.last(name, jobs)
        return last is not None and last.outcome == "interrupted"

    def in_the_way(self, name: str, jobs: tuple[Any, ...], runner: str) -> bool:
        """Whether an operation that this one comes after is at work elsewhere, or has died.

        Its conditions may hold all the same: a file is there before it is whole.

        Parameters
        ----------
        name : str
            The operation.
        jobs : tuple of signac Job
            The jobs.
        runner : str
            This process's journal, which is not in its own way.
        """
        for condition in self._project._operations[name]._preconditions:
            for other, below in self._before(name, condition._callback, jobs):
                owner = self.owner(other, below, now=True)
                if self.died(other, below) or (owner is not None and owner.runner != runner):
                    return True
        return False

    # judging

    def judge(self, name: str, jobs: tuple[Any, ...]) -> Verdict:
        """Return the state of an operation on some jobs, and why."""
        key = name, get_aggregate_id(jobs)
        if key not in self._judged:
            self._judged[key] = _AT_WORK
            try:
                self._judged[key] = self._judge(name, jobs)
            except OSError as error:
                self._judged[key] = Verdict.unreadable(error, self.place(name, jobs)[0].path)
        return self._judged[key]

    def _judge(self, name: str, jobs: tuple[Any, ...]) -> Verdict:
        owner = self.owner(name, jobs)
        if owner is not None and not self.is_dead(owner):
            return Verdict(State.RUNNING, (Held.by(owner, owner.alive),))
        exclusion = self.exclusion(jobs)
        if exclusion is not None:
            return left_out(exclusion)
        operation, last = self._project._operations[name], self.last(name, jobs)
        died = owner is not None or self.died(name, jobs)
        after, broken = self._unmet(operation._postconditions, jobs, "does not hold yet")
        if operation._postconditions and not after and broken is None:
            if died:
                return Verdict(State.FAILED, (Reason("attempt", "", text=DIED),))
            return Verdict(State.COMPLETE, tuple(_failure(last, ", but its conditions hold")))
        before = self._waits(name, jobs)
        if not before and broken is not None:
            before = [broken]
        if before:
            return Verdict(State.WAITING, tuple(before))
        death = [Reason("attempt", "", text="the last attempt died")] if died else _failure(last)
        return Verdict(State.READY, (*death, *after))

    def exclusion(self, jobs: tuple[Any, ...]) -> Exclusion | None:
        """Return who excluded a job, when and why; a group of plain jobs is what it is."""
        if len(jobs) != 1:
            return None
        found: Exclusion | None = self._project.engine.attempts.excluded(jobs[0].id)
        return found

    def _unmet(
        self, conditions: Iterable[Any], jobs: tuple[Any, ...], text: str
    ) -> tuple[list[Reason], Reason | None]:
        """Return the conditions that do not hold, or else the first that raised.

        One that is judged after another does not hold may rely on it: what it raises tells nothing.
        """
        unmet: list[Reason] = []
        for condition in conditions:
            try:
                if condition(jobs):
                    continue
            except UserConditionError as error:
                if unmet:
                    continue
                name, cause = self._named(condition), error.__cause__
                told = f"condition {name} raised {type(cause).__name__}: {cause}"
                return [], Reason("condition", name, text=told)
            name = self._named(condition)
            unmet.append(Reason("condition", name, text=f"{name} {text}"))
        return unmet, None

    def _named(self, condition: Any) -> str:
        return condition_name(condition._callback, self._name_of)

    def _waits(self, name: str, jobs: tuple[Any, ...]) -> list[Reason]:
        """Return which preconditions do not hold, and what the operation comes after."""
        found: list[Reason] = []
        others: list[Any] = []
        for condition in self._project._operations[name]._preconditions:
            earlier = list(self._not_complete(name, condition, jobs))
            found += earlier
            if not earlier:
                others.append(condition)
        unmet, broken = self._unmet(others, jobs, "does not hold")
        found += unmet
        return found or ([broken] if broken else [])

    def _not_complete(self, name: str, condition: Any, jobs: tuple[Any, ...]) -> Iterator[Reason]:
        for other, below in self._before(name, condition._callback, jobs):
            verdict = self.judge(other, below)
            if verdict.state is not State.COMPLETE:
                yield After.of(other, get_aggregate_id(below), verdict, below == jobs)

    def _before(
        self, name: str, function: Any, jobs: tuple[Any, ...]
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Yield operations, and their jobs, that a condition `after` says to be complete.

        Those without postconditions are left out, as signac-flow leaves them out, and so are those
        that work on groups of jobs of another kind: nobody can say which group is meant.
        """
        for made, depth in getattr(function, "_after", {}).items():
            other = self._name_of(made)
            if not self._project._operations[other]._postconditions:
                continue
            if self._takes_one(other) or self._store(other) is self._store(name):
                for below in members_below(jobs, depth):
                    yield other, below

    def _name_of(self, function: Any) -> str:
        operations: dict[str, Any] = self._project._operations
        return next(name for name, one in operations.items() if function_of(one) is function)

    def _takes_one(self, name: str) -> bool:
        """Whether an operation works on one job at a time."""
        if name in self._project._operation_records:
            return True
        aggregate = function_of(self._project._operations[name])._flow_aggregate
        return bool(aggregate._is_default_aggregator)

    def _store(self, name: str) -> Any:
        return self._project._group_to_aggregate_store[self._project._groups[name]]


def _failure(last: Attempt | None, but: str = "") -> list[Reason]:
    if last is None or last.outcome != "failed":
        return []
    failed = Failed.at(last)
    return [Reason("attempt", "", text=f"{failed}{but}") if but else failed]
