"""Submission as signac-flow documents it: `submit` by its arguments and flags, and its records.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from. Most submit to a scheduler of this
module's, which keeps scripts in a folder.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
import signac
from flow import IgnoreConditions
from flow.environment import ComputeEnvironment, SimpleSchedulerEnvironment, StandardEnvironment
from flow.errors import NoSchedulerError, SubmitError
from flow.scheduling.base import ClusterJob, JobStatus, Scheduler

Main = Callable[..., None]


class Drawer(Scheduler):
    """A scheduler that keeps each script in a folder, with the flags that it was given."""

    folder: Path

    def jobs(self) -> Iterator[ClusterJob]:
        """Give what is in the folder: everything is queued."""
        for kept in self.kept():
            yield ClusterJob(kept["id"], JobStatus.queued)

    def submit(self, script: str, *, flags: list[str], pretend: bool = False, **_: Any) -> bool:
        """Keep a script."""
        if pretend:
            print(script)
        else:
            (id,) = re.findall(r"^# id=(.*)$", script, re.MULTILINE)
            kept = {"id": id, "script": script, "flags": flags}
            place = self.folder / f"{len(self.kept())}.json"
            place.write_text(json.dumps(kept))
        return True

    @classmethod
    def kept(cls) -> list[dict[str, Any]]:
        """Give what was submitted, in its order."""
        files = sorted(cls.folder.iterdir(), key=lambda file: int(file.stem))
        return [json.loads(file.read_text()) for file in files]

    @classmethod
    def is_present(cls) -> bool:
        """Never by itself."""
        return False


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; jobs with a = 0, 1, 2 lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for a in range(3):
        signac.init_project().open_job({"a": a}).init()

    class Project(base):
        pass

    @Project.operation
    def hello(job: Any) -> None:
        pass

    return Project


@pytest.fixture
def drawer(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Give an environment that submits to the drawer."""
    before = dict(ComputeEnvironment.registry)

    class Desk(ComputeEnvironment):
        scheduler_type = Drawer
        template = "desk.sh"

    monkeypatch.setattr(Drawer, "folder", tmp_path_factory.mktemp("drawer"), raising=False)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "desk.sh").write_text(
        '{% extends "base_script.sh" %}{% block header %}# id={{ id }}\n{% endblock %}'
    )
    yield Desk
    ComputeEnvironment.registry.clear()
    ComputeEnvironment.registry.update(before)


@pytest.fixture
def main(Project: Any, drawer: Any, monkeypatch: pytest.MonkeyPatch) -> Main:
    """Give the command line of a project that submits to the drawer."""

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["project.py", "submit", *words])
        Project(environment=drawer).main()

    return call


def submitted() -> list[list[tuple[str, int]]]:
    """Give operation and job, by its `a`, of each command in each script in the drawer."""
    numbers = {job.id: job.sp.a for job in signac.get_project()}
    return [
        [(name, numbers[id]) for name, id in re.findall(r" run -o (\S+) -j (\w+)", kept["script"])]
        for kept in Drawer.kept()
    ]


# Cluster Submission, "The submit interface".


def test_each_operation_is_a_cluster_job(Project: Any, drawer: Any) -> None:
    """All eligible operations are submitted, each by itself."""
    Project(environment=drawer).submit()
    assert [[("hello", 0)], [("hello", 1)], [("hello", 2)]] == sorted(submitted())


def test_only_what_is_eligible_is_submitted(Project: Any, drawer: Any) -> None:
    """Operations that are not eligible are not submitted."""

    @Project.pre(lambda job: job.sp.a > 0)
    @Project.post(lambda job: job.sp.a > 1)
    @Project.operation
    def other(job: Any) -> None:
        pass

    Project(environment=drawer).submit(names=["other"])
    assert [[("other", 1)]] == submitted()


def test_what_was_submitted_is_not_submitted_again(Project: Any, drawer: Any) -> None:
    """Submission blocks the operation of that job from resubmission, while the job is known."""
    project = Project(environment=drawer)
    project.submit(jobs=[project.open_job({"a": 1})])
    Project(environment=drawer).submit()
    assert [[("hello", 1)], [("hello", 0)], [("hello", 2)]] == [
        submitted()[0],
        *sorted(submitted()[1:]),
    ]


def test_a_group_that_shares_an_operation_is_not_submitted(Project: Any, drawer: Any) -> None:
    """A group of which an operation is submitted already is not submitted, nor the other way."""
    group = Project.make_group("ex")
    group(Project.operation("part")(lambda job: None))
    project = Project(environment=drawer)
    project.submit(names=["ex"])
    project.submit(names=["part"])
    assert 3 == len(submitted())


def test_the_names_of_cluster_jobs(Project: Any, drawer: Any) -> None:
    """A cluster job is called by class, job and operation, and by a hash of all."""
    project = Project(environment=drawer)
    job = project.open_job({"a": 1})
    project.submit(jobs=[job])
    (kept,) = Drawer.kept()
    assert re.fullmatch(rf"Project/{job.id}/hello/[0-9a-f]{{32}}", kept["id"])


def test_what_submit_says(Project: Any, drawer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`submit` says what it submits."""
    project = Project(environment=drawer)
    job = project.open_job({"a": 1})
    project.submit(jobs=[job])
    said = capsys.readouterr().err
    assert f"Submitting cluster job '{Drawer.kept()[0]['id']}':" in said
    assert f" - Group: hello({job.id})" in said


def test_the_status_of_what_was_submitted(Project: Any, drawer: Any) -> None:
    """The status asks the scheduler, and shows what it says of each operation."""
    project = Project(environment=drawer)
    project.submit(jobs=[project.open_job({"a": 1})])
    out = io.StringIO()
    project.print_status(detailed=True, file=out, err=io.StringIO(), output_format="markdown")
    lines = out.getvalue().splitlines()
    assert "| hello | 3 | [U]: 2, [Q]: 1 |" in lines
    assert f"| {project.open_job({'a': 1}).id} | hello [Q] |  |" in lines


def test_what_was_submitted_is_kept(Project: Any, drawer: Any) -> None:
    """`get_job_status` knows that an operation was submitted without asking the scheduler."""
    project = Project(environment=drawer)
    job = project.open_job({"a": 1})
    project.submit(jobs=[job])
    status = Project(environment=drawer).get_job_status(job)
    assert JobStatus.submitted == status["operations"]["hello"]["scheduler_status"]
    other = Project(environment=drawer).get_job_status(project.open_job({"a": 0}))
    assert JobStatus.unknown == other["operations"]["hello"]["scheduler_status"]


def test_an_environment_without_a_scheduler(Project: Any) -> None:
    """Without a scheduler nothing can be submitted, which is an error."""
    with pytest.raises(NoSchedulerError, match="StandardEnvironment"):
        Project(environment=StandardEnvironment).submit()


# FlowProject.submit in the API; Cluster Submission, "Submitting specific Operations".


def test_names(Project: Any, drawer: Any) -> None:
    """`names` are regular expressions of the operations to submit."""
    Project.operation("other")(lambda job: None)
    Project(environment=drawer).submit(names=["oth.*"])
    assert {"other"} == {name for ((name, _),) in submitted()}


def test_names_are_no_text(Project: Any, drawer: Any) -> None:
    """`names` as a single text is an error."""
    with pytest.raises(ValueError, match="must be a sequence of strings"):
        Project(environment=drawer).submit(names="hello")


@pytest.mark.parametrize(("num", "count"), [(1, 1), (2, 2), (9, 3), (None, 3)])
def test_num(Project: Any, drawer: Any, num: int | None, count: int) -> None:
    """`num` limits how many operations are submitted."""
    Project(environment=drawer).submit(num=num)
    assert count == len(submitted())


def test_ignored_conditions(Project: Any, drawer: Any) -> None:
    """`ignore_conditions` are those that do not matter for what is submitted."""

    @Project.pre.never
    @Project.operation
    def other(job: Any) -> None:
        pass

    project = Project(environment=drawer)
    project.submit(names=["other"])
    assert [] == submitted()
    project.submit(names=["other"], ignore_conditions=IgnoreConditions.PRE)
    assert 3 == len(submitted())
    assert "--ignore-conditions" not in Drawer.kept()[0]["script"]


@pytest.mark.parametrize("value", ["pre", "post", "all"])
def test_conditions_ignored_on_execution(Project: Any, drawer: Any, value: str) -> None:
    """`ignore_conditions_on_execution` become a flag of the submitted ``run``."""
    ignored = getattr(IgnoreConditions, value.upper())
    Project(environment=drawer).submit(num=1, ignore_conditions_on_execution=ignored)
    (kept,) = Drawer.kept()
    assert re.search(rf" run -o hello -j \w+  --ignore-conditions={value}$", kept["script"], re.M)


def test_conditions_to_ignore_are_no_text(Project: Any, drawer: Any) -> None:
    """`ignore_conditions` of another type is a ValueError."""
    with pytest.raises(ValueError, match="ignore_conditions"):
        Project(environment=drawer).submit(ignore_conditions="pre")


def test_what_a_script_says_of_its_operations(Project: Any, drawer: Any) -> None:
    """A group's script lists what will run, and what will not because of its conditions."""
    group = Project.make_group("ex")
    group(Project.operation("ready")(lambda job: None))
    group(Project.pre.never(Project.operation("early")(lambda job: None)))
    group(Project.post(lambda job: True)(Project.operation("done")(lambda job: None)))
    project = Project(environment=drawer)
    project.submit(names=["ex"], num=1)
    (kept,) = Drawer.kept()
    lines = [line for line in kept["script"].splitlines() if line]
    for said, name in (
        ("# Eligible to run:", "ready"),
        ("# Operations with unmet preconditions:", "early"),
        ("# Operations with all postconditions met:", "done"),
    ):
        assert f" exec {name} " in lines[lines.index(said) + 1]


# Cluster Submission, "Bundling".


@pytest.mark.parametrize(("size", "sizes"), [(1, [1, 1, 1]), (2, [2, 1]), (5, [3]), (0, [3])])
def test_bundles(Project: Any, drawer: Any, size: int, sizes: list[int]) -> None:
    """`bundle_size` operations are one cluster job; 0 bundles all."""
    Project(environment=drawer).submit(bundle_size=size)
    assert sizes == [len(bundle) for bundle in submitted()]
    assert [("hello", 0), ("hello", 1), ("hello", 2)] == sorted(
        one for bundle in submitted() for one in bundle
    )


def test_the_name_of_a_bundle(Project: Any, drawer: Any) -> None:
    """A bundle has a name of its own, under which its operations are noted."""
    Project(environment=drawer).submit(bundle_size=0)
    (kept,) = Drawer.kept()
    assert re.fullmatch(r"Project/bundle/[0-9a-f]{40}", kept["id"])


def test_bundled_operations_are_known(Project: Any, drawer: Any) -> None:
    """Operations of a bundle are not submitted again, and the status knows each of them."""
    Project(environment=drawer).submit(bundle_size=2)
    project = Project(environment=drawer)
    project.submit()
    assert 2 == len(submitted())
    out = io.StringIO()
    project.print_status(file=out, err=io.StringIO(), output_format="markdown")
    assert "| hello | 3 | [Q]: 3 |" in out.getvalue().splitlines()


def test_bundles_in_turn_and_in_parallel(Project: Any, drawer: Any) -> None:
    """With `parallel` a bundle's commands are put into the background, and waited for."""
    jobs = list(Project())
    Project(environment=drawer).submit(jobs=jobs[:2], bundle_size=0)
    Project(environment=drawer).submit(jobs=jobs[2:], bundle_size=0, parallel=True)
    serial, parallel = (kept["script"] for kept in Drawer.kept())
    assert [] == re.findall(r" run -o .*&", serial)
    assert 1 == len(re.findall(r" run -o .*&", parallel))
    assert "wait" not in serial
    assert "wait" in parallel


# Cluster Submission, "The submit interface": everything after the two dashes.


def test_flags_of_the_scheduler(Project: Any, drawer: Any) -> None:
    """`flags` are given to the scheduler as they are."""
    Project(environment=drawer).submit(num=1, flags=["-l", "A:my_account_name"])
    assert [["-l", "A:my_account_name"]] == [kept["flags"] for kept in Drawer.kept()]


def test_the_name_of_a_job_cannot_be_given(Project: Any, drawer: Any) -> None:
    """``--job-name`` among the flags is an error, since jobs are recognised by their names."""
    with pytest.raises(ValueError, match="--job-name"):
        Project(environment=drawer).submit(flags=["--job-name=mine"])


# The command line: ``python project.py submit --help``.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], [[0], [1], [2]]),
        (["-o", "hello"], [[0], [1], [2]]),
        (["--operation", "hel.*"], [[0], [1], [2]]),
        (["-f", "a.$lt", "2"], [[0], [1]]),
        (["--filter", "a", "1"], [[1]]),
        (["-b"], [[0, 1, 2]]),
        (["--bundle"], [[0, 1, 2]]),
        (["--bundle=5", "--parallel"], [[0, 1, 2]]),
        (["-f", "a", "1", "--force"], [[1]]),
        (["--pretend"], []),
        (["--ignore-conditions", "all", "-f", "a", "2"], [[2]]),
    ],
)
def test_the_selection_of_submit(main: Main, words: list[str], expected: list[list[int]]) -> None:
    """``submit`` has -o for operations, -f for jobs, -b and -p for bundles, and --pretend."""
    main(*words)
    assert expected == sorted(sorted(a for _, a in bundle) for bundle in submitted())


@pytest.mark.parametrize(
    ("words", "sizes"),
    [(["-n", "2"], [1, 1]), (["--num=1"], [1]), (["-b", "2"], [2, 1]), (["-b2", "-n2"], [2])],
)
def test_the_sizes_of_submit(main: Main, words: list[str], sizes: list[int]) -> None:
    """``submit`` has -n for the number of operations, and -b for the size of bundles."""
    main(*words)
    assert sizes == [len(bundle) for bundle in submitted()]


def test_jobs_by_id(main: Main) -> None:
    """``submit -j`` takes ids of jobs."""
    ids = {job.sp.a: job.id for job in signac.get_project()}
    main("-j", ids[0], ids[2])
    assert [[("hello", 0)], [("hello", 2)]] == sorted(submitted())


def test_the_flag_parallel(main: Main) -> None:
    """``submit -b -p`` puts the commands of the bundle into the background."""
    main("-b", "-p")
    assert 3 == len(re.findall(r" run -o .*&", Drawer.kept()[0]["script"]))


def test_the_flag_ignore_conditions_on_execution(main: Main) -> None:
    """``submit --ignore-conditions-on-execution`` becomes a flag of the submitted ``run``."""
    main("--ignore-conditions-on-execution", "pre", "-n", "1")
    assert "--ignore-conditions=pre" in Drawer.kept()[0]["script"]


def test_flags_after_two_dashes(main: Main) -> None:
    """What stands after two dashes is given to the scheduler."""
    main("-n", "1", "--", "-l", "A:my_account_name")
    assert [["-l", "A:my_account_name"]] == [kept["flags"] for kept in Drawer.kept()]


def test_the_flag_pretend(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    """``submit --pretend`` shows scripts on the screen."""
    main("--pretend")
    assert 3 == capsys.readouterr().out.count(" run -o hello -j ")


# Cluster Submission, "The submit interface": the environment of the simple scheduler. The program
# ``simple-scheduler`` that ships with signac-flow 0.29.1 does not start with any signac that 0.29.1
# goes with (it imports ``signac.Collection``): one that takes the same commands stands in.

PROGRAM = """\
import json
import shutil
import subprocess
import sys
from pathlib import Path

data = Path(__file__).with_name("jobs.json")
jobs = json.loads(data.read_text()) if data.exists() else {}
if sys.argv[1] == "submit":
    script = shutil.copy(sys.argv[2], data.with_name(f"{len(jobs)}.sh"))
    lines = Path(script).read_text().splitlines()
    words = [line.split(" ", 1)[1] for line in lines if line.startswith("#SSCHED ")]
    options = dict(word.split("=", 1) for word in words)
    done = subprocess.run(["bash", script], cwd=options["--chdir"])
    status = 3 if done.returncode == 0 else 8
    jobs[len(jobs)] = {"job_name": options["--job-name"], "status": status}
    data.write_text(json.dumps(jobs))
else:
    assert sys.argv[1:] == ["status", "--json"]
    print(json.dumps(jobs))
"""

SCRIPT = """\
from {package} import FlowProject


class Project(FlowProject):
    pass


@Project.post.isfile("hello.txt")
@Project.operation(with_job=True)
def hello(job):
    with open("hello.txt", "w") as file:
        file.write(f"hello {{job.sp.a}}\\n")


if __name__ == "__main__":
    Project().main()
"""


def on_disk(package: str, folder: Path) -> Any:
    """Make a project of two jobs with the script above."""
    project = signac.init_project(str(folder))
    for a in range(2):
        project.open_job({"a": a}).init()
    (folder / "project.py").write_text(SCRIPT.format(package=package))
    return project


@pytest.fixture
def simple(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the command of a scheduler, and choose its environment."""
    program = tmp_path_factory.mktemp("scheduler") / "simple-scheduler"
    program.write_text(PROGRAM)
    command = f"{sys.executable} -S {program}"
    monkeypatch.setenv("SIMPLE_SCHEDULER", command)
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "SimpleSchedulerEnvironment")
    return command


@pytest.mark.parametrize("package", ["flow", "pointillist"])
def test_the_simple_scheduler(package: str, tmp_path: Path, simple: str) -> None:
    """What is submitted to a scheduler is executed by it, a bundle in one job."""
    project = on_disk(package, tmp_path)
    words = [sys.executable, "project.py", "submit", "--bundle"]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    expected = {job.id: f"hello {job.sp.a}\n" for job in project}
    assert expected == {job.id: Path(job.fn("hello.txt")).read_text() for job in project}


def test_the_states_of_the_simple_scheduler(Project: Any, simple: str) -> None:
    """The status asks the scheduler of the environment."""
    project = Project()
    jobs = list(project)
    group = project.groups["hello"]
    states = [JobStatus.queued, JobStatus.active, JobStatus.error]
    known = {
        number: {"job_name": group._generate_id((job,)), "status": int(state)}
        for number, (job, state) in enumerate(zip(jobs, states, strict=True))
    }
    Path(simple.split()[-1]).with_name("jobs.json").write_text(json.dumps(known))
    out = io.StringIO()
    project.print_status(detailed=True, file=out, err=io.StringIO(), output_format="markdown")
    lines = out.getvalue().splitlines()
    assert "| hello | 3 | [Q]: 1, [A]: 1, [E]: 1 |" in lines
    for job, letter in zip(jobs, "QAE", strict=True):
        assert f"| {job.id} | hello [{letter}] |  |" in lines


def test_pretending_with_the_simple_scheduler(
    Project: Any, simple: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `pretend` the script is shown, with its header and the command of submission."""
    project = Project(environment=SimpleSchedulerEnvironment)
    project.submit(num=1, pretend=True)
    lines = capsys.readouterr().out.splitlines()
    assert "#!/bin/bash" == lines[0]
    assert lines[1].startswith("#SSCHED --job-name=Project/")
    assert f"#SSCHED --chdir={project.path}" == lines[2]
    assert f"# Submit command: {simple} submit" == lines[-1]
    assert not Path(simple.split()[-1]).with_name("jobs.json").exists()


def test_a_scheduler_that_refuses(Project: Any, drawer: Any) -> None:
    """A command of submission that fails is a SubmitError."""

    class Refusing(Drawer):
        def submit(self, script: str, **keywords: Any) -> bool:
            return bool(flow.scheduling.base._call_submit(["false"], script, pretend=False))

    drawer.scheduler_type = Refusing
    with pytest.raises(SubmitError, match="Error when calling submission command false"):
        Project(environment=drawer).submit()


@pytest.mark.parametrize("package", ["flow", "pointillist"])
def test_a_script_of_a_parallel_bundle_runs(package: str, tmp_path: Path) -> None:
    """The script of ``submit -b -p`` executes all operations of the bundle."""
    project = on_disk(package, tmp_path)
    environment = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "TestEnvironment"}
    words = [sys.executable, "project.py", "submit", "-b", "-p"]
    script = subprocess.check_output(words, cwd=tmp_path, env=environment)
    subprocess.run(["bash"], input=script, check=True, cwd=tmp_path, capture_output=True)
    assert all(job.isfile("hello.txt") for job in project)
