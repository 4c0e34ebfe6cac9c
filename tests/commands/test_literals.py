"""Literals: exact in GNU Octave, plain ASCII on one line, clear about what cannot be."""

from __future__ import annotations

import datetime
import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat

from pointillist.commands.literals import field_names, matlab_literal
from pointillist.errors import DeclarationError

NASTY_TEXT = [
    "",
    "'; rm -rf ~",
    "' ]; system('touch /tmp/x'); ['",
    'say "hi"',
    "100% of # it ... \\n",
    "a\nb\tc\rd\x7f\x01",
    "\n",
    " trailing  ",
    "-rf",
    "$HOME `id` $(id)",
    "grüße/Ελλάδα/日本/😀",
    "\ufeffmark",
    "bytes \udce9\udcff end",
    "''",
    "%{",
    "x" * 5000,
]
NUMBERS = [0, 1, -1, 2**53, -(2**53), 0.1, -0.0, 1e308, 5e-324, 1 / 3, math.inf, -math.inf]


@contextmanager
def octave(folder: Path) -> Iterator[list[tuple[str, str]]]:
    """Collect (name, expression) pairs; at the end store all of them in ``folder/out.mat``."""
    wanted: list[tuple[str, str]] = []
    yield wanted
    lines = [f"{name} = {expression};" for name, expression in wanted]
    (folder / "run_all.m").write_text("\n".join([*lines, "save('-v6', 'out.mat');"]), "ascii")
    command = ["octave-cli", "-qf", "--no-history", "--no-window-system", "run_all.m"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)


def samples(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Draw examples for one start of Octave."""
    drawn: list[Any] = []

    @given(strategy)
    def draw(value: Any) -> None:
        drawn.append(value)

    draw()
    return drawn[:count]


def file_text() -> st.SearchStrategy[str]:
    """Text with any character, and bytes that are no UTF-8."""
    characters = st.characters(exclude_categories=["Cs"]) | st.sampled_from("'\"%;\n\t\\$")
    escaped = st.binary(max_size=8).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    return st.text(characters, max_size=20) | escaped


def test_text_reaches_octave_byte_for_byte(tmp_path: Path) -> None:
    """Any text is the same bytes inside Octave, in an argument and in a cell."""
    texts = [*NASTY_TEXT, *samples(file_text(), 100)]
    with octave(tmp_path) as wanted:
        for number, text in enumerate(texts):
            wanted.append((f"t{number}", f"uint8({matlab_literal(text)})"))
        wanted.append(("all_of_them", f"cellfun(@numel, {matlab_literal(texts)})"))
    stored = loadmat(tmp_path / "out.mat")
    raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    assert raw == [stored[f"t{number}"].tobytes() for number in range(len(texts))]
    assert [len(one) for one in raw] == stored["all_of_them"].ravel().tolist()


def test_numbers_are_exact(tmp_path: Path) -> None:
    """Doubles come back bit by bit, whole numbers beyond 2**53 in an integer class."""
    floats = [*map(float, NUMBERS), *samples(st.floats(allow_nan=False), 100)]
    wholes = [
        *(2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**64 - 1, 2**63),
        *samples(st.integers(-(2**63), 2**64 - 1), 100),
    ]
    with octave(tmp_path) as wanted:
        wanted.append(("floats", matlab_literal(floats)))
        wanted.append(("nan", matlab_literal(math.nan)))
        for number, value in enumerate(floats):
            wanted.append((f"f{number}", matlab_literal(value)))
        for number, value in enumerate(wholes):
            wanted.append((f"i{number}", matlab_literal(value)))
    stored = loadmat(tmp_path / "out.mat", mat_dtype=True)
    assert np.array(floats).tobytes() == stored["floats"].tobytes()
    assert np.array(floats).tobytes() == b"".join(
        stored[f"f{number}"].tobytes() for number in range(len(floats))
    )
    assert math.isnan(stored["nan"].item())
    assert wholes == [int(stored[f"i{number}"].item()) for number in range(len(wholes))]


def test_python_shapes_become_matlab_shapes(tmp_path: Path) -> None:
    """Each kind of value has the class and the size that is promised."""
    expected: dict[str, tuple[Any, str, int, int]] = {
        "none": (None, "double", 0, 0),
        "true": (True, "logical", 1, 1),
        "row": ([1, 2.5], "double", 1, 2),
        "bools": ([True, False], "logical", 1, 2),
        "big": ([1, 2**60], "int64", 1, 2),
        "huge": ([0, 2**64 - 1], "uint64", 1, 2),
        "no_array": ([0.5, 2**60], "cell", 1, 2),
        "matrix": ([[1, 2, 3], (4, 5, 6)], "double", 2, 3),
        "logicals": ([[True], [False]], "logical", 2, 1),
        "ragged": ([[1], [1, 2]], "cell", 1, 2),
        "texts": (["a", Path("b c")], "cell", 1, 2),
        "mixed": ([1, "a", None, [1]], "cell", 1, 4),
        "bool_and_number": ([True, 2], "cell", 1, 2),
        "empty": ([], "double", 0, 0),
        "empty_rows": ([[], []], "double", 2, 0),
        "date": (datetime.date(2026, 3, 1), "char", 1, 10),
        "dict": ({"a": ["x", "y"], "b": [{"c": []}]}, "struct", 1, 1),
        "no_dict": ({}, "struct", 1, 1),
        "np_int": (np.int16(3), "double", 1, 1),
        "np_row": (np.array([1, 2], dtype="int16"), "int16", 1, 2),
        "np_big": (np.array([[2**63], [1]], dtype="uint64"), "uint64", 2, 1),
        "np_single": (np.array([[0.1]], dtype="float32"), "single", 1, 1),
        "np_double": (np.array([0.1]), "double", 1, 1),
        "np_bool": (np.array([True]), "logical", 1, 1),
        "np_none": (np.zeros((0, 3), dtype="uint8"), "uint8", 0, 3),
        "np_no_bool": (np.zeros(0, dtype=bool), "logical", 1, 0),
        "np_text": (np.array(["a", "b"]), "cell", 1, 2),
        "np_scalar": (np.array(2.5), "double", 1, 1),
        "np_complex": (np.array([1j, 2]), "double", 1, 2),
    }
    with octave(tmp_path) as wanted:
        for name, (value, *_) in expected.items():
            wanted.append((f"v_{name}", matlab_literal(value)))
            wanted.append((f"c_{name}", f"class(v_{name})"))
            wanted.append((f"s_{name}", f"size(v_{name})"))
        wanted.append(("parts", "[real(v_np_complex); imag(v_np_complex)]"))
        wanted.append(("v_np_complex", "[]"))  # scipy would warn that it drops imaginary parts
    stored = loadmat(tmp_path / "out.mat", mat_dtype=True)
    shapes = {name: tuple(rest) for name, (_, *rest) in expected.items()}
    assert shapes == {
        name: (stored[f"c_{name}"].item(), *map(int, stored[f"s_{name}"].ravel()))
        for name in expected
    }
    assert [[1, 2, 3], [4, 5, 6]] == stored["v_matrix"].tolist()
    assert [[2**63], [1]] == stored["v_np_big"].tolist()
    assert np.float32(0.1) == stored["v_np_single"].item()
    assert [[0, 2], [1, 0]] == stored["parts"].tolist()
    entry = stored["v_dict"][0, 0]
    assert ["x", "y"] == [cell.item() for cell in entry["a"].ravel()]
    assert (1, 1) == entry["b"].shape


@given(st.recursive(file_text() | st.booleans() | st.none() | st.floats(), st.lists, max_leaves=9))
def test_a_literal_is_one_line_of_plain_ascii(value: Any) -> None:
    """Whatever goes in, what comes out is printable ASCII."""
    literal = matlab_literal(value)
    assert literal.isascii()
    assert literal.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        b"raw",
        object(),
        2**64,
        {1: "a"},
        "\ud800",
        np.zeros((1, 1, 1)),
        np.zeros(2, dtype="datetime64[s]"),
        [[object()]],
    ],
)
def test_what_has_no_literal_is_refused(value: Any) -> None:
    """The error is a DeclarationError, also a TypeError, that says what to pass instead."""
    with pytest.raises(DeclarationError, match=r"cannot be an argument .* Pass text") as caught:
        matlab_literal(value)
    assert isinstance(caught.value, TypeError)


def test_field_names_are_made_valid_and_distinct() -> None:
    """Legal names stay; others are changed by the documented rule and never collide."""
    keys = ["a b", "a_b", "1st", "", "_x", "größe", "a.b", "y" * 70, "y" * 71]
    names = field_names(keys)
    assert ["a_b_2", "a_b", "x1st", "x", "x_x", "gr__e", "a_b_3"] == names[:7]
    assert ["y" * 63, "y" * 61 + "_2"] == names[7:]


@given(st.lists(st.text(max_size=6), unique=True))
def test_field_names_are_always_legal(keys: list[str]) -> None:
    """Any distinct keys give as many distinct legal names."""
    names = field_names(keys)
    assert len(keys) == len(set(names))
    assert all(name.isascii() and name.isidentifier() and name[0].isalpha() for name in names)
