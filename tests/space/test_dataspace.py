"""Records as they lie on disk: adopted workspaces, corrupt jobs, and what signac makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import signac
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import ConfigurationError, CorruptRecord, RecordError, SpaceError
from pointillist.model.fields import key, seed
from pointillist.model.records import Aggregate, Record
from pointillist.model.steps import shell
from pointillist.space.dataspace import DataSpace

Make = Callable[..., Any]


class Recording(Record):
    """One recording."""

    session: str = key()
    index: int = key()
    raw: Path = seed("recordings/{session}/rec_{index}.bin")
    video: Path = seed("{session}.avi", root="nas")
    size: str = shell("wc -c {raw}").to("size.txt")
    lines: str = shell("wc -l {raw}").unstored()


class Stimulus(Record):
    """A further record class."""

    name: str = key()


class Session(Aggregate[Recording]):
    """The recordings of one session."""

    session: str = key()


class Everything(Record):
    """A record with a key of every type."""

    text: str = key()
    count: int = key()
    dose: float = key()
    blind: bool = key()
    day: date = key()
    at: datetime = key()
    file: Path = key()


def adopt(root: Path, *statepoints: dict[str, Any]) -> list[Any]:
    """Make a signac project as its users have it, and return its jobs."""
    project = signac.init_project(str(root))
    jobs = [project.open_job(statepoint).init() for statepoint in statepoints]
    for job in jobs:
        job.document["note"] = "mine"
        (Path(job.path) / "result.txt").write_text("old")
    return jobs


def test_where_classes_lie(lab: Make, tmp_path: Path) -> None:
    """The first record class has the plain workspace, the others a signac project each."""
    space = lab(Session, Stimulus, Recording).space
    assert [
        tmp_path / "workspace",
        tmp_path / "records/Recording/workspace",
        tmp_path / "aggregates/Session/workspace",
    ] == [space.workspace(cls) for cls in (Stimulus, Recording, Session)]
    assert [{"name": "x"}, {"aggregate": "Session", "session": "a"}] == [
        space.statepoint(Stimulus, {"name": "x"}),
        space.statepoint(Session, {"session": "a"}),
    ]


def test_an_empty_project(lab: Make, tmp_path: Path) -> None:
    """Where nothing is, no records are, and looking makes nothing."""
    space = lab(Recording, Session).space
    assert ({}, {}, 0, []) == (
        space.records(Recording),
        space.by_keys(Session),
        space.foreign(Recording),
        space.problems,
    )
    assert [] == list(tmp_path.iterdir())


def test_an_adopted_workspace(lab: Make, tmp_path: Path, tree: Make) -> None:
    """Jobs with more than the keys are records, others are foreign, and no file changes."""
    jobs = adopt(
        tmp_path,
        {"session": "b", "index": 2, "rig": {"room": [1, None]}},
        {"session": "b", "index": 10},
        {"session": "a", "index": 1, "index2": 5},
        {"temperature": 3},
        {"session": "c"},
    )
    before = tree(tmp_path)
    space = lab(Recording, Session).space
    assert ["a 1", "b 2", "b 10"] == [
        f"{r._keys['session']} {r._keys['index']}" for r in space.records(Recording).values()
    ]
    assert [jobs[2].id, jobs[0].id, jobs[1].id] == list(space.records(Recording))
    assert 2 == space.foreign(Recording)
    assert [] == space.problems
    assert {"note": "mine"} == space.document(Recording, jobs[0].id)
    assert {} == space.records(Session)
    assert before == tree(tmp_path)


def test_what_is_no_job_is_passed_over(lab: Make, tmp_path: Path) -> None:
    """Folders and files in a workspace that are not named like jobs are nobody's problem."""
    adopt(tmp_path, {"session": "a", "index": 1})
    workspace = tmp_path / "workspace"
    (workspace / "all_my_recordings_of_last_summer").mkdir()
    (workspace / ".0123456789abcdef0123456789abcdef.new").mkdir()
    (workspace / "notes.txt").touch()
    space = lab(Recording).space
    assert (1, 0, []) == (len(space.records(Recording)), space.foreign(Recording), space.problems)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "Expecting value"),
        (b'{"session": "b", "ind', "Unterminated string"),
        (b'{"session": "b", "index": 3}', "it is not the state point of this job id"),
        (b"[1]", "it is not the state point of this job id"),
        (b"\xff\xfe\x00", "codec can't decode"),
        (None, "No such file or directory"),
        ("folder", "Is a directory"),
        ("no folder", "Not a directory"),
    ],
)
def test_a_corrupt_state_point(lab: Make, tmp_path: Path, content: Any, what: str) -> None:
    """Each corrupt job is one problem that names its file; the others are there."""
    good, bad = adopt(tmp_path, {"session": "a", "index": 1}, {"session": "b", "index": 2})
    path = Path(bad.path) / "signac_statepoint.json"
    path.unlink()
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "folder":
        path.mkdir()
    elif content == "no folder":
        Path(bad.path).rename(tmp_path / "away")
        Path(bad.path).touch()
    space = lab(Recording).space
    assert [good.id] == list(space.records(Recording))
    (problem,) = space.problems
    assert isinstance(problem, CorruptRecord)
    assert f"Recording {bad.id[:8]}…: the state point {path} cannot be read: " in str(problem)
    assert what in str(problem)
    assert f"Recording {bad.id}" == problem.record
    space.forget()
    assert [good.id] == list(space.records(Recording))
    assert [str(problem)] == [str(again) for again in space.problems]


def test_a_key_of_a_wrong_type(lab: Make, tmp_path: Path) -> None:
    """A job whose key is of another type is a problem that names key and file."""
    (job,) = adopt(tmp_path, {"session": "a", "index": "1"})
    space = lab(Recording).space
    assert {} == space.records(Recording)
    assert [
        f"Recording {job.id[:8]}…: the key index in {job.path}/signac_statepoint.json is no int: "
        "expected int, got str: '1'."
    ] == [str(problem) for problem in space.problems]


def test_jobs_with_the_same_keys(lab: Make, tmp_path: Path) -> None:
    """Of jobs that differ in something that is no key, one is the record and all are named."""
    jobs = adopt(tmp_path, *({"session": "a", "index": 1, "rig": n} for n in range(2)))
    space = lab(Recording).space
    (record,) = space.records(Recording).values()
    (problem,) = space.problems
    assert record.id in {job.id for job in jobs}
    assert all(job.id[:8] in str(problem) for job in jobs)
    assert "have the same keys; the second is left out. Declare the key" in str(problem)


@given(
    text=st.text(),
    count=st.integers(),
    dose=st.floats(allow_nan=False),
    blind=st.booleans(),
    day=st.dates(),
    at=st.datetimes(),
    file=st.text("ab/.", min_size=1).filter(lambda s: not s.startswith("/")),
)
def test_keys_of_every_type_come_back(
    tmp_path_factory: pytest.TempPathFactory, **values: Any
) -> None:
    """A record's keys are the same after they were a signac job's state point."""
    root = tmp_path_factory.mktemp("lab")
    space = DataSpace(root, (Everything,), None)  # type: ignore[arg-type]  # asks for no values
    record = Everything(**values)
    job = space.project_of(Everything).open_job(space.statepoint(Everything, record._keys)).init()
    (found,) = space.records(Everything).values()
    assert (record._keys, job.id, []) == (found._keys, found.id, space.problems)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_a_corrupt_document(lab: Make, tmp_path: Path, content: bytes) -> None:
    """A document that cannot be read is an error that names it; the record is there."""
    (job,) = adopt(tmp_path, {"session": "a", "index": 1})
    path = Path(job.path) / "signac_job_document.json"
    path.write_bytes(content)
    space = lab(Recording).space
    assert [job.id] == list(space.records(Recording))
    with pytest.raises(CorruptRecord, match=f"the document {path} cannot be read: ") as error:
        space.document(Recording, job.id)
    assert f"Recording {job.id}" == error.value.record


def test_a_document_is_read_when_it_changes(lab: Make, tmp_path: Path) -> None:
    """A document that another process changes is seen as it then is."""
    (job,) = adopt(tmp_path, {"session": "a", "index": 1})
    space = lab(Recording).space
    assert "mine" == space.document(Recording, job.id)["note"]
    job.document["note"] = "yours"
    assert "yours" == space.document(Recording, job.id)["note"]


def test_refresh_sees_new_jobs(lab: Make, tmp_path: Path) -> None:
    """Jobs that another process makes or removes are seen after `refresh`."""
    adopt(tmp_path, {"session": "a", "index": 1})
    space = lab(Recording).space
    assert 1 == len(space.records(Recording))
    (job,) = adopt(tmp_path, {"session": "a", "index": 2})
    space.refresh()
    assert 2 == len(space.records(Recording))
    job.remove()
    space.refresh()
    assert 1 == len(space.records(Recording))


def test_members_are_those_of_the_document(lab: Make, tmp_path: Path) -> None:
    """Members come in the document's order; what is no longer there is left out."""
    here = lab(Recording, Session)
    for index in range(3):
        here.add(Recording, session="a", index=index)
    (session,) = here.space.records(Session).values()
    ids = list(here.space.records(Recording))
    job = signac.get_project(tmp_path / "aggregates/Session").open_job(id=session.id)
    job.document["members"] = [ids[2], "f" * 32, ids[0]]
    here.space.forget()
    assert [2, 0] == [member._keys["index"] for member in here.space.members(session)]
    with pytest.raises(RecordError, match=r"Recording session=a index=0 is no aggregate"):
        here.space.members(here.space.records(Recording)[ids[0]])


def test_labels_by_id(lab: Make, tmp_path: Path) -> None:
    """A job id has the label of its record, of whichever class; another job has its id."""
    here = lab(Recording, Session)
    recording = here.add(Recording, session="a", index=1)
    (session,) = here.space.records(Session).values()
    (job,) = adopt(tmp_path, {"other": 1})
    expected = ["Recording session=a index=1", "Session session=a", job.id]
    assert expected == [here.space.label(id) for id in (recording.id, session.id, job.id)]


def test_other_classes_keep_to_themselves(lab: Make, tmp_path: Path) -> None:
    """A job of another class in a class's workspace is foreign."""
    adopt(
        tmp_path / "aggregates/Session",
        {"aggregate": "Session", "session": "a"},
        {"aggregate": "Block", "session": "b"},
        {"session": "c"},
    )
    space = lab(Recording, Session).space
    assert ["a"] == [record._keys["session"] for record in space.records(Session).values()]
    assert 2 == space.foreign(Session)


def test_a_workspace_that_cannot_be_read(lab: Make, tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "workspace").touch()
    with pytest.raises(SpaceError, match=f"{tmp_path}/workspace cannot be read: Not a directory"):
        lab(Recording).space.records(Recording)


def test_where_fields_lie(lab: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds lie under their roots, outputs in the job's folder, other fields nowhere."""
    here = lab(Recording)
    record = here.add(Recording, session="a", index=1)
    fields = Recording.__fields__
    assert tmp_path / "recordings/a/rec_1.bin" == here.space.path(record, fields["raw"])
    assert tmp_path / "workspace" / record.id / "size.txt" == here.space.path(
        record, fields["size"]
    )
    with pytest.raises(ConfigurationError, match=r"the root 'nas' has no place"):
        here.space.path(record, fields["video"])
    monkeypatch.setenv("POINTILLIST_ROOT_NAS", "/mnt/nas")
    assert Path("/mnt/nas/a.avi") == here.space.path(record, fields["video"])
    for name in ("session", "lines"):
        with pytest.raises(RecordError, match=f"Recording.{name} lies nowhere"):
            here.space.path(record, fields[name])


def test_signac_reads_what_we_make(lab: Make, tmp_path: Path, monkeypatch: Any) -> None:
    """Signac finds, opens, searches and checks our jobs, on either side."""
    here = lab(Recording, Session, Stimulus)
    for session, index in (("a", 0), ("a", 1), ("b", 0)):
        here.add(Recording, session=session, index=index)
    here.add(Stimulus, name="tone")
    monkeypatch.chdir(tmp_path)
    project = signac.get_project()
    assert str(tmp_path) == project.path
    assert 3 == len(project)
    assert [{"session": "b", "index": 0}] == [
        dict(job.statepoint) for job in project.find_jobs({"session": "b"})
    ]
    project.check()
    assert project.open_job({"session": "a", "index": 1}) in project
    sessions = signac.get_project(tmp_path / "aggregates/Session")
    sessions.check()
    job = next(iter(sessions.find_jobs({"session": "a"})))
    assert [project.open_job({"session": "a", "index": n}).id for n in (0, 1)] == job.document[
        "members"
    ]()
    stimuli = signac.get_project(tmp_path / "records/Stimulus")
    assert [{"record": "Stimulus", "name": "tone"}] == [dict(j.statepoint) for j in stimuli]
    for one in project:
        twin = signac.TemporaryProject()
        with twin as other:
            made = other.open_job(one.statepoint).init()
            name = "signac_statepoint.json"
            assert json.loads(Path(made.fn(name)).read_text()) == json.loads(
                Path(one.fn(name)).read_text()
            )
    assert {32} == {len(path.name) for path in (tmp_path / "workspace").iterdir()}


def test_a_state_point_is_read_once(
    lab: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After forgetting, jobs that come and go are seen, and only new state points are read."""
    old, kept = adopt(tmp_path, {"session": "a", "index": 1}, {"session": "a", "index": 2})
    space = lab(Recording).space
    read: list[str] = []
    keys_of = space.keys_of
    monkeypatch.setattr(space, "keys_of", lambda cls, id: read.append(id) or keys_of(cls, id))
    assert [old.id, kept.id] == list(space.records(Recording))
    old.remove()
    (new,) = adopt(tmp_path, {"session": "b", "index": 1})
    space.forget()
    assert [kept.id, new.id] == list(space.records(Recording))
    assert sorted([old.id, kept.id, new.id]) == sorted(read)
