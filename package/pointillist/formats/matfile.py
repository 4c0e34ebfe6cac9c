"""MAT files of MATLAB's versions 6 and 7."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FormatError
from .coercion import coerce
from .faults import about, as_format_error, wrong_type
from .matvalues import simplify, to_matlab

__all__ = ["MatFormat", "read_variables"]

_HEADER = b"MATLAB 5.0 MAT-file, written by pointillist".ljust(116)
_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_variables(path: Path) -> dict[str, Any]:
    """Read the variables of a MAT file as plain Python and NumPy objects.

    Numbers have the type that they have in MATLAB, not the smaller one that they may be saved as.

    Raises
    ------
    FormatError
        If it is no MAT file of version 6 or 7, or holds MATLAB objects.
    """
    from scipy.io import loadmat

    with path.open("rb") as file:
        start = file.read(520)
        if _HDF5 in (start[:8], start[512:520]):
            raise FormatError(
                f"{path} is a MAT file of version 7.3 (HDF5), or another HDF5 file: save it with "
                "save(..., '-v7') or '-v6'; in Octave '-v7' or '-v6' too"
            )
        file.seek(0)
        hint = "is no MAT file of version 6 or 7; save it with save(..., '-v7') or '-v6'"
        with as_format_error(f"{path} {hint}"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            variables = loadmat(file, mat_dtype=True, chars_as_strings=True)
            if any(w.category.__name__ == "ComplexWarning" for w in caught):
                # scipy drops imaginary parts when it restores types, and keeps them otherwise
                file.seek(0)
                stored = loadmat(file, chars_as_strings=True)
                variables = {n: _with_imaginary(v, stored[n]) for n, v in variables.items()}
    found: dict[str, Any] = {}
    for name, value in variables.items():
        if not name.startswith("__"):
            with about(f"{path}, variable {name}"):
                found[name] = simplify(value)
    return found


def _with_imaginary(typed: Any, stored: Any) -> Any:
    """Return `typed` with the complex arrays of `stored`, which has the same shape throughout."""
    if getattr(stored, "dtype", None) is None or not hasattr(stored, "flat"):
        return typed
    if stored.dtype.kind == "c":
        return stored
    if stored.dtype.names:
        for name in stored.dtype.names:
            typed[name] = _with_imaginary(typed[name], stored[name])
    elif stored.dtype == object:
        for index in range(stored.size):
            typed.flat[index] = _with_imaginary(typed.flat[index], stored.flat[index])
    return typed


@dataclass(frozen=True)
class MatFormat:
    """A MAT file of version 7 (6 without compression), through scipy.

    A dict is a set of variables; an array is the variable ``data``. MATLAB has no vectors, so
    dimensions of length one are dropped when reading. A list of numbers comes back as an array.

    Parameters
    ----------
    kind : {"Any", "dict", "dict of arrays", "numpy.ndarray"}
        What is expected, when written and when read.
    """

    kind: str = "Any"

    def write(self, value: Any, path: Path, *, do_compression: bool = False) -> None:
        """Write the variables.

        Parameters
        ----------
        value
            A dict of variables, or an array.
        path : Path
            The file.
        do_compression : bool
            Compress, which is version 7.
        """
        import numpy as np
        from scipy.io import savemat

        is_array = isinstance(value, np.ndarray | np.generic)
        if self.kind == "numpy.ndarray" and not is_array:
            raise wrong_type("numpy.ndarray", value)
        if not isinstance(value, dict) and (self.kind.startswith("dict") or not is_array):
            raise wrong_type("dict", value)
        variables = to_matlab({"data": value} if is_array else value, "the dict of variables")
        with as_format_error("cannot write a MAT file"), path.open("w+b") as file:
            savemat(file, variables, do_compression=do_compression, long_field_names=True)
            file.seek(0)
            file.write(_HEADER)  # instead of one with the date

    def read(self, path: Path) -> Any:
        """Read the variables, or for an array ``data`` or the only variable."""
        import numpy as np

        variables = read_variables(path)
        if self.kind == "numpy.ndarray":
            if "data" not in variables and len(variables) != 1:
                names = ", ".join(variables) or "none"
                raise FormatError(
                    f"{path} has no variable 'data' and not only one: {names}. Save the array as "
                    "data, or annotate the output with dict"
                )
            only = next(iter(variables))
            with about(path):
                return coerce(variables.get("data", variables[only]), np.ndarray)
        if self.kind == "dict of arrays":
            with about(path):
                return coerce(variables, dict[str, np.ndarray])
        return variables
