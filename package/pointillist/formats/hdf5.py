"""HDF5 files through h5py: one array, or a dataset per name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FormatError
from .arrays import checked_array, checked_arrays
from .faults import as_format_error

__all__ = ["Hdf5Format"]


@dataclass(frozen=True)
class Hdf5Format:
    """Arrays in an HDF5 file, without times in it.

    One array is the dataset ``data``. A dict of arrays is a dataset for each name; ``a/b`` is the
    dataset ``b`` of the group ``a``. Text is stored as UTF-8 of variable length and comes back as
    an array of text. Whatever else wrote the file: an array is read from ``data`` or from the only
    dataset, a dict of arrays from all datasets.

    Parameters
    ----------
    kind : {"Any", "numpy.ndarray", "dict of arrays"}
        What is expected, when written and when read. For ``"Any"`` a file with ``data`` alone is
        one array.
    """

    kind: str = "Any"

    def write(
        self,
        value: Any,
        path: Path,
        *,
        attrs: Mapping[str, Any] | None = None,
        chunks: bool | tuple[int, ...] | None = None,
        **options: Any,
    ) -> None:
        """Write the array, or the arrays.

        Parameters
        ----------
        value
            An array, or a dict from text to arrays.
        path : Path
            The file.
        attrs : mapping, optional
            Attributes of the array. For a dict of arrays: a name of an array and a dict gives that
            array's attributes, everything else is an attribute of the file.
        chunks : bool or tuple of int, optional
            As in ``h5py.Group.create_dataset``.
        **options
            More for ``create_dataset``: ``compression="gzip"``, ``shuffle=True``, ... Arrays
            without dimensions are stored without.
        """
        import h5py

        single = self.kind == "numpy.ndarray" or (
            self.kind == "Any" and not isinstance(value, Mapping)
        )
        arrays = {"data": checked_array(value)} if single else checked_arrays(value)
        attributes = {"data": dict(attrs or {})} if single else dict(attrs or {})
        if chunks is not None:
            options["chunks"] = chunks
        with (
            as_format_error("cannot write an HDF5 file"),
            _system_errors(path),
            h5py.File(path, "w", track_order=True) as file,
        ):
            for name, array in arrays.items():
                dataset = _create(file, name, array, options if array.ndim else {})
                own = attributes.pop(name, None) if isinstance(attributes.get(name), dict) else {}
                dataset.attrs.update(own)
            file.attrs.update(attributes)

    def read(self, path: Path) -> Any:
        """Read the whole array, or all arrays."""
        with self._file(path) as file, as_format_error(f"cannot read {path}"):
            datasets = _datasets(file)
            if self.kind == "numpy.ndarray" or (self.kind == "Any" and list(datasets) == ["data"]):
                return _load(_single(datasets, path))
            return {name: _load(dataset) for name, dataset in datasets.items()}

    @contextmanager
    def open(self, path: Path) -> Iterator[Any]:
        """Give the h5py Dataset of an array, or the h5py File of a dict, read-only.

        Slices such as ``dataset[1000:2000]`` read only that part; ``.attrs`` has the attributes.
        """
        with self._file(path) as file:
            yield _single(_datasets(file), path) if self.kind == "numpy.ndarray" else file

    @contextmanager
    def _file(self, path: Path) -> Iterator[Any]:
        import h5py

        with as_format_error(f"{path} is no HDF5 file"):
            file = h5py.File(path, "r")
        with file:
            yield file


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    """Turn HDF5's RuntimeError when it closes a file on a full disk into the system's error."""
    try:
        yield
    except RuntimeError as error:
        code = re.search(r"errno = (\d+)", str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error


def _create(file: Any, name: str, array: Any, options: Mapping[str, Any]) -> Any:
    import h5py

    if not all(part.strip(".") for part in name.split("/")) or "\0" in name:
        raise FormatError(f"{name!r} cannot be the name of a dataset in HDF5")
    if array.dtype.kind == "U":
        array = array.astype(h5py.string_dtype())
    elif array.dtype.kind in "mM":
        raise FormatError(
            f"HDF5 has no {array.dtype}: give .astype('int64') and name the unit in attrs, or "
            "name the file .npy"
        )
    return file.create_dataset(name, data=array, track_times=False, **options)


def _datasets(file: Any) -> dict[str, Any]:
    """Return the datasets of a file by their full names, in the order of the file."""
    import h5py

    found: dict[str, Any] = {}

    def visit(group: Any, prefix: str) -> None:
        for name, item in group.items():
            if isinstance(item, h5py.Dataset):
                found[prefix + name] = item
            elif isinstance(item, h5py.Group):
                visit(item, f"{prefix}{name}/")

    visit(file, "")
    return found


def _single(datasets: Mapping[str, Any], path: Path) -> Any:
    if "data" in datasets:
        return datasets["data"]
    if len(datasets) != 1:
        names = ", ".join(datasets) or "none"
        raise FormatError(
            f"{path} has no dataset 'data' and not only one: {names}. Write the array as data, or "
            "annotate the output with dict[str, np.ndarray]"
        )
    return next(iter(datasets.values()))


def _load(dataset: Any) -> Any:
    import h5py
    import numpy as np

    if h5py.check_string_dtype(dataset.dtype) is not None:
        texts = np.asarray(dataset.asstr()[...], dtype=object)
        return texts.astype(str)
    return np.asarray(dataset[...])
