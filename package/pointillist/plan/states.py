"""States, and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

__all__ = ["Reason", "State", "Verdict", "day"]


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


@dataclass(frozen=True)
class Reason:
    """Why a task is in its state.

    Parameters
    ----------
    rule : str
        ``output``, ``input``, ``argument``, ``version``, ``source``; or ``needs`` (it waits for
        something), ``seed`` (it waits for a seed that is missing), ``attempt`` (the last one
        failed or died), ``claim`` (a runner has it), ``condition`` (of a hand-written operation: it
        does not hold, or raised), ``accepted``, ``reset``, ``excluded`` (somebody said so).
    what : str
        What the rule is about: an input's name, an argument.
    old, new : str
        What was recorded and what is there now; empty where the rule has no two sides.
    text : str
        The reason in words.
    """

    rule: str
    what: str
    old: str = ""
    new: str = ""
    text: str = ""

    def __str__(self) -> str:
        if self.text:
            return self.text
        return f"{self.rule} {self.what} changed ({self.old} → {self.new})"


@dataclass(frozen=True)
class Verdict:
    """The state of one task.

    Parameters
    ----------
    state : State
        The state.
    reasons : tuple of Reason
        Why; empty where a complete task needs no words.
    note : str
        ``found``, ``accepted`` or ``edited`` for a complete task, ``kept`` for a stale one that is
        left alone.
    log : Path or None
        The log of the attempt that failed.
    """

    state: State
    reasons: tuple[Reason, ...] = field(default_factory=tuple)
    note: str = ""
    log: Path | None = None

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
