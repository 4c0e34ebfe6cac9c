"""Names of conditions: what they look for, where a lambda stands, whose conditions are meant."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

import pointillist as pt
from pointillist.flow.conditionnames import condition_name


class Project(pt.FlowProject):
    """Operations to make conditions of."""


def measured(job: Any) -> bool:
    """Say yes."""
    return True


class Threshold:
    """A condition that is an object."""

    def __call__(self, job: Any) -> bool:
        """Say yes."""
        return True


first = Project.operation(lambda job: None, name="first")
second = Project.operation(lambda job: None, name="second")
Project.post.isfile("x.txt")(first)
anonymous = lambda job: True  # noqa: E731  # its name is what is asked for
LINE = anonymous.__code__.co_firstlineno


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Project.pre(measured), "measured"),
        (Project.pre(measured, tag="a tag"), "measured"),
        (Project.pre.isfile("x.txt"), 'isfile("x.txt")'),
        (Project.post.isfile("x.txt"), 'isfile("x.txt")'),
        (Project.pre.true("key"), 'true("key")'),
        (Project.pre.false("key"), 'false("key")'),
        (Project.pre.not_(measured), "not_(measured)"),
        (Project.pre.after(first), "after(first)"),
        (Project.pre.after(first, second), "after(first, second)"),
        (Project.post.copy_from(first), "copy_from(first)"),
        (Project.pre(lambda job: True, tag="is warm"), "is warm"),
        (Project.pre(anonymous), f"<lambda> ({Path(__file__).name}:{LINE})"),
        (Project.pre(functools.partial(measured)), "partial of measured"),
        (Project.pre(Threshold()), "Threshold"),
    ],
)
def test_name(made: Any, expected: str) -> None:
    """A condition is called by its function, its tag, its place, or what it looks for."""
    names = {first: "first", second: "second"}
    assert expected == condition_name(made.condition, names.__getitem__)


def test_never() -> None:
    """The condition that never holds is called so, though it is a lambda of ours."""
    third = Project.operation(lambda job: None, name="third")
    Project.pre.never(third)
    (condition,) = Project._collect_preconditions()[third]
    assert "never" == condition_name(condition, str)
