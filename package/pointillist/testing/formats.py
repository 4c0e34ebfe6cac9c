"""What any format must do."""

from __future__ import annotations

import hashlib
import operator
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..formats import Format, LazyFormat

__all__ = ["check_format"]

_ODD_NAMES = [
    "with space",
    "d'aujourd'hui",
    'say "hi"',
    "Größe µV 記録",
    "-rf",
    "; rm -rf ~",
    "100%d $HOME {x}",
    "two\nlines",
    "a.b.c",
]


def check_format(
    format: Format,
    values: Iterable[Any],
    suffix: str,
    *,
    equal: Callable[[Any, Any], Any] = operator.eq,
) -> None:
    """Check that a format keeps the promises that pointillist relies on.

    Each value is written and read back: the format writes exactly the file, or folder, that it is
    told to and nothing beside it; the value comes back; writing it again gives the same bytes;
    reading changes nothing; an ``open`` method gives a context manager. Odd file names are data. A
    file that is not there, empty or of another kind is read without harm, or gives a ValueError
    (such as FormatError) or an OSError; so does a value that the format does not know, or a
    TypeError.

    Parameters
    ----------
    format : Format
        The format to check.
    values : iterable
        Values that it must be able to store, at least one.
    suffix : str
        The suffix that it is registered for.
    equal : callable
        Tells whether the value that was written and the one that was read are the same, such as
        ``numpy.array_equal``.

    Raises
    ------
    AssertionError
        If a promise is broken; it says which.
    """
    given = list(values)
    _require(bool(given), "check_format needs at least one value")
    for method in ("write", "read"):
        _require(callable(getattr(format, method, None)), f"a format has a method {method}")
    for value in given:
        _check_value(format, value, f"value{suffix}", equal)
    for name in _ODD_NAMES:
        _check_value(format, given[0], name + suffix, equal)
    _check_errors(format, suffix)


def _check_value(format: Format, value: Any, name: str, equal: Callable[[Any, Any], Any]) -> None:
    about = f"{_short(value)} as {name!r}"
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "1", name), Path(folder, "2", name)
        for path in (first, second):
            path.parent.mkdir()
            try:
                format.write(value, path)
            except Exception as error:
                raise AssertionError(
                    f"write must store each value; for {about} it raised "
                    f"{type(error).__name__}: {error}"
                ) from error
            there = sorted(file.name for file in path.parent.iterdir())
            _require(
                there == [name],
                f"write must write exactly the path and nothing beside it; for {about} there are "
                f"{there}",
            )
        before = _digest(first)
        _require(
            before == _digest(second),
            f"writing the same value twice must give the same bytes, and did not for {about}",
        )
        try:
            back = format.read(first)
        except Exception as error:
            raise AssertionError(
                f"read must read what write wrote; for {about} it raised "
                f"{type(error).__name__}: {error}"
            ) from error
        try:
            same = bool(equal(value, back))
        except ValueError as error:  # arrays and tables compare element by element
            raise AssertionError(
                f"equal must give one bool ({error}): pass one such as equal=numpy.array_equal"
            ) from error
        _require(same, f"{about} came back as {_short(back)}")
        if isinstance(format, LazyFormat):
            with format.open(first) as handle:
                _require(handle is not None, f"open must give a handle, and gave None for {about}")
        _require(_digest(first) == before, f"reading must not change the file, and did for {about}")
        there = sorted(file.name for file in first.parent.iterdir())
        _require(there == [name], f"reading must leave nothing behind; for {about} it left {there}")


def _check_errors(format: Format, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contents = {"empty": b"", "of another kind": b"\xff\xfe\x00 no such format \x00" * 40}
        for what, data in contents.items():
            path = folder / f"{what}{suffix}"
            path.write_bytes(data)
            _only(f"reading a file that is {what}", (ValueError, OSError), format.read, path)
            _require(path.read_bytes() == data, f"reading a file that is {what} changed it")
        missing = folder / f"missing{suffix}"
        _only("reading a file that is not there", (ValueError, OSError), format.read, missing)
        unknown = folder / f"unknown{suffix}"
        errors = (ValueError, OSError, TypeError)
        _only("writing a value of unknown type", errors, format.write, object(), unknown)


def _only(
    doing: str, errors: tuple[type[Exception], ...], function: Callable[..., Any], *args: Any
) -> None:
    """Call a function, which may raise only these errors."""
    try:
        function(*args)
    except errors:
        return
    except Exception as error:
        names = ", ".join(kind.__name__ for kind in errors)
        raise AssertionError(
            f"{doing} may raise {names} (FormatError is a ValueError), and raised "
            f"{type(error).__name__}: {error}"
        ) from error


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _digest(path: Path) -> str:
    """Digest a file, or the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        digest.update(f"{file.relative_to(path)}\0".encode())
        digest.update(file.read_bytes() if file.is_file() else b"folder")
    return digest.hexdigest()


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
