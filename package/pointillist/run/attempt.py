"""One attempt of one task, from the noting of its inputs to the publishing of its outputs.

The order is what makes it safe to be killed at any instant: nothing is in an output's place before
the journal says that the attempt is complete, and when it says so, everything that has yet to be
renamed lies there whole.
"""

from __future__ import annotations

import os
import time
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
from .calls import Bench, part_of
from .environment import Environment
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
        now = time.time()
        attempt = self._record(task, needs, "found", now, inputs, number=0, outputs=outputs)
        self.journal.append(attempt)
        self.planner.attempts.add(attempt)
        return attempt

    def _record(
        self,
        task: Task,
        needs: Needs,
        outcome: Outcome,
        start: float,
        inputs: dict[str, Fingerprint | None],
        number: int,
        **more: Any,
    ) -> Attempt:
        members = [member.id for member in needs.members] if needs.members is not None else None
        return Attempt(
            operation=task.step.operation,
            job=task.record.id,
            outcome=outcome,
            number=number,
            start=start,
            end=time.time(),
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
        place = (task.step.name, claim.generation, worker.journal.runner)
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
        )

    def run(self) -> Attempt:
        try:
            self._note_inputs()
            outputs = self._make()
            self._look_again()
        except KeyboardInterrupt:
            self._ended("interrupted", "interrupted")
            raise
        except PointillistError as error:
            return self._ended("failed", str(error))
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            return self._ended("failed", f"{error.strerror or error}{where}")
        if self.claim.superseded():
            discard(self.folder, self.task.step.name)
            raise Superseded(
                f"{self.task}: another runner took it over; what was made here is discarded.",
                record=self.task.record.label,
                step=self.task.step.operation,
            )
        try:
            attempt = self._recorded("complete", outputs=outputs)
        except SpaceError as error:
            return self._ended("failed", str(error))
        publish(self.folder, self.task.step.name, attempt)
        discard(self.folder, self.task.step.name)
        self._learn(attempt)
        return attempt

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
                f"{call.name} ended well but did not write {made.filename}. Let it write to the "
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
        if not os.path.lexists(staged):
            raise OutputMissing(f"the format of {made.filename} wrote nothing.")

    def _look_again(self) -> None:
        for name, source in self.needs.inputs.items():
            seen, now = self.inputs[name], glance(source.path)
            if (seen is None) is not (now is None) or (seen and now and not seen.same_glance(now)):
                raise InputChanged(
                    f"{source.label} changed while the step ran; what was made of it is discarded. "
                    "Run again when nothing writes to it."
                )

    def _ended(self, outcome: Outcome, error: str) -> Attempt:
        """Record an attempt that made nothing."""
        discard(self.folder, self.task.step.name)
        try:
            attempt = self._recorded(outcome, error=error)
        except SpaceError:
            # nothing can be recorded; the run still says what happened
            attempt = self._attempt(outcome, error=error)
        self._learn(attempt)
        return attempt

    def _attempt(self, outcome: Outcome, **more: Any) -> Attempt:
        log = None
        if self.log.exists():
            if self.log.stat().st_size:
                log = str(self.log.relative_to(self.worker.space.layout.root))
            else:
                self.log.unlink()
                _remove_empty(self.log.parent)
        return self.worker._record(
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


def _remove_empty(folder: Path) -> None:
    for place in (folder, folder.parent):
        try:
            place.rmdir()
        except OSError:
            return
