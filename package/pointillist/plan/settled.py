"""Records on which nothing is to be done, told at one glance each.

Most records of a project that is being worked on are complete and as they were. Here that, and
nothing else, is found out, without the objects that a judgement needs: what the journals say is
compared as it stands there. Where anything differs, or is out of the common, the planner judges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..model.fields import Seed
from ..model.pipeline import StepSpec
from ..model.records import Record, RecordType
from ..space.dataspace import DataSpace
from ..space.fingerprints import stamp
from ..space.layout import JobFolder
from ..space.memory import Attempts
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

    def __contains__(self, record: Record) -> bool:
        found = self._known.get(record.id)
        if found is None:
            found = self._known[record.id] = self._look(record)
        return found

    def forget(self, record: Record) -> None:
        """Leave a record to the planner from now on."""
        self._known[record.id] = False

    def _look(self, record: Record) -> bool:
        cls = type(record)
        if cls not in self._steps:
            self._steps[cls] = self._steps_of(cls)
        steps = self._steps[cls]
        if not steps or self._attempts.excluded(record.id) is not None:
            return False
        counting = _counting(self._attempts.unread(record.id))
        if len(counting) != len(steps):
            return False
        place = self._space.place(record)
        seen: dict[str, tuple[int, int]] = {}
        try:
            return not JobFolder(place).has_traces() and all(
                self._agrees(counting[name], step, record, place, seen)
                for name, step in steps.items()
            )
        except (OSError, LookupError, TypeError, AttributeError):
            return False

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
            path = f"{self._space.seed_root(seed)}/{seed.pattern.format(record._keys)}"
            if not _is_as(inputs[record.id + end], path, seen):
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
