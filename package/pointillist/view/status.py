"""The status table: how many tasks of each step are in which state; in detail, each with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..plan.states import State, Verdict
from .reasons import in_words, kept_by

__all__ = ["COLOURS", "Row", "show_status", "status_json"]

COLOURS = {
    State.COMPLETE: "green",
    State.STALE: "yellow",
    State.READY: "cyan",
    State.WAITING: "blue",
    State.RUNNING: "magenta",
    State.SUBMITTED: "magenta",
    State.FAILED: "red",
    State.EXCLUDED: "bright_black",
}


@dataclass(slots=True)  # frozen, it would take five times as long to make
class Row:
    """One task's state.

    Parameters
    ----------
    kind : str
        The class of the record; empty for an operation that was written by hand.
    label : str
        The record's label; the job's id if it is no record.
    job : str
        The job's id.
    step : str
        The step's name.
    verdict : Verdict
        Its state and why.
    """

    kind: str
    label: str
    job: str
    step: str
    verdict: Verdict


def show_status(
    console: Console,
    counts: dict[str, int],
    rows: list[Row],
    detailed: bool = False,
    only_incomplete: bool = False,
    nothing: str = "no record has a step",
    labels: Mapping[str, int] = MappingProxyType({}),
    orphans: Mapping[str, list[str]] = MappingProxyType({}),
    excluded: Mapping[str, int] = MappingProxyType({}),
    settled: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> None:
    """Print the status.

    Parameters
    ----------
    console : Console
        Where to.
    counts : dict of str to int
        How many records there are, by class.
    rows : list of Row
        The tasks.
    detailed : bool
        Whether each task is shown, with the reasons for its state.
    only_incomplete : bool
        Whether complete tasks are left out of the details.
    nothing : str
        What is said if there is no task.
    labels : Mapping of str to int
        How many jobs have each of the project's labels.
    orphans : Mapping of str to list of str
        The aggregates without members, by class.
    excluded : Mapping of str to int
        How many of the records are excluded, by class.
    settled : Mapping of (str, str) to int
        How many more tasks are complete, by class and step.
    """
    noted = ", ".join(
        f"{count} {name}{_among(len(orphans.get(name, ())), excluded.get(name, 0))}"
        for name, count in counts.items()
    )
    console.print(Text(f"records: {noted or 'none'}"))
    is_any = rows or any(settled.values())
    console.print(_overview(rows, settled) if is_any else Text(nothing))
    if labels:
        found = ", ".join(f"{label} ({count})" for label, count in sorted(labels.items()))
        console.print(f"labels: {found}", markup=False)
    shown = [r for r in rows if not only_incomplete or r.verdict.state is not State.COMPLETE]
    if detailed and shown:
        console.print()
        console.print(_details(shown))
    for label in [label for labels in orphans.values() for label in labels] if detailed else ():
        console.print(
            f"orphaned: {label}: its members are gone; it is kept, never run", markup=False
        )
    kept = sum(row.verdict.note == "kept" for row in rows)
    if kept:
        rules = kept_by(row.verdict for row in rows)
        console.print(
            f"{kept} stale ({', '.join(rules)}), kept: `run --rerun {' '.join(rules)}` does them "
            "again.",
            markup=False,
        )


def _among(orphaned: int, excluded: int) -> str:
    said = [f"{orphaned} orphaned"] * bool(orphaned) + [f"{excluded} excluded"] * bool(excluded)
    return f" ({', '.join(said)})" if said else ""


def _overview(rows: list[Row], settled: Mapping[tuple[str, str], int]) -> Table:
    counts = {step: Counter({State.COMPLETE: count}) for step, count in settled.items()}
    for row in rows:
        counts.setdefault((row.kind, row.step), Counter())[row.verdict.state] += 1
    counts = {step: found for step, found in counts.items() if found.total()}
    states = [s for s in State if any(c[s] for c in counts.values())]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    table.add_column("step")
    for state in states:
        table.add_column(str(state), justify="right")
    for (kind, step), found in counts.items():
        cells = [
            Text(str(found[s]), style=COLOURS[s]) if found[s] else Text("·", style="bright_black")
            for s in states
        ]
        table.add_row(Text(f"{kind}.{step}" if kind else step), *cells)
    return table


def _details(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for name in ("job", "record", "step", "state", "why"):
        table.add_column(name, overflow="fold")
    last = ""
    for row in rows:
        verdict = row.verdict
        state = str(verdict.state).upper() if verdict.state is not State.COMPLETE else "complete"
        note = f" ({verdict.note})" if verdict.note else ""
        why = in_words(verdict)
        if verdict.log is not None:
            why += f" → {verdict.log}"
        table.add_row(
            Text(row.job[:8] if row.job != last else "", style="bright_black"),
            Text(row.label if row.job != last else ""),
            Text(row.step),
            Text(state + note, style=COLOURS[verdict.state]),
            Text(why),
        )
        last = row.job
    return table


def status_json(rows: list[Row]) -> list[dict[str, Any]]:
    """Return the status as plain data."""
    return [
        {
            "class": row.kind,
            "record": row.label,
            "job": row.job,
            "step": row.step,
            "state": str(row.verdict.state),
            "note": row.verdict.note,
            "reasons": [reason.as_json() for reason in row.verdict.reasons],
            "log": str(row.verdict.log) if row.verdict.log else None,
        }
        for row in rows
    ]
