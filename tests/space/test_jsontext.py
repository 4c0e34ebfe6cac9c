"""What is kept as JSON comes back as it was, whichever of two encoders can take it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.space.jsontext import json_line, loads

ANY_TEXT = st.text(st.characters())  # also half a surrogate pair: a file name that is no UTF-8
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner | ANY_TEXT),
)


@given(st.dictionaries(ANY_TEXT, PLAIN | ANY_TEXT))
def test_round_trip(data: dict[str, Any]) -> None:
    """Any plain data is one line, which Python's own json reads too."""
    line = json_line(data)
    assert (1, b"\n") == (line.count(b"\n"), line[-1:])
    assert data == loads(line) == json.loads(line)


def test_what_only_python_reads() -> None:
    """What a wider JSON allows is read as Python's json reads it."""
    assert "[nan, inf]" == repr(loads(b"[NaN, Infinity]"))


@pytest.mark.parametrize("text", [b"", b'{"a":', b"\xff", b"[" * 5000])
def test_no_json(text: bytes) -> None:
    """What is no JSON is refused by errors that readers know."""
    with pytest.raises((ValueError, RecursionError)):
        loads(text)


def test_no_plain_data() -> None:
    """What JSON has no words for is refused."""
    with pytest.raises(TypeError):
        json_line({"a": object()})
