"""The planner: which state each task is in, and why. It reads a snapshot and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from ..errors import CorruptRecord
from ..model.pipeline import StepSpec
from ..model.records import Record, RecordType
from ..model.steps import Call
from ..space.attempts import Attempt, Exclusion
from ..space.claims import Claim
from ..space.dataspace import DataSpace
from ..space.garbage import garbage_left
from ..space.journals import Journal
from ..space.layout import JobFolder
from ..space.memory import Attempts
from ..space.snapshot import Snapshot
from . import rules
from .settled import Settled
from .source import SourceReader
from .states import Awaits, Failed, Held, MissingSeed, Reason, State, Verdict, day
from .tasks import Needs, NeedsReader, Task

__all__ = ["Planner", "left_out"]


_DONE = Verdict(State.COMPLETE)


def left_out(exclusion: Exclusion) -> Verdict:
    """Return the state of what is excluded."""
    text = f"{exclusion.reason} ({exclusion.user}, {day(exclusion.time)})"
    return Verdict(State.EXCLUDED, (Reason("excluded", exclusion.reason, text=text),))


class Planner:
    """Judges tasks.

    Parameters
    ----------
    space : DataSpace
        The records.
    attempts : Attempts
        What was done before.
    snapshot : Snapshot
        What lies on disk.
    sources : SourceReader
        Hashes the sources of steps.
    rerun : frozenset of str
        Rules that make a step run although they only show: ``source``.
    retry_failed : bool
        Whether a task that failed is tried again with nothing changed.
    """

    def __init__(
        self,
        space: DataSpace,
        attempts: Attempts,
        snapshot: Snapshot,
        sources: SourceReader,
        rerun: frozenset[str] = frozenset(),
        retry_failed: bool = False,
    ) -> None:
        self.space = space
        self.attempts = attempts
        self.snapshot = snapshot
        self.silent: set[str] = set()
        """Runners elsewhere that have shown no sign of life and count as dead."""
        self.rerun = rerun
        self._actions: dict[str, Mapping[str, str]] = {}
        self.retry_failed = retry_failed
        self._sources = sources
        self._reader = NeedsReader(space)
        self._digests: dict[tuple[int, ...], str | None] = {}
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._settled = Settled(space, attempts, self._reader, self._source_of)
        self._needs: dict[tuple[str, str], Needs] = {}
        self._reasons: dict[str, Reason] = {}

    def tasks(self, but_settled: bool = False) -> Iterator[Task]:
        """Yield every task, such that each comes after those whose results it reads.

        Parameters
        ----------
        but_settled : bool
            Whether to leave out those of records that `glance` found settled.
        """
        for cls in self.space.classes:
            steps = [step for step in cls.__steps__.values() if step.stored]
            settled = self.settled(cls) if but_settled else ()
            records: Iterable[Record]
            if settled:
                shelf = self.space.records(cls)
                records = shelf.some(id for id in shelf.ids if id not in settled)
            elif cls.__member__ is None:
                records = list(self.space.records(cls).values())
            else:
                records = [r for r in self.space.records(cls).values() if self._has_any(r)]
            for record in records:
                for step in steps:
                    yield Task(record, step)

    def _has_any(self, record: Record) -> bool:
        try:
            return bool(self.space.members(record) or self.space.excluded_members(record))
        except CorruptRecord as error:
            self.space.report(error)
            return False

    def needs(self, task: Task) -> Needs:
        """Return what a task depends on."""
        found = self._needs.get(task.key)
        if found is None:
            found = self._needs[task.key] = self._reader.of(task)
        return found

    def source(self, task: Task) -> str | None:
        """Return the hash of a task's source, or None if its author decides by version."""
        return self._digest(self.needs(task).calls)

    def _source_of(self, step: StepSpec) -> str | None:
        return self._digest([step.call])

    def _digest(self, calls: list[Call]) -> str | None:
        key = tuple(map(id, calls))
        if key not in self._digests:
            self._digests[key] = self._sources.digest(calls)
        return self._digests[key]

    def actions(self, step: StepSpec) -> Mapping[str, str]:
        """Return what each rule does for a step where something differs: run, show or ignore."""
        found = self._actions.get(step.operation)
        if found is None:
            said = self.space.configuration.rules.of(step.operation)
            again = {rule: "run" for rule in self.rerun if said.get(rule) == "show"}
            found = self._actions[step.operation] = {**said, **again}
        return found

    def glance(self) -> None:
        """Find out at once which records are settled, before they are asked for one by one."""
        with garbage_left():
            for cls in self.space.classes:
                self._settled.glance(cls)

    def settled(self, cls: RecordType) -> Set[str]:
        """Return the ids of the jobs of a class that `glance` found settled."""
        return self._settled.at_once(cls)

    def is_settled(self, record: Record) -> bool:
        """Whether every step of a record is complete, with nothing to be said about it.

        It is not told of all records that are; of aggregates it is not told.
        """
        return record in self._settled

    def keep(self) -> None:
        """Keep in the index which records are settled, so that the next planner knows."""
        if self.space.only is None:
            self._settled.keep()

    def judge(self, task: Task) -> Verdict:
        """Return the state of a task and why."""
        found = self._verdicts.get(task.key)
        if found is None:
            if self.is_settled(task.record):
                return _DONE
            found = self._verdicts[task.key] = self._look(task, mine=False)
        return found

    def judge_claimed(self, task: Task, claim: Claim, own: Journal) -> Verdict:
        """Look at the disk once more and judge a task that this runner has claimed.

        Parameters
        ----------
        task : Task
            The task.
        claim : Claim
            The claim, with the names that were in the job's folder when it was made.
        own : Journal
            This runner's journal.
        """
        self.attempts.catch_up(self.space.layout, own)
        self.snapshot.claimed(claim)
        return self.judge_held(task)

    def judge_held(self, task: Task) -> Verdict:
        """Judge a task that nobody else can have begun, since the claim on one before it holds."""
        self._verdicts.pop(task.key, None)
        self._settled.forget(task.record)
        if not self._reader.is_simple(task.step):
            self._needs.pop(task.key, None)  # members may have come, gone or been excluded
        for source in self.needs(task).inputs.values():
            self.snapshot.forget_path(source.path)
        return self._look(task, mine=True)

    def done(self, task: Task, attempt: Attempt) -> Verdict:
        """Take over that a task was just completed; return its state."""
        verdict = self._verdicts[task.key] = _DONE
        self._settled.forget(task.record)
        self._needs.pop(task.key, None)  # nobody asks for it any more
        files = {made.file: made.print for made in attempt.outputs.values()}
        self.snapshot.made(self.space.job_folder(task.record), files)
        return verdict

    def take_over(self, task: Task, verdict: Verdict) -> None:
        """Take over a verdict that another process has come to."""
        self._verdicts[task.key] = verdict

    def release(self, record: Record) -> None:
        """Keep of a record no more than the states of its tasks; the rest can be read again."""
        for step in type(record).__steps__.values():
            self._needs.pop((step.operation, record.id), None)
        self.snapshot.forget(self.space.job_folder(record))
        self.attempts.release(record.id)

    def forget(self, task: Task) -> None:
        """Judge a task anew when it is asked for next, with its folder as it then is."""
        self._settled.forget(task.record)
        self._verdicts.pop(task.key, None)
        self.snapshot.forget(self.space.job_folder(task.record))

    def rejudge(self, task: Task) -> Verdict:
        """Judge a task anew after one that it depends on has changed."""
        self._settled.forget(task.record)
        self._verdicts.pop(task.key, None)
        return self.judge(task)

    def _look(self, task: Task, mine: bool) -> Verdict:
        try:
            return self._judge(task, mine)
        except OSError as error:
            return Verdict.unreadable(error, self.space.job_folder(task.record).path)

    def _judge(self, task: Task, mine: bool) -> Verdict:
        folder = self.space.job_folder(task.record)
        try:
            exclusion = self.space.exclusion(task.record)
        except CorruptRecord:
            exclusion = None  # what it needs says why
        if not mine:
            claimed = self._claimed(task, folder)
            if claimed is not None and (exclusion is None or claimed.state is State.RUNNING):
                return claimed
        if exclusion is not None:
            return left_out(exclusion)
        try:
            needs = self.needs(task)
        except CorruptRecord as error:
            return Verdict(State.WAITING, (Reason("needs", "document", text=str(error)),))
        good, last = self.attempts.last_good.get(task.key), self.attempts.last.get(task.key)
        if good is None:
            found = self._found(task, needs, folder)
            if found is not None:
                return found
        waits = tuple(self._waits(task, needs))
        if waits and not (good is not None and good.outcome == "accepted" and _archived(waits)):
            return Verdict(State.WAITING, waits)
        reasons = self._differences(task, needs, folder, good)
        if waits and reasons:
            return Verdict(State.WAITING, waits)
        actions = self.actions(task.step)
        acting = [r for r in reasons if actions.get(r.rule) != "show"]
        if good is not None and not reasons:
            changed = rules.edited(good, task.step.files, folder, self.snapshot)
            if changed:
                text = f"{', '.join(changed)} was edited after it was made"
                return Verdict(State.COMPLETE, (Reason("output", "", text=text),), "edited")
            return _as_before(good)
        if good is not None and not acting:
            if last is not None and last.outcome == "failed":
                if not self._changed_since(task, needs, last):
                    reasons.append(Failed.at(last))  # what is there is older, and still counts
            return Verdict(State.STALE, tuple(reasons), "kept")
        if last is not None and last.outcome == "failed" and not self.retry_failed:
            if not self._changed_since(task, needs, last):
                log = self.space.layout.root / last.log if last.log else None
                return Verdict(State.FAILED, (Failed.at(last),), log=log)
        return Verdict(State.STALE if good is not None else State.READY, tuple(acting))

    def _claimed(self, task: Task, folder: JobFolder) -> Verdict | None:
        owner = self.snapshot.owner(folder, task.step.name)
        if owner is None:
            return None
        alive = False if owner.runner in self.silent else owner.alive
        state = State.RUNNING
        if alive is False:
            state = State.STALE if task.key in self.attempts.last_good else State.READY
        return Verdict(state, (Held.by(owner, alive),))

    def _found(self, task: Task, needs: Needs, folder: JobFolder) -> Verdict | None:
        """Judge outputs that no attempt made: they count, unless an input was made since."""
        names = self.snapshot.names(folder)
        if any(name not in names for name in task.step.files.values()):
            return None
        seen = [self.snapshot.output(folder, name) for name in task.step.files.values()]
        times = [print.mtime for print in seen if print is not None]
        if len(times) < len(seen):
            return None
        reset = self.attempts.reset_at(task.key)
        if reset is not None and min(times) <= reset * 1e9:
            return None  # it has come back from where a reset does not reach: another copy
        for maker in needs.upstream:
            made = self.attempts.last_good.get(maker.key)
            if made is not None and made.outcome == "complete" and _made_at(made) > min(times):
                return None
        return Verdict(State.COMPLETE, note="found")

    def _waits(self, task: Task, needs: Needs) -> Iterator[Reason]:
        if needs.members is not None and not needs.members:
            yield Reason("needs", "members", text="it has no members")
        for maker in needs.upstream:
            verdict = self.judge(maker)
            if not verdict.usable:
                near = maker.record.id == task.record.id
                yield Awaits.on(maker, verdict.state, near)
        for source in needs.inputs.values():
            if source.maker is None and not source.optional:
                if self.snapshot.glance(source.path) is None:
                    yield MissingSeed.of(source)

    def differences(self, task: Task) -> list[Reason]:
        """Return what differs between now and what a task's last good attempt saw."""
        good = self.attempts.last_good.get(task.key)
        return self._differences(task, self.needs(task), self.space.job_folder(task.record), good)

    def _differences(
        self, task: Task, needs: Needs, folder: JobFolder, good: Attempt | None
    ) -> list[Reason]:
        files = task.step.files
        if good is None:
            last = self.attempts.last.get(task.key)
            if last is not None and last.outcome == "reset":
                text = f"reset on {day(last.end)} by {last.user}"
                return [Reason("reset", "", text=text)]
            return [
                self._missing(name)
                for name in files.values()
                if name not in self.snapshot.names(folder)
            ] or [Reason("input", "", text="its inputs were made after it was found")]
        return [
            *rules.outputs(good, files, folder, self.snapshot),
            *self._but_outputs(task, needs, good),
        ]

    def _missing(self, name: str) -> Reason:
        """Return that an output is missing: one object for all records of which it is said."""
        if name not in self._reasons:
            self._reasons[name] = Reason("output", name, text=f"output {name} is missing")
        return self._reasons[name]

    def _but_outputs(self, task: Task, needs: Needs, attempt: Attempt) -> list[Reason]:
        actions, found = self.actions(task.step), list[Reason]()
        if actions["argument"] != "ignore":
            found += rules.arguments(attempt, needs, task.record)
        if actions["input"] != "ignore":
            found += rules.inputs(attempt, needs.inputs, self.snapshot, needs.members)
        version = task.step.call.options.version
        if actions["version"] != "ignore":
            found += rules.version(attempt, version)
        if version is None and attempt.version is None and actions["source"] != "ignore":
            found += rules.source(attempt, self.source(task))
        return found

    def _changed_since(self, task: Task, needs: Needs, failed: Attempt) -> bool:
        return bool(self._but_outputs(task, needs, failed))


def _made_at(made: Attempt) -> int:
    """Return when an attempt made its outputs, by the clock of the file system that they lie on."""
    latest = max((output.print.mtime for output in made.outputs.values()), default=0)
    if any(seen is not None and seen.mtime >= latest for seen in made.inputs.values()):
        return max(latest, int(made.end * 1e9))  # their time is one that was given to them
    return latest


def _archived(waits: tuple[Reason, ...]) -> bool:
    """Whether a task waits for nothing but seeds that are gone."""
    return all(reason.rule == "seed" for reason in waits)


def _as_before(good: Attempt) -> Verdict:
    """Return the verdict on a task of which nothing differs from what its last good attempt saw."""
    if good.outcome == "accepted":
        said = f": {good.note}" if good.note else ""
        text = f"accepted on {day(good.end)} by {good.user}{said}"
        return Verdict(State.COMPLETE, (Reason("accepted", "", text=text),), "accepted")
    return Verdict(State.COMPLETE, note="found" if good.outcome == "found" else "")
