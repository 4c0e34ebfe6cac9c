"""The jobs of one class as signac-flow sees them: a mapping from ids to single jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

import pointillist as pt
from pointillist.flow.shelves import RecordStore


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
