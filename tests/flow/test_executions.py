"""What is carried out: ids, commands and directives as signac-flow makes them; hooks around it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import UserConditionError
from flow.hooks.hooks import _Hooks
from flow.project import IgnoreConditions

from pointillist.flow.executions import Execution, Recipe, hooks_around
from pointillist.flow.flowproject import FlowProject

HOMES: dict[str, Any] = {"flow": flow.FlowProject, "pointillist": FlowProject}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a signac project of three jobs."""
    project = signac.init_project(str(tmp_path))
    for i in range(3):
        project.open_job({"i": i}).init()
    return tmp_path


def declared(root: Path, base: Any) -> Any:
    """Return a project with operations of every kind."""

    class Project(base):  # type: ignore[misc]  # signac-flow has no types
        pass

    options = Project.make_group("options", run_options="--debug")
    Project.operation(lambda job: None, name="plain")
    Project.operation(lambda job: f"echo {job.sp.i}", name="command", cmd=True)
    Project.operation(lambda job: None, name="fixed", directives={"np": 3, "memory": "2g"})
    called = {"np": lambda job: job.sp.i + 1, "walltime": lambda job: job.sp.i + 0.5}
    Project.operation(lambda job: None, name="called", directives=called)
    Project.operation(lambda job: None, name="ranks", directives={"nranks": 2})
    Project.operation(lambda job: None, name="forked", directives={"fork": True})
    Project.operation(lambda job: None, name="other", directives={"executable": "python-x"})
    Project.operation(lambda *jobs: None, name="all", aggregator=flow.aggregator())
    options(Project.operation(lambda job: None, name="grouped"))
    return Project(str(root), entrypoint={"path": "project.py"})


def told(operation: Any) -> tuple[Any, ...]:
    """Return all that a scheduler or a shell is told of an operation."""
    directives = {name: operation.directives[name] for name in sorted(operation.directives)}
    return operation.id, operation.name, operation.cmd, operation._jobs, directives


def test_as_in_flow(root: Path) -> None:
    """Ids, commands and directives are those of signac-flow, for every operation and job."""
    project = declared(root, FlowProject)
    defaults = project._get_default_directives()
    compared = 0
    for store, groups in project._group_to_aggregate_store.inverse.items():
        for group in groups:
            for jobs in store.values():
                theirs = group._create_run_job_operations(project._entrypoint, defaults, jobs)
                for expected in theirs:
                    recipe = Recipe(project, group, expected.name, defaults)
                    found = recipe.execution(jobs)
                    assert told(expected) == told(found)
                    assert str(expected) == str(found)
                    keys = (set(one.directives._keys_set_by_user) for one in (expected, found))
                    assert next(keys) == next(keys)
                    compared += 1
    assert 3 * 9 + 1 == compared


def recipe(project: Any, name: str, group: str = "") -> Recipe:
    """Return the recipe of an operation, as a member of its own group or of another one."""
    return Recipe(project, project.groups[group or name], name, project._get_default_directives())


def test_key(root: Path) -> None:
    """The key of an execution is the operation and the aggregate."""
    project = declared(root, FlowProject)
    jobs = tuple(project)
    assert ("all", flow.get_aggregate_id(jobs)) == recipe(project, "all").execution(jobs).key
    one = recipe(project, "grouped").execution(jobs[:1])
    other = recipe(project, "grouped", "options").execution(jobs[:1])
    assert ("grouped", jobs[0].id) == one.key == other.key


@pytest.mark.parametrize(
    ("name", "timeout", "forks"),
    [
        ("plain", None, False),
        ("plain", 5.0, True),
        ("fixed", None, False),
        ("called", None, False),
        ("command", None, True),
        ("forked", None, True),
        ("other", None, True),
        ("ranks", None, True),
    ],
)
def test_forks(root: Path, name: str, timeout: float | None, forks: bool) -> None:
    """Commands, other executables, ranks, a timeout and `fork` need a process of their own."""
    project = declared(root, FlowProject)
    assert forks is recipe(project, name).execution((next(iter(project)),)).forks(timeout)


def test_run_options_fork(root: Path) -> None:
    """A group's run options need a process of their own; alone the operation does not."""
    project = declared(root, FlowProject)
    jobs = (next(iter(project)),)
    assert recipe(project, "grouped", "options").execution(jobs).forks(None)
    assert not recipe(project, "grouped").execution(jobs).forks(None)


def test_directives_are_the_execution_s_own(root: Path) -> None:
    """Directives that are functions are worked out for each job; others are made once."""
    project = declared(root, FlowProject)
    called = recipe(project, "called")
    assert sorted([1, 2, 3]) == sorted(called.execution((job,)).directives["np"] for job in project)
    fixed = recipe(project, "fixed")
    assert {(3, 2)} == {
        (one.directives["np"], one.directives["memory"])
        for one in (fixed.execution((job,)) for job in project)
    }


def test_commands_are_made_when_asked_for(root: Path) -> None:
    """The function of a command is called when the command is looked at, and once."""
    calls: list[int] = []

    class Project(FlowProject):
        pass

    def command(job: Any) -> str:
        calls.append(job.sp.i)
        return "true"

    Project.operation(command, cmd=True)
    project = Project(str(root))
    one = recipe(project, "command").execution((next(iter(project)),))
    assert [] == calls
    assert ["true", "true"] == [one.cmd, one.cmd]
    assert 1 == len(calls)
    assert isinstance(one, Execution) and sys.executable == one.directives["executable"]


# Eligibility.


@pytest.mark.parametrize("ignore", list(IgnoreConditions), ids=str)
@pytest.mark.parametrize("conditions", ["", "0", "1", "00", "01", "10", "11"])
@pytest.mark.parametrize("kind", ["pre", "post", "both"])
def test_eligible_as_in_flow(
    root: Path, kind: str, conditions: str, ignore: IgnoreConditions
) -> None:
    """What is eligible is what signac-flow says, whichever conditions there are or are ignored."""

    class Project(FlowProject):
        pass

    operation = Project.operation(lambda job: None, name="work")
    for which in ("pre", "post") if kind == "both" else (kind,):
        for number, holds in enumerate(conditions):
            condition = bool(int(holds))
            getattr(Project, which)(lambda job, c=condition: c, tag=f"{number}")(operation)
    project = Project(str(root))
    jobs = (next(iter(project)),)
    found = recipe(project, "work")
    assert bool(found.operation._eligible(jobs, ignore)) is found.eligible(jobs, ignore)


def test_conditions_are_asked_no_more_than_needed(root: Path) -> None:
    """The first condition that decides is the last one that is asked."""
    asked: list[str] = []

    class Project(FlowProject):
        pass

    def saying(name: str, value: bool) -> Any:
        def condition(job: Any) -> bool:
            asked.append(name)
            return value

        return condition

    def work(job: Any) -> None:
        pass

    Project.operation(work)
    for name, value in (("p3", True), ("p2", False), ("p1", True)):
        Project.pre(saying(name, value))(work)
    Project.post(saying("never", True))(work)
    project = Project(str(root))
    assert not recipe(project, "work").eligible((next(iter(project)),), IgnoreConditions.NONE)
    assert ["p1", "p2"] == asked


def test_condition_that_raises(root: Path) -> None:
    """A condition that cannot be judged is an error that names it, and no verdict."""

    class Project(FlowProject):
        pass

    def broken(job: Any) -> bool:
        raise OSError("stale handle")

    Project.pre(broken)(Project.operation(lambda job: None, name="work"))
    project = Project(str(root))
    with pytest.raises(UserConditionError, match=r"condition broken for job .*OSError: stale"):
        recipe(project, "work").eligible((next(iter(project)),), IgnoreConditions.NONE)


# Hooks.


def noting(seen: list[tuple[Any, ...]], who: str) -> Any:
    """Return hooks that note what they are called with."""

    def note(kind: str) -> Any:
        return lambda *arguments: seen.append((who, kind, *arguments))

    kinds = ("on_start", "on_exit", "on_success", "on_exception")
    return _Hooks(**{kind: [note(kind)] for kind in kinds})


def test_hooks_around_what_succeeds() -> None:
    """Hooks are called before, after success and at the end, the first set of them first."""
    seen: list[tuple[Any, ...]] = []
    with hooks_around([noting(seen, "project"), noting(seen, "work")], "work", ("job",)):
        seen.append(("itself",))
    both = ("project", "work")
    assert [
        *[(who, "on_start", "work", "job") for who in both],
        ("itself",),
        *[(who, "on_success", "work", "job") for who in both],
        *[(who, "on_exit", "work", "job") for who in both],
    ] == seen


def test_hooks_around_what_fails() -> None:
    """A hook of exceptions gets the error, which goes on; all jobs of an aggregate are given."""
    seen: list[tuple[Any, ...]] = []
    error = ValueError("no luck")
    with (
        pytest.raises(ValueError, match="no luck"),
        hooks_around([noting(seen, "work")], "work", ("one", "two")),
    ):
        raise error
    assert [
        ("work", "on_start", "work", "one", "two"),
        ("work", "on_exception", "work", error, "one", "two"),
        ("work", "on_exit", "work", "one", "two"),
    ] == seen


def test_no_hooks() -> None:
    """Without hooks nothing is called."""
    with hooks_around([], "work", ("job",)):
        pass
