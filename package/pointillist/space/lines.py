"""Reading single lines of files that only grow, many of them near each other."""

from __future__ import annotations

import os

__all__ = ["Lines"]

_PIECE = 1 << 15
"""Bytes that are read at once."""


class Lines:
    """Gives lines by where they begin; keeps the file, and the piece of it, that was read last."""

    def __init__(self) -> None:
        self._place = ""
        self._file = -1
        self._begin = 0
        self._piece = b""

    def at(self, place: str, offset: int) -> bytes:
        """Return the line of a file that begins at an offset, without its end.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        if place != self._place:
            self.close()
            self._file = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
            self._place = place
        start = offset - self._begin
        if 0 <= start < len(self._piece):
            end = self._piece.find(b"\n", start)
            if end >= 0:
                return self._piece[start:end]
        return self._read(offset)

    def _read(self, offset: int) -> bytes:
        self._begin, self._piece = offset, b""
        while True:
            more = os.pread(self._file, _PIECE, offset + len(self._piece))
            self._piece += more
            end = self._piece.find(b"\n")
            if end >= 0 or not more:
                return self._piece[: end if end >= 0 else None]

    def close(self) -> None:
        """Close the file: it may be another one that lies there when it is asked for next."""
        if self._file >= 0:
            os.close(self._file)
        self._place, self._file, self._begin, self._piece = "", -1, 0, b""

    def __del__(self) -> None:
        self.close()
