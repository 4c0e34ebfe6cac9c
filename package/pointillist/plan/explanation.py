"""Explanations: a task, its state, and what that comes from, down to where it began."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..space.attempts import Attempt
from .planner import Planner
from .states import After, Awaits, Verdict
from .tasks import Task

__all__ = ["Explainer", "Explanation", "as_json"]


@dataclass(slots=True)
class Explanation:
    """Why a task is in its state.

    Parameters
    ----------
    kind : str
        The class of the record; empty for an operation that was written by hand.
    record : str
        The record's label; the job's id if it is no record.
    job : str
        The job's id, or that of the group of jobs.
    step : str
        The step's name.
    verdict : Verdict
        The state and the reasons.
    causes : tuple of Explanation
        The tasks that it waits for. Those that several wait for are in each, as one object.
    compared : Attempt or None
        The attempt that what is there now was compared with, if the task is complete or kept.
    settings : tuple of (str, str, str)
        Where a rule did not act: its name, ``show`` or ``ignore``, and the table that says so,
        empty for the default.
    """

    kind: str
    record: str
    job: str
    step: str
    verdict: Verdict
    causes: tuple[Explanation, ...] = ()
    compared: Attempt | None = None
    settings: tuple[tuple[str, str, str], ...] = ()

    @property
    def operation(self) -> str:
        """``Block.stats``."""
        return f"{self.kind}.{self.step}" if self.kind else self.step

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the task: operation and job."""
        return self.operation, self.job

    @property
    def roots(self) -> list[Explanation]:
        """Where it began: what is waited for in the end, each once; not itself."""
        return [cause for cause in below([self]) if not cause.causes] if self.causes else []


def below(chosen: Iterable[Explanation]) -> Iterator[Explanation]:
    """Yield all that some tasks wait for, however deep, each once, and none of themselves."""
    open_ones = deque(chosen)
    seen = {explanation.key for explanation in open_ones}
    while open_ones:
        for cause in open_ones.popleft().causes:
            if cause.key not in seen:
                seen.add(cause.key)
                open_ones.append(cause)
                yield cause


class Explainer:
    """Explains tasks, each once.

    Parameters
    ----------
    planner : Planner
        Judges them.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._known: dict[tuple[str, str], Explanation] = {}

    def explain(self, task: Task) -> Explanation:
        """Return why a task is in its state, with all that it waits for."""
        found = self._known.get(task.key)
        if found is None:
            found = self._known[task.key] = self._explain(task)
        return found

    def explain_own(self, name: str, job: str, verdict: Verdict) -> Explanation:
        """Return why an operation that was written by hand is in its state, with its causes.

        Parameters
        ----------
        name : str
            The operation.
        job : str
            The id of the job, or of the group of jobs.
        verdict : Verdict
            Its state, and why.
        """
        found = self._known.get((name, job))
        if found is None:
            waits = (reason for reason in verdict.reasons if isinstance(reason, After))
            causes = tuple(self.explain_own(r.what, r.job, r.verdict) for r in waits)
            label = self._planner.space.label(job)
            found = self._known[name, job] = Explanation("", label, job, name, verdict, causes)
        return found

    def _explain(self, task: Task) -> Explanation:
        verdict = self._planner.judge(task)
        return Explanation(
            task.step.record.__name__,
            task.record.label,
            task.record.id,
            task.step.name,
            verdict,
            tuple(self.explain(r.task) for r in verdict.reasons if isinstance(r, Awaits)),
            self._planner.attempts.last_good.get(task.key) if verdict.usable else None,
            tuple(self._settings(task, verdict)) if verdict.usable else (),
        )

    def _settings(self, task: Task, verdict: Verdict) -> Iterator[tuple[str, str, str]]:
        ruleset = self._planner.space.configuration.rules
        differing = {reason.rule for reason in verdict.reasons}
        for rule, action in self._planner.actions(task.step).items():
            if action == "ignore" or (action == "show" and verdict.note == "kept"):
                if action == "ignore" or rule in differing:
                    yield rule, action, ruleset.place(task.step.operation, rule)


def as_json(chosen: Iterable[Explanation]) -> dict[str, Any]:
    """Return explanations as plain data.

    Returns
    -------
    dict
        ``tasks``: those that were chosen, and ``causes``: all others that they wait for, however
        deep, each once. Each has ``class``, ``record``, ``job``, ``step``, ``state``, ``note``,
        ``reasons``, and, if it is complete or kept, ``compared``: ``attempt``, ``outcome``,
        ``start``, ``end``, ``runner`` and the numbers of ``inputs``, ``arguments`` and ``members``
        (None if it takes none) of the attempt that it was compared with, or None; and
        ``settings``: by rule ``does`` and ``said`` (in which table; empty for the default).

        A reason has ``rule``, ``what``, ``old``, ``new``, ``text``, and may have a ``cause``: of
        ``needs`` a task (``class``, ``job``, ``step``, ``state``; of a step also ``record``),
        which is among ``tasks`` or ``causes``; an operation that was written by hand has an empty
        ``class``; of ``seed`` ``field`` and ``path``; of ``attempt`` ``number``,
        ``start``, ``end``, ``error``, ``exception``, ``code``, ``log``, ``runner``; of ``claim``
        ``runner``, ``host``, ``pid``, ``since`` and ``alive`` (None: it cannot be seen from here);
        of ``scheduler`` ``batch``, ``state``, ``why`` and ``node``.
        Times are seconds since 1970.
    """
    listed = list(chosen)
    return {"tasks": [_told(one) for one in listed], "causes": [_told(c) for c in below(listed)]}


def _told(explanation: Explanation) -> dict[str, Any]:
    verdict = explanation.verdict
    told: dict[str, Any] = {
        "class": explanation.kind,
        "record": explanation.record,
        "job": explanation.job,
        "step": explanation.step,
        "state": str(verdict.state),
        "note": verdict.note,
        "reasons": [reason.as_json() for reason in verdict.reasons],
    }
    if verdict.usable:
        told["compared"] = explanation.compared and _compared(explanation.compared)
        settings = explanation.settings
        told["settings"] = {rule: {"does": does, "said": said} for rule, does, said in settings}
    return told


def _compared(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.number,
        "outcome": attempt.outcome,
        "start": attempt.start,
        "end": attempt.end,
        "runner": attempt.runner,
        "inputs": len(attempt.inputs),
        "arguments": argument_count(attempt),
        "members": None if attempt.members is None else len(attempt.members),
    }


def argument_count(attempt: Attempt) -> int:
    """Return how many arguments an attempt was called with, beside the places of its outputs."""
    told = attempt.arguments if isinstance(attempt.arguments, dict) else {}
    arguments = told.get("arguments")
    values = arguments.values() if isinstance(arguments, dict) else ()
    return sum(not (isinstance(value, dict) and "out" in value) for value in values)
