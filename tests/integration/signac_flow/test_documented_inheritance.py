"""Classes of projects that inherit from another, and how a project is made, as documented.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flow
import pytest
from flow.environment import StandardEnvironment
from flow.errors import FlowProjectDefinitionError

# signac-flow's change log, 0.12: "Inheritance of operations, conditions, labels and groups";
# comments of FlowProject: "registered with this class and its parent classes".


@pytest.fixture
def greeting(Project: Any) -> Any:
    """Give the operation `greet` of the base class, with a postcondition."""

    @Project.post.true("greeted")
    @Project.operation
    def greet(job: Any) -> None:
        job.doc.greeted = True

    return greet


def test_operations_are_inherited(Project: Any, greeting: Any) -> None:
    """A subclass has the operations of its base beside its own, which come first."""

    class Sub(Project):
        pass

    @Sub.operation
    def part(job: Any) -> None:
        job.doc.parted = True

    assert ["part", "greet"] == list(Sub().operations)
    Sub().run()
    assert [{"greeted": True, "parted": True}] * 3 == [job.doc() for job in Sub()]


def test_the_base_stays_as_it_is(Project: Any, greeting: Any) -> None:
    """Operations of a subclass are not those of its base, nor of another subclass."""

    class Sub(Project):
        pass

    class Other(Project):
        pass

    @Sub.operation
    def part(job: Any) -> None:
        pass

    assert ["greet"] == list(Project().operations)
    assert ["greet"] == list(Other().operations)


def test_postconditions_are_inherited(Project: Any, greeting: Any) -> None:
    """An inherited operation keeps its postconditions."""

    class Sub(Project):
        pass

    project = Sub()
    done = project.open_job({"a": 1})
    done.doc.greeted = True
    assert ["greet"] == list(project.completed_operations(done))
    assert [] == list(project.completed_operations(project.open_job({"a": 0})))


def test_conditions_that_a_subclass_adds(Project: Any, greeting: Any) -> None:
    """A condition that a subclass adds to an inherited operation holds for the subclass only."""

    class Sub(Project):
        pass

    Sub.pre(lambda job: job.sp.a == 1)(greeting)
    Sub().run()
    assert [1] == [job.sp.a for job in Sub() if "greeted" in job.doc]
    Project().run()
    assert [0, 1, 2] == sorted(job.sp.a for job in Project() if "greeted" in job.doc)


def test_after_an_operation_of_the_base(Project: Any, greeting: Any) -> None:
    """``pre.after`` and ``copy_from`` of a subclass take operations of its base."""

    class Sub(Project):
        pass

    seen: list[int] = []

    @Sub.pre.after(greeting)
    @Sub.operation
    def part(job: Any) -> None:
        seen.append(job.sp.a)

    project = Sub()
    project.open_job({"a": 2}).doc.greeted = True
    project.run(names=["part"])
    assert [2] == seen


def test_copied_postconditions_of_the_base(Project: Any, greeting: Any) -> None:
    """``post.copy_from`` of a subclass copies the postconditions of an inherited operation."""

    class Sub(Project):
        pass

    @Sub.post.copy_from(greeting)
    @Sub.operation
    def part(job: Any) -> None:
        pass

    project = Sub()
    project.open_job({"a": 2}).doc.greeted = True
    completed = {job.sp.a: list(project.completed_operations(job)) for job in project}
    assert {0: [], 1: [], 2: ["part", "greet"]} == completed


def test_a_name_of_the_base_is_taken(Project: Any, greeting: Any) -> None:
    """An operation of a subclass that is called as one of its base is an error."""

    class Sub(Project):
        pass

    @Sub.operation("greet")
    def other(job: Any) -> None:
        pass

    with pytest.raises(FlowProjectDefinitionError, match="greet"):
        Sub()


def test_groups_are_inherited(Project: Any) -> None:
    """A subclass has the groups of its base with their operations, and may add its own to one."""
    group = Project.make_group("ex")

    @group
    @Project.operation
    def greet(job: Any) -> None:
        pass

    class Sub(Project):
        pass

    @Sub.operation
    def part(job: Any) -> None:
        pass

    assert {"ex", "greet", "part"} == set(Sub().groups)
    assert ["greet"] == list(Sub().groups["ex"].operations)


def test_two_bases(base: Any, Project: Any, greeting: Any) -> None:
    """A class of two bases has the operations of both."""

    class Other(base):
        pass

    @Other.operation
    def part(job: Any) -> None:
        job.doc.parted = True

    class Both(Project, Other):
        pass

    assert {"greet", "part"} == set(Both().operations)
    Both().run()
    assert [{"greeted": True, "parted": True}] * 3 == [job.doc() for job in Both()]


def test_hooks_of_an_operation_are_of_the_class_that_set_them(Project: Any, greeting: Any) -> None:
    """Hooks of an operation are not inherited: those of a subclass are set by the subclass."""
    calls: list[str] = []
    Project.operation_hooks.on_start(lambda name, job: calls.append("base"))(greeting)

    class Sub(Project):
        pass

    Sub.operation_hooks.on_start(lambda name, job: calls.append("sub"))(greeting)
    Sub().run(jobs=[Sub().open_job({"a": 0})])
    assert ["sub"] == calls
    Project().run(jobs=[Project().open_job({"a": 1})])
    assert ["sub", "base"] == calls


def test_a_method_may_be_overridden(Project: Any, greeting: Any) -> None:
    """A subclass may extend `run`, and reach the original by ``super()``."""
    calls: list[Any] = []

    class Sub(Project):
        def run(self, *arguments: Any, **keywords: Any) -> Any:
            calls.append(keywords)
            return super().run(*arguments, **keywords)

    Sub().run(num=1)
    assert [{"num": 1}] == calls
    assert 1 == sum("greeted" in job.doc for job in Sub())


# The API: FlowProject, "Parameters".


def test_the_directory_of_a_project(Project: Any, tmp_path: Path) -> None:
    """`path` is the project's directory; by default it is the current one."""
    assert str(tmp_path) == Project().path
    assert str(tmp_path) == Project(path=str(tmp_path)).path
    assert 3 == len(Project(str(tmp_path)))


def test_a_directory_without_a_project(Project: Any, tmp_path: Path) -> None:
    """A directory that is no signac project is a LookupError."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(LookupError):
        Project(str(tmp_path / "empty"))


def test_projects_are_found_and_begun(Project: Any, tmp_path: Path) -> None:
    """`get_project` and `init_project` of signac give instances of the class."""
    found = Project.get_project()
    assert (Project, str(tmp_path)) == (type(found), found.path)
    begun = Project.init_project(path=str(tmp_path / "new"))
    assert (Project, str(tmp_path / "new")) == (type(begun), begun.path)


def test_the_environment_of_a_project(Project: Any) -> None:
    """`environment` is used for scripts: StandardEnvironment has no scheduler to submit to."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    with pytest.raises(flow.errors.NoSchedulerError):
        Project(environment=StandardEnvironment).submit()


def test_the_entrypoint_of_a_project(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`entrypoint` gives script and interpreter of commands for forked operations."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    project = Project(entrypoint={"executable": "pythonX", "path": "other.py"})
    project.run(pretend=True)
    # The directive `executable`, which is always set, goes before the entrypoint's.
    printed = [line.split()[1:] for line in capsys.readouterr().out.splitlines()]
    assert [["other.py", "exec", "hello", job.id] for job in project] == printed
