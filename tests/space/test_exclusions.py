"""Excluding records: who counts as a member then, in every process and in every copy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import CorruptRecord, RecordNotFound
from pointillist.model.fields import key, seed
from pointillist.model.records import Aggregate, Record
from pointillist.space import changes
from pointillist.space.attempts import Exclusion
from pointillist.space.exclusions import exclude, include
from pointillist.space.identity import user
from pointillist.space.journals import Journal
from pointillist.space.memory import Attempts

Make = Callable[..., Any]
Race = Callable[..., list[Any]]


class Recording(Record):
    """One recording."""

    session: str = key()
    index: int = key()
    raw: Path = seed("recordings/{session}/rec_{index}.bin")

    @property
    def parity(self) -> str:
        """Say whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"

    @property
    def rank(self) -> Any:
        """What blocks are ordered by: of two types, where a document says so."""
        return self.document.get("rank", -self.index)


class Block(Aggregate[Recording], order_by="rank"):
    """The recordings of one session and parity, the last one first."""

    session: str = key()
    parity: str = key()


class Session(Aggregate[Block]):
    """The blocks of one session."""

    session: str = key()


@pytest.fixture
def here(lab: Make) -> Any:
    """Make a data space of two sessions of four recordings."""
    made = lab(Recording, Block, Session)
    made.write(*(f"recordings/{s}/rec_{i}.bin" for s in "ab" for i in range(4)))
    made.discover()
    return made


def recording(here: Any, session: str, index: int) -> Any:
    """Return one recording."""
    return here.space.by_keys(Recording)[session, index]


def block(here: Any, session: str = "a", parity: str = "even") -> Any:
    """Return one block."""
    return here.space.by_keys(Block)[session, parity]


def document(here: Any, record: Any) -> dict[str, Any]:
    """Return what a document says on disk."""
    found: dict[str, Any] = json.loads(here.space.job_folder(record).document.read_bytes())
    return found


def indices(records: list[Any]) -> list[int]:
    """Return the indices of recordings."""
    return [record.index for record in records]


def test_members_follow(here: Any) -> None:
    """The document's members are those that count; the others are named beside them, while any."""
    before = document(here, block(here))
    said = exclude(here.space, here.journal, [recording(here, "a", 0)], "60 Hz noise")
    assert [recording(here, "a", 0)] == said
    there = here.again()
    now = document(there, block(there))
    assert [recording(there, "a", 2).id] == now["members"]
    assert [recording(there, "a", 0).id] == now["members_excluded"]
    assert now["members_digest"] != before["members_digest"]
    there.space.attempts.refresh(there.space.layout)
    assert [2] == indices(block(there).members) and [0] == indices(block(there).excluded_members)
    assert 8 == len(there.space.records(Recording))

    assert said == include(there.space, there.journal, [recording(there, "a", 0)])
    assert before == document(here.again(), block(here.again()))


def test_who_when_and_why(here: Any) -> None:
    """What is told of an exclusion is who excluded the record, when and why."""
    start = time.time()
    exclude(here.space, here.journal, [recording(here, "a", 0)], "60 Hz noise")
    [told] = Attempts().refresh(here.space.layout).exclusions.values()
    assert ("60 Hz noise", user(), True) == (told.reason, told.user, told.excluded)
    assert start <= told.time <= time.time()


def test_nothing_twice(here: Any) -> None:
    """The same exclusion is said once; another reason is said; who is in is not included again."""
    some = [recording(here, "a", 0)]
    assert [] == include(here.space, here.journal, some)
    assert some == exclude(here.space, here.journal, some, "noise")
    assert [] == exclude(here.space, here.journal, some, "noise")
    assert some == exclude(here.space, here.journal, some, "no signal")
    assert some == include(here.space, here.journal, some)
    assert [] == include(here.space, here.journal, some)
    lines = here.journal.path.read_text().splitlines()
    assert 3 == sum('"exclusion"' in line for line in lines)


def test_who_is_not_there(here: Any) -> None:
    """A record that has gone cannot be excluded."""
    gone = recording(here, "a", 0)
    shutil.rmtree(here.space.job_folder(gone).path)
    with pytest.raises(RecordNotFound, match="Recording session=a index=0 is not there"):
        exclude(here.space, here.journal, [gone], "noise")


def test_all_members(here: Any) -> None:
    """An aggregate all of whose members are excluded is excluded with them, and no orphan."""
    for index, reason in ((0, "noise"), (2, "no signal")):
        exclude(here.space, here.journal, [recording(here, "a", index)], reason)
    there = here.again()
    there.space.attempts.refresh(there.space.layout)
    even = block(there)
    assert [] == even.members and [0, 2] == indices(even.excluded_members)
    told = there.space.exclusion(even)
    assert told is not None and "all its members are excluded: noise, no signal" == told.reason
    assert [] == there.space.orphans(Block)
    [session] = [s for s in there.space.records(Session).values() if s.session == "a"]
    assert [block(there, "a", "odd")] == session.members
    assert [even] == session.excluded_members

    include(there.space, there.journal, [recording(there, "a", 2)])
    assert there.space.exclusion(even) is None
    assert [even, block(there, "a", "odd")] == session.members


def test_an_aggregate_itself(here: Any) -> None:
    """An aggregate that is excluded keeps its members, and belongs to no aggregate above it."""
    exclude(here.space, here.journal, [block(here)], "of no use")
    [session] = [s for s in here.space.records(Session).values() if s.session == "a"]
    assert [2, 0] == indices(block(here).members)
    assert [block(here, "a", "odd")] == session.members
    exclude(here.space, here.journal, [block(here, "a", "odd")], "of no use")
    told = here.space.exclusion(session)
    assert told is not None and "all its members are excluded: of no use" == told.reason
    assert here.space.exclusion(recording(here, "a", 0)) is None


def test_what_is_wrong_with_an_excluded_record(here: Any) -> None:
    """A record that cannot be ordered stops everything, until it is excluded."""
    odd = recording(here, "a", 0)
    place = here.space.job_folder(odd).document
    place.write_text('{"rank": "first"}')
    there = here.again()
    with pytest.raises(TypeError, match="cannot be ordered by rank"):
        there.sync()
    exclude(there.space, there.journal, [odd], "no rank")
    assert {} == there.sync()
    assert [] == there.space.problems
    assert [odd] == block(there).excluded_members


def test_corrupt_document_of_an_excluded_record(lab: Make) -> None:
    """While nobody knows where an excluded record belongs, its aggregates stay as they are."""
    here = lab(Recording, Block, Session)
    here.write("recordings/a/rec_0.bin")
    here.discover()
    exclude(here.space, here.journal, [recording(here, "a", 0)], "noise")
    here.space.job_folder(recording(here, "a", 0)).document.write_text("{")
    there = here.again()
    there.sync()
    assert [CorruptRecord] == [type(problem) for problem in there.space.problems]
    assert [0] == indices(block(there).excluded_members)
    assert [] == there.space.orphans(Block)


def test_rekey_carries_it_on(here: Any) -> None:
    """A rekeyed record stays excluded; what is found under its old keys next is not."""
    old = recording(here, "a", 0)
    exclude(here.space, here.journal, [old], "noise")
    (here.root / "recordings/a/rec_0.bin").rename(here.root / "recordings/a/rec_8.bin")
    moved = here.rekey(old, index=8)
    there = here.again()
    there.space.attempts.refresh(there.space.layout)
    told = there.space.exclusion(moved)
    assert told is not None and "noise" == told.reason and user() == told.user
    assert [8] == indices(block(there).excluded_members)
    there.write("recordings/a/rec_0.bin")
    there.discover()
    assert [2, 0] == indices(block(there).members)


def _change(number: int, barrier: Any, copy: Any) -> None:
    exclude(copy.space, copy.journal, [recording(copy, "a", 1)], "no signal")
    include(copy.space, copy.journal, [recording(copy, "a", 0)])


def test_two_copies_merge(here: Any, race: Race, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Copying the journals of another copy is enough: the later word of both counts."""
    exclude(here.space, here.journal, [recording(here, "a", 0)], "noise")
    other = tmp_path_factory.mktemp("other") / "lab"
    shutil.copytree(here.root, other)
    race(1, _change, type(here)(other, here.classes))  # in a process of its own
    exclude(here.space, here.journal, [recording(here, "b", 0)], "noise")

    for journal in (other / ".pointillist/runs").iterdir():
        if journal.name != here.journal.path.name:  # which went on here
            shutil.copy(journal, here.root / ".pointillist/runs")
    there = here.again()
    there.space.attempts.refresh(there.space.layout)
    assert [3] == indices(block(there, "a", "odd").members)
    there.sync()
    found = [r.label for r in there.space.records(Recording).values() if there.space.exclusion(r)]
    assert ["Recording session=a index=1", "Recording session=b index=0"] == found
    assert [2, 0] == indices(block(there).members)
    assert [3] == indices(block(there, "a", "odd").members)
    assert [2] == indices(block(there, "b").members)


def test_before_the_documents_follow(here: Any) -> None:
    """What a journal says counts at once, also where a document still names the member."""
    told = Exclusion(recording(here, "a", 0).id, True, "noise", time.time(), "anna")
    here.journal.exclude(told)
    there = here.again()
    there.space.attempts.refresh(there.space.layout)
    assert [2] == indices(block(there).members)
    assert [0] == indices(block(there).excluded_members)
    assert {"Block": (4, 0, 1), "Session": (2, 0, 0)} == there.sync()
    assert {} == there.sync()


def test_foreseen(here: Any) -> None:
    """Aggregates that are only shown as they would be have no excluded members either."""
    exclude(here.space, here.journal, [recording(here, "a", 0)], "noise")
    here.write("recordings/a/rec_4.bin")
    there = here.again()
    changes.make(there.space, Recording, {"session": "a", "index": 4})
    changes.foresee(there.space)
    assert [4, 2] == indices(block(there).members)
    assert [0] == indices(block(there).excluded_members)


def _say(number: int, barrier: Any, here: Any) -> None:
    """Exclude one recording of a session and include another, at the same time as others."""
    there = here.again()
    there.journal = Journal(there.space.layout, "test")
    barrier.wait()
    for index in (number, number + 2):
        exclude(there.space, there.journal, [recording(there, "a", index)], "noise")
    include(there.space, there.journal, [recording(there, "a", number)])


def test_two_at_once(here: Any, race: Race) -> None:
    """Two processes that exclude and include at once: all is kept, the documents say so."""
    race(2, _say, here)
    there = here.again()
    there.space.attempts.refresh(there.space.layout)
    for parity, number in (("even", 0), ("odd", 1)):
        said = document(there, block(there, "a", parity))
        assert [recording(there, "a", number).id] == said["members"]
        assert [recording(there, "a", number + 2).id] == said["members_excluded"]
    assert {} == there.sync()


def _killed(number: int, work: Callable[[], object], total: Path) -> int:
    """Do something in a fork that dies before its file operation of a number; 0 counts them."""
    child = os.fork()
    if child == 0:
        done = 0
        for name in ("link", "replace", "rename", "unlink", "open", "write"):
            call = getattr(os, name)

            def counted(*args: Any, call: Any = call, **options: Any) -> Any:
                nonlocal done
                done += 1
                if done == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*args, **options)

            setattr(os, name, counted)
        work()
        total.write_text(str(done))
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_killed_at_any_instant(here: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Killed before any file operation, it was said or not; saying it again ends the same."""
    saved = tmp_path_factory.mktemp("saved") / "lab"
    shutil.copytree(here.root, saved, symlinks=True)
    total = saved.parent / "total"

    def work() -> None:
        there = here.again()
        exclude(there.space, there.journal, [recording(there, "a", 0)], "noise")

    assert 0 == _killed(0, work, total)
    points = int(total.read_text())
    assert 5 < points
    outcomes = set()
    for number in range(1, points + 1):
        shutil.rmtree(here.root)
        shutil.copytree(saved, here.root, symlinks=True)
        assert signal.SIGKILL == os.WTERMSIG(_killed(number, work, total)), number
        there = here.again()
        there.space.attempts.refresh(there.space.layout)
        said = there.space.exclusion(recording(there, "a", 0)) is not None
        outcomes.add(said)
        assert ([2] if said else [2, 0]) == indices(block(there).members), number
        work()
        now = document(there.again(), block(there.again()))
        assert [recording(there, "a", 0).id] == now["members_excluded"], number
        assert [recording(there, "a", 2).id] == now["members"], number
    assert {False, True} == outcomes
