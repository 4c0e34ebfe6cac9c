"""State points as signac writes them, and the ids that it gives them, many at a time.

signac's own `calc_id` makes an encoder for each job. Here a class has two texts with a gap for each
key: in the declared order for the file, sorted for the id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

from ..model import keys

__all__ = ["Statepoints"]


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
