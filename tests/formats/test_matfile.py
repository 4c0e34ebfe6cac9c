from __future__ import annotations

import shutil
import string
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import FormatError
from pointillist.formats.matfile import MatFormat, read_variables

VARIABLES, ARRAY = MatFormat("dict"), MatFormat("numpy.ndarray")
NAMES = st.text(string.ascii_letters + string.digits + "_", max_size=30).map("x{}".format)
LEAVES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).filter(lambda items: any(isinstance(i, str) for i in items))
        | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mat") / "x.mat"


@given(variables=st.dictionaries(NAMES, VALUES, max_size=3), compress=st.booleans())
def test_variables(path: Path, variables: dict[str, Any], compress: bool) -> None:
    """Numbers, text, cells and structs come back as they were."""
    VARIABLES.write(variables, path, do_compression=compress)
    assert repr(variables) == repr(VARIABLES.read(path))


OCTAVE = r"""
load(in); out_class = cellfun(@class, {v, m, t, c, s, b, l}, 'UniformOutput', false);
assert(isequal(v, [1 2 3]) && isequal(m, [1 2; 3 4]) && strcmp(t, 'it''s'))
assert(isequal(c, {'a', 'b c'}) && s.x == 0.1 + 0.2 && islogical(b) && isequal(l, [4 5]))
count = 50; vector = [200 100]; flag = true; text = 'x;%'; edges = [];
nested.list = {'one', 2, {3}}; nested.empty = ''; many = struct('n', {1, 2}); big = uint64(2)^60;
one_cell = {7}; grid = {1, 2; 3, 4}; column = [0.5; 1/3];
save('-v7', out, 'count', 'vector', 'flag', 'text', 'edges', 'nested', 'many', 'big', ...
     'one_cell', 'grid', 'column', 'out_class')
save('-text', text_out, 'count')
"""


@pytest.mark.skipif(shutil.which("octave-cli") is None, reason="GNU Octave is not there")
def test_octave(tmp_path: Path) -> None:
    """What we write is right in Octave, and what Octave writes is right here."""
    there, back, text = (tmp_path / name for name in ("in.mat", "out.mat", "text.mat"))
    value = {
        "v": np.array([1.0, 2, 3]),
        "m": np.array([[1.0, 2], [3, 4]]),
        "t": "it's",
        "c": ["a", "b c"],
        "s": {"x": 0.1 + 0.2},
        "b": True,
        "l": [4.0, 5.0],
    }
    VARIABLES.write(value, there)
    code = f"in = '{there}'; out = '{back}'; text_out = '{text}';" + OCTAVE
    command = ["octave-cli", "-qf", "--no-history", "--no-window-system", "--eval", code]
    subprocess.run(command, check=True)
    result = read_variables(back)
    vector, column = result.pop("vector"), result.pop("column")
    assert ("float64", [200.0, 100.0]) == (str(vector.dtype), vector.tolist())
    assert [0.5, 1 / 3] == column.tolist()
    assert [] == result.pop("edges").tolist()
    expected = {
        "count": 50.0,
        "flag": True,
        "text": "x;%",
        "nested": {"list": ["one", 2.0, [3.0]], "empty": ""},
        "many": [{"n": 1.0}, {"n": 2.0}],
        "big": 2**60,
        "one_cell": [7.0],
        "grid": [[1.0, 2.0], [3.0, 4.0]],
        "out_class": ["double", "double", "char", "cell", "struct", "logical", "double"],
    }
    assert repr(expected) == repr({name: result[name] for name in expected})
    with pytest.raises(FormatError, match=r"no MAT file of version 6 or 7; save it with save"):
        read_variables(text)


def test_array(tmp_path: Path) -> None:
    """An array is the variable data; the only variable of a foreign file will do."""
    path = tmp_path / "x.mat"
    ARRAY.write(np.arange(3), path)
    assert [0, 1, 2] == read_variables(path)["data"].tolist()
    VARIABLES.write({"signal": [1, 2]}, path)
    assert [1, 2] == ARRAY.read(path).tolist()
    VARIABLES.write({"a": 1, "b": 2}, path)
    with pytest.raises(FormatError, match="no variable 'data' and not only one: a, b"):
        ARRAY.read(path)
    VARIABLES.write({}, path)
    with pytest.raises(FormatError, match="not only one: none"):
        ARRAY.read(path)
    VARIABLES.write({"a": "text"}, path)
    with pytest.raises(FormatError, match=r"x\.mat: expected ndarray, got str 'text'"):
        ARRAY.read(path)


def test_complex(tmp_path: Path) -> None:
    """Imaginary parts come back, from Python and from Octave, alone, in structs and in cells."""
    z = np.array([1 + 2j, 3.5 - 1j])
    VARIABLES.write({"z": z, "s": {"q": z, "n": 1.5}, "c": ["a", 2j]}, tmp_path / "x.mat")
    back = VARIABLES.read(tmp_path / "x.mat")
    assert z.tolist() == back["z"].tolist()
    assert (z.tolist(), 1.5) == (back["s"]["q"].tolist(), back["s"]["n"])
    assert ["a", 2j] == back["c"]
    statement = f"z=[1+2i 3]; s.q={{3i}}; save('-v6', '{tmp_path}/y.mat', 'z', 's')"
    subprocess.run(["octave-cli", "-qf", "--eval", statement], check=True, capture_output=True)
    back = VARIABLES.read(tmp_path / "y.mat")
    assert [1 + 2j, 3] == back["z"].tolist()
    assert {"q": [3j]} == back["s"]


def test_no_date(tmp_path: Path) -> None:
    """The header has no date, and still is one."""
    VARIABLES.write({"a": 1}, tmp_path / "x.mat")
    start = (tmp_path / "x.mat").read_bytes()[:128]
    assert (b"MATLAB 5.0 MAT-file", b" ", b"\x00\x01IM") == (
        start[:19],
        start[115:116],
        start[124:],
    )


def test_version_7_3(tmp_path: Path) -> None:
    """A file of version 7.3 says how to save it instead."""
    path = tmp_path / "x.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["a"] = [1]
    with path.open("r+b") as binary:
        binary.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    with pytest.raises(FormatError, match=r"x\.mat is a MAT file of version 7\.3.*'-v7' or '-v6'"):
        read_variables(path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "expected dict, got NoneType"),
        ({"_a": 1}, "'_a' in the dict of variables is no name in MATLAB"),
        ({"a": {"b c": 1}}, r"'b c' in the dict of variables\.a is no name"),
        ({"a" * 64: 1}, "is no name in MATLAB"),
        ({1: 1}, "1 in the dict of variables is no name"),
        ({"a": [None, ""]}, r"the dict of variables\.a\{1\} is a NoneType"),
        ({"a": 2**64}, "is an array of object"),
        ({"a": np.zeros(2, "f2")}, "is an array of float16"),
        ({"a": np.ma.masked_array([1, 2], [True, False])}, "masked array"),
    ],
)
def test_wrong_values(tmp_path: Path, value: object, said: str) -> None:
    """What MATLAB has no type or name for is refused, and the message says where it is."""
    with pytest.raises(FormatError, match=said):
        VARIABLES.write(value, tmp_path / "x.mat")


def test_wrong_kind(tmp_path: Path) -> None:
    """An array is no dict, and the other way round."""
    with pytest.raises(FormatError, match=r"expected dict, got numpy\.ndarray"):
        VARIABLES.write(np.arange(2), tmp_path / "x.mat")
    with pytest.raises(FormatError, match=r"expected numpy\.ndarray, got dict"):
        ARRAY.write({"a": 1}, tmp_path / "x.mat")
