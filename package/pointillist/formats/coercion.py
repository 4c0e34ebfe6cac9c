"""Turning what a command gave back into the annotated type."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import FormatError
from .annotations import meaning, members, show, unwrap
from .faults import type_name
from .matvalues import simplify

__all__ = ["coerce"]

_WORDS = {"true": True, "1": True, "false": False, "0": False}


def coerce(value: Any, annotation: Any) -> Any:
    """Turn what a command gave back into the annotated type.

    Parameters
    ----------
    value
        A variable of a MAT file as ``scipy.io.loadmat`` gives it, with or without
        ``simplify_cells`` (a struct is a dict, a cell array a list, a 1x1 array a number, a row or
        column a vector), any Python value, or text that a command printed. Text becomes a number
        or bool by itself; a dict, list or array is read from it as JSON; text stays as it is,
        its last line end included.
    annotation
        The resolved type: int, float, bool, str, ``list[...]``, ``tuple[...]``, dict, TypedDict,
        ``numpy.ndarray``, Path, a Literal, a union (its members are tried in their order), Any.

    Returns
    -------
    Any
        The value, of that type.

    Raises
    ------
    FormatError
        If the value is something else, or would lose something: 3.5 is no int, 7 no bool.
    """
    plain = simplify(value)
    parts = members(annotation)
    if type(None) in parts and _is_nothing(plain, parts):
        return None
    for part in parts:
        try:
            result = _one(plain, part)
        except _MismatchError:
            continue
        if _allowed(result, annotation):
            return result
    raise FormatError(
        f"expected {show(annotation)}, got {_short(plain)}: let the command return one, or "
        "annotate the output with what it returns"
    )


class _MismatchError(Exception):
    """The value is nothing of the wanted type."""


def _is_nothing(value: object, parts: tuple[Any, ...]) -> bool:
    """Tell whether a value is None, or MATLAB's ``[]`` where no list or array is meant."""
    if value is None:
        return True
    kinds = {kind for part in parts for kind in meaning(part).kinds}
    return _is_array(value) and len(_vector(value)) == 0 and not kinds & {"list", "numpy.ndarray"}


def _allowed(result: object, annotation: Any) -> bool:
    """Tell whether a Literal, if the annotation is one, lists the value."""
    bare = unwrap(annotation)
    return typing.get_origin(bare) is not typing.Literal or result in typing.get_args(bare)


def _one(value: Any, annotation: Any) -> Any:
    """Coerce to an annotation that is no union."""
    bare = unwrap(annotation)
    for kind in meaning(bare).kinds:
        if kind in _COERCIONS:
            return _COERCIONS[kind](value, bare)
    origin = typing.get_origin(bare) or bare
    if isinstance(origin, type) and isinstance(value, origin):
        return value
    raise _MismatchError


def _int(value: Any, _: Any) -> int:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise _MismatchError from None
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    raise _MismatchError


def _float(value: Any, _: Any) -> float:
    try:
        if isinstance(value, int | float | str):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise _MismatchError


def _bool(value: Any, _: Any) -> bool:
    if isinstance(value, str) and value.strip().lower() in _WORDS:
        return _WORDS[value.strip().lower()]
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise _MismatchError


def _str(value: Any, _: Any) -> str:
    if isinstance(value, str):
        return value
    raise _MismatchError


def _path(value: Any, _: Any) -> Path:
    if isinstance(value, str | Path):
        return Path(value)
    raise _MismatchError


def _list(value: Any, annotation: Any) -> list[Any]:
    inner = (*typing.get_args(annotation), Any)[0]
    return [coerce(item, inner) for item in _items(value, inner)]


def _tuple(value: Any, annotation: Any) -> tuple[Any, ...]:
    inner = typing.get_args(annotation) or (Any, ...)
    items = _items(value, inner[0])
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(coerce(item, inner[0]) for item in items)
    if len(items) != len(inner):
        raise _MismatchError
    return tuple(coerce(item, part) for item, part in zip(items, inner, strict=True))


def _items(value: Any, inner: Any) -> list[Any]:
    """Return the items of a list, with a single number, bool or struct as a list of one."""
    if isinstance(value, str):
        value = _from_json(value)
        if not isinstance(value, list):
            raise _MismatchError
    if _is_array(value):
        nested: list[Any] = value.tolist()
        rows = bool({"list", "tuple"} & set(meaning(inner).kinds))
        if rows and value.ndim == 1 and len(nested):
            return [nested]  # MATLAB does not tell a matrix of one row from a vector
        if value.ndim > 1 and not rows and "Any" not in meaning(inner).kinds:
            raise _MismatchError
        return nested
    if isinstance(value, int | float | complex | dict):
        return [value]
    if isinstance(value, list | tuple):
        return list(value)
    raise _MismatchError


def _dict(value: Any, annotation: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _from_json(value)
    if not isinstance(value, dict):
        raise _MismatchError
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation)
        return {key: coerce(item, hints.get(key, Any)) for key, item in value.items()}
    inner = (*typing.get_args(annotation), Any, Any)[1]
    return {key: coerce(item, inner) for key, item in value.items()}


def _array(value: Any, annotation: Any) -> Any:
    import numpy as np

    if isinstance(value, str):
        value = _from_json(value)
    if not isinstance(value, int | float | complex | list | tuple) and not _is_array(value):
        raise _MismatchError
    try:
        array = np.atleast_1d(np.asarray(value))
    except ValueError:  # rows of different lengths
        raise _MismatchError from None
    if array.dtype == object:
        raise _MismatchError
    wanted = _scalar_type(annotation)
    if wanted is None:
        return array
    cast = array.astype(wanted)
    if array.dtype.kind != cast.dtype.kind and not np.array_equal(
        array, cast, equal_nan=array.dtype.kind in "fc"
    ):
        raise _MismatchError
    return cast


def _scalar_type(annotation: Any) -> Any:
    """Return ``numpy.float64`` for ``NDArray[numpy.float64]``; None for a bare array."""
    dtypes = typing.get_args(annotation)[1:]
    scalars = typing.get_args(dtypes[0]) if dtypes else ()
    if not scalars or not isinstance(scalars[0], type):
        return None
    abstract = {"generic", "number", "integer", "floating", "inexact", "signedinteger"}
    return None if scalars[0].__name__ in abstract else scalars[0]


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _MismatchError from None


def _is_array(value: object) -> bool:
    return type_name(value) == "numpy.ndarray"


def _vector(value: Any) -> Any:
    return value.reshape(-1)


def _short(value: object) -> str:
    shown = repr(value)
    return f"{type_name(value)} {shown if len(shown) <= 60 else shown[:57] + '...'}"


_COERCIONS: dict[str, Callable[[Any, Any], Any]] = {
    "int": _int,
    "float": _float,
    "bool": _bool,
    "str": _str,
    "list": _list,
    "tuple": _tuple,
    "dict": _dict,
    "dict of arrays": _dict,
    "numpy.ndarray": _array,
    "pathlib.Path": _path,
    "Any": lambda value, _: value,
}
