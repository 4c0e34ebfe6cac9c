"""Keys: three forms of each value, and back."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import DeclarationError
from pointillist.model import keys

TEXT = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
NAMES = TEXT.filter(lambda text: text not in (".", ".."))
FLOATS = st.floats(allow_nan=False).map(lambda value: value + 0.0)
OFFSETS = st.integers(-23 * 3600, 23 * 3600).map(
    lambda seconds: timezone(timedelta(seconds=seconds))  # Python 3.11 reads 1 µs as UTC
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda parts: Path(*parts))
VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: NAMES,
    int: st.integers(),
    float: FLOATS,
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.none() | OFFSETS),
    Path: PATHS,
}
KEYS = st.sampled_from(list(VALUES)).flatmap(lambda kind: st.tuples(st.just(kind), VALUES[kind]))
SPECS: list[tuple[type, str, Any]] = [
    (int, "03d", st.integers()),
    (int, "+d", st.integers()),
    (int, "5d", st.integers()),
    (int, "_", st.integers()),
    (bool, "d", st.booleans()),
    (float, ".2f", st.integers(-(10**9), 10**9).map(lambda n: n / 100 + 0.0)),
    (float, "g", st.integers(-9999, 9999).map(lambda n: n / 10 + 0.0)),
    (date, "%Y%m%d", st.dates(date(1000, 1, 1))),
    (date, "%d.%m.%Y", st.dates(date(1000, 1, 1))),
    (date, "%Y-%j", st.dates(date(1000, 1, 1))),
    (date, "%d %b %y", st.dates(date(1970, 1, 1), date(2060, 1, 1))),
    (datetime, "%Y%m%d_%H%M%S.%f", st.datetimes(datetime(1000, 1, 1))),
    (
        datetime,
        "%Y-%m-%dT%H%M%S.%f%z",
        st.datetimes(datetime(1000, 1, 1)).map(lambda value: value.replace(tzinfo=UTC)),
    ),
]


@given(KEYS)
def test_state_point_round_trip(key: tuple[type, Any]) -> None:
    """A key comes back from the JSON of the state point as it was."""
    kind, value = key
    data = json.loads(json.dumps(keys.encode(value)))
    found = keys.decode(data, kind)
    assert (value, type(value)) == (found, type(found))


@given(KEYS)
def test_text_round_trip(key: tuple[type, Any]) -> None:
    """A key comes back from its text in a path as it was, and fits the type's expression."""
    kind, value = key
    text = keys.to_text(value)
    found = keys.from_text(text, kind)
    assert (value, type(value)) == (found, type(found))
    assert fits(kind, "", text)


@pytest.mark.parametrize(("kind", "spec", "values"), SPECS, ids=lambda part: str(part)[:20])
@given(data=st.data())
def test_format_round_trip(
    kind: type, spec: str, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    """A key written by a format comes back as it was, and the format passes the check."""
    keys.check_spec(kind, spec)
    value = data.draw(values)
    text = keys.to_text(value, spec)
    assert value == keys.from_text(text, kind, spec)
    assert fits(kind, spec, text)


def fits(kind: type, spec: str, text: str) -> bool:
    """Whether a key's text fits the expression of its type."""
    import re

    return re.fullmatch(keys.expression(kind, spec), text, re.DOTALL) is not None


@given(KEYS)
def test_check_takes_what_is_right(key: tuple[type, Any]) -> None:
    """A value of the key's type passes the check unchanged."""
    kind, value = key
    assert value == keys.check(value, kind, "Day.key")


@pytest.mark.parametrize(
    ("given_", "kind", "expected"),
    [
        (3, float, 3.0),
        (np.int64(3), int, 3),
        (np.float32(0.5), float, 0.5),
        (np.bool_(True), bool, True),
        (np.str_("a"), str, "a"),
        ("2026-11-20", date, date(2026, 11, 20)),
        ("2026-11-20T14:03:00+01:00", datetime,
         datetime(2026, 11, 20, 14, 3, tzinfo=timezone(timedelta(hours=1)))),
        ("mouse1/day2", Path, Path("mouse1/day2")),
    ],
)  # fmt: skip
def test_check_converts(given_: Any, kind: type, expected: Any) -> None:
    """What is plainly meant becomes the key's type."""
    found = keys.check(given_, kind, "Day.key")
    assert (expected, type(expected)) == (found, type(found))


def test_minus_zero_is_zero() -> None:
    """Keys that are equal have one state point."""
    assert "0.0" == json.dumps(keys.encode(keys.check(-0.0, float, "Run.gain")))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ("3", int), (3.0, int), (True, int), (1, bool), ("true", bool), (3, str), (b"a", str),
        (True, float), ("0.5", float), (None, str), (math.nan, float), ("yesterday", date),
        (datetime(2026, 1, 1), date), (date(2026, 1, 1), datetime), ("today", datetime),
        (3, Path), (np.array([1, 2]), int),
    ],
)  # fmt: skip
def test_check_refuses(wrong: Any, kind: type) -> None:
    """What is of another type is an error that names the key."""
    with pytest.raises(DeclarationError, match=r"^Day\.key"):
        keys.check(wrong, kind, "Day.key")


def test_whole_numbers_are_floats() -> None:
    """A state point that was written with ``gain=3`` holds the float key 3.0."""
    found = keys.decode(3, float)
    assert (3.0, float) == (found, type(found))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (True, int), (3.5, int), ("3", int), (0, bool), (3, str), ("a", float), (math.nan, float),
        ("2026-13-01", date), (20261120, date), ("noon", datetime), (None, Path), (True, float),
    ],
)  # fmt: skip
def test_decode_refuses(wrong: Any, kind: type) -> None:
    """A state point that holds another type is an error, not another key."""
    with pytest.raises((TypeError, ValueError)):
        keys.decode(wrong, kind)


@pytest.mark.parametrize(
    ("text", "kind", "spec"),
    [
        ("007", int, ""), ("7", int, "03d"), ("+7", int, ""), ("\uff17", int, ""),
        ("1e3", float, ""), ("0.5", float, ".2f"), ("True", bool, ""), ("maybe", bool, ""),
        ("2", bool, "d"),
        ("2026-1-2", date, ""), ("20261120", date, ""), ("2026-02-30", date, ""),
        ("2026-11-20T14:03:00", datetime, ""), ("31.2.2026", date, "%d.%m.%Y"),
    ],
)  # fmt: skip
def test_other_spellings_are_refused(text: str, kind: type, spec: str) -> None:
    """Only the text that would be written is read, so that one key has one path."""
    with pytest.raises(ValueError):
        keys.from_text(text, kind, spec)


@pytest.mark.parametrize(
    ("kind", "spec", "said"),
    [
        (str, ">10", "all of a str"), (str, ".3", "all of a str"), (Path, ">9", "unsupported"),
        (int, "x", "not how 3039 is written"), (int, ",", "invalid literal"), (int, "é", "format"),
        (float, "%", "could not convert"), (date, "03d", "'03d' for every date"),
        (date, "%Y%Y", "redefinition"), (date, "%Y/%m", "writes a '/'"),
        (date, "%-d", "bad directive"),
    ],
)  # fmt: skip
def test_formats_that_cannot_be_read_back(kind: type, spec: str, said: str) -> None:
    """A format whose text does not give the key back is refused, with the reason."""
    with pytest.raises(ValueError, match=said):
        keys.check_spec(kind, spec)


@given(st.datetimes(datetime(1000, 1, 1)))
def test_dates_in_pieces(value: datetime) -> None:
    """A date that is written in pieces, some of them twice, comes back whole."""
    specs = ["%Y", "%Y-%m", "%d", "%H%M", "%S.%f"]
    texts = {spec: keys.to_text(value, spec) for spec in specs}
    assert value == keys.from_texts(texts, datetime)
    assert keys.is_whole(datetime, specs)


def test_pieces_that_do_not_agree() -> None:
    """Texts of one key that say different things are refused."""
    with pytest.raises(ValueError, match=r"'2025', '2026-11-20' are not one date"):
        keys.from_texts({"%Y": "2025", "": "2026-11-20"}, date)


@pytest.mark.parametrize(
    ("kind", "specs", "expected"),
    [
        (date, ["%Y"], False), (date, ["%Y", "%m"], False), (date, ["%Y/%m", "%d"], True),
        (date, ["%j", "%y"], True), (date, ["", "%Y"], True), (date, ["%%d %Y %m"], False),
        (datetime, ["%Y%m%d"], False), (datetime, ["%Y%m%d", "%H%M"], True), (int, ["03d"], True),
    ],
)  # fmt: skip
def test_whole(kind: type, specs: list[str], expected: bool) -> None:
    """Formats that leave a part of a date out do not say the whole key."""
    assert expected is keys.is_whole(kind, specs)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"), (3, "3"), (True, "true"), (date(2026, 11, 20), "2026-11-20"), ("ä", "ä"),
        (Path("m1/d2"), "m1/d2"), ("two words", "'two words'"), ("", "''"), ("a\nb", r"'a\nb'"),
        ("it's", '"it\'s"'), ("\x1b[31m", r"'\x1b[31m'"),
    ],
)  # fmt: skip
def test_shown(value: Any, expected: str) -> None:
    """People see a key as one word on one line."""
    assert expected == keys.shown(value)
