"""Shell command templates: ``"ffmpeg -i {raw} {out}"``.

Every value is quoted, so any legal file name stays one word of data for a POSIX shell. That holds
where the shell reads words; inside quotes, comments, backticks and here-documents it would not, so
a field in such a place is an error when the template is read.
"""

from __future__ import annotations

import datetime
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import DeclarationError, UnknownField, closest

__all__ = ["fields", "fill"]

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", re.ASCII)

_UNSAFE = {
    "'": "inside quotes",
    '"': "inside quotes",
    "`": "inside backticks (write $(...) instead)",
    "#": "inside a comment",
    "<<": "inside a here-document",
    "\\": "after a backslash",
    "$": "after a $",
}


class _Piece(NamedTuple):
    """A part of a template: literal text, or the name of a field."""

    text: str
    is_field: bool


def fields(template: str) -> list[str]:
    """Names of the fields that a template uses.

    Parameters
    ----------
    template : str
        A shell command with fields like ``{raw}`` and ``{out.spikes}``; ``{{`` and ``}}`` stand for
        braces.

    Returns
    -------
    list of str
        Each name once, in order of first use.

    Raises
    ------
    DeclarationError
        When a brace has no partner, a field is no name, or a field stands where quoting cannot
        protect it.
    """
    return list(dict.fromkeys(piece.text for piece in _pieces(template) if piece.is_field))


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Put values into a template, each quoted for a POSIX shell.

    Parameters
    ----------
    template : str
        As for `fields`.
    values : mapping of str to Any
        By name of field (``"out.spikes"`` is one name). Text is one word, also empty text; so is a
        path, which gets ``./`` in front if it begins with a dash; a number is its ``repr``, a bool
        ``true`` or ``false``, a date its ISO form, None the empty word; a list gives one word
        per item.

    Returns
    -------
    str
        The command.

    Raises
    ------
    UnknownField
        When the template names a field that has no value.
    DeclarationError
        When the template is malformed, or a value cannot be a word.
    """
    pieces = _pieces(template)
    parts = []
    for place, (text, is_field) in enumerate(pieces):
        if not is_field:
            parts.append(text)
            continue
        if text not in values:
            raise _unknown(template, text, values)
        filled = _words(text, values[text])
        following = pieces[place + 1].text[:1] if place + 1 < len(pieces) else ""
        if filled.isdigit() and following in ("<", ">"):
            filled = f"'{filled}'"  # a bare number there would be a file descriptor
        parts.append(filled)
    return "".join(parts)


def _words(name: str, value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(_word(name, item) for item in value)
    return _word(name, value)


def _word(name: str, value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()  # a NumPy scalar
    if isinstance(value, str):
        word = value
    elif isinstance(value, os.PathLike):
        word = os.fsdecode(value)
        word = f"./{word}" if word.startswith("-") else word
    elif isinstance(value, bool):
        word = "true" if value else "false"
    elif isinstance(value, (int, float)):
        word = repr(value)
    elif isinstance(value, (datetime.date, datetime.time)):
        word = value.isoformat()
    elif value is None:
        word = ""
    else:
        raise DeclarationError(
            f"{{{name}}} is {value!r} ({type(value).__name__}), which cannot be a word of a shell "
            "command. Give text, a path, a number, or a list of these; or write it to a file."
        )
    if "\0" in word:
        raise DeclarationError(
            f"{{{name}}} is {word!r}: no word of a command can hold a null character. Take it out."
        )
    return shlex.quote(word)


def _unknown(template: str, name: str, values: Mapping[str, Any]) -> UnknownField:
    close = closest(name, values)
    advice = (
        f"Did you mean {{{close}}}?" if close else f"Braces of the shell's own: {{{{{name}}}}}."
    )
    return UnknownField(
        f'The command "{template}" has the field {{{name}}}, which has no value.\n'
        f"  known: {', '.join(values) or 'none'}. {advice}"
    )


def _pieces(template: str) -> list[_Piece]:
    pieces = []
    for match in _PIECE.finditer(template):
        text, name = match[0], match[1]
        if name is not None:
            if not _NAME.fullmatch(name):
                raise DeclarationError(
                    f'The command "{template}" has "{text}", which is no field. A field is a name, '
                    "{raw} or {out.spikes}; braces of the shell's own are written {{ and }}."
                )
            pieces.append(_Piece(name, True))
        elif text in ("{", "}"):
            raise DeclarationError(
                f'The command "{template}" has a single "{text}" at position {match.start()}. '
                "A field is written {name}; braces of the shell's own are written {{ and }}."
            )
        else:
            pieces.append(_Piece(text[0] if text in ("{{", "}}") else text, False))
    _check_places(template, pieces)
    return pieces


def _check_places(template: str, pieces: list[_Piece]) -> None:
    """Refuse a field in a place where a quoted word is not read as one word."""
    scan = _Scan()
    for text, is_field in pieces:
        if not is_field:
            scan.read(text)
            continue
        place = scan.place()
        if place in _UNSAFE:
            raise DeclarationError(
                f'The command "{template}" has {{{text}}} {_UNSAFE[place]}, where it would '
                f"not stay data. Every value is quoted already: let {{{text}}} stand free."
            )
        scan.previous = "x"


class _Scan:
    """Where in a shell command one is: the open quotes, substitutions and comments."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.previous = "\n"
        self.escaped = False
        self.here = False  # a << has been seen
        self.in_document = False  # and its line is over

    def place(self) -> str:
        """Give the innermost open construct, or the character that would change a field."""
        if self.in_document:
            return "<<"
        if self.escaped:
            return "\\"
        inner = self.open[-1] if self.open else ""
        return "$" if self.previous == "$" and inner != "'" else inner

    def read(self, text: str) -> None:
        for char in text:
            self._read(char)
            self.previous = char

    def _read(self, char: str) -> None:
        inner = self.open[-1] if self.open else ""
        if self.escaped:
            self.escaped = False
        elif inner == "'":
            if char == "'":
                self.open.pop()
        elif inner == "#":
            if char == "\n":
                self.open.pop()
                self._read(char)
        elif char == "\\":
            self.escaped = True
        elif char == inner and char in '"`':
            self.open.pop()
        elif char in '"`' or (char == "'" and inner != '"'):
            self.open.append(char)
        elif char == "(" and (inner != '"' or self.previous == "$"):
            self.open.append("(")
        elif char == ")" and inner == "(":
            self.open.pop()
        elif inner != '"':
            self._read_bare(char)

    def _read_bare(self, char: str) -> None:
        if char == "#" and self.previous in " \t\n;&|()":
            self.open.append("#")
        elif char == "<":
            shift = self.open[-2:] == ["(", "("]  # $((1 << 2))
            self.here = self.here or (self.previous == "<" and not shift)
        elif char == "\n" and self.here:
            self.in_document = True
