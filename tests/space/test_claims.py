"""Claims: one owner at a time, however many reach for it and whoever dies."""

from __future__ import annotations

import errno
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import SpaceError
from pointillist.space.claims import Claim, owner_of, take
from pointillist.space.identity import Identity
from pointillist.space.journals import Journal
from pointillist.space.layout import JobFolder, Layout, claims_in

Race = Callable[..., list[Any]]


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """Make a job's folder."""
    path = tmp_path / "job"
    path.mkdir()
    return JobFolder(path)


@pytest.fixture
def journal(layout: Layout) -> Journal:
    """Give this process's journal."""
    return Journal(layout, "test")


@pytest.fixture
def other(layout: Layout) -> Journal:
    """Give a second journal, as of another runner."""
    return Journal(layout, "test")


@pytest.fixture(params=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test twice: with hard links, and on a file system that has none."""
    if request.param == "no links":

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    return str(request.param)


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [path.name for path in folder.iterdir()]


def generations(folder: JobFolder, step: str = "stats") -> list[int]:
    """Return the generations of the claims that are there."""
    return claims_in(names(folder.path)).get(step, [])


def held(claim: Claim | None) -> Claim:
    """Return a claim that must have been got."""
    assert claim is not None
    return claim


def _die_holding(number: int, barrier: Any, layout: Layout, folders: list[JobFolder]) -> None:
    journal = Journal(layout, "test")
    for folder in folders:
        held(take(folder, "stats", [], journal))


def test_a_claim_says_who_made_it(
    folder: JobFolder, journal: Journal, other: Journal, links: str
) -> None:
    """A claim is exclusive, names its runner, carries its heartbeat, and goes when released."""
    claim = held(take(folder, "stats", [], journal))
    owner = owner_of(folder, "stats", 1)
    assert owner is not None
    assert (journal.runner, Identity.own(), True) == (owner.runner, owner.identity, owner.alive)
    assert None is take(folder, "stats", [], other)
    assert None is not take(folder, "edges", [], other)
    os.utime(journal.path, (1, 1))
    os.utime(folder.claim("stats", 1), (1, 1))
    journal.beat()
    beat = owner_of(folder, "stats", 1)
    assert beat is not None and beat.beat > 10**18
    assert not claim.superseded()
    claim.release()
    assert ([], None) == (generations(folder), owner_of(folder, "stats", 1))
    assert None is not take(folder, "stats", [], other)


def test_a_claim_is_the_journal_itself(folder: JobFolder, journal: Journal) -> None:
    """With hard links a claim costs no inode and is the journal under a second name."""
    take(folder, "stats", [], journal)
    assert journal.path.samefile(folder.claim("stats", 1))


def _take_each(number: int, barrier: Any, layout: Layout, folders: list[JobFolder]) -> list[int]:
    journal = Journal(layout, "test")
    journal.open()
    won = []
    for index, folder in enumerate(folders):
        left = generations(folder)
        barrier.wait()
        if take(folder, "stats", left, journal) is not None:
            won.append(index)
    return won


@pytest.mark.parametrize("dead", [False, True], ids=["free", "left by the dead"])
def test_of_racing_processes_exactly_one_gets_a_claim(
    layout: Layout, race: Race, links: str, dead: bool
) -> None:
    """Four processes reach for each of 200 claims at once: each goes to exactly one."""
    folders = [JobFolder(layout.root / str(n)) for n in range(200)]
    for folder in folders:
        folder.path.mkdir()
    if dead:
        race(1, _die_holding, layout, folders)
    won = race(4, _take_each, layout, folders)
    assert list(range(200)) == sorted(index for some in won for index in some)
    assert {(1, 2) if dead else (1,)} == {tuple(generations(folder)) for folder in folders}


def _take_and_hold(number: int, barrier: Any, layout: Layout, folders: list[JobFolder]) -> Any:
    """Take, hold and release claims that dead ones have left, with looks that go stale."""
    journal, chance = Journal(layout, "test"), random.Random(number)
    journal.open()
    got = together = 0
    for folder in folders:
        barrier.wait()
        for _ in range(chance.randint(2, 6)):
            left = generations(folder)
            owner = owner_of(folder, "stats", left[-1]) if left else None
            if left and (owner is None or owner.alive is not False):
                continue
            if chance.random() < 0.5:
                time.sleep(chance.random() * 0.0005)
            claim = take(folder, "stats", left, journal)
            if claim is None:
                continue
            got += 1
            inside = folder.path / "inside"
            try:
                inside.mkdir()
            except FileExistsError:
                together += 1
            else:
                inside.rmdir()
            claim.release()
    return got, together


def test_nobody_shares_a_claim_that_goes_from_hand_to_hand(layout: Layout, race: Race) -> None:
    """One may die, a second take over and finish, a third begin anew: a late fourth gives way."""
    folders = [JobFolder(layout.root / str(n)) for n in range(300)]
    for folder in folders:
        folder.path.mkdir()
    race(1, _die_holding, layout, folders)
    results = race(4, _take_and_hold, layout, folders)
    assert 300 <= sum(got for got, _ in results)
    assert 0 == sum(together for _, together in results)
    assert [] == [step for folder in folders for step in claims_in(names(folder.path))]


def test_the_next_generation_takes_over(
    folder: JobFolder, layout: Layout, journal: Journal, race: Race, links: str
) -> None:
    """The dead one's claim stays until its heir is done; the heir removes its own last."""
    race(1, _die_holding, layout, [folder])
    owner = owner_of(folder, "stats", 1)
    assert owner is not None and owner.alive is False
    claim = held(take(folder, "stats", [1], journal))
    assert ((1,), 2, [1, 2]) == (claim.left, claim.generation, generations(folder))
    removed: list[str] = []
    unlink = os.unlink

    def noted(path: str) -> None:
        removed.append(Path(path).name)
        unlink(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "unlink", noted)
        claim.release()
    assert [".stats.claim.1", ".stats.claim.2"] == removed
    assert [] == generations(folder)


def test_a_living_runners_claim_is_not_taken_over(
    folder: JobFolder, journal: Journal, other: Journal
) -> None:
    """Whoever thinks a living runner dead, by an old look, gets nothing."""
    held(take(folder, "stats", [], other))
    assert None is take(folder, "stats", [1], journal)
    assert [1] == generations(folder)


def test_a_look_from_before_it_was_finished(folder: JobFolder, journal: Journal) -> None:
    """The dead one's claim is gone, so somebody took over and finished: look again."""
    assert None is take(folder, "stats", [1], journal)
    assert [] == generations(folder)


def test_a_look_from_before_it_was_taken_over(
    folder: JobFolder, layout: Layout, journal: Journal, other: Journal, race: Race
) -> None:
    """Where a higher generation is there, the lower one cannot be taken."""
    race(1, _die_holding, layout, [folder])
    heir = held(take(folder, "stats", [1], other))
    folder.claim("stats", 1).unlink()  # the heir is killed between its two removals
    assert None is take(folder, "stats", [], journal)
    assert [heir.generation] == generations(folder)


def test_a_runner_thought_dead_learns_of_it(
    folder: JobFolder, journal: Journal, other: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A superseded runner knows while its heir works, after it finished, and after others began."""
    late = held(take(folder, "stats", [], journal))
    monkeypatch.setattr(Identity, "alive", lambda self: None)  # as seen from another host
    heir = held(take(folder, "stats", [1], other))
    assert (True, False) == (late.superseded(), heir.superseded())
    heir.release()
    assert late.superseded()
    anew = held(take(folder, "stats", [], other))
    assert (True, False) == (late.superseded(), anew.superseded())
    late.release()
    assert [1] == generations(folder)
    assert not anew.superseded()


def test_the_jobs_folder_is_gone(folder: JobFolder, journal: Journal) -> None:
    """A runner whose job was removed under its feet has lost its claim."""
    claim = held(take(folder, "stats", [], journal))
    folder.claim("stats", 1).unlink()
    folder.path.rmdir()
    assert claim.superseded()
    claim.release()
    with pytest.raises(SpaceError, match=r"job cannot be written: No such file or directory"):
        take(folder, "stats", [], journal)


def test_a_claim_that_says_nothing(folder: JobFolder) -> None:
    """Of a claim without a whole first line it cannot be known whether its runner lives."""
    folder.claim("stats", 1).write_bytes(b'{"kind":"runner"')
    owner = owner_of(folder, "stats", 1)
    assert owner is not None
    assert ("", None, None) == (owner.runner, owner.identity, owner.alive)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_a_folder_that_cannot_be_written(
    folder: JobFolder, journal: Journal, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The error names the folder, the cause and the step."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(SpaceError) as error:
        take(folder, "stats", [], journal)
    assert (
        f"{folder.path} cannot be written: {os.strerror(code)}. Make the workspace writable, or "
        "free some space."
    ) == str(error.value)
    assert ("stats", []) == (error.value.step, generations(folder))


def test_a_copy_that_cannot_be_written_is_no_claim(
    folder: JobFolder, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hard links and without space, nothing is left that would look like a claim."""
    journal.open()

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(os, "write", lambda *_: 3)
    with pytest.raises(SpaceError, match=r"No space left on device"):
        take(folder, "stats", [], journal)
    assert [] == generations(folder)


def test_owners_of_other_hosts_are_unknown(folder: JobFolder, journal: Journal) -> None:
    """Of a runner elsewhere only the heartbeat can be judged."""
    held(take(folder, "stats", [], journal))
    owner = owner_of(folder, "stats", 1)
    assert owner is not None and owner.identity is not None
    assert None is replace(owner, identity=replace(owner.identity, host="elsewhere")).alive
