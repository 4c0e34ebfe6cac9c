"""Files and folders as they are, and bytes."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..errors import FormatError
from .faults import as_format_error, wrong_type

__all__ = ["BytesFormat", "PathFormat", "existing"]


def existing(path: Path) -> Path:
    """Return `path` if there is a file or folder."""
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path


@dataclass(frozen=True)
class PathFormat:
    """A file or folder that the step made itself.

    If the step returned another path than the one it was to write, that file or folder is copied:
    contents only, and what links point to instead of the links.
    """

    def write(self, value: object, path: Path) -> None:
        """Copy `value` to `path`, unless it is there already."""
        if not isinstance(value, os.PathLike):
            raise wrong_type("pathlib.Path", value)
        source = Path(os.fspath(value))
        if not source.exists():
            raise FormatError(
                f"the step returned the path {str(source)!r}, but there is no such file or "
                "folder: write it before you return it"
            )
        if path.exists() and source.samefile(path):
            return
        if source.is_dir() and path.resolve().is_relative_to(source.resolve()):
            raise FormatError(
                f"the step returned the folder {str(source)!r}, which the output lies in: "
                "return a file or folder of the step's own"
            )
        with as_format_error(f"cannot copy {str(source)!r}"):
            if source.is_dir():
                shutil.copytree(source, path, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(source, path)

    def read(self, path: Path) -> Path:
        """Return the path itself."""
        return existing(path)


@dataclass(frozen=True)
class BytesFormat:
    """Bytes, in any file."""

    def write(self, value: object, path: Path) -> None:
        """Write the bytes and nothing else."""
        if not isinstance(value, bytes | bytearray | memoryview):
            raise wrong_type("bytes", value)
        path.write_bytes(value)

    def read(self, path: Path) -> bytes:
        """Read all bytes of the file."""
        return path.read_bytes()
