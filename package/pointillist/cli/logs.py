"""``logs``: what an attempt printed."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..errors import ConfigurationError, RecordError
from ..flow.compiled import CompiledProject
from ..space.history import read_history
from ..space.journals import Attempt
from ..space.layout import JobFolder, logs_in
from ..view.console import console_for
from ..view.history import how_it_ended
from .onejob import OneJob, add_job, find_job, running_steps, steps_called, unrun_steps

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
    if args.follow and step.name in running_steps(job):
        try:
            return step.follow()
        except KeyboardInterrupt:
            return 0
    if args.follow:
        _say(f"{step} is not running; what it printed last:")
    return step.show(args.attempt)


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
        raise RecordError(f"{job.label}: nothing was printed{_never(lab, job)}.")
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


def _never(lab: CompiledProject, job: OneJob) -> str:
    states = [f"{step} is {state}" for step, state in unrun_steps(lab, job, None).items()]
    return f"; {'; '.join(states)}" if states else ""


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

    def show(self, number: int | None) -> int:
        """Print the log of one attempt, by default of the last that has one."""
        logs = self.logs()
        known = sorted({*self.attempts, *logs})
        if not known:
            operations = [self.operation]
            state = unrun_steps(self.lab, self.job, operations).get(self.name)
            raise RecordError(
                f"{self} was never carried out" + (f": it is {state}" if state else "."),
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
        return 0

    def _introduce(self, number: int, log: Path | None) -> None:
        attempt = self.attempts.get(number)
        ended = f"{attempt.outcome}" if attempt else "not recorded as ended"
        said = how_it_ended(attempt) if attempt else ""
        _say(f"{self}: attempt {number}, {ended}{f': {said}' if said else ''}")
        if log is not None:
            _say(f"{log}")
        elif attempt is not None and attempt.log is not None:
            _say(f"its log is gone: {self.root / attempt.log}")
        else:
            _say("nothing was printed")

    def follow(self) -> int:
        """Print the log of the running attempt as it grows, until the claim is gone."""
        number = self._ended() + 1
        tail = self._tail(number)
        _say(f"{self}: attempt {number}, running; {tail.path}")
        any_ended = False
        while True:
            # looked at in this order: what ends after the look is seen in the next round
            is_running = self.name in running_steps(self.job)
            ended = self._ended()
            tail.more()
            while number <= ended:
                any_ended = True
                self._say_end(number, tail)
                number += 1
                tail = self._tail(number)  # of a retry, if the claim stays
                tail.more()
            if not is_running:
                if not any_ended:
                    _say(f"attempt {number} ended, and nothing is recorded of how")
                return 0
            time.sleep(_PAUSE)

    def _ended(self) -> int:
        """Return the highest number of an attempt that has ended."""
        known = self.lab.engine.attempts.refresh(self.lab.engine.space.layout)
        return known.count.get((self.operation, self.job.id), 0)

    def _tail(self, number: int) -> _Tail:
        assert self.job.folder is not None  # a job that is gone has no claims
        return _Tail(self.job.folder.log(self.name, number))

    def _say_end(self, number: int, tail: _Tail) -> None:
        self._look()
        attempt = self.attempts.get(number)
        outcome = attempt.outcome if attempt is not None else "ended"
        said = how_it_ended(attempt) if attempt is not None else ""
        nothing = "" if tail.position else "; nothing was printed"
        _say(f"attempt {number}: {outcome}{f': {said}' if said else ''}{nothing}")


class _Tail:
    """What a log has that was not printed yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0

    def more(self) -> None:
        """Print it, as it is: logs may hold any bytes."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.position)
                while piece := file.read(1 << 20):
                    sys.stdout.buffer.write(piece)
                    self.position += len(piece)
        except FileNotFoundError:
            return
        sys.stdout.flush()


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except OSError:
        return 0
