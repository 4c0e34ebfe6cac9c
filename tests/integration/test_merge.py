"""Two copies of a project, worked on apart, are merged by copying files: nothing is done again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..run.conftest import Workshop
from .damaged import TASKS, folder_of, made, said, states

RESULTS = ("workspace", "aggregates", ".pointillist")
"""What is copied: outputs, logs and documents, journals and environments."""


def copied(shop: Workshop, name: str, keep_times: bool = True) -> Workshop:
    """Copy a whole project, as to a laptop."""
    place = shop.root.with_name(name)
    copy = shutil.copy2 if keep_times else shutil.copyfile
    shutil.copytree(shop.root, place, copy_function=copy)
    return Workshop(place, (place / "project.py").read_text())


def merge(source: Workshop, place: Workshop, keep_times: bool = True) -> None:
    """Copy the results of one copy into the other, over what is there."""
    copy = shutil.copy2 if keep_times else shutil.copyfile
    for name in RESULTS:
        shutil.copytree(
            source.root / name, place.root / name, dirs_exist_ok=True, copy_function=copy
        )


def check_merged(shop: Workshop, times: dict[str, int], attempts: int) -> None:
    """Hold that all is complete, nothing is done again, and no attempt was lost or doubled."""
    assert {"complete"} == set(states(shop).values()), states(shop)
    assert (0, "nothing to do: everything is complete.\n") == said(shop, "run")
    found: dict[str, int] = {}
    for (operation, _), number in shop.completed().items():
        found[operation] = found.get(operation, 0) + number
    assert times == found
    assert attempts == len(shop.attempts())
    assert [] == shop.leftovers()


@pytest.fixture
def apart(workshop: Any) -> tuple[Workshop, Workshop]:
    """Give two copies of a project in which nothing is done yet."""
    laptop = made(workshop, "laptop", run=False)
    return laptop, copied(laptop, "cluster")


@pytest.mark.parametrize("keep_times", [True, False], ids=["times kept", "times new"])
def test_different_tasks(apart: tuple[Workshop, Workshop], fork: Any, keep_times: bool) -> None:
    """Each did other records; merged, only what needs both is left to do."""
    laptop, cluster = apart
    assert 0 == fork(lambda: expect(laptop, "2 tasks done", "--where", "name=a"))
    assert 0 == fork(lambda: expect(cluster, "2 tasks done", "--where", "name=b"))
    merge(cluster, laptop, keep_times)
    assert {"complete": 4, "ready": 1} == tally(laptop)
    assert 0 == fork(lambda: expect(laptop, "1 task done"))
    check_merged(laptop, {"Item.text": 2, "Item.loud": 2, "Group.joined": 1}, TASKS)
    merge(laptop, cluster, keep_times)
    check_merged(cluster, {"Item.text": 2, "Item.loud": 2, "Group.joined": 1}, TASKS)


def test_steps_in_turn(apart: tuple[Workshop, Workshop], fork: Any) -> None:
    """One does a step, the other goes on from it after a merge; back again nothing is left."""
    laptop, cluster = apart
    assert 0 == fork(lambda: expect(laptop, "2 tasks done", "-o", "text"))
    merge(laptop, cluster)
    assert 0 == fork(lambda: expect(cluster, "3 tasks done"))
    merge(cluster, laptop)
    check_merged(laptop, {"Item.text": 2, "Item.loud": 2, "Group.joined": 1}, TASKS)


@pytest.mark.parametrize("keep_times", [True, False], ids=["times kept", "times new"])
def test_same_tasks(apart: tuple[Workshop, Workshop], fork: Any, keep_times: bool) -> None:
    """Both did everything, with equal results: whichever files win, it is complete."""
    laptop, cluster = apart
    for copy in apart:
        assert 0 == fork(lambda c=copy: expect(c, f"{TASKS} tasks done"))
    saved = copied(laptop, "saved")
    merge(cluster, laptop, keep_times)
    check_merged(laptop, {"Item.text": 4, "Item.loud": 4, "Group.joined": 2}, 2 * TASKS)
    merge(saved, cluster, keep_times)
    check_merged(cluster, {"Item.text": 4, "Item.loud": 4, "Group.joined": 2}, 2 * TASKS)
    (laptop.root / "raw/a.txt").write_text("new")
    assert 3 == laptop.run().done
    newest = [a for a in laptop.attempts() if a["job"] == folder_of(laptop, "a").name]
    assert [1, 1, 2] == sorted(a["number"] for a in newest if a["operation"] == "Item.text")


@pytest.mark.parametrize("newer_is_source", [True, False], ids=["newer over", "newer stays"])
def test_stale_in_one(apart: tuple[Workshop, Workshop], fork: Any, newer_is_source: bool) -> None:
    """One was done anew after its data changed: with its data and results the other is that too."""
    laptop, cluster = apart
    assert 0 == fork(lambda: expect(laptop, f"{TASKS} tasks done"))
    merge(laptop, cluster)
    (cluster.root / "raw/a.txt").write_text("newer")
    assert 0 == fork(lambda: expect(cluster, "3 tasks done"))
    times = {"Item.text": 3, "Item.loud": 3, "Group.joined": 2}
    if newer_is_source:
        merge(cluster, laptop)
        assert states(laptop)["Item name=a  text"].startswith("stale: input raw/a.txt changed")
        shutil.copy2(cluster.root / "raw/a.txt", laptop.root / "raw/a.txt")
        check_merged(laptop, times, TASKS + 3)
    else:
        merge_only_new(laptop, cluster)
        check_merged(cluster, times, TASKS + 3)


def test_older_results_over_newer(apart: tuple[Workshop, Workshop], fork: Any) -> None:
    """Outputs of an old attempt copied over those of the last one are seen, and made again."""
    laptop, cluster = apart
    (laptop.root / "raw/a.txt").write_text("older")
    (cluster.root / "raw/a.txt").write_text("older")
    assert 0 == fork(lambda: expect(laptop, f"{TASKS} tasks done"))
    merge(laptop, cluster)
    (cluster.root / "raw/a.txt").write_text("newer")  # as long
    assert 0 == fork(lambda: expect(cluster, "3 tasks done"))
    merge(laptop, cluster)
    said_now = states(cluster)
    assert said_now["Item name=a  text"] != "complete", said_now
    assert 0 == fork(cluster.run)
    assert {"complete"} == set(states(cluster).values())
    assert b"NEWER" == (folder_of(cluster, "a") / "loud.txt").read_bytes()


def test_failed_in_one(apart: tuple[Workshop, Workshop], fork: Any) -> None:
    """What failed in one and was done in the other is done."""
    laptop, cluster = apart
    (laptop.root / "disturb").write_text("raise ValueError('no luck')")
    assert 0 == fork(lambda: expect(cluster, f"{TASKS} tasks done"))
    assert 0 == fork(lambda: expect(laptop, "1 failed", "-o", "text", code=1))
    merge(cluster, laptop)
    check_merged(laptop, {"Item.text": 3, "Item.loud": 2, "Group.joined": 1}, TASKS + 2)


def test_copied_while_running(apart: tuple[Workshop, Workshop], fork: Any) -> None:
    """A claim that was copied along with a stage is the dead runner's that it looks like."""
    laptop, cluster = apart
    (laptop.root / "disturb").write_text(
        f"shutil.copytree(HERE, {str(laptop.root.with_name('snapshot'))!r})"
    )
    assert 0 == fork(lambda: expect(laptop, f"{TASKS} tasks done"))
    place = laptop.root.with_name("snapshot")
    snapshot = Workshop(place, (place / "project.py").read_text())
    assert [".text.claim.1"] == [Path(name).name for name in snapshot.leftovers()]
    assert 0 == fork(lambda: expect(snapshot, f"{TASKS} tasks done"))
    assert {"complete"} == set(states(snapshot).values()) and [] == snapshot.leftovers()
    merge(laptop, cluster)
    check_merged(cluster, {"Item.text": 2, "Item.loud": 2, "Group.joined": 1}, TASKS)


def expect(shop: Workshop, text: str, *words: str, code: int = 0) -> None:
    """Run, and hold what it says."""
    told = said(shop, "run", *words)
    assert code == told[0] and text in told[1], told


def tally(shop: Workshop) -> dict[str, int]:
    """Return how many tasks are in which state."""
    found: dict[str, int] = {}
    for verdict in shop.verdicts().values():
        found[str(verdict.state)] = found.get(str(verdict.state), 0) + 1
    return found


def merge_only_new(source: Workshop, place: Workshop) -> None:
    """Copy only what the other has not, as ``rsync --ignore-existing``."""

    def copy(path: str, to: str) -> None:
        if not Path(to).exists():
            shutil.copy2(path, to)

    for name in RESULTS:
        wanted: Callable[[str, str], None] = copy
        shutil.copytree(
            source.root / name, place.root / name, dirs_exist_ok=True, copy_function=wanted
        )
