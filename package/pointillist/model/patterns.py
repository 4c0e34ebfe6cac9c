"""A seed's pattern: how its path is made from keys, and how keys are read from a path."""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SeedPatternError
from . import keys

__all__ = ["SeedPattern"]


@dataclass(frozen=True)
class SeedPattern:
    """A relative path with ``{key}`` and ``{key:03d}`` fields.

    Parameters
    ----------
    text : str
        The pattern as the user wrote it; a ``/`` at its end says that the seed is a folder.
    kinds : Mapping of str to type
        The types of the class's keys.
    owner : str
        What the pattern belongs to, for messages: ``Recording.raw``.

    Raises
    ------
    SeedPatternError
        If the pattern is malformed, absolute, leaves its root, or names what is no key.

    Examples
    --------
    >>> pattern = SeedPattern("{session}/rec_{index:03d}.bin", {"session": str, "index": int})
    >>> pattern.format({"session": "a", "index": 7})
    'a/rec_007.bin'
    >>> pattern.match("b/rec_012.bin")
    {'session': 'b', 'index': 12}
    """

    text: str
    kinds: Mapping[str, type] = field(compare=False)
    owner: str = "seed"
    _parts: tuple[tuple[str, str | None, str], ...] = field(init=False, repr=False, compare=False)
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = tuple(self._parse())
        object.__setattr__(self, "_parts", parts)
        whole = _expression(parts, self.kinds)
        object.__setattr__(self, "_expression", re.compile(whole, re.DOTALL))

    @property
    def is_folder(self) -> bool:
        """Whether the pattern says that the seed is a folder."""
        return self.text.endswith("/")

    @property
    def fields(self) -> tuple[str, ...]:
        """The keys that the pattern names, each once, in order."""
        return tuple(dict.fromkeys(name for _, name, _ in self._parts if name is not None))

    @property
    def spans_folders(self) -> bool:
        """Whether a field may match text with ``/`` in it (a key of type Path)."""
        return any(self.kinds[name] is Path for name in self.fields)

    def format(self, values: Mapping[str, Any]) -> str:
        """Return the path, relative to the seed's root, for these keys.

        Raises
        ------
        SeedPatternError
            If a key's text would leave its place in the path.
        """
        out = []
        for literal, name, spec in self._parts:
            out.append(literal)
            if name is None:
                continue
            text = keys.to_text(values[name], spec)
            bad = text.startswith("/") or ".." in text.split("/")
            if bad or not text or (self.kinds[name] is not Path and "/" in text):
                raise SeedPatternError(
                    f"{self.owner} = {self.text!r}: the key {name}={text!r} cannot stand in a "
                    "path. Use text that is not empty, without '/' and not '..'."
                )
            out.append(text)
        return "".join(out)

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the keys that are written in a relative `path`, or None if it is no such path."""
        found = self._expression.fullmatch(path.rstrip("/"))
        if found is None:
            return None
        values = {}
        specs = {name: spec for _, name, spec in self._parts if name is not None}
        for name, spec in specs.items():
            try:
                values[name] = keys.from_text(found.group(name), self.kinds[name], spec)
            except ValueError:
                return None
        # A repeated field may carry two specs ({day}/{day:%Y}): all of them must agree.
        return values if self.format(values).rstrip("/") == path.rstrip("/") else None

    def levels(self) -> tuple[re.Pattern[str], ...]:
        """Return an expression for each folder level of the path, to prune a walk with."""
        levels: list[list[tuple[str, str | None, str]]] = [[]]
        for literal, name, spec in self._parts:
            first, *rest = literal.split("/")
            levels[-1].append((first, None, ""))
            for piece in rest:
                levels.append([(piece, None, "")])
            if name is not None:
                levels[-1].append(("", name, spec))
        if self.is_folder:
            levels.pop()
        return tuple(re.compile(_expression(tuple(p), self.kinds), re.DOTALL) for p in levels)

    def _parse(self) -> list[tuple[str, str | None, str]]:
        where = f"{self.owner} = {self.text!r}"
        if not self.text or self.text.startswith("/") or ".." in self.text.split("/"):
            raise SeedPatternError(
                f"{where} must be a path below its root: not empty, not absolute, without '..'. "
                'For data elsewhere name a root: pt.seed("...", root="nas").'
            )
        try:
            parsed = list(string.Formatter().parse(self.text))
        except ValueError as error:
            raise SeedPatternError(
                f"{where} is malformed: {error}. Write {{key}}, and {{{{ for a brace."
            ) from None
        parts: list[tuple[str, str | None, str]] = []
        for literal, name, spec, conversion in parsed:
            if name is not None and (conversion or name not in self.kinds):
                known = ", ".join(self.kinds) or "none"
                close = difflib.get_close_matches(name, self.kinds, 1, 0.4)
                hint = f" Did you mean {{{close[0]}}}?" if close else ""
                raise SeedPatternError(
                    f"{where} has the field {{{name}}}, which is no key of "
                    f"{self.owner.split('.')[0]}.\n  keys: {known}.{hint}"
                )
            parts.append((literal, name, spec or ""))
        return parts


def _expression(parts: tuple[tuple[str, str | None, str], ...], kinds: Mapping[str, type]) -> str:
    seen: dict[str, str] = {}
    out = []
    for literal, name, spec in parts:
        out.append(re.escape(literal))
        if name is None:
            continue
        if seen.get(name) == spec:
            out.append(f"(?P={name})")
        elif name in seen:
            out.append(f"(?:{keys.expression(kinds[name], spec)})")
        else:
            out.append(f"(?P<{name}>{keys.expression(kinds[name], spec)})")
            seen[name] = spec
    return "".join(out).rstrip("/")
