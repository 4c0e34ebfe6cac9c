"""A snapshot asks the disk once, until it is told to forget."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pointillist.space import fingerprints, snapshot
from pointillist.space.claims import take
from pointillist.space.journals import Journal
from pointillist.space.layout import JobFolder, Layout
from pointillist.space.snapshot import Snapshot


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """Make a job's folder with one output."""
    path = tmp_path / "job"
    path.mkdir()
    (path / "stats.json").write_text("{}")
    return JobFolder(path)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is asked of the disk."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            counts[name] += 1
            return function(*arguments)

        return call

    monkeypatch.setattr(snapshot, "os", SimpleNamespace(listdir=counted("list", os.listdir)))
    monkeypatch.setattr(snapshot, "glance", counted("stat", fingerprints.glance))
    monkeypatch.setattr(snapshot, "content_hash", counted("hash", fingerprints.content_hash))
    return counts


def test_each_thing_is_asked_once(folder: JobFolder, asked: Counter[str]) -> None:
    """However often it is asked for, a job costs one listing, a file one stat and one read."""
    memory = Snapshot()
    for _ in range(3):
        assert frozenset({"stats.json"}) == memory.names(folder)
        seen = memory.output(folder, "stats.json")
        assert seen is not None
        assert fingerprints.content_hash(folder.output("stats.json")) == memory.hash(
            folder.output("stats.json"), seen
        )
        assert None is memory.output(folder, "missing.json")
        assert [] == memory.claims(folder, "stats")
        assert None is memory.owner(folder, "stats")
    assert {"list": 1, "stat": 1, "hash": 1} == asked


def test_a_job_that_is_not_there(tmp_path: Path) -> None:
    """A job without a folder has nothing in it."""
    memory, folder = Snapshot(), JobFolder(tmp_path / "no")
    assert (frozenset(), None) == (memory.names(folder), memory.output(folder, "a"))


def test_forgetting_a_job(folder: JobFolder) -> None:
    """After forgetting, everything in a folder is asked anew, also what was not there before."""
    memory, new = Snapshot(), folder.output("edges.json")
    assert None is memory.glance(new)
    first = memory.output(folder, "stats.json")
    new.write_text("[]")
    folder.output("stats.json").write_text("[1, 2]")
    assert (first, None) == (memory.output(folder, "stats.json"), memory.glance(new))
    memory.forget(folder)
    changed, found = memory.output(folder, "stats.json"), memory.glance(new)
    assert changed is not None and found is not None
    assert (6, 2) == (changed.size, found.size)


def test_forgetting_one_file(folder: JobFolder, asked: Counter[str]) -> None:
    """Only the file that is forgotten is asked for anew."""
    memory, path = Snapshot(), folder.output("stats.json")
    memory.glance(path), memory.glance(folder.path)
    memory.forget_path(path)
    memory.forget_path(folder.path / "unknown")
    memory.glance(path), memory.glance(folder.path)
    assert 3 == asked["stat"]


def test_the_owner_is_the_highest_claims(folder: JobFolder, layout: Layout) -> None:
    """Of several claims on a step the highest counts."""
    journal = Journal(layout, "test")
    for number in (2, 10):
        folder.claim("stats", number).write_text("{}\n")
    assert take(folder, "edges", [], journal) is not None
    memory = Snapshot()
    folder.claim("stats", 2).write_text('{"runner":"old"}\n')
    folder.claim("stats", 10).write_text('{"runner":"new"}\n')
    stats, edges = memory.owner(folder, "stats"), memory.owner(folder, "edges")
    assert stats is not None and edges is not None
    assert (["new", journal.runner], [2, 10]) == (
        [stats.runner, edges.runner],
        memory.claims(folder, "stats"),
    )
