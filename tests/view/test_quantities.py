"""Times and sizes as people read them."""

from __future__ import annotations

import time

import pytest

from pointillist.view.quantities import (
    about,
    bytes_in_words,
    counted,
    local_time,
    seconds_in_words,
    short_hash,
)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-11-20 14:03:59"),
        ("CET-1", "2026-11-20 15:03:59"),
        ("EST+5", "2026-11-20 09:03:59"),
    ],
)
def test_local_time(zone: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment is shown in the time of the place where it is looked at."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert expected == local_time(1795183439.9)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0.00 s"),
        (0.254, "0.25 s"),
        (3.14, "3.1 s"),
        (75.4, "75 s"),
        (599.4, "599 s"),
        (600.0, "0:10:00"),
        (7384.0, "2:03:04"),
    ],
)
def test_seconds(seconds: float, expected: str) -> None:
    """A duration has as many digits as it needs."""
    assert expected == seconds_in_words(seconds)


def test_sizes_and_hashes() -> None:
    """A folder's size has the number of its entries; a hash is shortened."""
    assert "300 B" == bytes_in_words(300)
    assert "300 B in 3 entries" == bytes_in_words(300, 3)
    assert "01234567" == short_hash("0123456789abcdef")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "less than 1 s"),
        (1.0, "about 1 s"),
        (40.4, "about 40 s"),
        (57.0, "about 1 min"),
        (720.0, "about 12 min"),
        (3420.0, "about 0.9 h"),
        (3600.0, "about 1.0 h"),
        (11520.0, "about 3.2 h"),
        (360000.0, "about 100 h"),
    ],
)
def test_about(seconds: float, expected: str) -> None:
    """What is foreseen is told roughly, in the largest unit that fits."""
    assert expected == about(seconds)


def test_counted() -> None:
    """One is one, all else are many."""
    assert ["0 tasks", "1 task", "2 tasks"] == [counted(n, "task") for n in range(3)]
