"""Python values as literals of the MATLAB language, exact in MATLAB and in GNU Octave.

A literal is pure ASCII on one line, so nothing on its way can mangle it: quotes are doubled,
control characters are written as ``char(10)``, other characters as their UTF-8 bytes through
``native2unicode`` (which gives UTF-16 in MATLAB and UTF-8 in Octave, what each of them calls text).
"""

from __future__ import annotations

import datetime
import os
import re
import reprlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import DeclarationError

__all__ = ["field_names", "matlab_literal"]

FLINTMAX = 2**53
"""Up to here every whole number is a double."""

_RUNS = re.compile(
    r"(?P<plain>[ -~]+)"
    r"|(?P<bytes>[\x00-\x1f\x7f\udc80-\udcff]+)"
    r"|(?P<wide>[^\x00-\x7f\udc80-\udcff]+)"
)


def matlab_literal(value: Any) -> str:
    """Write a value as a literal of the MATLAB language.

    Parameters
    ----------
    value : Any
        - text, ``Path``, dates (in ISO form): a char row; bytes of a file name that are no
          UTF-8 pass through as they are
        - ``bool``: ``true``, ``false``
        - numbers: doubles, exact; whole numbers beyond 2**53 ``int64`` or ``uint64``
        - ``None``: ``[]``
        - a list or tuple of numbers (or of bools): a row; of rows of equal length: a matrix;
          any other, and one that no array holds exactly: a cell row
        - a mapping: a ``struct`` (see `field_names`)
        - a NumPy scalar: what its ``item()`` is; an array of up to two dimensions: an array of the
          same class, a row if it has one dimension

    Returns
    -------
    str
        Printable ASCII without line breaks.

    Raises
    ------
    DeclarationError
        When the language has no exact counterpart for the value.
    """
    value = _unwrapped(value)
    text = _text_of(value)
    if text is not None:
        return _char_row(text)
    if value is None:
        return "[]"
    if isinstance(value, (bool, int, float, complex)):
        return _scalar(value)
    if isinstance(value, Mapping):
        return _struct(value)
    if isinstance(value, (list, tuple)):
        return _sequence(value)
    if _is_numpy(value, "ndarray"):
        return _array(value)
    raise _refusal(value, "MATLAB has no literal for this type")


def field_names(keys: Iterable[str]) -> list[str]:
    """Give each key a legal field name of a ``struct``, in order.

    Legal names stay. In others each character that is no ASCII letter, digit or underscore becomes
    ``_``; a name that does not begin with a letter gets an ``x`` in front; only 63 characters
    are kept (MATLAB's ``namelengthmax``); a name that is then taken gets ``_2``, ``_3``, ….

    Parameters
    ----------
    keys : iterable of str
        Keys of a mapping.

    Returns
    -------
    list of str
        As many distinct names.
    """
    keys = list(keys)
    taken = {key for key in keys if _made_valid(key) == key}
    names = []
    for key in keys:
        name = base = _made_valid(key)
        number = 1
        while name != key and name in taken:
            number += 1
            suffix = f"_{number}"
            name = base[: 63 - len(suffix)] + suffix
        taken.add(name)
        names.append(name)
    return names


def _made_valid(key: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", key)
    return (name if name[:1].isalpha() else "x" + name)[:63]


def _refusal(value: Any, reason: str) -> DeclarationError:
    return DeclarationError(
        f"{reprlib.repr(value)} ({type(value).__name__}) cannot be an argument of a MATLAB "
        f"function: {reason}. Pass text, a path, numbers, logicals, lists or dicts of these, or "
        "write the value to a file and pass its path."
    )


def _is_numpy(value: Any, kind: str) -> bool:
    """Whether a value is a NumPy ``generic`` or ``ndarray``; NumPy is not imported for that."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def _unwrapped(value: Any) -> Any:
    """Turn a NumPy scalar or an array without dimensions into the Python scalar that it holds."""
    if _is_numpy(value, "generic") or (_is_numpy(value, "ndarray") and value.ndim == 0):
        return value.item()
    return value


def _text_of(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return None


def _char_row(text: str) -> str:
    parts = []
    for run in _RUNS.finditer(text):
        if run["plain"] is not None:
            parts.append("'" + run["plain"].replace("'", "''") + "'")
            continue
        try:
            codes = ", ".join(map(str, run[0].encode("utf-8", "surrogateescape")))
        except UnicodeEncodeError as error:
            raise _refusal(text, "it has a lone surrogate, which is no character") from error
        if run["bytes"] is not None:
            parts.append(f"char([{codes}])" if "," in codes else f"char({codes})")
        else:
            parts.append(f"native2unicode(uint8([{codes}]), 'UTF-8')")
    if len(parts) == 1:
        return parts[0]
    return "[" + ", ".join(parts) + "]" if parts else "''"


def _scalar(number: complex | bool) -> str:
    """Write one number; a bool is one."""
    if isinstance(number, bool):
        return "true" if number else "false"
    if isinstance(number, int):
        if not _is_big(number):
            return f"{number:d}"
        kind = _integer_class([number])
        if kind is None:
            raise _refusal(number, "no integer class of 64 bits holds it")
        return _integer(number, kind)
    if isinstance(number, float):
        text = float.__repr__(number)
        return {"nan": "NaN", "inf": "Inf", "-inf": "-Inf"}.get(text, text)
    return f"complex({_scalar(number.real)}, {_scalar(number.imag)})"


def _is_big(number: Any) -> bool:
    """Whether it is a whole number that a double might not hold."""
    return isinstance(number, int) and abs(number) > FLINTMAX


def _integer_class(numbers: Iterable[Any]) -> str | None:
    """Name the class of 64 bits that holds all these whole numbers, if one does."""
    numbers = list(numbers)
    if all(isinstance(number, int) for number in numbers):
        if all(-(2**63) <= number < 2**63 for number in numbers):
            return "int64"
        if all(0 <= number < 2**64 for number in numbers):
            return "uint64"
    return None


def _integer(number: int, kind: str) -> str:
    """Write a whole number of an integer class, never through a double that rounds."""
    if not _is_big(number):
        return f"{kind}({number:d})"
    high, low = divmod(int(number), 2**32)
    return f"{kind}({high}) * {kind}(4294967296) + {kind}({low})"


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _rows_of(items: Sequence[Any]) -> list[list[Any]] | None:
    """Give the rows if the items are all numbers, all bools, or rows of these of equal length."""
    if all(isinstance(item, (list, tuple)) for item in items):
        rows = [[_unwrapped(entry) for entry in item] for item in items]
        if len({len(row) for row in rows}) > 1:
            return None
    else:
        rows = [list(items)]
    entries = [entry for row in rows for entry in row]
    if all(map(_is_number, entries)) or all(isinstance(entry, bool) for entry in entries):
        return rows
    return None


def _sequence(value: Sequence[Any]) -> str:
    items = [_unwrapped(item) for item in value]
    if not items:
        return "[]"
    rows = _rows_of(items)
    if rows is not None and not rows[0]:
        return f"zeros({len(rows)}, 0)"
    if rows is not None and not any(_is_big(entry) for row in rows for entry in row):
        return _matrix([[_scalar(entry) for entry in row] for row in rows])
    if rows is not None:
        kind = _integer_class(entry for row in rows for entry in row)
        if kind is not None:
            return _matrix([[_integer(entry, kind) for entry in row] for row in rows])
    return "{" + ", ".join(matlab_literal(item) for item in items) + "}"


def _matrix(rows: Iterable[Iterable[str]]) -> str:
    return "[" + "; ".join(", ".join(row) for row in rows) + "]"


def _struct(value: Mapping[Any, Any]) -> str:
    for key in value:
        if not isinstance(key, str):
            raise _refusal(value, f"the key {key!r} is no text")
    parts = []
    for name, entry in zip(field_names(value), value.values(), strict=True):
        literal = matlab_literal(entry)
        # struct() spreads a cell over an array of structs; a cell in a cell stays one value
        parts.append(f"'{name}', " + (f"{{{literal}}}" if literal.startswith("{") else literal))
    return f"struct({', '.join(parts)})"


def _array(array: Any) -> str:
    kind = array.dtype.kind
    if kind in "UO":
        return matlab_literal(array.tolist())
    if array.ndim > 2:
        raise _refusal(array, "it has more than two dimensions")
    if kind not in "biufc" or array.dtype.itemsize > (16 if kind == "c" else 8):
        raise _refusal(array, f"MATLAB has no class like the dtype {array.dtype}")
    if kind == "b":
        name = "logical"
    elif kind in "iu":
        name = array.dtype.name
    else:
        name = "double" if array.dtype.itemsize == (16 if kind == "c" else 8) else "single"
    rows = (array[None, :] if array.ndim == 1 else array).tolist()
    if array.size == 0:
        size = f"{len(rows)}, {array.shape[-1]}"
        return f"false({size})" if name == "logical" else f"zeros({size}, '{name}')"
    if any(_is_big(entry) for row in rows for entry in row):
        return _matrix([[_integer(entry, name) for entry in row] for row in rows])
    literal = _matrix([[_scalar(entry) for entry in row] for row in rows])
    return literal if name in ("logical", "double") else f"{name}({literal})"
