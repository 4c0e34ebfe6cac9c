"""Which records belong together, and in which order."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import DeclarationError
from pointillist.model.fields import key
from pointillist.model.records import Aggregate, Record
from pointillist.space.membership import digest, group_members, ordered


class Recording(Record):
    """One recording; its depth is not known for every one."""

    session: str = key()
    index: int = key()

    @property
    def parity(self) -> str:
        """Say whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"

    @property
    def depth(self) -> float | None:
        """Say how deep it was, if that is known."""
        return None if self.index == 3 else -1.5

    @property
    def wrong(self) -> int:
        """Have a value that is no text."""
        return self.index

    @property
    def broken(self) -> str:
        """Have no value."""
        raise KeyError("subject")


class Block(Aggregate[Recording], order_by="index"):
    """A block."""

    session: str = key()
    parity: str = key()


def recordings(*places: tuple[str, int]) -> list[Recording]:
    """Make recordings."""
    return [Recording(session=session, index=index) for session, index in places]


@given(st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 9))), st.randoms())
def test_every_record_is_in_one_group(places: set[tuple[str, int]], chance: object) -> None:
    """Groups are disjoint and complete, in the order of keys, whatever order records come in."""
    records = recordings(*places)
    chance.shuffle(records)  # type: ignore[attr-defined]  # a Random
    groups = group_members(Block, records)
    assert sorted({(r.session, r.parity) for r in records}) == [
        (g.values["session"], g.values["parity"]) for g in groups
    ]
    assert len(records) == sum(len(group.members) for group in groups)
    for group in groups:
        assert {tuple(group.values.values())} == {(r.session, r.parity) for r in group.members}
        assert sorted(r.index for r in group.members) == [r.index for r in group.members]


def test_descending_with_ties() -> None:
    """``-`` orders from high to low; ties go by the members' keys, from low to high."""

    class All(Aggregate[Recording], order_by=("-parity", "-session")):
        pass

    records = recordings(("a", 2), ("b", 1), ("a", 1), ("b", 0), ("a", 0), ("a", 3))
    assert [("b", 1), ("a", 1), ("a", 3), ("b", 0), ("a", 0), ("a", 2)] == [
        (r.session, r.index) for r in ordered(All, records)
    ]


def test_without_an_order_the_members_keys_decide() -> None:
    """Numbers go by value, not by text."""

    class All(Aggregate[Recording]):
        pass

    (group,) = group_members(All, recordings(("a", 10), ("a", 9), ("A", 11)))
    assert [11, 9, 10] == [record.index for record in group.members]


def test_no_records() -> None:
    """Nothing has no groups."""
    assert [] == group_members(Block, [])


def test_a_property_of_another_type() -> None:
    """The error names the member, the aggregate's key and both types."""

    class Wrong(Aggregate[Recording]):
        wrong: str = key()

    with pytest.raises(DeclarationError, match=r"Wrong.wrong .* str, got int: 1") as error:
        group_members(Wrong, recordings(("a", 1)))
    assert str(error.value).startswith("Recording session=a index=1: ")
    assert "Recording session=a index=1" == error.value.record


def test_a_property_that_raises() -> None:
    """The error names the member, the property, the aggregate and what it raised."""

    class Broken(Aggregate[Recording]):
        broken: str = key()

    with pytest.raises(DeclarationError) as error:
        group_members(Broken, recordings(("a", 1)))
    assert (
        "Recording session=a index=1: its property broken, by which Broken groups or orders, "
        "raised KeyError: 'subject'."
    ) in str(error.value)


def test_an_order_that_cannot_be() -> None:
    """Values that cannot be compared are an error that names the class and the property."""

    class Deep(Aggregate[Recording], order_by="depth"):
        session: str = key()

    with pytest.raises(DeclarationError, match=r"Deep cannot be ordered by depth: .*NoneType"):
        group_members(Deep, recordings(("a", 1), ("a", 3)))


def test_a_date_as_a_property() -> None:
    """Keys of aggregates have all the types that keys have."""

    class Day(Record):
        day: date = key()

        @property
        def month(self) -> date:
            return self.day.replace(day=1)

    class Month(Aggregate[Day]):
        month: date = key()

    days = [Day(day=date(2026, 11, n)) for n in (3, 1)] + [Day(day="2026-10-31")]
    assert [(date(2026, 10, 1), 1), (date(2026, 11, 1), 2)] == [
        (group.values["month"], len(group.members)) for group in group_members(Month, days)
    ]


@given(st.lists(st.text("abcdef0123", min_size=1, max_size=4)), st.data())
def test_the_digest_tells_members_and_order(ids: list[str], data: st.DataObject) -> None:
    """Two lists of members have one digest only if they are the same list."""
    other = data.draw(st.permutations(ids) | st.lists(st.text("abcdef0123", min_size=1)))
    assert (ids == other) is (digest(ids) == digest(other))
