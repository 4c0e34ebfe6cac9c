"""Looking at many jobs in several processes gives what looking in one does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pointillist.space import division
from pointillist.space.division import divided

IDS = [f"{number:032x}" for number in range(10)]


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be three cores, and no thread but this one: who distributes tests has some."""
    monkeypatch.setattr(division, "_cores", lambda: 3)
    monkeypatch.setattr(division, "_is_alone", lambda: True)


def with_process(ids: list[str]) -> tuple[list[str], int]:
    """Give back a part, and who looked at it."""
    return ids, os.getpid()


def test_parts_in_order() -> None:
    """Each part is looked at once, by a process of its own, and they come back in order."""
    found = divided(with_process, IDS, 2)
    assert IDS == [id for ids, _ in found for id in ids]
    assert 3 == len({process for _, process in found})
    assert os.getpid() == found[0][1]


@pytest.mark.parametrize("least", [6, 11])
def test_few_are_not_divided(least: int) -> None:
    """Where there is not enough for two processes, this one looks at all of them."""
    assert [(IDS, os.getpid())] == divided(with_process, IDS, least)


def test_beside_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process with more than one thread is not forked: its locks would stay locked."""
    monkeypatch.undo()
    monkeypatch.setattr(division, "_cores", lambda: 3)
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert [(IDS, os.getpid())] == divided(with_process, IDS, 1)
    finally:
        over.set()
        thread.join()


def dies(how: Callable[[], object]) -> Callable[[list[str]], list[str]]:
    """Return a look that only this process survives."""
    here = os.getpid()

    def look(ids: list[str]) -> list[str]:
        if os.getpid() != here:
            how()
        return ids

    return look


@pytest.mark.parametrize(
    "how", [lambda: os._exit(3), lambda: os.kill(os.getpid(), 9), lambda: 1 / 0]
)
def test_a_fork_that_dies(how: Callable[[], object], capfd: pytest.CaptureFixture[str]) -> None:
    """What a fork was to look at is looked at here, if it dies of whatever; nothing is printed."""
    assert IDS == [id for ids in divided(dies(how), IDS, 2) for id in ids]
    assert ("", "") == capfd.readouterr()


def test_no_more_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be forked, this one looks at all parts."""

    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    assert [(IDS[:4], os.getpid()), (IDS[4:8], os.getpid()), (IDS[8:], os.getpid())] == divided(
        with_process, IDS, 2
    )


def test_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that fails here ends the forks: no process and no open file is left."""
    here, forks, fork = os.getpid(), list[int](), os.fork

    def forked() -> int:
        forks.append(fork())
        return forks[-1]

    def look(ids: list[str]) -> list[str]:
        if os.getpid() == here:
            raise KeyboardInterrupt
        threading.Event().wait()
        return ids

    monkeypatch.setattr(os, "fork", forked)
    before = list(Path("/proc/self/fd").iterdir())
    with pytest.raises(KeyboardInterrupt):
        divided(look, IDS, 2)
    assert len(before) == len(list(Path("/proc/self/fd").iterdir()))
    assert 2 == len(forks)
    for process in forks:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
