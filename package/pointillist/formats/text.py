"""Text, and single numbers as text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import FormatError
from .coercion import coerce
from .faults import about, as_format_error, wrong_type
from .scalars import SCALARS, plain_scalar

__all__ = ["NumberFormat", "TextFormat", "read_text", "write_text"]


_PIECE = 1 << 16
"""Bytes that are read at once; room for a megabyte would cost more than reading a short text."""


def write_text(text: str, path: str | Path) -> None:
    """Write text in UTF-8, its line ends as they are."""
    with as_format_error("cannot write text"):
        left = text.encode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            while left:  # a file object, buffered or not, costs twice as much for a short text
                left = left[os.write(handle, left) :]
        finally:
            os.close(handle)


def read_text(path: str | Path) -> str:
    """Read text in UTF-8, its line ends as they are."""
    pieces = []
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while piece := os.read(handle, _PIECE):
            pieces.append(piece)
    finally:
        os.close(handle)
    try:
        return b"".join(pieces).decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text in UTF-8: UnicodeDecodeError: {error}") from error


@dataclass(frozen=True)
class TextFormat:
    """Text in UTF-8; line ends are kept as they are."""

    takes_text: ClassVar[bool] = True

    def write(self, value: object, path: str | Path) -> None:
        """Write the text and nothing else."""
        if not isinstance(value, str):
            raise wrong_type("str", value)
        write_text(value, path)

    def read(self, path: str | Path) -> str:
        """Read the whole text."""
        return read_text(path)


@dataclass(frozen=True)
class NumberFormat:
    """One number on one line: its ``repr``, which gives the same number back bit by bit.

    Parameters
    ----------
    kind : {"int", "float", "bool"}
        What is read back.
    """

    takes_text: ClassVar[bool] = True

    kind: str

    def write(self, value: object, path: str | Path) -> None:
        """Write the number and a line end."""
        with as_format_error(f"cannot write the {self.kind}"):
            write_text(f"{plain_scalar(self.kind, value)!r}\n", path)

    def read(self, path: str | Path) -> int | float | bool:
        """Read the number; white space around it does not matter."""
        text = read_text(path)
        if self.kind in ("int", "float"):
            try:
                return int(text) if self.kind == "int" else float(text)
            except ValueError:
                pass  # what is wrong with it is said below
        with about(path):
            number: int | float | bool = coerce(text, SCALARS[self.kind])
            return number
