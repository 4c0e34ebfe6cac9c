"""Aggregation as signac-flow documents it.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
import signac
from flow import aggregator, get_aggregate_id


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; jobs with a = 0 to 4, b = a % 2, c in that of 4 only."""
    monkeypatch.chdir(tmp_path)
    project = signac.init_project()
    for a in range(5):
        project.open_job({"a": a, "b": a % 2, **({"c": 7} if a == 4 else {})}).init()

    class Project(base):
        pass

    return Project


def taken(Project: Any, kind: Any) -> list[tuple[int, ...]]:
    """Give the aggregates, as `a` of their jobs, on which an operation is carried out."""
    seen: list[tuple[int, ...]] = []

    @Project.operation(aggregator=kind)
    def together(*jobs: Any) -> None:
        seen.append(tuple(job.sp.a for job in jobs))

    Project().run()
    return seen


def sets(aggregates: list[tuple[int, ...]]) -> set[frozenset[int]]:
    """Give aggregates without their order, or that of their jobs."""
    assert len(aggregates) == len({frozenset(one) for one in aggregates})
    return {frozenset(one) for one in aggregates}


# Aggregation, "Definition".


def test_all_jobs(Project: Any) -> None:
    """`aggregator` with its defaults makes one aggregate of all jobs."""
    assert {frozenset(range(5))} == sets(taken(Project, aggregator()))


def test_single_jobs_beside_aggregates(Project: Any) -> None:
    """The example: one operation gets all jobs at once, another one each job by itself."""
    seen: list[tuple[str, int]] = []

    @Project.operation(aggregator=aggregator())
    def op1(*jobs: Any) -> None:
        seen.append(("op1", len(jobs)))

    @Project.operation
    def op2(job: Any) -> None:
        seen.append(("op2", 1))

    Project().run()
    assert [("op1", 5), *[("op2", 1)] * 5] == sorted(seen)


def test_directives_of_an_aggregate(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Callable directives get the same jobs as the operation."""
    (Path.cwd() / "templates").mkdir()
    (Path.cwd() / "templates" / "script.sh").write_text(
        "{% for operation in operations %}np={{ operation.directives.np }}{% endfor %}"
    )

    @Project.operation(aggregator=aggregator(), directives={"np": lambda *jobs: len(jobs)})
    def together(*jobs: Any) -> None:
        pass

    Project(environment=flow.environment.TestEnvironment).submit()
    assert "np=5\n" == capsys.readouterr().out


# Aggregation, "Group By"; aggregator.groupby in the API.


def test_groupby_a_key(Project: Any) -> None:
    """Jobs that have the same value of a state point's key make an aggregate."""
    assert {frozenset({0, 2, 4}), frozenset({1, 3})} == sets(
        taken(Project, aggregator.groupby("b"))
    )


def test_groupby_keys(Project: Any) -> None:
    """Jobs that have the same values of several keys make an aggregate."""
    signac.get_project().open_job({"a": 4, "b": 1}).init()
    found = taken(Project, aggregator.groupby(("a", "b")))
    assert [(a,) for a in (0, 1, 2, 3, 4, 4)] == sorted(found)


def test_groupby_a_callable(Project: Any) -> None:
    """Jobs for which a function gives the same value make an aggregate."""
    found = taken(Project, aggregator.groupby(lambda job: job.sp.a // 2))
    assert {frozenset({0, 1}), frozenset({2, 3}), frozenset({4})} == sets(found)


def test_groupby_a_key_with_a_default(Project: Any) -> None:
    """`default` stands for a key that a job has not."""
    found = taken(Project, aggregator.groupby("c", default=-1))
    assert {frozenset({0, 1, 2, 3}), frozenset({4})} == sets(found)


def test_groupby_keys_with_defaults(Project: Any) -> None:
    """`default` of several keys has one value for each."""
    found = taken(Project, aggregator.groupby(["b", "c"], default=(0, -1)))
    assert {frozenset({0, 2}), frozenset({1, 3}), frozenset({4})} == sets(found)


def test_groupby_a_key_that_is_missing(Project: Any) -> None:
    """Without a default the key must exist for all jobs: else there is a KeyError."""

    @Project.operation(aggregator=aggregator.groupby("c"))
    def together(*jobs: Any) -> None:
        pass

    with pytest.raises(KeyError, match="c"):
        Project().run()


def test_groups_come_in_the_order_of_their_keys(Project: Any) -> None:
    """Aggregates of `groupby` are in the order of their values."""
    found = taken(Project, aggregator.groupby("b", sort_by="a"))
    assert [(0, 2, 4), (1, 3)] == found


@pytest.mark.parametrize(("key", "default"), [(["b", "c"], [0]), (["b"], [0, 1])])
def test_groupby_needs_a_default_for_each_key(key: list[str], default: list[int]) -> None:
    """Another number of defaults than of keys is an error."""
    with pytest.raises(ValueError, match="Expected length of default"):
        aggregator.groupby(key, default=default)


def test_groupby_takes_a_sequence_of_defaults() -> None:
    """A single default for several keys is an error."""
    with pytest.raises(TypeError, match="Invalid default"):
        aggregator.groupby(["b", "c"], default=0)


def test_groupby_takes_no_number() -> None:
    """A key that is neither text, nor several, nor callable is an error."""
    with pytest.raises(TypeError, match="Invalid key"):
        aggregator.groupby(1)


# Aggregation, "Groups Of"; aggregator.groupsof in the API.


@pytest.mark.parametrize(
    ("num", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (3, [3, 2]), (5, [5]), (9, [5])]
)
def test_groupsof(Project: Any, num: int, sizes: list[int]) -> None:
    """`groupsof` makes aggregates of a size, the last one of what remains."""
    found = taken(Project, aggregator.groupsof(num))
    assert sizes == [len(one) for one in found]
    assert list(range(5)) == sorted(a for one in found for a in one)


def test_groupsof_one_is_the_default(Project: Any) -> None:
    """``groupsof()`` gives each job by itself."""
    assert [(a,) for a in range(5)] == sorted(taken(Project, aggregator.groupsof()))


def test_an_operation_of_one_or_two_jobs(Project: Any) -> None:
    """The example: the last aggregate may be smaller, so the second argument has a default."""
    seen: list[bool] = []

    @Project.operation(aggregator=aggregator.groupsof(2))
    def op4(job1: Any, job2: Any = None) -> None:
        seen.append(job2 is not None)

    Project().run()
    assert [True, True, False] == seen


@pytest.mark.parametrize("num", [0, -1, 1.5])
def test_groupsof_takes_natural_numbers(num: float) -> None:
    """A size that is no natural number is an error."""
    with pytest.raises(ValueError, match="num parameter"):
        aggregator.groupsof(num)


def test_groupsof_takes_no_list() -> None:
    """A size that is no number is a TypeError."""
    with pytest.raises(TypeError, match="num parameter"):
        aggregator.groupsof([2])


# Aggregation, "Types of Aggregation": a completely custom aggregator function.


def test_an_aggregator_function(Project: Any) -> None:
    """A function of all jobs may yield any aggregates; a job may be in several."""

    def pairs(jobs: Any) -> Any:
        ordered = sorted(jobs, key=lambda job: job.sp.a)
        yield from itertools.pairwise(ordered)

    assert [(0, 1), (1, 2), (2, 3), (3, 4)] == taken(Project, aggregator(pairs))


def test_an_aggregator_function_that_returns_a_list(Project: Any) -> None:
    """A function may return its aggregates as well, and they may be any iterables."""

    def ends(jobs: Any) -> Any:
        return [[job for job in jobs if job.sp.a in (0, 4)]]

    assert [(0, 4)] == taken(Project, aggregator(ends, sort_by="a"))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"aggregator_function": 1}, "aggregator_function"),
        ({"sort_by": 1}, "sort_by"),
        ({"select": "a"}, "select"),
    ],
)
def test_arguments_of_another_type(arguments: dict[str, Any], word: str) -> None:
    """An argument of `aggregator` that is of no use is a TypeError, which names it."""
    with pytest.raises(TypeError, match=word):
        aggregator(**arguments)


# Aggregation, "Sorting jobs for aggregation".


def test_sort_by_a_key(Project: Any) -> None:
    """`sort_by` sorts jobs by a key before they are aggregated."""
    assert [(0, 1), (2, 3), (4,)] == taken(Project, aggregator.groupsof(2, sort_by="a"))


def test_sort_descending(Project: Any) -> None:
    """The example: with ``sort_ascending=False`` the largest come first."""
    kind = aggregator.groupsof(2, sort_by="a", sort_ascending=False)
    assert [(4, 3), (2, 1), (0,)] == taken(Project, kind)


def test_sort_by_a_callable(Project: Any) -> None:
    """`sort_by` may be a function of the job."""
    kind = aggregator.groupsof(2, sort_by=lambda job: (job.sp.b, -job.sp.a))
    assert [(4, 2), (0, 3), (1,)] == taken(Project, kind)


def test_jobs_are_in_the_order_of_the_project(Project: Any) -> None:
    """Without `sort_by` jobs are in the order in which the signac project gives them."""
    assert [tuple(job.sp.a for job in Project())] == taken(Project, aggregator())


# Aggregation, "Selecting jobs for aggregation".


def test_select(Project: Any) -> None:
    """The example: only selected jobs are passed to the operation."""
    kind = aggregator(select=lambda job: job.sp.a > 2)
    assert {frozenset({3, 4})} == sets(taken(Project, kind))


def test_select_single_jobs(Project: Any) -> None:
    """``groupsof(1)`` with `select` gives each selected job by itself."""
    kind = aggregator.groupsof(1, select=lambda job: job.sp.a > 2)
    assert [(3,), (4,)] == sorted(taken(Project, kind))


def test_select_sort_and_group(Project: Any) -> None:
    """`select`, `sort_by` and `groupby` work together."""
    kind = aggregator.groupby(
        "b", sort_by="a", sort_ascending=False, select=lambda job: job.sp.a > 0
    )
    assert [(4, 2), (3, 1)] == taken(Project, kind)


# Aggregation, "Aggregate ID"; flow.get_aggregate_id in the API.


def test_the_id_of_one_job(Project: Any) -> None:
    """The id of an aggregate of one job is that job's id."""
    job = next(iter(Project()))
    assert job.id == get_aggregate_id((job,))


def test_the_id_of_several_jobs(Project: Any) -> None:
    """The id of an aggregate of several jobs begins with ``agg-``; their order matters."""
    jobs = tuple(Project())
    assert get_aggregate_id(jobs).startswith("agg-")
    assert get_aggregate_id(jobs) == get_aggregate_id(tuple(Project()))
    assert get_aggregate_id(jobs) != get_aggregate_id(jobs[::-1])


@pytest.fixture
def by_parity(Project: Any) -> tuple[Any, list[tuple[int, ...]]]:
    """Give a project with an operation of two aggregates, and a list of what it was called on."""
    seen: list[tuple[int, ...]] = []

    @Project.operation(aggregator=aggregator.groupby("b", sort_by="a"))
    def together(*jobs: Any) -> None:
        seen.append(tuple(job.sp.a for job in jobs))

    return Project(), seen


def odd(project: Any) -> tuple[Any, ...]:
    """Give the aggregate of the odd jobs."""
    return tuple(sorted(project.find_jobs({"b": 1}), key=lambda job: job.sp.a))


@pytest.mark.parametrize("words", [["run", "-j"], ["exec", "together"]])
def test_an_aggregate_on_the_command_line(
    by_parity: tuple[Any, list[Any]], monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """`run` and `exec` take an aggregate's id."""
    project, seen = by_parity
    monkeypatch.setattr(sys, "argv", ["project.py", *words, get_aggregate_id(odd(project))])
    project.main()
    assert [(1, 3)] == seen


def test_the_beginning_of_an_id(
    by_parity: tuple[Any, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The beginning of an aggregate's id is enough, if it is no other's."""
    project, seen = by_parity
    monkeypatch.setattr(
        sys, "argv", ["project.py", "run", "-j", get_aggregate_id(odd(project))[:12]]
    )
    project.main()
    assert [(1, 3)] == seen


def test_an_id_of_no_aggregate(
    by_parity: tuple[Any, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An aggregate's id that the project does not know is a LookupError."""
    project, _ = by_parity
    monkeypatch.setattr(sys, "argv", ["project.py", "run", "-j", "agg-0"])
    with pytest.raises(LookupError, match="agg-0"):
        project.main()


# The API: "jobs : iterable of Job or aggregates" of run, submit and print_status.


def test_run_takes_aggregates(by_parity: tuple[Any, list[Any]]) -> None:
    """`run` takes aggregates as tuples of jobs."""
    project, seen = by_parity
    project.run(jobs=[odd(project)])
    assert [(1, 3)] == seen


def test_run_does_not_know_the_aggregate(by_parity: tuple[Any, list[Any]]) -> None:
    """A tuple of jobs that no operation aggregates is a LookupError."""
    project, _ = by_parity
    with pytest.raises(LookupError, match="Did not find aggregate"):
        project.run(jobs=[odd(project)[::-1]])


def test_submit_takes_aggregates(
    by_parity: tuple[Any, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """`submit` takes aggregates; the script's command has the aggregate's id."""
    project = type(by_parity[0])(environment=flow.environment.TestEnvironment)
    project.submit(jobs=[odd(project)])
    printed = capsys.readouterr().out
    assert 1 == printed.count(f" run -o together -j {get_aggregate_id(odd(project))}\n")
    assert 1 == printed.count(" run -o ")


def test_status_takes_aggregates(
    by_parity: tuple[Any, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """`print_status` takes aggregates, and has an entry for each, by its id."""
    project, _ = by_parity
    project.print_status(jobs=[odd(project)], dump_json=True, hide_progress=True)
    status = json.loads(capsys.readouterr().out)
    assert [get_aggregate_id(odd(project))] == list(status)
    project.print_status(dump_json=True, hide_progress=True)
    assert 2 == len(json.loads(capsys.readouterr().out))


def test_no_parameters_of_aggregates(by_parity: tuple[Any, list[Any]]) -> None:
    """Parameters of aggregates cannot be shown."""
    with pytest.raises(ValueError, match="Cannot show parameters for aggregates"):
        by_parity[0].print_status(detailed=True, parameters=["a"], hide_progress=True)
