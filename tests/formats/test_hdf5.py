from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pointillist.errors import FormatError
from pointillist.formats.hdf5 import Hdf5Format

ARRAY, ARRAYS = Hdf5Format("numpy.ndarray"), Hdf5Format("dict of arrays")
DTYPES = (
    npst.boolean_dtypes()
    | npst.integer_dtypes(endianness="=")
    | npst.floating_dtypes(endianness="=", sizes=(16, 32, 64))
    | npst.complex_number_dtypes(endianness="=", sizes=(64, 128))
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hdf5") / "x.h5"


@given(array=npst.arrays(DTYPES, npst.array_shapes(min_dims=0, min_side=0)))
def test_array(path: Path, array: Any) -> None:
    """Numbers and bools of any shape come back bit by bit."""
    ARRAY.write(array, path)
    back = ARRAY.read(path)
    assert (array.dtype, array.shape, array.tobytes()) == (back.dtype, back.shape, back.tobytes())


@given(names=st.lists(st.text(st.characters(exclude_characters="/")), unique=True, max_size=12))
def test_names(path: Path, names: list[str]) -> None:
    """Names come back in their order, or are refused."""
    try:
        ARRAYS.write({name: np.arange(2) for name in names}, path)
    except FormatError:
        odd = [name for name in names if "\0" in name or not name.strip(".")]
        assert odd or any("\ud800" <= letter <= "\udfff" for name in names for letter in name)
    else:
        assert names == list(ARRAYS.read(path))


@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
def test_text(path: Path, texts: list[str]) -> None:
    """Arrays of text come back."""
    ARRAY.write(np.array(texts, dtype=str), path)
    assert texts == ARRAY.read(path).tolist()


def test_groups(tmp_path: Path) -> None:
    """A slash in a name makes a group; foreign groups are read with their names."""
    ARRAYS.write({"probe/left": np.arange(2), "probe/right": np.arange(3)}, tmp_path / "x.h5")
    with h5py.File(tmp_path / "x.h5", "r") as file:
        assert ["left", "right"] == list(file["probe"])
    assert ["probe/left", "probe/right"] == list(ARRAYS.read(tmp_path / "x.h5"))


def test_open_reads_slices(tmp_path: Path) -> None:
    """A slice of a chunked array is read without the rest, with its attributes at hand."""
    path = tmp_path / "x.h5"
    ARRAY.write(
        np.arange(100_000).reshape(1000, 100),
        path,
        attrs={"unit": "µV", "rate": 30_000.0},
        chunks=(10, 100),
        compression="gzip",
        shuffle=True,
    )
    with path.open("r+b") as file:  # spoil the end: the last chunks cannot be read
        file.seek(-2000, 2)
        file.write(b"\xff" * 2000)
    with ARRAY.open(path) as dataset:
        assert [100, 101] == dataset[1, :2].tolist()
        assert ((10, 100), "gzip") == (dataset.chunks, dataset.compression)
        assert ("µV", 30_000.0) == (dataset.attrs["unit"], dataset.attrs["rate"])
        with pytest.raises(OSError):
            dataset[...]
    with pytest.raises(FormatError, match="cannot read"):
        ARRAY.read(path)


def test_attributes_of_several(tmp_path: Path) -> None:
    """Attributes go to the array that they name, the others to the file."""
    path = tmp_path / "x.h5"
    arrays = {"a": np.arange(9), "n": np.array(1)}
    ARRAYS.write(arrays, path, attrs={"a": {"unit": "V"}, "rate": 5}, compression="gzip")
    with ARRAYS.open(path) as file:
        assert ({"unit": "V"}, {}, {"rate": 5}) == (
            dict(file["a"].attrs),
            dict(file["n"].attrs),
            dict(file.attrs),
        )


def test_same_bytes_with_attributes(tmp_path: Path) -> None:
    """Files with attributes and compression are the same each time."""
    attrs = {f"name {n}": n for n in range(12)}
    for name in ("1.h5", "2.h5"):
        ARRAY.write(np.arange(99), tmp_path / name, attrs=attrs, compression="gzip")
    assert (tmp_path / "1.h5").read_bytes() == (tmp_path / "2.h5").read_bytes()
    with ARRAY.open(tmp_path / "1.h5") as dataset:
        assert attrs == dict(dataset.attrs)


def test_foreign_files(tmp_path: Path) -> None:
    """The only dataset is the array; several are a dict, or a message that names them."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["signal"] = [1, 2]
    assert [1, 2] == ARRAY.read(path).tolist()
    with h5py.File(path, "a") as file:
        file["other"] = [3]
    assert ["other", "signal"] == sorted(ARRAYS.read(path))
    with pytest.raises(FormatError, match="no dataset 'data' and not only one: other, signal"):
        ARRAY.read(path)


def test_without_a_type(tmp_path: Path) -> None:
    """Without an annotation the file says whether it is one array or several."""
    either = Hdf5Format()
    either.write(np.arange(2), tmp_path / "1.h5")
    either.write({"a": np.arange(2)}, tmp_path / "2.h5")
    assert [0, 1] == either.read(tmp_path / "1.h5").tolist()
    assert ["a"] == list(either.read(tmp_path / "2.h5"))


@pytest.mark.parametrize(
    ("value", "options", "said"),
    [
        ([1, 2], {}, "expected numpy.ndarray, got list"),
        (np.array(["2024"], dtype="M8[D]"), {}, r"HDF5 has no datetime64\[D\]: give"),
        (np.array(["a\0b"]), {}, "cannot write an HDF5 file: ValueError"),
        (np.arange(2), {"compression": "zip"}, 'cannot write an HDF5 file.*"zip"'),
        (np.arange(2), {"chunks": (9,)}, "cannot write an HDF5 file.*[Cc]hunk"),
        (np.arange(2), {"dpi": 3}, "cannot write an HDF5 file: TypeError.*dpi"),
        (np.arange(2), {"attrs": {"a": object()}}, "cannot write an HDF5 file: TypeError"),
    ],
)
def test_wrong_values(tmp_path: Path, value: Any, options: dict[str, Any], said: str) -> None:
    """What HDF5 cannot hold, or h5py does not know, is a FormatError."""
    with pytest.raises(FormatError, match=said):
        ARRAY.write(value, tmp_path / "x.h5", **options)


def test_conflict(tmp_path: Path) -> None:
    """A name cannot be an array and a group."""
    with pytest.raises(FormatError, match="cannot write an HDF5 file"):
        ARRAYS.write({"a": np.arange(2), "a/b": np.arange(2)}, tmp_path / "x.h5")
