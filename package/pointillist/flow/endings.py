"""How an operation ended, as an attempt: complete, failed and by what, or interrupted."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.errors import UserOperationError

from ..run.strays import ending_strays
from ..space.attempts import Attempt, Outcome
from ..space.claims import Owner

__all__ = ["attempt_of", "attempted", "death"]

_KEPT = "_pointillist_attempt"


def attempted(name: str, jobs: tuple[Any, ...], call: Callable[[], None]) -> Attempt:
    """Carry something out and tell how it ended; what it raises is raised, and has the attempt."""
    start = time.time()
    try:
        ending_strays(call)
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


def attempt_of(error: BaseException) -> Attempt | None:
    """Return the attempt that an error ended, also if the error came from another process."""
    return getattr(error, _KEPT, None)


def death(name: str, jobs: tuple[Any, ...], owner: Owner, text: str) -> Attempt:
    """Return the attempt of a process that died; it began after the last sign of its life."""
    now = time.time()
    start = min(owner.beat / 1e9, now)
    return Attempt(name, get_aggregate_id(jobs), "interrupted", 0, start, now, {}, error=text)
