from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import pandas as pdst

from pointillist.errors import FormatError
from pointillist.formats.tables import TableFormat

CSV = TableFormat()
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "x.csv"


def written(table: pd.DataFrame, path: Path, **options: Any) -> str:
    CSV.write(table, path, **options)
    return path.read_bytes().decode()


@given(
    table=pdst.data_frames(
        [
            pdst.column("int", dtype="i8"),
            pdst.column("float", dtype="f8"),
            pdst.column("bool", dtype=bool),
        ],
        index=pdst.range_indexes(min_size=1),
    )
)
@settings(max_examples=40)
def test_numbers(path: Path, table: pd.DataFrame) -> None:
    """Integers, floats and bools come back bit by bit, with their types."""
    CSV.write(table, path)
    pd.testing.assert_frame_equal(table, CSV.read(path), check_exact=True)


@given(cells=st.lists(CELLS, min_size=1))
def test_text(path: Path, cells: list[str]) -> None:
    """Text of any kind comes back as text."""
    CSV.write(pd.DataFrame({"text": cells, "n": 1}), path)
    assert cells == CSV.read(path)["text"].tolist()


@given(cells=st.lists(st.sampled_from(["1", "007", "NA", "nan", "True", "2024-01-01", "1e3"])))
@settings(max_examples=30)
def test_text_like_others(path: Path, cells: list[str]) -> None:
    """Text that looks like a number, a bool, a date or a missing value stays text."""
    table = pd.DataFrame({"text": [*cells, None]}, dtype="str")
    CSV.write(table, path)
    assert cells == CSV.read(path)["text"].tolist()[:-1]


@given(names=st.lists(CELLS, min_size=1, max_size=3, unique=True))
def test_names(path: Path, names: list[str]) -> None:
    """Any text is a column's name."""
    CSV.write(pd.DataFrame([range(len(names))], columns=names), path)
    assert names == CSV.read(path).columns.tolist()


@given(
    dates=st.lists(
        st.datetimes(
            pd.Timestamp(1700, 1, 1).to_pydatetime(), pd.Timestamp(2200, 1, 1).to_pydatetime()
        ),
        min_size=1,
    )
)
@settings(max_examples=40)
def test_dates(path: Path, dates: list[Any]) -> None:
    """Dates come back as dates, to the microsecond."""
    CSV.write(pd.DataFrame({"when": [*dates, None]}), path)
    back = CSV.read(path)["when"]
    assert dates == [each.to_pydatetime() for each in back[:-1]]
    assert pd.api.types.is_datetime64_any_dtype(back) and pd.isna(back.iloc[-1])


def test_time_zone(path: Path) -> None:
    """Dates with a time zone come back as the same instants in UTC."""
    when = pd.to_datetime(pd.Series(["2024-10-27T00:30", "2024-10-27T03:30"]), utc=True)
    CSV.write(pd.DataFrame({"when": when.dt.tz_convert("Europe/Berlin")}), path)
    assert when.tolist() == CSV.read(path)["when"].tolist()


def test_bytes(path: Path) -> None:
    """Text is quoted, numbers are not, missing values are empty."""
    table = pd.DataFrame({"id": ["007", None], "x": [0.1, np.nan], "ok": [True, False]})
    assert 'id,x,ok\n"007",0.1,True\n,,False\n' == written(table, path)


@pytest.mark.parametrize("values", [[np.nan, 1.5], [None, "a"], ["a", None], [None, None]])
def test_missing_alone_on_a_line(path: Path, values: list[Any]) -> None:
    """A table of one column keeps its missing values."""
    CSV.write(pd.DataFrame({"x": values}), path)
    assert [pd.isna(value) for value in values] == CSV.read(path)["x"].isna().tolist()


def test_index_that_counts(path: Path) -> None:
    """The default index is not written, unless asked for; it may be left out."""
    table = pd.DataFrame({"x": [5, 6]})
    assert "x\n5\n6\n" == written(table, path)
    assert '"",x\n0,5\n1,6\n' == written(table, path, index=True)
    assert "x\n6\n" == written(table[1:], path, index=False)


@pytest.mark.parametrize("labels", [[4, 2], ["mean", "7"], [0.5, 1.5]])
def test_index_without_a_name(path: Path, labels: list[Any]) -> None:
    """An index without a name comes back as the index."""
    table = pd.DataFrame({"x": [1, 2]}, index=labels)
    CSV.write(table, path)
    pd.testing.assert_frame_equal(table, CSV.read(path))


def test_index_with_a_name(path: Path) -> None:
    """An index with a name, or of levels, comes back as columns."""
    table = pd.DataFrame({"s": ["a", "b", "a"], "n": [1, 2, 3]})
    CSV.write(table.groupby("s").sum(), path)
    assert {"s": ["a", "b"], "n": [4, 2]} == CSV.read(path).to_dict("list")
    CSV.write(table.set_index(["s", "n"]).assign(x=0), path)
    assert ["s", "n", "x"] == CSV.read(path).columns.tolist()


def test_changed_types(path: Path) -> None:
    """What comes back otherwise does so as documented."""
    table = pd.DataFrame(
        {
            "f4": np.array([0.1, 3], dtype="f4"),
            "Int64": pd.array([1, None], dtype="Int64"),
            "category": pd.Categorical(["b", "a"]),
            "empty text": ["", "x"],
            "big": np.array([2**64 - 1, 0], dtype="u8"),
        }
    )
    CSV.write(table, path)
    back = CSV.read(path)
    assert table["f4"].tolist() == back["f4"].tolist()
    assert ("float64", "float64", "uint64") == tuple(
        str(back[name].dtype) for name in ("f4", "Int64", "big")
    )
    assert ["b", "a"] == back["category"].tolist()
    assert [True, False] == back["empty text"].isna().tolist()
    assert [2**64 - 1, 0] == back["big"].tolist()


def test_no_rows(path: Path) -> None:
    """A table without rows keeps its columns."""
    CSV.write(pd.DataFrame(columns=["a", "b"]), path)
    assert (["a", "b"], 0) == (CSV.read(path).columns.tolist(), len(CSV.read(path)))


def test_foreign_file(path: Path) -> None:
    """A file of Excel or MATLAB, or of pandas with its index, is read as expected."""
    path.write_bytes("\ufeffname,x,when\r\nµV,NaN,01-Jan-2024\r\nb c,2,x\r\n".encode())
    back = CSV.read(path)
    assert ["µV", "b c"] == back["name"].tolist()
    assert "float64" == str(back["x"].dtype)
    assert "01-Jan-2024" == back["when"][0]
    pd.DataFrame({"x": [1, 2]}, index=["a", "b"]).to_csv(path)
    assert {"x": {"a": 1, "b": 2}} == CSV.read(path).to_dict()
    path.write_text("when\n2024-02-31\n")
    assert ["2024-02-31"] == CSV.read(path)["when"].tolist()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "expected pandas.DataFrame, got NoneType"),
        ({"a": [1]}, "expected pandas.DataFrame, got dict"),
        (pd.Series([1]), "expected pandas.DataFrame, got pandas.Series"),
        (pd.DataFrame([[1]]), r"names that are text, got 0 \(int\)"),
        (pd.DataFrame([[1]], columns=[""]), "names that are text, got ''"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column 'a' is there twice"),
        (pd.DataFrame({"a": [[1], [2]]}), "column 'a' is mixed"),
        (pd.DataFrame({"a": [1j]}), "column 'a' is complex"),
        (pd.DataFrame({"a": pd.to_timedelta([1])}), "column 'a' is timedelta"),
        (pd.DataFrame({"a": pd.array([2**60, None], dtype="Int64")}), "come back inexactly"),
        (pd.DataFrame({"a": [1]}, index=pd.Index([5], name="a")), "cannot insert a"),
        (pd.DataFrame({"a": ["\ud800"]}, dtype=object), "cannot write a table"),
    ],
)
def test_wrong_values(path: Path, value: object, said: str) -> None:
    """What a CSV file cannot give back is refused."""
    with pytest.raises(FormatError, match=said):
        CSV.write(value, path)


def test_ragged(path: Path) -> None:
    """A row that is too long is named."""
    path.write_text("a,b\n1,2\n1,2,3\n")
    with pytest.raises(FormatError, match=r"is no table in CSV.*line 3"):
        CSV.read(path)
