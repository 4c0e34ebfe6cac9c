"""The inventory: a grid of which combinations of keys are there, or a list with counts."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ..model import keys
from ..values.inventory import Entry, Presence, values_of

__all__ = ["inventory_json", "show_inventory"]

_SYMBOLS = {
    Presence.THERE: "●",
    Presence.MISSING: "○",
    Presence.EXCLUDED: "\N{MULTIPLICATION SIGN}",
    Presence.NONE: "·",
}
_COLOURS = {
    Presence.THERE: "green",
    Presence.MISSING: "red",
    Presence.EXCLUDED: "yellow",
    Presence.NONE: "bright_black",
}
_LEGEND = "   ".join(
    f"{_SYMBOLS[presence]} {words}"
    for presence, words in zip(
        Presence, ("there", "seed missing", "excluded", "no record"), strict=True
    )
)
_WIDTH = 100
_GAP = 2

_Place = tuple[Any, ...]
_Cells = dict[tuple[_Place, Any], Counter[Presence]]


def show_inventory(
    console: Console, kind: str, names: Sequence[str], entries: Sequence[Entry]
) -> None:
    """Print which combinations there are.

    Parameters
    ----------
    console : Console
        Where to; what is no terminal gets words in the place of symbols.
    kind : str
        The class of the records.
    names : sequence of str
        What they are laid out by: the last one across, those before it down.
    entries : sequence of Entry
        The records.
    """
    if not entries:
        console.print(f"there is no {kind} yet; `discover` finds them.", markup=False)
        return
    if len(names) == 1:
        absent = _show_list(console, names[0], entries)
    else:
        down = ", ".join(names[:-1])
        console.print(f"{kind}: {down} down, {names[-1]} across", markup=False)
        absent = _show_grid(console, names, entries)
    totals = Counter(entry.presence for entry in entries)
    totals[Presence.NONE] = absent
    said = [f"{totals[p]} {_in_words(p)}" for p in Presence if totals[p]]
    console.print(", ".join(said), markup=False)
    if console.is_terminal and len(names) > 1:
        console.print(_LEGEND, style="bright_black")


def inventory_json(names: Sequence[str], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return the inventory as plain data, the combinations without a record too."""
    found = [
        {
            **_plain(names, entry.values),
            "presence": str(entry.presence),
            "why": entry.why or None,
            "job": entry.record.id,
        }
        for entry in entries
    ]
    cells, rows, columns = _laid_out(entries)
    for row, column in itertools.product(rows, columns):
        if len(names) > 1 and (row, column) not in cells:
            values = _plain(names, (*row, column))
            found.append({**values, "presence": "none", "why": None, "job": None})
    return found


def _plain(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return {name: keys.encode(value) for name, value in zip(names, values, strict=True)}


def _in_words(presence: Presence) -> str:
    words = {Presence.MISSING: "with a seed missing", Presence.NONE: "combinations without record"}
    return words.get(presence, str(presence))


def _laid_out(entries: Sequence[Entry]) -> tuple[_Cells, list[_Place], list[Any]]:
    """Return the cells that are not empty, and the rows and columns, in order."""
    axes = [values_of(entries, place) for place in range(len(entries[0].values))] if entries else []
    ranks = [{value: rank for rank, value in enumerate(axis)} for axis in axes]
    cells: _Cells = {}
    for entry in entries:
        cells.setdefault((entry.values[:-1], entry.values[-1]), Counter())[entry.presence] += 1
    rows = sorted(
        {row for row, _ in cells},
        key=lambda row: [rank[value] for rank, value in zip(ranks, row, strict=False)],
    )
    return cells, rows, axes[-1] if axes else []


def _show_list(console: Console, name: str, entries: Sequence[Entry]) -> int:
    """Print how many records there are of each value, and in which state."""
    cells, _, values = _laid_out(entries)
    shown = [p for p in Presence if any(counter[p] for counter in cells.values())]
    table = [[Text(name), *(Text(str(presence)) for presence in shown)]]
    for value in values:
        counts = cells[(), value]
        numbers = [Text(str(counts[p]), style=_COLOURS[p] if counts[p] else "") for p in shown]
        table.append([Text(_said(value)), *numbers])
    _print(console, table, 1)
    return 0


def _show_grid(console: Console, names: Sequence[str], entries: Sequence[Entry]) -> int:
    """Print a grid, in pieces where it is too wide; return how many of its places are empty."""
    cells, rows, columns = _laid_out(entries)
    several = any(counter.total() > 1 for counter in cells.values())
    head = [Text(name) for name in names[:-1]]
    table = [[*head, *(Text(_said(column)) for column in columns)]]
    for row in rows:
        line = [Text(_said(value)) for value in row]
        for column in columns:
            counts = cells.get((row, column), Counter({Presence.NONE: 1}))
            line.append(_cell(counts, several, console.is_terminal))
        table.append(line)
    _print(console, table, len(head))
    return len(rows) * len(columns) - len(cells)


def _cell(counts: Counter[Presence], several: bool, symbols: bool) -> Text:
    """Return one place of the grid: a symbol, or how many there are of each."""
    text = Text()
    for presence in Presence:
        if counts[presence]:
            shown = _SYMBOLS[presence] if symbols else str(presence)
            if several and presence is not Presence.NONE:
                shown = f"{counts[presence]}{'' if symbols else ' '}{shown}"
            text.append(" " if text else "").append(shown, style=_COLOURS[presence])
    return text


def _print(console: Console, table: list[list[Text]], fixed: int) -> None:
    """Print a table whose first columns are repeated where it goes on below."""
    widths = [max(cell_len(row[i].plain) for row in table) for i in range(len(table[0]))]
    room = console.width if console.is_terminal else _WIDTH
    pieces = list(_pieces(widths, fixed, room))
    for piece in pieces:
        if piece is not pieces[0]:
            console.print()
        for row in table:
            line = Text()
            for i in [*range(fixed), *piece]:
                pad = " " * (widths[i] - cell_len(row[i].plain) + _GAP)
                line.append_text(row[i]).append(pad)
            line.rstrip()
            console.print(line)


def _pieces(widths: list[int], fixed: int, room: int) -> Iterator[list[int]]:
    """Yield the columns that fit beside the fixed ones; at least one at a time."""
    taken = sum(width + _GAP for width in widths[:fixed])
    piece: list[int] = []
    used = taken
    for i in range(fixed, len(widths)):
        if piece and used + widths[i] > room:
            yield piece
            piece, used = [], taken
        piece.append(i)
        used += widths[i] + _GAP
    yield piece


def _said(value: Any) -> str:
    return "—" if value is None else keys.shown(value)
