"""Records and aggregates: the classes that users write, and their instances."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar, get_args, get_origin

from ..errors import DeclarationError, RecordError, RecordNotFound, UnknownField
from ..formats.annotations import show
from . import keys
from .body import Body, check_order, compile_class
from .fields import Field, Key, Output, Seed
from .pipeline import StepSpec

__all__ = [
    "Aggregate",
    "Home",
    "PlainJob",
    "Record",
    "RecordType",
    "check_key",
    "check_keys",
    "sort_key",
]


class Job(Protocol):
    """What a signac job is to an aggregate of plain jobs; signac has no types of its own."""

    @property
    def id(self) -> Any:
        """The id."""

    @property
    def path(self) -> Any:
        """The folder."""

    def fn(self, filename: Any) -> Any:
        """Return a path in the folder."""


M = TypeVar("M", bound="Record | Job")


class Home(Protocol):
    """Where records live: what an instance asks for that is not in its keys."""

    def job(self, record: Record) -> Any:
        """Return the signac job."""

    def folder(self, record: Record) -> Path:
        """Return the job's folder."""

    def document(self, record: Record) -> Mapping[str, Any]:
        """Return the job document, to read."""

    def members(self, record: Record) -> list[Any]:
        """Return the members of an aggregate, in order."""

    def excluded_members(self, record: Record) -> list[Any]:
        """Return those that would be members of an aggregate, but are excluded."""

    def path(self, record: Record, field: Field) -> Path:
        """Return where a seed or an output lies."""

    def value(self, record: Record, field: Field, compute: bool) -> Any:
        """Return a seed's or an output's value."""

    def open(self, record: Record, field: Field) -> Any:
        """Return a context manager that reads a seed or an output piece by piece."""

    def states(self, record: Record) -> Mapping[str, str]:
        """Return the state of each step."""


def _member_of(cls: type) -> type[Record] | None:
    for base in getattr(cls, "__orig_bases__", ()):
        if getattr(get_origin(base), "__name__", "") == "Aggregate":
            (member,) = get_args(base)
            if isinstance(member, RecordType):
                return member  # type: ignore[return-value]  # every RecordType makes Records
            if _is_job(member):
                return PlainJob
            raise DeclarationError(_memberless(cls, show(member)))
    if any(base.__name__ == "Aggregate" and base.__module__ == __name__ for base in cls.__bases__):
        raise DeclarationError(_memberless(cls, ""))
    found: type[Record] | None = getattr(cls, "__member__", None)
    return found


def _is_job(member: Any) -> bool:
    """Whether a class is signac's `Job`: who names it has imported it, so we need not."""
    signac = sys.modules.get("signac.job")
    return signac is not None and isinstance(member, type) and issubclass(member, signac.Job)


def _memberless(cls: type, said: str) -> str:
    got = f"Aggregate[{said}]" if said else "Aggregate"
    return (
        f"class {cls.__name__}(pt.{got}) does not say what it is made of. Write the class of its "
        f"members in brackets, declared above it: class {cls.__name__}(pt.Aggregate[Recording]); "
        f"or signac's Job: class {cls.__name__}(pt.Aggregate[signac.job.Job])."
    )


class RecordType(type):
    """The class of record classes: checks a body and keeps what it declares."""

    __fields__: dict[str, Field]
    __steps__: dict[str, StepSpec]
    __member__: type[Record] | None
    __order__: tuple[Any, ...]
    __select__: Callable[[Any], bool] | None
    __table__: str | None
    __plain__: bool

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **_: Any) -> Body:
        return Body(name)

    def __new__(
        metacls,
        name: str,
        bases: tuple[type, ...],
        body: Body,
        /,
        order_by: Any = (),
        select: Callable[[Any], bool] | None = None,
        table: str | None = None,
        **unknown: Any,
    ) -> RecordType:
        """Make a record class of a body."""
        for option in unknown:
            raise DeclarationError(
                f"class {name}(…, {option}=…): there is no such class argument. There are: "
                "order_by, select, table."
            )
        cls = super().__new__(metacls, name, bases, dict(body))
        cls.__member__ = _member_of(cls)
        inherited = tuple(getattr(cls, "__order__", ()))
        cls.__order__ = tuple(order_by) if isinstance(order_by, list | tuple) else (order_by,)
        cls.__order__ = cls.__order__ or inherited
        cls.__select__ = select or getattr(cls, "__select__", None)
        cls.__table__ = table or getattr(cls, "__table__", None)
        cls.__fields__, cls.__steps__ = compile_class(cls, body)
        check_order(cls)
        return cls

    def __init__(cls, name: str, bases: tuple[type, ...], body: Body, /, **_: Any) -> None:
        super().__init__(name, bases, dict(body))

    def __repr__(cls) -> str:
        return f"<class {cls.__name__}>"

    @property
    def keys(cls) -> dict[str, type]:
        """The keys of the class and their types, in order."""
        return {n: f.annotation for n, f in cls.__fields__.items() if isinstance(f, Key)}

    @property
    def seeds(cls) -> dict[str, Seed]:
        """The seeds of the class."""
        return {n: f for n, f in cls.__fields__.items() if isinstance(f, Seed)}

    @property
    def outputs(cls) -> dict[str, Output]:
        """The outputs of the class, stored or not."""
        return {n: f for n, f in cls.__fields__.items() if isinstance(f, Output)}


class Record(metaclass=RecordType):
    """One thing that was recorded or simulated: one signac job.

    Subclass it and declare its fields: `key`, `seed`, and wired steps that end in ``.to()``. With
    ``table="sessions.csv"`` as a class argument the columns of a table beside the data are kept
    in the job document.

    Attributes
    ----------
    id : str
        The job's id; empty while the record is in no project.
    """

    __fields__: ClassVar[dict[str, Field]]
    __steps__: ClassVar[dict[str, StepSpec]]
    __member__: ClassVar[type[Record] | None]
    __order__: ClassVar[tuple[Any, ...]]
    __select__: ClassVar[Callable[[Any], bool] | None]
    __table__: ClassVar[str | None]
    __plain__: ClassVar[bool] = False

    id: str
    _keys: dict[str, Any]
    _home: Home | None

    def __init__(self, **values: Any) -> None:
        self._keys = check_keys(type(self), values)
        self.id = ""
        self._home = None

    @classmethod
    def _found(cls, id: str, values: dict[str, Any], home: Home) -> Any:
        """Return the record that lies in `home` under `id`; its keys are known to be right."""
        record = cls.__new__(cls)
        record._keys, record.id, record._home = values, id, home
        return record

    def _where(self) -> Home:
        if self._home is None:
            raise RecordError(
                f"{self.label} is in no project. Add it: project.add({type(self).__name__}, …).",
                record=self.label,
            )
        return self._home

    @property
    def label(self) -> str:
        """The class and the keys, for people: ``Block session=a parity=even``."""
        return " ".join([type(self).__name__, *self.key_texts().values()])

    @property
    def _place(self) -> tuple[Any, ...]:
        """What tells records of one class apart, and orders them: the keys, as declared."""
        return tuple(self._keys.values())

    @property
    def _as_member(self) -> Any:
        """What an aggregate has as its member: the record itself."""
        return self

    def _look_up(self, name: str) -> Any:
        """Return what an aggregate finds under a name: a key or a property."""
        return getattr(self, name)

    def key_texts(self) -> dict[str, str]:
        """Return ``name=value`` of each key, by name."""
        return {n: f"{n}={keys.shown(v)}" for n, v in self._keys.items()}

    @property
    def job(self) -> Any:
        """The plain signac ``Job``."""
        return self._where().job(self)

    @property
    def folder(self) -> Path:
        """The job's folder."""
        return self._where().folder(self)

    @property
    def document(self) -> Mapping[str, Any]:
        """The job document, to read; write through ``record.job.document``."""
        return self._where().document(self)

    def path(self, name: str) -> Path:
        """Return where the seed or output called `name` lies, whether it is there or not."""
        return self._where().path(self, field_of(type(self), name))

    def value(self, name: str, *, compute: bool = True) -> Any:
        """Return the value of a field.

        Parameters
        ----------
        name : str
            A field of the class.
        compute : bool
            Whether what is missing is computed first.

        Returns
        -------
        object
            The value, of the field's type.

        Raises
        ------
        ValueNotThere
            With ``compute=False``, if it is not complete; the message says why.
        TasksFailed
            If it could not be computed.
        UnknownField
            If there is no such field.
        """
        field = field_of(type(self), name)
        if isinstance(field, Key):
            return self._keys[name]
        return self._where().value(self, field, compute)

    def open(self, name: str) -> Any:
        """Return a context manager that reads a field piece by piece.

        For an array in HDF5 it gives the ``h5py.Dataset``, whose slices are read when taken.
        """
        return self._where().open(self, field_of(type(self), name))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return type(self) is type(other) and self._keys == other._keys and self.id == other.id

    def __hash__(self) -> int:
        return hash((type(self), tuple(self._keys.values())))

    def __repr__(self) -> str:
        states = self._home.states(self) if self._home is not None else {}
        shown = "".join(f" {name}:{state}" for name, state in states.items())
        return f"<{self.label}{' |' if shown else ''}{shown}>"


class Aggregate(Record, Generic[M]):
    """A record made of records: one job for each distinct value of its keys.

    ``class Block(pt.Aggregate[Recording], order_by="recording_index")``: its keys are looked up by
    name on the members; `order_by` names the keys or properties that order them (``"-index"``
    for descending), by default all keys of the members; `select` is a function of a member that
    says whether it belongs to any. ``Aggregate[signac.job.Job]`` is made of plain jobs: names are
    then looked up in their state points, and functions get the job.
    """

    @property
    def members(self) -> list[M]:
        """The members, in order: records, or signac jobs."""
        return [member._as_member for member in self._where().members(self)]

    @property
    def excluded_members(self) -> list[M]:
        """Those that would be members, but are excluded."""
        return [member._as_member for member in self._where().excluded_members(self)]


class PlainJob(Record):
    """Any job of the workspace, whatever its state point: what ``Aggregate[Job]`` is made of."""

    __plain__ = True

    @property
    def label(self) -> str:
        """What it is called for people."""
        return f"job {self.id[:8]}"

    @property
    def _place(self) -> tuple[Any, ...]:
        """What tells plain jobs apart, and orders them: the id."""
        return (self.id,)

    @property
    def _as_member(self) -> Any:
        """What an aggregate has as its member: the signac job."""
        return self.job

    def _look_up(self, name: str) -> Any:
        """Return an entry of the state point."""
        if name not in self._keys:
            raise KeyError(name)
        return self._keys[name]

    def key_texts(self) -> dict[str, str]:
        """Return ``name=value`` of each entry of the state point, by name."""
        return {name: f"{name}={value}" for name, value in self._keys.items()}

    def __hash__(self) -> int:
        return hash(self.id)


def field_of(cls: RecordType, name: str) -> Field:
    """Return the field of `cls` called `name`.

    Raises
    ------
    UnknownField
        If there is none.
    """
    try:
        return cls.__fields__[name]
    except KeyError:
        known = ", ".join(cls.__fields__) or "none"
        raise UnknownField(f"{cls.__name__} has no field {name!r}. Its fields: {known}.") from None


def check_keys(cls: RecordType, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all keys of `cls`, checked and in order.

    Raises
    ------
    DeclarationError
        If a value has the wrong type.
    RecordNotFound
        If a key is missing or there is no such key.
    """
    kinds = cls.keys
    wrong = [n for n in values if n not in kinds]
    missing = [n for n in kinds if n not in values]
    if wrong or missing:
        said = [f"has no key {', '.join(wrong)}"] * bool(wrong)
        said += [f"needs {', '.join(missing)}"] * bool(missing)
        raise RecordNotFound(
            f"{cls.__name__} {' and '.join(said)}. Its keys: {', '.join(kinds) or 'none'}."
        )
    return {n: keys.check(values[n], kind, f"{cls.__name__}.{n}") for n, kind in kinds.items()}


def check_key(cls: RecordType, name: str, value: Any) -> Any:
    """Return the value of one key of `cls`, checked.

    Raises
    ------
    DeclarationError
        If it has the wrong type.
    """
    return keys.check(value, cls.keys[name], f"{cls.__name__}.{name}")


def sort_key(record: Record) -> tuple[Any, ...]:
    """Return what records of one class are ordered by: their keys, in declared order."""
    return record._place
