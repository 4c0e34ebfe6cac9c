"""Arguments as data: references, ``each``, ``out`` and literals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointillist.errors import DeclarationError
from pointillist.model.arguments import (
    Each,
    Out,
    Ref,
    each,
    has_each,
    is_literal,
    out,
    out_parts,
    refs,
    transform,
)


def test_transform_counts_the_members_down() -> None:
    """Every leaf is replaced, told how many ``each`` are around it; tuples become lists."""
    argument = {"a": (1, [2]), "b": Each([3, Each(4)])}
    expected = {"a": [(1, 0), [(2, 0)]], "b": Each([(3, 1), Each((4, 2))])}
    assert expected == transform(argument, lambda leaf, depth: (leaf, depth))


def test_what_is_found_in_an_argument() -> None:
    """References, ``each`` and ``out`` are found wherever they stand."""
    argument = {"x": [Ref("raw"), {"y": Each(Ref("raw", 1))}], "z": [out, out("spikes")]}
    assert [Ref("raw"), Ref("raw", 1)] == list(refs(argument))
    assert has_each(argument)
    assert not has_each([Ref("raw"), out])
    assert [None, "spikes"] == out_parts(argument)


def test_each_and_out_are_data() -> None:
    """``each`` and ``out`` compare by what they say."""
    assert Each("field") == each("field")  # type: ignore[comparison-overlap]  # typed as a list
    assert Out("spikes") == out("spikes")
    assert Out() == out


@pytest.mark.parametrize("part", ["", 1, None, ["a"]])
def test_out_needs_a_name(part: Any) -> None:
    """``pt.out(...)`` takes a name and nothing else."""
    with pytest.raises(DeclarationError, match=r"pt\.out\(.*an output of a command has a name"):
        out(part)


def test_out_in_an_f_string() -> None:
    """An f before a shell command would put text in place of the output; it is an error."""
    with pytest.raises(DeclarationError, match=r"write \{out\}, without an f before the quotes"):
        f"cat x > {out}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", True), (1, True), (0.5, True), (False, True), (None, True), ([1, ("a", None)], True),
        ({"a": [1]}, True), (np.float64(1), True), ({1: 2}, False), (Path("a"), False),
        (np.array([1]), False), ([object()], False), (b"a", False), ({1, 2}, False),
    ],
)  # fmt: skip
def test_literals(value: Any, expected: bool) -> None:
    """Literals are what JSON can hold."""
    assert expected is is_literal(value)


def test_literals_have_text_as_keys() -> None:
    """A dict with other keys than text is an error."""
    with pytest.raises(DeclarationError, match="has keys that are no text"):
        transform({1: 2}, lambda leaf, depth: leaf)
