"""Which aggregates a filter selects: jobs that match, and groups of jobs that all match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flow.aggregates import _AggregatesCursor, _AggregateStoresCursor, get_aggregate_id

from .stores import AggregateStore

__all__ = ["Filtered", "chosen"]


def chosen(store: Any, aggregates: Any) -> Iterable[tuple[str, tuple[Any, ...]]]:
    """Return id and jobs of those aggregates of a store that are selected; None selects all."""
    if aggregates is None or isinstance(aggregates, _AggregateStoresCursor):
        return store.items()  # type: ignore[no-any-return]  # of signac-flow
    ids = ((get_aggregate_id(jobs), jobs) for jobs in aggregates)
    return ((id, jobs) for id, jobs in ids if id in store)


class Filtered(_AggregatesCursor):  # type: ignore[misc]  # signac-flow has no types
    """The aggregates of a project whose jobs all match a filter.

    signac-flow's cursor has single jobs only, and drops all others without a word.

    Parameters
    ----------
    project : FlowProject
        The project.
    filter : Mapping
        A signac filter.
    """

    def __init__(self, project: Any, filter: Mapping[str, Any]) -> None:
        self._found: dict[str, tuple[Any, ...]] = {}
        self.partly = 0
        """How many aggregates have both jobs that match and jobs that do not."""
        found = list(project.find_matching(filter))
        matching = {job.path for job in found}
        self._found.update({job.id: (job,) for job in found})
        for store in project._group_to_aggregate_store.inverse:
            if not isinstance(store, AggregateStore):
                continue  # it has single jobs
            for id, jobs in store.items():
                matches = [job.path in matching for job in jobs]
                if all(matches):
                    self._found[id] = jobs
                self.partly += any(matches) and not all(matches)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filtered) and self._found.keys() == other._found.keys()

    def __hash__(self) -> int:
        return hash(frozenset(self._found))

    def __contains__(self, aggregate: Any) -> bool:
        return get_aggregate_id(aggregate) in self._found

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._found.values())
