"""Conditions as signac-flow documents them: pre, post, and the ones that it ships.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flow
import pytest
from flow.errors import FlowProjectDefinitionError, UserConditionError


def ran(Project: Any, condition: Any) -> list[int]:
    """Give the jobs on which `run` carries an operation with one condition out."""
    seen: list[int] = []

    @condition
    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)

    Project().run()
    return sorted(seen)


# The FlowProject, "Conditions".


def test_without_conditions_once_per_run(Project: Any) -> None:
    """Preconditions of an empty list are met, postconditions never: it runs in each `run`."""
    seen: list[int] = []

    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)

    project = Project()
    project.run()
    assert [0, 1, 2] == sorted(seen)
    project.run()
    assert [0, 0, 1, 1, 2, 2] == sorted(seen)


def test_a_second_run_has_nothing_to_do(Project: Any) -> None:
    """The example: with the postcondition `greeted` the second `run` executes nothing."""
    seen: list[int] = []

    def greeted(job: Any) -> Any:
        return job.isfile("hello.txt")

    @Project.post(greeted)
    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)
        Path(job.fn("hello.txt")).write_text("world!\n")

    project = Project()
    project.run()
    project.run()
    assert [0, 1, 2] == sorted(seen)


def test_only_jobs_that_meet_the_precondition(Project: Any) -> None:
    """An operation is executed only for the jobs of which a precondition holds."""
    assert [1, 2] == ran(Project, Project.pre(lambda job: job.sp.a > 0))


def test_only_jobs_that_do_not_meet_the_postcondition(Project: Any) -> None:
    """An operation is not executed for the jobs of which its postcondition holds."""
    assert [0] == ran(Project, Project.post(lambda job: job.sp.a > 0))


@pytest.mark.parametrize("truthy", [1, "yes", [0]])
def test_a_condition_is_what_counts_as_true(Project: Any, truthy: Any) -> None:
    """A condition may return anything; it is its truth that counts."""
    assert [0, 1, 2] == ran(Project, Project.pre(lambda job: truthy))


@pytest.mark.parametrize("falsy", [0, "", None, []])
def test_a_condition_is_what_counts_as_false(Project: Any, falsy: Any) -> None:
    """A condition that returns something empty, or nothing, does not hold."""
    assert [] == ran(Project, Project.pre(lambda job: falsy))


def test_all_preconditions_must_hold(Project: Any) -> None:
    """An operation is executed only if all preconditions are met."""

    def both(operation: Any) -> Any:
        above = Project.pre(lambda job: job.sp.a > 0)
        return above(Project.pre(lambda job: job.sp.a < 2)(operation))

    assert [1] == ran(Project, both)


def test_one_unmet_postcondition_is_enough(Project: Any) -> None:
    """An operation is executed if at least one postcondition is not met."""

    def both(operation: Any) -> Any:
        above = Project.post(lambda job: job.sp.a > 0)
        return above(Project.post(lambda job: job.sp.a < 2)(operation))

    assert [0, 2] == ran(Project, both)


@pytest.mark.parametrize("kind", ["pre", "post"])
def test_the_upper_condition_is_judged_first(Project: Any, kind: str) -> None:
    """Conditions are judged lazily from the top: after a false one the next is not asked."""
    asked: list[str] = []

    def first(job: Any) -> bool:
        asked.append("cheap")
        return False

    def second(job: Any) -> bool:
        asked.append("expensive")
        return True

    condition = getattr(Project, kind)
    ran(Project, lambda operation: condition(first)(condition(second)(operation)))
    assert {"cheap"} == set(asked)


def test_the_next_condition_is_asked_after_a_true_one(Project: Any) -> None:
    """After a condition that holds, the one below it decides."""
    asked: list[str] = []

    def first(job: Any) -> bool:
        asked.append("cheap")
        return True

    def second(job: Any) -> bool:
        asked.append("expensive")
        return False

    ran(Project, lambda operation: Project.pre(first)(Project.pre(second)(operation)))
    assert ["cheap", "expensive"] == asked[:2]


def test_cached_statepoint_in_a_condition(Project: Any) -> None:
    """The tip of `pre`: a condition may go by ``job.cached_statepoint``."""
    assert [2] == ran(Project, Project.pre(lambda job: job.cached_statepoint["a"] == 2))


# The API: FlowProject.pre and FlowProject.post.


def test_pre_isfile(Project: Any) -> None:
    """``pre.isfile`` holds for the jobs that have the file."""
    Path(Project().open_job({"a": 1}).fn("in.txt")).touch()
    assert [1] == ran(Project, Project.pre.isfile("in.txt"))


def test_post_isfile(Project: Any) -> None:
    """``post.isfile`` holds for the jobs that have the file."""
    Path(Project().open_job({"a": 1}).fn("out.txt")).touch()
    assert [0, 2] == ran(Project, Project.post.isfile("out.txt"))


def test_a_folder_is_no_file(Project: Any) -> None:
    """``isfile`` does not hold for a folder of that name."""
    Path(Project().open_job({"a": 1}).fn("in")).mkdir()
    assert [] == ran(Project, Project.pre.isfile("in"))


def with_keys(Project: Any) -> None:
    """Set the document's key: true in the first job, false in the second, absent in the third."""
    project = Project()
    project.open_job({"a": 0}).doc.ready = True
    project.open_job({"a": 1}).doc.ready = False


def test_pre_true(Project: Any) -> None:
    """``pre.true`` holds if the key is in the document and true."""
    with_keys(Project)
    assert [0] == ran(Project, Project.pre.true("ready"))


def test_post_true(Project: Any) -> None:
    """``post.true`` holds if the key is in the document and true."""
    with_keys(Project)
    assert [1, 2] == ran(Project, Project.post.true("ready"))


def test_pre_false(Project: Any) -> None:
    """``pre.false`` is documented to need the key; in truth an absent key counts as false."""
    with_keys(Project)
    assert [1, 2] == ran(Project, Project.pre.false("ready"))


def test_post_false(Project: Any) -> None:
    """``post.false`` is documented to need the key; in truth an absent key counts as false."""
    with_keys(Project)
    assert [0] == ran(Project, Project.post.false("ready"))


def test_pre_never(Project: Any) -> None:
    """``pre.never`` is used without a call, and keeps an operation from running."""
    assert [] == ran(Project, Project.pre.never)


# Recipes, "How to enforce the execution of a specific operation for debugging".


def test_post_never(Project: Any) -> None:
    """With ``post.never`` an operation is eligible though its other postcondition holds."""

    def debugged(operation: Any) -> Any:
        return Project.post(lambda job: True)(Project.post.never(operation))

    assert [0, 1, 2] == ran(Project, debugged)


def test_post_never_runs_once_per_run(Project: Any) -> None:
    """An operation that never completes runs once in a `run`, and again in the next."""
    seen: list[int] = []

    @Project.post.never
    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)

    project = Project()
    project.run()
    project.run()
    assert [0, 0, 1, 1, 2, 2] == sorted(seen)


def test_post_never_waits_for_preconditions(Project: Any) -> None:
    """``post.never`` makes an operation eligible only as long as its preconditions are met."""

    def debugged(operation: Any) -> Any:
        return Project.pre(lambda job: job.sp.a == 2)(Project.post.never(operation))

    assert [2] == ran(Project, debugged)


# The API: FlowProject.pre.not_, copy_from and after.


def test_pre_not(Project: Any) -> None:
    """``pre.not_`` holds where its condition does not."""
    assert [0] == ran(Project, Project.pre.not_(lambda job: job.sp.a > 0))


def test_post_not(Project: Any) -> None:
    """``post.not_`` holds where its condition does not."""
    assert [1, 2] == ran(Project, Project.post.not_(lambda job: job.sp.a > 0))


@pytest.fixture
def bounded(Project: Any) -> tuple[Any, Any]:
    """Give two operations: conditions of the one hold for jobs above 0, of the other below 2."""

    @Project.pre(lambda job: job.sp.a > 0)
    @Project.post(lambda job: job.sp.a > 0)
    @Project.operation
    def low(job: Any) -> None:
        pass

    @Project.pre(lambda job: job.sp.a < 2)
    @Project.post(lambda job: job.sp.a < 2)
    @Project.operation
    def high(job: Any) -> None:
        pass

    return low, high


def test_pre_copy_from_one(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``pre.copy_from`` holds if all preconditions of the other operation do."""
    assert [1, 2] == ran(Project, Project.pre.copy_from(bounded[0]))


def test_pre_copy_from_two(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``pre.copy_from`` of two operations holds if the preconditions of both do."""
    assert [1] == ran(Project, Project.pre.copy_from(*bounded))


def test_post_copy_from_one(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``post.copy_from`` holds if all postconditions of the other operation do."""
    assert [0] == ran(Project, Project.post.copy_from(bounded[0]))


def test_post_copy_from_two(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``post.copy_from`` of two operations holds if the postconditions of both do."""
    assert [0, 2] == ran(Project, Project.post.copy_from(*bounded))


def test_after_one(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``pre.after`` holds if all postconditions of the other operation do."""
    assert [1, 2] == ran(Project, Project.pre.after(bounded[0]))


def test_after_two(Project: Any, bounded: tuple[Any, Any]) -> None:
    """``pre.after`` of two operations holds if the postconditions of both do."""
    assert [1] == ran(Project, Project.pre.after(*bounded))


def test_after_in_one_run(Project: Any) -> None:
    """One `run` carries out a chain: what comes after runs once the first has completed."""
    seen: list[tuple[str, int]] = []

    @Project.post.true("first")
    @Project.operation
    def first(job: Any) -> None:
        seen.append(("first", job.sp.a))
        job.doc.first = True

    @Project.pre.after(first)
    @Project.post.true("second")
    @Project.operation
    def second(job: Any) -> None:
        seen.append(("second", job.sp.a))
        job.doc.second = True

    Project().run()
    assert 6 == len(seen)
    for a in range(3):
        assert seen.index(("first", a)) < seen.index(("second", a))


def test_after_an_operation_without_postconditions(Project: Any) -> None:
    """``pre.after`` of an operation that has no postconditions holds at once."""

    @Project.pre.never
    @Project.operation
    def endless(job: Any) -> None:
        pass

    assert [0, 1, 2] == ran(Project, Project.pre.after(endless))


def test_after_takes_operations_only(Project: Any) -> None:
    """``pre.after`` of a function that is no operation is an error."""
    with pytest.raises(FlowProjectDefinitionError, match="must be operations"):
        Project.pre.after(lambda job: True)


# Aggregation, "Definition": conditions take the same number of jobs as the operation.


@pytest.mark.parametrize("kind", ["isfile", "true"])
def test_a_condition_of_an_aggregate_is_of_all_its_jobs(Project: Any, kind: str) -> None:
    """``isfile`` and ``true`` hold for an aggregate if they do for each of its jobs."""
    seen: list[int] = []

    @getattr(Project.pre, kind)("ready")
    @Project.operation(aggregator=flow.aggregator())
    def together(*jobs: Any) -> None:
        seen.append(len(jobs))

    project = Project()
    for a in range(2):
        Path(project.open_job({"a": a}).fn("ready")).touch()
        project.open_job({"a": a}).doc.ready = True
    project.run()
    assert [] == seen
    Path(project.open_job({"a": 2}).fn("ready")).touch()
    project.open_job({"a": 2}).doc.ready = True
    project.run()
    assert [3] == seen


def test_false_of_an_aggregate_is_of_all_its_jobs(Project: Any) -> None:
    """``false`` holds for an aggregate if it does for each of its jobs."""
    seen: list[int] = []

    @Project.pre.false("busy")
    @Project.operation(aggregator=flow.aggregator())
    def together(*jobs: Any) -> None:
        seen.append(len(jobs))

    project = Project()
    project.open_job({"a": 1}).doc.busy = True
    project.run()
    assert [] == seen
    project.open_job({"a": 1}).doc.busy = False
    project.run()
    assert [3] == seen


def test_conditions_of_the_jobs_of_an_aggregate(Project: Any) -> None:
    """The examples of `pre` and `post`: conditions of ``*jobs`` for an operation of ``*jobs``."""
    seen: list[int] = []

    @Project.pre(lambda *jobs: all("hi_all" not in job.doc for job in jobs))
    @Project.post(lambda *jobs: all("bye_all" in job.doc for job in jobs))
    @Project.operation(aggregator=flow.aggregator())
    def bye_all(*jobs: Any) -> None:
        seen.append(len(jobs))
        for job in jobs:
            job.doc.bye_all = True

    project = Project()
    project.run()
    project.run()
    assert [3] == seen


# UserConditionError in flow.errors: "an error during evaluation of a condition".


@pytest.mark.parametrize("kind", ["pre", "post"])
def test_a_condition_that_raises(Project: Any, kind: str) -> None:
    """An error in a condition is raised as UserConditionError, which has it as its cause."""

    def broken(job: Any) -> bool:
        raise ValueError("no")

    with pytest.raises(UserConditionError, match="broken") as caught:
        ran(Project, getattr(Project, kind)(broken))
    assert isinstance(caught.value.__cause__, ValueError)
