"""State points and ids: what signac would write, and what it would call the job."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import signac
from hypothesis import given
from hypothesis import strategies as st
from signac.job import calc_id

from pointillist.model import keys
from pointillist.space.statepoints import Statepoints

VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(), max_size=9),
    int: st.integers(),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.none() | st.just(timezone(timedelta(hours=-3)))),
    Path: st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=9).map(Path),
}
NAMES = st.from_regex(r"[a-zA-Zäß_][a-zA-Z0-9ü_]{0,6}", fullmatch=True)


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, type], dict[str, str], tuple[Any, ...]]:
    """Give the kinds of some keys, what is said before them, and their values."""
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(list(VALUES)), max_size=5))
    mark = draw(st.sampled_from([{}, {"record": "A{b}%s"}, {"aggregate": "Bloß"}]))
    return kinds, mark, tuple(draw(VALUES[kind]) for kind in kinds.values())


@given(records())
def test_ids_and_texts_are_those_of_signac(
    record: tuple[dict[str, type], dict[str, str], tuple[Any, ...]],
) -> None:
    """Whatever the keys are, in whatever order: the same id, the same bytes."""
    kinds, mark, place = record
    plain = {name: keys.encode(value) for name, value in zip(kinds, place, strict=True)}
    statepoint = {**mark, **plain}
    id, text = Statepoints(kinds, mark).named(place)
    assert (calc_id(statepoint), json.dumps(statepoint)) == (id, text)


def test_signac_writes_the_same_file(tmp_path: Path) -> None:
    """A job that signac itself makes has that id, and that file byte for byte."""
    kinds: dict[str, type] = {"z": str, "x": float, "i": int, "b": bool, "day": date}
    project = signac.init_project(str(tmp_path))
    for place in (
        ("ü\n\"'字\U0001f600\udce9", 0.1, -3, True, date(2026, 11, 20)),
        ("", math.inf, 10**40, False, date(1, 1, 1)),
        ("{0}%s\\", 1e22, 0, True, date(9999, 12, 31)),
    ):
        plain = {name: keys.encode(value) for name, value in zip(kinds, place, strict=True)}
        job = project.open_job(plain).init()
        id, text = Statepoints(kinds, {}).named(place)
        assert (job.id, text.encode()) == (id, Path(job.fn(job.FN_STATE_POINT)).read_bytes())
