"""The fields of a record: keys, seeds and outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError
from .patterns import SeedPattern

if TYPE_CHECKING:
    from .steps import Call

__all__ = ["Field", "Key", "Output", "Seed", "key", "seed"]


class Field:
    """A name in a class body that stands for a value of each record.

    Attributes
    ----------
    name : str
        The name in the class body; not there until the class is made.
    owner : type or None
        The class in whose body it stands.
    annotation : object
        The resolved annotation.
    """

    name: str
    owner: type | None = None
    annotation: Any = Any

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        return self if record is None else record.value(self.name)

    def __set__(self, record: Any, value: Any) -> None:
        raise AttributeError(
            f"{type(record).__name__}.{self.name} cannot be set: keys identify a record, "
            "seeds are found, results are computed."
        )

    def __str__(self) -> str:
        if self.owner is None:  # while the class body runs: an f-string, or str(field)
            raise DeclarationError(
                "a field is made into text in a class body, where it has no value yet. In a shell "
                'command write {raw}, without an f before the quotes: pt.shell("cat {raw} > {out}"'
                "). Elsewhere hand the field to the step, and make the text in its function."
            )
        return repr(self)

    if not TYPE_CHECKING:  # mypy knows the attributes; this is for people

        def __getattr__(self, attribute: str) -> Any:
            if attribute == "step":
                raise AttributeError(
                    f"{self!r} is a field and no step. Where a field has the name of a step's "
                    "function it hides it in the rest of the class body: rename the function."
                )
            raise AttributeError(
                f"{self!r} stands for a value of each record and has no {attribute!r} itself. "
                "Hand the field to a step, and use the value in its function."
            )

    def __repr__(self) -> str:
        place = f" {self.owner.__name__}.{self.name}" if self.owner else ""
        return f"<{type(self).__name__.lower()}{place}>"


class Key(Field):
    """A field of the state point."""

    def __init__(self, of: Callable[[Any], Any] | None = None) -> None:
        self.of = of

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        return self if record is None else record._keys[self.name]


class Seed(Field):
    """Input data that no step makes: a file or folder."""

    pattern: SeedPattern

    def __init__(self, text: str, optional: bool, root: str | None) -> None:
        self.text = text
        self.optional = optional
        self.root = root


class Output(Field):
    """What a step makes."""

    def __init__(
        self,
        call: Call,
        part: str | None,
        stored: bool,
        filename: str | None,
        writer_options: Mapping[str, Any],
    ) -> None:
        self.call = call
        self.part = part
        self.stored = stored
        self.filename = filename
        self.writer_options = dict(writer_options)


def key(of: Callable[[Any], Any] | None = None) -> Any:
    """Declare a key: a field of the state point, typed by its annotation.

    Parameters
    ----------
    of : callable, optional
        For an aggregate's key: a function that gives it of a member, where it is not what the
        member has under the same name: ``pt.key(lambda job: job.sp.index % 2)``.

    Returns
    -------
    Any
        The field. Its type is one of ``str``, ``int``, ``float``, ``bool``, ``datetime.date``,
        ``datetime.datetime``, ``pathlib.Path``.
    """
    return Key(of)


def seed(pattern: str, *, optional: bool = False, root: str | None = None) -> Any:
    """Declare input data that no step makes.

    Parameters
    ----------
    pattern : str
        The path, with ``{key}`` and ``{key:03d}`` fields; with a ``/`` at its end it is a folder.
        A pattern that names every key is also how records are found.
    optional : bool
        Whether a record may lack it; a step then gets None.
    root : str, optional
        A named root that each machine maps to a folder of its own; by default the project's
        folder.

    Returns
    -------
    Any
        The field. A ``Path`` gives the path; any other type is read by the format of the file.
    """
    if not isinstance(pattern, str):
        raise DeclarationError(
            f'a seed\'s pattern is text, pt.seed("recordings/{{session}}.bin"), got {pattern!r}.'
        )
    return Seed(pattern, optional, root)
