"""Groups of operations on one kind of jobs; what is said of groups that mix them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import FlowProjectDefinitionError
from signac.job import Job

import pointillist as pt
from pointillist.flow.groups import function_of


class Session(pt.Aggregate[Job], order_by="index"):
    """The jobs of one session."""

    session: str = pt.key()


class All(pt.Aggregate[Session]):
    """All sessions."""


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; the jobs of two sessions lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for session in "ab":
        for index in range(2):
            signac.init_project().open_job({"session": session, "index": index}).init()

    class Project(pt.FlowProject):
        pass

    return Project


def chain(Project: Any, group: Any, on: Any) -> None:
    """Add two operations of which the second needs the first, both in a group."""

    @group
    @Project.post.isfile("first.txt")
    @Project.operation(on=on)
    def first(job: Any) -> None:
        Path(job.fn("first.txt")).touch()

    @group
    @Project.pre.after(first)
    @Project.post.isfile("second.txt")
    @Project.operation(on=on)
    def second(job: Any) -> None:
        Path(job.fn("second.txt")).touch()

    @Project.operation(on=on)
    def outside(job: Any) -> None:
        Path(job.fn("outside.txt")).touch()


@pytest.mark.parametrize("np", [1, 2])
def test_group_on_records(Project: Any, np: int) -> None:
    """A group whose operations work on one class runs them all, and no other ones."""
    chain(Project, Project.make_group("both"), Session)
    project = Project()
    project.run(names=["both"], np=np)
    made = [{path.name for path in record.folder.glob("*.txt")} for record in project[Session]]
    assert [{"first.txt", "second.txt"}] * 2 == made


def test_submission_of_a_group(
    Project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group is submitted once for each aggregate, under the aggregate's id."""
    chain(Project, Project.make_group("both"), Session)
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "TestEnvironment")
    monkeypatch.setattr(sys, "argv", ["project.py", "submit", "-o", "both", "--pretend"])
    Project(entrypoint={"path": "project.py"}).main()
    printed = capsys.readouterr().out
    for record in Project()[Session]:
        assert 1 == printed.count(f"project.py run -o both -j {record.id}")
    assert 2 == printed.count("run -o both")


def test_groups_of_all_kinds(Project: Any) -> None:
    """Each group has the jobs of its kind: the workspace's, an aggregate's, an aggregator's."""
    together = flow.aggregator()
    Project.operation(lambda job: None, name="one")
    Project.operation(lambda job: None, name="session", on=Session)
    Project.operation(lambda job: None, name="all", on=All)
    Project.operation(lambda *jobs: None, name="together", aggregator=together)
    group = Project.make_group("group")
    group(Project.operation(lambda job: None, name="two"))
    named = Project.make_group("named", group_aggregator=together)
    named(Project.operation(lambda *jobs: None, name="three", aggregator=together))
    project = Project()
    project._reregister_aggregates()
    counts = {
        group.name: len(store)
        for store, groups in project._group_to_aggregate_store.inverse.items()
        for group in groups
    }
    assert {
        "one": 4,
        "session": 2,
        "all": 1,
        "together": 1,
        "group": 4,
        "two": 4,
        "named": 1,
        "three": 1,
    } == counts


def test_an_empty_group(Project: Any) -> None:
    """A group that nothing was put into is there, and runs nothing."""
    Project.make_group("empty")
    project = Project()
    project.run(names=["empty"])
    assert {} == project.groups["empty"].operations


def test_mixed_kinds(Project: Any) -> None:
    """A group with operations on different kinds is an error that says which, and what to do."""
    group = Project.make_group("mixed")
    group(Project.operation(lambda job: None, name="one"))
    group(Project.operation(lambda job: None, name="mean", on=Session))
    group(Project.operation(lambda job: None, name="join", on=All))
    with pytest.raises(FlowProjectDefinitionError) as caught:
        Project()
    assert (
        "The group 'mixed' has operations on different kinds of jobs: one (on jobs), mean (on "
        "Session), join (on All). Make one group for each kind, without a group_aggregator for "
        "operations with on=."
    ) == str(caught.value)


def test_group_aggregator_and_on(Project: Any) -> None:
    """A group with an aggregator cannot take operations with `on=`; that is said."""
    group = Project.make_group("grouped", group_aggregator=flow.aggregator())
    group(Project.operation(lambda job: None, name="mean", on=Session))
    with pytest.raises(FlowProjectDefinitionError) as caught:
        Project()
    assert str(caught.value).startswith("The group 'grouped' has operations on different kinds")
    assert "mean (on Session)" in str(caught.value)
    assert str(caught.value).endswith("without a group_aggregator for operations with on=.")


def test_options_and_directives_on_records(
    Project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group's run options and directives hold for its operations on records."""
    group = Project.make_group("both", run_options="--debug")

    @group(directives={"executable": "python-of-the-group"})
    @Project.operation(on=Session)
    def mean(session: Any) -> None:
        pass

    project = Project()
    project.run(names=["both"], pretend=True)
    lines = capsys.readouterr().out.splitlines()
    assert 2 == len(lines)
    assert all("python-of-the-group" in line and "--debug" in line for line in lines)


def test_inherited_groups(Project: Any) -> None:
    """A derived project class has its base's groups, and may put operations into one."""
    group = Project.make_group("both")
    chain(Project, group, Session)

    class Derived(Project):  # type: ignore[misc]  # a fixture
        pass

    own = Derived.make_group("own")

    @own
    @Derived.operation(on=Session)
    def third(session: Any) -> None:
        pass

    project = Derived()
    assert {"first", "second"} == set(project.groups["both"].operations)
    assert {"third"} == set(project.groups["own"].operations)
    assert "own" not in Project().groups


def test_function_of(Project: Any) -> None:
    """The function of an operation is found, whether it makes a command or not."""

    def one(job: Any) -> None:
        pass

    def two(job: Any) -> str:
        return "true"

    Project.operation(one)
    Project.operation(two, cmd=True)
    project = Project()
    assert [one, two] == [function_of(project.operations[name]) for name in ("one", "two")]
