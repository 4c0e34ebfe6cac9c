"""A seed's pattern: how its path is made from keys, and how keys are read from a path."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ..errors import SeedPatternError, closest
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
    _readings: tuple[tuple[str, type, tuple[tuple[str, int], ...]], ...] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        parts = tuple(self._parse())
        object.__setattr__(self, "_parts", parts)
        whole = _expression(parts, self.kinds)
        object.__setattr__(self, "_expression", re.compile(whole, re.DOTALL))
        groups = self._expression.groupindex
        readings = tuple(
            (n, self.kinds[n], tuple((s, groups[_group(n, s)] - 1) for s in self._specs(n)))
            for n in self.fields
        )
        object.__setattr__(self, "_readings", readings)

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

    @property
    def whole(self) -> tuple[str, ...]:
        """The keys of which the path says all; ``{day:%Y}`` alone says only the year."""
        return tuple(n for n in self.fields if keys.is_whole(self.kinds[n], self._specs(n)))

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
            if not text or "\0" in text or (self.kinds[name] is not Path and "/" in text):
                raise self._no_place(name, text)
            out.append(text)
        path = "".join(out)
        if not _is_plain(path):
            texts = {n: keys.to_text(values[n]) for n in self.fields}
            name = next((n for n in texts if not _is_plain(texts[n])), self.fields[-1])
            raise self._no_place(name, texts[name])
        return path

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the keys that are written in a relative `path`, or None if it is no such path.

        Where a path can be read in several ways, a field takes as little text as possible.
        """
        return self.read(path.rstrip("/")) if _is_plain(path.rstrip("/")) else None

    def read(self, path: str) -> dict[str, Any] | None:
        """Do what `match` does, for the path of something that is there: it has no ``..``."""
        found = self._expression.fullmatch(path)
        if found is None:
            return None
        texts = found.groups()
        values = {}
        try:  # each text is what its value is written as, so the path is what `format` gives
            for name, kind, groups in self._readings:
                if len(groups) == 1:
                    spec, group = groups[0]
                    values[name] = keys.from_text(texts[group], kind, spec)
                else:
                    written = {spec: texts[group] for spec, group in groups}
                    values[name] = keys.from_texts(written, kind)
        except (ValueError, OverflowError):
            return None
        return values

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

    def _specs(self, field: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(spec for _, name, spec in self._parts if name == field))

    def _no_place(self, name: str, text: str) -> SeedPatternError:
        return SeedPatternError(
            f"{self.owner} = {self.text!r}: the key {name}={text!r} cannot stand in this path. "
            "A key in a path is text without '/', and neither empty nor '.' nor '..'."
        )

    def _parse(self) -> list[tuple[str, str | None, str]]:
        where = f"{self.owner} = {self.text!r}"
        if not _is_plain(self.text.removesuffix("/")):
            raise SeedPatternError(
                f"{where} must be a path below its root: not empty, not absolute, without '..', "
                "'./' and '//'.\n"
                '  For data elsewhere name a root: pt.seed("recordings/…", root="nas").'
            )
        try:
            parsed = list(string.Formatter().parse(self.text))
        except ValueError as error:
            raise SeedPatternError(
                f"{where} is malformed: {error}.\n"
                "  A key is written {key} or {key:03d}; a brace itself is written {{ or }}."
            ) from None
        parts: list[tuple[str, str | None, str]] = []
        for literal, name, spec, conversion in parsed:
            if name is not None:
                self._check_field(where, name, spec or "", conversion)
            parts.append((literal, name, spec or ""))
        return parts

    def _check_field(self, where: str, name: str, spec: str, conversion: str | None) -> None:
        if name not in self.kinds:
            close = closest(name, self.kinds, 0.4)
            hint = f" Did you mean {{{close}}}?" if close else ""
            raise SeedPatternError(
                f"{where} has the field {{{name}}}, which is no key of "
                f"{self.owner.split('.')[0]}.\n  keys: {', '.join(self.kinds) or 'none'}.{hint}"
            )
        if conversion:
            raise SeedPatternError(f"{where}: write {{{name}}} without !{conversion}.")
        try:
            keys.check_spec(self.kinds[name], spec)
        except ValueError as error:
            fitting = {int: ":03d", float: ":.2f", date: ":%Y-%m-%d", datetime: ":%Y%m%d_%H%M%S"}
            example = fitting.get(self.kinds[name])
            also = f" or {{{name}{example}}}" if example else ""
            raise SeedPatternError(
                f"{where}: the key {name} cannot be read back from the format {spec!r}: {error}.\n"
                f"  Write {{{name}}}{also}."
            ) from None


def _is_plain(path: str) -> bool:
    return "\0" not in path and _NO_NAMES.isdisjoint(path.removesuffix("/").split("/"))


_NO_NAMES = frozenset(("", ".", ".."))


def _group(name: str, spec: str) -> str:
    """Return the name of a field's group in the expression."""
    return f"g{f'{name}:{spec}'.encode().hex()}"


def _expression(parts: tuple[tuple[str, str | None, str], ...], kinds: Mapping[str, type]) -> str:
    seen: set[str] = set()
    out = []
    for literal, name, spec in parts:
        out.append(re.escape(literal))
        if name is None:
            continue
        group = _group(name, spec)
        if group in seen:
            out.append(f"(?P={group})")
        else:
            out.append(f"(?P<{group}>{keys.expression(kinds[name], spec)})")
            seen.add(group)
    return "".join(out).rstrip("/")
