"""The words in which a format says that something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import FormatError

__all__ = ["about", "as_format_error", "type_name", "wrong_type"]

_SHORT = {"numpy", "pandas", "matplotlib"}


def type_name(value: object) -> str:
    """Name the type of `value` as its user knows it: ``pandas.DataFrame``, ``list``."""
    kind = type(value)
    top = kind.__module__.partition(".")[0]
    return f"{top}.{kind.__qualname__}" if top in _SHORT else kind.__qualname__


def wrong_type(expected: str, value: object, remedy: str = "") -> FormatError:
    """Say that a value is not of the type that is stored."""
    remedy = remedy or "return one from the step, or annotate the output with what it returns"
    return FormatError(f"expected {expected}, got {type_name(value)}: {remedy}")


class as_format_error:  # noqa: N801  # it reads as a sentence: with as_format_error("cannot …")
    """Turn what a library raises into a FormatError that starts with `doing`.

    Errors of the operating system (a full disk, no permission, no such file) and a lack of memory
    are let through: the value and the file are not to blame.
    """

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the FormatError."""
        if not isinstance(error, Exception) or isinstance(error, FormatError | MemoryError):
            return
        if isinstance(error, OSError):
            if error.errno is not None:
                return
            raise FormatError(f"{self._doing}: {error}") from error
        raise FormatError(f"{self._doing}: {type(error).__name__}: {error}") from error


@contextmanager
def about(place: object) -> Iterator[None]:
    """Start the FormatErrors raised in here with the file or variable that they are about."""
    try:
        yield
    except FormatError as error:
        raise FormatError(f"{place}: {error}") from error
