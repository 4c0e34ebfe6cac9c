"""Pickle, for those who ask for it by name."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import as_format_error

__all__ = ["PickleFormat"]


@dataclass(frozen=True)
class PickleFormat:
    """Any Python object, in pickle's protocol 5.

    Only used where the file is named ``.pkl`` or ``.pickle``. Reading one runs code from it, and
    another version of the classes in it may not read it. Sets of text may give other bytes in
    another process.
    """

    def write(self, value: object, path: Path) -> None:
        """Write the object."""
        with as_format_error("cannot pickle the value"), path.open("wb") as file:
            pickle.dump(value, file, protocol=5)

    def read(self, path: Path) -> Any:
        """Read the object."""
        with as_format_error(f"cannot unpickle {path}"), path.open("rb") as file:
            return pickle.load(file)
