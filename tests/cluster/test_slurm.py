"""Slurm's commands, against a real one."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from pointillist.cluster.slurm import cancel, ended_jobs, jobs_of, longest_array, send
from pointillist.errors import SchedulerError


@pytest.fixture
def here(slurm: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find the Slurm of the tests, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def away(no_controller: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find a Slurm whose controller does not run."""
    monkeypatch.setenv("SLURM_CONF", no_controller["SLURM_CONF"])


@pytest.mark.usefixtures("here")
def test_an_array() -> None:
    """An array that is sent is seen with its name, element by element, until it is cancelled."""
    command = ["sbatch", "--parsable", "--hold", "--array=0-1,4", "--job-name=Lab/a/unlike.1"]
    id = send(command, "#!/bin/sh\ntrue\n")
    found = [job for job in jobs_of([getpass.getuser()]) if job.array == id]
    assert [0, 1, 4] == sorted(job.element for job in found)
    assert {("Lab/a/unlike.1", "PENDING", "JobHeldUser", "")} == {
        (job.name, job.state, job.reason, job.node) for job in found
    }
    assert {(True, True)} == {(job.waits, job.is_left) for job in found}
    cancel([f"{id}_[0,4]"])
    left = [j.element for j in jobs_of([getpass.getuser()]) if j.array == id and j.is_left]
    assert [1] == left
    cancel([id])
    assert [] == [j for j in jobs_of([getpass.getuser()]) if j.array == id and j.is_left]


@pytest.mark.usefixtures("here")
def test_what_it_says() -> None:
    """How long an array may be is asked; without accounts nothing is known of what is gone."""
    assert 1001 == longest_array()
    assert [] == ended_jobs(["1", "2"])


@pytest.mark.usefixtures("here")
def test_what_is_not_taken() -> None:
    """A script that Slurm does not take is an error with Slurm's own reason."""
    with pytest.raises(SchedulerError, match=r"sbatch exited with 1: .*partition.*\.$"):
        send(["sbatch", "--parsable", "--partition=none"], "#!/bin/sh\ntrue\n")
    with pytest.raises(SchedulerError, match="has not said what it calls the array"):
        send(["sbatch", "--test-only"], "#!/bin/sh\ntrue\n")


@pytest.mark.usefixtures("away")
def test_controller_is_away() -> None:
    """Each command says that it cannot reach the controller."""
    with pytest.raises(SchedulerError, match="squeue exited with 1: "):
        jobs_of(["root"])
    with pytest.raises(SchedulerError, match=r"scancel exited with 8: .*Unable to contact"):
        cancel(["1"])


def test_no_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Slurm at all that is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SchedulerError, match="squeue is not there: Slurm is not installed here"):
        jobs_of(["root"])
    assert [] == ended_jobs(["1"])
