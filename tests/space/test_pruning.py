"""Pruning: what is removed, what is not, and what stays when it is cut short."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import RecordError
from pointillist.model.fields import key, seed
from pointillist.model.records import Aggregate, Record
from pointillist.space.claims import take
from pointillist.space.exclusions import exclude
from pointillist.space.journals import Journal
from pointillist.space.pruning import foresee_prune, prune

Make = Callable[..., Any]


class Recording(Record):
    """One recording."""

    session: str = key()
    raw: Path = seed("recordings/{session}.bin")


class Block(Aggregate[Recording]):
    """The recordings of one session."""

    session: str = key()


class Whole(Aggregate[Block]):
    """One for each block."""

    session: str = key()


@pytest.fixture
def here(lab: Make) -> Any:
    """Make a data space of three sessions; the recordings of two are gone."""
    made = lab(Recording, Block, Whole)
    made.write(*(f"recordings/{s}.bin" for s in "abc"))
    made.discover()
    for record in list(made.space.records(Block).values()):
        made.space.job_folder(record).output("stats.json").write_text("{}")
        if record.session in "bc":
            [member] = made.space.members(record)
            shutil.rmtree(made.space.job_folder(member).path)
            (made.root / f"recordings/{record.session}.bin").unlink()
    return made.again()


def names(here: Any) -> list[str]:
    """Return what lies in the workspaces of the aggregates, hidden or not."""
    listed = here.root.glob("aggregates/*/workspace/*")
    return sorted(f"{p.parent.parent.name}/{p.name}" for p in listed)


def test_what_is_removed(here: Any, tree: Any) -> None:
    """Orphans of orphans go with them, all else stays; what is foreseen is what is removed."""
    before = tree(here.root)
    expected = ["Block session=b", "Block session=c", "Whole session=b", "Whole session=c"]
    foreseen = foresee_prune(here.space)
    assert before == tree(here.root)
    assert expected == [one.record.label for one in foreseen]
    assert [3, 3, 2, 2] == [one.entries for one in foreseen]
    done = prune(here.space, here.journal)
    assert expected == [one.record.label for one in done]
    there = here.again()
    assert ["Block session=a"] == there.labels(Block)
    assert ["Whole session=a"] == there.labels(Whole)
    assert ["Recording session=a"] == there.labels(Recording)
    assert 2 == len(names(there))
    kept = there.space.job_folder(there.space.by_keys(Block)["a",])
    assert kept.output("stats.json").exists()
    assert [] == prune(there.space, there.journal)


def test_only_what_was_shown(here: Any) -> None:
    """What was orphaned only after it was asked for stays."""
    shown = [one.record for one in foresee_prune(here.space) if one.record.session == "b"]
    done = prune(here.space, here.journal, shown)
    assert ["Block session=b", "Whole session=b"] == [one.record.label for one in done]
    assert ["Block session=a", "Block session=c"] == here.again().labels(Block)


def test_members_excluded(here: Any) -> None:
    """An aggregate whose members are all excluded is not removed."""
    exclude(here.space, here.journal, list(here.space.records(Recording).values()), "noise")
    prune(here.space, here.journal)
    assert ["Block session=a"] == here.again().labels(Block)


def test_members_back(here: Any) -> None:
    """An aggregate whose members have come back meanwhile is not removed."""
    here.write("recordings/b.bin")
    here.discover()
    assert ["c", "c"] == [one.record.session for one in prune(here.space, here.journal)]


def test_a_runner_is_there(here: Any) -> None:
    """An aggregate that a runner is at work on is kept, and it is said who is there."""
    other = Journal(here.space.layout, "test")
    folder = here.space.job_folder(here.space.by_keys(Block)["b",])
    claim = take(folder, "stats", [], other)
    assert claim is not None
    [kept] = [one for one in prune(here.space, here.journal) if one.refused]
    assert ("Block session=b", f"stats is running, by {other.runner}") == (
        kept.record.label,
        kept.refused,
    )
    assert ["Block session=a", "Block session=b"] == here.again().labels(Block)
    claim.release()
    assert ["Block session=b"] == [one.record.label for one in prune(here.space, here.journal)]


def test_not_certain(here: Any) -> None:
    """Nothing is removed while a record cannot be read, or the members' workspace is not there."""
    before = names(here)
    [record] = here.space.records(Recording).values()
    statepoint = here.space.job_folder(record).statepoint
    kept = statepoint.read_bytes()
    statepoint.write_text("{")
    for work in (foresee_prune, lambda space: prune(space, here.journal)):
        with pytest.raises(RecordError, match=r"not certain while .* cannot be read"):
            work(here.again().space)
    statepoint.write_bytes(kept)
    (here.root / "workspace").rename(here.root / "elsewhere")
    for work in (foresee_prune, lambda space: prune(space, here.journal)):
        with pytest.raises(RecordError, match=r"workspace is not there: .* Is a disk missing\?"):
            work(here.again().space)
    assert before == names(here)


@pytest.mark.parametrize("call", ["rename", "unlink", "rmdir"])
def test_killed(here: Any, call: str) -> None:
    """Who is killed on the way leaves whole jobs, or what the next one clears away."""
    child = os.fork()
    if child == 0:
        working = getattr(os, call)

        def last(*args: Any, **options: Any) -> None:
            if call != "unlink" or "stats.json" in str(args[0]):
                working(*args, **options)
                os.kill(os.getpid(), signal.SIGKILL)
            working(*args, **options)

        setattr(os, call, last)
        prune(here.space, here.journal)
        os._exit(0)
    assert signal.SIGKILL == os.WTERMSIG(os.waitpid(child, 0)[1])
    there = here.again()
    for cls in (Block, Whole):
        for record in there.space.records(cls).values():
            assert there.space.job_folder(record).document.exists()
    assert [] == there.space.problems
    prune(there.space, Journal(there.space.layout, "test"))
    assert 2 == len(names(there.again()))
