"""Options of a step: units, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.errors import DeclarationError
from pointillist.model.options import Options


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("timeout", 90, 90.0), ("timeout", "90", 90.0), ("timeout", "90s", 90.0),
        ("timeout", "1.5 h", 5400.0), ("walltime", "30m", 1800.0), ("walltime", "1D", 86400.0),
        ("timeout", None, None), ("memory", 8, 8.0), ("memory", "8g", 8.0), ("memory", "8GB", 8.0),
        ("memory", "500m", 0.5), ("memory", "1t", 1000.0), ("version", "2", "2"),
        ("version", 2, "2"), ("version", None, None), ("retries", 3, 3), ("np", 4, 4),
        ("ngpu", 1, 1), ("resources", {}, ()), ("resources", {"disk": 0.5}, (("disk", 0.5),)),
        ("resources", {"tape": 2, "disk": 1}, (("disk", 1.0), ("tape", 2.0))),
    ],
)  # fmt: skip
def test_values(name: str, value: Any, expected: Any) -> None:
    """Times are seconds and memory gigabytes, whatever unit they are written in."""
    assert expected == getattr(Options().updated(**{name: value}), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("timeout", v) for v in (0, -1, "0s", "soon", "2x", "2hb", "h", True, float("nan"),
                                   float("inf"), [1])),
        *(("memory", v) for v in ("8q", "-1g", "8 g g", 0)),
        *(("retries", v) for v in (-1, 1.5, "2", True, None)),
        *(("np", v) for v in (0, None, "4")),
        *(("version", v) for v in (1.10, True, ["2"])),
        *(("resources", v) for v in (None, "disk", {"disk": 0}, {"disk": True}, {"disk": "1"},
                                     {1: 1}, {"": 1}, {"disk": 1.5}, {"CPU": 1},
                                     {"disk": float("inf")}, {"disk": float("nan")})),
    ],
)  # fmt: skip
def test_wrong_values(name: str, value: Any) -> None:
    """A value that cannot be is an error that shows it as it was written."""
    with pytest.raises(DeclarationError) as caught:
        Options().updated(**{name: value})
    assert str(caught.value).startswith(f"the option {name}={value!r} ")


def test_unknown_option() -> None:
    """A misspelt option is an error that lists the options."""
    with pytest.raises(DeclarationError) as caught:
        Options().updated(time_out="2h")
    assert (
        "a step has no option 'time_out'.\n  options: version, retries, timeout, np, ngpu, memory, "
        "walltime, resources. Did you mean timeout?"
    ) == str(caught.value)


def test_updated_leaves_the_rest() -> None:
    """Other options stay, and the old ones are not changed."""
    old = Options(retries=2)
    assert Options(retries=2, np=4) == old.updated(np=4)
    assert Options(retries=2) == old
