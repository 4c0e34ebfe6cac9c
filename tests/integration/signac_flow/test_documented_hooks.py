"""Hooks as signac-flow documents them, of an operation and of a project, and TrackOperations.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import UserOperationError
from flow.hooks import TrackOperations

TRIGGERS = ["on_start", "on_exit", "on_success", "on_exception"]


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; one job with a = 0 lies in the working directory."""
    monkeypatch.chdir(tmp_path)
    signac.init_project().open_job({"a": 0}).init()

    class Project(base):
        pass

    return Project


def listed(calls: list[Any], word: str) -> Any:
    """Give a hook that notes a word, and what it was called with."""

    def hook(*arguments: Any) -> None:
        calls.append((word, *arguments))

    return hook


def names(calls: list[Any]) -> list[str]:
    """Give the words that hooks have noted, in their order."""
    return [call[0] for call in calls]


# Hooks, "Triggers".


def test_the_triggers_of_an_operation_that_succeeds(Project: Any) -> None:
    """`on_start` is called before the operation, `on_success` and `on_exit` after it."""
    calls: list[Any] = []

    @Project.operation
    def hello(job: Any) -> None:
        calls.append(("hello",))

    for trigger in TRIGGERS:
        getattr(Project.operation_hooks, trigger)(listed(calls, trigger))(hello)
    Project().run()
    assert ["on_start", "hello", "on_success", "on_exit"] == names(calls)


def test_the_triggers_of_an_operation_that_fails(Project: Any) -> None:
    """After an exception `on_exception` and `on_exit` are called, and `on_success` is not."""
    calls: list[Any] = []

    @Project.operation
    def hello(job: Any) -> None:
        raise ValueError("no")

    for trigger in TRIGGERS:
        getattr(Project.operation_hooks, trigger)(listed(calls, trigger))(hello)
    with pytest.raises(UserOperationError):
        Project().run()
    assert ["on_start", "on_exception", "on_exit"] == names(calls)


@pytest.mark.parametrize("trigger", ["on_start", "on_success", "on_exit"])
def test_a_hook_gets_name_and_job(Project: Any, trigger: str) -> None:
    """A hook is called with the operation's name and the job."""
    calls: list[Any] = []

    @getattr(Project.operation_hooks, trigger)(listed(calls, trigger))
    @Project.operation("greet")
    def hello(job: Any) -> None:
        pass

    project = Project()
    project.run()
    assert [(trigger, "greet", next(iter(project)))] == calls


def test_a_hook_of_exceptions_gets_the_error_too(Project: Any) -> None:
    """`on_exception` is called with the name, the exception that was raised, and the job."""
    calls: list[Any] = []
    error = ValueError("no")

    @Project.operation_hooks.on_exception(listed(calls, "on_exception"))
    @Project.operation
    def hello(job: Any) -> None:
        raise error

    project = Project()
    with pytest.raises(UserOperationError):
        project.run()
    assert [("on_exception", "hello", error, next(iter(project)))] == calls


def test_a_hook_of_an_aggregate_gets_all_jobs(Project: Any) -> None:
    """A hook of an operation with aggregation is called with ``*jobs``."""
    calls: list[Any] = []
    signac.get_project().open_job({"a": 1}).init()

    @Project.operation_hooks.on_start(listed(calls, "on_start"))
    @Project.operation(aggregator=flow.aggregator(sort_by="a"))
    def together(*jobs: Any) -> None:
        pass

    project = Project()
    project.run()
    assert [("on_start", "together", *sorted(project, key=lambda job: job.sp.a))] == calls


def test_a_hook_of_exceptions_of_an_aggregate(Project: Any) -> None:
    """`on_exception` of an operation with aggregation is called with error and ``*jobs``."""
    calls: list[Any] = []
    error = ValueError("no")
    signac.get_project().open_job({"a": 1}).init()

    @Project.operation_hooks.on_exception(listed(calls, "on_exception"))
    @Project.operation(aggregator=flow.aggregator(sort_by="a"))
    def together(*jobs: Any) -> None:
        raise error

    project = Project()
    with pytest.raises(UserOperationError):
        project.run()
    jobs = sorted(project, key=lambda job: job.sp.a)
    assert [("on_exception", "together", error, *jobs)] == calls


def test_hooks_in_a_group(Project: Any) -> None:
    """In a group's run, hooks of its operations are called with the operations' names."""
    calls: list[Any] = []
    group = Project.make_group("ex")

    @Project.operation_hooks.on_start(listed(calls, "on_start"))
    @group
    @Project.operation
    def hello(job: Any) -> None:
        pass

    project = Project()
    project.run(names=["ex"])
    assert [("on_start", "hello", next(iter(project)))] == calls


# Hooks, "Operation Hooks".


def test_success_and_error_in_the_document(Project: Any) -> None:
    """The example: whether an operation succeeded is kept in each job's document."""
    Project().open_job({"a": 1}).init()

    def store_success_to_doc(operation_name: str, job: Any) -> None:
        job.doc.update({f"{operation_name}_success": True})

    def store_error_to_doc(operation_name: str, error: Exception, job: Any) -> None:
        job.doc.update({f"{operation_name}_success": False})

    @Project.operation
    @Project.operation_hooks.on_success(store_success_to_doc)
    @Project.operation_hooks.on_exception(store_error_to_doc)
    def error_on_a_0(job: Any) -> None:
        if job.sp.a == 0:
            raise RuntimeError("Cannot process jobs with a == 0.")

    project = Project()
    project.run(jobs=[project.open_job({"a": 1})])
    with pytest.raises(UserOperationError):
        project.run(jobs=[project.open_job({"a": 0})])
    assert {0: False, 1: True} == {job.sp.a: job.doc.error_on_a_0_success for job in project}


def test_hooks_above_or_below_the_operation(Project: Any) -> None:
    """The documentation has hooks below the operation's decorator and above it: both work."""
    calls: list[Any] = []

    @Project.operation_hooks.on_start(listed(calls, "above"))
    @Project.operation
    @Project.operation_hooks.on_start(listed(calls, "below"))
    def hello(job: Any) -> None:
        pass

    Project().run()
    assert ["below", "above"] == names(calls)


def test_a_hook_is_of_its_operation(Project: Any) -> None:
    """An operation's hooks are not called for another operation."""
    calls: list[Any] = []

    @Project.operation_hooks.on_start(listed(calls, "on_start"))
    @Project.operation
    def hello(job: Any) -> None:
        pass

    @Project.operation
    def other(job: Any) -> None:
        pass

    Project().run()
    assert ["hello"] == [call[1] for call in calls]


def test_the_decorator_gives_the_function_back(Project: Any) -> None:
    """A hook's decorator returns the operation's function."""

    @Project.operation
    def hello(job: Any) -> None:
        pass

    assert hello is Project.operation_hooks.on_exit(listed([], "on_exit"))(hello)


def test_hooks_of_a_command(Project: Any) -> None:
    """Hooks of a command are called in the process of the run, before and after the command."""
    calls: list[Any] = []

    def before(name: str, job: Any) -> None:
        calls.append((os.getpid(), job.isfile("out.txt")))

    def after(name: str, job: Any) -> None:
        calls.append((os.getpid(), job.isfile("out.txt")))

    @Project.operation_hooks.on_start(before)
    @Project.operation_hooks.on_success(after)
    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    Project().run()
    assert [(os.getpid(), False), (os.getpid(), True)] == calls


def test_hooks_of_a_command_that_fails(Project: Any) -> None:
    """`on_exception` of a command gets its CalledProcessError."""
    calls: list[Any] = []

    @Project.operation_hooks.on_exception(listed(calls, "on_exception"))
    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return "exit 3"

    with pytest.raises(UserOperationError):
        Project().run()
    (call,) = calls
    assert isinstance(call[2], subprocess.CalledProcessError)
    assert 3 == call[2].returncode


def test_a_hook_that_raises_at_the_start(Project: Any) -> None:
    """If `on_start` raises, the operation is not executed and the run fails with that error."""
    calls: list[Any] = []

    def broken(name: str, job: Any) -> None:
        raise KeyError("hook")

    @Project.operation_hooks.on_start(broken)
    @Project.operation
    def hello(job: Any) -> None:
        calls.append(("hello",))

    with pytest.raises(UserOperationError) as caught:
        Project().run()
    assert [] == calls
    assert isinstance(caught.value.__cause__, KeyError)


def test_pretending_calls_no_hooks(Project: Any) -> None:
    """With `pretend` nothing is executed, hooks neither."""
    calls: list[Any] = []

    @Project.operation_hooks.on_start(listed(calls, "on_start"))
    @Project.operation
    def hello(job: Any) -> None:
        pass

    Project().run(pretend=True)
    assert [] == calls


# Hooks, "Project-Level Hooks"; FlowProject.project_hooks in the API.


@pytest.mark.parametrize("trigger", ["on_start", "on_success", "on_exit"])
def test_a_hook_of_the_project_is_called_for_each_operation(Project: Any, trigger: str) -> None:
    """A hook that is appended to the project's list is called for every operation."""
    calls: list[Any] = []

    @Project.operation
    def one(job: Any) -> None:
        pass

    @Project.operation
    def other(job: Any) -> None:
        pass

    project = Project()
    getattr(project.project_hooks, trigger).append(listed(calls, trigger))
    project.run()
    assert [(trigger, "one"), (trigger, "other")] == sorted(call[:2] for call in calls)


def test_a_hook_of_the_project_for_exceptions(Project: Any) -> None:
    """`on_exception` of the project is called with name, error and job."""
    calls: list[Any] = []
    error = ValueError("no")

    @Project.operation
    def hello(job: Any) -> None:
        raise error

    project = Project()
    project.project_hooks.on_exception.append(listed(calls, "on_exception"))
    with pytest.raises(UserOperationError):
        project.run()
    assert [("on_exception", "hello", error, next(iter(project)))] == calls


def test_a_list_of_hooks(Project: Any) -> None:
    """The example: the project's hooks can be set as a list, and are called in its order."""
    calls: list[Any] = []

    @Project.operation
    def hello(job: Any) -> None:
        pass

    project = Project()
    project.project_hooks.on_start = [listed(calls, "first"), listed(calls, "second")]
    project.run()
    assert ["first", "second"] == names(calls)


def test_hooks_of_the_project_come_first(Project: Any) -> None:
    """At each trigger the project's hooks are called before the operation's."""
    calls: list[Any] = []

    @Project.operation
    def hello(job: Any) -> None:
        pass

    project_calls = ["on_start", "on_success", "on_exit"]
    for trigger in project_calls:
        getattr(Project.operation_hooks, trigger)(listed(calls, f"operation {trigger}"))(hello)
    project = Project()
    for trigger in project_calls:
        getattr(project.project_hooks, trigger).append(listed(calls, f"project {trigger}"))
    project.run()
    expected = [f"{who} {trigger}" for trigger in project_calls for who in ("project", "operation")]
    assert expected == names(calls)


def test_hooks_are_of_the_instance(Project: Any) -> None:
    """Hooks of the project belong to the instance, not to the class."""
    calls: list[Any] = []

    @Project.operation
    def hello(job: Any) -> None:
        pass

    Project().project_hooks.on_start.append(listed(calls, "on_start"))
    Project().run()
    assert [] == calls


def test_a_class_that_installs_hooks(Project: Any) -> None:
    """The example: a user's class installs hooks on a project by its `install_hooks`."""

    @Project.post.true("test_ran")
    @Project.operation
    def do_operation(job: Any) -> None:
        job.doc.test_ran = True

    class ProjectHooks:
        def set_job_doc(self, key: str) -> Any:
            def set_true(operation_name: str, job: Any) -> None:
                job.doc[f"{operation_name}_{key}"] = True

            return set_true

        def install_hooks(self, project: Any) -> Any:
            project.project_hooks.on_start.append(self.set_job_doc("start"))
            project.project_hooks.on_success.append(self.set_job_doc("success"))
            return project

    project = ProjectHooks().install_hooks(Project())
    project.run()
    expected = {"test_ran": True, "do_operation_start": True, "do_operation_success": True}
    assert [expected] == [job.doc() for job in project]


def test_exec_calls_no_hooks(Project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verb `exec`, which a forked operation is run by, leaves hooks to the run."""
    calls: list[Any] = []

    @Project.operation_hooks.on_start(listed(calls, "on_start"))
    @Project.operation
    def hello(job: Any) -> None:
        calls.append(("hello",))

    monkeypatch.setattr(sys, "argv", ["project.py", "exec", "hello"])
    Project().main()
    assert ["hello"] == names(calls)


# The API: flow.hooks.TrackOperations.

KEYS = {"time", "stage", "error", "project", "operation", "job_id", "_schema_version"}


def test_tracking_an_operation(Project: Any) -> None:
    """``install_operation_hooks(Project)`` decorates an operation; two lines are logged."""

    @TrackOperations(strict_git=False).install_operation_hooks(Project)
    @Project.operation
    def foo(job: Any) -> None:
        pass

    project = Project()
    project.run()
    (job,) = project
    log = TrackOperations.read_log(job)
    assert ["prior", "after"] == [line["stage"] for line in log]
    assert [None, None] == [line["error"] for line in log]
    assert [("foo", job.id)] * 2 == [(line["operation"], line["job_id"]) for line in log]
    assert [KEYS, KEYS] == [set(line) for line in log]
    assert [project.path] * 2 == [line["project"]["path"] for line in log]
    first, second = (datetime.fromisoformat(line["time"]) for line in log)
    assert timedelta(0) <= second - first


def test_tracking_a_function(Project: Any) -> None:
    """``install_operation_hooks(function, Project)`` does the same without a decorator."""

    @Project.operation
    def foo(job: Any) -> None:
        pass

    assert foo is TrackOperations(strict_git=False).install_operation_hooks(foo, Project)
    project = Project()
    project.run()
    assert ["prior", "after"] == [
        line["stage"] for line in TrackOperations.read_log(next(iter(project)))
    ]


def test_tracking_a_project(Project: Any) -> None:
    """``install_project_hooks(project)`` gives the project back and tracks every operation."""

    @Project.operation
    def foo(job: Any) -> None:
        pass

    @Project.operation
    def bar(job: Any) -> None:
        pass

    project = TrackOperations(strict_git=False).install_project_hooks(Project())
    project.run()
    log = TrackOperations.read_log(next(iter(project)))
    assert ["bar", "bar", "foo", "foo"] == sorted(line["operation"] for line in log)


def test_tracking_an_error(Project: Any) -> None:
    """The message of an operation that fails is logged after it."""

    @TrackOperations(strict_git=False).install_operation_hooks(Project)
    @Project.operation
    def foo(job: Any) -> None:
        raise ValueError("no good")

    project = Project()
    with pytest.raises(UserOperationError):
        project.run()
    log = TrackOperations.read_log(next(iter(project)))
    assert [("prior", None), ("after", "no good")] == [(li["stage"], li["error"]) for li in log]


def test_a_log_of_another_name(Project: Any) -> None:
    """`log_filename` is the log's name in the job's folder; further lines are appended."""

    @TrackOperations("history.log", strict_git=False).install_operation_hooks(Project)
    @Project.operation
    def foo(job: Any) -> None:
        pass

    project = Project()
    project.run()
    project.run()
    (job,) = project
    assert not job.isfile("signac_execution_history.log")
    log = TrackOperations.read_log(job, log_filename="history.log")
    assert ["prior", "after"] * 2 == [line["stage"] for line in log]
