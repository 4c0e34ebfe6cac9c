"""Groups of operations as signac-flow documents them.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
from flow.errors import FlowProjectDefinitionError


def operation(
    Project: Any, name: str, *groups: Any, seen: list[Any] | None = None, **options: Any
) -> Any:
    """Make an operation of some groups, which notes its name and the jobs' `a`."""

    def function(*jobs: Any) -> None:
        if seen is not None:
            seen.append((name, *(job.sp.a for job in jobs)))

    Project.operation(name, **options)(function)
    for group in groups:
        group(function)
    return function


def script(Project: Any, capsys: pytest.CaptureFixture[str], **arguments: Any) -> str:
    """Give the scripts that `submit` would hand to a scheduler."""
    capsys.readouterr()
    Project(environment=flow.environment.TestEnvironment).submit(**arguments)
    return capsys.readouterr().out


# FlowGroups, "Basic Usage"; FlowProject.make_group in the API.


def test_a_group_runs_its_operations(Project: Any) -> None:
    """A group's name selects its operations, and no others, in the order of their definition."""
    seen: list[Any] = []
    ex = Project.make_group(name="ex")
    operation(Project, "op1", ex, seen=seen)
    operation(Project, "alone", seen=seen)
    operation(Project, "op2", ex, seen=seen)
    project = Project()
    project.run(jobs=[project.open_job({"a": 1})], names=["ex"])
    assert [("op1", 1), ("op2", 1)] == seen


def test_each_operation_is_a_group(Project: Any) -> None:
    """A group is made for each operation; `groups` has them and those that the user makes."""
    ex = Project.make_group(name="ex")
    operation(Project, "op1", ex)
    operation(Project, "op2", ex)
    content = {name: list(group.operations) for name, group in Project().groups.items()}
    assert {"ex": ["op1", "op2"], "op1": ["op1"], "op2": ["op2"]} == content


def test_a_run_without_names_takes_each_operation_once(Project: Any) -> None:
    """Without names each operation runs once, whatever groups it is in."""
    seen: list[Any] = []
    operation(Project, "op1", Project.make_group("ex"), Project.make_group("other"), seen=seen)
    Project().run()
    assert [("op1", 0), ("op1", 1), ("op1", 2)] == sorted(seen)


def test_only_eligible_operations_of_a_group_run(Project: Any) -> None:
    """A group is eligible if one of its operations is, and only that one is executed."""
    seen: list[Any] = []
    ex = Project.make_group(name="ex")
    done = operation(Project, "op1", ex, seen=seen)
    Project.post(lambda job: True)(done)
    operation(Project, "op2", ex, seen=seen)
    Project().run(names=["ex"])
    assert [("op2", 0), ("op2", 1), ("op2", 2)] == sorted(seen)


def test_a_chain_in_a_group(Project: Any) -> None:
    """An operation of a group that comes after another one of it runs in the same run."""
    ex = Project.make_group(name="ex")

    @ex
    @Project.post.true("first")
    @Project.operation
    def first(job: Any) -> None:
        job.doc.first = True

    @ex
    @Project.pre.after(first)
    @Project.post.true("second")
    @Project.operation
    def second(job: Any) -> None:
        job.doc.second = True

    project = Project()
    project.run(names=["ex"])
    assert [{"first": True, "second": True}] * 3 == [job.doc() for job in project]


def test_an_operation_in_two_groups(Project: Any) -> None:
    """An operation may be in several groups, and runs with each."""
    seen: list[Any] = []
    one, other = Project.make_group("one"), Project.make_group("other")
    operation(Project, "op1", one, other, seen=seen)
    operation(Project, "op2", other, seen=seen)
    project = Project()
    job = [project.open_job({"a": 0})]
    project.run(jobs=job, names=["one"])
    project.run(jobs=job, names=["other"])
    assert [("op1", 0), ("op1", 0), ("op2", 0)] == seen


def test_groups_that_share_an_operation_do_not_run_together(Project: Any) -> None:
    """Names that would include an operation twice are an error."""
    operation(Project, "op1", Project.make_group("one"), Project.make_group("other"))
    with pytest.raises(ValueError, match="included twice"):
        Project().run(names=["one", "other"])


def test_disjoint_groups(Project: Any) -> None:
    """``FlowGroup.isdisjoint`` tells whether two groups share operations."""
    one, other = Project.make_group("one"), Project.make_group("other")
    operation(Project, "op1", one)
    operation(Project, "op2", other)
    groups = Project().groups
    assert groups["one"].isdisjoint(groups["other"])
    assert not groups["one"].isdisjoint(groups["op1"])


def test_a_group_of_commands(Project: Any) -> None:
    """A command may be in a group."""
    ex = Project.make_group(name="ex")

    @ex
    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    project = Project()
    project.run(names=["ex"])
    assert all(job.isfile("out.txt") for job in project)


def test_a_group_is_made_once(Project: Any) -> None:
    """A second group of one name is an error."""
    Project.make_group("ex")
    with pytest.raises(FlowProjectDefinitionError, match="ex"):
        Project.make_group("ex")


def test_a_group_is_not_called_as_an_operation(Project: Any) -> None:
    """A group cannot have the name of an operation, nor an operation that of a group."""
    operation(Project, "op1")
    with pytest.raises(FlowProjectDefinitionError, match="op1"):
        Project.make_group("op1")
    Project.make_group("ex")
    with pytest.raises(FlowProjectDefinitionError, match="ex"):
        operation(Project, "ex")


def test_a_group_takes_operations_only(Project: Any) -> None:
    """A function that is no operation yet cannot be put into a group."""
    ex = Project.make_group("ex")
    with pytest.raises(FlowProjectDefinitionError, match=r"Add @MyProjectClass\.operation"):
        ex(lambda job: None)


def test_a_group_takes_an_operation_once(Project: Any) -> None:
    """An operation cannot be put into one group twice."""
    ex = Project.make_group("ex")
    function = operation(Project, "op1", ex)
    with pytest.raises(FlowProjectDefinitionError, match="ex"):
        ex(function)


def test_the_decorator_gives_the_function_back(Project: Any) -> None:
    """A group's decorator returns the operation's function."""
    function = operation(Project, "op1")
    assert function is Project.make_group("ex")(function)


def test_the_state_of_a_group(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The status shows a group with the number of its operations."""
    ex = Project.make_group("ex")
    operation(Project, "op1", ex)
    Project.post(lambda job: True)(operation(Project, "op2", ex))
    Project().print_status(output_format="markdown")
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert ["| ex (2 ops)", "3"] in [row[:2] for row in rows]
    assert ["| op1", "3"] in [row[:2] for row in rows]


# FlowGroups, "Group-Specific Directives"; FlowGroup in the API. The page has the decorator
# ``group.with_directives``, which signac-flow 0.29 has no more: the group itself takes them.


def directives(Project: Any, capsys: pytest.CaptureFixture[str], name: str) -> set[str]:
    """Give np and ngpu that a script for a group, or an operation, asks for."""
    templates = Path(Project().path) / "templates"
    templates.mkdir(exist_ok=True)
    (templates / "script.sh").write_text(
        "{% for operation in operations %}"
        "np={{ operation.directives.np }} ngpu={{ operation.directives.ngpu }}"
        "{% endfor %}"
    )
    return set(script(Project, capsys, names=[name], force=True).splitlines())


def test_directives_of_a_group(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Directives that an operation has in a group go before its own, in that group only."""
    ex, plain = Project.make_group("ex"), Project.make_group("plain")

    @plain
    @ex(directives={"ngpu": 2})
    @Project.operation(directives={"ngpu": 1})
    def op1(job: Any) -> None:
        pass

    assert {"np=1 ngpu=2"} == directives(Project, capsys, "ex")
    assert {"np=1 ngpu=1"} == directives(Project, capsys, "plain")
    assert {"np=1 ngpu=1"} == directives(Project, capsys, "op1")


def test_directives_of_a_group_stand_alone(
    Project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """With directives of a group, none of the operation's own are left in that group."""
    ex = Project.make_group("ex")

    @ex(directives={"ngpu": 2})
    @Project.operation(directives={"np": 4})
    def op1(job: Any) -> None:
        pass

    assert {"np=1 ngpu=2"} == directives(Project, capsys, "ex")
    assert {"np=4 ngpu=0"} == directives(Project, capsys, "op1")


def test_callable_directives_of_a_group(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Directives of a group may be callables of the job."""
    ex = Project.make_group("ex")

    @ex(directives={"np": lambda job: job.sp.a + 1})
    @Project.operation
    def op1(job: Any) -> None:
        pass

    assert {"np=1 ngpu=0", "np=2 ngpu=0", "np=3 ngpu=0"} == directives(Project, capsys, "ex")


def test_a_group_asks_for_what_its_largest_operation_needs(
    Project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Resources of a group are those of its most demanding operation."""
    ex = Project.make_group("ex")
    operation(Project, "op1", ex, directives={"np": 2, "ngpu": 1})
    operation(Project, "op2", ex, directives={"np": 8})
    assert {"np=8 ngpu=1"} == directives(Project, capsys, "ex")


def test_environments_as_groups(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Recipes, "How to create multiple execution environments": a group for each machine."""
    supercomputer, laptop = Project.make_group("supercomputer"), Project.make_group("laptop")

    @supercomputer(directives={"ngpu": 4})
    @laptop(directives={"ngpu": 0})
    @Project.operation
    def op1(job: Any) -> None:
        pass

    @supercomputer(directives={"nranks": 40})
    @laptop(directives={"nranks": 4})
    @Project.operation
    def op2(job: Any) -> None:
        pass

    assert {"np=40 ngpu=4"} == directives(Project, capsys, "supercomputer")
    assert {"np=4 ngpu=0"} == directives(Project, capsys, "laptop")


# FlowProject.make_group in the API: submit_options, run_options, group_aggregator.


def test_submit_options(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`submit_options` are appended to the command ``run`` of a submitted group."""
    ex = Project.make_group("ex", submit_options="--num-passes=2 --debug")
    operation(Project, "op1", ex)
    text = script(Project, capsys, names=["ex"])
    ids = re.findall(r" run -o ex -j (\w+) --num-passes=2 --debug$", text, re.MULTILINE)
    assert sorted(job.id for job in Project()) == sorted(ids)
    assert "--num-passes" not in script(Project, capsys, names=["op1"])


def test_run_options(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`run_options` are appended to the command ``exec`` of each operation of the group."""
    ex = Project.make_group("ex", run_options="--debug")
    operation(Project, "op1", ex)
    project = Project()
    project.run(names=["ex"], pretend=True)
    lines = [line.split()[-4:] for line in capsys.readouterr().out.splitlines()]
    assert [["exec", "op1", job.id, "--debug"] for job in project] == lines
    project.run(names=["op1"], pretend=True)
    assert "--debug" not in capsys.readouterr().out


# Aggregation, "Aggregation with FlowGroups".


def test_the_aggregator_of_a_group(Project: Any) -> None:
    """The example: all operations of a group get the aggregates of its `group_aggregator`."""
    seen: list[Any] = []
    group = Project.make_group("agg-group", group_aggregator=flow.aggregator(sort_by="a"))
    operation(Project, "op1", group, seen=seen, aggregator=flow.aggregator(sort_by="a"))
    operation(Project, "op2", group, seen=seen)
    project = Project()
    project.run(names=["agg-group"])
    assert [("op1", 0, 1, 2), ("op2", 0, 1, 2)] == seen
    del seen[:]
    project.run(names=["op1"])
    assert [("op1", 0, 1, 2)] == seen
    del seen[:]
    project.run(names=["op2"])
    assert [("op2", 0), ("op2", 1), ("op2", 2)] == sorted(seen)


def test_a_group_without_an_aggregator(Project: Any) -> None:
    """By default no aggregation takes place in a group, also if its operations have aggregators."""
    seen: list[Any] = []
    group = Project.make_group("ex")
    operation(Project, "op1", group, seen=seen, aggregator=flow.aggregator())
    Project().run(names=["ex"])
    assert [("op1", 0), ("op1", 1), ("op1", 2)] == sorted(seen)
