"""The cells of a CSV file: what is quoted is text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import FormatError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_cells", "header_cell", "scan"]

_BARE = re.compile(r"\w(?:[\w ./()\[\]%+-]*[\w./()\[\]%+-])?")
_EXACT = 2**53


def header_cell(name: str) -> str:
    """Write the name of a column, quoted if it must be."""
    return name if _BARE.fullmatch(name) else _quoted(name)


def column_cells(column: pd.Series) -> list[str]:
    """Write the values of a column as the cells of a CSV file.

    Raises
    ------
    FormatError
        If the values are no numbers, text, bools or dates.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    missing = column.isna()
    if kind in ("datetime64", "datetime"):
        column = pd.to_datetime(column, utc=getattr(column.dtype, "tz", None) is not None)
        kind = "date"
    if kind == "integer" and missing.any() and (column.dropna().abs() > _EXACT).any():
        raise FormatError(
            f"column {column.name!r} has integers above 2**53 and missing values, which come "
            "back inexactly: fill the missing ones"
        )
    if kind not in _SHOW:
        raise FormatError(
            f"column {column.name!r} is {kind} ({column.dtype}): a CSV file holds numbers, text, "
            "bools and dates; convert it, or name the file .pkl"
        )
    show = _SHOW[kind]
    return ["" if gone else show(value) for value, gone in zip(column, missing, strict=True)]


def _quoted(text: object) -> str:
    return '"' + str(text).replace('"', '""') + '"'


def _number(value: Any) -> str:
    return repr(float(value))


_SHOW: dict[str, Callable[[Any], str]] = {
    "string": _quoted,
    "boolean": lambda value: str(bool(value)),
    "integer": lambda value: str(int(value)),
    "floating": _number,
    "mixed-integer-float": _number,
    "date": lambda value: value.isoformat(),
    "empty": str,
}


def scan(text: str, separator: str) -> tuple[list[str], list[bool]]:
    """Find the header of a CSV file and which of its columns are quoted, so text.

    Parameters
    ----------
    text : str
        The whole file.
    separator : str
        A comma or a tab.

    Returns
    -------
    header : list of str
        The names of the columns.
    quoted : list of bool
        For each, whether its first cell that is not empty is quoted.
    """
    rows = _rows(text, separator)
    header = [_unquoted(cell) for cell in next(rows, [])]
    quoted = [False] * len(header)
    unknown = set(range(len(header)))
    while unknown and (row := next(rows, None)) is not None:
        for index in [index for index in unknown if index < len(row)]:
            if row[index] not in ("", '""'):
                quoted[index] = row[index].startswith('"')
                unknown.remove(index)
    return header, quoted


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    pattern = re.compile(
        rf'("(?:[^"]|"")*"|[^{separator}\r\n]*)[^{separator}\r\n]*({separator}|\r\n|\n|\r|\Z)'
    )
    position, row = 0, []
    while position < len(text):
        match = pattern.match(text, position)
        if match is None:
            return
        row.append(match[1])
        position = match.end()
        if match[2] != separator:
            yield row
            row = []
