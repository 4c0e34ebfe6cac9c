"""The index comes back as it was, or not at all."""

from __future__ import annotations

from array import array
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.space.index import Index, Known, Sheet, read_index, write_index
from pointillist.space.layout import Layout

SIZES = st.integers(0, 2**62)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


@st.composite
def sheets(draw: st.DrawFn) -> Sheet:
    """Make a sheet of some jobs."""
    files = draw(st.integers(0, 3))
    sheet = Sheet(draw(st.text("abc")), [["name", "str"]], 3 + 2 * (1 + files))
    for id in draw(st.lists(st.text("0123456789abcdef", min_size=32, max_size=32), unique=True)):
        numbers = draw(st.lists(NUMBERS, min_size=sheet.width, max_size=sheet.width))
        sheet.add(
            id, numbers, draw(st.lists(st.integers(0, 2**60))), orjson.dumps([draw(st.text())])
        )
    return sheet


INDEXES = st.builds(
    Index,
    st.dictionaries(st.text(min_size=1), sheets(), max_size=3),
    st.lists(
        st.builds(Known, st.text(), *[st.integers(0, 2**62)] * 3, st.text(), st.integers(0, 2**32))
    ),
    st.dictionaries(st.text(), st.lists(st.integers(0, 2**60))),
    st.lists(st.dictionaries(st.text(), st.text())),
)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Give the places of an empty project."""
    layout = Layout(tmp_path_factory.mktemp("lab"))
    layout.own.mkdir()
    return layout


@given(index=INDEXES)
def test_round_trip(layout: Layout, index: Index) -> None:
    """What was written is what is read, and where each job's lines are is found."""
    write_index(layout, index)
    assert index == read_index(layout)
    for sheet in index.sheets.values():
        for row, id in enumerate(sheet.ids):
            assert sheet.numbers_of(row) == tuple(
                sheet.numbers[row * sheet.width : (row + 1) * sheet.width]
            )
            assert row == sheet.rows[id]
    assert [layout.index] == list(layout.own.iterdir())


@given(st.data())
def test_damaged(layout: Layout, data: st.DataObject) -> None:
    """An index that is torn, longer, or differs in a byte is none."""
    sheet = Sheet("s", [["name", "str"]], 5)
    sheet.add("0" * 32, range(5), [7], b'["a"]')
    write_index(layout, Index({"Item": sheet}, [Known("a", 1, 2, 2, "r", 3)], {"x": [1]}))
    content = bytearray(layout.index.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content = content[:place]
    else:
        content[place] ^= data.draw(st.integers(1, 255))
    layout.index.write_bytes(content)
    found = read_index(layout)
    # a blank or a sign more in the first line says the same
    assert found is None or found.sheets["Item"].numbers == array("q", range(5))


def test_none(tmp_path: Path) -> None:
    """Where there is none, or none can be written, that is no error."""
    layout = Layout(tmp_path)
    assert None is read_index(layout)
    write_index(layout, Index())
    assert [] == list(tmp_path.iterdir())


def test_what_is_no_text(layout: Layout) -> None:
    """What JSON cannot say is not kept, and the index of before stays."""
    write_index(layout, Index())
    write_index(layout, Index(others={"\udcff": [1]}))
    assert Index() == read_index(layout)
