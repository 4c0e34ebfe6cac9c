"""Single numbers and text as plain Python objects."""

from __future__ import annotations

from typing import Any

from ..errors import FormatError
from .faults import wrong_type

__all__ = ["SCALARS", "plain", "plain_scalar"]

SCALARS: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}


def plain(value: object) -> object:
    """Turn a NumPy scalar or an array of no dimensions into the Python object that it holds."""
    if type(value).__module__.partition(".")[0] == "numpy" and getattr(value, "ndim", None) == 0:
        item: Any = value
        return item.item()
    return value


def plain_scalar(kind: str, value: object) -> int | float | bool | str:
    """Check that a value is a number, or text, of a kind and return it as a plain Python object.

    Parameters
    ----------
    kind : {"int", "float", "bool", "str"}
        As in Python's typing an int will do for a float, and a bool for both.
    value
        A Python or NumPy scalar.

    Raises
    ------
    FormatError
        If it is something else, or would not be the same number.
    """
    value = plain(value)
    wanted = SCALARS[kind]
    if kind == "float" and isinstance(value, int):
        try:
            same = float(value) == value
        except OverflowError:
            same = False
        if not same:
            raise FormatError(
                f"the integer {value} has no equal as float: annotate the output with int"
            )
    elif not isinstance(value, wanted):
        raise wrong_type(kind, value)
    scalar: int | float | bool | str = wanted(value)
    return scalar
