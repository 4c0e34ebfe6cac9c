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
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..commands.matlab import Program, find_program
from ..commands.sessions import Sessions
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
from ..formats import as_path, format_for
from ..model.fields import Output
from ..plan.planner import Planner
from ..plan.tasks import Input, Needs, Task
from ..space.attempts import Attempt, Outcome, StoredOutput
from ..space.claims import Claim
from ..space.dataspace import DataSpace
from ..space.fingerprints import Fingerprint, glance, look
from ..space.journals import Journal
from ..space.layout import CONTROL, stage_name
from .calls import Bench, named, part_of
from .environment import Environment
from .heartbeat import surely_held
from .interruption import interruptible
from .logs import end_log
from .publish import discard, publish

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
    cold_matlab : bool
        Whether each MATLAB step starts MATLAB anew.

    Attributes
    ----------
    sessions : Sessions or None
        Carry out MATLAB steps, while they are to share a session.
    """

    space: DataSpace
    planner: Planner
    journal: Journal
    environment: Environment
    matlab: str | None = None
    timeout: float | None = None
    cold_matlab: bool = False
    sessions: Sessions | None = field(default=None, init=False)

    @contextlib.contextmanager
    def warm(self) -> Iterator[None]:
        """Let MATLAB steps share a session for a while, unless each is to start MATLAB anew."""
        if self.cold_matlab:
            yield
            return
        try:
            with Sessions() as self.sessions:
                yield
        finally:
            self.sessions = None

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

    def fail(self, task: Task, claim: Claim, error: TaskError, start: float) -> Attempt:
        """Record that an attempt which another process began has failed, as that has died.

        Parameters
        ----------
        task : Task
            The task.
        claim : Claim
            This runner's claim on it.
        error : TaskError
            How it ended.
        start : float
            When it began, in seconds since 1970.

        Raises
        ------
        Superseded
            If another runner took the task over.
        """
        return _Try(self, task, claim).fail(error, start)

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
                seen = look(folder.file(str(made.filename)), limit)
                if seen is None:
                    return None
                outputs[made.name] = StoredOutput(str(made.filename), seen)
        except OSError:
            return None
        if self.planner.attempts.refresh(self.space.layout).last_good.get(task.key):
            return None  # another runner has just made them: its record is the better one
        now = time.time()
        attempt = self.describe(task, needs, "found", now, inputs, number=0, outputs=outputs)
        self.record(attempt)
        return attempt

    def record(self, attempt: Attempt) -> None:
        """Record an attempt in this runner's journal, and take it into account.

        Raises
        ------
        SpaceError
            If it cannot be recorded.
        """
        begin = self.journal.append(attempt)
        self.planner.attempts.add(attempt, (self.journal.place, begin))

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
        step = task.step
        # of its own for each attempt: what an earlier one recorded must not be mistaken for it
        place = (step.name, claim.generation, f"{worker.journal.runner} {self.number}")
        self.stage = self.folder.file(stage_name(*place))
        self.is_command = step.call.kind != "python"
        between = "/" if self.is_command else "."
        self.staged = {name: f"{self.stage}{between}{file}" for name, file in step.files.items()}
        self.bench = Bench(
            space=worker.space,
            record=task.record,
            places={made.part: self.staged[made.name] for made in step.outputs},
            log_place=self.folder.log_place(step.name, self.number),
            control=f"{self.stage}.{CONTROL}",
            program=worker.program,
            timeout=worker.timeout,
            sessions=worker.sessions,
            members=self.needs.members,
        )

    @property
    def log(self) -> Path:
        """The attempt's log."""
        return self.bench.log

    def run(self) -> Attempt:
        try:
            self._note_inputs()
            self.worker.planner.source(self.task)  # of what runs, not of what is edited meanwhile
            outputs = self._make()
            self._look_again()
        except KeyboardInterrupt:
            self._ended("interrupted", "interrupted")
            raise
        except Exception as error:
            return self._failed(self._cause(error))
        return self._commit(outputs)

    def fail(self, error: TaskError, start: float) -> Attempt:
        self.start = start
        self.bench.printed = os.path.lexists(self.log)
        try:
            self._note_inputs()
        except SeedUnreadable as unreadable:
            return self._failed(unreadable)
        return self._failed(error)

    def _cause(self, error: Exception) -> Exception:
        """Return why it went wrong: not the step's fault if its data changed under its hands."""
        if not os.path.isdir(self.folder.place):
            return SpaceError(f"the job's folder {self.folder.place} was removed while it ran.")
        if not isinstance(error, InputChanged) and len(self.inputs) == len(self.needs.inputs):
            try:
                self._look_again()
            except InputChanged as changed:
                return InputChanged(f"{changed} It failed then: {error}")
            except OSError:
                pass
        return error

    def _commit(self, outputs: dict[str, StoredOutput]) -> Attempt:
        """Record what was made, then publish it.

        It is dated before the last look at the claim: if this process sleeps in between, what the
        runner who takes over makes counts as later.
        """
        try:
            attempt = self._dated("complete", outputs=outputs)
            self._check_claim()
            self.worker.record(attempt)
        except SpaceError as error:
            return self._failed(error)
        try:
            publish(self.folder, self.task.step.name, attempt)
        except OSError as error:
            return self._failed(
                OutputUnwritable(
                    f"what it made cannot take its place: {_said(error)}. Make the job's folder "
                    "writable."
                )
            )
        if self._may_have_left():
            discard(self.folder, self.task.step.name, self.stage)
        return attempt

    def _may_have_left(self) -> bool:
        """Whether there can be anything of this attempt but its outputs."""
        call = self.task.step.call
        return self.is_command or bool(call.out_parts) or len(self.needs.calls) > 1

    def _check_claim(self) -> None:
        if surely_held(self.claim, self.worker.journal):
            return
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
        code, exception = None, None
        if isinstance(error, PointillistError):
            text = str(error)
            if isinstance(error, TaskError):
                code, exception = error.code, error.exception
        else:
            exception = type(error).__name__
            if isinstance(error, OSError):
                text = f"{_said(error)}."
            else:  # of a format, or of ours
                self._print(error)
                text = f"{exception}: {error}"
        outcome: Outcome = "changed" if isinstance(error, InputChanged) else "failed"
        return self._ended(outcome, text, code=code, exception=exception)

    def _print(self, error: Exception) -> None:
        """Write an error that nobody expected into the log."""
        with contextlib.suppress(OSError):
            self.bench.begin_log()
            with self.log.open("a", encoding="utf-8", errors="replace") as file:
                traceback.print_exception(error, file=file)

    def _note_inputs(self) -> None:
        limit = self.worker.space.configuration.hash_limit
        now: int | None = None
        for name, source in self.needs.inputs.items():
            if source.maker is None and now is None:
                now = os.stat(self.claim.place).st_ctime_ns
            seen = self.inputs[name] = self._seen(source, limit, now)
            if seen is None and not source.optional:
                raise SeedUnreadable(f"{source.field} is gone: {source.label}")

    def _seen(self, source: Input, limit: int, now: int | None) -> Fingerprint | None:
        if source.maker is not None:
            made = self.worker.planner.attempts.last_good.get(source.maker.key)
            output = made.outputs.get(source.field) if made is not None else None
            if output is not None:
                known, there = output.print, glance(source.path)
                if there is not None and there.same_glance(known) and not known.young:
                    return known
        try:
            return look(source.path, limit, now if source.maker is None else None)
        except OSError as error:
            raise SeedUnreadable(
                f"{source.field} cannot be read: {source.label}: {error.strerror or error}. "
                "Look at its permissions."
            ) from error

    def _make(self) -> dict[str, StoredOutput]:
        call = self.task.step.call
        discard(self.folder, self.task.step.name, names=self.claim.names)
        if self.is_command and call.out_parts:
            os.mkdir(self.stage)
        value = self.bench.carry_out(call, self.task.step.outputs[0].annotation)
        limit = self.worker.space.configuration.hash_limit
        outputs = {}
        for made in self.task.step.outputs:
            staged = self.staged[made.name]
            if made.part in call.out_parts:
                self._check_written(made, staged, value)
            else:
                self._write(made, staged, value)
            seen = look(staged, limit)
            if seen is None:
                raise OutputMissing(f"the format of {made.filename} wrote nothing.")
            name = staged[len(self.folder.place) + 1 :]
            outputs[made.name] = StoredOutput(str(made.filename), seen, name)
        return outputs

    def _check_written(self, made: Output, staged: str, value: Any) -> None:
        call = self.task.step.call
        if not os.path.lexists(staged):
            which = f"pt.out({made.part!r})" if made.part else "pt.out"
            raise OutputMissing(
                f"{named(call)} ended well but did not write {made.filename}. Let it write to the "
                f"path that it gets for {which}.",
                log=self.log,
            )
        if value is not None and not self.is_command and Path(str(value)) != Path(staged):
            if made.part is None:
                raise StepFailed(
                    f"{call.name} took pt.out and returned {value!r}; a step that takes pt.out "
                    "returns that path, or None."
                )

    def _write(self, made: Output, staged: str, value: Any) -> None:
        if self.is_command:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self.stage)
        try:
            part = part_of(value, made)
            format = format_for(made.annotation, str(made.filename))
            interruptible(format.write, part, as_path(staged, format), **made.writer_options)
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
                f"{type(error).__name__}: {error}",
                exception=type(error).__name__,
            ) from error

    def _look_again(self) -> None:
        for name, source in self.needs.inputs.items():
            seen, now = self.inputs[name], glance(source.path)
            if seen is now or (seen is not None and now is not None and seen.same_glance(now)):
                continue
            what = "changed" if seen and now else "vanished" if seen else "appeared"
            raise InputChanged(
                f"{source.label} {what} while the step ran; what was made of it is discarded. "
                "Run again when nothing writes to it any more."
            )

    def _ended(self, outcome: Outcome, error: str, **how: Any) -> Attempt:
        """Record an attempt that made nothing."""
        discard(self.folder, self.task.step.name, self.stage)
        try:
            attempt = self._dated(outcome, error=error, **how)
            self.worker.record(attempt)
        except SpaceError:
            # nothing can be recorded; the run still says what happened
            attempt = self._attempt(outcome, error=error, **how)
            self.worker.planner.attempts.add(attempt)
        return attempt

    def _attempt(self, outcome: Outcome, **more: Any) -> Attempt:
        log = self.worker.log_of(self.log) if self.bench.printed else None
        return self.worker.describe(
            self.task, self.needs, outcome, self.start, self.inputs, self.number, log=log, **more
        )

    def _dated(self, outcome: Outcome, **more: Any) -> Attempt:
        """Return the attempt as it is recorded, with the environment, which is written down."""
        try:
            environment = self.worker.environment.record(self.bench.matlab)
        except OSError as error:
            raise SpaceError(f"the environment cannot be recorded: {error}.") from error
        return self._attempt(outcome, environment=environment, **more)


def failure(task: Task, attempt: Attempt, root: Path) -> TaskError:
    """Return a failed attempt as an error with record, step and log."""
    log = root / attempt.log if attempt.log else None
    text = f"{task}: {attempt.error}" + (f"\n  log: {log}" if log else "")
    return TaskError(text, record=task.record.label, step=task.step.operation, log=log)


def _said(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
