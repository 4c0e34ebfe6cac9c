"""The jobs of one class as signac-flow sees them: a mapping from ids to single jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
import signac
from signac.job import Job

import pointillist as pt
from pointillist.errors import SeveralRecords
from pointillist.flow.shelves import RecordJob, RecordStore


class Point(pt.Record):
    """A record of the first class."""

    index: int = pt.key()

    @property
    def all(self) -> str:
        """One aggregate of all."""
        return "all"


class Stimulus(pt.Record):
    """A record of a further class."""

    name: str = pt.key()


class All(pt.Aggregate[Point]):
    """All points."""

    all: str = pt.key()


class Lab(pt.Project):
    """Three classes in three places."""

    records = (Point, Stimulus, All)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give a lab with two points, a stimulus and an aggregate."""
    made = Lab(tmp_path)
    made.add(Point, index=0)
    made.add(Point, index=1)
    made.add(Stimulus, name="tone")
    return made


def test_places(lab: Lab, tmp_path: Path) -> None:
    """The first class is the plain workspace; the others lie beside it, named in state points."""
    point, stimulus, everything = lab[Point].first(), lab[Stimulus].first(), lab[All].first()
    assert tmp_path / "workspace" / point.id == point.folder
    assert tmp_path / "records" / "Stimulus" / "workspace" / stimulus.id == stimulus.folder
    assert tmp_path / "aggregates" / "All" / "workspace" / everything.id == everything.folder
    assert {"index": 0} == dict(point.job.sp)
    assert {"record": "Stimulus", "name": "tone"} == dict(stimulus.job.sp)
    assert {"aggregate": "All", "all": "all"} == dict(everything.job.sp)
    for record in (point, stimulus, everything):
        assert record == lab.record_of(record.job)
        assert str(record.folder) == record.job.path


def test_job_knows_the_project(lab: Lab) -> None:
    """A job beside the workspace has what signac-flow asks of its project for a submission."""
    project = lab[All].first().job._project
    assert type(lab).__name__ == type(project).__name__
    assert type(lab).__module__ == type(project).__module__
    assert lab._environment is project._environment


def test_store(lab: Lab) -> None:
    """A store is a mapping; it sees what is added later; stores of one class are equal."""
    store = lab._store(Point)
    points = list(lab[Point])
    assert [p.id for p in points] == list(store) == list(store.keys())
    assert [(p.job,) for p in points] == list(store.values())
    assert [(p.id, (p.job,)) for p in points] == list(store.items())
    assert (points[0].job,) == store[points[0].id]
    assert points[0].id in store and lab[Stimulus].first().id not in store
    with pytest.raises(KeyError, match=r"Aggregate id 0000 could not be found\."):
        store["0000"]
    lab.add(Point, index=2)
    assert 3 == len(store)
    assert lab._store(Point) == store != lab._store(Stimulus)
    assert hash(lab._store(Point)) == hash(store)
    assert isinstance(store, RecordStore)


# Aggregates of plain jobs, in a project without records.


class Pair(pt.Aggregate[Job], order_by="-index"):
    """The jobs of a pair."""

    pair: str = pt.key(lambda job: f"pair {job.sp.index // 2}")


class Pairs(pt.Aggregate[Pair]):
    """All pairs."""


class Plain(pt.FlowProject):
    """Operations on aggregates of plain jobs."""


Plain.operation(lambda pair: None, name="pair", on=Pair)
Plain.operation(lambda pairs: None, name="pairs", on=Pairs)


@pytest.fixture
def plain(tmp_path: Path) -> Plain:
    """Give a project of four jobs, of whose aggregates nothing is made yet."""
    project = signac.init_project(str(tmp_path))
    for index in range(4):
        project.open_job({"index": index}).init()
    return Plain(str(tmp_path))


def test_job_before_its_folder(plain: Plain) -> None:
    """The job of an aggregate is whole before it has a folder: state point, members, project."""
    pair = plain[Pair].get(pair="pair 1").job
    assert RecordJob is type(pair)
    assert not Path(pair.path).exists()
    assert {"aggregate": "Pair", "pair": "pair 1"} == dict(pair.sp)
    assert [3, 2] == [job.sp.index for job in pair.members]
    assert ("Plain", Pair) == (type(pair._project).__name__, pair._project.record_class)
    (pairs,) = plain[Pairs]
    assert ["pair 0", "pair 1"] == [job.sp.pair for job in pairs.job.members]
    assert [1, 0] == [job.sp.index for job in pairs.job.members[0].members]
    assert not Path(pair.path).exists()


def test_find(plain: Plain) -> None:
    """A job of a record is found by its id, or by the beginning of it, if that is one record's."""
    records = [*plain[Pair], *plain[Pairs]]
    for record in records:
        assert record.id == plain.shelves.find(record.id).id
        assert [record] == plain.shelves.beginning_with(record.id[:12])
    assert plain.shelves.find("0" * 32) is None
    assert 3 == len(plain.shelves.beginning_with(""))
    with pytest.raises(SeveralRecords, match=r"3 job ids begin with '': .*Give more of it\."):
        plain.shelves.find("")


def test_matching(plain: Plain) -> None:
    """A filter finds the jobs of records that lie beside the workspace."""
    assert [] == list(plain.shelves.matching({"pair": "pair 1"}))
    plain.follow()
    (found,) = plain.shelves.matching({"pair": "pair 1"})
    assert [3, 2] == [job.sp.index for job in found.members]
    assert 3 == len(list(plain.shelves.matching({})))
    ours = {job.id for job in plain.find_matching({})}
    assert {*(job.id for job in plain), *(job.id for job in plain.shelves.matching({}))} == ours


def test_aggregate_without_members(plain: Plain) -> None:
    """An aggregate without members is not listed, and is found if it is asked for."""
    plain.follow()
    pair = plain[Pair].get(pair="pair 0")
    for job in pair.members:
        job.remove()
    plain._reregister_aggregates()
    store = plain._store(Pair)
    assert [plain[Pair].get(pair="pair 1").id] == store.keys() == list(store)
    assert 1 == len(store) == len(list(store.values()))
    assert pair.id in store
    assert [] == store[pair.id][0].members
    assert pair.id == plain.open_job(id=pair.id).id


def test_open_job(plain: Plain) -> None:
    """`open_job` gives jobs of the workspace as ever, and those of records by their ids."""
    job = plain.open_job({"index": 0})
    assert type(job) is type(plain.open_job(id=job.id)) is Job
    pair = plain[Pair].first()
    assert [1, 0] == [member.sp.index for member in plain.open_job(id=pair.id).members]
    assert pair.id == plain.open_job(id=pair.id[:10]).id
    with pytest.raises(KeyError):
        plain.open_job(id="f" * 32)
