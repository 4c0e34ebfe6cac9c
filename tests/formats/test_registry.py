from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, TypedDict

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pointillist.errors import DeclarationError, UndeclaredFormat
from pointillist.formats import (
    Format,
    as_path,
    check_options,
    format_for,
    register,
    suffix_for,
)
from pointillist.formats.arrays import NpyFormat, NpzFormat
from pointillist.formats.figures import FigureFormat
from pointillist.formats.files import BytesFormat, PathFormat
from pointillist.formats.hdf5 import Hdf5Format
from pointillist.formats.jsonfile import JsonFormat
from pointillist.formats.matfile import MatFormat
from pointillist.formats.pickles import PickleFormat
from pointillist.formats.tables import TableFormat
from pointillist.formats.text import NumberFormat, TextFormat


class Stats(TypedDict):
    mean: float


class Zarr:
    pass


class Special(Zarr):
    pass


class Odd:
    pass


class Own:
    """A format of a user's own."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def write(self, value: object, path: Path) -> None:
        path.write_text("x")

    def read(self, path: Path) -> object:
        return path


@pytest.mark.parametrize(
    ("annotation", "name", "expected"),
    [
        (Path, "joined.bin", PathFormat()),
        (Path, "folder", PathFormat()),
        (Path, "model.pkl", PathFormat()),
        (str, "x.txt", TextFormat()),
        (str, "README", TextFormat()),
        (str, "x.csv", TextFormat()),
        (str, "x.json", JsonFormat("str")),
        (str, "x.pkl", PickleFormat()),
        (float, "x.txt", NumberFormat("float")),
        (np.float32, "x.txt", NumberFormat("float")),
        (bytes, "x.raw", BytesFormat()),
        (Stats, "x.json", JsonFormat("dict")),
        (dict[str, Any], "x.mat", MatFormat("dict")),
        (dict | None, "x.json", JsonFormat("dict", optional=True)),
        (int | str, "x.json", JsonFormat("Any")),
        (list[int], "X.JSON", JsonFormat("list")),
        (npt.NDArray[np.int8], "x.h5", Hdf5Format("numpy.ndarray")),
        (np.ndarray, "my.data.npy", NpyFormat()),
        (dict[str, np.ndarray], "x.npz", NpzFormat()),
        (pd.DataFrame, "x.tsv", TableFormat("\t")),
        (plt.Figure, "x.svg", FigureFormat("svg")),
        (plt.Figure, "x.pickle", PickleFormat()),
        (Odd, "x.pkl", PickleFormat()),
        (Any, "x.npy", NpyFormat()),
        (Any, "x.pkl", PickleFormat()),
        (Any, "x.dat", PathFormat()),
        (Any, "x.log", TextFormat()),
    ],
    ids=str,
)
def test_format_for(annotation: Any, name: str, expected: Format) -> None:
    """Type and name of the file decide on the format."""
    assert expected == format_for(annotation, name)


@pytest.mark.parametrize(
    ("annotation", "name", "said"),
    [
        (pd.DataFrame, "x.h5", r"no format turns DataFrame into 'x\.h5'.*: \.csv, \.tsv, \.pkl"),
        (np.ndarray, "x.json", r"Suffixes for ndarray: \.h5"),
        (Odd, "x.odd", r"pt\.formats\.register\(MyFormat\(\), type=\.\.\., suffix='\.odd'\)"),
        (list[pd.DataFrame], "x.json", r"list\[pandas.*: \.pkl"),
        (str, "x.h5", "no format turns str"),
        (int, "x", "no format turns int"),
        (None, "x.json", "no format turns None"),
    ],
    ids=str,
)
def test_undeclared(annotation: Any, name: str, said: str) -> None:
    """The message names the type, the file, the suffixes that there are, and `register`."""
    with pytest.raises(UndeclaredFormat, match=said):
        format_for(annotation, name)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (pd.DataFrame, ".csv"),
        (npt.NDArray[np.float64], ".h5"),
        (dict[str, np.ndarray], ".h5"),
        (dict[str, float], ".json"),
        (list[int], ".json"),
        (tuple[int, str], ".json"),
        (float | None, ".txt"),
        (np.int64, ".txt"),
        (str, ".txt"),
        (plt.Figure, ".png"),
        (bytes, ".bin"),
        (int | str, ".json"),
    ],
    ids=str,
)
def test_suffix_for(annotation: Any, expected: str) -> None:
    """Each type has the suffix of the design."""
    assert expected == suffix_for(annotation)


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Path, "a Path needs a name"),
        (Any, "needs a name"),
        (Odd, r"Odd has no default suffix.*\.pkl"),
        (dict[int, float], r"has no default suffix.*\.h5"),
    ],
    ids=str,
)
def test_no_suffix(annotation: Any, said: str) -> None:
    """Where no suffix is right, the name must be given."""
    with pytest.raises(UndeclaredFormat, match=said):
        suffix_for(annotation)


def test_register() -> None:
    """A registered format serves its class, subclasses and Any; a second one replaces it."""
    first, second = Own("first"), Own("second")
    register(first, type=Zarr, suffix=".zarr.zip", default=True)
    assert first is format_for(Special, "a.b.zarr.ZIP")
    register(second, type=Zarr, suffix=".zarr.zip")
    found = [format_for(kind, "a.zarr.zip") for kind in (Zarr, Special | None, Any)]
    assert [second] * 3 == found
    assert ".zarr.zip" == suffix_for(Special)
    register(first, type=Special, suffix=".zarr.zip")
    assert (first, second) == (format_for(Special, "x.zarr.zip"), format_for(Zarr, "x.zarr.zip"))


@pytest.mark.parametrize(
    ("format", "type", "suffix", "said"),
    [
        (Own(), Any, ".x", "for a class, got Any"),
        (Own(), int | str, ".x", "for a class"),
        (Own(), Odd, "x", "starts with a dot"),
        (Own(), Odd, ".x/y", "starts with a dot"),
        (object(), Odd, ".x", "no method write"),
    ],
)
def test_register_nonsense(format: Any, type: Any, suffix: str, said: str) -> None:
    """What cannot be registered is an error at once."""
    with pytest.raises(DeclarationError, match=said):
        register(format, type=type, suffix=suffix)


def test_check_options() -> None:
    """Options are known before a step ran, except those that a library judges."""
    check_options(JsonFormat(), {"indent": 2})
    check_options(FigureFormat("png"), {"dpi": 300})
    with pytest.raises(DeclarationError, match=r"JsonFormat has no writer option 'dpi'.* indent"):
        check_options(JsonFormat(), {"dpi": 300})
    with pytest.raises(DeclarationError, match="Own has no writer option 'x'; it has none"):
        check_options(Own(), {"x": 1})


def test_as_path() -> None:
    """Formats of one's own always get a path, also those that inherit from a built-in one."""

    class Louder(TextFormat):
        pass

    places = [as_path("/a/b", format) for format in (TextFormat(), Louder(), Own())]
    assert ["/a/b", Path("/a/b"), Path("/a/b")] == places


def test_light_import() -> None:
    """Finding a format loads no library; NumPy is there already, as signac-flow loads it."""
    code = """
import sys
from pointillist.formats import format_for, suffix_for
format_for(dict, "x.mat"); suffix_for(list[int])
print(sorted({"scipy", "h5py", "pandas", "matplotlib"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
