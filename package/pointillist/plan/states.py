"""States, and the reasons for them.

Many tasks are judged whose reasons nobody reads: a reason is put into words when it is shown.
"""

from __future__ import annotations

import html
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

    from ..space.attempts import Attempt
    from ..space.claims import Owner
    from .tasks import Input, Task

__all__ = ["After", "Awaits", "Failed", "Held", "MissingSeed", "Reason", "State", "Verdict", "day"]

_LONGEST = 200


def day(time: float) -> str:
    """Return the day of a moment (seconds since 1970), as people here write it: 2026-05-04."""
    return datetime.fromtimestamp(time).date().isoformat()


class State(StrEnum):
    """What a task is now."""

    COMPLETE = "complete"
    STALE = "stale"
    READY = "ready"
    WAITING = "waiting"
    RUNNING = "running"
    SUBMITTED = "submitted"
    FAILED = "failed"
    EXCLUDED = "excluded"


@dataclass(slots=True)
class Reason:
    """Why a task is in its state.

    Parameters
    ----------
    rule : str
        ``output``, ``input``, ``argument``, ``version``, ``source``; or ``needs`` (it waits for
        something), ``seed`` (it waits for a seed that is missing), ``attempt`` (the last one
        failed or died), ``claim`` (a runner has it), ``condition`` (of a hand-written operation: it
        does not hold, or raised), ``scheduler`` (a batch job has it, or has lost it), ``accepted``,
        ``reset``, ``excluded`` (somebody said so).
    what : str
        What the rule is about: an input's name, an argument.
    old, new : str
        What was recorded and what is there now; empty where the rule has no two sides.
    text : str
        The reason in words, if they are known already.
    """

    rule: str
    what: str
    old: str = ""
    new: str = ""
    text: str = ""

    def __str__(self) -> str:
        return self.text or f"{self.rule} {self.what} changed ({self.old} → {self.new})"

    @property
    def kind(self) -> str:
        """The reason without what is only this task's, so that others like it can be counted."""
        if self.rule == "input" and self.what:
            return "an input changed"
        if self.rule == "argument" and self.what == "members":
            return "members changed"
        if self.rule == "needs" and self.what not in ("members", "itself"):
            return "what it needs cannot be read"
        return self.text or f"{self.rule} {self.what} changed"

    @property
    def cause(self) -> dict[str, Any] | None:
        """What it comes from, as plain data: a task, a seed, an attempt, a runner; or None."""
        return None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data: its parts, itself in words, and its cause if it has one."""
        parts = {"rule": self.rule, "what": self.what, "old": self.old, "new": self.new}
        cause = self.cause
        return {**parts, "text": str(self), **({} if cause is None else {"cause": cause})}

    def as_html(self) -> str:
        """Return it as HTML: class names, no styles, so that a page can give it its own."""
        said = html.escape(str(self))
        if not self.text and (self.old or self.new):
            words = (self.rule, self.what, self.old, self.new)
            said = _CHANGED.format(*(html.escape(word) for word in words))
        return f'<span class="reason reason-{html.escape(self.rule)}">{said}</span>'

    def __rich__(self) -> Text:
        """Return it for a terminal: what was recorded in red, what is there in green."""
        from rich.text import Text

        if self.text or not (self.old or self.new):
            return Text(str(self))
        start = f"{self.rule} {self.what} changed ("
        return Text.assemble(start, (self.old, "red"), " → ", (self.new, "green"), ")")


_CHANGED = (
    '{} <span class="what">{}</span> changed '
    '(<span class="old">{}</span> → <span class="new">{}</span>)'
)


@dataclass(slots=True)
class Awaits(Reason):
    """That a task waits for another one; made by `Awaits.on`.

    Parameters
    ----------
    task : Task
        The other one.
    state : State
        Its state.
    near : bool
        Whether it is one of the same record.
    """

    _: KW_ONLY
    task: Task
    state: State
    near: bool

    @classmethod
    def on(cls, task: Task, state: State, near: bool) -> Awaits:
        """Return that a task waits for `task`."""
        return cls("needs", task.step.operation, task=task, state=state, near=near)

    def __str__(self) -> str:
        whose = "" if self.near else f"{self.task.record.label} "
        return f"{whose}{self.task.step.name} is {self.state}"

    @property
    def kind(self) -> str:
        """Which step is in which state."""
        return f"{self.what} is {self.state}"

    @property
    def cause(self) -> dict[str, Any]:
        """The other task."""
        record, step = self.task.record, self.task.step
        told = {"class": step.record.__name__, "record": record.label, "job": record.id}
        return {**told, "step": step.name, "state": str(self.state)}


@dataclass(slots=True)
class After(Reason):
    """That an operation written by hand waits for another one; made by `After.of`.

    Parameters
    ----------
    job : str
        The id of the job, or of the group of jobs, that the other one is of.
    verdict : Verdict
        Its state, and why.
    near : bool
        Whether it is one of the same job.
    """

    _: KW_ONLY
    job: str
    verdict: Verdict
    near: bool

    @classmethod
    def of(cls, operation: str, job: str, verdict: Verdict, near: bool) -> After:
        """Return that an operation waits for `operation` on `job`."""
        return cls("needs", operation, job=job, verdict=verdict, near=near)

    def __str__(self) -> str:
        whose = "" if self.near else f" of {self.job[:8]}"
        return f"{self.what}{whose} is {self.verdict.state}"

    @property
    def kind(self) -> str:
        """Which operation is in which state."""
        return f"{self.what} is {self.verdict.state}"

    @property
    def cause(self) -> dict[str, Any]:
        """The other operation, and its job."""
        state = str(self.verdict.state)
        return {"class": "", "job": self.job, "step": self.what, "state": state}


@dataclass(slots=True)
class MissingSeed(Reason):
    """That a seed is not there; made by `MissingSeed.of`.

    Parameters
    ----------
    source : Input
        The seed.
    """

    _: KW_ONLY
    source: Input

    @classmethod
    def of(cls, source: Input) -> MissingSeed:
        """Return that `source` is not there."""
        return cls("seed", source.label, source=source)

    def __str__(self) -> str:
        return f"{self.source.field} is missing: {self.what}"

    @property
    def kind(self) -> str:
        """Which field is missing."""
        return f"{self.source.field} is missing"

    @property
    def cause(self) -> dict[str, Any]:
        """The seed: its field, and where it should lie."""
        return {"field": self.source.field, "path": str(self.source.path)}


@dataclass(slots=True)
class Failed(Reason):
    """That the last attempt failed and nothing has changed since; made by `Failed.at`.

    Parameters
    ----------
    attempt : Attempt
        The attempt.
    """

    _: KW_ONLY
    attempt: Attempt

    @classmethod
    def at(cls, attempt: Attempt) -> Failed:
        """Return that `attempt` failed."""
        return cls("attempt", "", attempt=attempt)

    def __str__(self) -> str:
        return f"failed at attempt {self.attempt.number}: {self._error}"

    @property
    def _error(self) -> str:
        """What went wrong in one line, however many the error has."""
        lines = map(str.strip, str(self.attempt.error).splitlines())
        words = " ".join(line for line in lines if line)
        return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"

    @property
    def kind(self) -> str:
        """How it failed: the exception, the exit code, or else the error."""
        if self.attempt.exception:
            return f"failed ({self.attempt.exception})"
        if self.attempt.code is not None:
            return f"failed (exit {self.attempt.code})"
        return f"failed: {self._error}"

    @property
    def cause(self) -> dict[str, Any]:
        """The attempt."""
        names = ("number", "start", "end", "error", "exception", "code", "log", "runner")
        return {name: getattr(self.attempt, name) for name in names}


@dataclass(slots=True)
class Held(Reason):
    """That a runner has the task, or had it and died; made by `Held.by`.

    Parameters
    ----------
    owner : Owner
        The runner.
    alive : bool or None
        Whether it lives; None if that cannot be known from here.
    """

    _: KW_ONLY
    owner: Owner
    alive: bool | None

    @classmethod
    def by(cls, owner: Owner, alive: bool | None) -> Held:
        """Return that `owner` has the task."""
        return cls("claim", owner.runner, owner=owner, alive=alive)

    def __str__(self) -> str:
        if self.alive is False:
            return f"the attempt of {self.what} died; the next run finishes or discards it"
        unseen = ", which cannot be seen from here" if self.alive is None else ""
        return f"by {self.what}{unseen}"

    @property
    def kind(self) -> str:
        """Which runner has it."""
        return str(self)

    @property
    def cause(self) -> dict[str, Any]:
        """The runner."""
        identity = self.owner.identity
        host, pid = (identity.host, identity.pid) if identity is not None else (None, None)
        told = {"runner": self.what, "host": host, "pid": pid, "since": self.owner.start}
        return {**told, "alive": self.alive}


@dataclass(slots=True)
class Verdict:
    """The state of one task.

    Parameters
    ----------
    state : State
        The state.
    reasons : tuple of Reason
        Why; empty where a complete task needs no words.
    note : str
        ``found``, ``edited`` or ``accepted`` for a complete task, ``kept`` for a stale one that is
        left alone.
    log : Path or None
        The log of the attempt that failed.
    """

    state: State
    reasons: tuple[Reason, ...] = ()
    note: str = ""
    log: Path | None = None

    @classmethod
    def unreadable(cls, error: OSError, folder: Path) -> Verdict:
        """Return that a task waits for something that cannot be read, its job's folder or below."""
        where = str(error.filename or folder)
        text = f"{where} cannot be read: {error.strerror or error}"
        return cls(State.WAITING, (Reason("needs", where, text=text),))

    @property
    def usable(self) -> bool:
        """Whether other tasks may use the results."""
        return self.state is State.COMPLETE or (self.state is State.STALE and self.note == "kept")

    @property
    def wanted(self) -> bool:
        """Whether a run carries the task out."""
        return self.state is State.READY or (self.state is State.STALE and self.note != "kept")

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        why = "; ".join(str(reason) for reason in self.reasons)
        if why.startswith(f"{self.state} "):
            return why
        return f"{self.state}{note}{': ' if why else ''}{why}"
