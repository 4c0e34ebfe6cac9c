"""Which records belong together, and in which order."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import CorruptRecord, DeclarationError, RecordError, ValueNotThere
from pointillist.model.fields import key
from pointillist.model.records import Aggregate, Record
from pointillist.space.membership import Group, digest, group_members, ordered


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
        """Have a value that is no text, but for the second."""
        return "two" if self.index == 2 else self.index  # type: ignore[return-value]  # the mistake

    @property
    def broken(self) -> str:
        """Have a value for the second only."""
        if self.index != 2:
            raise KeyError("subject")
        return "m1"

    @property
    def absent(self) -> str:
        """Take a value that is not there."""
        raise ValueNotThere("size is not there yet.")

    @property
    def corrupt(self) -> str:
        """Take a value from a document that cannot be read."""
        raise CorruptRecord("the document cannot be read.")


class Block(Aggregate[Recording], order_by="index"):
    """A block."""

    session: str = key()
    parity: str = key()


def recordings(*places: tuple[str, int]) -> list[Recording]:
    """Make recordings."""
    return [Recording(session=session, index=index) for session, index in places]


def grouped(cls: Any, records: list[Any]) -> list[Group]:
    """Group records of which every one has its place."""
    problems: list[RecordError] = []
    groups = group_members(cls, records, problems)
    assert [] == problems
    return groups


def left_out(cls: Any) -> RecordError:
    """Group a record that has a place and one that has none; return what is told of that one."""
    problems: list[RecordError] = []
    (group,) = group_members(cls, recordings(("a", 1), ("a", 2)), problems)
    assert ["Recording session=a index=2"] == [record.label for record in group.members]
    (problem,) = problems
    assert "Recording session=a index=1" == problem.record
    assert RecordError is type(problem)
    return problem


@given(st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 9))), st.randoms())
def test_every_record_is_in_one_group(places: set[tuple[str, int]], chance: object) -> None:
    """Groups are disjoint and complete, in the order of keys, whatever order records come in."""
    records = recordings(*places)
    chance.shuffle(records)  # type: ignore[attr-defined]  # a Random
    groups = grouped(Block, records)
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

    (group,) = grouped(All, recordings(("a", 10), ("a", 9), ("A", 11)))
    assert [11, 9, 10] == [record.index for record in group.members]


def test_no_records() -> None:
    """Nothing has no groups."""
    assert [] == grouped(Block, [])


def test_a_property_of_another_type() -> None:
    """Its record is left out; what is told names it, the aggregate's key and both types."""

    class Wrong(Aggregate[Recording]):
        wrong: str = key()

    told = str(left_out(Wrong))
    assert told.startswith("Recording session=a index=1 is in no Wrong: Wrong.wrong ")
    assert "str, got int: 1" in told


def test_a_property_that_raises() -> None:
    """Its record is left out; what is told names it, the property and what that raised."""

    class Broken(Aggregate[Recording]):
        broken: str = key()

    assert (
        "Recording session=a index=1 is in no Broken: its property broken, by which Broken groups "
        "or orders, raised KeyError: 'subject'."
    ) in str(left_out(Broken))


def test_an_order_that_raises() -> None:
    """A record that has no place in the order is left out like one that has no key."""

    class Last(Aggregate[Recording], order_by="-broken"):
        session: str = key()

    assert "in no Last: its property broken, by which Last" in str(left_out(Last))


def test_a_property_that_takes_what_is_not_there() -> None:
    """An error of this package's own leaves a record out like any other, one for each record."""

    class Absent(Aggregate[Recording]):
        absent: str = key()

    problems: list[RecordError] = []
    assert [] == group_members(Absent, recordings(("a", 1), ("a", 2)), problems)
    assert ["Recording session=a index=1", "Recording session=a index=2"] == [
        problem.record for problem in problems
    ]
    assert "raised ValueNotThere: size is not there yet." in str(problems[0])


def test_a_document_that_cannot_be_read() -> None:
    """Where it belongs is not known then: that is an error, so that nothing is left out."""

    class Corrupt(Aggregate[Recording]):
        corrupt: str = key()

    problems: list[RecordError] = []
    with pytest.raises(CorruptRecord, match=r"^the document cannot be read\.$"):
        group_members(Corrupt, recordings(("a", 1)), problems)
    assert [] == problems


def test_an_order_that_cannot_be() -> None:
    """Values that cannot be compared are an error that names the class and the property."""

    class Deep(Aggregate[Recording], order_by="depth"):
        session: str = key()

    with pytest.raises(DeclarationError, match=r"Deep cannot be ordered by depth: .*NoneType"):
        grouped(Deep, recordings(("a", 1), ("a", 3)))


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
        (group.values["month"], len(group.members)) for group in grouped(Month, days)
    ]


@given(st.lists(st.text("abcdef0123", min_size=1, max_size=4)), st.data())
def test_the_digest_tells_members_and_order(ids: list[str], data: st.DataObject) -> None:
    """Two lists of members have one digest only if they are the same list."""
    other = data.draw(st.permutations(ids) | st.lists(st.text("abcdef0123", min_size=1)))
    assert (ids == other) is (digest(ids) == digest(other))


# Keys, order and choice by functions.


def test_key_by_a_function() -> None:
    """A function gives a key of each member; it is checked like any other value."""

    class Half(Aggregate[Recording], order_by="-index"):
        late: bool = key(lambda recording: recording.index > 1)
        name: str = key(lambda recording: recording.session.upper())

    groups = grouped(Half, recordings(("a", 0), ("a", 1), ("a", 2), ("b", 3)))
    assert [
        ({"late": False, "name": "A"}, [1, 0]),
        ({"late": True, "name": "A"}, [2]),
        ({"late": True, "name": "B"}, [3]),
    ] == [(group.values, [r.index for r in group.members]) for group in groups]


def test_key_by_a_function_that_raises() -> None:
    """Its record is left out; what is told names the function and what it raised."""

    def inverted(recording: Any) -> float:
        return 1 / (recording.index - 1)

    class Inverse(Aggregate[Recording]):
        inverse: float = key(inverted)

    told = str(left_out(Inverse))
    assert "in no Inverse: the function inverted, by which Inverse groups or orders, raised" in told
    assert "ZeroDivisionError: division by zero" in told


def test_key_by_a_function_of_another_type() -> None:
    """A value of another type leaves its record out, with both types told."""

    class Wrong(Aggregate[Recording]):
        which: str = key(lambda recording: "two" if recording.index == 2 else 1)

    assert "Wrong.which is a key of type str, got int: 1" in str(left_out(Wrong))


def test_order_by_a_function() -> None:
    """Members are ordered by what a function gives; ties go by their keys."""

    class Turned(Aggregate[Recording], order_by=lambda recording: recording.index % 2):
        session: str = key()

    (group,) = grouped(Turned, recordings(("a", 3), ("a", 1), ("a", 0), ("a", 2)))
    assert [0, 2, 1, 3] == [record.index for record in group.members]


def test_order_by_names_and_functions() -> None:
    """Names and functions may be mixed; the first one counts most."""

    class Mixed(Aggregate[Recording], order_by=("-parity", lambda recording: -recording.index)):
        session: str = key()

    (group,) = grouped(Mixed, recordings(*[("a", index) for index in range(5)]))
    assert [3, 1, 4, 2, 0] == [record.index for record in group.members]


def test_order_by_a_function_that_cannot_be() -> None:
    """Values that cannot be compared are an error that names the function."""

    def depth(recording: Any) -> Any:
        return recording.depth

    class Deep(Aggregate[Recording], order_by=depth):
        session: str = key()

    with pytest.raises(DeclarationError, match=r"Deep cannot be ordered by depth: .*NoneType"):
        grouped(Deep, recordings(("a", 1), ("a", 3)))


def test_select() -> None:
    """Who is not selected is in no group, and no problem, also if it has no key."""

    class Second(Aggregate[Recording], select=lambda recording: recording.index == 2):
        broken: str = key()

    (group,) = grouped(Second, recordings(("a", 1), ("a", 2), ("b", 2), ("b", 3)))
    assert [("a", 2), ("b", 2)] == [(r.session, r.index) for r in group.members]


def test_select_that_raises() -> None:
    """A record of which is not known whether it is selected is left out, and told of."""

    def wanted(recording: Any) -> bool:
        return bool(recording.broken == "m1")

    class Wanted(Aggregate[Recording], select=wanted):
        session: str = key()

    assert "in no Wanted: the function wanted, by which Wanted" in str(left_out(Wanted))


def test_nobody_is_selected() -> None:
    """Without anyone selected there is no group."""

    class Nobody(Aggregate[Recording], select=lambda recording: False):
        pass

    assert [] == grouped(Nobody, recordings(("a", 1)))
