"""The stores of aggregators: they list when they are asked, and again when that is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.aggregates import get_aggregate_id

from pointillist.flow.flowproject import FlowProject
from pointillist.flow.stores import AggregateStore


@pytest.fixture
def project(tmp_path: Path) -> Any:
    """Give a project of three jobs."""
    made = signac.init_project(str(tmp_path))
    for i in range(3):
        made.open_job({"i": i}).init()
    return FlowProject(str(tmp_path))


def pairs(jobs: Iterable[Any]) -> list[Any]:
    """Group jobs by whether their `i` is odd."""
    found = sorted(jobs, key=lambda job: int(job.sp.i))
    return [[job for job in found if job.sp.i % 2 == odd] for odd in (0, 1)]


def test_mapping(project: Any) -> None:
    """A store is a mapping from ids to tuples of jobs."""
    store = AggregateStore(flow.aggregator(pairs), project)
    even, odd = (tuple(jobs) for jobs in pairs(project))
    expected = {get_aggregate_id(even): even, get_aggregate_id(odd): odd}
    assert [2, 1] == [len(jobs) for jobs in store.values()]
    assert list(expected) == list(store) == list(store.keys())
    assert expected == dict(store.items())
    assert 2 == len(store)
    assert even == store[get_aggregate_id(even)]
    assert get_aggregate_id(odd) in store and "0" * 32 not in store
    with pytest.raises(KeyError):
        store["0" * 32]


def test_lists_when_asked(project: Any) -> None:
    """Jobs are grouped when the aggregates are first asked for, once, and again on demand."""
    calls: list[int] = []

    def count(jobs: Iterable[Any]) -> list[Any]:
        found = list(jobs)
        calls.append(len(found))
        return [found]

    store = AggregateStore(flow.aggregator(count), project)
    assert [] == calls
    assert [3, 3] == [len(jobs) for jobs in [*store.values(), *store.values()]]
    assert [3] == calls
    project.open_job({"i": 3}).init()
    assert [3] == [len(jobs) for jobs in store.values()]
    store._register_aggregates()
    assert [3] == calls
    assert [4] == [len(jobs) for jobs in store.values()]
    assert [3, 4] == calls


def test_no_jobs(tmp_path: Path) -> None:
    """Without jobs there are no aggregates, also none without jobs."""
    signac.init_project(str(tmp_path))
    store = AggregateStore(flow.aggregator(), FlowProject(str(tmp_path)))
    assert [] == list(store.values())


@pytest.mark.parametrize("wrong", [lambda jobs: [1], lambda jobs: jobs], ids=["numbers", "jobs"])
def test_function_that_gives_no_groups(project: Any, wrong: Any) -> None:
    """An aggregator's function that gives anything but groups is an error, as in signac-flow."""
    with pytest.raises(ValueError, match="Invalid aggregator_function provided by the user"):
        len(AggregateStore(flow.aggregator(wrong), project))


def test_operations_share_a_store(tmp_path: Path) -> None:
    """Operations with one aggregator share what it has grouped."""
    calls: list[int] = []

    def all_of(jobs: Iterable[Any]) -> list[Any]:
        calls.append(1)
        return [list(jobs)]

    class Project(FlowProject):
        pass

    together = flow.aggregator(all_of)
    for name in ("first", "second"):
        Project.operation(lambda *jobs: None, name=name, aggregator=together)
    signac.init_project(str(tmp_path)).open_job({"i": 0}).init()
    project = Project(str(tmp_path))
    stores = [project._group_to_aggregate_store[project.groups[n]] for n in ("first", "second")]
    assert stores[0] is stores[1]
    assert [] == calls
    assert [[1], [1]] == [[len(jobs) for jobs in store.values()] for store in stores]
    assert [1] == calls
