"""Errors keep what they say when they go from one process to another."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from pointillist import errors

ALL = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", ALL)
def test_pickled(kind: Any) -> None:
    """Every error comes out of a pickle with its message and its attributes."""
    told: dict[str, Any] = {"record": "Block a", "step": "Block.stats", "log": Path("a.log")}
    if issubclass(kind, errors.TaskError):
        told |= {"code": 3, "exception": "ValueError"}
    error = kind("what, where, what to do", **told)
    found = pickle.loads(pickle.dumps(error))
    assert kind is type(found)
    assert "what, where, what to do" == str(found)
    assert told == {name: getattr(found, name) for name in told}


def test_a_note_goes_along() -> None:
    """Notes that somebody has added are kept."""
    error = errors.TaskError("failed", code=3)
    error.add_note("in the night")
    assert ["in the night"] == pickle.loads(pickle.dumps(error)).__notes__
