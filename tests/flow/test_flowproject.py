"""FlowProject: operations and labels on record classes, and how the records are reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.errors import FlowProjectDefinitionError
from signac.job import Job

import pointillist as pt
from pointillist.errors import DeclarationError, RecordNotFound, SeveralRecords

Main = Callable[..., int]
Capture = pytest.CaptureFixture[str]


class Session(pt.Aggregate[Job], order_by="index"):
    """The jobs of one session."""

    session: str = pt.key()


class All(pt.Aggregate[Session]):
    """All sessions."""


class Point(pt.Record):
    """A record that is no aggregate."""

    index: int = pt.key()


class Pair(pt.Aggregate[Point]):
    """An aggregate of records that are no plain jobs."""

    index: int = pt.key()


JOBS = [("a", 2), ("a", 0), ("a", 1), ("b", 1), ("b", 0)]


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; the jobs of two sessions lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for session, index in JOBS:
        signac.init_project().open_job({"session": session, "index": index}).init()

    class Project(pt.FlowProject):
        pass

    return Project


@pytest.fixture
def means(Project: Any) -> Any:
    """Give the class with an operation on jobs and one on sessions, which needs it."""

    @Project.post.isfile("one.txt")
    @Project.operation
    def one(job: Any) -> None:
        Path(job.fn("one.txt")).write_text(str(job.sp.index))

    @Project.pre(lambda session: all(job.isfile("one.txt") for job in session.members))
    @Project.post.isfile("mean.txt")
    @Project.operation(on=Session)
    def mean(session: Any) -> None:
        ones = [Path(job.fn("one.txt")).read_text() for job in session.members]
        Path(session.fn("mean.txt")).write_text(" ".join(ones))
        session.doc["count"] = len(ones)

    return Project


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Give the command line of a project class; it returns the exit code."""

    def call(cls: Any, *words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["project.py", *words])
        try:
            cls().main()
        except SystemExit as error:
            assert isinstance(error.code, int)
            return error.code
        return 0

    return call


def made(project: Any, name: str, cls: Any = Session) -> dict[str, str]:
    """Return the text of a file of the aggregates that have it, by their session."""
    return {
        getattr(record, "session", ""): (record.folder / name).read_text()
        for record in project[cls]
        if (record.folder / name).is_file()
    }


# The job of an aggregate.


def test_job_of_its_own(means: Any, tmp_path: Path) -> None:
    """An operation's one job has a folder beside the workspace, a document, ordered members."""
    project = means()
    project.run()
    record = project[Session].get(session="a")
    job = record.job
    assert tmp_path / "aggregates" / "Session" / "workspace" / job.id == Path(job.path)
    assert {"aggregate": "Session", "session": "a"} == dict(job.sp)
    assert [0, 1, 2] == [member.sp.index for member in job.members]
    assert ["index", "session"] == sorted(job.members[0].sp)
    assert 3 == job.doc["count"]
    assert {"a": "0 1 2", "b": "0 1"} == made(project, "mean.txt")
    assert 5 == len(project) == len(list((tmp_path / "workspace").iterdir()))


def test_the_job_outside_of_flow(means: Any, tmp_path: Path) -> None:
    """Plain signac reads the aggregates as a project of their own, and the workspace as before."""
    means().run()
    beside = signac.get_project(str(tmp_path / "aggregates" / "Session"))
    assert {"a": 3, "b": 2} == {job.sp.session: job.doc["count"] for job in beside}
    assert {("index", "session")} == {tuple(sorted(job.sp)) for job in signac.get_project()}


def test_record_of_an_aggregate(means: Any, tmp_path: Path) -> None:
    """`project[Session]` gives the aggregates with members, document, folder and job."""
    project = means()
    project.run()
    session = project[Session].get(session="b")
    assert 2 == len(project[Session])
    assert [0, 1] == [job.sp.index for job in session.members]
    assert [project.path] * 2 == [job.project.path for job in session.members]
    assert 2 == session.document["count"]
    assert tmp_path / "aggregates" / "Session" / "workspace" / session.id == session.folder
    assert session.id == session.job.id
    assert session == project.record_of(session.job)
    assert session == project[Session].get(session.id[:8])
    assert "Session session=b" == session.label


def test_jobs_that_are_no_records(means: Any) -> None:
    """A class that no operation works on is unknown; a job of the workspace is no record."""
    project = means()
    with pytest.raises(RecordNotFound, match=r"All is no record class of Project\. There are: Se"):
        project[All]
    outside = signac.Project(project.path).open_job({"session": "c", "index": 0})
    with pytest.raises(RecordNotFound, match=f"the job {outside.id} is no record of Project"):
        project.record_of(outside)


def test_without_record_classes(Project: Any) -> None:
    """A project without `on=` has no records, and makes no folder for them."""

    @Project.operation
    def one(job: Any) -> None:
        assert not hasattr(job, "members")

    project = Project()
    project.run()
    assert {".signac", "workspace"} == {path.name for path in Path(project.path).iterdir()}
    with pytest.raises(RecordNotFound, match=r"Session is no record class .* There are: none\."):
        project[Session]


# Following: aggregates are shown as they would be, and made by what works on them.


def test_status_makes_no_jobs(means: Any, main: Main, capsys: Capture) -> None:
    """On a fresh project `status` lists the aggregates and makes none of their jobs."""
    project = means()
    assert 0 == main(means, "status", "--json")
    shown = json.loads(capsys.readouterr().out)
    sessions = {record.id: record for record in project[Session]}
    assert 2 == len(sessions)
    assert set(sessions) | {job.id for job in project} == set(shown)
    assert {("mean",)} == {tuple(shown[id]["groups"]) for id in sessions}
    assert not any(record.folder.exists() for record in sessions.values())
    assert [0, 1, 2] == [job.sp.index for job in project[Session].get(session="a").members]


@pytest.mark.parametrize(
    ("words", "makes"),
    [
        ("run", True),
        ("run --pretend", False),
        ("next mean", True),
        ("exec one", True),
        ("submit --pretend", False),
    ],
)
def test_what_makes_the_jobs(
    means: Any, main: Main, words: str, makes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What works on aggregates, or hands them on, makes their jobs; what pretends does not."""
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "TestEnvironment")
    assert 0 == main(means, *words.split())
    assert [makes] * 2 == [record.folder.is_dir() for record in means()[Session]]


@pytest.mark.parametrize("pool", [None, 2])
def test_aggregates_follow_within_a_run(Project: Any, pool: int | None) -> None:
    """Jobs that an operation adds belong to their aggregates in the same run."""

    @Project.pre(lambda job: job.sp == {"session": "a", "index": 0})
    @Project.post.true("grown")
    @Project.operation
    def grow(job: Any) -> None:
        for session in "ac":
            job.project.open_job({"session": session, "index": 7}).init()
        job.doc.grown = True

    @Project.pre(lambda session: any(job.sp.index == 7 for job in session.members))
    @Project.post.isfile("count.txt")
    @Project.operation(on=Session)
    def count(session: Any) -> None:
        Path(session.fn("count.txt")).write_text(str(len(session.members)))

    project = Project()
    project.run(np=pool)
    assert {"a": "4", "c": "1"} == made(project, "count.txt")


@pytest.mark.parametrize("pool", [None, 2])
def test_member_comes_and_goes(Project: Any, pool: int | None) -> None:
    """With other members an aggregate keeps its folder, id and name on the scheduler."""

    @Project.post(lambda session: session.doc.get("count") == len(session.members))
    @Project.operation(on=Session)
    def count(session: Any) -> None:
        session.doc["count"] = len(session.members)

    project = Project()
    project.run(np=pool)

    def seen() -> tuple[str, str, Path, int]:
        record = project[Session].get(session="b")
        name = project.groups["count"]._generate_id((record.job,))
        return record.id, name, record.folder, record.job.doc["count"]

    *before, count_before = seen()
    added = project.open_job({"session": "b", "index": 9}).init()
    project.run(np=pool)
    assert (before, 2, 3) == (list(seen()[:3]), count_before, seen()[3])
    added.remove()
    project.run(np=pool)
    assert (before, 2) == (list(seen()[:3]), seen()[3])


def test_last_member_goes(means: Any, main: Main, capsys: Capture) -> None:
    """An aggregate without members is kept, not run and not shown; with a member it is again."""
    project = means()
    project.run()
    session = project[Session].get(session="b")
    for job in session.members:
        job.remove()
    (session.folder / "mean.txt").unlink()
    project.run()
    assert [session.folder / "mean.txt"] == [
        session.folder / "mean.txt"
    ] and session.folder.is_dir()
    assert {"a": "0 1 2"} == made(project, "mean.txt")
    assert [] == project[Session].get(session="b").members
    capsys.readouterr()
    assert 0 == main(means, "status", "--json")
    assert session.id not in json.loads(capsys.readouterr().out)
    project.open_job({"session": "b", "index": 5}).init()
    project.run()
    assert {"a": "0 1 2", "b": "5"} == made(project, "mean.txt")


def test_jobs_without_the_key(means: Any, capsys: Capture) -> None:
    """Jobs that belong to no aggregate are left out, which is said once; they run themselves."""
    lost = means().open_job({"index": 4}).init()
    project = means()
    project.run()
    project.run()
    project.print_status(dump_json=True)
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    said = f"left out: job {lost.id[:8]} is in no Session: its state point has no session"
    assert [said] == told
    assert lost.isfile("one.txt")
    assert {"a": "0 1 2", "b": "0 1"} == made(project, "mean.txt")


def test_many_jobs_without_the_key(means: Any, capsys: Capture) -> None:
    """Of many that are left out three are named and the others counted."""
    for index in range(5):
        means().open_job({"index": index}).init()
    means().run()
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert (4, "left out: 2 more") == (len(told), told[-1])


# Selecting.


@pytest.mark.parametrize("length", [32, 10])
def test_one_aggregate(means: Any, main: Main, length: int) -> None:
    """`-j` takes the id of an aggregate, whole or the beginning of it."""
    project = means()
    project.run(names=["one"])
    id = project[Session].get(session="b").id
    assert 0 == main(means, "run", "-j", id[:length])
    assert {"b": "0 1"} == made(project, "mean.txt")


def test_one_aggregate_that_has_no_folder_yet(Project: Any, main: Main) -> None:
    """`-j` knows the aggregates that `status` shows, before anything has made them."""

    @Project.operation(on=Session)
    def count(session: Any) -> None:
        Path(session.fn("count.txt")).write_text(str(len(session.members)))

    project = Project()
    assert 0 == main(Project, "run", "-j", project[Session].get(session="b").id[:8])
    assert {"b": "2"} == made(project, "count.txt")


def test_jobs_of_both_kinds(means: Any, main: Main) -> None:
    """`-j` takes aggregates and jobs of the workspace together."""
    project = means()
    project.run(names=["one"], jobs=project[Session].get(session="b").members)
    job = project.open_job({"session": "a", "index": 1})
    assert 0 == main(means, "run", "-j", project[Session].get(session="b").id, job.id)
    assert {"b": "0 1"} == made(project, "mean.txt")
    assert ["a1", "b0", "b1"] == sorted(
        f"{job.sp.session}{job.sp.index}" for job in project if job.isfile("one.txt")
    )


def test_run_takes_jobs_of_aggregates(means: Any) -> None:
    """`run(jobs=…)` takes the job of a record like any other."""
    project = means()
    project.run(names=["one"])
    project.run(jobs=[project[Session].get(session="a").job])
    assert {"a": "0 1 2"} == made(project, "mean.txt")


def test_an_id_that_is_not_there(means: Any, main: Main) -> None:
    """An id of neither kind is a LookupError, as in signac-flow."""
    project = means()
    with pytest.raises(KeyError):
        project.open_job(id="0" * 32)
    with pytest.raises(LookupError, match="Did not find job with id '0000'"):
        main(means, "run", "-j", "0000")


def test_an_id_that_several_aggregates_have(Project: Any) -> None:
    """The beginning of several aggregates' ids is an error that names them."""

    class Single(pt.Aggregate[Job]):
        index: int = pt.key()

    @Project.operation(on=Single)
    def nothing(single: Any) -> None:
        pass

    project = Project()
    for index in range(40):
        project.open_job({"session": "z", "index": index}).init()
    starts = [record.id[:2] for record in project[Single]]
    taken = {job.id[:2] for job in project}
    twice = next(s for s in starts if starts.count(s) > 1 and s not in taken)
    with pytest.raises(SeveralRecords) as caught:
        project.open_job(id=twice)
    count = starts.count(twice)
    assert str(caught.value).startswith(f"{count} job ids begin with {twice!r}: {twice}")


def test_filter(means: Any, main: Main) -> None:
    """`-f` selects aggregates by their own state points, beside the jobs that match."""
    project = means()
    project.run(names=["one"])
    assert 0 == main(means, "run", "-f", "session", "b")
    assert {"b": "0 1"} == made(project, "mean.txt")
    assert 0 == main(means, "run", "-f", "index", "0")
    assert {"b": "0 1"} == made(project, "mean.txt")


# The command line.


def test_next(means: Any, main: Main, capsys: Capture) -> None:
    """`next` prints the ids of the aggregates that an operation is eligible for."""
    project = means()
    project.run(names=["one"], jobs=project[Session].get(session="b").members)
    capsys.readouterr()
    assert 0 == main(means, "next", "mean")
    assert f"{project[Session].get(session='b').id}\n" == capsys.readouterr().out


def test_exec(means: Any, main: Main) -> None:
    """`exec` carries an operation out on an aggregate, all of them if none is named."""
    project = means()
    for job in project:
        Path(job.fn("one.txt")).write_text("1")
    assert 0 == main(means, "exec", "mean", project[Session].get(session="b").id)
    assert {"b": "1 1"} == made(project, "mean.txt")
    assert 0 == main(means, "exec", "mean")
    assert {"a": "1 1 1", "b": "1 1"} == made(project, "mean.txt")


def test_exec_of_a_command(Project: Any, main: Main, capfd: pytest.CaptureFixture[str]) -> None:
    """`exec` of a command on an aggregate runs the command."""

    @Project.operation(cmd=True, on=Session)
    def shout(session: Any) -> str:
        return f"echo {session.sp.session} {len(session.members)}"

    assert 0 == main(Project, "exec", "shout")
    assert ["a 3", "b 2"] == sorted(capfd.readouterr().out.splitlines())


def test_parallel(means: Any, main: Main) -> None:
    """`run -p 2` carries operations on aggregates out in other processes."""

    @means.pre.isfile("mean.txt")
    @means.post.isfile("where.txt")
    @means.operation(on=Session)
    def where(session: Any) -> None:
        Path(session.fn("where.txt")).write_text(f"{os.getpid()} {len(session.members)}")

    assert 0 == main(means, "run", "-p", "2")
    project = means()
    assert {"a": "0 1 2", "b": "0 1"} == made(project, "mean.txt")
    found = {session: text.split() for session, text in made(project, "where.txt").items()}
    assert {"a": "3", "b": "2"} == {session: count for session, (_, count) in found.items()}
    assert str(os.getpid()) not in {process for process, _ in found.values()}


@pytest.mark.parametrize("pool", [None, 2])
def test_command(means: Any, pool: int | None) -> None:
    """A command works on an aggregate's folder, also with `with_job`, and after an operation."""

    @means.pre.after(dict(means._collect_operations())["mean"])
    @means.post.isfile("loud.txt")
    @means.operation(cmd=True, with_job=True, on=Session)
    def loud(session: Any) -> str:
        return "tr ' ' '!' < mean.txt > loud.txt"

    project = means()
    project.run(np=pool)
    assert {"a": "0!1!2", "b": "0!1"} == made(project, "loud.txt")


def test_after_on_one_kind(Project: Any) -> None:
    """`pre.after` makes an operation wait for another one on the same aggregate."""

    @Project.post(lambda session: session.doc.get("first", False))
    @Project.operation(on=Session)
    def first(session: Any) -> None:
        if session.sp.session == "a":
            raise ValueError("no luck")
        session.doc["first"] = True

    @Project.pre.after(first)
    @Project.post.isfile("second.txt")
    @Project.operation(on=Session)
    def second(session: Any) -> None:
        Path(session.fn("second.txt")).touch()

    project = Project()
    with pytest.raises(flow.errors.UserOperationError):
        project.run()
    assert {"b": ""} == made(project, "second.txt")


def test_after_an_operation_on_members(Project: Any) -> None:
    """What comes after an operation on members waits for all of them, however deep they lie."""

    @Project.post.isfile("one.txt")
    @Project.operation
    def one(job: Any) -> None:
        if job.sp == {"session": "b", "index": 1} and not mended:
            raise ValueError("no luck")
        Path(job.fn("one.txt")).touch()

    @Project.pre.after(one)
    @Project.post.isfile("mean.txt")
    @Project.operation(on=Session)
    def mean(session: Any) -> None:
        Path(session.fn("mean.txt")).touch()

    @Project.pre.after(one, mean)
    @Project.post.isfile("all.txt")
    @Project.operation(on=All)
    def join(every: Any) -> None:
        Path(every.fn("all.txt")).touch()

    @Project.pre.after(one)
    @Project.post.isfile("deep.txt")
    @Project.operation(on=All)
    def look(every: Any) -> None:
        Path(every.fn("deep.txt")).touch()

    mended: list[bool] = []
    project = Project()
    with pytest.raises(flow.errors.UserOperationError):
        project.run()
    assert {"a": ""} == made(project, "mean.txt")
    assert {} == {**made(project, "all.txt", All), **made(project, "deep.txt", All)}
    mended.append(True)
    project.run()
    assert {"a": "", "b": ""} == made(project, "mean.txt")
    assert [{"": ""}] * 2 == [made(project, name, All) for name in ("all.txt", "deep.txt")]


def test_after_an_operation_on_what_is_no_member(means: Any) -> None:
    """An operation on members cannot come after one on their aggregate; the error says so."""
    mean = dict(means._collect_operations())["mean"]
    with pytest.raises(FlowProjectDefinitionError) as caught:

        @means.pre.after(mean)
        @means.operation
        def back(job: Any) -> None:
            pass

    assert (
        "back works on the jobs of the workspace and cannot come after mean, which works on "
        "Session: these are not its members."
    ) == str(caught.value)


@pytest.mark.parametrize("where", ["operation", "project"])
def test_hooks(Project: Any, where: str) -> None:
    """Hooks get the aggregate's job, whichever way they are installed."""
    seen: list[tuple[str, str, str, int]] = []

    def note(kind: str) -> Callable[..., None]:
        def hook(name: str, *arguments: Any) -> None:
            job = arguments[-1]
            seen.append((kind, name, job.sp.session, len(job.members)))

        return hook

    @Project.operation(on=Session)
    def try_it(session: Any) -> None:
        if session.sp.session == "a":
            raise ValueError("no luck")

    kinds = ("on_start", "on_exit", "on_success", "on_exception")
    if where == "operation":
        for kind in kinds:
            getattr(Project.operation_hooks, kind)(note(kind))(try_it)
    project = Project()
    if where == "project":
        for kind in kinds:
            getattr(project.project_hooks, kind).append(note(kind))
    with pytest.raises(flow.errors.UserOperationError):
        project.run(order=lambda operation: operation._jobs[0].sp.session)
    assert [
        *[(kind, "try_it", "a", 3) for kind in ("on_start", "on_exception", "on_exit")],
        *[(kind, "try_it", "b", 2) for kind in ("on_start", "on_success", "on_exit")],
    ] == seen


def test_directives(Project: Any) -> None:
    """A directive that is a function gets the aggregate's job."""
    seen: list[int] = []

    def processors(session: Any) -> int:
        seen.append(len(session.members))
        return 1

    @Project.operation(on=Session, directives={"np": processors})
    def nothing(session: Any) -> None:
        pass

    Project().run()
    assert {2, 3} == set(seen)


# Labels.


@pytest.fixture
def labelled(means: Any) -> Any:
    """Give a class with labels on jobs and on sessions, one of them a text."""

    @means.label
    def first(job: Any) -> bool:
        return bool(job.sp.index == 0)  # an aggregate has no index

    @means.label("averaged", on=Session)
    def is_averaged(session: Any) -> bool:
        return bool(session.isfile("mean.txt"))

    @means.label(on=Session)
    def size(session: Any) -> str:
        return f"{len(session.members)} jobs"

    return means


def test_labels(labelled: Any) -> None:
    """Each kind of jobs has its own labels; those of others are not called with it."""
    project = labelled()
    session = project[Session].get(session="a")
    assert ["3 jobs"] == list(project.labels(session.job))
    assert [["first"], [], []] == [list(project.labels(job)) for job in session.members]
    project.run()
    assert ["averaged", "3 jobs"] == list(project.labels(session.job))


def test_label_ratio(labelled: Any, main: Main, capsys: Capture) -> None:
    """The ratio of a label counts only the jobs that may have it."""
    project = labelled()
    project.run(names=["one"])
    project.run(jobs=[project[Session].get(session="b").job])
    capsys.readouterr()
    assert 0 == main(labelled, "status")
    lines = capsys.readouterr().out.splitlines()
    ratios = {line.split("  ")[0]: line.split("| ")[-1] for line in lines if "%)" in line}
    assert {
        "first": "2/5 (40.00%)",
        "averaged": "1/2 (50.00%)",
        "3 jobs": "1/2 (50.00%)",
        "2 jobs": "1/2 (50.00%)",
    } == ratios


def test_label_ratio_of_some(labelled: Any, main: Main, capsys: Capture) -> None:
    """With `-j` only the chosen jobs are counted."""
    id = labelled()[Session].get(session="b").id
    assert 0 == main(labelled, "status", "-j", id)
    assert "1/1 (100.00%)" in capsys.readouterr().out


def test_label_decorators(Project: Any) -> None:
    """`label(on=…)` takes no name, a name, or is called on a function; it gives it back."""

    def plain(session: Any) -> bool:
        return True

    assert plain is Project.label(on=Session)(plain)
    assert [(plain, None)] == list(Project()._label_functions.items())
    with pytest.raises(DeclarationError, match="on=<class 'int'> is no record class"):
        Project.label("x", on=int)


def test_label_of_records_without_an_operation(Project: Any) -> None:
    """A label may be on a class that an operation works on only by its members."""

    @Project.label(on=Session)
    def long(session: Any) -> bool:
        return len(session.members) > 2

    @Project.operation(on=All)
    def count(everything: Any) -> None:
        pass

    project = Project()
    project.run()
    labels = {record.session: list(project.labels(record.job)) for record in project[Session]}
    assert {"a": ["long"], "b": []} == labels


def test_parameters_in_status(means: Any, main: Main, capsys: Capture) -> None:
    """`status -d -p` shows entries of an aggregate's state point, None where there is none."""
    project = means()
    assert 0 == main(means, "status", "-d", "-p", "session", "index")
    rows = {
        line.split()[0]: line.split()[-2:]
        for line in capsys.readouterr().out.splitlines()
        if line.strip()
    }
    job = project.open_job({"session": "a", "index": 2})
    assert ["b", "None"] == rows[project[Session].get(session="b").id]
    assert ["a", "2"] == rows[job.id]


# Status in threads and processes.


@pytest.mark.parametrize("kind", ["none", "thread", "process"])
def test_status_parallelization(Project: Any, kind: str, capsys: Capture) -> None:
    """Conditions and labels of jobs, aggregates and records are told alike, however asked."""
    with (Path(Project().path) / ".signac" / "config").open("a") as file:
        file.write(f"[flow]\nstatus_parallelization = {kind}\n")

    @Project.label(on=Session)
    def members(session: Any) -> str:
        return f"{len(session.members)} members"

    @Project.label
    def where(job: Any) -> str:
        thread = threading.current_thread() is not threading.main_thread()
        return "process" if os.getpid() != here else "thread" if thread else "none"

    @Project.pre(lambda session: len(session.members) == 2)
    @Project.operation(on=Session)
    def two(session: Any) -> None:
        pass

    @Project.pre(lambda *jobs: len(jobs) == 3)
    @Project.operation(aggregator=flow.aggregator.groupby("session"))
    def three(*jobs: Any) -> None:
        pass

    @Project.operation
    def one(job: Any) -> None:
        pass

    here = os.getpid()
    project = Project()
    project.print_status(dump_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert [3] == [
        len(project._get_aggregate_from_id(id))
        for id, found in shown.items()
        if found["groups"].get("three", {}).get("eligible")
    ]
    ids = {record.session: record.id for record in project[Session]}
    assert {"a": ["3 members"], "b": ["2 members"]} == {
        session: shown[id]["labels"] for session, id in ids.items()
    }
    assert {"a": False, "b": True} == {
        session: shown[id]["groups"]["two"]["eligible"] for session, id in ids.items()
    }
    assert {(kind,)} == {tuple(shown[job.id]["labels"]) for job in project}


# Declaring.


def test_on_without_records_of_its_own(Project: Any) -> None:
    """A Record class, or an aggregate of them, needs a Project; that is what the error says."""
    for cls, member in ((Point, "Point"), (Pair, "Point")):

        class Wrong(Project):  # type: ignore[misc]  # a fixture
            pass

        Wrong.operation(lambda job: None, name="wrong", on=cls)
        with pytest.raises(DeclarationError) as caught:
            Wrong()[Session]
        assert (
            f"an operation is on={cls.__name__}, which needs the records of {member}. Derive the "
            f"project from pt.Project and name them: records = ({member}, …)."
        ) == str(caught.value)


def test_on_and_an_aggregator(Project: Any) -> None:
    """An operation with `on=` and an aggregator is an error that names both."""
    with pytest.raises(FlowProjectDefinitionError, match="either on=Session or an aggregator"):

        @Project.operation(on=Session, aggregator=flow.aggregator())
        def wrong(*jobs: Any) -> None:
            pass


@pytest.mark.parametrize(
    "on", [int, "Session", Job, flow.aggregator()], ids=["int", "text", "Job", "aggregator"]
)
def test_on_what_is_no_record_class(Project: Any, on: Any) -> None:
    """`on=` takes record classes only; the error says how one is declared."""
    with pytest.raises(DeclarationError) as caught:
        Project.operation(on=on)
    assert str(caught.value).startswith(f"on={on!r} is no record class. Declare one: class Session")


def test_ways_to_register(Project: Any) -> None:
    """`operation(on=…)` takes a name in both places, and gives the function back."""

    def one(session: Any) -> None:
        pass

    def two(session: Any) -> None:
        pass

    assert one is Project.operation("first", on=Session)(one)
    assert two is Project.operation(two, name="second", on=Session)
    assert {"first", "second"} == set(Project().operations)
    assert {"first": Session, "second": Session} == Project()._operation_records


def test_inherited_operations(means: Any) -> None:
    """A derived project class has the operations and labels on records of its base."""

    @means.label(on=Session)
    def good(session: Any) -> bool:
        return True

    class Derived(means):  # type: ignore[misc]  # a fixture
        pass

    @Derived.pre.isfile("mean.txt")
    @Derived.post.isfile("more.txt")
    @Derived.operation(on=Session)
    def more(session: Any) -> None:
        Path(session.fn("more.txt")).touch()

    project = Derived()
    project.run()
    assert {"a": "", "b": ""} == made(project, "more.txt")
    assert ["good"] == list(project.labels(project[Session].get(session="a").job))
    assert {"one", "mean"} == set(means().operations)


def test_a_name_twice(means: Any) -> None:
    """A name that an operation on records has is taken, as in signac-flow."""

    class Derived(means):  # type: ignore[misc]  # a fixture
        pass

    Derived.operation(lambda job: None, name="mean")
    with pytest.raises(FlowProjectDefinitionError, match="Repeat definition of operation"):
        Derived()


# Aggregates of every kind.


def counted(Project: Any, cls: Any) -> list[tuple[dict[str, Any], list[int]]]:
    """Return the keys and the members' indices of all aggregates that a run works on."""
    seen: list[tuple[dict[str, Any], list[int]]] = []

    @Project.operation(on=cls)
    def note(aggregate: Any) -> None:
        statepoint = dict(aggregate.sp)
        assert cls.__name__ == statepoint.pop("aggregate")
        seen.append((statepoint, [job.sp.index for job in aggregate.members]))

    project = Project()
    project.run()
    assert {len(seen)} == {len(project[cls])}
    return sorted(seen, key=str)


def test_key_by_function(Project: Any) -> None:
    """A key may be worked out of the job by a function."""

    class Parity(pt.Aggregate[Job], order_by=("session", "index")):
        odd: bool = pt.key(lambda job: bool(job.sp.index % 2))

    assert [({"odd": False}, [0, 2, 0]), ({"odd": True}, [1, 1])] == counted(Project, Parity)


def test_several_keys(Project: Any) -> None:
    """With several keys there is an aggregate for each combination that occurs."""

    class Cell(pt.Aggregate[Job], order_by="index"):
        session: str = pt.key()
        parity: str = pt.key(lambda job: "odd" if job.sp.index % 2 else "even")

    assert sorted(
        [
            ({"session": "a", "parity": "even"}, [0, 2]),
            ({"session": "a", "parity": "odd"}, [1]),
            ({"session": "b", "parity": "even"}, [0]),
            ({"session": "b", "parity": "odd"}, [1]),
        ],
        key=str,
    ) == counted(Project, Cell)


def test_no_key(Project: Any) -> None:
    """Without a key there is one aggregate of all jobs."""

    class Every(pt.Aggregate[Job], order_by=("-session", "index")):
        pass

    assert [({}, [0, 1, 0, 1, 2])] == counted(Project, Every)


def test_descending(Project: Any) -> None:
    """A `-` before a name orders members from high to low."""

    class Down(pt.Aggregate[Job], order_by="-index"):
        session: str = pt.key()

    assert [({"session": "a"}, [2, 1, 0]), ({"session": "b"}, [1, 0])] == counted(Project, Down)


def test_order_by_function(Project: Any) -> None:
    """A function gives what members are ordered by."""

    class Turned(pt.Aggregate[Job], order_by=lambda job: (job.sp.index + 1) % 3):
        session: str = pt.key()

    assert [2, 0, 1] == counted(Project, Turned)[0][1]


def test_order_by_default(Project: Any) -> None:
    """Without an order members come by their job ids."""

    class ById(pt.Aggregate[Job]):
        session: str = pt.key()

    jobs = sorted(Project(), key=lambda job: str(job.id))
    expected = [job.sp.index for job in jobs if job.sp.session == "a"]
    assert expected == counted(Project, ById)[0][1]


def test_select(Project: Any) -> None:
    """`select` says which jobs belong to any aggregate; the others are left out on purpose."""

    class Late(pt.Aggregate[Job], order_by="index", select=lambda job: job.sp.index > 0):
        session: str = pt.key()

    assert [({"session": "a"}, [1, 2]), ({"session": "b"}, [1])] == counted(Project, Late)


def test_select_says_nothing(Project: Any, capsys: Capture) -> None:
    """Jobs that `select` leaves out are not told of, also if they lack the key."""

    class Known(pt.Aggregate[Job], select=lambda job: "session" in job.sp):
        session: str = pt.key()

    Project().open_job({"index": 3}).init()
    assert 2 == len(counted(Project, Known))
    assert "left out" not in capsys.readouterr().err


def test_aggregates_of_aggregates(means: Any) -> None:
    """An aggregate may be made of aggregates; its members are their jobs, with members again."""

    @means.pre(lambda every: all(session.isfile("mean.txt") for session in every.members))
    @means.post.isfile("all.txt")
    @means.operation(on=All)
    def join(every: Any) -> None:
        texts = [Path(session.fn("mean.txt")).read_text() for session in every.members]
        counts = [len(session.members) for session in every.members]
        Path(every.fn("all.txt")).write_text(f"{texts} {counts}")

    project = means()
    project.run()
    assert {"": "['0 1 2', '0 1'] [3, 2]"} == made(project, "all.txt", All)
    (every,) = project[All]
    assert ["a", "b"] == [session.session for session in every.members]


# The same in a Project with records.


class Recording(pt.Record):
    """One recording."""

    session: str = pt.key()
    index: int = pt.key()


class Block(pt.Aggregate[Recording], order_by="-index"):
    """The recordings of one session."""

    session: str = pt.key()


@pytest.fixture
def Lab(tmp_path: Path) -> Any:
    """Give a Project class of recordings and blocks."""

    class Lab(pt.Project):
        records = (Recording, Block)

    lab = Lab(tmp_path)
    lab.add_product(Recording, session=["a", "b"], index=range(2))
    return Lab


def test_on_in_a_project(Lab: Any, tmp_path: Path) -> None:
    """In a Project operations work on the jobs of a Record class and of an aggregate."""

    @Lab.post.isfile("one.txt")
    @Lab.operation(on=Recording)
    def one(recording: Any) -> None:
        Path(recording.fn("one.txt")).write_text(str(recording.sp.index))

    @Lab.pre(lambda block: all(member.isfile("one.txt") for member in block.members))
    @Lab.post.isfile("all.txt")
    @Lab.operation(on=Block)
    def join(block: Any) -> None:
        texts = [Path(job.fn("one.txt")).read_text() for job in block.members]
        Path(block.fn("all.txt")).write_text(" ".join(texts))

    @Lab.pre.after(join)
    @Lab.post.isfile("loud.txt")
    @Lab.operation(on=Block, cmd=True)
    def loud(block: Any) -> str:
        return f"tr ' ' '!' < {block.fn('all.txt')} > {block.fn('loud.txt')}"

    lab = Lab(tmp_path)
    lab.run()
    assert {"a": "1!0", "b": "1!0"} == made(lab, "loud.txt", Block)
    lab.add(Recording, session="c", index=4)
    lab.run(np=2)
    assert {"a": "1!0", "b": "1!0", "c": "4"} == made(lab, "loud.txt", Block)


def test_on_what_is_not_among_the_records(Lab: Any, tmp_path: Path) -> None:
    """An operation on a class that the Project has not is an error that says what to write."""

    @Lab.operation(on=Pair)
    def wrong(pair: Any) -> None:
        pass

    with pytest.raises(DeclarationError) as caught:
        Lab(tmp_path)
    assert (
        "Lab has an operation on=Pair, which is not among its records. Write: records = (…, Pair)."
    ) == str(caught.value)


# What is imported.


@pytest.mark.parametrize(
    "name",
    [
        *("aggregator", "get_aggregate_id", "IgnoreConditions"),
        *("label", "classlabel", "staticlabel"),
    ],
)
def test_names_of_flow(name: str) -> None:
    """What `flow` gives beside FlowProject, `pointillist` gives too: the same objects."""
    assert getattr(flow, name) is getattr(pt, name)


def loaded(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has after some code."""
    show = "\nimport sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code + show], text=True).split())


def test_importing_pointillist() -> None:
    """`import pointillist` loads nothing else of ours, nor anything of weight."""
    modules = loaded("import pointillist")
    assert {"pointillist"} == {name for name in modules if name.split(".")[0] == "pointillist"}
    assert set() == {"flow", "signac", "numpy", "rich", "pandas", "jinja2"} & modules


def test_importing_flowproject() -> None:
    """FlowProject and a project without `on=` load the room flow, and of others very little."""
    modules = loaded("from pointillist import FlowProject")
    ours = {name.partition(".")[2] for name in modules if name.startswith("pointillist.")}
    assert {
        *("errors", "flow", "commands", "commands.trees", "run", "run.interruption"),
        *("space", "space.garbage"),
    } == {name for name in ours if not name.startswith("flow.")}
    assert {
        *("flowproject", "mended", "declaring", "registers", "conditions", "groups", "stores"),
        *("shelves", "executions", "passes", "selection", "submission", "workers"),
    } == {name.split(".")[2] for name in modules if name.startswith("pointillist.flow.")}
    assert set() == {"rich", "pandas", "matplotlib", "h5py"} & modules


def test_members_stay_while_a_document_is_cleared(Project: Any) -> None:
    """What an operation does to an aggregate's document takes no member from the next one."""
    seen = []

    @Project.operation(on=Session)
    def clear(session: Any) -> None:
        session.doc.clear()
        seen.append(len(session.members))

    @Project.operation(on=Session)
    def count(session: Any) -> None:
        seen.append(len(session.members))

    Project().run(order=lambda operation: operation.name)
    assert [2, 2, 3, 3] == sorted(seen)


def test_filter_on_a_fresh_project(means: Any, main: Main) -> None:
    """The first run with a filter makes the aggregates that it selects."""
    assert 0 == main(means, "run", "-f", "session", "b")
    assert {"b": "0 1"} == made(means(), "mean.txt")


def test_an_abbreviation_of_several(Project: Any, main: Main, capsys: Capture) -> None:
    """The beginning of an id that a job and an aggregate share selects neither, and says so."""

    class Index(pt.Aggregate[Job]):
        index: int = pt.key()

    @Project.operation(on=Index)
    def show(job: Any) -> None:
        pass

    for index in range(30):
        signac.get_project().open_job({"session": "c", "index": index}).init()
    project = Project()
    project._reregister_aggregates()
    starts = {job.id[0] for job in project} & {record.id[0] for record in project[Index]}
    start = sorted(starts)[0]
    with pytest.raises(SeveralRecords, match=f"job ids begin with '{start}'"):
        project._get_aggregate_from_id(start)
    assert 1 == main(Project, "run", "-j", start)
    assert "Error: " in capsys.readouterr().err


def test_a_document_that_cannot_be_read(means: Any, capsys: Capture) -> None:
    """One aggregate whose document is broken is left out, and named; the others go on."""
    means().run()
    project = means()
    broken = project[Session].get(session="a")
    Path(broken.job.fn("signac_job_document.json")).write_text("{")
    for record in project[Session]:
        (record.folder / "mean.txt").unlink()
    means().run()
    assert {"b": "0 1"} == made(means(), "mean.txt")
    assert f"left out: Session {broken.id[:8]}…: the document" in capsys.readouterr().err
