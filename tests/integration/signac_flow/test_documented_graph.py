"""The graph of operations as signac-flow documents it.

Each test runs with signac-flow's own FlowProject and with ours; all are written from the API:
FlowProject.detect_operation_graph, and "tag" of FlowProject.pre and FlowProject.post.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import signac

import pointillist


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; one job lies in the working directory."""
    monkeypatch.chdir(tmp_path)
    signac.init_project().open_job({"a": 0}).init()

    class Project(base):
        pass

    return Project


def edges(Project: Any) -> set[tuple[str, str]]:
    """Give pairs of operations of which the second depends on the first."""
    project = Project()
    names = list(project.operations)
    return {
        (names[row], names[column])
        for row, line in enumerate(project.detect_operation_graph())
        for column, one in enumerate(line)
        if one
    }


def operation(Project: Any, name: str, *conditions: Any) -> Any:
    """Make an operation that has some conditions."""

    def function(job: Any) -> None:
        pass

    Project.operation(name)(function)
    for condition in conditions:
        condition(function)
    return function


def test_after_is_an_edge(Project: Any) -> None:
    """``pre.after`` makes an edge from the other operation."""
    first = operation(Project, "first", Project.post.true("first"))
    operation(Project, "second", Project.pre.after(first))
    assert {("first", "second")} == edges(Project)


def test_the_matrix(Project: Any) -> None:
    """The graph is a matrix of 0 and 1, rows and columns in the order of `operations`."""
    first = operation(Project, "first", Project.post.true("first"))
    operation(Project, "alone")
    operation(Project, "third", Project.pre.after(first))
    assert [[0, 0, 1], [0, 0, 0], [0, 0, 0]] == Project().detect_operation_graph()


def test_the_order_of_definition_is_of_no_matter(Project: Any) -> None:
    """An edge is found also if the operation that depends was defined first."""
    operation(Project, "second", Project.pre.true("first"))
    operation(Project, "first", Project.post.true("first"))
    assert {("first", "second")} == edges(Project)


def test_a_diamond(Project: Any) -> None:
    """Two operations between a first and a last one make four edges."""
    top = operation(Project, "top", Project.post.true("top"))
    left = operation(Project, "left", Project.pre.after(top), Project.post.true("left"))
    right = operation(Project, "right", Project.pre.after(top), Project.post.true("right"))
    operation(Project, "bottom", Project.pre.after(left, right))
    expected = {("top", "left"), ("top", "right"), ("left", "bottom"), ("right", "bottom")}
    assert expected == edges(Project)


@pytest.mark.parametrize("kind", ["isfile", "true", "false"])
def test_conditions_of_one_argument_are_equal(Project: Any, kind: str) -> None:
    """Two conditions of one kind are equal if their arguments are."""
    operation(Project, "first", getattr(Project.post, kind)("x"))
    operation(Project, "second", getattr(Project.pre, kind)("x"))
    operation(Project, "other", getattr(Project.pre, kind)("y"))
    assert {("first", "second")} == edges(Project)


def test_kinds_of_conditions_differ(Project: Any) -> None:
    """Conditions of different kinds are not equal though their arguments are."""
    operation(Project, "first", Project.post.isfile("x"))
    operation(Project, "second", Project.pre.true("x"))
    operation(Project, "third", Project.pre.false("x"))
    assert set() == edges(Project)


def test_one_function_is_equal(Project: Any) -> None:
    """One function as a post- and a precondition makes an edge."""

    def greeted(job: Any) -> Any:
        return job.isfile("hello.txt")

    operation(Project, "first", Project.post(greeted))
    operation(Project, "second", Project.pre(greeted))
    assert {("first", "second")} == edges(Project)


def test_equal_bytecode_is_equal(Project: Any) -> None:
    """Without tags, functions are equal if their bytecode is."""
    operation(Project, "first", Project.post(lambda job: job.doc.get("x")))
    operation(Project, "second", Project.pre(lambda job: job.doc.get("x")))
    operation(Project, "other", Project.pre(lambda job: job.sp.x == 1))
    assert {("first", "second")} == edges(Project)


def test_tags_make_equal(Project: Any) -> None:
    """Functions of different code are equal if they have one tag."""
    operation(Project, "first", Project.post(lambda job: job.isfile("a"), tag="done"))
    operation(Project, "second", Project.pre(lambda job: len(job.doc) > 1, tag="done"))
    assert {("first", "second")} == edges(Project)


def test_tags_make_different(Project: Any) -> None:
    """Functions of equal code are different if they have different tags."""
    operation(Project, "first", Project.post(lambda job: job.doc.get("x"), tag="one"))
    operation(Project, "second", Project.pre(lambda job: job.doc.get("x"), tag="other"))
    assert set() == edges(Project)


def test_never_is_equal_to_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions that never hold are all different; signac-flow itself takes some for one."""
    monkeypatch.chdir(tmp_path)
    signac.init_project()

    class Project(pointillist.FlowProject):
        pass

    operation(Project, "first", Project.post.never)
    operation(Project, "second", Project.pre.never)
    assert set() == edges(Project)


def test_negated_conditions(Project: Any) -> None:
    """``not_`` of one function is equal to itself, and not to the function."""

    def ready(job: Any) -> Any:
        return job.doc.get("ready")

    operation(Project, "first", Project.post.not_(ready))
    operation(Project, "second", Project.pre.not_(ready))
    operation(Project, "other", Project.pre(lambda job: job.doc.get("ready")))
    assert {("first", "second")} == edges(Project)


def test_copied_conditions(Project: Any) -> None:
    """Copied preconditions make the same edges as the conditions that they are copied from."""
    operation(Project, "first", Project.post.true("x"))
    second = operation(Project, "second", Project.pre.true("x"))
    operation(Project, "third", Project.pre.copy_from(second))
    assert {("first", "second"), ("first", "third")} == edges(Project)


def test_a_condition_without_a_tag(Project: Any) -> None:
    """A condition of ``functools.partial`` needs a tag: without one there is no graph."""

    def larger(limit: int, job: Any) -> bool:
        return job.sp.a > limit

    operation(Project, "first", Project.post(functools.partial(larger, 1)))
    with pytest.raises(RuntimeError, match="was not tagged"):
        Project().detect_operation_graph()


def test_a_partial_with_a_tag(Project: Any) -> None:
    """A condition of ``functools.partial`` with a tag is equal to another with that tag."""

    def larger(limit: int, job: Any) -> bool:
        return job.sp.a > limit

    operation(Project, "first", Project.post(functools.partial(larger, 1), tag="larger 1"))
    operation(Project, "second", Project.pre(functools.partial(larger, 1), tag="larger 1"))
    assert {("first", "second")} == edges(Project)
