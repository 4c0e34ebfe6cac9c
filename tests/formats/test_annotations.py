from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from pointillist.formats.annotations import meaning


class Stats(TypedDict):
    mean: float


class Pair(NamedTuple):
    a: int
    b: int


class Events(pd.DataFrame):  # type: ignore[misc]  # pandas-stubs marks it final for subclasses
    pass


Volts = NewType("Volts", float)


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (int, "int"),
        (bool, "bool"),
        (Volts, "float"),
        (np.float32, "numpy.float32"),
        (int | float, "float"),
        (Literal["a", "b"], "str"),
        (Literal[1, "b"], "json"),
        (Path, "pathlib.Path"),
        (dict, "dict"),
        (dict[str, Any], "dict"),
        (Mapping[str, int], "dict"),
        (Stats, "dict"),
        (dict[str, np.ndarray], "dict of arrays"),
        (dict[str, npt.NDArray[np.float64]], "dict of arrays"),
        (list[int], "list"),
        (Sequence[str], "list"),
        (tuple[int, ...], "tuple"),
        (npt.NDArray[np.float64], "numpy.ndarray"),
        (Annotated[np.ndarray, "mV"], "numpy.ndarray"),
        (pd.DataFrame, "pandas.DataFrame"),
        (pd.DataFrame | None, "pandas.DataFrame"),
        (plt.Figure, "matplotlib.Figure"),
        (Any, "Any"),
        (int | str | None, "json"),
    ],
    ids=str,
)
def test_first_kind(annotation: Any, kind: str) -> None:
    """An annotation has the kind that its user thinks of."""
    assert kind == meaning(annotation).kinds[0]


def test_subclass() -> None:
    """A class goes by its own name, then by those it inherits from."""
    kinds = meaning(Events).kinds
    assert (f"{__name__}.Events", "pandas.DataFrame") == kinds[:2]


def test_numpy_scalars() -> None:
    """NumPy's scalars are stored as Python's."""
    found = [meaning(kind).kinds for kind in (np.float64, np.int8, np.uint64, np.bool_, np.str_)]
    assert [True] * 5 == [
        kind in kinds
        for kind, kinds in zip(["float", "int", "int", "bool", "str"], found, strict=True)
    ]


@pytest.mark.parametrize("annotation", [Pair, OrderedDict, None, type(None), "int"], ids=str)
def test_no_builtin_kind(annotation: Any) -> None:
    """What would come back as something else has no built-in kind."""
    assert {"tuple", "dict", "int", "str"}.isdisjoint(meaning(annotation).kinds)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (dict[str, list[int | None]], True),
        (list[tuple[int, ...]], True),
        (Annotated[dict[str, Annotated[float, "V"]], "x"], True),
        (list[np.float64], True),
        (dict[int, float], False),
        (list[pd.DataFrame], False),
        (list[np.ndarray], False),
        (list[Path], False),
        (np.ndarray, False),
    ],
    ids=str,
)
def test_json(annotation: Any, expected: bool) -> None:
    """JSON is for what it gives back."""
    assert expected is meaning(annotation).json


def test_optional() -> None:
    """None is a value of ``X | None`` only."""
    assert (True, False) == (meaning(int | None).optional, meaning(int | str).optional)
