"""Conditions that say of what they failed, and take aggregates and members as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.errors import FlowProjectDefinitionError, UserConditionError
from flow.project import _FlowCondition

from .registers import collected

__all__ = ["Condition", "members_below", "mended", "name_of", "said_of"]

_NEVERS = count(1)
"""Tags of conditions that never hold: each another, so that no two are taken for one."""


class Condition(_FlowCondition):  # type: ignore[misc]  # signac-flow has no types
    """A condition of an operation, judged for one job or an aggregate of them.

    Parameters
    ----------
    callback : callable
        A function of the jobs.
    """

    def __call__(self, jobs: tuple[Any, ...]) -> bool:
        """Judge the condition.

        Raises
        ------
        flow.errors.UserConditionError
            If the function raises; its exception is the cause.
        """
        try:
            return bool(self._callback(*jobs))
        except Exception as error:
            raise UserConditionError(
                "An exception was raised while evaluating the condition "
                f"{name_of(self._callback)} for {said_of(jobs)}: {type(error).__name__}: {error}"
            ) from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _FlowCondition) and self._callback == other._callback

    def __hash__(self) -> int:
        return hash(self._callback)


def name_of(function: Any) -> str:
    """Return what a function is called, for a message; ``functools.partial`` has no name."""
    return str(getattr(function, "__name__", None) or repr(function))


def said_of(jobs: tuple[Any, ...]) -> str:
    """Return the jobs that an operation works on, for a message."""
    id = get_aggregate_id(jobs)
    return f"job {id}" if len(jobs) == 1 else f"the aggregate {id} of {len(jobs)} jobs"


def mended(base: Any) -> Any:
    """Return signac-flow's class ``pre`` or ``post``, mended.

    Its `never` takes aggregates too. An operation on a record class that comes `after` one on its
    members waits for all of them. A condition that is made of those of other operations keeps
    which they are, so that it can be named.
    """

    def never(cls: Any, func: Callable[..., Any]) -> Any:
        """Return False."""
        return cls(lambda *jobs: False, f"never_{next(_NEVERS)}")(func)

    def copy_from(cls: Any, *other_funcs: Callable[..., Any]) -> Any:
        made = base.copy_from.__func__(cls, *other_funcs)
        made.condition._copied = other_funcs
        return made

    def after(cls: Any, *other_funcs: Callable[..., Any]) -> Any:
        made = base.after.__func__(cls, *other_funcs)
        made.others = other_funcs
        made.condition._after = dict.fromkeys(other_funcs, 0)
        return made

    def call(self: Any, func: Callable[..., Any]) -> Any:
        others = getattr(self, "others", ())
        records = collected(self._parent_class, "_OPERATION_RECORDS")
        if any(records.get(other) is not records.get(func) for other in others):
            self.condition = _after_members(self, func, others, records)
        return base.__call__(self, func)

    copy_from.__doc__ = base.copy_from.__doc__
    namespace = {"never": classmethod(never), "copy_from": classmethod(copy_from)}
    namespace |= {"__call__": call, "__doc__": base.__doc__}
    if hasattr(base, "after"):
        after.__doc__ = base.after.__doc__
        namespace["after"] = classmethod(after)
    kind = type(base.__name__, (base,), namespace)
    kind.__module__, kind.__qualname__ = base.__module__, base.__qualname__
    return kind


def _after_members(
    made: Any, func: Any, others: Iterable[Any], records: Mapping[Any, Any]
) -> Callable[..., bool]:
    """Return the condition that other operations are complete, each where it works.

    Raises
    ------
    FlowProjectDefinitionError
        If one of them works neither on the same jobs nor on their members.
    """
    lineage = _lineage(records.get(func), getattr(made._parent_class, "records", ()))
    conditions = made._parent_class._collect_postconditions()
    depths = {}
    for other in others:
        if records.get(other) not in lineage:
            works, below = (
                "the jobs of the workspace" if on is None else on.__name__
                for on in (records.get(func), records.get(other))
            )
            raise FlowProjectDefinitionError(
                f"{name_of(func)} works on {works} and cannot come after {name_of(other)}, "
                f"which works on {below}: these are not its members."
            )
        depths[other] = lineage[records.get(other)]

    def _flow_metacondition(*jobs: Any) -> bool:
        return all(
            condition(*below)
            for other, depth in depths.items()
            for below in members_below(jobs, depth)
            for condition in conditions[other]
        )

    _flow_metacondition._after = depths  # type: ignore[attr-defined]  # we read it
    _flow_metacondition._composed_of = made.condition._composed_of  # type: ignore[attr-defined]  # signac-flow reads it
    _flow_metacondition._flow_tag = made.condition._flow_tag  # type: ignore[attr-defined]  # signac-flow reads it
    return _flow_metacondition


def _lineage(on: Any, classes: Iterable[Any]) -> dict[Any, int]:
    """Return how many levels below a record class its members lie, and theirs; None: plain jobs.

    The records of the first class that is no aggregate are themselves jobs of the workspace.
    """
    depth, lineage = 0, {on: 0}
    while on is not None and on.__member__ is not None:
        depth, on = depth + 1, None if on.__member__.__plain__ else on.__member__
        lineage[on] = depth
    if on is not None and on is next((cls for cls in classes if cls.__member__ is None), None):
        lineage[None] = depth
    return lineage


def members_below(jobs: tuple[Any, ...], depth: int) -> list[tuple[Any, ...]]:
    """Return the jobs that lie some levels of membership below others."""
    if depth == 0:
        return [jobs]
    return [below for job in jobs for m in job.members for below in members_below((m,), depth - 1)]
