"""History: everything that the journals tell, each attempt once.

The planner needs the last attempts only (`Attempts`); here all of them are read, with who their
runners were. A journal may lie there twice, as a copy under another name, and a record that got
other keys has taken its attempts along under another job id and, if it got its old keys back, once
more under the first: what tells of the same attempt counts once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import SpaceError
from .attempts import Attempt, Exclusion, attempt_in, exclusion_in
from .journals import read_journal
from .layout import Layout

__all__ = ["History", "RunnerLine", "attempt_id", "read_environment", "read_history"]


@dataclass(frozen=True)
class RunnerLine:
    """Who a runner was: the first line of its journal.

    Parameters
    ----------
    name : str
        The runner's name.
    executor, user, host : str
        What carried its tasks out, for whom and where; empty if the journal does not say.
    told : Mapping
        The whole line.
    """

    name: str
    executor: str = ""
    user: str = ""
    host: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], otherwise: str) -> RunnerLine:
        """Return who a journal's first line tells of; `otherwise` names it if the line does not."""
        said = {name: str(data.get(name, "")) for name in ("executor", "user", "host")}
        return cls(str(data.get("runner") or otherwise), **said, told=data)


@dataclass
class History:
    """What journals tell, oldest first.

    Parameters
    ----------
    attempts : list of Attempt
        By their ends.
    exclusions : list of Exclusion
        By their times.
    runners : dict of str to RunnerLine
        By name.
    """

    attempts: list[Attempt] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    runners: dict[str, RunnerLine] = field(default_factory=dict)
    _by_job: dict[str, list[Attempt]] = field(default_factory=dict)

    def of(self, job: str) -> list[Attempt]:
        """Return the attempts on one job, oldest first."""
        if not self._by_job:
            for attempt in self.attempts:
                self._by_job.setdefault(attempt.job, []).append(attempt)
        return self._by_job.get(job, [])

    def jobs(self) -> list[str]:
        """Return the ids of the jobs that are told of."""
        told = [attempt.job for attempt in self.attempts]
        return list(dict.fromkeys([*told, *(exclusion.job for exclusion in self.exclusions)]))

    def who(self, entry: Attempt | Exclusion) -> RunnerLine:
        """Return the runner that carried an attempt out, or that wrote an exclusion."""
        name = entry.runner
        if isinstance(entry, Attempt) and entry.ran_by is not None:
            name = entry.ran_by
        found = self.runners.get(name, RunnerLine(name))
        # a rekey carries on what somebody else has said
        return replace(found, user=entry.user) if entry.user else found

    def described(self, entry: Attempt | Exclusion) -> dict[str, Any]:
        """Return all that is recorded of an attempt or an exclusion, as plain data."""
        who = self.who(entry)
        told = {"runner": who.name, "user": who.user, "host": who.host, "executor": who.executor}
        return {**entry.as_json(), **told}


def attempt_id(attempt: Attempt) -> str:
    """Return what identifies an attempt, however often it stands in journals: a short hash."""
    return hashlib.sha256(json.dumps(_told(attempt)).encode()).hexdigest()[:16]


def _told(attempt: Attempt) -> tuple[Any, ...]:
    return attempt.operation, attempt.job, attempt.number, attempt.start, attempt.outcome


def read_history(layout: Layout, job: str = "") -> History:
    """Read all journals in full.

    Parameters
    ----------
    layout : Layout
        The project's places.
    job : str
        Only what concerns jobs whose id begins so.

    Raises
    ------
    SpaceError
        If a journal cannot be read.
    """
    attempts: dict[tuple[Any, ...], Attempt] = {}
    exclusions: dict[tuple[Any, ...], Exclusion] = {}
    runners: dict[str, RunnerLine] = {}
    for path in layout.journals():
        runner = RunnerLine(path.stem)
        try:
            for data in read_journal(path, job.encode()):
                if data.get("kind") == "runner":
                    runner = RunnerLine.from_json(data, path.stem)
                    runners.setdefault(runner.name, runner)
                attempt = attempt_in(data, runner.name)
                if attempt is not None and attempt.job.startswith(job):
                    known = attempts.get(_told(attempt))
                    if known is None or attempt.end >= known.end:
                        attempts[_told(attempt)] = attempt
                exclusion = exclusion_in(data, runner.name)
                if exclusion is not None and exclusion.job.startswith(job):
                    said = (exclusion.job, exclusion.time, exclusion.excluded, exclusion.reason)
                    exclusions.setdefault(said, exclusion)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise SpaceError(
                f"the journal {path} cannot be read: {error.strerror or error}. It says what was "
                "done; make it readable for you."
            ) from error
    return History(
        sorted(attempts.values(), key=lambda attempt: attempt.end),
        sorted(exclusions.values(), key=lambda exclusion: exclusion.time),
        runners,
    )


def read_environment(layout: Layout, digest: str) -> dict[str, Any] | None:
    """Return the environment that goes by a hash, None if it is not there or cannot be read."""
    try:
        data = json.loads(layout.environment(digest).read_bytes())
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None
