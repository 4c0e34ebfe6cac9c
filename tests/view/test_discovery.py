"""What `discover` says."""

from __future__ import annotations

from typing import Any

from pointillist.space.discovery import Report
from pointillist.view.discovery import show_report


def test_first_time(page: Any) -> None:
    """Where everything is new it is counted, not listed."""
    labels = [f"Recording index={i}" for i in range(20)]
    report = Report(
        {"Recording": 20}, {"Recording": labels}, {"Recording": []}, {}, {"Block": (10, 10, 0)}
    )
    show_report(page.console, report, {})
    assert (
        """\
Recording: 20 found, 20 new, 0 gone
Block: 10 aggregates, 10 new, 0 with other members
"""
        == page.text
    )


def test_new_and_gone(page: Any) -> None:
    """New and gone records are named; both together may be a renamed file, and how to say so."""
    report = Report(
        {"Recording": 20},
        {"Recording": ["Recording index=7"]},
        {"Recording": ["Recording index=3 [x]"]},
        {},
        {"Block": (10, 0, 1)},
    )
    show_report(page.console, report, {})
    assert (
        """\
Recording: 20 found, 1 new, 1 gone
  new: Recording index=7
  gone: Recording index=3 [x]
  renamed? `rekey -j ID key=value …` moves a job with its results to other keys.
Block: 10 aggregates, 0 new, 1 with other members
"""
        == page.text
    )


def test_many(page: Any) -> None:
    """Of many ten are named, and the others counted."""
    labels = [f"Recording index={i}" for i in range(25)]
    show_report(page.console, Report({"R": 30}, {"R": labels}, {"R": []}, {}, {}), {})
    lines = page.text.splitlines()
    assert 12 == len(lines)
    assert "  … and 15 more new" == lines[-1]


def test_rows_that_fit_nothing(page: Any) -> None:
    """Rows of a table that fit no record are named."""
    report = Report({"R": 2}, {"R": []}, {"R": []}, {"R": ["session=q", "session=r"]}, {})
    show_report(page.console, report, {})
    assert (
        """\
R: 2 found, 0 new, 0 gone
R: 2 rows of the table fit no record
  row: session=q
  row: session=r
"""
        == page.text
    )


def test_nothing_found(page: Any) -> None:
    """Where nothing is found it is said what was looked for."""
    report = Report({"R": 0}, {"R": []}, {"R": []}, {}, {})
    show_report(page.console, report, {"R": ["recordings/{session}.bin", "{session}.csv"]})
    assert (
        """\
R: 0 found, 0 new, 0 gone
  looked for: recordings/{session}.bin, {session}.csv
"""
        == page.text
    )


def test_nothing_to_look_for(page: Any) -> None:
    """A project whose records cannot be found by their seeds is told so."""
    show_report(page.console, Report(), {"R": []})
    assert "nothing was looked for: no seed's pattern names every key of its class\n" == page.text
