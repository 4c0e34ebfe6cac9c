"""One attempt of one task, from the noting of its inputs to the publishing of its outputs.

The order is what makes it safe to be killed at any instant: nothing is in an output's place before
the journal says that the attempt is complete, and when it says so, everything that has yet to be
renamed lies there whole.
"""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..commands.matlab import Program, find_program
from ..errors import (
    FormatError,
    InputChanged,
    OutputMissing,
    OutputUnwritable,
    PointillistError,
    SeedUnreadable,
    SpaceError,
    StepFailed,
    Superseded,
    TaskError,
)
from ..formats import format_for
from ..model.fields import Output
from ..plan.planner import Planner
from ..plan.tasks import Input, Needs, Task
from ..space.claims import Claim
from ..space.dataspace import DataSpace
from ..space.fingerprints import Fingerprint, glance, look
from ..space.journals import Attempt, Journal, Outcome, StoredOutput
from .calls import Bench, named, part_of
from .environment import Environment
from .logs import begin_log, end_log
from .publish import discard, publish, uninterrupted

__all__ = ["Worker"]


@dataclass
class Worker:
    """Carries out attempts and records them.

    Parameters
    ----------
    space : DataSpace
        The records.
    planner : Planner
        Knows what a task depends on; learns of each attempt.
    journal : Journal
        This runner's.
    environment : Environment
        What it runs in.
    matlab : str or None
        The program for MATLAB steps that was asked for.
    timeout : float or None
        Seconds that a step which says nothing itself may take.
    """

    space: DataSpace
    planner: Planner
    journal: Journal
    environment: Environment
    matlab: str | None = None
    timeout: float | None = None

    def program(self) -> Program:
        """Return the program for MATLAB functions.

        Raises
        ------
        ProgramNotFound
            If there is none.
        """
        return find_program(self.matlab, self.space.configuration.matlab)

    def attempt(self, task: Task, claim: Claim) -> Attempt:
        """Attempt a claimed task once, record how it ended, and publish what it made.

        Returns
        -------
        Attempt
            With the outcome ``complete`` or ``failed``.

        Raises
        ------
        KeyboardInterrupt
            After the attempt was recorded as interrupted.
        SpaceError
            If a failure cannot even be recorded.
        Superseded
            If another runner took the task over.
        """
        return _Try(self, task, claim).run()

    def baseline(self, task: Task) -> Attempt | None:
        """Record outputs that were found, with the inputs that are there beside them."""
        needs, folder = self.planner.needs(task), self.space.job_folder(task.record)
        limit = self.space.configuration.hash_limit
        inputs: dict[str, Fingerprint | None] = {}
        outputs = {}
        try:
            for name, source in needs.inputs.items():
                inputs[name] = look(source.path, limit)
                if inputs[name] is None and not source.optional:
                    return None
            for made in task.step.outputs:
                seen = look(folder.output(str(made.filename)), limit)
                if seen is None:
                    return None
                outputs[made.name] = StoredOutput(str(made.filename), seen)
        except OSError:
            return None
        if self.planner.attempts.refresh(self.space.layout).last_good.get(task.key):
            return None  # another runner has just made them: its record is the better one
        now = time.time()
        attempt = self.describe(task, needs, "found", now, inputs, number=0, outputs=outputs)
        self.journal.append(attempt)
        self.planner.attempts.add(attempt)
        return attempt

    def log_of(self, log: Path) -> str | None:
        """Return an attempt's log as it is recorded; one without a word is removed."""
        return str(log.relative_to(self.space.layout.root)) if end_log(log) else None

    def describe(
        self,
        task: Task,
        needs: Needs,
        outcome: Outcome,
        start: float,
        inputs: dict[str, Fingerprint | None],
        number: int,
        **more: Any,
    ) -> Attempt:
        """Return an attempt that ends now, with all that the task depends on as it is."""
        last = self.planner.attempts.last.get(task.key)
        # attempts are ordered by their end, also when a clock was set back in between
        end = max(time.time(), last.end + 1e-6) if last is not None else time.time()
        members = [member.id for member in needs.members] if needs.members is not None else None
        return Attempt(
            operation=task.step.operation,
            job=task.record.id,
            outcome=outcome,
            number=number,
            start=start,
            end=end,
            inputs=inputs,
            arguments=needs.arguments,
            members=members,
            version=task.step.call.options.version,
            source=self.planner.source(task),
            **more,
        )


class _Try:
    """One attempt while it runs."""

    def __init__(self, worker: Worker, task: Task, claim: Claim) -> None:
        self.worker, self.task, self.claim = worker, task, claim
        self.folder = claim.folder
        self.needs = worker.planner.needs(task)
        self.number = worker.planner.attempts.count.get(task.key, 0) + 1
        self.start = time.time()
        self.inputs: dict[str, Fingerprint | None] = {}
        # of its own for each attempt: what an earlier one recorded must not be mistaken for it
        place = (task.step.name, claim.generation, f"{worker.journal.runner} {self.number}")
        self.stage = self.folder.stage(*place)
        self.is_command = task.step.call.kind != "python"
        self.staged: dict[str, Path] = {
            made.name: (
                self.stage / str(made.filename)
                if self.is_command
                else self.folder.stage_file(*place, str(made.filename))
            )
            for made in task.step.outputs
        }
        self.log = self.folder.log(task.step.name, self.number)
        self.bench = Bench(
            space=worker.space,
            record=task.record,
            places={made.part: self.staged[made.name] for made in task.step.outputs},
            log=self.log,
            control=self.folder.control(*place),
            program=worker.program,
            timeout=worker.timeout,
            members=self.needs.members,
        )

    def run(self) -> Attempt:
        try:
            self._note_inputs()
            outputs = self._make()
            self._look_again()
        except KeyboardInterrupt:
            self._ended("interrupted", "interrupted")
            raise
        except Exception as error:
            return self._failed(self._cause(error))
        with uninterrupted():
            return self._commit(outputs)

    def _cause(self, error: Exception) -> Exception:
        """Return why it went wrong: not the step's fault if an input changed under its hands."""
        if not isinstance(error, InputChanged) and len(self.inputs) == len(self.needs.inputs):
            try:
                self._look_again()
            except InputChanged as changed:
                return InputChanged(f"{changed} It failed then: {error}")
            except OSError:
                pass
        return error

    def _commit(self, outputs: dict[str, StoredOutput]) -> Attempt:
        """Record what was made, then publish it."""
        self._check_claim()
        try:
            attempt = self._recorded("complete", outputs=outputs)
        except SpaceError as error:
            return self._failed(error)
        self._learn(attempt)
        try:
            publish(self.folder, self.task.step.name, attempt)
        except OSError as error:
            return self._failed(
                OutputUnwritable(
                    f"what it made cannot take its place: {_said(error)}. Make the job's folder "
                    "writable."
                )
            )
        discard(self.folder, self.task.step.name, self.stage)
        return attempt

    def _check_claim(self) -> None:
        try:
            lost = self.claim.superseded()
        except OSError:
            lost = False  # the folder is gone: what comes next says so
        if lost:
            discard(self.folder, self.task.step.name, self.stage)
            raise Superseded(
                f"{self.task}: another runner took it over; what was made here is discarded.",
                record=self.task.record.label,
                step=self.task.step.operation,
            )

    def _failed(self, error: Exception) -> Attempt:
        """Record that the attempt failed, unless another runner has the task now."""
        self._check_claim()
        if isinstance(error, PointillistError):
            text = str(error)
        elif isinstance(error, OSError):
            text = f"{_said(error)}."
        else:  # of a format, or of ours
            self._print(error)
            text = f"{type(error).__name__}: {error}"
        return self._ended("changed" if isinstance(error, InputChanged) else "failed", text)

    def _print(self, error: Exception) -> None:
        """Write an error that nobody expected into the log."""
        with contextlib.suppress(OSError):
            begin_log(self.log)
            with self.log.open("a", encoding="utf-8", errors="replace") as file:
                traceback.print_exception(error, file=file)

    def _note_inputs(self) -> None:
        limit = self.worker.space.configuration.hash_limit
        now = os.stat(self.folder.claim(self.task.step.name, self.claim.generation)).st_ctime_ns
        for name, source in self.needs.inputs.items():
            self.inputs[name] = self._seen(source, limit, now)
            if self.inputs[name] is None and not source.optional:
                raise SeedUnreadable(f"{source.name.partition('/')[2]} is gone: {source.label}")

    def _seen(self, source: Input, limit: int, now: int) -> Fingerprint | None:
        if source.maker is not None:
            made = self.worker.planner.attempts.last_good.get(source.maker.key)
            field = source.name.partition("/")[2]
            if made is not None and field in made.outputs:
                known, there = made.outputs[field].print, glance(source.path)
                if there is not None and there.same_glance(known) and not known.young:
                    return known
        try:
            return look(source.path, limit, now if source.maker is None else None)
        except OSError as error:
            field = source.name.partition("/")[2]
            raise SeedUnreadable(
                f"{field} cannot be read: {source.label}: {error.strerror or error}. "
                "Look at its permissions."
            ) from error

    def _make(self) -> dict[str, StoredOutput]:
        call = self.task.step.call
        discard(self.folder, self.task.step.name)
        if self.is_command and call.out_parts:
            self.stage.mkdir()
        value = self.bench.carry_out(call, self.task.step.outputs[0].annotation)
        outputs = {}
        for made in self.task.step.outputs:
            staged = self.staged[made.name]
            if made.part in call.out_parts:
                self._check_written(made, staged, value)
            else:
                self._write(made, staged, value)
            limit = self.worker.space.configuration.hash_limit
            seen = look(staged, limit)
            if seen is None:
                raise OutputMissing(f"{made.filename} vanished while it was looked at.")
            name = str(staged.relative_to(self.folder.path))
            outputs[made.name] = StoredOutput(str(made.filename), seen, name)
        return outputs

    def _check_written(self, made: Output, staged: Path, value: Any) -> None:
        call = self.task.step.call
        if not os.path.lexists(staged):
            which = f"pt.out({made.part!r})" if made.part else "pt.out"
            raise OutputMissing(
                f"{named(call)} ended well but did not write {made.filename}. Let it write to the "
                f"path that it gets for {which}.",
                log=self.log,
            )
        if value is not None and not self.is_command and Path(str(value)) != staged:
            if made.part is None:
                raise StepFailed(
                    f"{call.name} took pt.out and returned {value!r}; a step that takes pt.out "
                    "returns that path, or None."
                )

    def _write(self, made: Output, staged: Path, value: Any) -> None:
        staged.parent.mkdir(exist_ok=True)
        try:
            part = part_of(value, made)
            format_for(made.annotation, str(made.filename)).write(
                part, staged, **made.writer_options
            )
        except FormatError as error:
            raise OutputUnwritable(
                f"what {self.task.step.call.name} returned cannot be written to {made.filename}: "
                f"{error}"
            ) from error
        except OSError as error:
            raise OutputUnwritable(
                f"{made.filename} cannot be written: {error.strerror or error}."
            ) from error
        except Exception as error:
            self._print(error)
            raise OutputUnwritable(
                f"what {self.task.step.call.name} returned cannot be written to {made.filename}: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not os.path.lexists(staged):
            raise OutputMissing(f"the format of {made.filename} wrote nothing.")

    def _look_again(self) -> None:
        for name, source in self.needs.inputs.items():
            seen, now = self.inputs[name], glance(source.path)
            if seen == now or (seen and now and seen.same_glance(now)):
                continue
            what = "changed" if seen and now else "vanished" if seen else "appeared"
            raise InputChanged(
                f"{source.label} {what} while the step ran; what was made of it is discarded. "
                "Run again when nothing writes to it any more."
            )

    def _ended(self, outcome: Outcome, error: str) -> Attempt:
        """Record an attempt that made nothing."""
        discard(self.folder, self.task.step.name, self.stage)
        try:
            attempt = self._recorded(outcome, error=error)
        except SpaceError:
            # nothing can be recorded; the run still says what happened
            attempt = self._attempt(outcome, error=error)
        self._learn(attempt)
        return attempt

    def _attempt(self, outcome: Outcome, **more: Any) -> Attempt:
        log = self.worker.log_of(self.log)
        return self.worker.describe(
            self.task, self.needs, outcome, self.start, self.inputs, self.number, log=log, **more
        )

    def _recorded(self, outcome: Outcome, **more: Any) -> Attempt:
        try:
            environment = self.worker.environment.record(self.bench.matlab)
        except OSError as error:
            raise SpaceError(f"the environment cannot be recorded: {error}.") from error
        attempt = self._attempt(outcome, environment=environment, **more)
        self.worker.journal.append(attempt)
        return attempt

    def _learn(self, attempt: Attempt) -> None:
        self.worker.planner.attempts.add(attempt)
        self.worker.planner.forget(self.task)


def failure(task: Task, attempt: Attempt, root: Path) -> TaskError:
    """Return a failed attempt as an error with record, step and log."""
    log = root / attempt.log if attempt.log else None
    text = f"{task}: {attempt.error}" + (f"\n  log: {log}" if log else "")
    return TaskError(text, record=task.record.label, step=task.step.operation, log=log)


def _said(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
