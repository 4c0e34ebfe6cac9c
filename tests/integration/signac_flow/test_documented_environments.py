"""Environments as signac-flow documents them: how they are defined, found and used.

Tests that need a project run with signac-flow's own FlowProject and with ours; a comment names
the page of signac's documentation, and the section, that they are written from.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
import signac
from flow.environment import (
    ComputeEnvironment,
    DefaultSlurmEnvironment,
    SimpleSchedulerEnvironment,
    StandardEnvironment,
    get_environment,
    registered_environments,
    template_filter,
)
from flow.scheduling.fake_scheduler import FakeScheduler


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own with an operation; a job lies in the working directory."""
    monkeypatch.chdir(tmp_path)
    signac.init_project().open_job({"a": 0}).init()

    class Project(base):
        pass

    @Project.operation
    def hello(job: Any) -> None:
        pass

    return Project


@pytest.fixture(autouse=True)
def registry() -> Iterator[dict[str, Any]]:
    """Take environments that a test defines off the register again."""
    before = dict(ComputeEnvironment.registry)
    yield ComputeEnvironment.registry
    ComputeEnvironment.registry.clear()
    ComputeEnvironment.registry.update(before)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave it to signac-flow which environment is present."""
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")


def template(text: str, name: str = "script.sh") -> None:
    """Put a template into the project in the working directory."""
    Path("templates").mkdir(exist_ok=True)
    Path("templates", name).write_text(text)


# Manage Environments, "How to Use Environments".


def test_a_class_is_registered() -> None:
    """A subclass of ComputeEnvironment is registered when it is defined, after all others."""

    class Mine(ComputeEnvironment):
        pass

    assert Mine is registered_environments()[-1]


def test_the_environment_that_is_present(unset: None) -> None:
    """`get_environment` gives the class of which `is_present` is true."""

    class Mine(ComputeEnvironment):
        @classmethod
        def is_present(cls) -> bool:
            return True

    assert Mine is get_environment()
    assert Mine is flow.get_environment()


def test_the_last_definition_wins(unset: None) -> None:
    """Of two environments that are present, the one that was defined last is taken."""

    class First(StandardEnvironment):
        pass

    class Second(StandardEnvironment):
        pass

    class Absent(ComputeEnvironment):
        pass

    assert Second is get_environment()


def test_a_project_finds_its_environment(
    Project: Any, unset: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """A project without `environment` submits to the one that is present."""

    class Mine(StandardEnvironment):
        scheduler_type = FakeScheduler
        template = "mine.sh"

    template("this is mine\n", "mine.sh")
    Project().submit()
    assert "this is mine\n" == capsys.readouterr().out


# Manage Environments, "Packaged Environments".


def test_the_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGNAC_FLOW_ENVIRONMENT forces an environment by its name, present or not."""
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "DefaultSlurmEnvironment")
    assert DefaultSlurmEnvironment is get_environment()


def test_the_environment_variable_with_ones_own(
    Project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGNAC_FLOW_ENVIRONMENT may name a class of the user's; a project takes it."""

    class Mine(ComputeEnvironment):
        scheduler_type = FakeScheduler
        template = "mine.sh"

    template("this is mine\n", "mine.sh")
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "Mine")
    Project().submit()
    assert "this is mine\n" == capsys.readouterr().out


def test_an_unknown_environment(Project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name in SIGNAC_FLOW_ENVIRONMENT that is not registered is a ValueError."""
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "Nowhere")
    with pytest.raises(ValueError, match="Unknown environment 'Nowhere'"):
        Project()


def test_the_simple_scheduler_is_present(monkeypatch: pytest.MonkeyPatch, unset: None) -> None:
    """The environment of ``simple-scheduler`` is present if SIMPLE_SCHEDULER is set."""
    monkeypatch.delenv("SIMPLE_SCHEDULER", raising=False)
    assert not SimpleSchedulerEnvironment.is_present()
    monkeypatch.setenv("SIMPLE_SCHEDULER", "simple-scheduler")
    assert SimpleSchedulerEnvironment.is_present()


def test_the_environment_for_tests() -> None:
    """``get_environment(test=True)`` is the one that prints scripts."""
    assert flow.environment.TestEnvironment is get_environment(test=True)


# Manage Environments, "Defining New Environments".


def test_the_name_of_the_host() -> None:
    """`hostname_pattern` is a regular expression that the host's name must match."""
    name = socket.getfqdn()

    class Here(ComputeEnvironment):
        hostname_pattern = rf".*{name[1:].replace('.', '[.]')}$"

    class Elsewhere(ComputeEnvironment):
        hostname_pattern = r".*\.mycluster\.university\.edu$"

    assert Here.is_present()
    assert not Elsewhere.is_present()


def test_neither_host_nor_scheduler() -> None:
    """An environment without `hostname_pattern` and scheduler is not present."""

    class Mine(ComputeEnvironment):
        pass

    assert not Mine.is_present()


def test_a_template_of_an_environment(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The example: `template` names a file in the project's templates, which extends the base."""

    class MyUniversityCluster(ComputeEnvironment):
        scheduler_type = FakeScheduler
        template = "myuniversity-mycluster.sh"

    template(
        '{% extends "base_script.sh" %}\n'
        "{% block header %}\n"
        "#!/bin/bash\n"
        '#SBATCH --job-name="{{ id }}"\n'
        "{% block tasks %}\n"
        "#SBATCH --ntasks={{ np_global }}\n"
        "{% endblock %}\n"
        "{% endblock %}\n",
        "myuniversity-mycluster.sh",
    )
    project = Project(environment=MyUniversityCluster)
    project.submit()
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    (job,) = project
    assert "#!/bin/bash" == first
    assert second.startswith(f'#SBATCH --job-name="Project/{job.id}/hello/')
    assert "#SBATCH --ntasks=1" == third


def test_a_filter_of_an_environment(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A method with `template_filter` is a filter in templates, and gets the class."""

    class Mine(ComputeEnvironment):
        scheduler_type = FakeScheduler
        mark = "!"

        @template_filter
        def loud(cls, text: str, times: int = 1) -> str:  # noqa: N805 - it becomes a class method
            return text.upper() + cls.mark * times

    template("{% for operation in operations %}{{ operation.name | loud(3) }}{% endfor %}")
    Project(environment=Mine).submit()
    assert "HELLO!!!\n" == capsys.readouterr().out


def test_a_filter_is_of_its_environment(Project: Any) -> None:
    """A filter of one environment is unknown in another."""

    class Mine(ComputeEnvironment):
        @template_filter
        def loud(cls, text: str) -> str:  # noqa: N805 - it becomes a class method
            return text.upper()

    template("{{ id | loud }}")
    with pytest.raises(Exception, match="No filter named 'loud'"):
        Project(environment=flow.environment.TestEnvironment).submit()


def test_the_prefix_may_be_replaced(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """An environment may replace `get_prefix`, which makes what commands begin with."""

    class Mine(ComputeEnvironment):
        @template_filter
        def get_prefix(cls, operation: Any, *_: Any, **__: Any) -> str:  # noqa: N805 - as above
            return f"time -p {operation.name} --"

    Project(environment=Mine).run(pretend=True)
    assert capsys.readouterr().out.startswith(f"time -p hello -- {sys.executable} ")


# ComputeEnvironment.add_args in the API; Cluster Submission, "The submit interface".


def test_arguments_of_an_environment(
    Project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Flags that an environment adds to ``submit`` reach its template."""

    class Mine(ComputeEnvironment):
        scheduler_type = FakeScheduler

        @classmethod
        def add_args(cls, parser: Any) -> None:
            super().add_args(parser)
            parser.add_argument("--partition", default="all")

    template("partition={{ partition }}\n")
    for words, expected in ([], "all"), (["--partition", "gpu"], "gpu"):
        monkeypatch.setattr(sys, "argv", ["project.py", "submit", *words])
        Project(environment=Mine).main()
        assert f"partition={expected}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("DefaultPBSEnvironment", {"--hold", "--after", "--job-output", "--no-copy-env"}),
        ("DefaultSlurmEnvironment", {"--hold", "--after", "--job-output"}),
        ("DefaultLSFEnvironment", {"--hold", "--after", "--job-output"}),
    ],
)
def test_help_has_the_arguments_of_the_environment(
    Project: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    flags: set[str],
) -> None:
    """``submit --help`` shows the options of the environment at hand."""
    monkeypatch.setattr(sys, "argv", ["project.py", "submit", "--help"])
    with pytest.raises(SystemExit):
        Project(environment=getattr(flow.environment, name)).main()
    options = capsys.readouterr().out.split(f"{name} options")[1]
    assert flags == {word.strip(",") for word in options.split() if word.startswith("--")}


def test_flags_of_an_environment(Project: Any) -> None:
    """`submit_flags` of an environment are given to its scheduler, after those of the user."""
    given: list[Any] = []

    class Scheduler(FakeScheduler):
        def submit(self, script: str, *, flags: list[str], **keywords: Any) -> bool:
            given.append(flags)
            return True

    class Mine(ComputeEnvironment):
        scheduler_type = Scheduler
        submit_flags = ("--fast",)

    Project(environment=Mine).submit(flags=["-A", "me"])
    assert [["-A", "me", "--fast"]] == given


def test_what_a_node_has(Project: Any) -> None:
    """Processors of graphics where there are none are a SubmitError, unless it is forced."""
    Project.operation("draw", directives={"ngpu": 1})(lambda job: None)
    project = Project(environment=flow.environment.TestEnvironment)
    with pytest.raises(flow.errors.SubmitError, match="Cannot request GPU's"):
        project.submit(names=["draw"])
    project.submit(names=["draw"], force=True)
