"""Records and aggregates: classes, instances, keys, inheritance."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from signac.job import Job

from pointillist.errors import DeclarationError, RecordError, RecordNotFound, UnknownField
from pointillist.model.arguments import Each, Ref, each
from pointillist.model.fields import Field, key, seed
from pointillist.model.records import Aggregate, PlainJob, Record, sort_key
from pointillist.model.steps import step


@step
def size(raw: Path) -> int:
    """Give the number of bytes."""
    return raw.stat().st_size


@step
def double(number: float) -> float:
    """Give twice the number."""
    return 2 * number


@step
def total(numbers: list[Any]) -> float:
    """Give the sum."""
    return float(sum(numbers))


class Recording(Record):
    """One file."""

    session: str = key()
    index: int = key()
    rig: ClassVar[str] = "rig 1"
    raw: Path = seed("{session}/{index}.bin")
    bytes_: int = size.step(raw).to("bytes.txt")

    @property
    def parity(self) -> str:
        """Whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"


class Block(Aggregate[Recording], order_by="-index"):
    """Recordings of one parity."""

    session: str = key()
    parity: str = key()
    sizes: float = total.step(each(Recording.bytes_)).to()


class Session(Aggregate[Block]):
    """Blocks of one session."""

    session: str = key()
    sizes: float = total.step(each(Block.sizes)).to()
    all_sizes: float = total.step(each(each(Recording.bytes_))).to()


class Shelf:
    """A home that answers with what it was asked."""

    def job(self, record: Record) -> Any:
        """Give the job's name."""
        return ("job", record.label)

    def folder(self, record: Record) -> Path:
        """Give a folder named after the record."""
        return Path(record.label)

    def document(self, record: Record) -> Mapping[str, Any]:
        """Give a document."""
        return {"of": record.label}

    def members(self, record: Record) -> list[Any]:
        """Give one member."""
        return [Recording(session="a", index=0)]

    def path(self, record: Record, field: Field) -> Path:
        """Give a path named after the field."""
        return Path(field.name)

    def value(self, record: Record, field: Field, compute: bool) -> Any:
        """Give what was asked for."""
        return (field.name, compute)

    def open(self, record: Record, field: Field) -> Any:
        """Give the field's name."""
        return field.name

    def states(self, record: Record) -> Mapping[str, str]:
        """Give two states."""
        return {"bytes_": "complete", "other": "stale"}


def test_what_a_class_declares() -> None:
    """Fields are found by kind, in the order of the body, each under its name."""
    assert {"session": str, "index": int} == Recording.keys
    assert ["raw"] == list(Recording.seeds)
    assert ["bytes_"] == list(Recording.outputs)
    assert [Recording.raw, "Recording.raw", Path] == [
        Recording.__fields__["raw"],
        f"{Recording.__name__}.{Recording.__fields__['raw'].name}",
        Recording.__fields__["raw"].annotation,
    ]
    assert "<seed Recording.raw>" == str(Recording.raw)
    assert "<class Recording>" == repr(Recording)
    assert "Recording.bytes_" == Recording.__steps__["bytes_"].operation


def test_aggregates_refer_to_their_members() -> None:
    """``each`` refers to a member's field by name, nested as deep as it stands."""
    assert Recording is Block.__member__
    assert ("-index",) == Block.__order__
    assert {"numbers": Each(Ref("bytes_", 1))} == Block.__steps__["sizes"].call.arguments
    nested = Session.__steps__["all_sizes"]
    assert {"numbers": Each(Each(Ref("bytes_", 2)))} == nested.call.arguments
    assert nested.needs_members
    assert not Recording.__steps__["bytes_"].needs_members


def test_keys_of_an_instance() -> None:
    """A record has its keys as attributes, in declared order however they are given."""
    record = Recording(index=3, session="a")
    assert ("a", 3, "odd") == (record.session, record.index, record.parity)
    assert ("a", 3) == sort_key(record)
    assert ("a", 3) == (record.value("session"), record.value("index", compute=False))
    assert "Recording session=a index=3" == record.label
    assert "<Recording session=a index=3>" == repr(record)


def test_labels_stay_on_one_line() -> None:
    """Keys with spaces, quotes and newlines are shown in quotes."""
    record = Recording(session="a b\n'; rm -rf ~", index=0)
    assert 'Recording session="a b\\n\'; rm -rf ~" index=0' == record.label


def test_equality() -> None:
    """Records are equal if class, keys and job are."""
    one, same = Recording(session="a", index=1), Recording(session="a", index=1)
    assert one == same
    assert hash(one) == hash(same)
    assert one != Recording(session="a", index=2)
    assert one != ("a", 1)
    found = Recording._found("0f", {"session": "a", "index": 1}, Shelf())
    assert one != found
    assert 1 == len({one, same})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"session": "a"}, "Recording needs index. Its keys: session, index."),
        ({}, "Recording needs session, index. Its keys: session, index."),
        (
            {"session": "a", "indx": 1},
            "Recording has no key indx and needs index. Its keys: session, index.",
        ),
    ],
)
def test_wrong_keys(values: dict[str, Any], said: str) -> None:
    """Missing and unknown keys are named together."""
    with pytest.raises(RecordNotFound) as caught:
        Recording(**values)
    assert said == str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_key_of_a_wrong_type() -> None:
    """A key of the wrong type is an error that says what it got."""
    with pytest.raises(DeclarationError) as caught:
        Recording(session="a", index="1")
    assert ("Recording.index is a key of type int, got str: '1'. Give a value of type int.") == str(
        caught.value
    )


def test_fields_cannot_be_set() -> None:
    """Keys, seeds and results are not set on a record."""
    record = Recording(session="a", index=1)
    for name in ("session", "raw", "bytes_"):
        with pytest.raises(AttributeError, match=rf"Recording\.{name} cannot be set"):
            setattr(record, name, "x")
        with pytest.raises(AttributeError):
            delattr(record, name)


def test_outside_a_project() -> None:
    """What needs a data space is an error on a record that is in none."""
    record = Recording(session="a", index=1)
    for ask in (
        lambda: record.raw,
        lambda: record.job,
        lambda: record.folder,
        lambda: record.document,
        lambda: record.path("raw"),
        lambda: record.open("raw"),
        lambda: Block(session="a", parity="odd").members,
    ):
        with pytest.raises(RecordError, match=r"is in no project. Add it: project\.add\("):
            ask()


def test_inside_a_project() -> None:
    """A record asks its home for what is not in its keys; its repr shows the states."""
    record = Recording._found("0f", {"session": "a", "index": 1}, Shelf())
    assert ("0f", "a") == (record.id, record.session)
    assert ("raw", True) == record.raw
    assert ("raw", False) == record.value("raw", compute=False)
    assert (Path("raw"), "raw") == (record.path("raw"), record.open("raw"))
    assert ("job", record.label) == record.job
    assert (Path(record.label), {"of": record.label}) == (record.folder, record.document)
    assert [Recording(session="a", index=0)] == Block._found("1a", {}, Shelf()).members
    assert "<Recording session=a index=1 | bytes_:complete other:stale>" == repr(record)


def test_unknown_field() -> None:
    """Asking for a field that is not there names those that are."""
    with pytest.raises(UnknownField) as caught:
        Recording(session="a", index=1).value("rwa")
    assert ("Recording has no field 'rwa'. Its fields: session, index, raw, bytes_.") == str(
        caught.value
    )


def test_subclass_resolves_fields_by_name() -> None:
    """A subclass that overrides a field changes what the inherited steps are called with."""

    class Long(Recording):
        duration: float = key()
        raw: Path = seed("long/{session}/{index}_{duration}.bin")
        twice: float = double.step(Recording.bytes_).to()

    assert ["session", "index", "duration"] == list(Long.keys)
    assert ["bytes_", "twice"] == list(Long.__steps__)
    assert {"raw": Ref("raw")} == Long.__steps__["bytes_"].call.arguments
    assert "Long.bytes_" == Long.__steps__["bytes_"].operation
    assert "long/a/1_2.0.bin" == Long.seeds["raw"].pattern.format(
        {"session": "a", "index": 1, "duration": 2.0}
    )
    assert "{session}/{index}.bin" == Recording.seeds["raw"].pattern.text


def test_subclass_with_another_type_of_key() -> None:
    """A subclass that changes a key's type reads inherited patterns by the new type."""

    class Named(Recording):
        index: str = key()  # type: ignore[assignment]  # that is what is tested

    assert {"session": "a", "index": "x"} == Named.seeds["raw"].pattern.match("a/x.bin")
    assert Recording.seeds["raw"].pattern.match("a/x.bin") is None
    assert Named.raw is Named.__fields__["raw"]


def test_subclass_of_an_aggregate() -> None:
    """A subclass of an aggregate has its members and order."""

    class Special(Block):
        extra: float = total.step(each(Recording.index)).to()

    assert Recording is Special.__member__
    assert ("-index",) == Special.__order__
    assert ["sizes", "extra"] == list(Special.__steps__)


def test_a_field_made_a_property() -> None:
    """A subclass may make a field a property; it stays one in further subclasses."""

    class Fixed(Recording):
        @property
        def bytes_(self) -> int:  # type: ignore[override]  # that is what is tested
            return 100

    class Further(Fixed):
        more: int = size.step(Recording.raw).to()

    assert ["session", "index", "raw"] == list(Fixed.__fields__)
    assert ["session", "index", "raw", "more"] == list(Further.__fields__)
    assert 100 == Further(session="a", index=1).bytes_


def test_classes_in_functions() -> None:
    """String annotations of a class made in a function see the function's names."""
    from decimal import Decimal

    class Coin(Record):
        value_: int = key()
        day: datetime.date = key()
        paid: Decimal = double.step(value_).unstored()  # type: ignore[assignment]  # only a name

    assert Decimal is Coin.__fields__["paid"].annotation
    assert datetime.date is Coin.keys["day"]


def test_a_key_named_like_its_type() -> None:
    """A key may be called ``date`` where the module has the type under that name."""
    space: dict[str, Any] = {"__name__": __name__, "Record": Record, "key": key}
    exec(
        "from __future__ import annotations\nfrom datetime import date\n"
        "class Day(Record):\n    date: date = key()\n",
        space,
    )
    assert {"date": datetime.date} == space["Day"].keys


def test_annotations_that_are_no_strings() -> None:
    """A module without the future import declares the same."""
    space: dict[str, Any] = {"__name__": __name__, "Record": Record, "key": key, "step": double}
    source = (
        "class Point(Record):\n    index: int = key()\n    twice: float = step.step(index).to()\n"
    )
    exec(compile(source, "points.py", "exec", dont_inherit=True), space)
    assert {"index": int} == space["Point"].keys
    assert float is space["Point"].__fields__["twice"].annotation
    assert "twice.txt" == space["Point"].__fields__["twice"].filename


def test_an_aggregate_of_all() -> None:
    """An aggregate without keys holds all records."""

    class Everything(Aggregate[Recording]):
        sizes: float = total.step(each(Recording.bytes_)).to()

    assert {} == Everything.keys
    assert "Everything" == Everything().label


# Plain jobs, and what a class says of its members.


class Jobs(Aggregate[Job], order_by="-index", select=lambda job: True):
    """Plain jobs of one session."""

    session: str = key()


def test_aggregate_of_plain_jobs() -> None:
    """`Aggregate[Job]` is made of plain jobs, whose state points may have anything."""
    assert PlainJob is Jobs.__member__
    assert {"session": str} == Jobs.keys
    assert (True, False) == (PlainJob.__plain__, Jobs.__plain__)


def test_plain_job() -> None:
    """A plain job is known by its id, and as a member it is the signac job itself."""
    job = PlainJob._found("0f12345678", {"b": 1, "a": None}, Shelf())
    other = PlainJob._found("0e", {"b": 1, "a": None}, Shelf())
    assert "job 0f123456" == job.label
    assert ("job", "job 0f123456") == job._as_member
    assert {"b": "b=1", "a": "a=None"} == job.key_texts()
    assert [1, None] == [job._look_up(name) for name in "ba"]
    with pytest.raises(KeyError, match="c"):
        job._look_up("c")
    assert [other, job] == sorted([job, other], key=sort_key)
    assert (job != other, hash("0f12345678")) == (True, hash(job))


def test_plain_job_with_values_that_are_no_keys() -> None:
    """A state point with lists and dictionaries in it is a plain job like any other."""
    job = PlainJob._found("0f", {"list": [1], "nested": {"x": 1}}, Shelf())
    assert 1 == len({job, PlainJob._found("0f", {"list": [1], "nested": {"x": 1}}, Shelf())})
    assert ("0f",) == sort_key(job)


def test_members_are_what_they_are_as_members() -> None:
    """An aggregate of records has records as members, one of jobs has jobs."""

    class Home(Shelf):
        def members(self, record: Record) -> list[Any]:
            return [PlainJob._found("0f", {}, self)]

    assert [("job", "job 0f")] == Jobs._found("1a", {"session": "a"}, Home()).members
    assert [Recording(session="a", index=0)] == Block._found("1a", {}, Shelf()).members


def test_order_and_choice_are_inherited() -> None:
    """A subclass has the order and the choice of its base, unless it says its own."""

    def by_size(job: Any) -> int:
        return 1

    class Same(Jobs):
        pass

    class Other(Jobs, order_by=by_size, select=by_size):
        pass

    assert (("-index",), Jobs.__select__) == (Same.__order__, Same.__select__)
    assert ((by_size,), by_size) == (Other.__order__, Other.__select__)
    assert (PlainJob, PlainJob) == (Same.__member__, Other.__member__)
    assert ((), None) == (Recording.__order__, Recording.__select__)
