"""Tables beside the data: columns that are kept in the job documents.

A CSV file has one row for each record or for several: the columns that are named like keys say
which, the others become metadata. A TOML file holds the rows as an array of tables of any name::

    [[session]]
    session = "a"
    subject = "m12"
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from ..errors import SpaceError
from ..model import keys
from ..model.records import Record, RecordType

__all__ = ["Match", "match_rows", "read_rows"]

_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})?")
"""What counts as a number in a CSV cell: ``007`` and ``1_000`` are names."""


@dataclass(frozen=True)
class Match:
    """What a table says about the records.

    Parameters
    ----------
    metadata : dict of str to dict
        By job id.
    unmatched : list of dict
        The rows, by their keys, that fit no record.
    """

    metadata: dict[str, dict[str, Any]]
    unmatched: list[dict[str, Any]]


def read_rows(path: Path, as_text: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the rows of a CSV or TOML table.

    Parameters
    ----------
    path : Path
        The table; ``.toml``, or anything else as CSV.
    as_text : iterable of str
        Columns of a CSV table whose cells are kept as they are written: the keys.

    Raises
    ------
    SpaceError
        If the file cannot be read as such a table.
    """
    try:
        if path.suffix.lower() == ".toml":
            import tomllib

            tables = tomllib.loads(path.read_text(encoding="utf-8"))
            return [
                dict(row)
                for rows in tables.values()
                if isinstance(rows, list)
                for row in rows
                if isinstance(row, dict)
            ]
        with path.open(newline="", encoding="utf-8-sig") as file:
            kept = set(as_text)
            return [
                {n: text if n in kept else _typed(text) for n, text in row.items() if n}
                for row in csv.DictReader(file, strict=True)
            ]
    except FileNotFoundError:
        raise SpaceError(f"the table {path} is not there.") from None
    except (OSError, ValueError, csv.Error) as error:
        raise SpaceError(f"the table {path} cannot be read: {error}.") from error


def match_rows(
    cls: RecordType, rows: Iterable[Mapping[str, Any]], records: Iterable[Record], path: Path
) -> Match:
    """Return which metadata the rows hold for which record.

    Raises
    ------
    SpaceError
        If the table has no column that is a key, or two rows contradict each other.
    """
    rows = list(rows)
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shared = [name for name in cls.keys if name in columns]
    if rows and not shared:
        raise SpaceError(
            f"the table {path} has no column that is a key of {cls.__name__}. "
            f"Columns: {', '.join(columns)}. Keys: {', '.join(cls.keys)}."
        )
    for name in columns:
        if "." in name:
            raise SpaceError(
                f"the table {path} has the column {name!r}: a job document takes no names with a "
                f"dot. Call it {name.replace('.', '_')!r}."
            )
    by_key: dict[tuple[str, ...], list[Record]] = {}
    for record in records:
        place = tuple(keys.to_text(record._keys[name]) for name in shared)
        by_key.setdefault(place, []).append(record)
    found: dict[str, dict[str, Any]] = {}
    unmatched = []
    said: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        place = tuple(_key_text(row.get(name), cls.keys[name]) for name in shared)
        data = {n: _plain(v) for n, v in row.items() if n not in cls.keys and v is not None}
        before = said.setdefault(place, data)
        for name in data:
            if name in before and before[name] != data[name]:
                who = " ".join(f"{key}={text}" for key, text in zip(shared, place, strict=True))
                raise SpaceError(
                    f"the table {path} has two rows for {who} that differ in {name}: "
                    f"{before[name]!r} and {data[name]!r}. Keep one of them."
                )
        said[place] = {**before, **data}
        records_here = by_key.get(place, [])
        for record in records_here:
            found.setdefault(record.id, {}).update(data)
        if not records_here:
            unmatched.append({name: row.get(name) for name in shared})
    return Match(found, unmatched)


def _key_text(value: Any, kind: type) -> str:
    if value is None:
        return ""
    try:
        if isinstance(value, str) and kind in (int, float):
            value = kind(value)
        elif isinstance(value, str) and kind in (date, datetime):
            value = keys.decode(value.strip(), kind)
        elif isinstance(value, str) and kind is bool:
            value = value.strip().lower()
        elif isinstance(value, int) and kind is float:
            value = float(value)
    except ValueError:
        return str(value)
    return keys.to_text(value)


def _typed(text: str | None) -> Any:
    """Return a CSV cell as number, true or false, text, or None where it is empty."""
    if text is None or not text.strip():
        return None
    plain = text.strip()
    if plain.lower() in ("true", "false"):
        return plain.lower() == "true"
    if _NUMBER.fullmatch(plain) is None:
        return plain
    return float(plain) if set(plain) & set(".eE") else int(plain)


def _plain(value: Any) -> Any:
    """Return what a table holds as JSON; dates and times become ISO 8601 text."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date | time) else value
