"""What was accepted, reset, excluded or pruned, or would be, in a line each."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..model.records import Record
from ..run.acceptance import Acceptance
from ..run.resetting import Reset
from ..space.pruning import Pruned
from .reasons import in_words

__all__ = ["in_bytes", "show_acceptances", "show_exclusions", "show_pruned", "show_resets"]


def in_bytes(size: int) -> str:
    """Return a number of bytes for people: ``999 B``, ``1.2 kB``, ``35 MB``."""
    shown, units = float(size), ["B", "kB", "MB", "GB", "TB", "PB"]
    while shown >= 999.5 and len(units) > 1:
        shown, units = shown / 1000, units[1:]
    digits = 1 if shown < 9.95 and units[0] != "B" else 0
    return f"{shown:.{digits}f} {units[0]}"


def show_acceptances(console: Console, found: Iterable[Acceptance], pretend: bool) -> None:
    """Print what was accepted and what each was before, and what could not be and why."""
    listed = list(found)
    done = [one for one in listed if not one.refused]
    for one in done:
        note = f" ({one.before.note})" if one.before.note else ""
        why = in_words(one.before)
        console.print(
            f"{'would accept' if pretend else 'accepted'}  {one.task}"
            f"  (was {str(one.before.state).upper()}{note}{': ' if why else ''}{why})",
            markup=False,
        )
    for one in listed:
        if one.refused:
            console.print(f"not accepted  {one.task}: {one.refused}", style="red", markup=False)
    if not listed:
        console.print("nothing to accept: it is complete, excluded, or a matter of conditions.")
    else:
        verb = "would be accepted" if pretend else "accepted"
        refused = len(listed) - len(done)
        also = f", {refused} not" if refused else ""
        console.print(f"{_count(len(done), 'task')} {verb}{also}.")


def show_resets(console: Console, found: Iterable[Reset], removed: bool) -> None:
    """Print what is removed of each task, and how much that is in all."""
    listed = list(found)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for name in ("record", "step", "removed" if removed else "to remove"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right")
    shown = [one for one in listed if not one.refused]
    for one in shown:
        names = ", ".join(one.files) or "nothing but the memory of its attempts"
        size = Text(in_bytes(sum(one.files.values())) if one.files else "")
        table.add_row(Text(one.task.record.label), Text(one.task.step.name), Text(names), size)
    if shown:
        console.print(table)
    for one in listed:
        if one.refused:
            console.print(f"left alone  {one.task}: {one.refused}", style="yellow", markup=False)
    if not shown:
        console.print("nothing to reset.")
        return
    total = in_bytes(sum(size for one in shown for size in one.files.values()))
    console.print(
        f"{_count(len(shown), 'task')}, {total}{' reset' if removed else ''}.", markup=False
    )


def show_pruned(console: Console, found: Iterable[Pruned], removed: bool) -> None:
    """Print the orphaned aggregates that are removed, and how big they are."""
    listed = list(found)
    total = 0
    for one in listed:
        what = f"{one.record.label}  (job {one.record.id[:8]})"
        size = f"{_count(one.entries, 'entry', 'entries')}, {in_bytes(one.size)}"
        if one.refused:
            console.print(f"kept  {what}: {one.refused}", style="yellow", markup=False)
            continue
        total += one.size
        console.print(f"{'removed' if removed else 'to remove'}  {what}: {size}", markup=False)
    count = sum(not one.refused for one in listed)
    if not listed:
        console.print("nothing to prune: no aggregate is orphaned.")
    else:
        verb = " removed" if removed else ""
        console.print(
            f"{_count(count, 'orphaned aggregate')}, {in_bytes(total)}{verb}.", markup=False
        )


def show_exclusions(
    console: Console, records: Iterable[Record], reason: str | None, followed: int, selected: int
) -> None:
    """Print which of the selected are excluded now and why, or included again without reason."""
    listed = list(records)
    for record in listed:
        if reason is None:
            console.print(f"included again  {record.label}", markup=False)
        else:
            console.print(f"excluded  {record.label}  ({reason})", markup=False)
    if not listed:
        what = "none of them was excluded" if reason is None else "all were excluded before"
        if not selected:
            what = "no record is selected"
        console.print(f"nothing to do: {what}.")
    elif followed:
        have = "aggregate has" if followed == 1 else "aggregates have"
        console.print(f"{followed} {have} other members now.", markup=False)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
