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
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path, PurePath
from typing import Any

from ..errors import DeclarationError

__all__ = [
    "KEY_TYPES",
    "check",
    "check_spec",
    "decode",
    "encode",
    "expression",
    "from_text",
    "from_texts",
    "is_whole",
    "plain",
    "shown",
    "to_text",
]

KEY_TYPES: tuple[type, ...] = (str, int, float, bool, date, datetime, Path)

_EXPRESSIONS: dict[type, str] = {
    str: r"[^/]+?",
    int: r"-?\d+",
    float: r"-?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|inf)",
    bool: r"true|false",
    date: r"\d{4}-\d{2}-\d{2}",
    datetime: (
        r"\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d{6})?"
        r"(?:[-+]\d{2}-\d{2}(?:-\d{2}(?:\.\d{6})?)?)?"
    ),
    Path: r"[^/]+?(?:/[^/]+?)*?",
}
_DIRECTIVES = {
    **dict.fromkeys(("%Y", "%G"), r"\d{4}"),
    **dict.fromkeys(("%m", "%d", "%H", "%M", "%S", "%y", "%I", "%U", "%W", "%V"), r"\d{2}"),
    "%j": r"\d{3}",
    "%f": r"\d{6}",
    "%%": "%",
}
_SAMPLES: dict[type, tuple[Any, ...]] = {
    str: ("a", "a longer text"),
    int: (7, 12345),
    float: (0.5, 98765.0),
    bool: (True, False),
    date: (date(2026, 11, 20), date(1987, 6, 2)),
    datetime: (
        datetime(2026, 11, 20, 14, 3, 9, 250000, UTC),
        datetime(1987, 6, 2, 5, 47, 58, 1, UTC),
    ),
    Path: (Path("a"), Path("a/longer path")),
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
    value = plain(value)
    if kind is bool or isinstance(value, bool):
        if kind is bool and isinstance(value, bool):
            return value
    elif kind is float and isinstance(value, int | float):
        if math.isnan(value):
            raise DeclarationError(f"{name}: nan is no key, as it equals nothing. Give a number.")
        return float(value) + 0.0  # -0.0 is 0.0
    elif kind is Path and isinstance(value, str | PurePath):
        return Path(value)
    elif kind is datetime and isinstance(value, str):
        return _parsed(value, datetime, name)
    elif kind is date:
        if isinstance(value, str):
            return _parsed(value, date, name)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
    elif isinstance(value, kind):
        return value
    raise DeclarationError(
        f"{name} is a key of type {kind.__name__}, got {type(value).__name__}: {value!r}. "
        f"Give a value of type {kind.__name__}."
    )


def plain(value: Any) -> Any:
    """Return a NumPy scalar as the Python value it stands for, anything else as it is."""
    if hasattr(value, "dtype") and getattr(value, "ndim", None) == 0:
        return value.item()
    return value


def _parsed(text: str, kind: type[date], name: str) -> date:
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise DeclarationError(
            f"{name} is a key of type {kind.__name__}, and {text!r} cannot be read as one. "
            f"Write it like {'2026-11-20T14:03:00' if kind is datetime else '2026-11-20'}."
        ) from None


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
    if value != value:
        raise ValueError("nan is no key, as it equals nothing")
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


def shown(value: Any) -> str:
    """Return a key's text for people: on one line, in quotes where it is not one plain word."""
    text = to_text(value) if isinstance(value, bool) else str(encode(value))
    if text.isalnum():
        return text
    plain_word = text.isprintable() and not re.search(r"[\s'\"]", text)
    return text if plain_word and text else repr(text)


def from_text(text: str, kind: type, spec: str = "") -> Any:
    """Return the key of type `kind` that is written as `text`.

    Raises
    ------
    ValueError
        If the text is none of that type, or not what `to_text` would write.
    """
    value: Any
    if kind is str and not spec:
        return text
    if kind is int and not spec:
        value = int(text)
        if str(value) == text:
            return value
        raise ValueError(f"{text!r} is not how {value!r} is written")
    if kind is bool:
        value = text == to_text(True, spec)
    elif issubclass(kind, date) and spec:
        try:
            moment = datetime.strptime(text, spec)
        except re.error as error:  # a directive that stands there twice
            raise ValueError(str(error)) from None
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


def from_texts(texts: Mapping[str, str], kind: type) -> Any:
    """Return the key of type `kind` that is written several times, by different formats.

    Dates may be written in pieces, ``{day:%Y}/{day:%m}/{day:%d}``; of anything else each text
    says all.

    Parameters
    ----------
    texts : Mapping of str to str
        The text by its format.
    kind : type
        One of `KEY_TYPES`.

    Raises
    ------
    ValueError
        If the texts are none of that type, or do not agree.
    """
    chosen = ["" if "" in texts else next(iter(texts))]
    if issubclass(kind, date) and "" not in texts:
        chosen, told = [], set[str]()
        for spec in sorted(texts, key=lambda spec: -len(_directives(spec))):
            if told.isdisjoint(_directives(spec)):
                told |= _directives(spec)
                chosen.append(spec)
    value = from_text("\n".join(texts[spec] for spec in chosen), kind, "\n".join(chosen))
    if any(to_text(value, other) != written for other, written in texts.items()):
        raise ValueError(f"{', '.join(map(repr, texts.values()))} are not one {kind.__name__}")
    return value


def is_whole(kind: type, specs: Iterable[str]) -> bool:
    """Whether texts in these formats say all of a key, as ``%Y`` does not of a date."""
    if not issubclass(kind, date) or "" in specs:
        return True
    told = {directive for spec in specs for directive in _directives(spec)}
    day = {"%j"} <= told or bool({"%m", "%b", "%B"} & told and "%d" in told)
    year = bool({"%Y", "%y"} & told)
    time = bool({"%H", "%I"} & told and "%M" in told)
    return year and day and (time or kind is not datetime)


def check_spec(kind: type, spec: str) -> None:
    """Check that what a format writes can be read back.

    Raises
    ------
    ValueError
        If it cannot.
    """
    if not spec:
        return
    try:
        texts = [to_text(sample, spec) for sample in _SAMPLES[kind]]
        values = [from_text(text, kind, spec) for text in texts]
    except TypeError as error:
        raise ValueError(str(error)) from None
    if len(set(texts)) < len(texts):
        raise ValueError(f"it writes {texts[0]!r} for every {kind.__name__}")
    if not issubclass(kind, date | float) and tuple(values) != _SAMPLES[kind]:
        raise ValueError(f"it does not write all of a {kind.__name__}")
    if any("/" in text for text in texts):
        raise ValueError("it writes a '/'; write a field for each folder")


def expression(kind: type, spec: str = "") -> str:
    """Return a regular expression for the text of a key of type `kind` under `spec`."""
    if not spec:
        return _EXPRESSIONS[kind]
    if issubclass(kind, date):
        parts = re.split(r"(%[A-Za-z%])", spec)
        return "".join(
            _DIRECTIVES.get(part, r"[^/]+?") if part.startswith("%") else re.escape(part)
            for part in parts
        )
    if kind is int and re.fullmatch(r"[-+]?\d*d?", spec):
        return r" *[-+]?\d+"
    if kind is float and re.fullmatch(r"[-+]?\d*(?:\.\d+)?[feg]?", spec):
        return r" *[-+]?(?:[\d.]+(?:e[-+]\d+)?|inf)"
    return r"[^/]+?"


def _directives(spec: str) -> set[str]:
    return set(re.findall(r"%[A-Za-z]", spec.replace("%%", "")))
