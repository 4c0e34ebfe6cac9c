"""What a step is called with, as data: references to fields, ``each``, ``out`` and literals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import DeclarationError
from .keys import plain

__all__ = [
    "Each",
    "Out",
    "Ref",
    "each",
    "has_each",
    "is_literal",
    "out",
    "out_parts",
    "refs",
    "transform",
    "walk",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Ref:
    """A field of the record that the step belongs to, by name; `depth` members down."""

    field: str
    depth: int = 0


@dataclass(frozen=True)
class Each:
    """An argument taken once from each member, in the members' order."""

    argument: Any


@dataclass(frozen=True)
class Out:
    """The path that an output must be written to; `part` where a step has several."""

    part: str | None = None

    def __call__(self, part: str) -> Any:
        """Return the place of the output called `part`."""
        if not isinstance(part, str) or not part:
            raise DeclarationError(
                f'pt.out({part!r}): an output of a command has a name, pt.out("spikes"), as in '
                '.output("spikes").'
            )
        return Out(part)

    def __str__(self) -> str:  # in an f-string
        raise DeclarationError(
            "pt.out stands for a path and is no text. In a shell command write {out}, without an "
            "f before the quotes."
        )


out: Any = Out()
"""The place that a step writes its output to; ``pt.out("spikes")`` where it has several."""


def each(field: T) -> list[T]:
    """Take a field of every member of an aggregate, in the members' order.

    Parameters
    ----------
    field : field of the member's class
        ``pt.each(Recording.raw)``.

    Returns
    -------
    list
        In a Python step the list of values; in a command as many arguments as there are members,
        or one list of them inside ``[...]``.
    """
    return Each(field)  # type: ignore[return-value]  # stands for the list until the step runs


def transform(argument: Any, leaf: Callable[[Any, int], Any], depth: int = 0) -> Any:
    """Return `argument` with every leaf replaced by ``leaf(value, depth)``.

    Lists, tuples and dicts are walked; `depth` counts the ``each`` around a leaf.
    """
    if isinstance(argument, Each):
        return Each(transform(argument.argument, leaf, depth + 1))
    if isinstance(argument, list | tuple):
        return [transform(item, leaf, depth) for item in argument]
    if isinstance(argument, dict):
        if not all(isinstance(key, str) for key in argument):
            raise DeclarationError(f"the argument {argument!r} has keys that are no text.")
        return {key: transform(item, leaf, depth) for key, item in argument.items()}
    return leaf(argument, depth)


def is_literal(value: Any) -> bool:
    """Whether `value` is text, a number, true, false, None, or lists and dicts of them."""
    value = plain(value)
    if isinstance(value, list | tuple):
        return all(is_literal(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_literal(item) for key, item in value.items())
    return value is None or isinstance(value, str | bool | int | float)


def walk(argument: Any) -> Iterator[Any]:
    """Yield every leaf of `argument`, and every ``each`` around one."""
    if isinstance(argument, Each):
        yield argument
        yield from walk(argument.argument)
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from walk(item)
    elif isinstance(argument, dict):
        for item in argument.values():
            yield from walk(item)
    else:
        yield argument


def refs(argument: Any) -> Iterator[Ref]:
    """Yield the references to fields in `argument`."""
    return (leaf for leaf in walk(argument) if isinstance(leaf, Ref))


def has_each(argument: Any) -> bool:
    """Whether `argument` depends on the members."""
    return any(isinstance(leaf, Each) for leaf in walk(argument))


def out_parts(argument: Any) -> list[str | None]:
    """Return the parts of all ``out`` in `argument`."""
    return [leaf.part for leaf in walk(argument) if isinstance(leaf, Out)]
