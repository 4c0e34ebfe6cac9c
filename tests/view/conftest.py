"""What the tests of the room view share: records that lie nowhere, and consoles that are read."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

import pointillist as pt
from pointillist.plan.tasks import Task
from pointillist.view.console import console_for


@pt.step
def join(raw: Path) -> str:
    """Do something."""
    return raw.read_text()


class Recording(pt.Record):
    """A record with two steps."""

    session: str = pt.key()

    raw: Path = pt.seed("{session}.bin")

    joined: str = join.step(raw).to()
    stats: str = join.step(raw).to()


@pytest.fixture
def task() -> Callable[..., Task]:
    """Give a maker of tasks, by step and session."""

    def make(step: str = "joined", session: str = "a") -> Task:
        record = Recording(session=session)
        record.id = session * 32
        return Task(record, Recording.__steps__[step])

    return make


class Stream(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        """Say so."""
        return self.terminal


class Page:
    """A console and what was printed on it."""

    def __init__(self, terminal: bool) -> None:
        self.stream = Stream(terminal)
        self.console = console_for(self.stream)

    @property
    def text(self) -> str:
        """What was printed, without blanks at the ends of lines."""
        return "".join(f"{line.rstrip()}\n" for line in self.stream.getvalue().splitlines())


@pytest.fixture
def page() -> Page:
    """Give a console that is no terminal."""
    return Page(terminal=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Page:
    """Give a console that is a terminal with colours."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Page(terminal=True)
