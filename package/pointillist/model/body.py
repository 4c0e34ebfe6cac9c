"""Reading a class body: names, annotations, what refers to what, and every mistake in it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, get_origin

from ..commands.shell import fields as template_fields
from ..errors import DeclarationError, UndeclaredFormat, UnknownField
from ..formats import check_options, format_for, suffix_for
from . import keys
from .arguments import Each, Out, Ref, transform, walk
from .fields import Field, Key, Output, Seed
from .patterns import SeedPattern
from .pipeline import StepSpec, order_steps
from .steps import Call, Command, Step, Wired

if TYPE_CHECKING:
    from .records import RecordType

__all__ = ["Body", "compile_class"]

_RESERVED = (
    *("id", "job", "folder", "document", "members", "label", "path", "value", "open"),
    *("keys", "seeds", "outputs", "key_texts"),
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
    fields: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields.update(base.__dict__.get("__fields__", {}))
    own = {name: value for name, value in body.items() if isinstance(value, Field)}
    _check_names(cls, own)
    for name, field in own.items():
        field.name, field.owner = name, cls
        field.annotation = _annotation(cls, name, body)
    for name in list(fields):
        if name in body and name not in own:
            del fields[name]  # a subclass made it a plain attribute or property
    fields.update(own)
    for name, field in own.items():
        if isinstance(field, Key):
            _check_key(cls, name, field)
    kinds = {n: f.annotation for n, f in fields.items() if isinstance(f, Key)}
    for name, field in own.items():
        if isinstance(field, Seed):
            field.pattern = SeedPattern(field.text, kinds, f"{cls.__name__}.{name}")
    return fields, _steps(cls, fields, body)


def _check_names(cls: RecordType, own: Mapping[str, Field]) -> None:
    seen: dict[int, str] = {}
    for name, field in own.items():
        where = f"{cls.__name__}.{name}"
        if name in _RESERVED or name.startswith("_"):
            raise DeclarationError(f"{where}: a field cannot have this name, it has a meaning.")
        if field.owner is not None:
            raise DeclarationError(
                f"{where} is {field!r} under a second name. Wire a value of its own."
            )
        if id(field) in seen:
            raise DeclarationError(
                f"{where} and {cls.__name__}.{seen[id(field)]} are one wired value under two "
                "names. Keep one of them, or wire the step twice."
            )
        seen[id(field)] = name


def _annotation(cls: RecordType, name: str, body: Mapping[str, Any]) -> Any:
    annotation = body.get("__annotations__", {}).get(name)
    if annotation is None:
        raise DeclarationError(
            f"{cls.__name__}.{name} has no type. Write {name}: <type> = …, for example "
            f"{name}: Path = …"
        )
    if not isinstance(annotation, str):
        return annotation
    frame = getattr(body, "frame", None)
    module = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    names = {**module, **(frame.f_locals if frame else {})}
    try:
        return eval(annotation, names, dict(vars(cls)))
    except Exception as error:
        raise DeclarationError(
            f"{cls.__name__}.{name}: the type {annotation!r} cannot be read "
            f"({type(error).__name__}: {error}). Import it at the top of the module, not under "
            "TYPE_CHECKING."
        ) from None


def _check_key(cls: RecordType, name: str, field: Key) -> None:
    if field.annotation not in keys.KEY_TYPES:
        known = ", ".join(kind.__name__ for kind in keys.KEY_TYPES)
        raise DeclarationError(
            f"{cls.__name__}.{name}: a key cannot be of type {_shown(field.annotation)}. "
            f"It can be one of: {known}."
        )
    if cls.__member__ is not None and not hasattr(cls.__member__, name):
        raise UnknownField(
            f"{cls.__name__}.{name}: an aggregate's key is looked up on its members, and "
            f"{cls.__member__.__name__} has no key or property {name!r}."
        )


def _steps(
    cls: RecordType, fields: Mapping[str, Field], body: Mapping[str, Any]
) -> dict[str, StepSpec]:
    bound = {id(v.call): n for n, v in body.items() if isinstance(v, Wired)}
    for base in cls.__mro__[1:]:
        for spec in base.__dict__.get("__steps__", {}).values():
            bound.setdefault(id(spec.outputs[0].call), spec.name)
    made: dict[int, list[Output]] = {}
    for field in fields.values():
        if isinstance(field, Output):
            made.setdefault(id(field.call), []).append(field)
    for name, value in body.items():
        if isinstance(value, Wired) and id(value.call) not in made:
            raise DeclarationError(
                f"{cls.__name__}.{name} is wired but goes nowhere. End it in .to(...) to keep it "
                "in a file, or in .unstored()."
            )
    steps: dict[str, StepSpec] = {}
    for call_id, outputs in made.items():
        name = bound.get(call_id, outputs[0].name)
        call = _resolved(cls, name, outputs[0].call, fields)
        spec = StepSpec(cls, name, call, tuple(outputs))
        _check_outputs(cls, spec)
        steps[name] = spec
    _check_files(cls, steps)
    return order_steps(cls.__name__, steps)


def _resolved(cls: RecordType, step: str, call: Call, fields: Mapping[str, Field]) -> Call:
    where = f"{cls.__name__}.{step}"
    arguments = dict(call.arguments)
    if call.kind == "shell":
        for name in template_fields(str(call.target)):
            if name.partition(".")[0] == "out" or name in arguments:
                continue
            if name not in fields:
                raise UnknownField(
                    f"{where}: the command {call.target!r} has the name {{{name}}}, which is no "
                    f"field of {cls.__name__}.{_hint(name, fields)}"
                )
            arguments[name] = Ref(name)
    resolved = {
        name: transform(value, lambda leaf, depth: _leaf(cls, where, leaf, depth, fields))
        for name, value in arguments.items()
    }
    if any(isinstance(leaf, Each) for v in resolved.values() for leaf in walk(v)):
        if cls.__member__ is None:
            raise DeclarationError(f"{where}: pt.each(...) needs members; {cls.__name__} has none.")
    return replace(call, arguments=resolved)


def _leaf(cls: RecordType, where: str, leaf: Any, depth: int, fields: Mapping[str, Field]) -> Any:
    if isinstance(leaf, Field):
        target: RecordType | None = cls
        for _ in range(depth):
            target = target.__member__ if target is not None else None
        known = fields if target is cls else getattr(target, "__fields__", {})
        if leaf.name not in known or not _same(leaf, known[leaf.name], target):
            raise UnknownField(_stranger(cls, where, leaf, target))
        return Ref(leaf.name, depth)
    if isinstance(leaf, Ref | Out):
        return leaf
    if isinstance(leaf, Wired):
        raise DeclarationError(
            f"{where}: an argument is a wired step that is no field yet. Give it a name and end "
            "it in .to(...) or .unstored()."
        )
    if isinstance(leaf, property):
        raise DeclarationError(
            f"{where}: an argument is a property. Steps take fields, keys and literals."
        )
    if leaf is None or isinstance(leaf, str | bool | int | float):
        return leaf
    what = "a step that is not wired" if isinstance(leaf, Step | Command) else repr(leaf)
    raise DeclarationError(
        f"{where}: the argument {what} is no field, key or literal. Literals are text, numbers, "
        "true, false, None, and lists and dicts of them."
    )


def _same(leaf: Field, known: Field, target: RecordType | None) -> bool:
    """Whether `leaf` is the field of `target` or one that it overrides."""
    return leaf is known or (
        leaf.owner is not None and target is not None and leaf.owner in target.__mro__
    )


def _stranger(cls: RecordType, where: str, leaf: Field, target: RecordType | None) -> str:
    if leaf.owner is None:
        return f"{where}: an argument is a field that has no name. Bind it in the class body first."
    text = f"{where}: {leaf.owner.__name__}.{leaf.name} is no field of " + (
        target.__name__ if target is not None else "a member"
    )
    if cls.__member__ is not None and leaf.owner in cls.__member__.__mro__:
        return f"{text}. Take it from the members: pt.each({leaf.owner.__name__}.{leaf.name})."
    return f"{text}. A step takes fields of its own class, or pt.each(...) of its members."


def _check_outputs(cls: RecordType, spec: StepSpec) -> None:
    where = f"{cls.__name__}.{spec.name}"
    if len({field.stored for field in spec.outputs}) > 1:
        raise DeclarationError(
            f"{where}: some outputs of this step are stored and some are not. End all in .to() "
            "or all in .unstored()."
        )
    parts = [field.part for field in spec.outputs]
    if len(set(parts)) < len(parts):
        raise DeclarationError(
            f"{where}: two fields take the same output {parts[0] or ''!r} of one wired step. "
            'Take each once, with .output("name").'
        )
    places = spec.call.out_parts
    unknown = [part for part in places if part not in parts]
    if unknown:
        raise DeclarationError(
            f"{where}: the step writes the output {unknown[0]!r}, which no field takes. "
            f'Write: name: Path = wired.output({unknown[0]!r}).to("…").'
        )
    if places and not spec.stored:
        raise DeclarationError(f"{where}: a step with pt.out writes a file: end it in .to(...).")
    if spec.call.kind != "python":
        without = [field.name for field in spec.outputs if field.part not in places]
        if without and (len(spec.outputs) > 1 or spec.outputs[0].part is not None):
            raise DeclarationError(
                f"{where}: the command does not say where {without[0]} is written: use "
                'pt.out("part") in a MATLAB call or {out.part} in a shell command.'
            )


def _check_files(cls: RecordType, steps: Mapping[str, StepSpec]) -> None:
    seen: dict[str, str] = {}
    for spec in steps.values():
        for field in spec.outputs:
            if not field.stored:
                continue
            where = f"{cls.__name__}.{field.name}"
            field.filename = name = _filename(where, field)
            try:
                check_options(format_for(field.annotation, name), field.writer_options)
            except DeclarationError as error:
                raise type(error)(f"{where}: {error}") from None
            if name in seen:
                raise DeclarationError(
                    f"{where} and {seen[name]} have the same file name {name!r}. Rename one."
                )
            seen[name] = where


def _filename(where: str, field: Output) -> str:
    name = field.filename
    if name is None:
        try:
            return field.name + suffix_for(field.annotation)
        except UndeclaredFormat as error:
            raise UndeclaredFormat(f"{where}: {error}") from None
    plain = name.rstrip("/")
    if not plain or PurePosixPath(plain).name != plain or plain.startswith((".", "signac_")):
        raise DeclarationError(
            f"{where}: .to({name!r}) must be one plain file name, without folders, and neither "
            "hidden nor signac's."
        )
    return plain


def _shown(annotation: Any) -> str:
    if get_origin(annotation) is None and isinstance(annotation, type):
        return annotation.__name__
    return str(annotation)


def _hint(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, 1, 0.4)
    listed = f"\n  fields: {', '.join(known) or 'none'}."
    return listed + (f" Did you mean {{{close[0]}}}?" if close else "")
