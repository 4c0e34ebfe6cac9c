"""What a filter selects: jobs that match, aggregates whose jobs all match, records that match."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.aggregates import get_aggregate_id
from signac.job import Job

import pointillist as pt
from pointillist.flow.selection import Filtered

Main = Callable[..., None]
Capture = pytest.CaptureFixture[str]


class Session(pt.Aggregate[Job], order_by="index"):
    """The jobs of one session."""

    session: str = pt.key()


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class with operations on jobs, on pairs, on all jobs and on sessions."""
    monkeypatch.chdir(tmp_path)
    for session in "ab":
        for index in range(2):
            signac.init_project().open_job({"session": session, "index": index}).init()

    class Project(pt.FlowProject):
        pass

    Project.operation(lambda job: None, name="one")
    pairs = flow.aggregator.groupby("session", sort_by="index")
    Project.operation(lambda *jobs: None, name="pair", aggregator=pairs)
    Project.operation(lambda *jobs: None, name="all", aggregator=flow.aggregator())
    Project.operation(lambda session: None, name="mean", on=Session)
    return Project


@pytest.fixture
def project(Project: Any) -> Any:
    """Give the project, its aggregates made."""
    made = Project()
    made.follow()
    made._reregister_aggregates()
    return made


@pytest.fixture
def main(Project: Any, monkeypatch: pytest.MonkeyPatch) -> Main:
    """Give the project's command line."""

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["project.py", *words])
        Project().main()

    return call


def of_session(project: Any, session: str) -> list[Any]:
    """Return the jobs of a session, in order."""
    return sorted(project.find_jobs({"session": session}), key=lambda job: int(job.sp.index))


def test_what_matches_whole(project: Any) -> None:
    """Jobs that match, their aggregate and their record are selected; what matches partly not."""
    jobs = of_session(project, "b")
    found = Filtered(project, {"session": "b"})
    record = project[Session].get(session="b").job
    assert {*[(job,) for job in jobs], tuple(jobs), (record,)} == set(found)
    assert 4 == len(found)
    assert 1 == found.partly
    assert tuple(jobs) in found and (jobs[0],) in found and (record,) in found
    assert tuple(project) not in found
    assert (of_session(project, "a")[0],) not in found


def test_everything(project: Any) -> None:
    """A filter that all match selects every aggregate; records only if it is on their keys."""
    found = Filtered(project, {"index": {"$gte": 0}})
    assert 4 + 2 + 1 == len(found)
    assert 0 == found.partly
    assert 4 + 2 + 1 + 2 == len(Filtered(project, {}))


def test_nothing(project: Any) -> None:
    """A filter that nothing matches selects nothing."""
    found = Filtered(project, {"session": "z"})
    assert ([], 0, 0) == (list(found), len(found), found.partly)


def test_the_class_of_records(project: Any) -> None:
    """Records are told from jobs by their class, which is in their state point."""
    found = Filtered(project, {"aggregate": "Session"})
    assert {record.id for record in project[Session]} == {get_aggregate_id(jobs) for jobs in found}


def test_documents(project: Any) -> None:
    """A filter looks into documents too, of jobs and of records."""
    of_session(project, "a")[0].doc.good = True
    project[Session].get(session="b").job.doc.good = True
    found = Filtered(project, {"doc.good": True})
    ids = {of_session(project, "a")[0].id, project[Session].get(session="b").id}
    assert ids == {get_aggregate_id(jobs) for jobs in found}
    assert 2 == found.partly


def test_equality(project: Any) -> None:
    """Two selections are equal if what they select is."""
    one, same = Filtered(project, {"session": "b"}), Filtered(project, {"session": {"$gt": "a"}})
    assert one == same and hash(one) == hash(same)
    assert one != Filtered(project, {"session": "a"})
    assert one != [*one]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("session b", "-f: 1 aggregate left out, as only some of its jobs match the filter."),
        ("index 0", "-f: 3 aggregates left out, as only some of their jobs match the filter."),
        ("session z", None),
    ],
)
def test_what_is_said(project: Any, main: Main, capsys: Capture, words: str, said: str) -> None:
    """How many aggregates match only partly is said in a line."""
    main("status", "--json", "-f", *words.split())
    lines = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert ([said] if said else []) == lines


def test_status_of_a_selection(project: Any, main: Main, capsys: Capture) -> None:
    """`status -f` shows what is selected, each once."""
    main("status", "--json", "-f", "session", "b")
    expected = {get_aggregate_id(jobs) for jobs in Filtered(project, {"session": "b"})}
    assert expected == set(json.loads(capsys.readouterr().out))


def test_records_that_are_gone(project: Any, Project: Any) -> None:
    """A folder beside the workspace that is no record of the class is not selected."""
    beside = signac.get_project(str(Path(project.path) / "aggregates" / "Session"))
    beside.open_job({"session": "b", "aggregate": "Another"}).init()
    project._reregister_aggregates()
    (found,) = Filtered(project, {"aggregate": {"$exists": True}, "session": "b"})
    assert project[Session].get(session="b").id == found[0].id
