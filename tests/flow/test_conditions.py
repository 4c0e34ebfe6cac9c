"""Conditions: what they say when they cannot be judged, `never`, and `after` across kinds."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.aggregates import get_aggregate_id
from flow.errors import FlowProjectDefinitionError, UserConditionError
from flow.project import _FlowCondition
from signac.job import Job

import pointillist as pt
from pointillist.flow.conditions import Condition, name_of, said_of


class Session(pt.Aggregate[Job], order_by="index"):
    """The jobs of one session."""

    session: str = pt.key()


class All(pt.Aggregate[Session]):
    """All sessions."""


class Other(pt.Aggregate[Job]):
    """All jobs, in another way."""


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; four jobs of two sessions lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for session in "ab":
        for index in range(2):
            signac.init_project().open_job({"session": session, "index": index}).init()

    class Project(pt.FlowProject):
        pass

    return Project


def fail(*jobs: Any) -> bool:
    """Raise."""
    raise OSError("stale handle")


@pytest.mark.parametrize("count", [1, 3])
def test_condition_that_raises(Project: Any, count: int) -> None:
    """The error names the condition, the job or aggregate, and the cause, which it carries."""
    jobs = tuple(Project())[:count]
    with pytest.raises(UserConditionError) as caught:
        Condition(fail)(jobs)
    whose = {1: f"job {jobs[0].id}", 3: f"the aggregate {get_aggregate_id(jobs)} of 3 jobs"}[count]
    assert whose == said_of(jobs)
    assert (
        f"An exception was raised while evaluating the condition fail for {whose}: OSError: stale "
        "handle"
    ) == str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


def test_name_of() -> None:
    """What has no name is shown as it is."""
    partial = functools.partial(fail, 1)
    assert ("fail", "<lambda>") == (name_of(fail), name_of(lambda job: True))
    assert repr(partial) == name_of(partial)


def test_condition_that_is_no_function(Project: Any) -> None:
    """A condition without a name can be told of too."""
    jobs = tuple(Project())[:1]
    with pytest.raises(UserConditionError, match=r"condition functools\.partial"):
        Condition(functools.partial(fail, 1))(jobs)


@pytest.mark.parametrize(("value", "expected"), [(0, False), ("", False), ([1], True), (1, True)])
def test_truth(value: Any, expected: bool) -> None:
    """Whatever a condition gives, it holds or not."""
    assert expected is Condition(lambda job: value)((None,))


def test_equality() -> None:
    """Conditions of one function are one, also beside those of signac-flow."""
    assert Condition(fail) == Condition(fail) == _FlowCondition(fail)
    assert hash(_FlowCondition(fail)) == hash(Condition(fail))
    assert Condition(fail) != Condition(said_of)
    assert Condition(fail) != fail
    assert 1 == len({Condition(fail), Condition(fail)})


def test_conditions_of_a_project(Project: Any) -> None:
    """All conditions of all operations say of what they failed, whoever made them."""
    work = Project.operation(lambda job: None, name="work")
    Project.pre(fail)(work)
    Project.pre.isfile("x")(work)
    Project.post.never(work)
    operation = Project().operations["work"]
    found = [*operation._preconditions, *operation._postconditions]
    assert [Condition] * 3 == [type(condition) for condition in found]


def test_never_is_another_each_time(Project: Any) -> None:
    """Two operations that never are eligible have conditions of their own in the graph."""
    for name in ("one", "two"):
        Project.pre.never(Project.operation(lambda *jobs: None, name=name))
    conditions = [project_of._preconditions[0] for project_of in Project().operations.values()]
    tags = {condition._callback._flow_tag for condition in conditions}
    assert 2 == len(tags)
    assert [False] * 2 == [condition((1, 2, 3)) for condition in conditions]


# after.


def test_after_on_one_kind_is_that_of_flow(Project: Any) -> None:
    """Between operations on the same jobs `after` asks the other one's postconditions."""
    first = Project.operation(lambda job: None, name="first")
    Project.post.isfile("x")(first)
    second = Project.operation(lambda job: None, name="second")
    Project.pre.after(first)(second)
    project = Project()
    (condition,) = project.operations["second"]._preconditions
    job = next(iter(project))
    assert not condition((job,))
    Path(job.fn("x")).touch()
    assert condition((job,))


@pytest.mark.parametrize("aggregator", [None, flow.aggregator()], ids=["jobs", "aggregator"])
def test_after_on_the_members(Project: Any, aggregator: Any) -> None:
    """On a record `after` asks for each member, those of an aggregator one by one."""
    first = Project.operation(lambda *jobs: None, name="first", aggregator=aggregator)
    Project.post.isfile("x")(first)
    for on in (Session, All):
        second = Project.operation(lambda job: None, name=on.__name__, on=on)
        Project.pre.after(first)(second)
    project = Project()

    def holding() -> list[list[bool]]:
        return [
            [
                project.operations[on.__name__]._preconditions[0]((record.job,))
                for record in project[on]
            ]
            for on in (Session, All)
        ]

    project.follow()
    assert [[False, False], [False]] == holding()
    for job in project.find_jobs({"session": "a"}):
        Path(job.fn("x")).touch()
    assert [[True, False], [False]] == holding()
    for job in project:
        Path(job.fn("x")).touch()
    assert [[True, True], [True]] == holding()


def test_after_several(Project: Any) -> None:
    """`after` takes operations on the record and on its members at once."""
    one = Project.operation(lambda job: None, name="one")
    Project.post.isfile("one")(one)
    mean = Project.operation(lambda session: None, name="mean", on=Session)
    Project.post.isfile("mean")(mean)
    last = Project.operation(lambda session: None, name="last", on=Session)
    Project.pre.after(one, mean)(last)
    project = Project()
    project.follow()
    session = project[Session].get(session="a").job
    (condition,) = project.operations["last"]._preconditions
    Path(session.fn("mean")).touch()
    assert not condition((session,))
    for job in session.members:
        Path(job.fn("one")).touch()
    assert condition((session,))
    Path(session.fn("mean")).unlink()
    assert not condition((session,))


@pytest.mark.parametrize(("on", "below"), [(Session, All), (Session, Other), (None, Session)])
def test_after_what_is_no_member(Project: Any, on: Any, below: Any) -> None:
    """`after` an operation on neither the same jobs nor their members is an error at once."""
    other = Project.operation(lambda job: None, name="other", on=below)
    with pytest.raises(FlowProjectDefinitionError) as caught:
        Project.pre.after(other)(Project.operation(fail, on=on))
    works = "the jobs of the workspace" if on is None else on.__name__
    assert (
        f"fail works on {works} and cannot come after <lambda>, which works on {below.__name__}: "
        "these are not its members."
    ) == str(caught.value)


class Item(pt.Record):
    """A record, the jobs of which lie in the workspace."""

    session: str = pt.key()
    index: int = pt.key()


class Stimulus(pt.Record):
    """A record, the jobs of which lie elsewhere."""

    name: str = pt.key()


class Group(pt.Aggregate[Item]):
    """The records of a session."""

    session: str = pt.key()


@pytest.mark.parametrize("on", [Item, Group])
def test_after_an_operation_on_the_workspace(Project: Any, tmp_path: Path, on: Any) -> None:
    """Records of the first class are jobs of the workspace: operations on these may come before."""

    class Lab(pt.Project):
        records = (Item, Group)

    first = Lab.operation(lambda job: None, name="first")
    Lab.post.isfile("first.txt")(first)
    Lab.pre.after(first)(Lab.operation(lambda job: None, name="second", on=on))
    lab = Lab(tmp_path)
    lab.sync()
    job = lab.job_of(lab[on].first())
    (condition,) = lab.operations["second"]._preconditions
    below = job.members if on is Group else [job]
    for place in below:
        assert not condition((job,))
        found = {name: str(v) for name, id, v in lab.own_verdicts() if id == job.id}
        whose = f" of {place.id[:8]}" if on is Group else ""
        assert found["second"].startswith(f"waiting: first{whose} is ready")
        Path(place.fn("first.txt")).touch()
    assert condition((job,))


def test_after_an_operation_on_a_workspace_of_others(Project: Any) -> None:
    """Records that lie elsewhere are no jobs of the workspace; what works on these is refused."""

    class Lab(pt.Project):
        records = (Item, Stimulus)

    first = Lab.operation(lambda job: None, name="first")
    with pytest.raises(FlowProjectDefinitionError, match="works on the jobs of the workspace"):
        Lab.pre.after(first)(Lab.operation(lambda job: None, name="second", on=Stimulus))


def test_after_what_is_no_operation(Project: Any) -> None:
    """`after` takes operations only, as in signac-flow."""
    with pytest.raises(FlowProjectDefinitionError, match="must be operations"):
        Project.pre.after(fail)
