"""Directives as signac-flow documents them: their values, defaults, and what they do.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from. The page "Cluster Submission"
spells directives as ``operation.with_directives({...})``, which signac-flow 0.29 has no more:
they are given as ``operation(directives={...})``, which its docstrings say.
"""

from __future__ import annotations

import datetime
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
import signac
from flow.environment import ComputeEnvironment
from flow.errors import DirectivesError
from flow.scheduling.fake_scheduler import FakeScheduler

PRINT_ALL = """\
{% for operation in operations %}
{% for key, value in operation.directives.items() %}
{{ operation.name }} {{ key }}={{ operation.directives[key] }}
{% endfor %}
{% endfor %}
"""


@pytest.fixture
def registry() -> Iterator[dict[str, Any]]:
    """Give the register of environments; those that the test adds are taken off again."""
    before = dict(ComputeEnvironment.registry)
    yield ComputeEnvironment.registry
    ComputeEnvironment.registry.clear()
    ComputeEnvironment.registry.update(before)


Asked = Callable[..., set[str]]


@pytest.fixture
def asked(Project: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Give what says which values a submission script gets for a directive."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "script.sh").write_text(PRINT_ALL)

    def values(directives: dict[str, Any] | None, key: str) -> set[str]:
        @Project.operation(directives=directives)
        def hello(job: Any) -> None:
            pass

        Project(environment=flow.environment.TestEnvironment).submit(force=True)
        lines = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines() if line]
        return {line.split("=", 1)[1] for line in lines if line.startswith(f"{key}=")}

    return values


# Cluster Submission, "Available directives"; FlowProject.operation in the API, "Supported
# Directives".


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("executable", sys.executable),
        ("fork", "False"),
        ("memory", "None"),
        ("ngpu", "0"),
        ("np", "1"),
        ("nranks", "0"),
        ("omp_num_threads", "0"),
        ("processor_fraction", "1.0"),
        ("walltime", "None"),
    ],
)
def test_defaults(asked: Asked, key: str, default: str) -> None:
    """Each directive has its default; the page says that nranks is 1, but it is 0."""
    assert {default} == asked(None, key)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("np", 4),
        ("nranks", 4),
        ("omp_num_threads", 2),
        ("ngpu", 1),
        ("processor_fraction", 0.5),
        ("fork", True),
        ("executable", "singularity exec software.simg python"),
    ],
)
def test_values(asked: Asked, key: str, value: Any) -> None:
    """A directive that an operation sets reaches the template."""
    assert {str(value)} == asked({key: value}, key)


def test_values_are_converted(asked: Asked) -> None:
    """A text that is a number is taken for a number."""
    assert {"4"} == asked({"np": "4"}, "np")


@pytest.mark.parametrize(
    ("directives", "np"),
    [
        ({"nranks": 4}, 4),
        ({"omp_num_threads": 3}, 3),
        ({"nranks": 4, "omp_num_threads": 2}, 8),
        ({"nranks": 4, "omp_num_threads": 2, "np": 5}, 5),
    ],
)
def test_np_defaults_to_ranks_and_threads(
    asked: Asked, directives: dict[str, int], np: int
) -> None:
    """`np` is nranks x omp_num_threads unless it is given."""
    assert {str(np)} == asked(directives, "np")


@pytest.mark.parametrize(
    ("given", "gigabytes"),
    [
        ("4g", 4.0),
        ("4G", 4.0),
        ("4GB", 4.0),
        ("512m", 0.5),
        ("512MB", 0.5),
        ("4", 4.0),
        (4, 4.0),
        (0.5, 0.5),
    ],
)
def test_memory(asked: Asked, given: Any, gigabytes: float) -> None:
    """`memory` is a number of gigabytes, or a text with the unit g or m."""
    assert {str(gigabytes)} == asked({"memory": given}, "memory")


@pytest.mark.parametrize(
    ("given", "walltime"),
    [
        (24, datetime.timedelta(days=1)),
        (0.5, datetime.timedelta(minutes=30)),
        (datetime.timedelta(minutes=5), datetime.timedelta(minutes=5)),
    ],
)
def test_walltime(asked: Asked, given: Any, walltime: datetime.timedelta) -> None:
    """`walltime` is a number of hours; a timedelta works as well."""
    assert {str(walltime)} == asked({"walltime": given}, "walltime")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("np", 0),
        ("np", "many"),
        ("nranks", -1),
        ("omp_num_threads", -1),
        ("ngpu", -1),
        ("memory", "4x"),
        ("memory", -1),
        ("walltime", 0),
        ("processor_fraction", 1.5),
    ],
)
def test_values_that_are_wrong(asked: Asked, key: str, value: Any) -> None:
    """A value that a directive does not take is a DirectivesError, which names it."""
    with pytest.raises(DirectivesError, match=key):
        asked({key: value}, key)


def test_a_wrong_value_fails_a_run(Project: Any) -> None:
    """A `run` too ends with the DirectivesError."""

    @Project.operation(directives={"np": 0})
    def hello(job: Any) -> None:
        pass

    with pytest.raises(DirectivesError, match="np"):
        Project().run()


def test_callables(asked: Asked) -> None:
    """The tip: all directives may be given as callables of the job."""
    assert {"1", "2", "3"} == asked({"np": lambda job: job.sp.a + 1}, "np")


@pytest.mark.parametrize(
    ("key", "made", "shown"),
    [
        ("memory", lambda job: "512m", "0.5"),
        ("walltime", lambda job: 0.5, "0:30:00"),
        ("nranks", lambda job: 2, "2"),
        ("hue", lambda job: "red", "red"),
    ],
)
def test_what_callables_return(asked: Asked, key: str, made: Any, shown: str) -> None:
    """What a callable returns is converted as a plain value is."""
    assert {shown} == asked({key: made}, key)


def test_np_of_callable_ranks(asked: Asked) -> None:
    """`np` follows ranks that are callables."""
    assert {"4"} == asked({"nranks": lambda job: 4}, "np")


def test_a_callable_that_returns_what_is_wrong(asked: Asked) -> None:
    """A wrong value of a callable is an error."""
    with pytest.raises((DirectivesError, ValueError)):
        asked({"np": lambda job: 0}, "np")


def test_directives_of_ones_own(asked: Asked) -> None:
    """A directive that signac-flow does not know reaches the template as it is."""
    assert {"['red', 1]"} == asked({"hue": ["red", 1]}, "hue")


def test_a_directive_that_no_template_uses(Project: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A directive of one's own that the template does not use is warned of."""

    @Project.operation(directives={"hue": "red", "np": 2})
    def hello(job: Any) -> None:
        pass

    project = Project(environment=flow.environment.TestEnvironment)
    with caplog.at_level(logging.WARNING):
        project.submit(num=1)
    (warning,) = (r.getMessage() for r in caplog.records if "directives" in r.getMessage())
    assert warning.endswith("were not used by the template script, including: hue")


# Cluster Submission, "Execution Modes": commands that directives make.


def test_ranks_prefix_the_command(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """MPI parallelized: the command of an operation with ranks begins with ``mpiexec -n``."""

    @Project.operation(directives={"nranks": 4})
    def hello(job: Any) -> None:
        pass

    project = Project()
    project.run(pretend=True)
    lines = capsys.readouterr().out.splitlines()
    assert [["mpiexec", "-n", "4", sys.executable]] * 3 == [line.split()[:4] for line in lines]
    assert [["exec", "hello", job.id] for job in project] == [line.split()[-3:] for line in lines]


def test_ranks_and_threads_prefix_the_command(
    Project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """MPI/OpenMP hybrid: the threads are exported before the ranks are started."""

    @Project.operation(directives={"nranks": 4, "omp_num_threads": 2})
    def hello(job: Any) -> None:
        pass

    Project().run(pretend=True, num=1)
    begun = f"export OMP_NUM_THREADS=2; mpiexec -n 4  {sys.executable} "
    assert capsys.readouterr().out.startswith(begun)


def test_no_directives_make_no_prefix(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Serial and parallelized: a command without ranks and threads has no prefix."""

    @Project.operation(directives={"np": 4})
    def hello(job: Any) -> None:
        pass

    Project().run(pretend=True, num=1)
    assert capsys.readouterr().out.startswith(f"{sys.executable} ")


def test_threads_are_set_for_a_command(Project: Any) -> None:
    """`omp_num_threads` sets OMP_NUM_THREADS where the operation is executed."""

    @Project.operation(cmd=True, directives={"omp_num_threads": lambda job: job.sp.a + 2})
    def hello(job: Any) -> str:
        return f"echo $OMP_NUM_THREADS > {job.path}/threads.txt"

    project = Project()
    project.run()
    said = {job.sp.a: Path(job.fn("threads.txt")).read_text() for job in project}
    assert {a: f"{a + 2}\n" for a in range(3)} == said


def test_the_command_of_an_environment_for_ranks(
    Project: Any, registry: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """`mpi_cmd` of an environment takes the place of ``mpiexec``, also where it is executed."""

    class Nice(ComputeEnvironment):
        mpi_cmd = "nice"

    @Project.operation(cmd=True, directives={"nranks": 3})
    def hello(job: Any) -> str:
        return f"nice > {job.path}/nice.txt"

    project = Project(environment=Nice)
    project.run()
    expected = f"{min(os.nice(0) + 3, 19)}\n"
    assert [expected] * 3 == [Path(job.fn("nice.txt")).read_text() for job in project]


# FlowProject.operation in the API, "fork" and "executable"; Recipes, "How to run in
# containerized environments".

SCRIPT = """\
import os

from {package} import FlowProject


class Project(FlowProject):
    pass


@Project.operation(directives={{"fork": True}})
def forked(job):
    job.doc.forked = [os.getppid(), os.environ.get("BOX")]


@Project.operation(directives={{"executable": "env BOX=red {executable}"}})
def contained(job):
    job.doc.contained = [os.getppid(), os.environ.get("BOX")]


@Project.operation
def plain(job):
    job.doc.plain = [os.getppid(), os.environ.get("BOX")]


if __name__ == "__main__":
    Project().main()
"""


@pytest.mark.parametrize("package", ["flow", "pointillist"])
def test_fork_and_executable(package: str, tmp_path: Path) -> None:
    """With `fork`, or another `executable`, an operation gets a process of its own."""
    signac.init_project(str(tmp_path)).open_job({"a": 0}).init()
    (tmp_path / "project.py").write_text(SCRIPT.format(package=package, executable=sys.executable))
    run = subprocess.Popen([sys.executable, "project.py", "run"], cwd=tmp_path)
    assert 0 == run.wait()
    (job,) = signac.get_project(str(tmp_path))
    assert [os.getpid(), None] == job.doc.plain
    assert "red" == job.doc.contained[1]
    assert os.getpid() not in (job.doc.forked[0], job.doc.contained[0])


# Cluster Submission, "Bundling", and the templates that ship with signac-flow: what a bundle
# asks for, one after the other and in parallel.


@pytest.mark.parametrize(
    ("parallel", "expected"),
    [
        (False, {"--ntasks=2", "--mem=4G", "-t 04:00:00"}),
        (True, {"--ntasks=4", "--mem=6G", "-t 03:00:00"}),
    ],
)
def test_resources_of_a_bundle(
    Project: Any,
    registry: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    parallel: bool,
    expected: set[str],
) -> None:
    """In turn: the most processors and memory, all hours; in parallel: all, all, the most."""

    class Cluster(ComputeEnvironment):
        scheduler_type = FakeScheduler
        template = "slurm.sh"

    @Project.operation(directives={"np": 2, "memory": "2g", "walltime": 1})
    def wide(job: Any) -> None:
        pass

    @Project.operation(directives={"np": 2, "memory": 4, "walltime": 3})
    def long(job: Any) -> None:
        pass

    project = Project(environment=Cluster)
    project.submit(jobs=[next(iter(project))], bundle_size=0, parallel=parallel)
    header = [line[8:] for line in capsys.readouterr().out.splitlines() if "#SBATCH" in line]
    assert expected == {line for line in header if not line.startswith("--job-name")}


def test_processors_of_a_bundle_differ(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A bundle of operations that need different numbers of processors has to be forced."""

    @Project.operation(directives={"np": lambda job: job.sp.a + 1})
    def hello(job: Any) -> None:
        pass

    project = Project(environment=flow.environment.TestEnvironment)
    with pytest.raises(RuntimeError, match="Use --force to ignore the warning"):
        project.submit(bundle_size=0)
    project.submit(bundle_size=0, force=True)
    assert 3 == capsys.readouterr().out.count(" run -o hello -j ")


def test_directives_in_a_header(
    Project: Any, registry: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """Directives of one operation come into the header of its script; what is not set does not."""

    class Cluster(ComputeEnvironment):
        scheduler_type = FakeScheduler
        template = "slurm.sh"

    @Project.operation(directives={"nranks": 2, "omp_num_threads": 3, "memory": "512m"})
    def hello(job: Any) -> None:
        pass

    Project(environment=Cluster).submit(num=1)
    header = [line[8:] for line in capsys.readouterr().out.splitlines() if "#SBATCH" in line]
    assert ["--mem=512M", "--ntasks=6"] == header[1:]
