"""Reading a class body: names, annotations, keys and seeds, and every mistake in them."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MethodType
from typing import TYPE_CHECKING, Any

from ..errors import DeclarationError, UndeclaredFormat, UnknownField
from ..formats import format_for
from ..formats.annotations import show
from . import keys
from .arguments import Each, Out
from .fields import Field, Key, Output, Seed, key
from .patterns import SeedPattern
from .pipeline import StepSpec
from .steps import Command, Step, Wired
from .wiring import compile_steps

if TYPE_CHECKING:
    from .records import RecordType

__all__ = ["Body", "check_order", "compile_class"]

_RESERVED = (
    *(
        "id",
        "job",
        "folder",
        "document",
        "members",
        "excluded_members",
        "label",
        "path",
        "value",
        "open",
    ),
    *("keys", "seeds", "outputs", "key_texts", "out"),
)


class Body(dict[str, Any]):
    """The namespace of a class body; a field's name can be bound once."""

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner
        self.frame = sys._getframe(2)

    def __setitem__(self, name: str, value: Any) -> None:
        old = self.get(name)
        if isinstance(old, Field | Wired) or (name in self and isinstance(value, Field | Wired)):
            raise DeclarationError(
                f"{self.owner}.{name} is bound twice. A class body says each name once: "
                "give the second one a name of its own."
            )
        super().__setitem__(name, value)


def compile_class(
    cls: RecordType, body: Mapping[str, Any]
) -> tuple[dict[str, Field], dict[str, StepSpec]]:
    """Return the fields and the steps of a class whose body was just executed.

    Raises
    ------
    DeclarationError
        At the first mistake; the message names the class and the field.
    """
    if not any(hasattr(base, "__fields__") for base in cls.__mro__[1:]):
        return {}, {}  # Record itself
    own = {name: value for name, value in body.items() if isinstance(value, Field)}
    _check_values(cls, body)
    _check_names(cls, own)
    _check_bases(cls)
    for name, field in own.items():
        field.name, field.owner = name, cls
        field.annotation = _annotation(cls, name, body)
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(base.__dict__.get("__fields__", {}))
    fields.update(own)
    # A subclass may make a field a plain attribute or a property.
    fields = {n: f for n, f in fields.items() if inspect.getattr_static(cls, n) is f}
    for name, field in own.items():
        if isinstance(field, Key):
            _check_key(cls, name, field)
    _read_patterns(cls, fields)
    return fields, compile_steps(cls, fields, body)


def check_order(cls: RecordType) -> None:
    """Check what an aggregate's members are ordered by.

    Raises
    ------
    DeclarationError
        If it is no key or property of theirs.
    """
    for wanted in cls.__order__:
        where = f"{cls.__name__}: order_by={wanted!r}"
        if cls.__member__ is None:
            raise DeclarationError(
                f"{where}: only an aggregate has members to order. Take it out, or write "
                f"class {cls.__name__}(pt.Aggregate[Member], order_by=…)."
            )
        if callable(wanted) or (isinstance(wanted, str) and cls.__member__.__plain__):
            continue
        if not isinstance(wanted, str) or not _is_known(cls.__member__, wanted.removeprefix("-")):
            member = cls.__member__
            raise DeclarationError(
                f"{where} is no key or property of {member.__name__}. Write a name in quotes, "
                f"with '-' in front for descending, or a function of a member.\n"
                f"  keys: {', '.join(member.keys) or 'none'}."
            )


def _check_values(cls: RecordType, body: Mapping[str, Any]) -> None:
    """Find values that were meant to be fields."""
    annotations = body.get("__annotations__", {})
    for name, value in body.items():
        where = f"{cls.__name__}.{name}"
        if value is key:
            raise DeclarationError(f"{where} = pt.key lacks its parentheses: pt.key().")
        if isinstance(value, MethodType) and isinstance(value.__self__, Wired):
            raise DeclarationError(
                f"{where} ends in .{value.__name__} without parentheses: .{value.__name__}()."
            )
        if name in annotations and isinstance(value, Step | Command):
            raise DeclarationError(
                f"{where} is a step that is not wired. Say what it is called with: "
                f"{value.function.__name__}.step(...).to(...)."
            )
        if isinstance(value, Each | Out):
            what = "pt.out" if isinstance(value, Out) else "pt.each(...)"
            raise DeclarationError(f"{where}: {what} is an argument of a step, not a field.")
        if isinstance(value, Wired) and name in _RESERVED:
            raise DeclarationError(f"{where}: {_reserved(name)}")
    for name, annotation in annotations.items():
        known = name in body or name in _RESERVED or name.startswith("_") or hasattr(cls, name)
        if not known and "ClassVar" not in str(annotation):
            kind = annotation if isinstance(annotation, str) else show(annotation)
            raise DeclarationError(
                f"{cls.__name__}.{name} has a type but no value. A key is written "
                f"{name}: {kind} = pt.key()."
            )


def _check_names(cls: RecordType, own: Mapping[str, Field]) -> None:
    seen: dict[int, str] = {}
    for name, field in own.items():
        where = f"{cls.__name__}.{name}"
        if name in _RESERVED:
            raise DeclarationError(f"{where}: {_reserved(name)}")
        if name.startswith("_"):
            raise DeclarationError(f"{where}: a field's name cannot begin with an underscore.")
        if name == "aggregate" and isinstance(field, Key) and cls.__member__ is not None:
            raise DeclarationError(
                f"{where}: the state point of an aggregate says its class under this name. Choose "
                "another name for the key."
            )
        if field.owner is not None:
            raise DeclarationError(
                f"{where} is {field.owner.__name__}.{field.name} under a second name. Declare a "
                "field of its own."
            )
        if id(field) in seen:
            raise DeclarationError(
                f"{where} and {cls.__name__}.{seen[id(field)]} are one value under two names. "
                "Keep one of them, or declare it twice."
            )
        seen[id(field)] = name


def _reserved(name: str) -> str:
    taken = "the place of an output" if name == "out" else f"record.{name}"
    return f"the name {name!r} is taken: it means {taken}. Choose another name."


def _check_bases(cls: RecordType) -> None:
    for base in cls.__mro__[1:]:
        for name, value in vars(base).items():
            if isinstance(value, Field) and value.owner is None:
                raise DeclarationError(
                    f"{base.__name__}.{name} is a field in a class that is no record. Write "
                    f"class {base.__name__}(pt.Record)."
                )


def _annotation(cls: RecordType, name: str, body: Mapping[str, Any]) -> Any:
    where = f"{cls.__name__}.{name}"
    annotation = body.get("__annotations__", {}).get(name)
    if annotation is None:
        example = "str = pt.key()" if isinstance(body[name], Key) else "Path = …"
        raise DeclarationError(f"{where} has no type. Write it, for example {name}: {example}")
    if isinstance(annotation, str):
        annotation = _evaluated(cls, where, annotation, body)
    if isinstance(annotation, Field | Wired):
        raise DeclarationError(
            f"{where}: its type is the name of a field. Import the module and write the type with "
            f"it, such as {name}: datetime.date = …"
        )
    return annotation


def _evaluated(cls: RecordType, where: str, annotation: str, body: Mapping[str, Any]) -> Any:
    frame = getattr(body, "frame", None)
    module = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    names = {**module, **(frame.f_locals if frame else {})}
    own = {n: v for n, v in vars(cls).items() if not isinstance(v, Field | Wired)}
    try:
        return eval(annotation, names, own)
    except Exception as error:
        raise DeclarationError(
            f"{where}: the type {annotation!r} cannot be read ({type(error).__name__}: {error}). "
            "Import it at the top of the module, not under TYPE_CHECKING."
        ) from None


def _check_key(cls: RecordType, name: str, field: Key) -> None:
    where = f"{cls.__name__}.{name}"
    if field.annotation not in keys.KEY_TYPES:
        known = ", ".join(kind.__name__ for kind in keys.KEY_TYPES)
        raise DeclarationError(
            f"{where}: a key cannot be of type {show(field.annotation)}. It can be one of: {known}."
        )
    member = cls.__member__
    if member is None:
        if field.of is not None:
            raise DeclarationError(
                f"{where}: pt.key(function) is for the key of an aggregate, which is worked out "
                f"from each member. A record's own key is pt.key()."
            )
        return
    if field.of is not None or member.__plain__:
        return
    if not _is_known(member, name):
        raise UnknownField(
            f"{where}: an aggregate's key is looked up on its members, and {member.__name__} has "
            f"no key or property {name!r}. Add a property to {member.__name__}, or use one of its "
            f"keys.\n  keys: {', '.join(member.keys) or 'none'}."
        )
    kind = member.keys.get(name, field.annotation)
    if kind is not field.annotation:
        raise DeclarationError(
            f"{where} is {show(field.annotation)}, but {member.__name__}.{name} is {show(kind)}. "
            "Give both the same type."
        )


def _is_known(member: RecordType, name: str) -> bool:
    """Whether records of `member` have `name` as a key, a property or a plain value."""
    value = inspect.getattr_static(member, name, None)
    return (
        value is not None
        and not isinstance(value, Seed | Output | Wired | Step | Command)
        and not inspect.isroutine(value)
    )


def _read_patterns(cls: RecordType, fields: dict[str, Field]) -> None:
    """Read the patterns of the seeds; a subclass with other keys gets seeds of its own."""
    kinds = {n: f.annotation for n, f in fields.items() if isinstance(f, Key)}
    for name, field in fields.items():
        if not isinstance(field, Seed):
            continue
        if field.owner is cls:
            where = f"{cls.__name__}.{name}"
            field.pattern = SeedPattern(field.text, kinds, where)
            try:
                format_for(field.annotation, PurePosixPath(field.text).name)
            except UndeclaredFormat as error:
                raise UndeclaredFormat(f"{where} cannot be read: {error}") from None
        elif any(kinds.get(n) is not field.pattern.kinds[n] for n in field.pattern.fields):
            fields[name] = own = copy.copy(field)
            own.owner = cls
            own.pattern = SeedPattern(field.text, kinds, f"{cls.__name__}.{name}")
            setattr(cls, name, own)
