"""Tasks: one step on one record, with everything that it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model import keys
from ..model.arguments import Each, Out, Ref
from ..model.fields import Field, Key, Output, Seed
from ..model.pipeline import StepSpec
from ..model.records import Record
from ..model.steps import Call
from ..space.dataspace import DataSpace

__all__ = ["Input", "Needs", "Task", "needs_of", "step_of"]


@dataclass(frozen=True)
class Task:
    """One step on one record.

    Parameters
    ----------
    record : Record
        The record.
    step : StepSpec
        The step.
    """

    record: Record
    step: StepSpec

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it in the journals: operation and job id."""
        return (self.step.operation, self.record.id)

    def __str__(self) -> str:
        return f"{self.record.label}  {self.step.name}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True)
class Input:
    """A file or folder that a task reads.

    Parameters
    ----------
    name : str
        ``<job id>/<field>``: what it is called in the journals.
    label : str
        What it is called for people.
    path : Path
        Where it lies.
    optional : bool
        Whether it may be missing.
    maker : Task or None
        The task that makes it; None for a seed.
    """

    name: str
    label: str
    path: Path
    optional: bool = False
    maker: Task | None = None


@dataclass
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
    """

    inputs: dict[str, Input] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    members: list[Any] | None = None
    excluded: dict[str, str] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)

    @property
    def upstream(self) -> list[Task]:
        """The tasks whose results it reads, each once."""
        return list(dict.fromkeys(i.maker for i in self.inputs.values() if i.maker is not None))


def step_of(record: Record, target: Output) -> StepSpec:
    """Return the step of a record's class that makes a field."""
    for step in type(record).__steps__.values():
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
    needs.arguments = _describe_call(space, task.record, task.step.call, needs)
    needs.arguments["outputs"] = {
        made.name: {"part": made.part, **made.writer_options} for made in task.step.outputs
    }
    return needs


def _note_exclusions(space: DataSpace, record: Record, needs: Needs) -> None:
    others = space.excluded_members(record)
    names = describe_members(others, record)
    for member in others:
        exclusion = space.exclusion(member)
        if exclusion is not None:
            needs.excluded[member.id] = f"{names[member.id]} ({exclusion.reason})"
    needs.again = {m.id for m in needs.members or () if m.id in space.attempts.exclusions}


def _describe_call(space: DataSpace, record: Record, call: Call, needs: Needs) -> dict[str, Any]:
    needs.calls.append(call)
    told: dict[str, Any] = {"kind": call.kind}
    if call.kind in ("shell", "matlab"):
        told["call"] = call.target
    told["arguments"] = {
        name: _describe(space, [record], argument, needs, values=True)
        for name, argument in call.arguments.items()
    }
    return told


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
        return argument
    told: Any = {"field": argument.field}
    for record in records:
        target = type(record).__fields__[argument.field]
        if isinstance(target, Key):
            if values:
                told = keys.encode(record._keys[target.name])
        elif isinstance(target, Output) and not target.stored:
            step = step_of(record, target)
            nested = _describe_call(space, record, step.call, needs)
            told = {"unstored": {**nested, "part": target.part}}
            if step.call.options.version is not None:
                told["unstored"]["version"] = step.call.options.version
        else:
            made = _input(space, record, target)
            needs.inputs[made.name] = made
    return told


def _input(space: DataSpace, record: Record, target: Field) -> Input:
    path = space.path(record, target)
    maker = Task(record, step_of(record, target)) if isinstance(target, Output) else None
    optional = isinstance(target, Seed) and target.optional
    try:
        label = str(path.relative_to(space.layout.root)) if maker is None else path.name
    except ValueError:
        label = str(path)
    return Input(f"{record.id}/{target.name}", label, path, optional, maker)


def describe_members(members: list[Any], aggregate: Record) -> Mapping[str, str]:
    """Return by job id how members differ: their keys, less what the aggregate's keys say."""
    said = set(aggregate.key_texts().values())
    return {
        member.id: " ".join(t for t in member.key_texts().values() if t not in said)
        for member in members
    }
