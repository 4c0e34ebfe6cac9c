"""Changing the data space: what is added, found, followed and moved, alone or at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import signac

from pointillist.errors import (
    CorruptRecord,
    DeclarationError,
    RecordError,
    RecordNotFound,
    SpaceError,
)
from pointillist.model.fields import key, seed
from pointillist.model.records import Aggregate, Record
from pointillist.space import changes, writing
from pointillist.space.claims import take
from pointillist.space.fingerprints import Fingerprint
from pointillist.space.journals import Journal
from pointillist.space.layout import Layout
from pointillist.space.membership import digest
from pointillist.space.memory import Attempts

Make = Callable[..., Any]
Race = Callable[..., list[Any]]


class Recording(Record, table="recordings.csv"):
    """One recording; a table says more about it."""

    session: str = key()
    index: int = key()
    raw: Path = seed("recordings/{session}/rec_{index}.bin")

    @property
    def parity(self) -> str:
        """Say whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"

    @property
    def subject(self) -> str:
        """Say whose recording it is, by the table."""
        return str(self.document.get("subject", "unknown"))


class Block(Aggregate[Recording], order_by="index"):
    """The recordings of one session and parity."""

    session: str = key()
    parity: str = key()


class Session(Aggregate[Block]):
    """The blocks of one session."""

    session: str = key()


class Subject(Aggregate[Recording]):
    """The recordings of one subject."""

    subject: str = key()


class Stimulus(Record):
    """A further record class, without seeds."""

    name: str = key()


ROWS = "session,subject\na,m1\nb,m2\n"


@pytest.fixture
def here(lab: Make, tmp_path: Path) -> Any:
    """Make a data space of two sessions that nobody has discovered yet."""
    (tmp_path / "recordings.csv").write_text(ROWS)
    made = lab(Recording, Block, Session, Subject, Stimulus)
    made.write(*(f"recordings/{s}/rec_{i}.bin" for s in "ab" for i in range(4)))
    return made


def members(here: Any, cls: Any) -> dict[str, list[str]]:
    """Return the labels of the members of every aggregate of a class."""
    return {
        record.label: [member.label.partition(" ")[2] for member in here.space.members(record)]
        for record in here.space.records(cls).values()
    }


def test_discover(here: Any) -> None:
    """Files become jobs, rows become metadata, and aggregates of aggregates follow."""
    report = here.discover()
    assert ({"Recording": 8}, {"Recording": []}, {"Recording": []}) == (
        report.found,
        report.gone,
        report.unmatched,
    )
    assert "Recording session=a index=0" == report.added["Recording"][0]
    assert {"Block": (4, 4, 0), "Session": (2, 2, 0), "Subject": (2, 2, 0)} == report.aggregates
    assert [] == here.space.problems
    assert {
        "Block session=a parity=even": ["session=a index=0", "session=a index=2"],
        "Block session=a parity=odd": ["session=a index=1", "session=a index=3"],
        "Block session=b parity=even": ["session=b index=0", "session=b index=2"],
        "Block session=b parity=odd": ["session=b index=1", "session=b index=3"],
    } == members(here, Block)
    assert ["session=a parity=even", "session=a parity=odd"] == members(here, Session)[
        "Session session=a"
    ]
    assert 4 == len(members(here, Subject)["Subject subject=m2"])
    block = here.space.by_keys(Block)["a", "odd"]
    document = here.space.document(Block, block.id)
    assert digest(document["members"]) == document["members_digest"]


def test_discovering_again_changes_nothing(here: Any, tmp_path: Path, tree: Make) -> None:
    """Without news nothing is written but a claim that comes and goes."""
    here.discover()
    before = tree(tmp_path)
    report = here.discover()
    assert ({"Recording": 8}, {"Recording": []}) == (report.found, report.added)
    assert {"Block": (4, 0, 0), "Session": (2, 0, 0), "Subject": (2, 0, 0)} == report.aggregates
    after = tree(tmp_path)
    journal = str(here.journal.path.relative_to(tmp_path))
    assert set(before) == set(after)
    assert {".pointillist"} == {
        name for name in before if before[name] != after[name] and name != journal
    }
    assert {} == here.again().sync()


def test_a_new_and_a_vanished_file(here: Any, tmp_path: Path) -> None:
    """A renamed file is one gone, with its job, and one new; the record of the one gone stays."""
    here.discover()
    gone = here.space.by_keys(Recording)["a", 3]
    folder = tmp_path / "recordings/a"
    (folder / "rec_3.bin").rename(folder / "rec_4.bin")
    report = here.discover()
    assert (
        {"Recording": 8},
        {"Recording": ["Recording session=a index=4"]},
        {"Recording": [f"Recording session=a index=3  (job {gone.id[:8]})"]},
    ) == (report.found, report.added, report.gone)
    assert {"Block": (4, 0, 1), "Session": (2, 0, 0), "Subject": (2, 0, 1)} == report.aggregates
    assert 9 == len(here.space.records(Recording))


@pytest.mark.parametrize("is_file", [False, True])
def test_a_named_root_that_is_missing(
    lab: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_file: bool
) -> None:
    """What lies under a root that is not mounted is not gone: the error says which root."""

    class Clip(Record):
        name: str = key()
        video: Path = seed("{name}.avi", root="nas")

    nas = tmp_path / "nas"
    monkeypatch.setenv("POINTILLIST_ROOT_NAS", str(nas))
    here = lab(Clip)
    here.write("nas/a.avi")
    assert ["Clip name=a"] == here.discover().added["Clip"]
    nas.rename(tmp_path / "elsewhere")
    if is_file:
        nas.write_text("no folder")
    with pytest.raises(SpaceError) as error:
        here.again().discover()
    assert (
        f"Clip.video: the root 'nas' is not there: {nas}. Mount it, or say where it lies: see "
        "[roots] in .pointillist/config.toml."
    ) == str(error.value)
    assert ["Clip name=a"] == here.again().labels(Clip)


def test_a_record_that_belongs_nowhere_is_a_problem(lab: Make, tmp_path: Path) -> None:
    """A record that lacks a row is in no aggregate and is told; the others are, and it may join."""

    class Trial(Record, table="trials.csv"):
        session: str = key()

        @property
        def subject(self) -> str:
            return str(self.document["subject"])

    class Animal(Aggregate[Trial]):
        subject: str = key()

    project = signac.init_project(str(tmp_path))
    for session in "ab":
        project.open_job({"session": session}).init()
    (tmp_path / "trials.csv").write_text("session,subject\na,m1\n")
    here = lab(Trial, Animal)
    assert {"Animal": (1, 1, 0)} == here.discover().aggregates
    later = here.again()
    assert {} == later.sync()
    for seen in (here, later):
        assert ["Trial session=b"] == [problem.record for problem in seen.space.problems]
        assert "in no Animal: its property subject" in str(seen.space.problems[0])
        assert "or a row in trials.csv." in str(seen.space.problems[0])
    assert {"Animal subject=m1": ["session=a"]} == members(later, Animal)
    project.open_job({"session": "b"}).document["subject"] = "m1"
    del project.open_job({"session": "a"}).document["subject"]
    last = here.again()
    assert {"Animal": (1, 0, 1)} == last.sync()
    assert {"Animal subject=m1": ["session=b"]} == members(last, Animal)
    assert ["Trial session=a"] == [problem.record for problem in last.space.problems]


def test_a_table_that_contradicts_itself(here: Any, tmp_path: Path) -> None:
    """Discovering stops at two rows that differ, and no document has either of them."""
    (tmp_path / "recordings.csv").write_text(ROWS + "a,m9\n")
    with pytest.raises(SpaceError, match=r"two rows for session=a that differ in subject: 'm1'"):
        here.discover()
    documents = [job.document() for job in signac.get_project(tmp_path)]
    assert [{}] * 8 == documents


def test_an_aggregate_keeps_its_folder(here: Any) -> None:
    """A member more changes the members and their digest, not the job and what lies in it."""
    here.discover()
    block = here.space.by_keys(Block)["a", "even"]
    folder = here.space.job_folder(block)
    folder.output("joined.bin").write_text("x")
    old = dict(here.space.document(Block, block.id))
    here.write("recordings/a/rec_4.bin")
    here.discover()
    assert block.id == here.space.by_keys(Block)["a", "even"].id
    assert "x" == folder.output("joined.bin").read_text()
    new = here.space.document(Block, block.id)
    assert (old["members"], 3) == (new["members"][:2], len(new["members"]))
    assert old["members_digest"] != new["members_digest"] == digest(new["members"])


def test_an_aggregate_without_members_is_kept(here: Any) -> None:
    """When its last member goes, an aggregate has none, and its own aggregate loses it."""
    here.discover()
    project = signac.get_project(here.root)
    for index in (1, 3):
        project.open_job({"session": "a", "index": index}).remove()
    assert {"Block": (4, 0, 1), "Session": (2, 0, 1), "Subject": (2, 0, 1)} == here.again().sync()
    later = here.again()
    assert [] == members(later, Block)["Block session=a parity=odd"]
    assert ["session=a parity=even"] == members(later, Session)["Session session=a"]
    assert {} == later.sync()


def test_sync_follows_what_others_did(here: Any) -> None:
    """Jobs that plain signac added get their aggregates; those it removed leave theirs."""
    here.discover()
    project = signac.get_project(here.root)
    project.open_job({"session": "c", "index": 0}).init()
    later = here.again()
    assert {"Block": (5, 1, 0), "Session": (3, 1, 0), "Subject": (3, 1, 0)} == later.sync()
    assert ["session=c index=0"] == members(later, Block)["Block session=c parity=even"]


def test_metadata_and_rows_that_fit_nothing(here: Any, tmp_path: Path) -> None:
    """A row that changed changes the documents; one that fits no record is named."""
    here.discover()
    (tmp_path / "recordings.csv").write_text(ROWS.replace("m2", "m3") + "z,m4\n")
    report = here.discover()
    assert {"Recording": ["session=z"]} == report.unmatched
    assert ["Subject subject=m1", "Subject subject=m2", "Subject subject=m3"] == list(
        members(here, Subject)
    )
    assert [] == members(here, Subject)["Subject subject=m2"]
    job = signac.get_project(tmp_path).open_job({"session": "b", "index": 0})
    assert {"subject": "m3"} == job.document()


def test_a_table_that_is_missing(here: Any, tmp_path: Path) -> None:
    """A class that names a table needs it; what was found before it is kept."""
    (tmp_path / "recordings.csv").unlink()
    with pytest.raises(SpaceError, match=r"the table .*recordings.csv is not there"):
        here.discover()
    (tmp_path / "recordings.csv").write_text(ROWS)
    assert {"Block": (4, 4, 0), "Session": (2, 2, 0), "Subject": (2, 2, 0)} == (
        here.discover().aggregates
    )


def test_add(here: Any) -> None:
    """A record is added once, with its aggregates; adding it again gives the same."""
    record = here.add(Recording, session="x", index=7)
    again = here.again().add(Recording, index=7, session="x")
    assert (record.id, {"session": "x", "index": 7}) == (again.id, again._keys)
    assert ["Block session=x parity=odd"] == here.labels(Block)
    assert "Stimulus name=tone" == here.add(Stimulus, name="tone").label
    assert "7" == str(signac.get_project(here.root).open_job(id=record.id).statepoint["index"])


def test_what_cannot_be_added(here: Any) -> None:
    """Aggregates follow their members; keys must be all there and of their types."""
    with pytest.raises(
        RecordError, match=r"Block is an aggregate: it follows its members. Add a R"
    ):
        here.add(Block, session="a", parity="odd")
    with pytest.raises(RecordNotFound, match=r"Recording needs index"):
        here.add(Recording, session="a")
    with pytest.raises(DeclarationError, match=r"Recording.index"):
        here.add(Recording, session="a", index="1")
    assert not (here.root / "workspace").exists()


@pytest.mark.parametrize("content", [b"", b'{"session"', None])
def test_a_corrupt_record_does_not_stop_the_others(here: Any, content: bytes | None) -> None:
    """A corrupt job is one problem; all else is discovered, and the job is left as it is."""
    here.discover()
    bad = here.space.by_keys(Recording)["a", 0]
    folder = here.space.job_folder(bad)
    folder.output("result.txt").write_text("old")
    folder.statepoint.unlink()
    if content is not None:
        folder.statepoint.write_bytes(content)
    here.write("recordings/c/rec_0.bin")
    later = here.again()
    report = later.discover()
    assert ["Recording session=c index=0"] == report.added["Recording"]
    assert [f"Recording {bad.id}"] == [problem.record for problem in later.space.problems]
    assert ["session=a index=2"] == members(later, Block)["Block session=a parity=even"]
    assert content == (folder.statepoint.read_bytes() if content is not None else None)
    assert "old" == folder.output("result.txt").read_text()
    with pytest.raises(CorruptRecord, match=r"the state point .* cannot be read"):
        later.add(Recording, session="a", index=0)


def test_an_empty_jobs_folder_is_filled(here: Any) -> None:
    """A folder in which a killed process never wrote its state point becomes the job."""
    record = here.add(Recording, session="a", index=0)
    here.space.job_folder(record).statepoint.unlink()
    later = here.again()
    assert record.id == later.add(Recording, session="a", index=0).id
    assert [] == later.again().space.problems


def test_a_corrupt_document_of_an_aggregate(here: Any) -> None:
    """An aggregate whose document cannot be read is a problem; the others follow."""
    here.discover()
    bad = here.space.by_keys(Block)["a", "even"]
    here.space.job_folder(bad).document.write_text("{")
    here.write("recordings/b/rec_4.bin")
    later = here.again()
    report = later.discover()
    assert ((4, 0, 1), (2, 0, 0)) == (report.aggregates["Block"], report.aggregates["Session"])
    assert {f"Block {bad.id}"} == {problem.record for problem in later.space.problems}
    assert "{" == here.space.job_folder(bad).document.read_text()


def test_a_corrupt_document_of_a_member(here: Any) -> None:
    """Where a member's place cannot be known, the aggregates are left as they are."""
    here.discover()
    bad = here.space.by_keys(Recording)["a", 0]
    here.space.job_folder(bad).document.write_text("{")
    here.write("recordings/b/rec_4.bin")
    later = here.again()
    report = later.discover()
    assert ((2, 0, 0), (4, 0, 1)) == (report.aggregates["Subject"], report.aggregates["Block"])
    assert {f"Recording {bad.id}"} == {problem.record for problem in later.space.problems}
    job = signac.get_project(here.root / "aggregates/Subject").find_jobs({"subject": "m1"})
    assert 4 == len(next(iter(job)).document["members"])


# moving a record


def history(here: Any) -> dict[tuple[str, str], Any]:
    """Return the last good attempts by operation and job."""
    return Attempts().refresh(here.space.layout).last_good


def test_rekey_moves_results_and_history(here: Any, attempt: Make) -> None:
    """The job moves with its files, and what was recorded of it and with it moves along."""
    here.discover()
    record = here.space.by_keys(Recording)["a", 3]
    block = here.space.by_keys(Block)["a", "odd"]
    twin = here.space.document(Block, block.id)["members"][0]
    here.space.job_folder(record).output("size.txt").write_text("22")
    log = f"workspace/{record.id}/.pointillist/logs/size.1.log"
    earlier = Journal(here.space.layout, "serial")
    seen = {f"{record.id}/raw": Fingerprint(1, 2)}
    earlier.append(attempt(operation="Recording.size", job=record.id, inputs=seen, log=log))
    earlier.append(attempt(operation="Recording.size", job=twin, inputs={f"{twin}/raw": None}))
    earlier.append(
        attempt(job=block.id, inputs={**seen, f"{twin}/raw": None}, members=[twin, record.id])
    )
    size = len(earlier.path.read_bytes())
    moved = here.rekey(record, index=5)
    assert ("Recording session=a index=5", "22") == (
        moved.label,
        here.space.job_folder(moved).output("size.txt").read_text(),
    )
    assert not here.space.job_folder(record).path.exists()
    assert ["session=a index=1", "session=a index=5"] == members(here, Block)[block.label]
    known = history(here)
    own, joined = known["Recording.size", moved.id], known["Block.stats", block.id]
    assert (
        {f"{moved.id}/raw": Fingerprint(1, 2)},
        f"workspace/{moved.id}/.pointillist/logs/size.1.log",
        ("complete", 1, 1.0),
    ) == (own.inputs, own.log, (own.outcome, own.number, own.start))
    assert ({f"{moved.id}/raw": Fingerprint(1, 2), f"{twin}/raw": None}, [twin, moved.id]) == (
        joined.inputs,
        joined.members,
    )
    assert here.journal.runner == joined.runner
    assert "test" != known["Recording.size", twin].runner == earlier.runner
    assert size == len(earlier.path.read_bytes())


def test_what_is_rekeyed_counts_whatever_the_journals_are_called(
    here: Any, attempt: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long-lived process, whose journal is read first, may rekey what a later one recorded."""
    monkeypatch.setattr("pointillist.space.journals.runner_name", lambda: "1-early")
    here.discover()
    monkeypatch.setattr("pointillist.space.journals.runner_name", lambda: "2-late")
    record = here.space.by_keys(Recording)["a", 3]
    block = here.space.by_keys(Block)["a", "odd"]
    Journal(here.space.layout, "x").append(attempt(job=block.id, members=[record.id]))
    moved = here.rekey(record, index=5)
    assert [moved.id] == history(here)["Block.stats", block.id].members


def test_rekey_into_another_aggregate(here: Any) -> None:
    """A record whose new keys belong elsewhere leaves one aggregate and joins another."""
    here.discover()
    here.rekey(here.space.by_keys(Recording)["a", 3], index=8)
    assert ["session=a index=1"] == members(here, Block)["Block session=a parity=odd"]
    assert ["session=a index=0", "session=a index=2", "session=a index=8"] == members(here, Block)[
        "Block session=a parity=even"
    ]


def test_rekey_keeps_what_is_no_key(lab: Make, tmp_path: Path) -> None:
    """The rest of an adopted job's state point, and its document, stay."""
    job = signac.init_project(str(tmp_path)).open_job({"session": "a", "index": 1, "rig": 4})
    job.init().document["note"] = "mine"
    (tmp_path / "recordings.csv").write_text(ROWS)
    here = lab(Recording)
    moved = here.rekey(here.space.by_keys(Recording)["a", 1], session="b")
    job = signac.get_project(tmp_path).open_job(id=moved.id)
    assert ({"session": "b", "index": 1, "rig": 4}, {"note": "mine"}) == (
        job.statepoint(),
        job.document(),
    )


def test_rekey_onto_what_discover_has_just_made(here: Any, tmp_path: Path) -> None:
    """The record of the renamed file, which has nothing yet, gives way."""
    here.discover()
    old = here.space.by_keys(Recording)["a", 3]
    here.space.job_folder(old).output("size.txt").write_text("22")
    folder = tmp_path / "recordings/a"
    (folder / "rec_3.bin").rename(folder / "rec_5.bin")
    here.discover()
    moved = here.rekey(old, index=5)
    assert "22" == here.space.job_folder(moved).output("size.txt").read_text()
    assert 8 == len(here.space.records(Recording))
    assert {"Recording": []} == here.discover().gone


def test_rekey_onto_a_record_with_data_of_its_own(here: Any, tree: Make) -> None:
    """Nothing is moved or removed where nothing was renamed, also without results."""
    here.discover()
    one, raw = here.space.by_keys(Recording)["a", 1], here.root / "recordings/a/rec_1.bin"
    before = tree(here.root / "workspace")
    with pytest.raises(RecordError) as error:
        here.rekey(one, index=3)
    assert (
        "Recording session=a index=1 cannot become Recording session=a index=3, which is there: "
        f"both have data of their own ({raw} was not renamed)."
    ) == str(error.value)
    assert "Recording session=a index=1" == error.value.record
    assert before == tree(here.root / "workspace")
    raw.unlink()
    assert "Recording session=a index=3" == here.rekey(one, index=3).label
    assert 7 == len(here.space.records(Recording))


def test_rekey_onto_a_record_with_results(here: Any, tree: Make) -> None:
    """Nothing is moved or removed where both have results."""
    here.discover()
    one, other = (here.space.by_keys(Recording)["a", index] for index in (1, 3))
    (here.root / "recordings/a/rec_1.bin").unlink()
    for record in (one, other):
        here.space.job_folder(record).output("size.txt").write_text(record.label)
    before = tree(here.root / "workspace")
    with pytest.raises(RecordError) as error:
        here.rekey(one, index=3)
    assert (
        "Recording session=a index=3 is there and has results (size.txt). Remove one of the two "
        "first."
    ) == str(error.value)
    assert before == tree(here.root / "workspace")


def test_rekey_of_what_is_running(here: Any) -> None:
    """A job is not moved under the feet of a living runner."""
    record = here.add(Recording, session="a", index=1)
    claim = take(here.space.job_folder(record), "size", [], Journal(here.space.layout, "serial"))
    assert claim is not None
    with pytest.raises(RecordError, match=r"index=1: size is running, by .*Rekey when it is done"):
        here.rekey(record, index=3)
    claim.release()
    assert "Recording session=a index=3" == here.rekey(record, index=3).label


def test_what_cannot_be_rekeyed(here: Any) -> None:
    """Aggregates, unknown keys, and records that are gone are errors; no change is none."""
    here.discover()
    record = here.space.by_keys(Recording)["a", 1]
    with pytest.raises(RecordError, match=r"is an aggregate: its keys come from its members"):
        here.rekey(here.space.by_keys(Block)["a", "odd"], parity="even")
    with pytest.raises(RecordNotFound, match=r"Recording has no key colour"):
        here.rekey(record, colour="red")
    assert record is here.rekey(record, index=1)
    here.rekey(record, index=11)
    with pytest.raises(RecordNotFound, match=r"Recording session=a index=1 is no longer there"):
        here.rekey(record, index=12)


# at once


def _discover_and_add(number: int, barrier: Any, here: Any) -> None:
    mine = here.again()
    barrier.wait()
    for index in range(3):
        mine.add(Recording, session="s", index=10 * number + index)
        mine.discover()


def test_processes_at_once_lose_nothing(here: Any, race: Race) -> None:
    """Three processes discover and add at once: all records are there, once, in all aggregates."""
    race(3, _discover_and_add, here)
    later = here.again()
    assert 17 == len(later.space.records(Recording))
    added = sorted(10 * number + index for number in range(3) for index in range(3))
    assert [f"session=s index={n}" for n in added if n % 2 == 0] == members(later, Block)[
        "Block session=s parity=even"
    ]
    assert 9 == len(members(later, Subject)["Subject subject=unknown"])
    assert ({}, []) == (later.sync(), later.space.problems)
    assert [] == list(here.space.layout.own.glob(".*claim*"))


def test_a_killed_change_holds_nobody_up(here: Any, python: Make) -> None:
    """Whoever is killed while it changes the data space leaves a claim that is taken over."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pointillist.space.claims import take\n"
        "from pointillist.space.journals import Journal\n"
        "from pointillist.space.layout import JobFolder, Layout\n"
        "layout = Layout(Path(sys.argv[1]))\n"
        "journal = Journal(layout, 'x')\n"
        "journal.open()\n"
        "print(take(JobFolder(layout.own), 'space', [], journal).generation, flush=True)\n"
        "sys.stdin.read()\n"
    )
    child: subprocess.Popen[str] = python(code, here.root)
    assert child.stdout is not None
    assert "1\n" == child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert 8 == here.discover().found["Recording"]
    assert [] == list(here.space.layout.own.glob(".*claim*"))


def test_a_change_by_another_that_does_not_end(
    here: Any, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After waiting long enough the error says who holds the data space, and what to do."""
    here.discover()
    other = Journal(layout, "x")
    folder = type(here.space.job_folder(here.space.by_keys(Recording)["a", 0]))(layout.own)
    assert take(folder, "space", [], other) is not None
    monkeypatch.setattr(writing, "_PATIENCE", 0.0)
    with pytest.raises(SpaceError) as error:
        here.add(Recording, session="x", index=1)
    assert (
        f"{layout.root} is being changed by {other.runner}. Wait until it is done; if it no longer "
        f"runs, remove {folder.claim('space', 1)}."
    ) == str(error.value)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize(
    ("closed", "what"),
    [
        (".", ".pointillist cannot be made: Permission denied. Make the project's folder writ"),
        ("workspace", "workspace cannot be written: Permission denied. Make the folder writable"),
    ],
)
def test_a_folder_that_may_not_be_written(
    open_folder: Path, python: Make, closed: str, what: str
) -> None:
    """What may not be written is named, and nothing is left half made."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pointillist import Record, key\n"
        "from pointillist.errors import SpaceError\n"
        "from pointillist.space import changes, dataspace, journals, layout\n"
        "class Stimulus(Record):\n"
        "    name: str = key()\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "root = Path(sys.argv[1])\n"
        "space = dataspace.DataSpace(root, (Stimulus,), None)\n"
        "journal = journals.Journal(layout.Layout(root), 'x')\n"
        "try: changes.add(space, journal, Stimulus, {'name': 'tone'})\n"
        "except SpaceError as error: print(error)\n"
    )
    signac.init_project(str(open_folder))
    (open_folder / "workspace").mkdir(exist_ok=True)
    for folder in (open_folder, open_folder / "workspace"):
        os.chown(folder, 65534, 65534)
        folder.chmod(0o755)
    (open_folder / closed).chmod(0o555)
    out, err = python(code, open_folder).communicate()
    assert what in out, err
    assert [] == list((open_folder / "workspace").iterdir())


# killed


WRITES = {"os.rename", "os.mkdir", "os.link", "os.remove", "os.rmdir", "os.truncate", "os.utime"}


def _killed_at(number: int, barrier: Any, act: Callable[[Any], None], here: Any, at: int) -> bool:
    """Do something in a process that kills itself before its `at`-th change of a file."""
    pid = os.fork()
    if pid == 0:
        done = 0

        def watch(event: str, arguments: Any) -> None:
            nonlocal done
            if event in WRITES or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)):
                done += 1
                if done > at:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        act(here.again())
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


def _discover(here: Any) -> None:
    here.discover()


def _rekey(here: Any) -> None:
    here.rekey(here.space.by_keys(Recording)["a", 1], index=3)


def _small(lab: Make, root: Path) -> Any:
    root.mkdir()
    made = type(lab())(root, (Recording, Block, Session))
    (root / "recordings.csv").write_text(ROWS)
    made.write("recordings/a/rec_0.bin", "recordings/a/rec_1.bin")
    return made


def _settled(here: Any) -> tuple[Any, ...]:
    """Return all that a data space holds, once every change has been made."""
    here.discover()
    later = here.again()
    held = [members(later, Block), members(later, Session), here.labels(Recording)]
    documents = [dict(later.space.document(Recording, r)) for r in later.space.records(Recording)]
    names = {path.name for path in here.root.rglob("*") if path.parent.name != "runs"}
    claims = [name for name in names if "claim" in name]
    fresh = [path for path in (here.root / "workspace").iterdir() if len(path.name) != 32]
    for folder in (here.root, here.root / "aggregates/Block", here.root / "aggregates/Session"):
        signac.get_project(folder).check()
    return held, documents, claims, fresh, later.space.problems, later.sync()


def test_discover_killed_at_every_change_of_a_file(lab: Make, tmp_path: Path, race: Race) -> None:
    """However far it got, the next discover comes to where an undisturbed one comes."""
    expected = _settled(_small(lab, tmp_path / "undisturbed"))
    at = 0
    while race(1, _killed_at, _discover, here := _small(lab, tmp_path / str(at)), at) == [True]:
        assert expected == _settled(here)
        at += 1
    assert expected == _settled(here)
    assert at > 20


def test_rekey_killed_at_every_change_of_a_file(
    lab: Make, tmp_path: Path, race: Race, attempt: Make
) -> None:
    """However far it got, doing it again comes to where an undisturbed one comes."""

    def prepared(name: str) -> Any:
        here = _small(lab, tmp_path / name)
        here.discover()
        record = here.space.by_keys(Recording)["a", 1]
        here.space.job_folder(record).output("size.txt").write_text("22")
        here.journal.append(attempt(operation="Recording.size", job=record.id))
        folder = here.root / "recordings/a"
        (folder / "rec_1.bin").rename(folder / "rec_3.bin")
        return here

    def settled(here: Any) -> tuple[Any, ...]:
        later = here.again()
        later.discover()
        if ("a", 1) in later.space.by_keys(Recording):
            _rekey(later)
        moved = later.space.by_keys(Recording)["a", 3]
        known = history(later)["Recording.size", moved.id]
        size = later.space.job_folder(moved).output("size.txt").read_text()
        return size, known.outcome, _settled(later)

    first = prepared("undisturbed")
    _rekey(first.again())
    expected = settled(first)
    at = 0
    while race(1, _killed_at, _rekey, here := prepared(str(at)), at) == [True]:
        assert expected == settled(here)
        at += 1
    assert expected == settled(here)
    assert at > 5


# Products.


def _product(here: Any, **values: Any) -> list[str]:
    """Add a product of recordings; return the labels of what is given back."""
    made = changes.add_product(here.space, here.journal, Recording, values)
    return [record.label.partition(" ")[2] for record in made]


def test_product_in_order(lab: Make) -> None:
    """Every combination is there once, in the order that was given, the last key fastest."""
    here = lab(Recording, Block)
    expected = [f"session={s} index={i}" for s in "ba" for i in (2, 0, 1)]
    assert expected == _product(here, session=["b", "a"], index=[2, 0, 1])
    assert sorted(expected) == [label.partition(" ")[2] for label in here.labels(Recording)]
    assert {"Block session=a parity=even", "Block session=b parity=odd"} < set(here.labels(Block))
    assert ["session=a index=0", "session=a index=2"] == members(here, Block)[
        "Block session=a parity=even"
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"session": "ab", "index": 3}, ["session=ab index=3"]),
        ({"session": "a", "index": range(2)}, ["session=a index=0", "session=a index=1"]),
        ({"session": (s for s in "ab"), "index": {4}}, ["session=a index=4", "session=b index=4"]),
        ({"index": [0, 1], "session": "a"}, ["session=a index=0", "session=a index=1"]),
        ({"session": ["a", "a"], "index": [1, 1]}, ["session=a index=1"]),
        ({"session": [], "index": 3}, []),
    ],
    ids=lambda value: "",
)
def test_values_of_a_product(lab: Make, values: dict[str, Any], expected: list[str]) -> None:
    """Text and numbers are one value; anything that can be gone through has many, each once."""
    here = lab(Recording)
    assert expected == _product(here, **values)
    assert len(expected) == len(here.again().space.records(Recording))


def test_product_of_an_array(lab: Make) -> None:
    """An array is gone through; its numbers are keys."""
    here = lab(Recording)
    expected = ["session=a index=0", "session=a index=1"]
    assert expected == _product(here, session="a", index=np.arange(2))


def test_product_keeps_what_is_there(here: Any, tmp_path: Path, tree: Make) -> None:
    """Records that are there are given back as they are; only the others are made."""
    here.discover()
    workspace = tmp_path / "workspace"
    before = tree(workspace)
    labels = _product(here, session="a", index=range(2, 6))
    assert [f"session=a index={i}" for i in range(2, 6)] == labels
    after = tree(workspace)
    assert before.items() <= after.items()
    assert 10 == len(here.again().space.records(Recording))
    assert ["session=a index=1", "session=a index=3", "session=a index=5"] == members(here, Block)[
        "Block session=a parity=odd"
    ]
    before = tree(tmp_path)
    assert labels == _product(here, session="a", index=range(2, 6))
    assert before == tree(tmp_path)


def test_product_in_one_change(lab: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records there are, the project's folder is claimed once."""
    claimed = 0

    def count(*arguments: Any) -> Any:
        nonlocal claimed
        claimed += 1
        return writing.alone(*arguments)

    monkeypatch.setattr(changes, "alone", count)
    here = lab(Recording, Block, Session)
    _product(here, session=["a", "b"], index=range(10))
    assert 1 == claimed
    assert [] == list(here.space.layout.own.glob(".*claim*"))


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({"session": "a"}, RecordNotFound, "Recording needs index"),
        ({"session": "a", "index": 1, "x": 2}, RecordNotFound, "Recording has no key x"),
        ({"session": "a", "index": [1, "2"]}, DeclarationError, "Recording.index is a key of"),
    ],
)
def test_product_that_cannot_be(
    lab: Make, values: dict[str, Any], error: type[Exception], said: str
) -> None:
    """A wrong key, also in the last combination, is an error, and nothing is made."""
    here = lab(Recording, Block)
    with pytest.raises(error, match=said):
        _product(here, **values)
    assert {} == here.again().space.records(Recording)


def test_product_of_aggregates(lab: Make) -> None:
    """Aggregates follow their members; they are not added."""
    here = lab(Recording, Block)
    with pytest.raises(RecordError, match="Block is an aggregate: it follows its members"):
        changes.add_product(here.space, here.journal, Block, {"session": "a", "parity": "odd"})


def _add_products(number: int, barrier: Any, here: Any) -> None:
    mine = here.again()
    barrier.wait()
    _product(mine, session=["a", "b"], index=range(number, number + 6))


def test_products_at_once(lab: Make, race: Race) -> None:
    """Processes that add products which overlap make each record once, in its aggregates."""
    here = lab(Recording, Block, Session)
    race(3, _add_products, here)
    later = here.again()
    assert 16 == len(later.space.records(Recording))
    assert {4} == {len(found) for found in members(later, Block).values()}
    assert ({}, []) == (later.sync(), later.space.problems)


# Foreseeing.


def _foreseen(here: Any) -> dict[str, list[str]]:
    """Return the members of all aggregates as they would be."""
    changes.foresee(here.space)
    return {label: ids for cls in (Block, Session) for label, ids in members(here, cls).items()}


def test_foresee_writes_nothing(here: Any, tmp_path: Path, tree: Make) -> None:
    """Aggregates are shown as `sync` would make them; nothing at all is written."""
    for session, index in (("a", 0), ("a", 1), ("b", 0)):
        statepoint = {"session": session, "index": index}
        signac.init_project(str(tmp_path)).open_job(statepoint).init()
    before = tree(tmp_path)
    foreseen = _foreseen(here)
    assert before == tree(tmp_path)
    assert ["session=a parity=even", "session=a parity=odd"] == foreseen["Session session=a"]
    assert ["session=a index=1"] == foreseen["Block session=a parity=odd"]
    here.sync()
    written = here.again()
    assert foreseen == {
        label: ids for cls in (Block, Session) for label, ids in members(written, cls).items()
    }
    assert {record.id for record in here.space.records(Block).values()} == {
        record.id for record in written.space.records(Block).values()
    }


def test_foresee_what_changes(here: Any, tmp_path: Path, tree: Make) -> None:
    """Members that came or went, and aggregates without any, are shown; documents stay."""
    here.discover()
    project = signac.get_project(str(tmp_path))
    project.open_job({"session": "c", "index": 0}).init()
    for index in (0, 2):
        project.open_job({"session": "b", "index": index}).remove()
    before = tree(tmp_path)
    foreseen = _foreseen(here)
    assert before == tree(tmp_path)
    assert ["session=c index=0"] == foreseen["Block session=c parity=even"]
    assert [] == foreseen["Block session=b parity=even"]
    assert ["session=b parity=odd"] == foreseen["Session session=b"]
    project.open_job({"session": "c", "index": 0}).remove()
    assert "Block session=c parity=even" not in _foreseen(here)


def test_foresee_tells_what_cannot_be_read(here: Any) -> None:
    """A document that cannot be read is told of; the other aggregates are shown."""
    here.discover()
    block = here.space.by_keys(Block)["a", "odd"]
    here.space.job_folder(block).document.write_text("{")
    changes.foresee(here.space)
    assert [f"Block {block.id}"] == [problem.record for problem in here.space.problems]
    assert ["session=b index=1", "session=b index=3"] == [
        member.label.partition(" ")[2]
        for member in here.space.members(here.space.by_keys(Block)["b", "odd"])
    ]
