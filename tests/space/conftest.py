"""A data space with all that its tests need, and real processes beside this one."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pointillist.space import changes
from pointillist.space.attempts import Attempt
from pointillist.space.dataspace import DataSpace
from pointillist.space.discovery import Report
from pointillist.space.journals import Journal
from pointillist.space.layout import Layout


class Home:
    """What records ask that have no values: documents and members."""

    space: DataSpace

    def document(self, record: Any) -> Mapping[str, Any]:
        """Return the job document."""
        return self.space.document(type(record), record.id)

    def members(self, record: Any) -> list[Any]:
        """Return the members of an aggregate."""
        return self.space.members(record)

    def excluded_members(self, record: Any) -> list[Any]:
        """Return those that would be members, but are excluded."""
        return self.space.excluded_members(record)


@dataclass
class Lab:
    """A data space as one process sees it, with this process's journal."""

    root: Path
    classes: tuple[Any, ...]
    space: DataSpace = field(init=False)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        home = Home()
        self.space = home.space = DataSpace(self.root, self.classes, home)  # type: ignore[arg-type]
        self.journal = Journal(Layout(self.root), "test")

    def again(self) -> Lab:
        """Return the same data space, read anew."""
        return Lab(self.root, self.classes)

    def add(self, cls: Any, **values: Any) -> Any:
        """Add a record."""
        return changes.add(self.space, self.journal, cls, values)

    def discover(self) -> Report:
        """Discover all classes."""
        return changes.discover(self.space, self.journal)

    def sync(self) -> dict[str, tuple[int, int, int]]:
        """Let the aggregates follow."""
        return changes.sync(self.space, self.journal)

    def rekey(self, record: Any, **values: Any) -> Any:
        """Give a record other keys."""
        return changes.rekey(self.space, self.journal, record, values)

    def labels(self, cls: Any) -> list[str]:
        """Return the labels of all records of a class, in order."""
        return [record.label for record in self.space.records(cls).values()]

    def write(self, *names: str) -> None:
        """Write a file that says its own name, and the folders that it lies in."""
        for name in names:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name, encoding="utf-8", errors="surrogateescape")


@pytest.fixture
def lab(tmp_path: Path) -> Callable[..., Lab]:
    """Make the data space of some classes in a fresh folder."""
    return lambda *classes: Lab(tmp_path, classes)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Give the places of an empty project."""
    return Layout(tmp_path)


@pytest.fixture
def python() -> Callable[..., subprocess.Popen[str]]:
    """Start Python on some code in a process of its own."""

    def start(code: str, *arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    """Let several processes begin one function at the same instant, and return what they say."""
    context = multiprocessing.get_context("fork")

    def run(count: int, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        barrier, said = context.Barrier(count), context.SimpleQueue()

        def begin(number: int) -> None:
            try:
                said.put(function(number, barrier, *arguments))
            except BaseException as error:
                barrier.abort()
                said.put(error)

        processes = [context.Process(target=begin, args=(n,)) for n in range(count)]
        for process in processes:
            process.start()
        results = [said.get() for _ in processes]
        for process in processes:
            process.join()
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results

    return run


@pytest.fixture
def attempt() -> Callable[..., Attempt]:
    """Make an attempt of which only what matters is said."""

    def make(**said: Any) -> Attempt:
        plain: dict[str, Any] = {
            "operation": "Block.stats",
            "job": "0" * 32,
            "outcome": "complete",
            "number": 1,
            "start": 1.0,
            "end": 2.0,
            "inputs": {},
        }
        return Attempt(**{**plain, **said})

    return make


@pytest.fixture
def tree() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    """Take down the time and content of every file below a folder."""

    def look(folder: Path) -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(folder)): (
                path.lstat().st_mtime_ns,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in folder.rglob("*")
        }

    return look
