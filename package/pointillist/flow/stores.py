"""The stores of signac-flow's aggregators: they list their aggregates when they are asked."""

from __future__ import annotations

from typing import Any

from flow.aggregates import _AggregateStore, get_aggregate_id

__all__ = ["AggregateStore"]


class AggregateStore(_AggregateStore):  # type: ignore[misc]  # signac-flow has no types
    """The aggregates of one aggregator.

    signac-flow lists them once, when the project is made; this one lists them when they are first
    asked for, and again after each call of `_register_aggregates`, so that jobs which come while
    a project is at work are seen.

    Parameters
    ----------
    aggregator : flow.aggregator
        What groups the jobs.
    project : flow.FlowProject
        The jobs.
    """

    _listed: dict[str, tuple[Any, ...]] | None = None

    @property
    def _aggregates_by_id(self) -> dict[str, tuple[Any, ...]]:
        if self._listed is None:
            self._listed = {get_aggregate_id(jobs): jobs for jobs in self._list()}
        return self._listed

    def _register_aggregates(self) -> None:
        """List the aggregates anew when they are asked for next."""
        self._listed = None

    def _list(self) -> list[tuple[Any, ...]]:
        found = []
        for aggregate in self._generate_aggregates():
            try:
                jobs = tuple(aggregate)
            except TypeError:
                raise ValueError("Invalid aggregator_function provided by the user.") from None
            if jobs:  # of an empty workspace `aggregator()` makes one without jobs
                found.append(jobs)
        return found
