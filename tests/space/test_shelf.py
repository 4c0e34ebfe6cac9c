"""A shelf gives the same records, in the same order, whether a sheet tells of them or not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pointillist as pt
from pointillist.space.index import Sheet
from pointillist.space.shelf import Shelf, decoded, kinds_of


class Item(pt.Record):
    """A record with two keys."""

    group: str = pt.key()
    number: int = pt.key()


def record(place: tuple[str, int], id: str) -> Any:
    """Make a record of its keys."""
    return Item._found(id, dict(zip(Item.keys, place, strict=True)), None)  # type: ignore[arg-type]


def sheet_of(told: dict[str, tuple[str, int]]) -> Sheet:
    """Return a sheet that tells of some records."""
    sheet = Sheet("", kinds_of(Item), 0)
    for id, place in told.items():
        sheet.add(id, [], [], orjson.dumps(place))
    return sheet


def shelf_of(told: dict[str, tuple[str, int]], found: dict[str, tuple[str, int]]) -> Shelf | None:
    """Return a shelf with records of a sheet and others; None if it refuses these."""

    def make(id: str, sheet: Sheet) -> Any:
        return Item._found(id, decoded(Item, sheet.keys[sheet.rows[id]]), None)  # type: ignore[arg-type]

    shelf = Shelf(make, None)
    shelf.tell(told, sheet_of(told))
    return shelf if shelf.put_all(record(place, id) for id, place in found.items()) else None


places = st.tuples(st.sampled_from("abc"), st.integers(0, 5))


@given(st.lists(places, unique=True), st.data())
def test_told_or_found(all_places: list[tuple[str, int]], data: st.DataObject) -> None:
    """Iteration, look-up and order do not depend on where a record came from."""
    named = {f"{number:032x}": place for number, place in enumerate(all_places)}
    told = {id: place for id, place in named.items() if data.draw(st.booleans())}
    shelf = shelf_of(told, {id: place for id, place in named.items() if id not in told})
    assert shelf is not None
    for id in data.draw(st.lists(st.sampled_from(sorted(named)))) if named else ():
        assert (named[id], id) == (shelf[id]._place, shelf[id].id)
        assert shelf[id] is shelf[id]
    ordered = sorted(named, key=lambda id: named[id])
    assert len(ordered) == len(shelf)
    assert ordered[:3] == [found.id for found in shelf.some(ordered[2::-1])]
    assert ordered == list(shelf)
    assert ordered == [found.id for found in shelf.values()]
    assert ordered == [id for id, _ in shelf.items()]
    assert sorted(all_places) == list(shelf.by_keys)


def test_same_keys() -> None:
    """Of records with the same keys the one with the smaller id stays, in whatever order."""
    found = {"b" * 32: ("a", 1), "a" * 32: ("a", 1), "c" * 32: ("a", 2)}
    for some in (found, dict(reversed(found.items()))):
        shelf = shelf_of({}, some)
        assert shelf is not None
        assert ["a" * 32, "c" * 32] == list(shelf)
        [problem] = shelf.problems
        assert "jobs aaaaaaaa… and bbbbbbbb… have the same keys" in str(problem)


def test_same_keys_as_one_that_is_told_of() -> None:
    """A record with the keys of one in the sheet is refused: all must be looked at then."""
    assert shelf_of({"b" * 32: ("a", 1)}, {"a" * 32: ("a", 1)}) is None


def test_put_later() -> None:
    """A record that is put on it later takes its place in the order, and is found by its keys."""
    shelf = shelf_of({"a" * 32: ("a", 1), "c" * 32: ("c", 1)}, {})
    assert shelf is not None
    assert 2 == len(shelf.by_keys)
    shelf.put(record(("b", 1), "b" * 32))
    assert ["a" * 32, "b" * 32, "c" * 32] == list(shelf)
    assert "b" * 32 == shelf.by_keys["b", 1].id


def test_unknown() -> None:
    """What is not on it is a KeyError."""
    shelf = shelf_of({"a" * 32: ("a", 1)}, {})
    assert shelf is not None
    assert "b" * 32 not in shelf
    with pytest.raises(KeyError):
        shelf["b" * 32]
