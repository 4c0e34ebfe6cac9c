"""Operations as signac-flow documents them: decorator, names, commands, with_job, errors.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import FlowProjectDefinitionError, UserOperationError
from flow.project import FlowCmdOperation, FlowOperation

import pointillist

# The FlowProject, "Operations"; FlowProject.operation in the API.


def test_an_operation_runs_on_each_job(Project: Any) -> None:
    """A decorated function becomes an operation, and `run` calls it once with every job."""
    seen: list[int] = []

    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)

    Project().run()
    assert [0, 1, 2] == sorted(seen)


def test_the_working_directory_is_the_job_in_with(Project: Any) -> None:
    """The example: in `with job` an operation writes a file into the job's folder."""

    @Project.operation
    def hello(job: Any) -> None:
        with job, Path("hello.txt").open("w") as file:
            file.write("world!\n")

    project = Project()
    project.run()
    assert ["world!\n"] * 3 == [Path(job.fn("hello.txt")).read_text() for job in project]


def test_an_operation_is_called_as_its_function(Project: Any) -> None:
    """Without a name the operation takes the function's."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    assert ["hello"] == list(Project().operations)


def test_a_name_as_first_argument(Project: Any) -> None:
    """``@Project.operation("greet")`` names the operation."""

    @Project.operation("greet")
    def hello(job: Any) -> None:
        pass

    assert ["greet"] == list(Project().operations)


def test_a_name_as_keyword(Project: Any) -> None:
    """``@Project.operation(name="greet")`` names the operation."""

    @Project.operation(name="greet")
    def hello(job: Any) -> None:
        pass

    assert ["greet"] == list(Project().operations)


def test_an_empty_call(Project: Any) -> None:
    """``@Project.operation()`` is the same as ``@Project.operation``."""

    @Project.operation()
    def hello(job: Any) -> None:
        pass

    assert ["hello"] == list(Project().operations)


def test_the_function_is_given_back(Project: Any) -> None:
    """The decorator returns the function itself, which stays callable."""

    def double(job: Any) -> Any:
        return 2 * job.sp.a

    assert double is Project.operation(double)
    assert [0, 2, 4] == sorted(double(job) for job in Project())


def test_operations_are_listed_in_their_order(Project: Any) -> None:
    """`operations` is a dictionary in the order of the definitions, by kind."""

    @Project.operation
    def second(job: Any) -> None:
        pass

    @Project.operation(cmd=True)
    def first(job: Any) -> str:
        return "true"

    kinds = {name: type(operation) for name, operation in Project().operations.items()}
    assert ["second", "first"] == list(kinds)
    assert issubclass(kinds["second"], FlowOperation)
    assert issubclass(kinds["first"], FlowCmdOperation)


def test_directives_as_first_argument_are_no_operation(Project: Any) -> None:
    """The example ``operation({"nranks": 4})`` of the docstring fails; it is a keyword only."""

    def mpi_hello(job: Any) -> None:
        pass

    with pytest.raises(AttributeError):
        Project.operation({"nranks": 4})(mpi_hello)
    Project.operation(directives={"nranks": 4})(mpi_hello)
    assert ["mpi_hello"] == list(Project().operations)


def test_a_name_is_taken_once(Project: Any) -> None:
    """A second operation of one name is an error."""

    @Project.operation("hello")
    def one(job: Any) -> None:
        pass

    with pytest.raises(FlowProjectDefinitionError, match="hello"):

        @Project.operation("hello")
        def other(job: Any) -> None:
            pass


def test_a_function_is_registered_once(Project: Any) -> None:
    """One function under two names is an error."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    with pytest.raises(FlowProjectDefinitionError, match="already registered"):
        Project.operation("other")(hello)


# The FlowProject, "Conditions": "Using these decorators before declaring ... is an error".


@pytest.mark.parametrize("kind", ["pre", "post"])
def test_a_condition_comes_after_the_operation(Project: Any, kind: str) -> None:
    """A condition below the operation's decorator is an error."""

    def hello(job: Any) -> None:
        pass

    with pytest.raises(FlowProjectDefinitionError, match="Conditions must come after"):
        getattr(Project, kind)(lambda job: True)(hello)


@pytest.mark.parametrize("kind", ["pre", "post"])
def test_an_operation_is_no_condition(Project: Any, kind: str) -> None:
    """An operation's function cannot be a condition of another."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    @Project.operation
    def other(job: Any) -> None:
        pass

    with pytest.raises(FlowProjectDefinitionError, match="cannot be used as"):
        getattr(Project, kind)(hello)(other)


@pytest.mark.parametrize("kind", ["pre", "post"])
def test_a_condition_is_no_operation(Project: Any, kind: str) -> None:
    """A condition's function cannot be an operation as well."""

    def greeted(job: Any) -> bool:
        return True

    @Project.operation
    def hello(job: Any) -> None:
        pass

    getattr(Project, kind)(greeted)(hello)
    with pytest.raises(FlowProjectDefinitionError, match="condition function"):
        Project.operation(greeted)


# The FlowProject, "Setup and Interface": multiple FlowProjects on one data space.


def test_two_projects_on_one_data_space(base: Any, Project: Any) -> None:
    """Two classes work on the same jobs, each with operations of its own."""

    class Other(base):
        pass

    @Project.operation
    def here(job: Any) -> None:
        job.doc.here = True

    @Other.operation
    def there(job: Any) -> None:
        job.doc.there = True

    Project().run()
    assert [{"here": True}] * 3 == [job.doc() for job in signac.get_project()]
    Other().run()
    assert [{"here": True, "there": True}] * 3 == [job.doc() for job in signac.get_project()]


# Recipes, "How to define parameter-dependent operations".


def test_operations_of_a_parameter(Project: Any) -> None:
    """Operations made in a loop, each of another parameter, run independently."""

    def set_up(bar: int) -> None:
        @Project.post(lambda job: bar in job.doc.get("foo", []))
        @Project.operation(f"foo-{bar}")
        def foo(job: Any) -> None:
            job.doc.setdefault("foo", []).append(bar)

    for bar in (4, 8, 15):
        set_up(bar)
    project = Project()
    assert ["foo-4", "foo-8", "foo-15"] == list(project.operations)
    project.run()
    assert [[4, 8, 15]] * 3 == [sorted(job.doc.foo()) for job in project]
    project.run()
    assert [[4, 8, 15]] * 3 == [sorted(job.doc.foo()) for job in project]


# FlowProject.operation in the API, "with_job"; The FlowProject, "Conditions", the last tip.


def test_with_job_changes_into_the_job(Project: Any, tmp_path: Path) -> None:
    """`with_job` puts the whole operation into the job's folder, and leaves it again."""
    seen: dict[str, str] = {}

    @Project.operation(with_job=True)
    def hello(job: Any) -> None:
        seen[job.path] = os.getcwd()  # noqa: PTH109 - what the operation itself would see

    project = Project()
    project.run()
    assert {job.path: job.path for job in project} == seen
    assert tmp_path == Path.cwd()


def test_with_job_leaves_the_job_after_an_error(Project: Any, tmp_path: Path) -> None:
    """The working directory is what it was after an operation with `with_job` has failed."""

    @Project.operation(with_job=True)
    def hello(job: Any) -> None:
        raise ValueError("no")

    with pytest.raises(UserOperationError):
        Project().run()
    assert tmp_path == Path.cwd()


def test_with_job_is_for_single_jobs(Project: Any) -> None:
    """`with_job` cannot be used with aggregation."""
    with pytest.raises(FlowProjectDefinitionError, match="with_job"):

        @Project.operation(with_job=True, aggregator=flow.aggregator())
        def hello(*jobs: Any) -> None:
            pass


def test_with_job_of_a_command(Project: Any) -> None:
    """`with_job` with `cmd` runs the command in the job's folder."""

    @Project.operation(with_job=True, cmd=True)
    def hello(job: Any) -> str:
        return f"echo hello {job.sp.a} > hello.txt"

    project = Project()
    project.run()
    said = {job.sp.a: Path(job.fn("hello.txt")).read_text() for job in project}
    assert {a: f"hello {a}\n" for a in range(3)} == said


# FlowProject.operation in the API, "cmd"; FlowCmdOperation.


def test_a_command_is_executed_by_the_shell(Project: Any) -> None:
    """With `cmd` the returned string is a shell's, pipes and redirections included."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        out = f"{job.path}/out.txt"
        return f"printf 'b\\na\\n' | sort > {out} && echo {job.sp.a} >> {out}"

    project = Project()
    project.run(jobs=[project.open_job({"a": 2})])
    assert "a\nb\n2\n" == Path(project.open_job({"a": 2}).fn("out.txt")).read_text()


def test_braces_in_a_command_stay(Project: Any) -> None:
    """The documented replacement of ``{job.id}`` does not happen: the text reaches the shell."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"echo '{{job.id}}' > {job.path}/out.txt"

    project = Project()
    project.run()
    assert ["{job.id}\n"] * 3 == [Path(job.fn("out.txt")).read_text() for job in project]


def test_a_command_runs_in_the_directory_of_the_run(Project: Any, tmp_path: Path) -> None:
    """Without `with_job` a command's working directory is that of `run`."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"pwd > {job.path}/out.txt"

    project = Project()
    project.run()
    assert [f"{tmp_path}\n"] * 3 == [Path(job.fn("out.txt")).read_text() for job in project]


def test_a_command_of_an_aggregate(Project: Any, tmp_path: Path) -> None:
    """The function of an aggregate's command gets all jobs of the aggregate."""

    @Project.operation(cmd=True, aggregator=flow.aggregator(sort_by="a"))
    def together(*jobs: Any) -> str:
        return f"echo {' '.join(str(job.sp.a) for job in jobs)} > all.txt"

    Project().run()
    assert "0 1 2\n" == (tmp_path / "all.txt").read_text()


def test_a_command_that_fails(Project: Any) -> None:
    """A command that exits with another code than 0 is a failed operation."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return "exit 3"

    with pytest.raises(UserOperationError, match="hello") as caught:
        Project().run(num=1)
    cause = caught.value.__cause__
    assert isinstance(cause, subprocess.CalledProcessError)
    assert 3 == cause.returncode


def test_a_command_is_made_when_it_is_needed(Project: Any) -> None:
    """A command is asked for only from jobs for which the operation is eligible."""
    asked: set[int] = set()

    @Project.pre(lambda job: job.sp.a == 1)
    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        asked.add(job.sp.a)
        return "true"

    Project().run()
    assert {1} == asked


# UserOperationError in flow.errors: "an error during execution of a BaseFlowOperation".


def test_an_operation_that_fails(Project: Any) -> None:
    """`run` raises UserOperationError, which names operation and job and has the cause."""

    @Project.pre(lambda job: job.sp.a == 1)
    @Project.operation
    def hello(job: Any) -> None:
        raise ValueError("no")

    project = Project()
    with pytest.raises(UserOperationError) as caught:
        project.run()
    assert "operation hello" in str(caught.value)
    assert project.open_job({"a": 1}).id in str(caught.value)
    assert isinstance(caught.value.__cause__, ValueError)


# What the documentation imports from the package `flow` beside FlowProject.


@pytest.mark.parametrize(
    "name",
    ["IgnoreConditions", "aggregator", "classlabel", "get_aggregate_id", "label", "staticlabel"],
)
def test_names_beside_the_class(name: str) -> None:
    """What a project imports together with FlowProject is the same thing from either package."""
    assert getattr(flow, name) is getattr(pointillist, name)
