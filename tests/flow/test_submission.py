"""Submission: what a scheduler says, what is remembered, and scripts that wait for their own."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import signac
from flow.environment import ComputeEnvironment, StandardEnvironment
from flow.environment import TestEnvironment as PrintingEnvironment
from flow.scheduling.base import ClusterJob, JobStatus, Scheduler
from signac.job import Job

import pointillist as pt
from pointillist.flow.submission import ask_scheduler, submit


class Session(pt.Aggregate[Job], order_by="i"):
    """The jobs of one session."""

    session: str = pt.key()


class Shelf(Scheduler):  # type: ignore[misc]  # signac-flow has no types
    """A scheduler that says what it is told to, and takes as much as it has room for."""

    answer: Any = None
    known: tuple[str, ...] = ()
    room = 10

    def __init__(self) -> None:
        self.user = None

    def jobs(self) -> Iterator[ClusterJob]:
        """Say what is there, or raise."""
        if self.answer is not None:
            raise self.answer
        for name in self.known:
            yield ClusterJob(name, JobStatus.queued)

    def submit(self, script: str, **options: Any) -> JobStatus:
        """Take a script."""
        if type(self).room == 0:
            raise OSError("no room")
        type(self).room -= 1
        return JobStatus.submitted

    @classmethod
    def is_present(cls) -> bool:
        """Say that it is there."""
        return True


class ShelfEnvironment(ComputeEnvironment):  # type: ignore[misc]  # signac-flow has no types
    """Where that scheduler is."""

    scheduler_type = Shelf
    template = "base_script.sh"

    @classmethod
    def is_present(cls) -> bool:
        """Never be chosen by itself."""
        return False


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a signac project of three jobs."""
    monkeypatch.setattr(Shelf, "room", 10)
    monkeypatch.setattr(Shelf, "answer", None)
    monkeypatch.setattr(Shelf, "known", ("Project/known",))
    project = signac.init_project(str(tmp_path))
    for i in range(3):
        project.open_job({"i": i, "session": "ab"[i // 2]}).init()
    return tmp_path


def declared(root: Path, environment: Any) -> Any:
    """Return a project with an operation on jobs and one on sessions."""

    class Project(pt.FlowProject):
        pass

    Project.post.isfile("x")(Project.operation(lambda job: None, name="one"))
    Project.operation(lambda session: None, name="mean", on=Session)
    return Project(str(root), environment=environment, entrypoint={"path": "project.py"})


def remembered(project: Any) -> list[int]:
    """Return the states of submissions that the project's document keeps."""
    return sorted(signac.get_project(project.path).doc.get("_status", {}).values())


def queue(project: Any) -> None:
    """Let the scheduler know the jobs that a project remembers to have submitted."""
    Shelf.known = tuple(signac.get_project(project.path).doc.get("_status", {}))


# Asking.


def test_no_scheduler(root: Path) -> None:
    """Where there is no scheduler nothing is known, and nothing said."""
    err = io.StringIO()
    assert {} == ask_scheduler(declared(root, StandardEnvironment), err)
    assert "" == err.getvalue()


def test_answer(root: Path) -> None:
    """A scheduler's answer is the state of each job by its name."""
    err = io.StringIO()
    found = ask_scheduler(declared(root, ShelfEnvironment), err)
    assert {"Project/known": JobStatus.queued} == found
    assert "Querying scheduler...\n" == err.getvalue()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (subprocess.CalledProcessError(1, ["squeue", "-h"]), "squeue exited with 1"),
        (subprocess.CalledProcessError(2, "squeue -h"), "squeue exited with 2"),
        (RuntimeError("Slurm is not available."), "Slurm is not available."),
        (FileNotFoundError(2, "No such file", "qstat"), "FileNotFoundError: "),
        (ValueError("what is this"), "ValueError: what is this"),
        (KeyError("JOB_STATE"), "KeyError: 'JOB_STATE'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_no_answer(
    root: Path, error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler that cannot be asked is told of in a line; what was known of it counts."""
    monkeypatch.setattr(Shelf, "answer", error)
    project = declared(root, ShelfEnvironment)
    project.doc["_status"] = {"Project/old": int(JobStatus.active)}
    err = io.StringIO()
    assert {"Project/old": JobStatus.active} == ask_scheduler(project, err)
    asked, told = err.getvalue().splitlines()
    assert "Querying scheduler..." == asked
    assert told.startswith(f"The scheduler cannot be asked ({said}")
    assert told.endswith("); what was last known of it counts.")


# Submitting.


@pytest.mark.parametrize(("size", "scripts"), [(1, 5), (2, 3), (4, 2), (0, 1)])
def test_bundles(root: Path, size: int, scripts: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Operations go in bundles, jobs and records together; each of them is remembered."""
    project = declared(root, ShelfEnvironment)
    project.submit(bundle_size=size)
    assert 10 - scripts == Shelf.room
    assert [int(JobStatus.submitted)] * 5 == remembered(project)
    queue(project)
    project.submit(bundle_size=size)
    assert 10 - scripts == Shelf.room


@pytest.mark.parametrize("num", [0, 1, 3])
def test_num(root: Path, num: int) -> None:
    """No more than `num` operations are submitted; the others are when asked again."""
    project = declared(root, ShelfEnvironment)
    project.submit(num=num)
    assert (10 - num, num) == (Shelf.room, len(remembered(project)))
    queue(project)
    project.submit()
    assert (5, 5) == (Shelf.room, len(remembered(project)))


def test_scheduler_that_takes_no_more(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken before a scheduler has refused is remembered."""
    monkeypatch.setattr(Shelf, "room", 2)
    project = declared(root, ShelfEnvironment)
    with pytest.raises(OSError, match="no room"):
        project.submit()
    assert 2 == len(remembered(project))
    queue(project)
    monkeypatch.setattr(Shelf, "room", 10)
    project.submit()
    assert (7, 5) == (Shelf.room, len(remembered(project)))


def test_pretended(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is only pretended is printed, makes no aggregates, and is not remembered."""
    project = declared(root, PrintingEnvironment)
    project.submit(pretend=True)
    printed = capsys.readouterr().out
    assert 5 == printed.count(f"cd {root}")
    assert [] == remembered(project)
    for record in project[Session]:
        assert 1 == printed.count(f"project.py run -o mean -j {record.id}")
        assert not record.folder.exists()


def test_what_is_submitted_is_made(root: Path) -> None:
    """An aggregate's job is made before it is handed to a scheduler."""
    project = declared(root, ShelfEnvironment)
    project.submit(names=["mean"])
    assert [True, True] == [record.folder.is_dir() for record in project[Session]]


def test_no_operations(root: Path) -> None:
    """Without operations nothing is submitted."""
    project = declared(root, ShelfEnvironment)
    submit(project, (operation for operation in ()), None, 1, parallel=False, force=False)
    assert (10, []) == (Shelf.room, remembered(project))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"names": "one"}, "must be a sequence of strings"),
        ({"ignore_conditions": "pre"}, "must be a member of class IgnoreConditions"),
    ],
)
def test_wrong_arguments(root: Path, arguments: dict[str, Any], said: str) -> None:
    """Arguments of wrong types are errors, before anything is asked or made."""
    with pytest.raises(ValueError, match=said):
        declared(root, ShelfEnvironment).submit(**arguments)
    assert not (root / "aggregates").exists()


# Scripts.


def script(project: Any, capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    """Return the script of a bundle of all operations on jobs."""
    project.submit(names=["one"], bundle_size=0, **options)
    return capsys.readouterr().out


def test_parallel_script(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script of a parallel bundle waits for each operation by its process."""
    text = script(declared(root, PrintingEnvironment), capsys, parallel=True)
    assert 3 == text.count(" &\n") == text.count('pids="${pids:-} $!"')
    assert 1 == text.count('wait "$pid" || failed=1')


def test_serial_script(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script of a serial bundle is that of signac-flow."""
    text = script(declared(root, PrintingEnvironment), capsys)
    assert 0 == text.count("pids") + text.count(" &\n")


def test_template_of_a_project(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A project's own template goes before ours, which it may extend."""
    (root / "templates").mkdir()
    (root / "templates" / "script.sh").write_text(
        '{% extends "base_script.sh" %}\n{% block header %}\n# of this lab\n{% endblock %}\n'
    )
    text = script(declared(root, PrintingEnvironment), capsys, parallel=True)
    assert 1 == text.count("# of this lab")
    assert 3 == text.count('pids="${pids:-} $!"')
    (root / "templates" / "base_script.sh").write_text("# nothing but this\n")
    text = script(declared(root, PrintingEnvironment), capsys, parallel=True)
    assert 0 == text.count("pids")
    assert 1 == text.count("# nothing but this")
