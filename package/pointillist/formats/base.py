"""What a format is: two methods."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

__all__ = ["Format", "LazyFormat", "as_path"]


@runtime_checkable
class Format(Protocol):
    """How a value becomes a file, or a folder, and comes back.

    Two methods are enough for a format of your own; it need not inherit from this class.
    ``pointillist.testing.check_format`` says whether it keeps the promises below.
    """

    def write(self, value: Any, path: Path, /, *args: Any, **options: Any) -> None:
        """Write `value` to exactly `path`.

        Parameters
        ----------
        value
            What the step returned. Check its type before you write.
        path : Path
            Does not exist yet, its folder does, and it ends in the suffix that the format is
            registered for. A format that writes a folder makes the folder.
        **options
            What the user gave in ``.to("name.ext", **options)``. Name the ones you know as
            keyword parameters, then others are an error when the class is made.

        Raises
        ------
        FormatError
            If the value cannot be written. What is at `path` then is thrown away.
        """

    def read(self, path: Path, /) -> Any:
        """Read the value back, without changing the file.

        Raises
        ------
        FormatError
            If the file is not what it should be.
        """


@runtime_checkable
class LazyFormat(Format, Protocol):
    """A format whose files can be looked into without loading all."""

    def open(self, path: Path, /) -> AbstractContextManager[Any]:
        """Give a read-only handle, such as an h5py Dataset or a memory map, for a ``with``."""


def as_path(place: str, format: Format) -> Any:
    """Return a place as a format takes it: as a path, or as text if its very class says so.

    Where values are small, making a path takes a good part of the time of making the file.
    """
    return place if vars(type(format)).get("takes_text") else Path(place)
