"""What the class of a project takes down: operations and labels on records, and its own only."""

from __future__ import annotations

from typing import Any

import flow
import pytest
from flow.errors import FlowProjectDefinitionError
from signac.job import Job

import pointillist as pt
from pointillist.errors import DeclarationError
from pointillist.flow.declaring import FlowProjectType, check_on
from pointillist.flow.registers import collected


class Session(pt.Aggregate[Job]):
    """The jobs of one session."""

    session: str = pt.key()


@pytest.fixture
def Project() -> Any:
    """Give a class of the test's own."""

    class Project(pt.FlowProject):
        pass

    return Project


def nothing(job: Any) -> None:
    """Do nothing."""


def test_classes_have_registers_of_their_own(Project: Any) -> None:
    """What a class registers is not its base's; it has its base's beside its own."""

    class Derived(Project):  # type: ignore[misc]  # a fixture
        pass

    base = Project.operation(lambda job: None, name="base", on=Session)
    own = Derived.operation(lambda job: None, name="own", on=Session)
    label = Derived.label(on=Session)(lambda job: True)
    assert {base: Session} == Project._OPERATION_RECORDS
    assert {own: Session} == Derived._OPERATION_RECORDS
    assert {base: Session, own: Session} == collected(Derived, "_OPERATION_RECORDS")
    assert {label: Session} == collected(Derived, "_LABEL_RECORDS")
    assert {} == collected(Project, "_LABEL_RECORDS")
    assert {} == collected(pt.FlowProject, "_OPERATION_RECORDS")


def test_several_bases(Project: Any) -> None:
    """A class with two bases has what both have registered, those of the first before."""

    class Other(pt.FlowProject):
        pass

    class Third(pt.Aggregate[Job]):
        pass

    class Both(Project, Other):  # type: ignore[misc]  # a fixture
        pass

    Project.label(on=Session)(nothing)
    Other.label(on=Third)(nothing)
    Other.operation(nothing, on=Third)
    assert {nothing: Session} == collected(Both, "_LABEL_RECORDS")
    assert {nothing: Third} == collected(Both, "_OPERATION_RECORDS")


def test_type_of_classes(Project: Any) -> None:
    """Project classes are signac-flow's; so are the names of what decorates."""
    assert FlowProjectType is type(Project) is type(pt.Project)
    assert issubclass(Project, flow.FlowProject)
    for name in ("pre", "post"):
        ours, theirs = getattr(Project, name), getattr(flow.FlowProject, name)
        assert (theirs.__name__, theirs.__qualname__) == (ours.__name__, ours.__qualname__)
        assert theirs.__doc__ == ours.__doc__
    assert "on : type of Record" in str(Project.operation.__doc__)


@pytest.mark.parametrize(
    "options",
    [
        {"cmd": True},
        {"with_job": True},
        {"directives": {"np": 2}},
        {"cmd": True, "with_job": True, "directives": {"np": 2}},
    ],
    ids=str,
)
@pytest.mark.parametrize("on", [None, Session])
def test_options_of_operations(Project: Any, on: Any, options: dict[str, Any]) -> None:
    """Options are those of signac-flow, with `on=` and without."""

    class Theirs(flow.FlowProject):  # type: ignore[misc]  # signac-flow has no types
        pass

    ours = Project.operation(name="work", on=on, **options)(lambda job: "true")
    theirs = Theirs.operation(name="work", **options)(lambda job: "true")
    for attribute in ("_flow_directives", "_flow_cmd", "_flow_with_job"):
        assert getattr(theirs, attribute, None) == getattr(ours, attribute, None)
    assert ["work"] == [name for name, _ in Project._collect_operations()]


@pytest.mark.parametrize("on", [None, Session])
def test_a_function_twice(Project: Any, on: Any) -> None:
    """A function is one operation, whatever it works on."""
    Project.operation(nothing, on=on)
    with pytest.raises(FlowProjectDefinitionError):
        Project.operation(nothing, name="again", on=Session)


def test_conditions_above_and_below(Project: Any) -> None:
    """Conditions stand above an operation on records, as above any other."""
    work = Project.pre.isfile("x")(Project.operation(lambda session: None, name="a", on=Session))
    Project.post.isfile("y")(work)
    assert 1 == len(Project._collect_preconditions()[work])
    assert 1 == len(Project._collect_postconditions()[work])
    with pytest.raises(FlowProjectDefinitionError, match="Conditions must come after"):
        Project.operation(on=Session)(Project.post.isfile("x")(nothing))


def test_an_aggregator_and_on(Project: Any) -> None:
    """The error of an aggregator beside `on=` says what to use instead; nothing is registered."""
    with pytest.raises(FlowProjectDefinitionError) as caught:
        Project.operation(nothing, on=Session, aggregator=flow.aggregator())
    assert (
        "An operation has either on=Session or an aggregator: with on= its one job is that of "
        "Session, and job.members are those that it groups."
    ) == str(caught.value)
    assert {} == Project._OPERATION_RECORDS
    assert [] == Project._collect_operations()


def test_check_on() -> None:
    """Record classes pass, of every kind; an instance or another class does not."""

    class Point(pt.Record):
        index: int = pt.key()

    check_on(Point)
    check_on(Session)
    for wrong in (Point(index=1), Job, "Session", None):
        with pytest.raises(DeclarationError, match=r"is no record class\. Declare one"):
            check_on(wrong)
