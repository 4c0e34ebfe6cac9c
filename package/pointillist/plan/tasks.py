"""Tasks: one step on one record, with everything that it depends on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model import keys
from ..model.arguments import Each, Out, Ref
from ..model.fields import Field, Key, Output, Seed
from ..model.pipeline import StepSpec
from ..model.records import Record, RecordType
from ..model.steps import Call
from ..space.dataspace import DataSpace

__all__ = ["Input", "Needs", "NeedsReader", "Task", "needs_of", "step_of"]


class Task:
    """One step on one record.

    Parameters
    ----------
    record : Record
        The record.
    step : StepSpec
        The step.

    Attributes
    ----------
    key : (str, str)
        What identifies it in the journals: operation and job id.
    """

    __slots__ = ("key", "record", "step")

    def __init__(self, record: Record, step: StepSpec) -> None:
        self.record = record
        self.step = step
        self.key = (step.operation, record.id)

    def __str__(self) -> str:
        return f"{self.record.label}  {self.step.name}"

    def __repr__(self) -> str:
        return f"<task {self}>"

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Task) and self.key == other.key)

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(slots=True)
class Input:
    """A file or folder that a task reads.

    Parameters
    ----------
    name : str
        ``<job id>/<field>``: what it is called in the journals.
    path : str
        Where it lies.
    root : str
        The project's folder.
    optional : bool
        Whether it may be missing.
    maker : Task or None
        The task that makes it; None for a seed.
    """

    name: str
    path: str
    root: str
    optional: bool = False
    maker: Task | None = None

    @property
    def field(self) -> str:
        """The name of the field."""
        return self.name.partition("/")[2]

    @property
    def label(self) -> str:
        """What it is called for people: an output's name; a seed's path from the project on."""
        if self.maker is not None:
            return self.path.rpartition("/")[2]
        return self.path.removeprefix(f"{self.root}/")


@dataclass(slots=True)
class Needs:
    """What a task depends on.

    Parameters
    ----------
    inputs : dict of str to Input
        By name.
    arguments : dict
        What it is called with, as JSON: inputs by name, keys and literals by value.
    members : list of Record or None
        The members, in order, if the step takes anything from them.
    excluded : dict of str to str
        By id, those that would be members but are excluded: which each is, and why.
    again : set of str
        The ids of the members that were excluded before.
    calls : list of Call
        The step's call, then those of the unstored values that it is computed from.
    upstream : list of Task
        The tasks whose results it reads, each once.
    """

    inputs: dict[str, Input] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    members: list[Any] | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    upstream: list[Task] = field(default_factory=list)


class NeedsReader:
    """Tells what tasks depend on, by reading documents but no data.

    Most steps take fields of their own record and literals: what is the same for all records is
    worked out once for each step.

    Parameters
    ----------
    space : DataSpace
        The records.
    """

    def __init__(self, space: DataSpace) -> None:
        self._space = space
        self._root = str(space.layout.root)
        self._wirings: dict[str, Wiring | None] = {}

    def is_simple(self, step: StepSpec) -> bool:
        """Whether what the tasks of a step depend on is the same fields of each record, always."""
        return self.wiring(step) is not None

    def wiring(self, step: StepSpec) -> Wiring | None:
        """Return what the tasks of a step have in common; None if its arguments are nested."""
        if step.operation not in self._wirings:
            self._wirings[step.operation] = _wiring(self._space, step)
        return self._wirings[step.operation]

    def of(self, task: Task) -> Needs:
        """Return what a task depends on."""
        wiring = self.wiring(task.step)
        if wiring is None:
            return needs_of(self._space, task)
        record, space, root = task.record, self._space, self._root
        needs = Needs(arguments=wiring.described(record), calls=wiring.calls)
        makers: dict[str, Task] = {}
        for target, step in wiring.inputs:
            name = f"{record.id}/{target.name}"
            if step is None:
                optional = isinstance(target, Seed) and target.optional
                path = space.field_place(record, target)
                needs.inputs[name] = Input(name, path, root, optional)
                continue
            if step.operation not in makers:
                makers[step.operation] = Task(record, step)
            path = f"{space.place(record)}/{step.files[target.name]}"
            needs.inputs[name] = Input(name, path, root, False, makers[step.operation])
        needs.upstream = list(makers.values())
        return needs


@dataclass(slots=True)
class Wiring:
    """What the tasks of one step have in common.

    Parameters
    ----------
    arguments : dict
        What they are called with, as JSON, without the values of keys.
    keys : list of (str, str)
        The arguments that are keys.
    inputs : list of (Field, StepSpec or None)
        What they read, with the steps that make it.
    calls : list of Call
        The step's call.
    """

    arguments: dict[str, Any]
    keys: list[tuple[str, str]]
    inputs: list[tuple[Field, StepSpec | None]]
    calls: list[Call]

    def described(self, record: Record) -> dict[str, Any]:
        """Return what a step is called with on a record, as JSON."""
        if not self.keys:
            return self.arguments
        named = dict(self.arguments["arguments"])
        for name, key in self.keys:
            named[name] = _plain(keys.encode(record._keys[key]))
        return {**self.arguments, "arguments": named}


def _wiring(space: DataSpace, step: StepSpec) -> Wiring | None:
    """Return what the tasks of a step have in common; None if its arguments are nested."""
    told: dict[str, Any] = {}
    found = Wiring({}, [], [], [step.call])
    for name, argument in step.call.arguments.items():
        if isinstance(argument, Out):
            told[name] = {"out": argument.part}
        elif isinstance(argument, Each | list | dict):
            return None
        elif not isinstance(argument, Ref):
            told[name] = _plain(argument)
        else:
            target = step.record.__fields__[argument.field]
            told[name] = {"field": argument.field}
            if isinstance(target, Key):
                found.keys.append((name, target.name))
            elif isinstance(target, Output):
                if not target.stored:
                    return None
                found.inputs.append((target, _step_of(step.record, target)))
            else:
                found.inputs.append((target, None))
    found.arguments = _described(step, told)
    return found


def _described(step: StepSpec, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a step's call as JSON, with its arguments as told."""
    call = _called(step.call, arguments)
    call["outputs"] = {
        made.name: {"part": made.part, **_plain(made.writer_options)} for made in step.outputs
    }
    return call


def _called(call: Call, arguments: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": call.kind}
    if call.kind in ("shell", "matlab"):
        told["call"] = call.target
    told["arguments"] = arguments
    return told


def step_of(record: Record, target: Output) -> StepSpec:
    """Return the step of a record's class that makes a field."""
    return _step_of(type(record), target)


def _step_of(cls: RecordType, target: Output) -> StepSpec:
    for step in cls.__steps__.values():
        if any(made.name == target.name for made in step.outputs):
            return step
    raise AssertionError(f"no step makes {target!r}")


def needs_of(space: DataSpace, task: Task) -> Needs:
    """Return what a task depends on, by reading documents but no data."""
    needs = Needs()
    if task.step.needs_members:
        needs.members = space.members(task.record)
        if space.attempts.exclusions:
            _note_exclusions(space, task.record, needs)
    needs.arguments = _described(
        task.step, _describe_arguments(space, task.record, task.step.call, needs)
    )
    makers = [i.maker for i in needs.inputs.values() if i.maker is not None]
    needs.upstream = list({maker.key: maker for maker in makers}.values())
    return needs


def _note_exclusions(space: DataSpace, record: Record, needs: Needs) -> None:
    others = space.excluded_members(record)
    names = describe_members(others, record)
    for member in others:
        exclusion = space.exclusion(member)
        if exclusion is not None:
            needs.excluded[member.id] = f"{names[member.id]} ({exclusion.reason})"
    needs.again = {m.id for m in needs.members or () if m.id in space.attempts.exclusions}


def _describe_arguments(
    space: DataSpace, record: Record, call: Call, needs: Needs
) -> dict[str, Any]:
    needs.calls.append(call)
    return {
        name: _describe(space, [record], argument, needs, values=True)
        for name, argument in call.arguments.items()
    }


def _describe(
    space: DataSpace, records: list[Record], argument: Any, needs: Needs, values: bool
) -> Any:
    """Describe an argument as it is for all of `records`, and note the inputs it stands for.

    Within ``each`` the members are named in `Needs.members`, so that keys go by name there.
    """
    if isinstance(argument, Each):
        members = [member for record in records for member in space.members(record)]
        return {"each": _describe(space, members, argument.argument, needs, values=False)}
    if isinstance(argument, list):
        return [_describe(space, records, item, needs, values) for item in argument]
    if isinstance(argument, dict):
        return {n: _describe(space, records, item, needs, values) for n, item in argument.items()}
    if isinstance(argument, Out):
        return {"out": argument.part}
    if not isinstance(argument, Ref):
        return _plain(argument)
    told: Any = {"field": argument.field}
    for record in records:
        target = type(record).__fields__[argument.field]
        if isinstance(target, Key):
            if values:
                told = _plain(keys.encode(record._keys[target.name]))
        elif isinstance(target, Output) and not target.stored:
            step = step_of(record, target)
            nested = _called(step.call, _describe_arguments(space, record, step.call, needs))
            told = {"unstored": {**nested, "part": target.part}}
            if step.call.options.version is not None:
                told["unstored"]["version"] = step.call.options.version
        else:
            made = _input(space, record, target)
            needs.inputs[made.name] = made
    return told


def _plain(value: Any) -> Any:
    """Return a literal as all that read JSON agree on: numbers are finite and not too long."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, int) and value.bit_length() > 63:
        return {"int": str(value)}
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _input(space: DataSpace, record: Record, target: Field) -> Input:
    maker = Task(record, step_of(record, target)) if isinstance(target, Output) else None
    optional = isinstance(target, Seed) and target.optional
    root = str(space.layout.root)
    name = f"{record.id}/{target.name}"
    return Input(name, space.field_place(record, target), root, optional, maker)


def describe_members(members: list[Any], aggregate: Record) -> Mapping[str, str]:
    """Return by job id how members differ: their keys, less what the aggregate's keys say."""
    said = set(aggregate.key_texts().values())
    return {
        member.id: " ".join(t for t in member.key_texts().values() if t not in said)
        for member in members
    }
