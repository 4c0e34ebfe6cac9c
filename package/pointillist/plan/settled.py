"""Records on which nothing is to be done, told at one glance each.

Most records of a project that is being worked on are complete and as they were. Here that, and
nothing else, is found out, without the objects that a judgement needs: what the journals say is
compared as it stands there. Where anything differs, or is out of the common, the planner judges.

What was found is kept in the index: then a job's folder, its state point and the files that its
steps make and read are asked for their times, and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..errors import CorruptRecord
from ..model import keys
from ..model.fields import Seed
from ..model.pipeline import StepSpec
from ..model.records import Record, RecordType
from ..space.dataspace import DataSpace
from ..space.division import divided
from ..space.fingerprints import COARSE, stamp
from ..space.index import FOLDER, Sheet, folder_stamp, time_at, write_index
from ..space.jsontext import is_strict
from ..space.layout import STATEPOINT, JobFolder
from ..space.memory import Attempts
from ..space.shelf import decoded, kinds_of
from .tasks import NeedsReader

__all__ = ["Settled"]


@dataclass(slots=True)
class _Step:
    """What the attempt on one step of a record has to say.

    Parameters
    ----------
    operation : str
        The operation.
    arguments : bytes or None
        What the step is called with, as JSON; None if keys are among it.
    described : callable
        Gives that for a record.
    version : str or None
        The step's version.
    source : str or None
        The hash of its source.
    files : list of (str, str)
        What it makes: field and file.
    made : list of (str, str)
        What it reads of the same record: the end of the input's name, and the file.
    seeds : list of (str, Seed)
        The seeds that it reads: the end of the input's name, and the seed.
    """

    operation: str
    arguments: bytes | None
    described: Callable[[Record], dict[str, Any]]
    version: str | None
    source: str | None
    files: list[tuple[str, str]]
    made: list[tuple[str, str]] = field(default_factory=list)
    seeds: list[tuple[str, Seed]] = field(default_factory=list)


class Settled:
    """Tells which records are complete in all their steps, with nothing to be said about it.

    Parameters
    ----------
    space : DataSpace
        The records.
    attempts : Attempts
        What was done before.
    reader : NeedsReader
        Knows what steps depend on.
    source : callable
        Gives the hash of a step's source.
    """

    def __init__(
        self,
        space: DataSpace,
        attempts: Attempts,
        reader: NeedsReader,
        source: Callable[[StepSpec], str | None],
    ) -> None:
        self._space = space
        self._attempts = attempts
        self._reader = reader
        self._source = source
        self._steps: dict[RecordType, dict[str, _Step] | None] = {}
        self._known: dict[str, bool] = {}
        self._at_once: dict[RecordType, set[str]] = {}
        self._as_before: dict[RecordType, Callable[[str], bool]] = {}
        self._names: dict[RecordType, tuple[list[str], list[Seed]]] = {}
        self._signatures: dict[str, str] = {}
        self._sheets: dict[str, Sheet] = {}
        self._fresh: dict[str, Sheet] = {}
        self._begun = time.monotonic_ns()

    def __contains__(self, record: Record) -> bool:
        found = self._known.get(record.id)
        if found is None:
            if record.id in self._at_once.get(type(record), ()):
                return True
            found = self._known[record.id] = self._look(record)
        return found

    def forget(self, record: Record) -> None:
        """Leave a record to the planner from now on."""
        self._known[record.id] = False
        self._at_once.get(type(record), set()).discard(record.id)

    def glance(self, cls: RecordType) -> None:
        """Look at all jobs of a class at once, if its records were not asked for yet.

        Those that are settled need no objects of their own then.
        """
        if not self._ready(cls):
            return

        def known(ids: list[str]) -> list[tuple[list[str], Sheet]]:
            told, sheet = [], self._into(cls)
            for as_before, fresh in divided(lambda part: self._glance(cls, part), ids, SHARE):
                sheet.join(fresh)
                told.append((fresh.ids, sheet))
                if as_before:
                    told.append((as_before, self._sheets[cls.__name__]))
            self._at_once[cls] = {id for ids, _ in told for id in ids}
            return told

        if not self._space.glance(cls, known):
            self._at_once.pop(cls, None)

    def at_once(self, cls: RecordType) -> Set[str]:
        """Return the ids of the jobs of a class that `glance` found settled."""
        return self._at_once.get(cls, frozenset())

    def _glance(self, cls: RecordType, ids: list[str]) -> tuple[list[str], Sheet]:
        """Return which jobs are as the index has them, and what is now seen of others."""
        fresh = self._empty(cls)
        is_as_before = self._as_before.get(cls)
        as_before: list[str] = []
        rest = ids
        changed = self._attempts.beside_index()
        if is_as_before is not None and changed is not None:
            rest = []
            for id in ids:
                as_it_was = id not in changed and is_as_before(id)
                (as_before if as_it_was else rest).append(id)
        if len(rest) >= WORTH:
            for id in sorted(rest, key=self._attempts.first_line_of):  # as they lie on disk
                with contextlib.suppress(CorruptRecord):
                    values = self._space.keys_of(cls, id)
                    if values is not None:
                        self._is_complete(self._space.record_of(cls, id, values), fresh)
        return as_before, fresh

    def _ready(self, cls: RecordType) -> bool:
        """Whether there is anything to be told at a glance of a class."""
        if cls not in self._steps:
            self._steps[cls] = self._steps_of(cls)
            self._open(cls)
        return bool(self._steps[cls])

    def _look(self, record: Record) -> bool:
        cls = type(record)
        if not self._ready(cls):
            return False
        is_as_before = self._as_before.get(cls)
        if is_as_before is not None and self._attempts.is_as_indexed(record.id):
            if self._attempts.excluded(record.id) is None and is_as_before(record.id):
                return True
        return self._is_complete(record, self._into(cls))

    def _open(self, cls: RecordType) -> None:
        """Take over what the index says of a class, if its steps are what they were."""
        steps = self._steps[cls] or {}
        names = dict.fromkeys(file for step in steps.values() for _, file in step.files)
        seeds = {id(seed): seed for step in steps.values() for _, seed in step.seeds}
        self._names[cls] = ([STATEPOINT, *names], list(seeds.values()))
        told: list[Any] = []
        for spec in cls.__steps__.values():
            step, wiring = steps.get(spec.operation), self._reader.wiring(spec)
            if step is not None and wiring is not None:
                told.append((step.operation, step.version, step.source, step.files, step.made))
                told.append((wiring.arguments, wiring.keys))
                for end, seed in step.seeds:
                    told.append((end, seed.pattern.text, str(self._space.seed_root(seed))))
        signature = hashlib.sha256(orjson.dumps(told)).hexdigest()
        self._signatures[cls.__name__] = signature
        index = self._space.index
        sheet = index.sheets.get(cls.__name__) if index is not None else None
        width = FOLDER + 2 * (1 + len(names) + len(seeds))
        if sheet is not None and sheet.kinds == kinds_of(cls) and sheet.width == width:
            if sheet.signature == signature:
                self._sheets[cls.__name__] = sheet
                self._as_before[cls] = self._comparing(cls, sheet)

    def _comparing(self, cls: RecordType, sheet: Sheet) -> Callable[[str], bool]:
        """Return what tells whether a job is as the index has it: one ``stat`` for each file."""
        rows, numbers, width = sheet.rows, sheet.numbers, sheet.width
        names, seeds = self._names[cls]
        ends = [f"/{name}" for name in names]
        prefix = self._space.job_place(cls, "")
        stat = os.stat

        def is_as_before(id: str) -> bool:
            row = rows.get(id)
            if row is None:
                return False
            place, at = prefix + id, row * width
            try:
                seen = stat(place)
                if (
                    seen.st_ino != numbers[at]
                    or seen.st_mtime_ns != numbers[at + 1]
                    or seen.st_ctime_ns != numbers[at + 2]
                ):
                    return False
                at += FOLDER
                for end in ends:
                    seen = stat(place + end)
                    if seen.st_size != numbers[at] or seen.st_mtime_ns != numbers[at + 1]:
                        return False
                    at += 2
                values = decoded(cls, sheet.keys[row]) if seeds else {}
                for seed in seeds:
                    if stamp(self._seed(seed, values)) != (numbers[at], numbers[at + 1]):
                        return False
                    at += 2
            except (OSError, TypeError, ValueError):
                return False
            return True

        return is_as_before

    def _is_complete(self, record: Record, fresh: Sheet) -> bool:
        """Whether the journals and the disk say that a record is complete, and of one mind.

        What is seen of it is put into a sheet, for the index.
        """
        if self._attempts.excluded(record.id) is not None:
            return False
        steps, place = self._steps[type(record)] or {}, self._space.place(record)
        seen: dict[str, tuple[int, int]] = {}
        try:
            counting = _counting(self._attempts.unread(record.id))
            if len(counting) != len(steps):
                return False
            folder = folder_stamp(place)
            if JobFolder(place).has_traces() or not all(
                self._agrees(counting[name], step, record, place, seen)
                for name, step in steps.items()
            ):
                return False
            self._note(record, place, folder, seen, fresh)
        except (OSError, LookupError, TypeError, AttributeError):
            return False
        return True

    def _note(
        self,
        record: Record,
        place: str,
        folder: tuple[int, ...],
        seen: dict[str, tuple[int, int]],
        fresh: Sheet,
    ) -> None:
        """Note what was seen of a settled record."""
        told = [keys.encode(value) for value in record._keys.values()]
        if not is_strict(told):
            return
        numbers = [*folder]
        for file in self._files(record, place):
            found = seen.get(file) or stamp(file)
            if found is None:
                return
            numbers += found
        fresh.add(record.id, numbers, self._attempts.lines_of(record.id), orjson.dumps(told))

    def _into(self, cls: RecordType) -> Sheet:
        """Return the sheet of what was newly seen of a class."""
        if cls.__name__ not in self._fresh:
            self._fresh[cls.__name__] = self._empty(cls)
        return self._fresh[cls.__name__]

    def _empty(self, cls: RecordType) -> Sheet:
        names, seeds = self._names[cls]
        width = FOLDER + 2 * (len(names) + len(seeds))
        return Sheet(self._signatures[cls.__name__], kinds_of(cls), width)

    def _files(self, record: Record, place: str) -> list[str]:
        """Return the files whose times are asked for: the state point's, and of all steps."""
        names, seeds = self._names[type(record)]
        own = [f"{place}/{name}" for name in names]
        return own + [self._seed(seed, record._keys) for seed in seeds]

    def _seed(self, seed: Seed, values: dict[str, Any]) -> str:
        return f"{self._space.seed_root(seed)}/{seed.pattern.format(values)}"

    def keep(self) -> None:
        """Put what was found into the index, if that saves the next look some work."""
        if sum(len(sheet.ids) for sheet in self._fresh.values()) < WORTH:
            return
        # by the clock of the file system: what changed since may have been missed
        now = time_at(self._space.layout)
        if now is None:
            return
        young = now - (time.monotonic_ns() - self._begun) - COARSE
        sheets = {}
        for name in dict.fromkeys([*self._fresh, *self._sheets]):
            fresh, old = self._fresh.get(name), self._sheets.get(name)
            if fresh is not None and old is None and max(fresh.numbers, default=0) < young:
                sheets[name] = fresh  # as most often; one by one it takes long
                continue
            like = fresh or old
            assert like is not None
            sheets[name] = kept = Sheet(like.signature, like.kinds, like.width)
            if fresh is not None:
                kept.extend(fresh, lambda id, numbers: max(_times(numbers)) < young)
            if old is not None:
                kept.extend(old, lambda id, _: self._is_kept(id))
        with contextlib.suppress(OSError):  # a journal has gone meanwhile
            write_index(self._space.layout, self._attempts.index(sheets))

    def _is_kept(self, id: str) -> bool:
        """Whether what the index says of a job may stay; else its lines are all that is kept."""
        return self._attempts.is_as_indexed(id) and self._known.get(id, True)

    def _agrees(
        self,
        line: dict[str, Any],
        step: _Step,
        record: Record,
        place: str,
        seen: dict[str, tuple[int, int]],
    ) -> bool:
        """Whether an attempt saw and made what is there now."""
        if (
            line.get("source") != step.source
            or line.get("version") != step.version
            or "members" in line
        ):
            return False
        wanted = step.arguments
        if wanted is None:
            wanted = orjson.dumps(step.described(record))
        if orjson.dumps(line["arguments"]) != wanted:
            return False
        outputs, inputs = line["outputs"], line["inputs"]
        if len(outputs) != len(step.files) or len(inputs) != len(step.made) + len(step.seeds):
            return False
        for name, file in step.files:
            if outputs[name]["file"] != file or not _is_as(outputs[name], f"{place}/{file}", seen):
                return False
        for end, file in step.made:
            if not _is_as(inputs[record.id + end], f"{place}/{file}", seen):
                return False
        for end, seed in step.seeds:
            if not _is_as(inputs[record.id + end], self._seed(seed, record._keys), seen):
                return False
        return True

    def _steps_of(self, cls: RecordType) -> dict[str, _Step] | None:
        """Return what is to be said of each step; None if some of them are out of the common."""
        found = {}
        for step in cls.__steps__.values():
            if not step.stored:
                continue
            wiring = self._reader.wiring(step)
            if wiring is None or cls.__member__ is not None:
                return None
            told = _Step(
                step.operation,
                None if wiring.keys else orjson.dumps(wiring.arguments),
                wiring.described,
                step.call.options.version,
                self._source(step),
                list(step.files.items()),
            )
            for target, maker in wiring.inputs:
                if maker is not None:
                    told.made.append((f"/{target.name}", maker.files[target.name]))
                elif isinstance(target, Seed) and not target.optional:
                    told.seeds.append((f"/{target.name}", target))
                else:
                    return None
            found[step.operation] = told
        return found


WORTH = 256
"""How many records that the index does not know make it worth writing."""

SHARE = 4096
"""How many jobs are worth a process that looks at them."""


def _times(numbers: tuple[int, ...]) -> tuple[int, ...]:
    return (*numbers[1:FOLDER], *numbers[FOLDER + 1 :: 2])


def _counting(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the attempts that count, by operation; none if that takes more than a glance."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        outcome = line.get("outcome")
        number, start, end = line.get("number"), line.get("start"), line.get("end")
        if outcome not in _PLAIN or "ran_by" in line or not isinstance(number, int):
            return {}
        if not isinstance(start, int | float) or not isinstance(end, int | float):
            return {}
        if outcome == "complete":
            known = found.get(line["operation"])
            if known is None or end >= known["end"]:
                found[line["operation"]] = line
    return found


_PLAIN = ("complete", "failed", "interrupted", "changed")
"""The outcomes of attempts of which a complete one counts, whatever came before or since."""


def _is_as(told: dict[str, Any], path: str, seen: dict[str, tuple[int, int]]) -> bool:
    """Whether a file has the size and time that are told of it, and those can be trusted."""
    if "young" in told or "count" in told:
        return False
    now = seen.get(path)
    if now is None:
        now = stamp(path)
        if now is None:
            return False
        seen[path] = now
    size, mtime = told["size"], told["mtime"]
    return now == (size, mtime) and isinstance(size, int) and isinstance(mtime, int)
