"""What an annotation means for storing: its kinds, found without importing its package.

A kind is the name of a class, nearest first along the classes it inherits from: ``"int"``,
``"pandas.DataFrame"``, ``"lab.events.Events"``. Classes of numpy, pandas, matplotlib and pathlib go
by the package and their own name, as their modules move between versions.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Meaning", "arguments", "meaning", "members", "show", "unwrap"]

_SHORT = {"numpy", "pandas", "matplotlib", "pathlib"}
_SAME: dict[str, str] = {
    "numpy.bool": "bool",
    "numpy.bool_": "bool",
    "numpy.integer": "int",
    "numpy.floating": "float",
    "numpy.str_": "str",
}
_ABSTRACT: dict[object, str] = {
    Mapping: "dict",
    MutableMapping: "dict",
    Sequence: "list",
    MutableSequence: "list",
}
_JSON_KINDS = {"int", "float", "bool", "str", "dict", "list", "tuple", "json", "Any"}


@dataclass(frozen=True)
class Meaning:
    """What an annotation means for storing.

    Attributes
    ----------
    kinds : tuple of str
        Nearest first. ``"dict of arrays"``, ``"json"`` (a union of what JSON knows) and ``"Any"``
        are kinds that are no class. Empty if the annotation says nothing that can be stored.
    optional : bool
        None is a value too.
    json : bool
        JSON gives such a value back (a tuple inside others as a list).
    """

    kinds: tuple[str, ...]
    optional: bool
    json: bool


def unwrap(annotation: Any) -> Any:
    """Remove ``Annotated``, ``NewType`` and type aliases around an annotation."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = annotation.__origin__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union; an annotation that is none is its only member."""
    annotation = unwrap(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(inner for part in typing.get_args(annotation) for inner in members(part))
    if typing.get_origin(annotation) is typing.Literal:
        kinds = dict.fromkeys(type(value) for value in typing.get_args(annotation))
        return tuple(kinds)
    return (annotation,)


def arguments(annotation: Any) -> tuple[Any, ...]:
    """Return what stands in the brackets of ``list[int]``."""
    return typing.get_args(unwrap(annotation))


def show(annotation: Any) -> str:
    """Write an annotation as its user would."""
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def meaning(annotation: Any) -> Meaning:
    """Say what an annotation means for storing.

    Parameters
    ----------
    annotation
        A resolved type: a class, ``list[int]``, ``X | None``, ``Annotated[...]``, ``Any``.
    """
    parts = members(annotation)
    stored = [part for part in parts if part not in (None, type(None))]
    optional = len(stored) < len(parts)
    json = bool(stored) and all(_is_json(part) for part in stored)
    if len(stored) == 1:
        return Meaning(_kinds(stored[0]), optional, json)
    nearest = {_kinds(part)[:1] for part in stored}
    if stored and nearest <= {("int",), ("float",)}:
        return Meaning(("float",), optional, json)
    return Meaning(("json",) if json else (), optional, json)


def _kinds(annotation: Any) -> tuple[str, ...]:
    """Return the kinds of an annotation that is no union."""
    if annotation is Any or annotation is object:
        return ("Any",)
    origin = typing.get_origin(annotation) or annotation
    if not isinstance(origin, type):
        return ()
    if typing.is_typeddict(origin):
        return ("dict",)
    if origin in _ABSTRACT or origin is dict:
        name = _ABSTRACT.get(origin, "dict")
        values = typing.get_args(annotation)[1:]
        if name == "dict" and values and "numpy.ndarray" in _kinds(unwrap(values[0])):
            return ("dict of arrays",)
        return (name,)
    found: list[str] = []
    for base in origin.__mro__[:-1]:
        # A class of one's own that inherits from int or tuple would come back as a plain one.
        if base.__module__ == "builtins" and base is not origin:
            continue
        name = _name(base)
        found.append(_SAME.get(name, name))
    return tuple(found)


def _name(cls: type) -> str:
    """Name a class so that two versions of its package agree."""
    if cls.__module__ == "builtins":
        return cls.__qualname__
    top = cls.__module__.partition(".")[0]
    return f"{top}.{cls.__name__}" if top in _SHORT else f"{cls.__module__}.{cls.__qualname__}"


def _is_json(annotation: Any) -> bool:
    """Tell whether JSON gives values of this annotation back."""
    if annotation is None or annotation is type(None):
        return True
    parts = members(annotation)
    if len(parts) > 1:
        return all(_is_json(part) for part in parts)
    (part,) = parts
    if annotation is Ellipsis:
        return True
    if not _JSON_KINDS.intersection(_kinds(part)):
        return False
    inner = [unwrap(argument) for argument in typing.get_args(part)]
    if _kinds(part) == ("dict",) and inner:
        return inner[0] in (str, Any) and _is_json(inner[1])
    return all(_is_json(argument) for argument in inner)
