"""Conditions that say of what they failed, and `never` for any number of jobs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.errors import UserConditionError
from flow.project import _FlowCondition

__all__ = ["Condition", "name_of", "said_of", "with_never"]

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


def with_never(base: Any) -> Any:
    """Return signac-flow's class ``pre`` or ``post`` with a `never` that takes aggregates too."""

    def never(cls: Any, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return False."""
        condition: Callable[..., Any] = cls(lambda *jobs: False, f"never_{next(_NEVERS)}")
        return condition(func)  # type: ignore[no-any-return]  # it gives the function back

    kind = type(base.__name__, (base,), {"never": classmethod(never), "__doc__": base.__doc__})
    kind.__module__, kind.__qualname__ = base.__module__, base.__qualname__
    return kind
