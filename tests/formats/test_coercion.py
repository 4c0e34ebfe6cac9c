from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import FormatError
from pointillist.formats import coerce


class Stats(TypedDict):
    count: int
    mean: float


def struct(**fields: Any) -> Any:
    """Make a struct as loadmat gives it."""
    value = np.empty((1, 1), dtype=[(name, object) for name in fields])
    for name, field in fields.items():
        value[name][0, 0] = field
    return value


def cell(*items: Any) -> Any:
    """Make a row of cells as loadmat gives it."""
    value = np.empty((1, len(items)), dtype=object)
    value[0, :] = items
    return value


def row(*numbers: float) -> Any:
    """Make a 1xN array as loadmat gives it."""
    return np.array([numbers])


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (row(3.0), int, 3),
        (np.uint8(3), int, 3),
        ("42\n", int, 42),
        (np.array([[True]]), int, 1),
        (row(3), float, 3.0),
        (" 1e-3\n", float, 0.001),
        (np.array([[1]], dtype="u1"), bool, True),
        ("false\n", bool, False),
        (np.array(["abc"]), str, "abc"),
        (np.array([], dtype="U1"), str, ""),
        ("a\n", str, "a\n"),
        (np.array(["/x y"]), Path, Path("/x y")),
        (row(1, 2), list[int], [1, 2]),
        (row(1, 2).T, list[float], [1.0, 2.0]),
        (5.0, list[int], [5]),
        (np.zeros((0, 0)), list[int], []),
        (np.array([[1, 2], [3, 4]]), list[list[int]], [[1, 2], [3, 4]]),
        (row(1, 2), list[list[int]], [[1, 2]]),
        (row(1, 2), list, [1, 2]),
        (cell(np.array(["a"]), np.array(["b c"])), list[str], ["a", "b c"]),
        (cell(np.array(["a"])), list[str], ["a"]),
        ("[1, 2]\n", list[int], [1, 2]),
        (row(1, 2), tuple[int, float], (1, 2.0)),
        (row(1, 2, 3), tuple[int, ...], (1, 2, 3)),
        (struct(count=row(2), mean=row(0.5)), Stats, {"count": 2, "mean": 0.5}),
        (struct(a=struct(b=np.array(["x"]))), dict, {"a": {"b": "x"}}),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        (struct(a=row(1)), list[dict], [{"a": 1}]),
        (np.zeros((0, 0)), float | None, None),
        (None, int | None, None),
        (np.zeros((0, 0)), list[int] | None, []),
        (3.5, int | float, 3.5),
        ("a", Literal["a", "b"], "a"),
        (row(1.0), Literal[1, 2], 1),
        (row(1.0), Any, 1.0),
        (3, np.int64, 3),
    ],
    ids=str,
)
def test_coerce(value: Any, annotation: Any, expected: Any) -> None:
    """What MATLAB or a command gave becomes the annotated type."""
    result = coerce(value, annotation)
    assert (expected, type(expected)) == (result, type(result))


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (row(1, 2), np.ndarray, np.array([1, 2])),
        (5.0, np.ndarray, np.array([5.0])),
        (np.eye(2), npt.NDArray[np.int64], np.array([[1, 0], [0, 1]])),
        (row(0.1), npt.NDArray[np.float32], np.array([0.1], dtype="f4")),
        (np.zeros((0, 0)), np.ndarray, np.zeros(0)),
        ("[[1, 2]]", np.ndarray, np.array([[1, 2]])),
    ],
    ids=str,
)
def test_arrays(value: Any, annotation: Any, expected: Any) -> None:
    """Arrays lose MATLAB's dimensions of length one, and get the dtype that is annotated."""
    result = coerce(value, annotation)
    assert (expected.shape, expected.dtype) == (result.shape, result.dtype)
    assert expected.tolist() == result.tolist()


def test_dict_of_arrays() -> None:
    """Each field of a struct becomes an array."""
    result = coerce(struct(a=row(1), b=np.eye(2)), dict[str, np.ndarray])
    assert {"a": [1], "b": [[1, 0], [0, 1]]} == {key: each.tolist() for key, each in result.items()}


@pytest.mark.parametrize(
    ("value", "annotation", "said"),
    [
        (3.5, int, "expected int, got float 3.5: let the command return one"),
        ("", int, "expected int, got str ''"),
        (1j, float, "expected float, got complex"),
        (7, bool, "expected bool, got int 7"),
        (3, str, "expected str, got int 3"),
        ("x", list[int], "got str 'x'"),
        (np.eye(2), list[int], r"expected list\[int\], got numpy.ndarray"),
        (row(1.5), list[int], "expected int, got float 1.5"),
        ([1, 2], dict, "expected dict, got list"),
        (row(1, 2, 3), tuple[int, int], "expected tuple"),
        (None, int, "got NoneType None"),
        ("c", Literal["a", "b"], "expected typing.Literal"),
        (np.array([[0.5, 2.5]]), npt.NDArray[np.int64], "expected numpy.ndarray"),
        (cell(row(1, 2), row(1)), np.ndarray, "expected ndarray, got list"),
    ],
    ids=str,
)
def test_refused(value: Any, annotation: Any, said: str) -> None:
    """What would lose something is an error that shows the value."""
    with pytest.raises(FormatError, match=said):
        coerce(value, annotation)


def test_matlab_object() -> None:
    """MATLAB objects, which scipy cannot read, are named as such."""
    from scipy.io.matlab import MatlabOpaque

    value = MatlabOpaque(np.zeros(1, dtype=[("s0", "O")]))
    with pytest.raises(FormatError, match="table, string"):
        coerce(value, dict)


@given(st.floats(allow_nan=False) | st.integers(-(2**53), 2**53))
def test_numbers_as_text(number: float) -> None:
    """A number that was printed comes back bit by bit."""
    assert number == coerce(f"{number!r}\n", type(number))
