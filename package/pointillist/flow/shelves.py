"""The jobs of one class, as signac-flow wants to see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import signac
from flow.aggregates import _BaseAggregateStore

from ..model.records import RecordType

__all__ = ["RecordStore", "shelf_project"]


class RecordStore(_BaseAggregateStore):  # type: ignore[misc]  # signac-flow has no types
    """An aggregate store whose aggregates are the single jobs of one class.

    Parameters
    ----------
    cls : RecordType
        The class.
    records : callable
        Gives the records of the class by job id.
    open_job : callable
        Gives the signac job of a record.
    """

    def __init__(
        self,
        cls: RecordType,
        records: Callable[[], dict[str, Any]],
        open_job: Callable[[Any], Any],
    ) -> None:
        self.cls = cls
        self._records = records
        self._open_job = open_job

    def __getitem__(self, id: str) -> tuple[Any]:
        try:
            return (self._open_job(self._records()[id]),)
        except KeyError:
            raise KeyError(f"Aggregate id {id} could not be found.") from None

    def __contains__(self, id: object) -> bool:
        return id in self._records()

    def __iter__(self) -> Iterator[str]:
        return iter(self._records())

    def __len__(self) -> int:
        return len(self._records())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordStore) and self.cls is other.cls

    def __hash__(self) -> int:
        return hash(self.cls)

    def keys(self) -> Any:
        """Return the job ids."""
        return self._records().keys()

    def values(self) -> Iterator[tuple[Any]]:
        """Yield each job in a tuple of its own."""
        return (self[id] for id in self)

    def items(self) -> Iterator[tuple[str, tuple[Any]]]:
        """Yield each job id with its job."""
        return ((id, self[id]) for id in self)

    def _register_aggregates(self) -> None:
        """Do nothing: the records are asked for each time."""


def shelf_project(lab: Any, root: str) -> Any:
    """Return the signac project of a class that is not the first.

    signac-flow asks the project of a job for its environment, and finds the script to call in a
    submission by the module of its class; here both are the lab's.
    """
    kind = type(type(lab).__name__, (signac.Project,), {"__module__": type(lab).__module__})
    project = kind(root)
    project._environment = lab._environment
    return project
