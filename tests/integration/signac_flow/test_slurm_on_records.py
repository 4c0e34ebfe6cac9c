"""Operations on record classes with the drop-in FlowProject, submitted to a real Slurm."""

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

from signac.job import Job

from pointillist import Aggregate, FlowProject, key


class Project(FlowProject):
    pass


class Session(Aggregate[Job], order_by="i"):
    session: str = key()


@Project.post.isfile("one.txt")
@Project.operation
def one(job):
    Path(job.fn("one.txt")).write_text(str(job.sp.i))


@Project.post(lambda session: session.doc.get("count") == len(session.members))
@Project.operation(on=Session)
def join(session):
    text = " ".join(str(job.sp.i) for job in session.members)
    Path(session.fn("joined.txt")).write_text(text)
    session.doc["count"] = len(session.members)


both = Project.make_group("both")


@both
@Project.pre.after(one)
@Project.post.isfile("sum.txt")
@Project.operation(on=Session)
def add(session):
    total = sum(int(Path(job.fn("one.txt")).read_text()) for job in session.members)
    Path(session.fn("sum.txt")).write_text(str(total))


@both
@Project.pre.after(add)
@Project.post.isfile("twice.txt")
@Project.operation(on=Session, cmd=True, with_job=True)
def double(session):
    return "cat sum.txt sum.txt > twice.txt"


if __name__ == "__main__":
    Project().main()
"""


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Give a signac project of two sessions."""
    project = signac.init_project(str(tmp_path))
    for session, i in (("a", 1), ("a", 0), ("b", 2)):
        project.open_job({"session": session, "i": i}).init()
    (tmp_path / "project.py").write_text(PROJECT)
    return tmp_path


def sessions(lab: Path) -> dict[str, Any]:
    """Return the jobs of the sessions, as plain signac reads them."""
    beside = signac.get_project(str(lab / "aggregates" / "Session"))
    return {job.sp.session: job for job in beside}


def found(lab: Path, name: str) -> dict[str, str]:
    """Return the text of a file in the sessions that have it."""
    return {
        session: Path(job.fn(name)).read_text()
        for session, job in sessions(lab).items()
        if job.isfile(name)
    }


def test_member_is_added_while_it_waits(
    lab: Path,
    verb: Verb,
    slurm: dict[str, str],
    reached: BatchJobs,
    sent: BatchJobs,
    client: Client,
) -> None:
    """A waiting batch job keeps its name when a member comes: it is not submitted again."""

    def submitted(*arguments: str) -> list[Any]:
        done = verb("submit", "-o", "join", *arguments, cwd=lab, **slurm)
        assert 0 == done.returncode, done.stderr
        return sent(lab)

    def states() -> dict[str, JobStatus]:
        done = verb("status", "--json", cwd=lab, **slurm)
        shown = json.loads(done.stdout)
        return {
            session: JobStatus(shown[job.id]["groups"]["join"]["scheduler_status"])
            for session, job in sessions(lab).items()
        }

    jobs = submitted("--hold")
    assert {f"Project/{job.id}/join" for job in sessions(lab).values()} == {
        job.name.rpartition("/")[0] for job in jobs
    }
    folders = {session: job.path for session, job in sessions(lab).items()}
    signac.get_project(str(lab)).open_job({"session": "b", "i": 7}).init()
    assert jobs == submitted("--hold")
    assert {"a": JobStatus.queued, "b": JobStatus.queued} == states()
    assert folders == {session: job.path for session, job in sessions(lab).items()}

    client("scontrol", "release", ",".join(job.id for job in jobs))
    assert ["COMPLETED"] * 2 == [job.state for job in reached(lab)]
    assert {"a": "0 1", "b": "2 7"} == found(lab, "joined.txt")
    signac.get_project(str(lab)).open_job({"session": "b", "i": 3}).init()
    assert [job.name for job in jobs] == [job.name for job in submitted()[:2]]
    again = reached(lab)
    assert 3 == len(again)
    assert again[2].name in {job.name for job in jobs}
    assert {"a": "0 1", "b": "2 3 7"} == found(lab, "joined.txt")


def test_group_on_records(lab: Path, verb: Verb, slurm: dict[str, str], reached: BatchJobs) -> None:
    """A group on records is one batch job for each of them, which makes its operations in turn."""
    assert 0 == verb("run", "-o", "one", cwd=lab).returncode
    done = verb("submit", "-o", "both", cwd=lab, **slurm)
    assert 0 == done.returncode, done.stderr
    assert ["COMPLETED"] * 2 == [job.state for job in reached(lab)]
    assert {"a": "11", "b": "22"} == found(lab, "twice.txt")


@pytest.mark.parametrize("parallel", [False, True], ids=["serial", "parallel"])
def test_bundle_of_jobs_and_records(
    lab: Path, verb: Verb, slurm: dict[str, str], reached: BatchJobs, parallel: bool
) -> None:
    """One batch job may make operations on jobs and on records."""
    flags = ["-p"] * parallel
    done = verb("submit", "-b", "0", *flags, "-o", "one", "join", cwd=lab, **slurm)
    assert 0 == done.returncode, done.stderr
    assert ["COMPLETED"] == [job.state for job in reached(lab)]
    assert {"a": "0 1", "b": "2"} == found(lab, "joined.txt")
    assert all(job.isfile("one.txt") for job in signac.get_project(str(lab)))
