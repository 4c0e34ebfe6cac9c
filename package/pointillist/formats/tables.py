"""Pandas tables as CSV."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FormatError
from .csvcells import column_cells, header_cell, scan
from .faults import as_format_error, type_name, wrong_type

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableFormat"]

_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_MISSING = ["", "NaN", "nan", "NA", "N/A", "#N/A", "NULL", "null"]


@dataclass(frozen=True)
class TableFormat:
    r"""A table as CSV in UTF-8, with a header.

    Comes back equal: integers, floats (bit by bit), bools, text (which is quoted, so ``"007"``
    stays text and ``"NA"`` too) and dates (ISO 8601; a time zone becomes UTC). Comes back
    otherwise: float32 as float64 of the same value, integers with missing values as float64,
    categories as their values, an empty text as missing, a column with nothing in it as missing
    floats.

    An index without a name that only counts the rows is not written. Any other index without a
    name goes first, under an empty name, and comes back as the index. An index with a name is
    written as columns and comes back as columns, as by ``reset_index``.

    Parameters
    ----------
    separator : str
        A comma, or a tab for ``.tsv``.
    """

    separator: str = ","

    def write(self, value: Any, path: Path, *, index: bool | None = None) -> None:
        """Write the table.

        Parameters
        ----------
        value : pandas.DataFrame
            Its columns have names that are text and differ.
        path : Path
            The file.
        index : bool, optional
            Whether to write the index; by default as described above.
        """
        import pandas as pd

        if not isinstance(value, pd.DataFrame):
            raise wrong_type("pandas.DataFrame", value)
        with as_format_error("cannot write a table"):
            table = _with_index(value, index)
            names = list(table.columns)
            columns = [column_cells(table.iloc[:, place]) for place in range(len(names))]
            if len(columns) == 1:  # a missing value alone on its line would be an empty line
                columns = [[cell or '""' for cell in columns[0]]]
            rows = [[header_cell(name) for name in names], *zip(*columns, strict=True)]
            text = "".join(self.separator.join(row) + "\n" for row in rows)
            path.write_bytes(text.encode())

    def read(self, path: Path) -> pd.DataFrame:
        """Read the table."""
        import pandas as pd

        options: dict[str, Any] = {}
        if tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1):
            options["float_precision"] = "round_trip"  # the default since
        with as_format_error(f"{path} is no table in CSV"):
            text = path.read_bytes().decode("utf-8-sig")
            header, quoted = scan(text, self.separator)
            if not text.strip():
                return pd.DataFrame()
            header = ["Unnamed: 0", *header[1:]] if not header[0] else header
            texts = {name for name, is_text in zip(header, quoted, strict=True) if is_text}
            table: pd.DataFrame = pd.read_csv(
                io.StringIO(text),
                sep=self.separator,
                dtype=dict.fromkeys(texts, str),
                na_values={name: [""] if name in texts else _MISSING for name in header},
                keep_default_na=False,
                low_memory=False,
                **options,
            )
            for name in table.columns.difference(list(texts)):
                table[name] = _dates(table[name])
            if header[0] == "Unnamed: 0":
                table = table.set_index("Unnamed: 0").rename_axis(None)
            return table


def _with_index(table: pd.DataFrame, index: bool | None) -> pd.DataFrame:
    """Return the table with its index as columns, if it is to be written."""
    import pandas as pd

    _check_names(table)
    named = any(name is not None for name in table.index.names)
    counts = not named and table.index.equals(pd.RangeIndex(len(table)))
    if index is False or (index is None and counts):
        return table
    if named or table.index.nlevels > 1:
        table = table.reset_index()
        _check_names(table)
        return table
    return table.rename_axis("").reset_index()


def _check_names(table: pd.DataFrame) -> None:
    names = list(table.columns)
    for name in names:
        if not isinstance(name, str) or not name:
            raise FormatError(
                f"a CSV file's columns have names that are text, got {name!r} ({type_name(name)}): "
                "give table.columns names"
            )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"the column {twice!r} is there twice: rename one")


def _dates(column: pd.Series) -> pd.Series:
    """Return a column of ISO 8601 dates as dates, any other as it is."""
    import pandas as pd

    if not pd.api.types.is_object_dtype(column) and not pd.api.types.is_string_dtype(column):
        return column
    matches = [_DATE.fullmatch(str(value)) for value in column.dropna()]
    if not all(matches):
        return column
    zoned = any(match["zone"] for match in matches if match)
    try:
        return pd.to_datetime(column, format="ISO8601", utc=zoned)
    except ValueError:  # the 31st of February
        return column
