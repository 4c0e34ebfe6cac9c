from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pointillist.errors import FormatError
from pointillist.formats.arrays import NpyFormat, NpzFormat

ARRAYS = npst.arrays(npst.scalar_dtypes(), npst.array_shapes(min_dims=0, min_side=0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("arrays")


@given(array=ARRAYS)
def test_npy(folder: Path, array: Any) -> None:
    """Any array comes back bit by bit."""
    path = folder / "x.npy"
    NpyFormat().write(array, path)
    back = NpyFormat().read(path)
    assert (array.dtype, array.shape, array.tobytes()) == (back.dtype, back.shape, back.tobytes())


@given(name=st.text())
def test_npz_names(folder: Path, name: str) -> None:
    """A name comes back, or is refused."""
    path = folder / "x.npz"
    try:
        NpzFormat().write({name: np.arange(2)}, path)
    except FormatError as error:
        assert "\0" in name or "surrogates" in str(error)
    else:
        assert {name: [0, 1]} == {
            key: each.tolist() for key, each in NpzFormat().read(path).items()
        }


def test_memory_map(tmp_path: Path) -> None:
    """`open` maps the file read-only."""
    NpyFormat().write(np.arange(6).reshape(2, 3), tmp_path / "x.npy")
    with NpyFormat().open(tmp_path / "x.npy") as array:
        assert isinstance(array, np.memmap)
        assert [1, 4] == array[:, 1].tolist()
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_npz_open_and_compression(tmp_path: Path) -> None:
    """`open` gives the arrays one by one; compressed files are smaller."""
    NpzFormat().write({"a": np.zeros(1000)}, tmp_path / "x.npz", compressed=True)
    assert (tmp_path / "x.npz").stat().st_size < 1000
    with NpzFormat().open(tmp_path / "x.npz") as arrays:
        assert ["a"] == arrays.files
        assert 0 == arrays["a"].sum()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "expected numpy.ndarray, got NoneType"),
        ([1, 2], "expected numpy.ndarray, got list"),
        (np.array([{}]), "array of Python objects"),
        (np.ma.masked_array([1, 2], [True, False]), r"lose its mask: give \.filled"),
    ],
)
def test_wrong_arrays(tmp_path: Path, value: object, said: str) -> None:
    """What is no array, or would need pickle, is refused."""
    with pytest.raises(FormatError, match=said):
        NpyFormat().write(value, tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (np.arange(2), "expected dict of numpy.ndarray, got numpy.ndarray"),
        ({"a": 1}, "expected 'a': numpy.ndarray, got int"),
        ({1: np.arange(2)}, r"name is text, got 1 \(int\): use '1'"),
    ],
)
def test_wrong_dicts(tmp_path: Path, value: object, said: str) -> None:
    """What is no dict of arrays is refused."""
    with pytest.raises(FormatError, match=said):
        NpzFormat().write(value, tmp_path / "x.npz")


def test_one_for_the_other(tmp_path: Path) -> None:
    """An .npy file is no .npz file, and the other way round."""
    NpyFormat().write(np.arange(2), tmp_path / "x.npz")
    with pytest.raises(FormatError, match=r"is no \.npz file: it holds one array"):
        NpzFormat().read(tmp_path / "x.npz")
    NpzFormat().write({}, tmp_path / "x.npy")
    with pytest.raises(FormatError, match=r"is no \.npy file"):
        NpyFormat().read(tmp_path / "x.npy")
