"""What ``discover`` found, in a few lines."""

from __future__ import annotations

from rich.console import Console

from ..space.discovery import Report

__all__ = ["show_report"]

_MOST = 10


def show_report(console: Console, report: Report, patterns: dict[str, list[str]]) -> None:
    """Print what was found, what is new and what is gone.

    Parameters
    ----------
    console : Console
        Where to.
    report : Report
        What was found.
    patterns : dict of str to list of str
        What was looked for, by class.
    """
    if not report.found:
        console.print("nothing was looked for: no seed's pattern names every key of its class")
    for name, count in report.found.items():
        added, gone = report.added[name], report.gone[name]
        console.print(f"{name}: {count} found, {len(added)} new, {len(gone)} gone", markup=False)
        if not count:
            console.print(f"  looked for: {', '.join(patterns[name])}", markup=False)
        if len(added) < count:
            _list(console, "new", added)
        _list(console, "gone", gone)
        if added and gone:
            console.print(
                "  renamed? `rekey -j ID key=value …` moves a job with its results to other keys.",
                markup=False,
            )
    for name, rows in report.unmatched.items():
        if rows:
            console.print(f"{name}: {len(rows)} rows of the table fit no record", style="yellow")
            _list(console, "row", rows)
    for name, (count, new, changed) in report.aggregates.items():
        console.print(
            f"{name}: {count} aggregates, {new} new, {changed} with other members", markup=False
        )


def _list(console: Console, word: str, labels: list[str]) -> None:
    for label in labels[:_MOST]:
        console.print(f"  {word}: {label}", markup=False)
    if len(labels) > _MOST:
        console.print(f"  … and {len(labels) - _MOST} more {word}", markup=False)
