"""Keys have three forms: the Python value, its JSON in the state point, and its text in a path.

==============  ======================  ===========================  =====================
type            state point (JSON)      text in a path               example
==============  ======================  ===========================  =====================
``str``         text                    itself, without ``/``        ``a``
``int``         number                  decimal                      ``3``
``float``       number                  ``repr``                     ``0.25``
``bool``        true, false             ``true``, ``false``          ``true``
``date``        ISO 8601 text           ISO 8601                     ``2026-11-20``
``datetime``    ISO 8601 text           ISO 8601 with ``:`` → ``-``  ``2026-11-20T14-03-00``
``Path``        text with ``/``         itself, may hold ``/``       ``mouse1/day2``
==============  ======================  ===========================  =====================
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from ..errors import DeclarationError

__all__ = ["KEY_TYPES", "check", "decode", "encode", "expression", "from_text", "to_text"]

KEY_TYPES: tuple[type, ...] = (str, int, float, bool, date, datetime, Path)

_EXPRESSIONS: dict[type, str] = {
    str: r"[^/]+?",
    int: r"-?\d+",
    float: r"-?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf)",
    bool: r"true|false",
    date: r"\d{4}-\d{2}-\d{2}",
    datetime: r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d{6})?(?:[+]\d{2}-\d{2}|-\d{2}-\d{2})?",
    Path: r"[^/]+(?:/[^/]+)*?",
}


def check(value: Any, kind: type, name: str) -> Any:
    """Return `value` as a key of type `kind`.

    Parameters
    ----------
    value : object
        What a user gave.
    kind : type
        One of `KEY_TYPES`.
    name : str
        The key's name, for the message.

    Returns
    -------
    object
        The value; an int for a float key becomes a float, text for a date or path is parsed.

    Raises
    ------
    DeclarationError
        If the value is of another type.
    """
    if kind is bool or isinstance(value, bool):
        if kind is bool and isinstance(value, bool):
            return value
    elif kind is float and isinstance(value, int | float):
        if math.isnan(value):
            raise DeclarationError(f"key {name}: nan identifies nothing, give a number.")
        return float(value)
    elif kind is Path and isinstance(value, str | PurePath):
        return Path(PurePosixPath(Path(value).as_posix()))
    elif kind is datetime and isinstance(value, str):
        return datetime.fromisoformat(value)
    elif kind is date:
        if isinstance(value, str):
            return date.fromisoformat(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
    elif isinstance(value, kind):
        return value
    raise DeclarationError(
        f"key {name} is {kind.__name__}, got {type(value).__name__}: {value!r}. "
        f"Give a value of type {kind.__name__}."
    )


def encode(value: Any) -> Any:
    """Return a key's JSON form, as it stands in the state point."""
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    return value


def decode(value: Any, kind: type) -> Any:
    """Return the key of type `kind` whose JSON form is `value`.

    Raises
    ------
    ValueError, TypeError
        If it is the form of no such key.
    """
    if kind is datetime:
        return datetime.fromisoformat(value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is Path:
        return Path(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}: {value!r}")
    return value


def to_text(value: Any, spec: str = "") -> str:
    """Return a key's text in a path, by the pattern's format `spec` where there is one."""
    if spec:
        return format(value, spec)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace(":", "-")
    if isinstance(value, float):
        return repr(value)
    return str(encode(value))


def from_text(text: str, kind: type, spec: str = "") -> Any:
    """Return the key of type `kind` that is written as `text`.

    Raises
    ------
    ValueError
        If the text is none of that type, or not what `to_text` would write.
    """
    value: Any
    if kind is bool:
        value = text == "true"
    elif issubclass(kind, date) and spec:
        moment = datetime.strptime(text, spec)
        value = moment if kind is datetime else moment.date()
    elif kind is datetime:
        day, _, time = text.partition("T")
        clock, zone = time[:8].replace("-", ":"), time[8:]
        fraction = re.match(r"\.\d+", zone)
        rest = zone[fraction.end() :] if fraction else zone
        tail = (fraction.group() if fraction else "") + rest[:1] + rest[1:].replace("-", ":")
        value = datetime.fromisoformat(f"{day}T{clock}{tail}")
    elif kind is date:
        value = date.fromisoformat(text)
    else:
        value = kind(text)
    if to_text(value, spec) != text:
        raise ValueError(f"{text!r} is not how {value!r} is written")
    return value


def expression(kind: type, spec: str = "") -> str:
    """Return a regular expression for the text of a key of type `kind` under `spec`."""
    if not spec or kind in (str, Path):
        return _EXPRESSIONS[kind]
    if issubclass(kind, date):
        parts = re.split(r"(%[A-Za-z%])", spec)
        widths = {"%Y": r"\d{4}", "%j": r"\d{3}", "%f": r"\d{6}", "%%": "%"}
        return "".join(
            widths.get(p, r"[^/]+?" if p in ("%b", "%B", "%a", "%A", "%p") else r"\d{2}")
            if p.startswith("%")
            else re.escape(p)
            for p in parts
            if p
        )
    return r"[^/]+?"
