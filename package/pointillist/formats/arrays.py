"""NumPy's own files: one array, or several under names."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FormatError
from .faults import as_format_error, type_name, wrong_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.lib.npyio import NpzFile

__all__ = ["NpyFormat", "NpzFormat", "checked_array", "checked_arrays"]


def checked_array(value: Any, name: str = "") -> np.ndarray[Any, Any]:
    """Check that a value is an array that can be stored without pickle.

    Raises
    ------
    FormatError
        If it is no array, one of Python objects, or a masked one, whose mask would be lost.
    """
    import numpy as np

    place = f"{name!r}: " if name else ""
    if not isinstance(value, np.ndarray | np.generic):
        raise wrong_type(f"{place}numpy.ndarray", value)
    if isinstance(value, np.ma.MaskedArray):
        raise FormatError(f"{place}a masked array would lose its mask: give .filled(numpy.nan)")
    array: np.ndarray[Any, Any] = np.asarray(value)
    if array.dtype.hasobject:
        raise FormatError(
            f"{place}an array of Python objects cannot be stored: give it a dtype with .astype, "
            "or name the file .pkl"
        )
    return array


def checked_arrays(value: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Check that a value is a dict from text to arrays."""
    if not isinstance(value, dict):
        raise wrong_type("dict of numpy.ndarray", value)
    for name in value:
        if not isinstance(name, str):
            raise FormatError(
                f"an array's name is text, got {name!r} ({type_name(name)}): use {str(name)!r}"
            )
    return {name: checked_array(array, name) for name, array in value.items()}


@dataclass(frozen=True)
class NpyFormat:
    """One array in an ``.npy`` file; ``open`` maps it into memory."""

    def write(self, value: Any, path: Path) -> None:
        """Write the array."""
        import numpy as np

        array = checked_array(value)
        # "w+b" keeps NumPy from ndarray.tofile, which does not tell why the disk takes no more.
        with as_format_error("cannot write an .npy file"), path.open("w+b") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    def read(self, path: Path) -> np.ndarray[Any, Any]:
        """Read the whole array."""
        import numpy as np

        with as_format_error(f"{path} is no .npy file"), path.open("rb") as file:
            array: np.ndarray[Any, Any] = np.lib.format.read_array(file, allow_pickle=False)
            return array

    @contextmanager
    def open(self, path: Path) -> Iterator[np.ndarray[Any, Any]]:
        """Give the array as a read-only memory map."""
        import numpy as np

        with as_format_error(f"{path} is no .npy file"):
            array: np.ndarray[Any, Any] = np.lib.format.open_memmap(path, mode="r")
        yield array


@dataclass(frozen=True)
class NpzFormat:
    """Arrays under names in one ``.npz`` file; ``open`` loads each when asked for."""

    def write(self, value: Any, path: Path, *, compressed: bool = False) -> None:
        """Write the arrays, with the same date for all.

        Parameters
        ----------
        value : dict of str to numpy.ndarray
            The arrays.
        path : Path
            The file.
        compressed : bool
            Compress each array.
        """
        import numpy as np

        arrays = checked_arrays(value)
        method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
        with as_format_error("cannot write an .npz file"), zipfile.ZipFile(path, "w") as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")  # its date is 1980-01-01
                if entry.filename != f"{name}.npy":
                    raise FormatError(f"{name!r} cannot be the name of an array in an .npz file")
                entry.compress_type = method
                with archive.open(entry, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)

    def read(self, path: Path) -> dict[str, np.ndarray[Any, Any]]:
        """Read all arrays."""
        with self.open(path) as archive, as_format_error(f"{path} is no .npz file"):
            return {name: archive[name] for name in archive.files}

    @contextmanager
    def open(self, path: Path) -> Iterator[NpzFile]:
        """Give NumPy's ``NpzFile``, which loads an array when it is asked for."""
        import numpy as np

        with as_format_error(f"{path} is no .npz file"):
            archive = np.load(path, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FormatError(f"{path} is no .npz file: it holds one array")
        with archive:
            yield archive
