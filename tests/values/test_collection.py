"""Collections of records: finding one, finding some, order, tables, errors."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

import pointillist as pt
from pointillist.errors import DeclarationError, RecordNotFound, SeveralRecords
from pointillist.values.collection import Collection, matches_text


@pt.step
def double(number: float) -> float:
    """Double; there is nothing to double in a negative number."""
    if number < 0:
        raise ValueError("negative")
    return 2 * number


@pt.step
def describe(number: float) -> str:
    """Give a word."""
    return "big" if number > 2 else "small"


@pt.step
def repeat(number: float) -> np.ndarray:
    """Give an array, which is no cell of a table."""
    return np.full(3, number)


@pt.step
def add(numbers: list[float]) -> float:
    """Add up."""
    return sum(numbers)


class Sample(pt.Record):
    """A number in a file."""

    day: datetime.date = pt.key()
    index: int = pt.key()

    number: float = pt.seed("samples/{day}/{index}.txt")

    doubled: float = double.step(number).to()
    word: str = describe.step(number).to()
    repeated: np.ndarray = repeat.step(number).to()
    unstored: float = double.step(number).unstored()

    @property
    def month(self) -> str:
        """The month."""
        return f"{self.day:%Y-%m}"


class Month(pt.Aggregate[Sample]):
    """All samples of a month."""

    month: str = pt.key()

    total: float = add.step(pt.each(Sample.doubled)).to()


class Empty(pt.Record):
    """A class of which there is nothing."""

    name: str = pt.key()


class Lab(pt.Project):
    """Samples."""

    records = (Sample, Month, Empty)


FIRST, SECOND = datetime.date(2026, 1, 30), datetime.date(2026, 2, 1)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give a lab with eleven samples of one day and two of another."""
    for day, count in ((FIRST, 11), (SECOND, 2)):
        folder = tmp_path / "samples" / str(day)
        folder.mkdir(parents=True)
        for index in range(count):
            (folder / f"{index}.txt").write_text(f"{index}.5\n")
    made = Lab(tmp_path)
    made.discover()
    return made


def test_order_is_that_of_the_keys(lab: Lab) -> None:
    """Records come in the order of their keys as values, not as text: 2 before 10."""
    keys = [(record.day, record.index) for record in lab[Sample]]
    assert [(FIRST, i) for i in range(11)] + [(SECOND, i) for i in range(2)] == keys
    assert ["2026-01", "2026-02"] == [month.month for month in lab[Month]]


def test_len_and_in(lab: Lab) -> None:
    """`len` counts; `in` takes a record or a job id, and knows which collection it is asked of."""
    samples = lab[Sample]
    first = samples.where(day=FIRST)
    last = samples.get(day=SECOND, index=1)
    assert (13, 11, 0) == (len(samples), len(first), len(lab[Empty]))
    assert last in samples and last.id in samples
    assert last not in first and last.id not in first
    assert lab[Month].first() not in samples
    assert Sample(day=SECOND, index=1) not in samples, "it is in no project"


def test_get_by_keys_properties_and_id(lab: Lab) -> None:
    """One record is got by keys, properties, its id, or the beginning of its id."""
    record = lab[Sample].get(day=FIRST, index=3)
    assert (FIRST, 3) == (record.day, record.index)
    assert record == lab[Sample].get(month="2026-01", index=3)
    assert record == lab[Sample].get(record.id)
    others = [other.id for other in lab[Sample] if other != record]
    length = next(n for n in range(1, 33) if not any(i.startswith(record.id[:n]) for i in others))
    assert record == lab[Sample].get(record.id[:length])


def test_get_one_of_several(lab: Lab) -> None:
    """What fits several records says how many, which, and what to do."""
    with pytest.raises(SeveralRecords) as caught:
        lab[Sample].get(day=FIRST)
    assert (
        "11 records of Sample have day=2026-01-30: Sample day=2026-01-30 index=0; "
        "Sample day=2026-01-30 index=1; Sample day=2026-01-30 index=2; …. Give more keys, or use "
        "where(...)."
    ) == str(caught.value)
    with pytest.raises(SeveralRecords, match="13 records of Sample have any keys: "):
        lab[Sample].get()
    with pytest.raises(SeveralRecords, match="13 records of Sample have a job id that begins"):
        lab[Sample].get("")


def test_get_one_that_is_not_there(lab: Lab) -> None:
    """What fits no record says what was asked for; the error is also a KeyError."""
    with pytest.raises(RecordNotFound) as caught:
        lab[Sample].get(day=SECOND, index=9)
    assert isinstance(caught.value, KeyError)
    assert (
        "there is no Sample with day=2026-02-01 index=9; there are 13. Run discover if its files "
        "are new."
    ) == str(caught.value)
    with pytest.raises(RecordNotFound, match="there is no Sample with a job id that begins with"):
        lab[Sample].get("zz")


def test_unknown_names(lab: Lab) -> None:
    """A name that no record has is refused, with the right ones; also where there is no record."""
    with pytest.raises(RecordNotFound) as caught:
        lab[Sample].where(idx=3)
    assert "Sample has no key, property or metadata 'idx'. Its keys: day, index." == str(
        caught.value
    )
    with pytest.raises(RecordNotFound, match="has no key, property or metadata 'idx'"):
        lab[Sample].get(idx=3)


def test_first(lab: Lab) -> None:
    """The first record, or an error that says how to find some."""
    assert 0 == lab[Sample].first().index
    with pytest.raises(RecordNotFound) as caught:
        lab[Empty].first()
    assert "there is no Empty. Run discover to find some." == str(caught.value)


def test_where(lab: Lab) -> None:
    """Keys, properties, document entries, signac filters and functions; they can be chained."""
    samples = lab[Sample]
    samples.get(day=FIRST, index=4).job.document["rig"] = "blue"
    lab = Lab(lab.path)
    samples = lab[Sample]
    assert [4] == [record.index for record in samples.where(rig="blue")]
    assert [2] == [record.index for record in samples.where(month="2026-01", index=2)]
    assert [9, 10] == [r.index for r in samples.where({"index": {"$gt": 8}})]
    assert [4] == [r.index for r in samples.where({"doc.rig": "blue"})]
    assert [0, 1, 0, 1] == [r.index for r in samples.where(lambda record: record.number < 2)]
    both = samples.where({"index": {"$lt": 2}}).where(lambda r: r.index == 1, day=SECOND)
    assert [(SECOND, 1)] == [(r.day, r.index) for r in both]
    assert ["2026-02"] == [m.month for m in lab[Month].where({"month": {"$regex": "2$"}})]
    assert 0 == len(samples.where(index=99)) == len(lab[Empty].where({"name": "x"}))
    assert 0 == len(lab[Empty].where(name="x")) == len(samples.where(day=SECOND).where(rig="blue"))


def test_where_knows_types(lab: Lab) -> None:
    """A key takes a value of its type, a date also as text; another type is an error."""
    assert [0, 1] == [
        r.index for r in lab[Sample].where(day="2026-02-01").where({"index": {"$lt": 2}})
    ]
    for name, value in (("index", "2"), ("index", [1, 2]), ("day", 3)):
        with pytest.raises(DeclarationError, match=f"Sample.{name} is "):
            lab[Sample].where(**{name: value})
    with pytest.raises(RecordNotFound, match=r"^no Sample fits; there are \d+\.$"):
        lab[Sample].where(index=99).first()


def test_repr(lab: Lab) -> None:
    """A collection shows how many there are, and the first of them."""
    assert "<0 Empty>" == repr(lab[Empty])
    assert "<2 Month: Month month=2026-01, Month month=2026-02>" == repr(lab[Month])
    assert repr(lab[Sample]).startswith("<13 Sample: Sample day=2026-01-30 index=0, ")
    assert repr(lab[Sample]).endswith(", …>")


def test_unknown_class(lab: Lab) -> None:
    """A class that the project does not name is refused, with those that it does."""

    class Other(pt.Record):
        name: str = pt.key()

    with pytest.raises(RecordNotFound) as caught:
        lab[Other]
    assert "Other is no record class of Lab. There are: Sample, Month, Empty." == str(caught.value)


def test_to_frame(lab: Lab) -> None:
    """A row a record: keys, plain metadata, and those plain results that are complete."""
    record = lab[Sample].get(day=SECOND, index=1)
    record.job.document.update({"rig": "blue", "gain": 1.5, "history": [1, 2]})
    lab = Lab(lab.path)
    lab.run(names=["Sample.doubled"], jobs=lab[Sample].where(day=SECOND))
    frame = lab[Sample].where(day=SECOND).to_frame()
    assert ["day", "index", "rig", "gain", "doubled", "word"] == frame.columns.to_list()
    assert "id" == frame.index.name
    assert [r.id for r in lab[Sample].where(day=SECOND)] == frame.index.to_list()
    assert [1.0, 3.0] == frame["doubled"].to_list()
    assert frame["word"].isna().all(), "nothing is computed for a table"
    assert [SECOND] * 2 == frame["day"].to_list()
    assert "blue" == frame.loc[record.id, "rig"] and frame["rig"].isna().sum() == 1


def test_to_frame_of_aggregates_and_of_nothing(lab: Lab) -> None:
    """The members' ids are no columns; a table of nothing has its columns."""
    assert ["month", "total"] == lab[Month].to_frame().columns.to_list()
    frame = lab[Empty].to_frame()
    assert (["name"], 0) == (frame.columns.to_list(), len(frame))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("day", "2026-01-30", True),
        ("index", "3", True),
        ("index", "03", False),
        ("month", "2026-01", True),
        ("nothing", "None", False),
    ],
)
def test_matches_text(lab: Lab, name: str, text: str, expected: bool) -> None:
    """A value is compared as it is written in file names, and an absent one equals nothing."""
    record = lab[Sample].get(day=FIRST, index=3)
    assert expected is matches_text(record, name, text)


def test_a_collection_sees_new_records(lab: Lab, tmp_path: Path) -> None:
    """A collection of all records is no copy: it has what is discovered later."""
    samples: Collection[Sample] = lab[Sample]
    (tmp_path / "samples" / str(SECOND) / "2.txt").write_text("7\n")
    assert 13 == len(samples)
    lab.discover()
    assert 14 == len(samples)
    assert 7.0 == samples.get(day=SECOND, index=2).number
