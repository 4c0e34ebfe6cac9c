"""Passes: what is carried out, in which order, how often, and what happens after a failure."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import UserConditionError, UserOperationError
from signac.job import Job

import pointillist as pt

Seen = list[tuple[str, int]]
NO_POSTCONDITIONS = "has no postconditions!"


class Every(pt.Aggregate[Job], order_by="i"):
    """All jobs."""


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; three jobs lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for i in range(3):
        signac.init_project().open_job({"i": i}).init()

    class Project(pt.FlowProject):
        pass

    return Project


@pytest.fixture
def seen(Project: Any) -> Seen:
    """Give a list in which three operations, of which each needs the one before, note calls."""
    calls: Seen = []

    def add(name: str, needs: Any) -> Any:
        def work(job: Any) -> None:
            calls.append((name, job.sp.i))
            job.doc[name] = True

        Project.operation(work, name=name)
        Project.post.true(name)(work)
        if needs is not None:
            Project.pre.after(needs)(work)
        return work

    add("third", add("second", add("first", None)))
    return calls


def by_i(operation: Any) -> int:
    """Give the `i` of the job, to order by."""
    return int(operation._jobs[0].sp.i)


# How much.


@pytest.mark.parametrize("num", [0, 1, 3, 4, 8])
def test_num_over_passes(Project: Any, seen: Seen, num: int) -> None:
    """`num` counts over all passes; the next run goes on from there."""
    project = Project()
    project.run(num=num)
    assert num == len(seen)
    project.run()
    assert 9 == len(seen) == len(set(seen))


def test_num_says_that_there_is_more(
    Project: Any, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """A limit that is reached is said only if something is left undone."""
    text = "Reached the maximum number of operations that can be executed"
    Project().run(num=8)
    assert 1 == caplog.text.count(text)
    caplog.clear()
    Project().run(num=1)
    assert 0 == caplog.text.count(text)


@pytest.mark.parametrize("num_passes", [1, 2, None, -1])
def test_num_passes_is_of_each_operation(Project: Any, seen: Seen, num_passes: int | None) -> None:
    """However few passes an operation may have, what comes after it is carried out."""
    Project().run(num_passes=num_passes)
    assert {"first": 3, "second": 3, "third": 3} == Counter(name for name, _ in seen)


@pytest.mark.parametrize(("num_passes", "times"), [(1, 1), (3, 3)])
@pytest.mark.parametrize("on", [None, Every])
def test_num_passes_without_postconditions(
    Project: Any,
    num_passes: int,
    times: int,
    on: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An operation without postconditions runs as often as it may, and a warning says so once."""
    calls: list[str] = []

    @Project.operation(on=on)
    def work(job: Any) -> None:
        calls.append(str(job.id))

    project = Project()
    project.run(num_passes=num_passes)
    assert {times} == set(Counter(calls).values())
    assert (1 if on else 3) == len(set(calls))
    assert 1 == caplog.text.count(NO_POSTCONDITIONS)
    caplog.clear()
    project.run(num=0)
    assert 0 == caplog.text.count(NO_POSTCONDITIONS)


def test_postconditions_that_do_not_come_true(
    Project: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An operation whose postcondition stays false runs once, without that warning."""
    calls: list[int] = []

    @Project.post.isfile("never.txt")
    @Project.operation
    def work(job: Any) -> None:
        calls.append(job.sp.i)

    Project().run()
    assert [0, 1, 2] == sorted(calls)
    assert 0 == caplog.text.count(NO_POSTCONDITIONS)


def test_what_is_logged(Project: Any, seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    """Each pass is told of with its number, and what may not be done once more, as in flow."""

    @Project.post.isfile("never.txt")
    @Project.operation
    def work(job: Any) -> None:
        pass

    with caplog.at_level(logging.INFO, logger="flow.project"):
        Project().run()
    passes = [text for text in caplog.messages if text.startswith("Executing ")]
    assert ["Executing 6 operation(s) (Pass #01)..."] == passes[:1]
    assert [f"Executing 3 operation(s) (Pass #0{n})..." for n in (2, 3)] == passes[1:]
    again = [text for text in caplog.messages if "exceeds max. # of allowed passes (1)" in text]
    assert 3 <= len(again) and {"work"} == {text.split("'")[1].split("(")[0] for text in again}


# Order.


def orders(Project: Any) -> tuple[Seen, Any]:
    """Return a list in which two operations that need nothing note calls, and the project."""
    calls: Seen = []
    for name in ("one", "two"):
        Project.operation(lambda job, name=name: calls.append((name, job.sp.i)), name=name)
    return calls, Project()


@pytest.mark.parametrize("order", [None, "none", "by-job", "cyclic"])
def test_order_as_in_flow(Project: Any, order: str | None) -> None:
    """Named orders are those of signac-flow, to the last operation."""

    class Theirs(flow.FlowProject):  # type: ignore[misc]  # signac-flow has no types
        pass

    ours, project = orders(Project)
    theirs, other = orders(Theirs)
    project.run(order=order)
    other.run(order=order)
    assert 6 == len(ours)
    if order == "cyclic":  # signac-flow takes jobs in an order of sets
        assert [sorted(theirs[:3]), sorted(theirs[3:])] == [sorted(ours[:3]), sorted(ours[3:])]
    else:
        assert theirs == ours


def test_order_random(Project: Any) -> None:
    """A random order has everything once, and is another one after a while."""
    calls, project = orders(Project)
    found = set()
    while len(found) < 3:
        calls.clear()
        project.run(order="random")
        assert {(name, i): 1 for name in ("one", "two") for i in range(3)} == Counter(calls)
        found.add(tuple(calls))


def test_order_is_of_each_pass(Project: Any, seen: Seen) -> None:
    """A callable orders the operations of one pass; the next pass comes after it."""
    Project().run(order=lambda operation: -by_i(operation))
    assert [(name, i) for name in ("first", "second", "third") for i in (2, 1, 0)] == seen


def test_order_with_records(Project: Any) -> None:
    """Operations on jobs and on records are ordered among each other."""
    calls: list[str] = []
    Project.operation(lambda job: calls.append("job"), name="job")
    Project.operation(lambda every: calls.append("all"), name="all", on=Every)
    Project().run(order=lambda operation: operation.name)
    assert ["all", "job", "job", "job"] == calls
    calls.clear()
    Project().run(order=lambda operation: operation.name != "job")
    assert ["job", "job", "job", "all"] == calls


# Failures.


@pytest.fixture
def failing(Project: Any) -> Seen:
    """Give a list in which two operations note calls; the first one fails for `i` above 0."""
    calls: Seen = []

    @Project.post.true("first")
    @Project.operation
    def first(job: Any) -> None:
        calls.append(("first", job.sp.i))
        if job.sp.i:
            raise ValueError(f"no luck with {job.sp.i}")
        job.doc.first = True

    @Project.pre.after(first)
    @Project.post.true("second")
    @Project.operation
    def second(job: Any) -> None:
        calls.append(("second", job.sp.i))
        job.doc.second = True

    return calls


@pytest.mark.parametrize("num_passes", [1, 5, None])
def test_failures_are_not_tried_again(
    Project: Any, failing: Seen, num_passes: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """What has failed is not tried again in the run, what needs it waits, the rest goes on."""
    project = Project()
    with pytest.raises(UserOperationError) as caught:
        project.run(num_passes=num_passes, order=by_i)
    assert [("first", 0), ("first", 1), ("first", 2), ("second", 0)] == failing
    assert "no luck with 1" == str(caught.value.__cause__)
    assert ["2 operations failed; this is the error of the first."] == caught.value.__notes__
    assert [
        f"failed: first({project.open_job({'i': i}).id}): ValueError: no luck with {i}"
        for i in (1, 2)
    ] == capsys.readouterr().err.splitlines()


def test_failures_are_tried_in_the_next_run(Project: Any, failing: Seen) -> None:
    """Another run tries what has failed once more."""
    project = Project()
    for _ in range(2):
        with pytest.raises(UserOperationError):
            project.run(order=by_i)
    assert [("first", 1), ("first", 2)] == failing[-2:]
    assert {("first", 0): 1, ("second", 0): 1, ("first", 1): 2, ("first", 2): 2} == Counter(failing)


def test_one_failure_has_no_note(Project: Any, failing: Seen) -> None:
    """With a single failure its error is raised as it is."""
    project = Project()
    with pytest.raises(UserOperationError) as caught:
        project.run(jobs=[project.open_job({"i": 2})])
    assert not hasattr(caught.value, "__notes__")


def test_fail_fast(Project: Any, failing: Seen) -> None:
    """With `fail_fast` the first error is raised at once, and nothing else is begun."""
    with pytest.raises(UserOperationError) as caught:
        Project().run(fail_fast=True, order=by_i)
    assert [("first", 0), ("first", 1)] == failing
    assert "no luck with 1" == str(caught.value.__cause__)


def test_failures_count_for_num(Project: Any, failing: Seen) -> None:
    """What fails counts as carried out."""
    with pytest.raises(UserOperationError):
        Project().run(num=2, order=by_i)
    assert 2 == len(failing)


def test_failed_member(Project: Any, failing: Seen) -> None:
    """An aggregate waits for its members; one of them has failed, so it is not worked on."""
    worked: list[int] = []

    @Project.pre(lambda every: all(job.doc.get("first") for job in every.members))
    @Project.operation(on=Every)
    def join(every: Any) -> None:
        worked.append(len(every.members))

    with pytest.raises(UserOperationError):
        Project().run()
    assert [] == worked


def test_hook_that_fails(Project: Any) -> None:
    """A hook that raises fails its operation; the others are carried out."""
    calls: list[int] = []

    def refuse(name: str, job: Any) -> None:
        if job.sp.i == 0:
            raise ValueError("no disk")

    @Project.operation_hooks.on_start(refuse)
    @Project.operation
    def work(job: Any) -> None:
        calls.append(job.sp.i)

    with pytest.raises(UserOperationError) as caught:
        Project().run()
    assert "no disk" == str(caught.value.__cause__)
    assert [1, 2] == sorted(calls)


# Conditions.


@pytest.fixture
def asked(Project: Any) -> Counter[tuple[str, int]]:
    """Count how often two conditions of an operation are asked for each job."""
    times: Counter[tuple[str, int]] = Counter()

    def before(job: Any) -> bool:
        times["pre", job.sp.i] += 1
        return True

    def after(job: Any) -> bool:
        times["post", job.sp.i] += 1
        return bool(job.doc.get("done", False))

    @Project.pre(before)
    @Project.post(after)
    @Project.operation
    def work(job: Any) -> None:
        job.doc.done = job.sp.i != 2 or None

    return times


def test_conditions_are_asked_once_a_pass(Project: Any, asked: Counter[tuple[str, int]]) -> None:
    """A run asks each condition once for each job; what it may not do again is not asked for."""
    Project().run()
    assert {(kind, i): 1 for kind in ("pre", "post") for i in range(3)} == asked


def test_conditions_of_the_others_are_not_asked(
    Project: Any, asked: Counter[tuple[str, int]]
) -> None:
    """With `jobs` or `names` only their conditions are asked."""
    project = Project()
    project.run(jobs=[project.open_job({"i": 1})])
    assert {("pre", 1): 1, ("post", 1): 1} == asked
    Project.operation(lambda job: None, name="other")
    asked.clear()
    Project().run(names=["other"])
    assert {} == asked


def test_ignored_conditions_are_not_asked(Project: Any, asked: Counter[tuple[str, int]]) -> None:
    """A kind of conditions that is ignored is not asked."""
    Project().run(ignore_conditions=flow.IgnoreConditions.PRE)
    assert {("post", i): 1 for i in range(3)} == asked


def test_condition_that_cannot_be_judged(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A condition that raises ends the run: what is to be done is not known."""
    calls: list[int] = []
    Project.operation(lambda job: calls.append(job.sp.i), name="work")
    broken = Project.operation(lambda job: None, name="broken")
    Project.pre(lambda job: 1 / job.sp.i > 0)(broken)
    project = Project()
    with pytest.raises(UserConditionError, match=project.open_job({"i": 0}).id):
        project.run()
    assert [] == calls


def test_names_and_groups(Project: Any, seen: Seen) -> None:
    """Operations that are not named are not carried out, also if named ones need them."""
    Project().run(names=["second", "third"])
    assert [] == seen
    Project().run(names=["first|third"])
    assert {"first": 3} == Counter(name for name, _ in seen)


def test_jobs_of_a_run_stay_the_same(Project: Any) -> None:
    """With `jobs` jobs that are added within the run are left for the next one."""
    calls: list[int] = []

    @Project.post.true("done")
    @Project.operation
    def grow(job: Any) -> None:
        calls.append(job.sp.i)
        job.doc.done = True
        if job.sp.i < 5:
            job.project.open_job({"i": job.sp.i + 3}).init()

    project = Project()
    project.run(jobs=list(project))
    assert [0, 1, 2] == sorted(calls)
    project.run()
    assert list(range(8)) == sorted(calls)
