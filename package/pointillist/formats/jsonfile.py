"""JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..errors import FormatError
from .coercion import coerce
from .faults import about, as_format_error, type_name, wrong_type
from .scalars import SCALARS, plain, plain_scalar
from .text import read_text, write_text

__all__ = ["JsonFormat"]


@dataclass(frozen=True)
class JsonFormat:
    """JSON in UTF-8, keys in the order they have, a line end at the end.

    NumPy scalars become numbers; arrays, tuples and other sequences become lists. NaN and the
    infinities are written as Python's json does (``NaN``, ``Infinity``), which strict readers
    refuse. Keys that are no text are an error: JSON would silently turn them into text.

    Parameters
    ----------
    kind : {"Any", "dict", "list", "tuple", "int", "float", "bool", "str"}
        What is expected, when written and when read.
    optional : bool
        None is a value too.
    """

    takes_text: ClassVar[bool] = True

    kind: str = "Any"
    optional: bool = False

    def write(self, value: object, path: str | Path, *, indent: int | None = None) -> None:
        """Write the value.

        Parameters
        ----------
        value
            Made of dicts, lists, text, numbers, bools, None and NumPy arrays.
        path : Path
            The file.
        indent : int, optional
            Spaces for each level; without it all is on one line.
        """
        with as_format_error("cannot write JSON"):
            tree = self._checked(value)
            text = json.dumps(tree, indent=indent, ensure_ascii=False)
            try:
                text.encode()
            except UnicodeEncodeError:  # half a surrogate pair, as in odd file names
                text = json.dumps(tree, indent=indent)
        write_text(text + "\n", path)

    def read(self, path: str | Path) -> Any:
        """Read the value.

        For a list a bare number or bool will do: MATLAB's ``jsonencode`` writes a list of one
        so.
        """
        text = read_text(path)
        with as_format_error(f"{path} is no JSON"):
            value = json.loads(text)
        if self.kind == "Any" or (value is None and self.optional):
            return value
        if self.kind in SCALARS:
            if isinstance(value, str) is not (self.kind == "str"):
                raise self._other(value, path)
            with about(path):
                return coerce(value, SCALARS[self.kind])
        if self.kind == "dict":
            if not isinstance(value, dict):
                raise self._other(value, path)
            return value
        if isinstance(value, int | float):
            value = [value]
        if not isinstance(value, list):
            raise self._other(value, path)
        return tuple(value) if self.kind == "tuple" else value

    def _other(self, value: object, path: str | Path) -> FormatError:
        return FormatError(
            f"{path} holds {type_name(value)} where {self.kind} is expected: let the step "
            f"write {self.kind}, or annotate the output with {type_name(value)}"
        )

    def _checked(self, value: object) -> object:
        """Check the outermost value and return what JSON takes."""
        if value is None and self.optional:
            return None
        if self.kind in SCALARS:
            return plain_scalar(self.kind, value)
        tree = _tree(value, "")
        if self.kind == "dict" and not isinstance(tree, dict):
            raise wrong_type("dict", value)
        if self.kind in ("list", "tuple") and not isinstance(tree, list):
            raise wrong_type(self.kind, value)
        return tree


def _tree(value: object, where: str) -> object:
    """Return `value` made of dicts, lists, text, numbers, bools and None only."""
    value = plain(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        tree: dict[str, object] = {}
        for key, inner in value.items():
            if not isinstance(key, str):
                raise FormatError(
                    f"JSON has only text as keys, but {_place(where)} has the key {key!r} "
                    f"({type_name(key)}): write {str(key)!r}, or name the file .pkl"
                )
            tree[key] = _tree(inner, f"{where}[{key!r}]")
        return tree
    if isinstance(value, list | tuple | range):
        return [_tree(inner, f"{where}[{index}]") for index, inner in enumerate(value)]
    if type_name(value) == "numpy.ndarray":
        array: Any = value
        nested: list[object] = array.tolist()
        safe = array.dtype.kind in "biuU" or array.dtype in ("f2", "f4", "f8")
        return nested if safe else _tree(nested, where)
    raise FormatError(
        f"JSON has no {type_name(value)}, which is at {_place(where)}: turn it into lists, dicts, "
        "text or numbers, or name the file .pkl"
    )


def _place(where: str) -> str:
    return f"value{where}" if where else "the value itself"
