"""``logs``: what an attempt printed."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..errors import ConfigurationError, RecordError, SpaceError
from ..flow.compiled import CompiledProject
from ..space.attempts import Attempt
from ..space.history import read_history
from ..space.layout import JobFolder, logs_in
from ..view.console import console_for
from ..view.history import how_it_ended
from .onejob import OneJob, add_job, find_job, running_steps, states, steps_called

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py logs stats -j 3f2a           of the last attempt that printed anything
  python project.py logs stats -j 3f2a --attempt 1
  python project.py logs stats -j 3f2a --follow  as it is printed, until the attempt ends
"""

_PAUSE = 0.1
"""Seconds between two looks at a log that is followed."""

_EXECUTIONS = ("complete", "failed", "changed", "interrupted")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "logs",
        help="What an attempt of a step printed.",
        description="Print the log of an attempt on standard output, and on standard error which "
        "attempt it is and how it ended.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "step", nargs="?", metavar="STEP", help="The step; needed if several have logs."
    )
    add_job(parser)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--attempt", type=int, metavar="N", help="This attempt, not the last.")
    which.add_argument(
        "--follow", action="store_true", help="Go on as more is printed, until the attempt ends."
    )
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``logs`` out; return the exit code."""
    job = find_job(lab, args.job_id)
    step = _Step(lab, job, _operation(lab, job, args.step))
    if args.follow:
        try:
            if step.follow():
                return 0
        except KeyboardInterrupt:
            return 0
        _say(f"{step} is not running; what it printed last:")
    step.show(args.attempt)
    return 0


def _operation(lab: CompiledProject, job: OneJob, name: str | None) -> str:
    """Return the operation that is meant: the one that is named, or the only one with a log."""
    if name is not None:
        found = steps_called(lab, name, job)
        if len(found) == 1:
            return found[0]
        raise ConfigurationError(f"{name} means several steps: {', '.join(found)}. Name one.")
    running = {_operation_of(job, step) for step in running_steps(job)}
    operations = {attempt.operation for attempt in job.history.attempts} | running
    operations |= {_operation_of(job, step) for step in _lying(job.folder)}
    logs = {o: sorted(_Step(lab, job, o).logs()) for o in sorted(operations)}
    logs = {o: numbers for o, numbers in logs.items() if numbers or o in running}
    if len(logs) == 1:
        return next(iter(logs))
    if not logs:
        known = "".join(f"\n  {step} is {state}" for step, state in states(lab, job).items())
        raise RecordError(
            f"{job.label}: there is no log, nothing was printed{known and ':'}{known}"
        )
    listed = "".join(
        f"\n  {operation}: attempts {', '.join(map(str, numbers)) or '(running)'}"
        for operation, numbers in logs.items()
    )
    raise ConfigurationError(
        f"{job.label}: several steps have logs. Name one, `logs STEP -j {job.id[:8]}`:{listed}"
    )


def _operation_of(job: OneJob, step: str) -> str:
    if job.record is not None and step in type(job.record).__steps__:
        return type(job.record).__steps__[step].operation
    return step


def _lying(folder: JobFolder | None) -> dict[str, list[int]]:
    """Return the attempts whose logs lie in a job's folder, by step."""
    if folder is None:
        return {}
    try:
        return logs_in([path.name for path in folder.logs.iterdir()])
    except OSError:
        return {}


def _say(text: str) -> None:
    """Say something that is no part of a log."""
    console_for(sys.stderr).print(text, markup=False)


class _Step:
    """The attempts of one step on one job, and their logs."""

    def __init__(self, lab: CompiledProject, job: OneJob, operation: str) -> None:
        self.lab, self.job, self.operation = lab, job, operation
        self.name = operation.rpartition(".")[2]
        self.root = lab.engine.root
        self._look()

    def __str__(self) -> str:
        return f"{self.job.label}  {self.name}"

    def _look(self) -> None:
        """Read what is recorded by now."""
        self.attempts: dict[int, Attempt] = {
            attempt.number: attempt
            for attempt in read_history(self.lab.engine.space.layout, self.job.id).attempts
            if attempt.operation == self.operation and attempt.outcome in _EXECUTIONS
        }

    def logs(self) -> dict[int, Path]:
        """Return the logs that are there, by the number of the attempt."""
        found = {n: self.root / a.log for n, a in self.attempts.items() if a.log is not None}
        for number in _lying(self.job.folder).get(self.name, []):
            assert self.job.folder is not None
            found.setdefault(number, self.job.folder.log(self.name, number))
        return {number: log for number, log in found.items() if _size(log)}

    def show(self, number: int | None) -> None:
        """Print the log of one attempt, by default of the last that has one."""
        logs = self.logs()
        known = sorted({*self.attempts, *logs})
        if not known:
            state = states(self.lab, self.job, [self.operation]).get(self.name)
            raise RecordError(
                f"{self} was never carried out" + (f"; it is {state}" if state else "."),
                record=self.job.label,
                step=self.operation,
            )
        if number is None:
            number = max(logs) if logs else known[-1]
        elif number not in known:
            there = "is 1 only" if known == [1] else f"are {', '.join(map(str, known))}"
            raise ConfigurationError(f"{self} has no attempt {number}: there {there}.")
        self._introduce(number, logs.get(number))
        if number in logs:
            _Tail(logs[number]).more()

    def _introduce(self, number: int, log: Path | None) -> None:
        attempt = self.attempts.get(number)
        _say(f"{self}: attempt {number}, {self._ending(number)}")
        if log is not None:
            _say(f"{log}")
        elif attempt is not None and attempt.log is not None:
            _say(f"its log is gone: {self.root / attempt.log}")
        else:
            _say("nothing was printed")

    def follow(self) -> bool:
        """Print the log of the running attempt as it grows, until the claim is gone.

        Returns
        -------
        bool
            False if the step is not running; nothing was printed then.
        """
        # always looked at in an order in which what ends in between is seen in the next round
        number, any_ended = self._ended() + 1, False
        if self.name not in running_steps(self.job):
            return False
        tail = self._tail(number)
        _say(f"{self}: attempt {number}, running; {tail.path}")
        is_running = True
        while is_running:
            is_running = self.name in running_steps(self.job)
            ended = self._ended()
            tail.more()
            while number <= ended:
                self._look()
                nothing = "" if tail.position else "; nothing was printed"
                _say(f"attempt {number}, {self._ending(number)}{nothing}")
                any_ended = True
                number += 1
                tail = self._tail(number)  # of a retry, if the claim stays
                tail.more()
            time.sleep(_PAUSE if is_running else 0)
        if not any_ended:
            _say(f"{self} is no longer running; nothing is recorded of attempt {number}")
        return True

    def _ending(self, number: int) -> str:
        """Return how an attempt has ended, in words."""
        attempt = self.attempts.get(number)
        if attempt is None:
            return "running" if self.name in running_steps(self.job) else "of no recorded end"
        said = how_it_ended(attempt)
        return f"{attempt.outcome}{f': {said}' if said else ''}"

    def _ended(self) -> int:
        """Return the highest number of an attempt that has ended."""
        known = self.lab.engine.attempts.refresh(self.lab.engine.space.layout)
        return known.count.get((self.operation, self.job.id), 0)

    def _tail(self, number: int) -> _Tail:
        assert self.job.folder is not None  # a job that is gone has no claims
        return _Tail(self.job.folder.log(self.name, number))


class _Tail:
    """What a log has that was not printed yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0

    def more(self) -> None:
        """Print it, as it is: logs may hold any bytes.

        Raises
        ------
        SpaceError
            If it cannot be read.
        """
        while piece := self._read():
            sys.stdout.buffer.write(piece)
            self.position += len(piece)
        sys.stdout.flush()

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(self.position)
                return file.read(1 << 20)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise SpaceError(
                f"the log {self.path} cannot be read: {error.strerror or error}. Make it readable "
                "for you."
            ) from error


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
