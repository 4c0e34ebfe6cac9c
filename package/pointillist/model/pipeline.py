"""A class's steps in the order in which they can be done, and what each needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from .arguments import Ref, has_each, refs
from .steps import Call

if TYPE_CHECKING:
    from .fields import Output
    from .records import RecordType

__all__ = ["StepSpec", "order_classes", "order_steps"]


@dataclass(frozen=True)
class StepSpec:
    """One step of one class.

    Parameters
    ----------
    record : RecordType
        The class.
    name : str
        The name in the class: that of its first output, or the name that the wired step was bound
        to in the class body.
    call : Call
        What is called; its arguments refer to fields by name.
    outputs : tuple of Output
        What it makes.
    """

    record: RecordType
    name: str
    call: Call
    outputs: tuple[Output, ...]

    @cached_property
    def operation(self) -> str:
        """The name of the operation: ``Block.stats``."""
        return f"{self.record.__name__}.{self.name}"

    @cached_property
    def stored(self) -> bool:
        """Whether its results are kept in files."""
        return self.outputs[0].stored

    @cached_property
    def files(self) -> dict[str, str]:
        """The names of the files that it makes, by field; empty if its results are not stored."""
        return {made.name: str(made.filename) for made in self.outputs if made.stored}

    @cached_property
    def above(self) -> frozenset[str]:
        """The names of the stored steps of the same record that it depends on, however far."""
        makers = {made.name: s for s in self.record.__steps__.values() for made in s.outputs}
        found: set[str] = set()
        for ref in self.refs():
            maker = makers.get(ref.field) if ref.depth == 0 else None
            if maker is not None:
                found |= maker.above | ({maker.name} if maker.stored else set())
        return frozenset(found)

    @cached_property
    def below(self) -> frozenset[str]:
        """The names of the stored steps of the same record that depend on it, however far."""
        steps = self.record.__steps__.values()
        return frozenset(step.name for step in steps if step.stored and self.name in step.above)

    @cached_property
    def needs_members(self) -> bool:
        """Whether an argument is taken from each member."""
        return has_each(dict(self.call.arguments))

    def refs(self) -> Iterator[Ref]:
        """Yield the fields that it is called with."""
        return refs(dict(self.call.arguments))


def order_steps(name: str, steps: Mapping[str, StepSpec]) -> dict[str, StepSpec]:
    """Return `steps` such that each comes after those it needs, else in declared order.

    Raises
    ------
    DeclarationError
        If steps need each other.
    """
    makers = {field.name: spec.name for spec in steps.values() for field in spec.outputs}
    graph: dict[str, list[str]] = {
        spec.name: [makers[r.field] for r in spec.refs() if r.depth == 0 and r.field in makers]
        for spec in steps.values()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = " → ".join(error.args[1])
        raise DeclarationError(
            f"{name}: each of the steps {cycle} needs the one before it. Break the circle."
        ) from None
    ranks = {step: i for i, step in enumerate(steps)}
    depth: dict[str, int] = {}
    for step in order:  # keep the declared order wherever the graph allows it
        depth[step] = max([depth[d] for d in graph[step]] + [ranks[step]])
    return {step: steps[step] for step in sorted(order, key=lambda s: (depth[s], order.index(s)))}


def order_classes(classes: tuple[Any, ...]) -> list[RecordType]:
    """Return the classes of a project such that members come before their aggregates.

    Raises
    ------
    DeclarationError
        If something is no record class, two have one name, a member's class is not in the
        project, or a key has a name that the state point needs.
    """
    named: dict[str, Any] = {}
    for cls in classes:
        if not (isinstance(cls, type) and hasattr(cls, "__steps__")):
            raise DeclarationError(
                f"records = (…) of the project has {cls!r}, which is no record class. List the "
                "classes themselves, without quotes and parentheses: records = (Recording, Block)."
            )
        if named.setdefault(cls.__name__, cls) is not cls:
            raise DeclarationError(
                f"two classes of the project are called {cls.__name__}: {cls.__module__} and "
                f"{named[cls.__name__].__module__}. Their data would lie in one folder: rename one."
            )
    plain = [cls for cls in named.values() if cls.__member__ is None]
    for cls in plain[1:]:  # the first one's state points are the user's alone
        if "record" in cls.keys:
            raise DeclarationError(
                f"{cls.__name__}.record: the state point of every record class but the first says "
                "its class under this name. Choose another name for the key."
            )
    graph: dict[RecordType, list[RecordType]] = {}
    for cls in classes:
        member = cls.__member__
        if member is not None and member not in classes and not member.__plain__:
            raise DeclarationError(
                f"{cls.__name__} is an aggregate of {member.__name__}, which is not among the "
                f"project's records. Write: records = ({member.__name__}, {cls.__name__}, …)."
            )
        graph[cls] = [member] if member is not None and not member.__plain__ else []
    order = list(TopologicalSorter(graph).static_order())
    done: list[RecordType] = []
    for cls in sorted(order, key=lambda c: classes.index(c)):
        _place(cls, graph, done)
    return done


def _place(
    cls: RecordType, graph: Mapping[RecordType, list[RecordType]], done: list[RecordType]
) -> None:
    for needed in graph[cls]:
        _place(needed, graph, done)
    if cls not in done:
        done.append(cls)
