from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pointillist.errors import FormatError
from pointillist.formats import format_for, register
from pointillist.testing import check_format


def same_arrays(one: Any, other: Any) -> bool:
    """Compare arrays or dicts of arrays with their dtypes and the order of their names."""
    if isinstance(one, dict):
        return list(one) == list(other) and all(same_arrays(one[key], other[key]) for key in one)
    return (
        one.dtype.kind == other.dtype.kind
        and one.shape == other.shape
        and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")
    )


def same_content(one: Path, other: Path) -> bool:
    """Compare two files, or the names and contents of two folders."""

    def content(path: Path) -> dict[str, bytes | None]:
        files = path.rglob("*") if path.is_dir() else [path]
        return {str(f.relative_to(path)): None if f.is_dir() else f.read_bytes() for f in files}

    return content(one) == content(other)


def same_table(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Compare two tables; raise what pandas has to say about a difference."""
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    return True


def picture(figure: Figure, path: Path) -> bool:
    """Tell whether a path is a picture of some size."""
    return path.stat().st_size > 100


def a_figure() -> Figure:
    figure = Figure()
    figure.subplots().plot([1, 3, 2], label="µ")
    return figure


ARRAYS: list[Any] = [
    np.arange(12.0).reshape(3, 4),
    np.array([np.nan, np.inf, -0.0, 5e-324]),
    np.array([True, False]),
    np.array([2**64 - 1, 0], dtype="u8"),
    np.array([1 + 2j, 0]),
    np.zeros((0, 3), dtype="f4"),
    np.array(2.5),
    np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
]
NAMED: list[Any] = [
    {"z": np.arange(3), "a": np.eye(2)},
    {"text": np.array(["µV", ""]), "two words": np.array(1)},
    {},
]
TABLE = pd.DataFrame(
    {
        "count": [1, -(2**62)],
        "mean": [0.1 + 0.2, float("inf")],
        "good": [True, False],
        "subject": ["007", 'NA, "x"\r\ny'],
        "day": pd.to_datetime(["2024-01-31", "2024-02-29T10:00:00.123456"], format="ISO8601"),
    }
)
TREE: list[Any] = [
    {"count": 3, "nested": {"a": [1, 2.5, None, True]}, "µ": "é\n\ud800"},
    {},
    {"inf": float("inf"), "exact": 0.1 + 0.2},
]
BUILT_IN: list[tuple[Any, str, list[Any], Callable[[Any, Any], Any] | None]] = [
    (str, ".txt", ["", "a\r\nb\n\rµ", "no end"], None),
    (str, ".m", ["x = 1;"], None),
    (str, ".json", ["text"], None),
    (int, ".txt", [0, -(10**30), 7], None),
    (float, ".txt", [0.1 + 0.2, -0.0, float("inf"), 5e-324], None),
    (bool, ".txt", [True, False], None),
    (bool, ".json", [True, False], None),
    (bytes, ".bin", [b"", b"\x00\xff\r\n"], None),
    (dict, ".json", TREE, None),
    (list[int], ".json", [[], [1, 2]], None),
    (tuple[int, int], ".json", [(1, 2), ()], None),
    (dict[str, Any] | None, ".json", [None, {"a": None}], None),
    (np.ndarray, ".h5", ARRAYS, same_arrays),
    (np.ndarray, ".npy", [*ARRAYS, np.array(["2024-01-01"], dtype="M8[D]")], same_arrays),
    (np.ndarray, ".mat", [*ARRAYS[:2], np.arange(3), np.zeros(1)], same_arrays),
    (dict[str, np.ndarray], ".h5", NAMED, same_arrays),
    (dict[str, np.ndarray], ".npz", NAMED, same_arrays),
    (dict[str, np.ndarray], ".mat", [{"z": np.arange(3), "a": np.eye(2)}, {}], same_arrays),
    (dict, ".mat", [{"a": 1, "s": {"t": "µV", "c": ["x", [], {"d": True}]}, "e": ""}], None),
    (pd.DataFrame, ".csv", [TABLE, TABLE.iloc[[1]], TABLE[["day"]]], same_table),
    (pd.DataFrame, ".tsv", [TABLE, pd.DataFrame()], same_table),
    (Figure, ".png", [a_figure()], picture),
    (Figure, ".pdf", [a_figure()], picture),
    (Figure, ".svg", [a_figure()], picture),
    (datetime.date, ".pkl", [datetime.date(2024, 2, 29)], None),
    (Any, ".json", [1, None, [{}]], None),
]


@pytest.mark.parametrize(
    ("annotation", "suffix", "values", "equal"),
    BUILT_IN,
    ids=[f"{getattr(row[0], '__name__', 'any')}{row[1]}" for row in BUILT_IN],
)
def test_built_in(annotation: Any, suffix: str, values: list[Any], equal: Any) -> None:
    """Every built-in format keeps the promises."""
    options = {"equal": equal} if equal else {}
    check_format(format_for(annotation, "value" + suffix), values, suffix, **options)


@pytest.mark.parametrize("suffix", [".dat", ""])
def test_paths(tmp_path: Path, suffix: str) -> None:
    """Files and folders are copied to where they belong."""
    file, folder = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"\x00")
    (folder / "inner" / "empty").mkdir(parents=True)
    (folder / "inner" / "x").write_text("x")
    check_format(format_for(Path, f"v{suffix}"), [file, folder], suffix, equal=same_content)


class Interval:
    """A class of a user's own."""

    def __init__(self, start: float, stop: float) -> None:
        self.start, self.stop = start, stop

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and vars(self) == vars(other)


class IntervalFormat:
    """A format of a user's own: two methods."""

    def write(self, value: Interval, path: Path) -> None:
        if not isinstance(value, Interval):
            raise TypeError("expected Interval")
        path.write_text(f"{value.start!r} {value.stop!r}")

    def read(self, path: Path) -> Interval:
        start, stop = path.read_text("utf-8").split()
        return Interval(float(start), float(stop))


def test_own_format() -> None:
    """A registered format with two methods is found and passes."""
    register(IntervalFormat(), type=Interval, suffix=".span")
    check_format(format_for(Interval, "x.span"), [Interval(0.1, 2)], ".span")


class Beside(IntervalFormat):
    def write(self, value: Interval, path: Path) -> None:
        path.with_name(path.name + ".txt").write_text("x")


class Different(IntervalFormat):
    count = 0

    def write(self, value: Interval, path: Path) -> None:
        type(self).count += 1
        path.write_text(f"{self.count} 1")


class Forgetful(IntervalFormat):
    def read(self, path: Path) -> Interval:
        return Interval(0, 0)


class Touching(IntervalFormat):
    def read(self, path: Path) -> Interval:
        value = super().read(path)
        path.write_text(path.read_text() + " ")
        return value


class Careless(IntervalFormat):
    def read(self, path: Path) -> Interval:
        words = path.read_bytes().decode("latin-1").split()
        return Interval(float(words[0]), float({0: 1}[len(words) - 2] and words[1]))


class Unwilling(IntervalFormat):
    def write(self, value: Interval, path: Path) -> None:
        raise FormatError("no")


class Odd(IntervalFormat):
    def write(self, value: Interval, path: Path) -> None:
        if "\n" in path.name:
            raise ValueError("newline")
        super().write(value, path)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Beside, r"exactly the path .* there are \['value.span.txt'\]"),
        (Different, "same bytes"),
        (Forgetful, "came back as"),
        (Touching, "must not change the file"),
        (Careless, "reading a file that is empty may raise ValueError.*IndexError"),
        (Unwilling, "must store each value.*FormatError: no"),
        (Odd, r"two\\nlines.*ValueError: newline"),
    ],
)
def test_broken_format(broken: type[IntervalFormat], said: str) -> None:
    """Each broken promise is named."""
    with pytest.raises(AssertionError, match=said):
        check_format(broken(), [Interval(1, 2)], ".span")


def test_no_values() -> None:
    """Without values nothing would be checked."""
    with pytest.raises(AssertionError, match="at least one value"):
        check_format(IntervalFormat(), [], ".span")


def test_equal_that_gives_arrays() -> None:
    """Arrays without an `equal` of their own get a hint, not an odd ValueError."""
    with pytest.raises(AssertionError, match=r"equal=numpy\.array_equal"):
        check_format(format_for(np.ndarray, "x.npy"), [np.arange(3)], ".npy")
