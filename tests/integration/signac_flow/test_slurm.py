"""Submission with the drop-in FlowProject to a real Slurm, each verb in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import signac
from flow.scheduling.base import JobStatus

Verb = Callable[..., subprocess.CompletedProcess[str]]
BatchJobs = Callable[..., list[Any]]
Client = Callable[..., str]

PROJECT = """
from pathlib import Path

from flow import aggregator

from pointillist import FlowProject


class Project(FlowProject):
    pass


both = Project.make_group("both")


@both
@Project.post.isfile("squared.txt")
@Project.operation
def square(job):
    Path(job.fn("squared.txt")).write_text(str(job.sp.i**2))


@both
@Project.pre.after(square)
@Project.post.isfile("negated.txt")
@Project.operation
def negate(job):
    Path(job.fn("negated.txt")).write_text(str(-int(Path(job.fn("squared.txt")).read_text())))


@Project.pre.after(square)
@Project.post.isfile("total.txt")
@Project.operation(aggregator=aggregator.groupby(lambda job: job.sp.i % 2, sort_by="i"))
def total(*jobs):
    text = str(sum(int(Path(job.fn("squared.txt")).read_text()) for job in jobs))
    for job in jobs:
        Path(job.fn("total.txt")).write_text(text)


@Project.post.isfile("followed.txt")
@Project.operation
def follow(job):
    Path(job.fn("followed.txt")).write_text(str(job.isfile("squared.txt")))


@Project.post.isfile("gone.txt")
@Project.operation(cmd=True)
def linger(job):
    return f"timeout 60 sh -c 'until [ -e {job.fn('go')} ]; do sleep 0.02; done'; " + (
        f"touch {job.fn('gone.txt')}"
    )


@Project.post.isfile("tried.txt")
@Project.operation
def fail(job):
    if not job.isfile("trying.txt"):
        Path(job.fn("trying.txt")).touch()
        raise ValueError("no luck")
    Path(job.fn("tried.txt")).touch()


if __name__ == "__main__":
    Project().main()
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Give a signac project of three jobs."""
    project = signac.init_project(str(tmp_path))
    for i in range(3):
        project.open_job({"i": i}).init()
    (tmp_path / "project.py").write_text(PROJECT)
    return tmp_path


Submit = Callable[..., str]


@pytest.fixture
def submit(verb: Verb, lab: Path, slurm: dict[str, str]) -> Submit:
    """Give a function that submits, which must succeed, and returns what was said of it."""

    def run(*arguments: str) -> str:
        done = verb("submit", *arguments, cwd=lab, **slurm)
        assert 0 == done.returncode, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    return run


def found(lab: Path, name: str) -> dict[int, str]:
    """Return the text of a file in the jobs that have it, by their `i`."""
    return {
        job.sp.i: Path(job.fn(name)).read_text()
        for job in signac.get_project(str(lab))
        if job.isfile(name)
    }


def kinds(lab: Path, jobs: list[Any]) -> list[tuple[int, str, str]]:
    """Return of batch jobs the `i` of their job, the operation and the state, all in order."""
    project = signac.get_project(str(lab))
    parts = [(*job.name.split("/"), job.state) for job in jobs]
    assert {"Project"} <= {part[0] for part in parts}
    return sorted((project.open_job(id=id).sp.i, name, state) for _, id, name, _, state in parts)


def statuses(verb: Verb, lab: Path, environment: dict[str, str], operation: str) -> list[JobStatus]:
    """Return the states on the scheduler of an operation for each job, as ``status`` gives them."""
    done = verb("status", "--json", cwd=lab, **environment)
    assert 0 == done.returncode, done.stderr
    shown = [status["groups"] for status in json.loads(done.stdout).values()]
    return sorted(
        JobStatus(groups[operation]["scheduler_status"]) for groups in shown if operation in groups
    )


def test_single_operations(lab: Path, submit: Submit, reached: BatchJobs) -> None:
    """Each eligible operation of each job is a batch job, named after both."""
    said = submit("-o", "square", "negate")
    jobs = reached(lab)
    assert [(i, "square", "COMPLETED") for i in range(3)] == kinds(lab, jobs)
    assert 3 == said.count("Submitting cluster job ")
    assert {0: "0", 1: "1", 2: "4"} == found(lab, "squared.txt")
    assert {} == found(lab, "negated.txt")


@pytest.mark.parametrize("parallel", [False, True], ids=["serial", "parallel"])
def test_bundles(
    lab: Path,
    submit: Submit,
    reached: BatchJobs,
    client: Client,
    verb: Verb,
    slurm: dict[str, str],
    parallel: bool,
) -> None:
    """A bundle is one batch job; status tells of each of its members."""
    submit("-o", "square", "-b", "2", "--hold", *["-p"] * parallel)
    jobs = reached(lab, "PENDING")
    assert 1 == sum(job.name.startswith("Project/bundle/") for job in jobs)
    assert 2 == len(jobs)
    assert [JobStatus.queued] * 3 == statuses(verb, lab, slurm, "square")
    client("scontrol", "release", ",".join(job.id for job in jobs))
    assert ["COMPLETED"] * 2 == [job.state for job in reached(lab)]
    assert {0: "0", 1: "1", 2: "4"} == found(lab, "squared.txt")


def test_group(
    lab: Path,
    submit: Submit,
    reached: BatchJobs,
    client: Client,
    verb: Verb,
    slurm: dict[str, str],
) -> None:
    """A group is one batch job, which makes its operations one after the other."""
    project = signac.get_project(str(lab))
    ids = [project.open_job({"i": i}).id for i in (1, 2)]
    submit("-o", "both", "--hold", "-j", *ids)
    jobs = reached(lab, "PENDING")
    for operation in ("square", "negate"):
        expected = [JobStatus.unknown] + [JobStatus.group_queued] * 2
        assert expected == statuses(verb, lab, slurm, operation)
    client("scontrol", "release", ",".join(job.id for job in jobs))
    assert ["COMPLETED"] * 2 == [job.state for job in reached(lab)]
    assert {1: "1", 2: "4"} == found(lab, "squared.txt")
    assert {1: "-1", 2: "-4"} == found(lab, "negated.txt")


def test_aggregates(lab: Path, submit: Submit, reached: BatchJobs, verb: Verb) -> None:
    """An aggregate's operation is a batch job, and so is an aggregate of one job."""
    assert 0 == verb("run", "-o", "square", cwd=lab).returncode
    submit("-o", "total")
    jobs = reached(lab)
    assert ["COMPLETED"] * 2 == [job.state for job in jobs]
    assert 1 == sum(job.name.startswith("Project/agg-") for job in jobs)
    assert {0: "4", 1: "1", 2: "4"} == found(lab, "total.txt")


def test_queued_and_running(
    lab: Path,
    submit: Submit,
    reached: BatchJobs,
    sent: BatchJobs,
    client: Client,
    verb: Verb,
    slurm: dict[str, str],
) -> None:
    """Status shows what is queued and what runs, and neither is submitted again."""
    job = signac.get_project(str(lab)).open_job({"i": 2})
    only = ("-o", "linger", "-j", job.id)
    submit(*only, "--hold")
    (batch,) = reached(lab, "PENDING")
    assert [JobStatus.unknown] * 2 + [JobStatus.queued] == statuses(verb, lab, slurm, "linger")
    assert "[Q]" in verb("status", "-d", *only, cwd=lab, **slurm).stdout
    submit(*only)
    assert [batch] == sent(lab)

    client("scontrol", "release", batch.id)
    reached(lab, "RUNNING")
    assert [JobStatus.unknown] * 2 + [JobStatus.active] == statuses(verb, lab, slurm, "linger")
    assert "[A]" in verb("status", "-d", *only, cwd=lab, **slurm).stdout
    submit(*only)
    assert 1 == len(sent(lab))

    Path(job.fn("go")).touch()
    assert [(2, "linger", "COMPLETED")] == kinds(lab, reached(lab))
    assert {2: ""} == found(lab, "gone.txt")
    assert [JobStatus.unknown] * 3 == statuses(verb, lab, slurm, "linger")
    submit(*only)
    assert 1 == len(sent(lab))


def test_after(lab: Path, submit: Submit, reached: BatchJobs, sent: BatchJobs) -> None:
    """`--after` has a batch job wait for another one."""
    id = signac.get_project(str(lab)).open_job({"i": 1}).id
    submit("-o", "square", "-j", id)
    (first,) = sent(lab)
    submit("-o", "follow", "-j", id, "--after", first.id)
    assert [(1, "follow", "COMPLETED"), (1, "square", "COMPLETED")] == kinds(lab, reached(lab))
    assert {1: "True"} == found(lab, "followed.txt")


def test_flags(lab: Path, submit: Submit, sent: BatchJobs, client: Client) -> None:
    """What follows `--` goes to the scheduler as it is."""
    submit("-o", "square", "-n", "1", "--", "--hold", "--comment=on-tuesday")
    (batch,) = sent(lab)
    assert "PENDING" == batch.state
    assert "on-tuesday\n" == client("squeue", "--noheader", "--jobs", batch.id, "--format", "%k")


def test_failed(lab: Path, submit: Submit, reached: BatchJobs) -> None:
    """A batch job whose operation fails has failed, and its operation is submitted again."""
    id = signac.get_project(str(lab)).open_job({"i": 0}).id
    submit("-o", "fail", "-j", id)
    assert [(0, "fail", "FAILED")] == kinds(lab, reached(lab))
    assert {} == found(lab, "tried.txt")
    submit("-o", "fail", "-j", id)
    assert [(0, "fail", "COMPLETED"), (0, "fail", "FAILED")] == kinds(lab, reached(lab))
    assert {0: ""} == found(lab, "tried.txt")
