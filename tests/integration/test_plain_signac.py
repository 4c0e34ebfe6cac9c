"""An existing signac project is adopted without a change, and plain signac goes on reading it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import flow
import pytest
import signac

JOBS = 1000
PER_SUBJECT = 20

PROJECT = '''
from __future__ import annotations

from pathlib import Path

import pointillist as pt


@pt.step
def double(number: int, factor: int = 2) -> int:
    """Double."""
    return factor * number


@pt.step
def add(numbers: list[int]) -> int:
    """Add."""
    return sum(numbers)


class Trial(pt.Record):
    """What was there before."""

    subject: str = pt.key()
    trial: int = pt.key()

    reading: int = pt.seed("readings/{subject}/{trial}.txt")
    doubled: int = double.step(reading).to("doubled.txt")


class Subject(pt.Aggregate[Trial]):
    """All trials of one subject."""

    subject: str = pt.key()

    total: int = add.step(pt.each(Trial.doubled)).to()


class Lab(pt.Project):
    """The lab."""

    records = (Trial, Subject)


if __name__ == "__main__":
    Lab().main()
'''


def python(*arguments: str, cwd: Path) -> str:
    """Run this interpreter, which must exit with 0; give what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def states(project: Path, *flags: str) -> dict[tuple[str, str], int]:
    """Count the tasks of each step in each state, as ``status --json`` gives them."""
    found: dict[tuple[str, str], int] = {}
    for row in json.loads(python("project.py", "status", "--json", *flags, cwd=project)):
        state = f"{row['state']} ({row['note']})" if row["note"] else row["state"]
        found[row["step"], state] = found.get((row["step"], state), 0) + 1
    return found


def files(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Give content, mtime and inode of every file below a folder, by its path in it."""
    return {
        str(file.relative_to(folder)): (
            file.read_bytes(),
            (status := file.stat()).st_mtime_ns,
            status.st_ino,
        )
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def adopted(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, tuple[bytes, int, int]]]:
    """Give a signac project of a thousand jobs, with what lay in its workspace before."""
    root = tmp_path_factory.mktemp("lab")
    project = signac.init_project(str(root))
    for number in range(JOBS):
        subject, trial = f"s{number // PER_SUBJECT:02d}", number % PER_SUBJECT
        job = project.open_job({"subject": subject, "trial": trial, "rig": "blue", "gain": 1.5})
        job.init()
        job.document["note"] = f"trial {number}"
        Path(job.fn("doubled.txt")).write_text(f"{2 * number}\n")
        reading = root / "readings" / subject / f"{trial}.txt"
        reading.parent.mkdir(parents=True, exist_ok=True)
        reading.write_text(f"{number}\n")
        old = 1_600_000_000 * 10**9
        os.utime(reading, ns=(old, old))
    (root / "project.py").write_text(PROJECT)
    return root, files(root / "workspace")


def test_nothing_changes_and_old_outputs_are_found(
    adopted: tuple[Path, dict[str, tuple[bytes, int, int]]],
) -> None:
    """Records and aggregates come beside the workspace; a run takes a baseline of what is there."""
    root, before = adopted
    printed = python("project.py", "discover", cwd=root)
    assert f"Trial: {JOBS} found, 0 new, 0 gone\n" in printed
    assert f"Subject: {JOBS // PER_SUBJECT} aggregates, {JOBS // PER_SUBJECT} new" in printed
    assert before == files(root / "workspace")
    assert {("doubled", "complete (found)"): JOBS} == states(root, "-o", "doubled")

    printed = python("project.py", "run", "-o", "doubled", cwd=root)
    assert "nothing to do: everything is complete.\n" == printed
    assert before == files(root / "workspace")
    kinds = [
        line["outcome"]
        for journal in root.glob(".pointillist/runs/*.jsonl")
        for line in map(json.loads, journal.read_text().splitlines())
        if line["kind"] == "attempt"
    ]
    assert ["found"] * JOBS == kinds

    python("project.py", "run", cwd=root)
    assert before == files(root / "workspace")
    expected = {("doubled", "complete (found)"): JOBS, ("total", "complete"): JOBS // PER_SUBJECT}
    assert expected == states(root)
    totals = {
        int((statepoint.parent / "total.txt").read_text())
        for statepoint in root.glob("aggregates/Subject/workspace/*/signac_statepoint.json")
    }
    first = range(0, JOBS, PER_SUBJECT)
    assert {2 * sum(range(start, start + PER_SUBJECT)) for start in first} == totals

    reading = root / "readings" / "s01" / "3.txt"
    reading.write_text("777\n")
    expected = {
        ("doubled", "complete (found)"): JOBS - 1,
        ("doubled", "stale"): 1,
        ("total", "complete"): JOBS // PER_SUBJECT - 1,
        ("total", "waiting"): 1,
    }
    assert expected == states(root)
    python("project.py", "run", cwd=root)
    changed = {name for name, seen in files(root / "workspace").items() if before.get(name) != seen}
    (job,) = signac.get_project(str(root)).find_jobs({"subject": "s01", "trial": 3})
    assert {f"{job.id}/doubled.txt"} == changed
    assert "1554\n" == (Path(job.path) / "doubled.txt").read_text()


class Plain(flow.FlowProject):  # type: ignore[misc]  # signac-flow has no types
    """A project that knows nothing of records."""


@Plain.post.isfile("plain.txt")
@Plain.operation  # type: ignore[untyped-decorator]  # signac-flow has no types
def plain(job: signac.job.Job) -> None:
    """Write a file that needs every old key of the job."""
    text = f"{job.sp.subject} {job.sp.trial}"
    Path(job.fn("plain.txt")).write_text(text)


def test_plain_signac_reads_and_runs(tmp_path: Path) -> None:
    """`signac find`, `get_project` and a plain FlowProject see the records, and only those."""
    (tmp_path / "project.py").write_text(PROJECT)
    for trial in range(3):
        reading = tmp_path / "readings" / "s0" / f"{trial}.txt"
        reading.parent.mkdir(parents=True, exist_ok=True)
        reading.write_text(str(trial))
    python("project.py", "discover", cwd=tmp_path)
    python("project.py", "run", cwd=tmp_path)

    project = signac.get_project(str(tmp_path))
    wanted = [{"subject": "s0", "trial": trial} for trial in range(3)]
    assert wanted == sorted((dict(job.sp) for job in project), key=lambda sp: sp["trial"])
    assert [1] == [job.sp.trial for job in project.find_jobs({"trial": 1})]
    found = python("-m", "signac", "find", "trial", "1", cwd=tmp_path).split()
    assert [job.id for job in project.find_jobs({"trial": 1})] == found
    assert 3 == len(python("-m", "signac", "find", cwd=tmp_path).split())

    beside = signac.get_project(str(tmp_path / "aggregates" / "Subject"))
    assert [{"aggregate": "Subject", "subject": "s0"}] == [dict(job.sp) for job in beside]

    lab = Plain.get_project(str(tmp_path))
    lab.run()
    assert {"s0 0", "s0 1", "s0 2"} == {Path(job.fn("plain.txt")).read_text() for job in project}
    assert {("doubled", "complete"): 3, ("total", "complete"): 1} == states(tmp_path)
