"""Which format turns which type into which file."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ..errors import DeclarationError, UndeclaredFormat
from .annotations import Meaning, meaning, show
from .arrays import NpyFormat, NpzFormat
from .base import Format
from .figures import FigureFormat
from .files import BytesFormat, PathFormat
from .hdf5 import Hdf5Format
from .jsonfile import JsonFormat
from .matfile import MatFormat
from .pickles import PickleFormat
from .tables import TableFormat
from .text import NumberFormat, TextFormat

__all__ = ["check_options", "format_for", "register", "suffix_for"]

_ARRAYS: dict[str, Format] = {
    ".h5": Hdf5Format("dict of arrays"),
    ".hdf5": Hdf5Format("dict of arrays"),
    ".npz": NpzFormat(),
    ".mat": MatFormat("dict of arrays"),
}

# For each kind its suffixes; the first is the one of `.to()` without a name.
_BUILT_IN: dict[str, dict[str, Format]] = {
    "int": {".txt": NumberFormat("int"), ".json": JsonFormat("int")},
    "float": {".txt": NumberFormat("float"), ".json": JsonFormat("float")},
    "bool": {".txt": NumberFormat("bool"), ".json": JsonFormat("bool")},
    "str": {".txt": TextFormat(), ".json": JsonFormat("str")},
    "bytes": {".bin": BytesFormat()},
    "list": {".json": JsonFormat("list")},
    "tuple": {".json": JsonFormat("tuple")},
    "json": {".json": JsonFormat()},
    "dict": {".json": JsonFormat("dict"), **_ARRAYS, ".mat": MatFormat("dict")},
    "dict of arrays": _ARRAYS,
    "numpy.ndarray": {
        ".h5": Hdf5Format("numpy.ndarray"),
        ".hdf5": Hdf5Format("numpy.ndarray"),
        ".npy": NpyFormat(),
        ".mat": MatFormat("numpy.ndarray"),
    },
    "pandas.DataFrame": {".csv": TableFormat(), ".tsv": TableFormat("\t")},
    "matplotlib.Figure": {
        ".png": FigureFormat("png"),
        ".pdf": FigureFormat("pdf"),
        ".svg": FigureFormat("svg"),
    },
    "Any": {
        ".json": JsonFormat(),
        ".csv": TableFormat(),
        ".tsv": TableFormat("\t"),
        ".h5": Hdf5Format(),
        ".hdf5": Hdf5Format(),
        ".npy": NpyFormat(),
        ".npz": NpzFormat(),
        ".mat": MatFormat(),
        **dict.fromkeys((".txt", ".md", ".log"), TextFormat()),
    },
}

_PICKLE: dict[str, Format] = dict.fromkeys((".pkl", ".pickle"), PickleFormat())

# Kinds that go into a file of any name, or none of the others' names.
_ANY_NAME: dict[str, Format] = {
    "pathlib.Path": PathFormat(),
    "bytes": BytesFormat(),
    "str": TextFormat(),
    "Any": PathFormat(),
}
_NO_TEXT = {".npy", ".npz", ".h5", ".hdf5", ".mat", ".png", ".pdf", ".bin", *_PICKLE}

_registered: dict[str, dict[str, Format]] = {}
_default: dict[str, str] = {}


def format_for(annotation: Any, filename: str) -> Format:
    """Find the format for a type and a file name.

    A class is stored as itself or as the nearest class it inherits from that has a format; the
    upper or lower case of the suffix does not matter. A ``Path`` goes under any name, as do bytes
    and, except under the suffix of a binary format, text. ``Any`` goes by the suffix alone, and is
    a path where the suffix says nothing.

    Parameters
    ----------
    annotation
        The resolved type of an output: ``dict``, ``list[int]``, ``numpy.ndarray``, ``X | None``,
        ``Annotated[...]``, a TypedDict, ...
    filename : str
        The name of the file, or of the folder.

    Raises
    ------
    UndeclaredFormat
        If there is none.
    """
    try:
        return _found(annotation, filename)
    except TypeError:  # what was written beside the type has no hash
        return _find(annotation, filename)


def _find(annotation: Any, filename: str) -> Format:
    meant = meaning(annotation)
    suffixes = [suffix.lower() for suffix in _suffixes(filename)]
    for kind in meant.kinds:
        for suffix in suffixes:
            found = _known(kind, meant).get(suffix)
            if found is not None:
                return _nullable(found, meant.optional)
    for kind in meant.kinds:
        if kind in _ANY_NAME and not (kind == "str" and _NO_TEXT.intersection(suffixes)):
            for suffix in suffixes if kind == "Any" else ():
                if suffix in _PICKLE:
                    return _PICKLE[suffix]
            return _ANY_NAME[kind]
    for suffix in suffixes:
        if suffix in _PICKLE:
            return _PICKLE[suffix]
    raise UndeclaredFormat(
        f"no format turns {show(annotation)} into {filename!r}. Suffixes for {show(annotation)}: "
        f"{_suffixes_of(meant)}. Use one of them, or register a format of your own: "
        f"pt.formats.register(MyFormat(), type=..., suffix={(suffixes or ['.xyz'])[-1]!r})"
    )


_found = functools.lru_cache(maxsize=1024, typed=True)(_find)


def suffix_for(annotation: Any) -> str:
    """Return the suffix of ``.to()`` without a name.

    Raises
    ------
    UndeclaredFormat
        If the type has none.
    """
    meant = meaning(annotation)
    for kind in meant.kinds:
        if kind in _default:
            return _default[kind]
        first = next(iter(_BUILT_IN.get(kind, ())), None)
        if kind != "Any" and first in _known(kind, meant):
            return first
        if kind == "pathlib.Path":
            raise UndeclaredFormat('a Path needs a name: .to("name.ext"), or .to("name") a folder')
        if kind == "Any":
            raise UndeclaredFormat(
                'a value without a type needs a name: .to("name.ext"), or annotate the output'
            )
    raise UndeclaredFormat(
        f"{show(annotation)} has no default suffix. Suffixes for it: {_suffixes_of(meant)}. Name "
        'the file, .to("name.ext"), or register a format of your own: '
        'pt.formats.register(MyFormat(), type=..., suffix=".xyz", default=True)'
    )


def register(format: Format, *, type: Any, suffix: str, default: bool = False) -> None:
    """Store values of a type in files of a suffix with a format of your own.

    An earlier format for the same type and suffix is replaced, a built-in one too.

    Parameters
    ----------
    format : Format
        An object with the methods ``write(value, path, **options)`` and ``read(path)``, and
        perhaps ``open(path)``. ``pointillist.testing.check_format`` checks it.
    type
        The class of the values; its subclasses go the same way. ``dict[str, np.ndarray]`` is a
        type of its own.
    suffix : str
        Such as ``".zarr"`` or ``".nii.gz"``.
    default : bool
        Whether ``.to()`` without a name takes this suffix for this type.

    Raises
    ------
    DeclarationError
        If one of these cannot be.
    """
    kinds = meaning(type).kinds
    if not kinds or kinds[0] in ("Any", "json"):
        raise DeclarationError(f"a format is registered for a class, got {show(type)}")
    if not suffix.startswith(".") or len(suffix) < 2 or "/" in suffix:
        raise DeclarationError(f"a suffix starts with a dot, such as '.zarr'; got {suffix!r}")
    for method in ("write", "read"):
        if not callable(getattr(format, method, None)):
            raise DeclarationError(
                f"{format!r} is no format: it has no method {method}. A format has "
                "write(value, path, **options) and read(path)"
            )
    _found.cache_clear()
    _registered.setdefault(kinds[0], {})[suffix.lower()] = format
    if default:
        _default[kinds[0]] = suffix.lower()


def check_options(format: Format, options: Mapping[str, Any]) -> None:
    """Check that a format knows the writer options of ``.to("name.ext", **options)``.

    Raises
    ------
    DeclarationError
        If it does not; options that a format hands on to a library are judged when writing.
    """
    known = inspect.signature(format.write).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known):
        return
    names = [parameter.name for parameter in list(known)[2:]]
    for option in options:
        if option not in names:
            raise DeclarationError(
                f"{format.__class__.__name__} has no writer option {option!r}; it has "
                f"{', '.join(names) or 'none'}"
            )


def _suffixes(filename: str) -> Iterator[str]:
    """Yield ``.nii.gz``, then ``.gz``."""
    parts = PurePath(filename).name.split(".")
    for start in range(1, len(parts)):
        yield "." + ".".join(parts[start:])


def _known(kind: str, meant: Meaning) -> dict[str, Format]:
    """Return the formats of a kind by suffix, without JSON for what it would not give back."""
    built_in = {
        suffix: found
        for suffix, found in _BUILT_IN.get(kind, {}).items()
        if meant.json or not isinstance(found, JsonFormat)
    }
    own = _registered.get(kind, {})
    if kind == "Any":
        own = {
            suffix: found for formats in _registered.values() for suffix, found in formats.items()
        }
    return {**built_in, **own}


def _nullable(found: Format, optional: bool) -> Format:
    """Let JSON store None where the annotation allows it."""
    return replace(found, optional=True) if optional and isinstance(found, JsonFormat) else found


def _suffixes_of(meant: Meaning) -> str:
    suffixes = [suffix for kind in meant.kinds for suffix in _known(kind, meant)]
    return ", ".join(dict.fromkeys([*suffixes, *_PICKLE]))
