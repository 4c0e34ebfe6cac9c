from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import FormatError
from pointillist.formats.text import NumberFormat, TextFormat


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text") / "x.txt"


@given(text=st.text())
def test_text(path: Path, text: str) -> None:
    """Any text comes back, line ends as they are."""
    TextFormat().write(text, path)
    assert text == TextFormat().read(path)


@given(number=st.floats(allow_nan=False) | st.just(-0.0))
def test_float(path: Path, number: float) -> None:
    """A float comes back bit by bit."""
    NumberFormat("float").write(number, path)
    assert number.hex() == NumberFormat("float").read(path).hex()  # type: ignore[union-attr]  # a float


@given(number=st.integers())
def test_int(path: Path, number: int) -> None:
    """An int of any size comes back."""
    NumberFormat("int").write(number, path)
    assert number == NumberFormat("int").read(path)


def test_nan(path: Path) -> None:
    """NaN comes back."""
    NumberFormat("float").write(math.nan, path)
    assert math.isnan(NumberFormat("float").read(path))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("int", np.int8(-3), "-3\n"),
        ("float", np.float32(0.1), "0.10000000149011612\n"),
        ("float", 3, "3.0\n"),
        ("float", np.array(0.5), "0.5\n"),
        ("bool", np.bool_(True), "True\n"),
    ],
)
def test_numpy_scalars(tmp_path: Path, kind: str, value: object, text: str) -> None:
    """NumPy scalars are written as the number they are."""
    path = tmp_path / "x.txt"
    NumberFormat(kind).write(value, path)
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("int", 3.0, "expected int, got float: return one from the step"),
        ("int", None, "expected int, got NoneType"),
        ("float", 2**53 + 1, "no equal as float"),
        ("float", 10**400, "no equal as float"),
        ("float", np.arange(2), "expected float, got numpy.ndarray"),
        ("bool", 1, "expected bool, got int"),
    ],
)
def test_wrong_numbers(tmp_path: Path, kind: str, value: object, said: str) -> None:
    """Another type, or a number that would change, is refused."""
    with pytest.raises(FormatError, match=said):
        NumberFormat(kind).write(value, tmp_path / "x.txt")


def test_wrong_text(tmp_path: Path) -> None:
    """What is no text, or no UTF-8, is refused."""
    with pytest.raises(FormatError, match="expected str, got bytes"):
        TextFormat().write(b"x", tmp_path / "x.txt")
    with pytest.raises(FormatError, match="cannot write text: UnicodeEncodeError"):
        TextFormat().write("\ud800", tmp_path / "x.txt")
    (tmp_path / "x.txt").write_bytes(b"\xff")
    with pytest.raises(FormatError, match=r"x\.txt is no text in UTF-8"):
        TextFormat().read(tmp_path / "x.txt")


def test_unreadable_number(tmp_path: Path) -> None:
    """A file without a number says what it holds; a missing one is the system's error."""
    path = tmp_path / "x.txt"
    path.write_text("abc\n")
    with pytest.raises(FormatError, match=r"expected int, got str 'abc\\n'"):
        NumberFormat("int").read(path)
    with pytest.raises(FileNotFoundError):
        NumberFormat("int").read(tmp_path / "no.txt")
