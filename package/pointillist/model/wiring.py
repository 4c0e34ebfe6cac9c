"""Reading how a class body wires its steps: what refers to what, and every mistake in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any

from ..commands.shell import fields as template_fields
from ..errors import DeclarationError, UnknownField, closest
from ..formats import check_options, format_for, suffix_for
from .arguments import Each, Out, Ref, is_literal, refs, transform, walk
from .fields import Field, Output
from .keys import plain
from .pipeline import StepSpec, order_steps
from .steps import Call, Command, Step, Wired

if TYPE_CHECKING:
    from .records import RecordType

__all__ = ["compile_steps"]


def compile_steps(
    cls: RecordType, fields: Mapping[str, Field], body: Mapping[str, Any]
) -> dict[str, StepSpec]:
    """Return the steps of a class, each after those it needs.

    Raises
    ------
    DeclarationError
        At the first mistake; the message names the class and the field.
    """
    made: dict[int, list[Output]] = {}
    for field in fields.values():
        if isinstance(field, Output):
            made.setdefault(id(field.call), []).append(field)
    names = _names(cls, made, body)
    steps: dict[str, StepSpec] = {}
    for call_id, outputs in made.items():
        name = names[call_id]
        if name in steps:
            raise DeclarationError(
                f"{cls.__name__}.{name}: a base class has a step of this name already. Give the "
                "wired step another name."
            )
        call = _resolved(cls, name, outputs[0].call, fields)
        steps[name] = StepSpec(cls, name, call, tuple(outputs))
        _check_outputs(f"{cls.__name__}.{name}", steps[name])
    _check_files(cls, steps)
    return order_steps(cls.__name__, steps)


def _names(
    cls: RecordType, made: Mapping[int, list[Output]], body: Mapping[str, Any]
) -> dict[int, str]:
    """Return the name of each call: that of the wired step, else of its first output."""
    names: dict[int, str] = {}
    seen: dict[int, str] = {}
    for name, value in body.items():
        if not isinstance(value, Wired):
            continue
        taken = {made_of.part for made_of in made.get(id(value.call), ())}
        if not taken or (value.part is not None and value.part not in taken):
            raise DeclarationError(
                f"{cls.__name__}.{name} is wired but goes nowhere. End it in .to(...) to keep it "
                "in a file, or in .unstored()."
            )
        if id(value) in seen:
            raise DeclarationError(
                f"{cls.__name__}.{name} and {cls.__name__}.{seen[id(value)]} are one wired step "
                "under two names. Keep one of them, or wire the step twice."
            )
        seen[id(value)] = name
        names.setdefault(id(value.call), name)
    outputs = {field.name: call_id for call_id, fields in made.items() for field in fields}
    for base in cls.__mro__[1:]:
        for spec in base.__dict__.get("__steps__", {}).values():
            call_id = id(spec.outputs[0].call)
            if outputs.get(spec.name, call_id) == call_id:  # unless overridden
                names.setdefault(call_id, spec.name)
    return {call_id: names.get(call_id, fields[0].name) for call_id, fields in made.items()}


def _resolved(cls: RecordType, step: str, call: Call, fields: Mapping[str, Field]) -> Call:
    """Return `call` with its fields as references by name."""
    where = f"{cls.__name__}.{step}"
    arguments = dict(call.arguments)
    for name in template_fields(str(call.target)) if call.kind == "shell" else ():
        if name.partition(".")[0] == "out" or name in arguments:
            continue
        if name not in fields:
            close = closest(name, fields, 0.4)
            braces = f" Braces of the shell's own are written {{{{{name}}}}}."
            hint = f" Did you mean {{{close}}}?" if close else braces
            raise UnknownField(
                f"{where}: the command {call.target!r} has {{{name}}}, which is no field of "
                f"{cls.__name__}.\n  fields: {', '.join(fields) or 'none'}.{hint}"
            )
        arguments[name] = Ref(name)
    try:
        resolved = {
            name: transform(value, lambda leaf, depth: _leaf(cls, where, leaf, depth, fields))
            for name, value in arguments.items()
        }
    except DeclarationError as error:
        if error.message.startswith(where):
            raise
        raise DeclarationError(f"{where}: {error}") from None
    for leaf in walk(resolved):
        if isinstance(leaf, Each) and not any(refs(leaf)):
            raise DeclarationError(
                f"{where}: pt.each(...) takes fields of the members, such as "
                f"pt.each({cls.__member__.__name__ if cls.__member__ else 'Member'}.name)."
            )
    return replace(call, arguments=resolved)


def _leaf(cls: RecordType, where: str, leaf: Any, depth: int, fields: Mapping[str, Field]) -> Any:
    lineage = list(_lineage(cls))
    if depth >= len(lineage):
        raise DeclarationError(
            f"{where}: pt.each(...) takes a field from each member, and {lineage[-1].__name__} has "
            "no members. Leave pt.each out, or make it a pt.Aggregate[Member]."
        )
    if isinstance(leaf, Field):
        known = fields if depth == 0 else lineage[depth].__fields__
        owner = leaf.owner
        if owner is None:
            raise DeclarationError(
                f"{where}: an argument is a field without a name. Give it one in the class body "
                "first: name: type = …"
            )
        if leaf.name in known and owner in lineage[depth].__mro__:
            return Ref(leaf.name, depth)
        raise UnknownField(_stranger(where, leaf, owner, lineage, depth, leaf.name in fields))
    leaf = plain(leaf)
    if isinstance(leaf, Ref) or is_literal(leaf) or (isinstance(leaf, Out) and depth == 0):
        return leaf
    raise DeclarationError(f"{where}: {_no_argument(leaf)}")


def _lineage(cls: RecordType) -> Iterator[RecordType]:
    """Yield the class, its members' class, and so on down."""
    at: RecordType | None = cls
    while at is not None:
        yield at
        at = at.__member__


def _stranger(
    where: str, leaf: Field, owner: type, lineage: list[RecordType], depth: int, own: bool
) -> str:
    place = f"{owner.__name__}.{leaf.name}"
    text = f"{where}: {place} is no field of {lineage[depth].__name__}."
    if owner in lineage[0].__mro__:
        name = lineage[0].__name__
        if own:
            return f"{text} It is one of {name} itself: write {leaf.name} without pt.each."
        return f"{text} {name}.{leaf.name} overrides it with what is no field."
    for down, cls in enumerate(lineage):
        if owner in cls.__mro__ and leaf.name in cls.__fields__:
            return f"{text} Take it from each member: {'pt.each(' * down}{place}{')' * down}."
    return f"{text} A step takes fields of its own class, or of its members with pt.each(...)."


def _no_argument(leaf: Any) -> str:
    if isinstance(leaf, Wired):
        return (
            "an argument is a wired step that is no field yet. Give it a name and end it in "
            ".to(...) or .unstored()."
        )
    if isinstance(leaf, Step | Command):
        return f"an argument is {leaf!r}, which is not wired. Wire it first, and give it a name."
    if isinstance(leaf, property):
        return (
            "an argument is a property, which a step cannot see. Take the keys that it is made "
            "of and call the same code in the step's function; or read a table as a seed."
        )
    if isinstance(leaf, Out):
        return "pt.out cannot stand in pt.each(...): a step writes one output for all members."
    if isinstance(leaf, PurePath):
        return (
            f"an argument is the path {str(leaf)!r}, whose changes would go unseen. Declare the "
            f"file as a seed: name: Path = pt.seed({str(leaf)!r})."
        )
    return (
        f"the argument {leaf!r} ({type(leaf).__name__}) is no field, key or literal. Literals are "
        "text, numbers, True, False, None, and lists and dicts of them."
    )


def _check_outputs(where: str, spec: StepSpec) -> None:
    if len({field.stored for field in spec.outputs}) > 1:
        raise DeclarationError(
            f"{where}: some outputs of this step are stored and some are not. End all in .to() "
            "or all in .unstored()."
        )
    taken: dict[str | None, str] = {}
    for field in spec.outputs:
        if field.part in taken:
            what = f"the output {field.part!r}" if field.part else "the whole result"
            raise DeclarationError(
                f"{where}: {taken[field.part]} and {field.name} both take {what} of one wired "
                'step. Take each output once, wired.output("name"), or wire the step twice.'
            )
        taken[field.part] = field.name
    places = spec.call.out_parts
    if places and not spec.stored:
        raise DeclarationError(
            f"{where}: a step with pt.out writes a file, so it ends in .to(...), not .unstored()."
        )
    for part in places:
        if part is None and part not in taken:
            raise DeclarationError(
                f"{where}: the step has one output without a name, and the field takes "
                f".output({spec.outputs[0].part!r}). Leave .output out, or name the place, "
                f"{_place(spec, spec.outputs[0].part)}."
            )
        if part not in taken:
            raise DeclarationError(
                f"{where}: the step writes the output {part!r}, which no field takes. Take it: "
                f'{part}: Path = wired.output({part!r}).to("…").'
            )
    several = len(taken) > 1 or None not in taken
    for part, name in taken.items():
        if spec.call.kind != "python" and part not in places and (several or places):
            raise DeclarationError(
                f"{where}: the command does not say where {name} is written. Put "
                f"{_place(spec, part)} into it."
            )


def _place(spec: StepSpec, part: str | None) -> str:
    """Return how a step's author writes the place of an output."""
    if spec.call.kind == "shell":
        return f"{{out.{part}}}" if part else "{out}"
    return f'pt.out("{part}")' if part else "pt.out"


def _check_files(cls: RecordType, steps: Mapping[str, StepSpec]) -> None:
    seen: dict[str, str] = {}
    for field in (field for spec in steps.values() for field in spec.outputs if field.stored):
        where = f"{cls.__name__}.{field.name}"
        for option, value in field.writer_options.items():
            if not is_literal(value):
                raise DeclarationError(
                    f"{where}: the writer option {option}={value!r} is no literal. Options are "
                    "text, numbers, True, False, None, and lists and dicts of them."
                )
        try:
            field.filename = name = _filename(field)
            check_options(format_for(field.annotation, name), field.writer_options)
        except DeclarationError as error:
            raise type(error)(f"{where}: {error}") from None
        if name in seen:
            raise DeclarationError(
                f"{where} and {seen[name]} have the same file name {name!r}. Rename one of them: "
                '.to("name.ext").'
            )
        seen[name] = where


def _filename(field: Output) -> str:
    name = field.filename
    if name is None:
        return field.name + suffix_for(field.annotation)
    plain_name = name.rstrip("/") if isinstance(name, str) else ""
    if (
        not plain_name
        or PurePosixPath(plain_name).name != plain_name
        or plain_name.startswith((".", "signac_"))
        or not plain_name.isprintable()
    ):
        raise DeclarationError(
            f'.to({name!r}) must be one plain file name, such as "{field.name}.txt": without '
            "folders, not hidden, and not one of signac's."
        )
    return plain_name
