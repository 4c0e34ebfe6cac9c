"""The inventory on paper and on a screen: symbols or words, wide grids, several in one place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

import pointillist as pt
from pointillist.values.inventory import Entry, Presence
from pointillist.view.inventory import inventory_json, show_inventory


class Recording(pt.Record):
    """A record."""

    session: str = pt.key()


RECORD = Recording(session="a")
THERE, MISSING, EXCLUDED = Presence.THERE, Presence.MISSING, Presence.EXCLUDED


def entries(*values: tuple[Any, ...], presence: Presence = THERE) -> list[Entry]:
    """Make entries with some values."""
    return [Entry(RECORD, value, presence) for value in values]


SOME = [
    *entries(("b", 10), ("a", 2)),
    *entries(("a", 10), presence=MISSING),
    *entries(("b", 3), presence=EXCLUDED),
]


def test_words(page: Any) -> None:
    """What is no terminal gets words; rows and columns are in the order of their values."""
    show_inventory(page.console, "Recording", ["session", "index"], SOME)
    assert (
        """\
Recording: session down, index across
session  2      3         10
a        there  none      missing
b        none   excluded  there
2 there, 1 with a seed missing, 1 excluded, 2 combinations without record
"""
        == page.text
    )


def test_symbols(terminal: Any) -> None:
    """A terminal gets symbols in colours, and what they mean."""
    show_inventory(terminal.console, "Recording", ["session", "index"], SOME)
    plain = terminal.text
    for code in ("\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[90m", "\x1b[0m"):
        plain = plain.replace(code, "")
    lines = plain.splitlines()
    assert ["a        ●  ·  ○", "b        ·  \N{MULTIPLICATION SIGN}  ●"] == lines[2:4]
    assert "● there   ○ seed missing   \N{MULTIPLICATION SIGN} excluded   · no record" == lines[-1]
    assert "\x1b[33m" in terminal.text


def test_several_names_down(page: Any) -> None:
    """With three names the first two go down, in the combinations that there are."""
    found = entries(("a", date(2026, 5, 4), 1), ("a", date(2026, 5, 3), 1), ("b", None, 2))
    show_inventory(page.console, "Recording", ["session", "day", "index"], found)
    assert (
        """\
Recording: session, day down, index across
session  day         1      2
a        2026-05-03  there  none
a        2026-05-04  there  none
b        —           none   there
3 there, 3 combinations without record
"""
        == page.text
    )


def test_several_in_one_place(page: Any) -> None:
    """Where several records share a place, each kind is counted."""
    found = [*entries(("a", 1), ("a", 1)), *entries(("a", 1), presence=EXCLUDED)]
    show_inventory(page.console, "Recording", ["session", "index"], found)
    assert "a        2 there 1 excluded\n" in page.text


def test_one_name(page: Any) -> None:
    """With one name it is a list with counts."""
    show_inventory(page.console, "Recording", ["session"], [*entries(("b",), ("a",), ("b",))])
    assert "session  there\na        1\nb        2\n3 there\n" == page.text


def test_wide(page: Any, terminal: Any) -> None:
    """A grid that is too wide goes on below, with its rows named again, and no line is broken."""
    found = entries(*((session, index) for session in "ab" for index in range(100)))
    for shown, room in ((page, 100), (terminal, 120)):
        show_inventory(shown.console, "Recording", ["session", "index"], found)
        plain = shown.text.replace("\x1b[32m", "").replace("\x1b[0m", "")
        lines = plain.splitlines()
        assert room >= max(map(len, lines))
        rows = [line for line in lines if line.startswith(("a ", "b "))]
        assert 200 == sum(len(row.split()) - 1 for row in rows)
        heads = [line for line in lines if line.startswith("session ")]
        assert [str(n) for n in range(100)] == [n for h in heads for n in h.split()[1:]]


def test_values_of_several_types(page: Any) -> None:
    """Values that cannot be compared have an order all the same."""
    found = entries(("a", "x"), ("a", 2), ("a", 10), ("a", None))
    show_inventory(page.console, "Recording", ["session", "rank"], found)
    assert ["session", "2", "10", "x", "—"] == page.text.splitlines()[1].split()


def test_nothing(page: Any) -> None:
    """Without records it says how to find some."""
    show_inventory(page.console, "Recording", ["session"], [])
    assert "there is no Recording yet; `discover` finds them.\n" == page.text
    assert [] == inventory_json(["session", "index"], [])


@pytest.mark.parametrize("names", [["session"], ["session", "index"]])
def test_json(names: list[str]) -> None:
    """As plain data the combinations without a record are there too, where there are several."""
    found = [Entry(RECORD, entry.values[: len(names)], entry.presence) for entry in SOME]
    told = inventory_json(names, found)
    absent = [one for one in told if one["presence"] == "none"]
    assert 4 + len(absent) == len(told)
    assert [] == absent or [("a", 3), ("b", 2)] == [(o["session"], o["index"]) for o in absent]
    assert (len(names) > 1) == bool(absent)
