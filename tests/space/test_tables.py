"""Tables beside the data: typed cells, keys as they are written, rows that fit nothing."""

from __future__ import annotations

import csv
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import SpaceError
from pointillist.model.fields import key
from pointillist.model.records import Record
from pointillist.space.tables import match_rows, read_rows


class Recording(Record):
    """One recording."""

    session: str = key()
    index: int = key()


class Visit(Record):
    """A record with a key of every other type."""

    day: date = key()
    at: datetime = key()
    dose: float = key()
    blind: bool = key()
    file: Path = key()


def found(cls: Any, id: str, **values: Any) -> Any:
    """Return a record as if it had been found under an id."""
    record = cls(**values)
    record.id = id
    return record


RECORDS = [
    found(Recording, "a0", session="a", index=0),
    found(Recording, "a1", session="a", index=1),
    found(Recording, "b0", session="007", index=0),
]


def table(tmp_path: Path, text: str, name: str = "table.csv") -> Path:
    """Write a table."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("m12", "m12"),
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("0.5", 0.5),
        ("2.", 2.0),
        ("1e3", 1000.0),
        ("True", True),
        ("false", False),
        (" 3 ", 3),
        ("", None),
        ("  ", None),
        ("007", "007"),
        ("007.5", "007.5"),
        ("1_000", "1_000"),
        ("1_000.5", "1_000.5"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("٣", "٣"),
        ("2026-11-20", "2026-11-20"),
        ("=1+1", "=1+1"),
    ],
)
def test_a_cell(tmp_path: Path, cell: str, expected: object) -> None:
    """A cell is a number, true or false, or text; what only looks like a number is text."""
    path = table(tmp_path, f"session,value\na,{cell}\n")
    rows = read_rows(path, ["session"])
    assert [{"session": "a", "value": expected}] == rows
    assert type(expected) is type(rows[0]["value"])


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1)))
def test_the_cells_of_keys_are_kept_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    """Whatever text stands in a key's column, it is that text."""
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["session", "x"], *([cell, "1"] for cell in cells)])
    assert [{"session": cell, "x": 1} for cell in cells] == read_rows(path, ["session"])


def test_as_spreadsheets_write_it(tmp_path: Path) -> None:
    """A byte order mark, CRLF, blank lines, short and long rows and a nameless column are fine."""
    path = tmp_path / "table.csv"
    path.write_bytes(b'\xef\xbb\xbfsession,x,\r\na,1,\r\n\r\nb\r\n"c,d",2,3,4\r\n')
    assert [
        {"session": "a", "x": 1},
        {"session": "b", "x": None},
        {"session": "c,d", "x": 2},
    ] == read_rows(path, ["session"])


def test_toml_rows(tmp_path: Path) -> None:
    """Arrays of tables of any name are rows; dates become text in the document."""
    path = table(
        tmp_path,
        'title = "lab"\n[rig]\nroom = 3\n[[session]]\nsession = "a"\nborn = 2026-01-02\n'
        "weights = [1, 2.5]\nfed = 07:30:00\n[session.box]\nat = 2026-01-02T03:04:05\n",
        "table.toml",
    )
    match = match_rows(Recording, read_rows(path), RECORDS, path)
    expected = {
        "born": "2026-01-02",
        "weights": [1, 2.5],
        "fed": "07:30:00",
        "box": {"at": "2026-01-02T03:04:05"},
    }
    assert {"a0": expected, "a1": expected} == match.metadata


def test_one_row_for_several_records_and_several_rows_for_one(tmp_path: Path) -> None:
    """A row goes to all records that share its keys; several rows add up."""
    path = table(tmp_path, "session,subject,age\na,m1,\n007,m3,5\na,,4\n007,m3,\n")
    match = match_rows(Recording, read_rows(path, Recording.keys), RECORDS, path)
    assert {
        "a0": {"subject": "m1", "age": 4},
        "a1": {"subject": "m1", "age": 4},
        "b0": {"subject": "m3", "age": 5},
    } == match.metadata
    assert [] == match.unmatched


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("session,x\na,1\na,2\n", "session=a that differ in x: 1 and 2"),
        ("session,x,y\na,1,\na,,m\na,2,m\n", "session=a that differ in x: 1 and 2"),
        ("session,x,y\na,1,\na,,m\na,,n\n", "session=a that differ in y: 'm' and 'n'"),
        (
            "session,index,x\na,0,m\na,1,m\na,00,n\n",
            "session=a index=0 that differ in x: 'm' and 'n'",
        ),
        ("session,x\nz,1\nz,no\n", "session=z that differ in x: 1 and 'no'"),
    ],
)
def test_rows_that_contradict_each_other(tmp_path: Path, text: str, said: str) -> None:
    """Two rows for the same keys, whether a record has them or not, do not differ in a column."""
    path = table(tmp_path, text)
    with pytest.raises(SpaceError) as error:
        match_rows(Recording, read_rows(path, Recording.keys), RECORDS, path)
    assert f"the table {path} has two rows for {said}. Keep one of them." == str(error.value)


def test_rows_that_fit_no_record_are_named(tmp_path: Path) -> None:
    """Rows are named by their keys as they are written."""
    path = table(tmp_path, "index,session,x\n0,a,1\n00,a,1\n9,a,1\nx,a,1\n,a,1\n0,7,1\n")
    match = match_rows(Recording, read_rows(path, Recording.keys), RECORDS, path)
    assert {"a0": {"x": 1}} == match.metadata
    assert [
        {"session": "a", "index": "9"},
        {"session": "a", "index": "x"},
        {"session": "a", "index": ""},
        {"session": "7", "index": "0"},
    ] == match.unmatched


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "table.csv",
            "day,at,dose,blind,file,x\n2026-11-20, 2026-11-20T14:03:00,.50,True,m1/d2,1\n",
        ),
        (
            "table.toml",
            "[[visit]]\nday = 2026-11-20\nat = 2026-11-20T14:03:00\ndose = 0.5\nblind = true\n"
            'file = "m1/d2"\nx = 1\n',
        ),
    ],
)
def test_keys_of_all_types(tmp_path: Path, name: str, text: str) -> None:
    """A table writes dates, numbers, truth and paths in its own way."""
    visit = found(
        Visit,
        "v",
        day=date(2026, 11, 20),
        at=datetime(2026, 11, 20, 14, 3),
        dose=0.5,
        blind=True,
        file="m1/d2",
    )
    path = table(tmp_path, text, name)
    match = match_rows(Visit, read_rows(path, Visit.keys), [visit], path)
    assert ({"v": {"x": 1}}, []) == (match.metadata, match.unmatched)


def test_an_int_in_toml_for_a_float_key(tmp_path: Path) -> None:
    """``dose = 2`` means 2.0 where the key is a float."""

    class Dose(Record):
        dose: float = key()

    path = table(tmp_path, "[[d]]\ndose = 2\nx = 1\n", "table.toml")
    assert {"d": {"x": 1}} == match_rows(
        Dose, read_rows(path), [found(Dose, "d", dose=2.0)], path
    ).metadata


def test_an_empty_table(tmp_path: Path) -> None:
    """A table with nothing but its header says nothing."""
    path = table(tmp_path, "x,y\n")
    match = match_rows(Recording, read_rows(path), RECORDS, path)
    assert ({}, []) == (match.metadata, match.unmatched)


def test_no_column_is_a_key(tmp_path: Path) -> None:
    """The error names the table, its columns and the keys."""
    path = table(tmp_path, "session;index\na;1\n")
    with pytest.raises(SpaceError) as error:
        match_rows(Recording, read_rows(path), RECORDS, path)
    assert (
        f"the table {path} has no column that is a key of Recording. Columns: session;index. "
        "Keys: session, index."
    ) == str(error.value)


def test_a_column_that_no_document_takes(tmp_path: Path) -> None:
    """Signac's documents take no dots in names: the error says how to call it instead."""
    path = table(tmp_path, "session,weight.g\na,1\n")
    with pytest.raises(SpaceError, match=r"the column 'weight.g': .* Call it 'weight_g'."):
        match_rows(Recording, read_rows(path), RECORDS, path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("table.csv", b"session\n\xff\xfe"),
        ("table.csv", b'session\n"a'),
        ("table.toml", b"[[session]"),
        ("table.toml", b"\xff"),
    ],
)
def test_no_such_table(tmp_path: Path, name: str, content: bytes) -> None:
    """What cannot be read as a table is an error with its place."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SpaceError, match=f"the table {path} cannot be read: "):
        read_rows(path)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    """A missing table is an error with its place; so is a folder."""
    with pytest.raises(SpaceError, match=r"the table .*no.csv is not there"):
        read_rows(tmp_path / "no.csv")
    with pytest.raises(SpaceError, match=r"cannot be read: .*directory"):
        read_rows(tmp_path)
