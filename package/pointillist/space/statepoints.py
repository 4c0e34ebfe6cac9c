"""State points as signac writes them, and the ids that it gives them, many at a time.

For each job signac's own `calc_id` makes an encoder. To make jobs, a class has two texts with a gap
for each key: in the declared order for the file, sorted for the id.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

from signac.job import calc_id

from ..errors import CorruptRecord
from ..model import keys
from ..model.records import RecordType
from .jsontext import loads

__all__ = ["Statepoints", "keys_in"]


class Statepoints:
    """The state points of the records of one class.

    Parameters
    ----------
    kinds : mapping of str to type
        The class's keys and their types, in order.
    constant : mapping of str to str
        What each state point says before its keys.

    Examples
    --------
    >>> Statepoints({"session": str, "index": int}, {}).named(("a", 7))[1]
    '{"session": "a", "index": 7}'
    """

    def __init__(self, kinds: Mapping[str, type], constant: Mapping[str, str]) -> None:
        self._encoders = [_ENCODERS.get(kind, _encode) for kind in kinds.values()]
        said = {name: _literal(json.dumps(text)) for name, text in constant.items()}
        said |= {name: f"{{{number}}}" for number, name in enumerate(kinds)}
        self._written = _template(said)
        self._hashed = _template(dict(sorted(said.items())))

    def named(self, place: tuple[Any, ...]) -> tuple[str, str]:
        """Return the id of the job with these values of its keys, in order, and its state point."""
        values = [encode(value) for encode, value in zip(self._encoders, place, strict=True)]
        hashed = self._hashed.format(*values).encode("ascii")
        id = hashlib.md5(hashed, usedforsecurity=False).hexdigest()
        return id, self._written.format(*values)


def _template(said: Mapping[str, str]) -> str:
    entries = ", ".join(f"{_literal(json.dumps(name))}: {text}" for name, text in said.items())
    return f"{{{{{entries}}}}}"


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _encode(value: Any) -> str:
    return json.dumps(keys.encode(value))


_ENCODERS: dict[type, Callable[[Any], str]] = {str: encode_basestring_ascii, int: int.__repr__}
"""What `json` does with a value of a type, without asking for the type each time."""


def keys_in(place: str, cls: RecordType, id: str, is_first: bool) -> dict[str, Any] | None:
    """Return the keys in a job's state point, or None if it is no record of the class.

    Parameters
    ----------
    place : str
        The state point's file.
    cls : RecordType
        The class.
    id : str
        The job's id.
    is_first : bool
        Whether the class lives in the plain workspace, where state points need not name it.

    Raises
    ------
    CorruptRecord
        If the state point cannot be read, is another job's, or holds a key of a wrong type.
    """
    try:
        content = _content(place)
        data = loads(content)
        if _id_of(data) != id:
            data = json.loads(content)  # what orjson does not read as signac does
            if calc_id(data) != id:
                raise ValueError("it is not the state point of this job id")
    except (OSError, ValueError, TypeError, AttributeError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CorruptRecord(
            f"{cls.__name__} {id[:8]}…: the state point {place} cannot be read: {what}. "
            "Restore the file, or remove the job's folder; the others go on.",
            record=f"{cls.__name__} {id}",
        ) from None
    if cls.__plain__:
        return dict(data)
    kind = data.get("aggregate" if cls.__member__ else "record")
    if not is_first and kind != cls.__name__:
        return None
    values = {}
    for name, wanted in cls.keys.items():
        if name not in data:
            return None
        try:
            values[name] = keys.decode(data[name], wanted)
        except (TypeError, ValueError) as error:
            raise CorruptRecord(
                f"{cls.__name__} {id[:8]}…: the key {name} in {place} is no "
                f"{wanted.__name__}: {error}.",
                record=f"{cls.__name__} {id}",
            ) from None
    return values


def _id_of(data: Any) -> str:
    """Return the id of a plain state point as `calc_id` does, which makes an encoder each time."""
    return hashlib.md5(_SORTED.encode(data).encode(), usedforsecurity=False).hexdigest()


def _content(place: str) -> bytes:
    """Return what is in a small file; a file object would take as long as all the rest."""
    file = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while more := os.read(file, _PIECE):
            content += more
        return content
    finally:
        os.close(file)


_SORTED = json.JSONEncoder(sort_keys=True)

_PIECE = 1 << 16
"""Bytes that are read at once."""
