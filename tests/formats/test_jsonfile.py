from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import FormatError
from pointillist.formats.jsonfile import JsonFormat

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "x.json"


@given(value=TREES)
def test_round_trip(path: Path, value: Any) -> None:
    """All that JSON has comes back, with the order of keys."""
    JsonFormat().write(value, path)
    assert repr(value) == repr(JsonFormat().read(path))


def test_numpy(tmp_path: Path) -> None:
    """NumPy scalars and arrays, tuples and ranges become numbers and lists."""
    value = {
        "f4": np.float32(0.1),
        "flag": np.bool_(True),
        "matrix": np.eye(2, dtype="i2"),
        "text": np.array(["a"]),
        "mixed": np.array([1, "x", None], dtype=object),
        "pair": (1, range(2)),
    }
    JsonFormat("dict").write(value, tmp_path / "x.json")
    expected = {
        "f4": float(np.float32(0.1)),
        "flag": True,
        "matrix": [[1, 0], [0, 1]],
        "text": ["a"],
        "mixed": [1, "x", None],
        "pair": [1, [0, 1]],
    }
    assert expected == JsonFormat("dict").read(tmp_path / "x.json")


def test_bytes(tmp_path: Path) -> None:
    """Keys keep their order, text is readable, one line end; `indent` spreads it out."""
    path = tmp_path / "x.json"
    JsonFormat().write({"b": "µ", "a": [math.nan, -math.inf]}, path)
    assert '{"b": "µ", "a": [NaN, -Infinity]}\n' == path.read_text("utf-8")
    assert math.isnan(JsonFormat().read(path)["a"][0])
    JsonFormat().write([1], path, indent=2)
    assert "[\n  1\n]\n" == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("dict", {"a": [{1: 2}]}, r"value\['a'\]\[0\] has the key 1 \(int\): write '1'"),
        ("dict", {"a": {1, 2}}, r"JSON has no set, which is at value\['a'\]"),
        ("Any", object(), "JSON has no object, which is at the value itself"),
        ("Any", [1j], r"no complex, which is at value\[0\]"),
        ("list", np.array(["2024"], dtype="M8[D]"), r"JSON has no date, which is at value\[0\]"),
        ("dict", None, "expected dict, got NoneType"),
        ("dict", [1], "expected dict, got list"),
        ("list", {"a": 1}, "expected list, got dict"),
        ("list", np.float64(1), "expected list, got numpy.float64"),
        ("int", "1", "expected int, got str"),
    ],
)
def test_wrong_values(tmp_path: Path, kind: str, value: object, said: str) -> None:
    """What JSON would change or has not is refused, and the message says where it is."""
    with pytest.raises(FormatError, match=said):
        JsonFormat(kind).write(value, tmp_path / "x.json")


def test_circle(tmp_path: Path) -> None:
    """A list that holds itself is refused."""
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(FormatError, match="cannot write JSON: RecursionError"):
        JsonFormat().write(circle, tmp_path / "x.json")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("list", "5\n", [5]),
        ("list", "[]", []),
        ("tuple", "[1, [2]]", (1, [2])),
        ("float", "5", 5.0),
        ("int", "5.0", 5),
        ("bool", "true", True),
        ("str", '"5"', "5"),
    ],
)
def test_read_foreign(tmp_path: Path, kind: str, text: str, expected: object) -> None:
    """Files of MATLAB's jsonencode are read as what they were annotated with."""
    path = tmp_path / "x.json"
    path.write_text(text)
    result = JsonFormat(kind).read(path)
    assert (expected, type(expected)) == (result, type(result))


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("dict", "[1]", "holds list where dict is expected"),
        ("list", '{"a": 1}', "holds dict where list is expected"),
        ("int", '"5"', "holds str where int is expected"),
        ("str", "5", "holds int where str is expected"),
        ("int", "5.5", r"x\.json: expected int, got float 5\.5"),
        ("dict", "null", "holds NoneType where dict"),
        ("Any", '{"a":', "is no JSON: JSONDecodeError"),
    ],
)
def test_read_other(tmp_path: Path, kind: str, text: str, said: str) -> None:
    """A file that holds something else says what."""
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(FormatError, match=said):
        JsonFormat(kind).read(path)


def test_optional(tmp_path: Path) -> None:
    """None is written and read where the annotation allows it."""
    form = JsonFormat("int", optional=True)
    form.write(None, tmp_path / "x.json")
    assert form.read(tmp_path / "x.json") is None
