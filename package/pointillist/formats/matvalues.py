"""MATLAB's values as Python's, and back, on top of what scipy reads and writes."""

from __future__ import annotations

import re
from typing import Any

from ..errors import FormatError
from .faults import type_name

__all__ = ["simplify", "to_matlab"]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_OPAQUE = {"MatlabOpaque", "MatlabFunction", "MatlabObject"}


def simplify(value: Any) -> Any:
    """Turn what ``scipy.io.loadmat`` gives into plain Python and NumPy objects.

    A struct becomes a dict, a struct array a list of dicts, a cell array a list (of rows if it
    has several), char becomes text, a 1x1 array a number; other arrays lose their dimensions of
    length one. Values that are plain already stay.

    Raises
    ------
    FormatError
        For a MATLAB object that scipy cannot read, such as a table or a string.
    """
    if type(value).__name__ in _OPAQUE:
        raise FormatError(
            "MATLAB objects (table, string, datetime, function handle, ...) cannot be read: save "
            "a struct, cell, char or numeric array instead (table2struct, char, datestr)"
        )
    if isinstance(value, dict):
        return {key: simplify(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [simplify(inner) for inner in value]
    kind = type_name(value)
    if kind == "numpy.void" and value.dtype.names:
        return {name: simplify(value[name]) for name in value.dtype.names}
    if kind == "mat_struct":
        return {name: simplify(getattr(value, name)) for name in value._fieldnames}
    if kind == "numpy.ndarray":
        return _simplify_array(value)
    if kind.startswith("numpy.") and hasattr(value, "item"):
        return value.item()
    return value


def _simplify_array(array: Any) -> Any:
    if array.dtype.names or (array.dtype == object and _all_structs(array)):
        structs = [simplify(item) for item in array.ravel(order="F")]
        return structs[0] if array.size == 1 else structs
    if array.dtype == object:
        if array.size == 1 and array.item() is None:
            return {}  # a struct without fields
        if array.ndim == 2 and min(array.shape) > 1:
            return [[simplify(item) for item in row] for row in array]
        return [simplify(item) for item in array.ravel(order="F")]
    if array.dtype.kind in "US":
        if array.size > 1:
            return array.ravel(order="F").tolist()
        return str(array.item()) if array.size else ""
    if array.size == 1:
        return array.item()
    return array.reshape(0) if array.shape in ((0, 0), (1, 0), (0, 1)) else array.squeeze()


def _all_structs(array: Any) -> bool:
    """Tell a struct array read with ``struct_as_record=False`` from a cell array."""
    return array.size > 0 and all(type_name(item) == "mat_struct" for item in array.ravel())


def to_matlab(value: Any, where: str) -> Any:
    """Turn a Python value into what ``scipy.io.savemat`` writes faithfully.

    Parameters
    ----------
    value
        A dict becomes a struct; a list of numbers a row vector, any other list a row of cells;
        text becomes char, an array of text cells; arrays and numbers stay.
    where : str
        The name of the variable, for messages.

    Raises
    ------
    FormatError
        For what MATLAB has no type for, and for names that are none in MATLAB.
    """
    import numpy as np

    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not _NAME.fullmatch(key):
                raise FormatError(
                    f"{key!r} in {where} is no name in MATLAB: a name is a letter and up to 62 "
                    "letters, digits and underscores"
                )
        return {key: to_matlab(inner, f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        if value and all(isinstance(item, bool | np.bool_) for item in value):
            return np.array(value)
        numbers = (int, float, np.integer, np.floating)
        if value and all(isinstance(n, numbers) and not isinstance(n, bool) for n in value):
            return to_matlab(np.array(value), where)
        return _cells([to_matlab(item, f"{where}{{{n}}}") for n, item in enumerate(value, 1)])
    if isinstance(value, bool | int | float | complex | np.generic | np.ndarray):
        array = np.asarray(value)
        if isinstance(value, np.ma.MaskedArray):
            raise FormatError(f"{where} is a masked array: give .filled(numpy.nan) instead")
        if array.dtype.kind in "US" and array.ndim:
            return _cells(array.ravel().tolist())
        if array.dtype.kind in "biu" or array.dtype in ("f4", "f8", "c8", "c16"):
            return array
        raise FormatError(
            f"{where} is an array of {array.dtype}, which MATLAB has no type for: turn it into "
            "float64, integers of at most 64 bits, or text"
        )
    if type(value).__module__.startswith("scipy.sparse"):
        return value
    raise FormatError(
        f"{where} is a {type_name(value)}, which MATLAB has no type for: turn it into numbers, "
        "text, lists, dicts or arrays"
    )


def _cells(items: list[Any]) -> Any:
    """Return a row of cells."""
    import numpy as np

    cells = np.empty((1, len(items)), dtype=object)
    for column, item in enumerate(items):
        cells[0, column] = item
    return cells
