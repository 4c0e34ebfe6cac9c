"""Return values of MATLAB functions, read from the MAT file (version 6) that our driver wrote.

The format is described in MathWorks' "MAT-File Format"; scipy reads it. Text that is not plain
ASCII comes as a struct with one field, ``pointillist_text``, that holds its UTF-8 bytes: what GNU
Octave writes for such text cannot be read by scipy (seen with Octave 7.3 and scipy 1.17). Complex
numbers come as a struct of ``pointillist_real`` and ``pointillist_imag``: scipy drops the imaginary
part when it is asked for logical as bool.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import FormatError
from ..formats.matvalues import simplify

__all__ = ["read_value"]

_TEXT = ["pointillist_text"]
_COMPLEX = ["pointillist_real", "pointillist_imag"]


def read_value(path: Path) -> Any:
    """Read the variable ``value`` of a MAT file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Any
        See `pointillist.commands.matlab.result`.

    Raises
    ------
    FormatError
        When the file cannot be read, or holds what has no counterpart in Python.
    """
    from scipy.io import loadmat

    try:
        # mat_dtype gives each array its MATLAB class: logical as bool, not as uint8
        return _restored(simplify(loadmat(path, mat_dtype=True)["value"]))
    except Exception as error:  # scipy raises many kinds for a damaged file
        raise FormatError(
            f"The return value in {path} cannot be read: {error}. Return numbers, logicals, text, "
            "cells and structs, or write a file and declare it with pt.out."
        ) from error


def _restored(value: Any) -> Any:
    """Put text and complex numbers where their parts are, at any depth."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if not isinstance(value, dict):
        return value
    if list(value) == _TEXT:
        import numpy as np

        (codes,) = value.values()
        codes = np.atleast_1d(codes).astype("u1")
        return codes.tobytes().decode("utf-8", "surrogateescape")
    if list(value) == _COMPLEX:
        return _joined(*value.values())
    return {name: _restored(entry) for name, entry in value.items()}


def _joined(real: Any, imag: Any) -> Any:
    """Join the parts of complex numbers, also infinite ones: ``1j * inf`` is ``nan+infj``."""
    import numpy as np

    if hasattr(real, "tocsc"):
        return real + 1j * imag
    parts = np.asarray(real)
    joined = np.empty(parts.shape, np.result_type(parts.dtype, np.complex64))
    joined.real = parts
    joined.imag = imag
    return joined if joined.ndim else joined.item()
