"""What a journal tells: ended attempts, and which jobs are excluded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .fingerprints import Fingerprint

__all__ = ["Attempt", "Exclusion", "Outcome", "StoredOutput", "attempt_in", "exclusion_in"]

Outcome = Literal["complete", "found", "accepted", "failed", "changed", "interrupted", "reset"]


@dataclass(slots=True)
class StoredOutput:
    """An output as an attempt made it.

    Parameters
    ----------
    file : str
        Its name in the job's folder.
    print : Fingerprint
        What was staged; renaming it into place changes neither size nor time.
    staged : str
        Its name in the job's folder before it was renamed into place.
    """

    file: str
    print: Fingerprint
    staged: str = ""


@dataclass(slots=True)
class Attempt:
    """One ended execution of a task.

    Parameters
    ----------
    operation : str
        ``Block.stats``.
    job : str
        The job's id.
    outcome : {"complete", "found", "accepted", "failed", "changed", "interrupted", "reset"}
        ``found`` and ``accepted`` are no executions: outputs that were there, or that somebody
        blessed, and the inputs seen beside them; ``changed``: an input changed while the step
        ran; ``reset``: the outputs were removed, and what was before does not count any more.
    number : int
        1 for the task's first attempt.
    start, end : float
        Seconds since 1970.
    inputs : dict of str to Fingerprint or None
        By ``<job id>/<field>``; None for an optional seed that was not there.
    arguments : object
        What it was called with, as JSON.
    members : list of str or None
        The members' ids, in order, if the step takes anything from them.
    version : str or None
        The author's version.
    source : str or None
        The hash of the step's source.
    outputs : dict of str to StoredOutput
        By field.
    environment : str
        The hash under which the environment is kept.
    log : str or None
        The log, relative to the project, if anything was printed.
    error : str or None
        What went wrong, in a line.
    code : int or None
        The exit code of a command that failed; ``-n`` when signal ``n`` ended it.
    exception : str or None
        The name of the exception that a step, or the format of its output, raised.
    note : str or None
        What somebody who accepted or reset it said.
    ran_by : str or None
        The runner that carried it out, if it is not the one in whose journal it stands: a record
        that gets other keys takes its attempts along.
    user : str or None
        Who accepted or reset it.
    runner : str
        The journal that it stands in.
    """

    operation: str
    job: str
    outcome: Outcome
    number: int
    start: float
    end: float
    inputs: dict[str, Fingerprint | None]
    arguments: Any = None
    members: list[str] | None = None
    version: str | None = None
    source: str | None = None
    outputs: dict[str, StoredOutput] = field(default_factory=dict)
    environment: str = ""
    log: str | None = None
    error: str | None = None
    code: int | None = None
    exception: str | None = None
    note: str | None = None
    ran_by: str | None = None
    user: str | None = None
    runner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, without what is not set."""
        data: dict[str, Any] = {
            "operation": self.operation,
            "job": self.job,
            "outcome": self.outcome,
            "number": self.number,
            "start": self.start,
            "end": self.end,
        }
        for name in _OPTIONAL:
            value = getattr(self, name)
            if value is not None:
                data[name] = value
        if self.environment:
            data["environment"] = self.environment
        data["inputs"] = {name: p and p.as_json() for name, p in self.inputs.items()}
        data["outputs"] = {
            name: {"file": o.file, "staged": o.staged, **o.print.as_json()}
            for name, o in self.outputs.items()
        }
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any], runner: str) -> Attempt:
        """Return the attempt that `as_json` described."""
        known = {name: v for name, v in data.items() if name in _FIELDS}
        known["inputs"] = {
            name: None if p is None else Fingerprint.from_json(p)
            for name, p in data.get("inputs", {}).items()
        }
        known["outputs"] = {
            name: StoredOutput(o["file"], Fingerprint.from_json(o), o.get("staged", ""))
            for name, o in data.get("outputs", {}).items()
        }
        return cls(**known, runner=runner)


_FIELDS = frozenset(Attempt.__dataclass_fields__)
_OPTIONAL = [name for name, field in Attempt.__dataclass_fields__.items() if field.default is None]


@dataclass(frozen=True)
class Exclusion:
    """That a job is excluded from now on, or included again.

    Parameters
    ----------
    job : str
        The job's id.
    excluded : bool
        False if it is included again.
    reason : str
        Why, as somebody said.
    time : float
        Seconds since 1970.
    user : str
        Who said so.
    runner : str
        The journal that it stands in.
    """

    job: str
    excluded: bool
    reason: str
    time: float
    user: str = ""
    runner: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        told = {"job": self.job, "excluded": self.excluded, "reason": self.reason}
        return {**told, "time": self.time, "user": self.user}


def attempt_in(data: dict[str, Any] | None, runner: str) -> Attempt | None:
    """Return the attempt that a journal's line tells, or None if it tells none of this format."""
    if data is None or data.get("kind") != "attempt":
        return None
    try:
        attempt = Attempt.from_json(data, runner)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return attempt if _is_sound(attempt) else None


def _is_sound(attempt: Attempt) -> bool:
    """Whether what is compared and ordered by is of the right types, whoever wrote the line."""
    prints = [*attempt.inputs.values(), *(made.print for made in attempt.outputs.values())]
    return (
        isinstance(attempt.operation, str)
        and isinstance(attempt.job, str)
        and attempt.outcome in get_args(Outcome)
        and isinstance(attempt.number, int)
        and isinstance(attempt.start, int | float)
        and isinstance(attempt.end, int | float)
        and all(p is None or (isinstance(p.size, int) and isinstance(p.mtime, int)) for p in prints)
    )


def exclusion_in(data: dict[str, Any] | None, runner: str) -> Exclusion | None:
    """Return the exclusion that a journal's line tells, or None if it tells none."""
    if data is None or data.get("kind") != "exclusion":
        return None
    try:
        said = (str(data["job"]), bool(data["excluded"]), str(data["reason"]), float(data["time"]))
        return Exclusion(*said, str(data.get("user", "")), runner)
    except (KeyError, TypeError, ValueError):
        return None
