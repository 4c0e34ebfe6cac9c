"""Results as attributes: loading, computing what is missing, and saying why not."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

import pointillist as pt
from pointillist.errors import (
    FormatError,
    RecordError,
    StepFailed,
    TaskError,
    TasksFailed,
    UnknownField,
    ValueNotThere,
)

calls: list[str] = []


@pytest.fixture(autouse=True)
def count_calls() -> None:
    """Forget the calls of other tests."""
    calls.clear()


@pt.step
def total(table: pd.DataFrame, offset: float | None) -> float:
    """Add up; print something."""
    calls.append("total")
    print(f"{len(table)} rows")
    if table["x"].min() < 0:
        raise ValueError("a negative x")
    return float(table["x"].sum()) + (offset or 0.0)


@pt.step
def ramp(total: float) -> np.ndarray:
    """Give an array."""
    calls.append("ramp")
    return np.arange(total)


@pt.step
def mean(ramp: np.ndarray) -> float:
    """Give the mean."""
    calls.append("mean")
    return float(ramp.mean())


class Table(pt.Record):
    """A table, perhaps with an offset beside it."""

    name: str = pt.key()

    table: pd.DataFrame = pt.seed("tables/{name}.csv")
    offset: float = pt.seed("offsets/{name}.txt", optional=True)

    total: float = total.step(table, offset).to()
    ramp: np.ndarray = ramp.step(total).to("ramp.h5", compression="gzip")
    mean: float = mean.step(ramp).unstored()


class Lab(pt.Project):
    """Tables."""

    records = (Table,)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give a lab with a good table, one with an offset, and a bad one."""
    (tmp_path / "tables").mkdir()
    (tmp_path / "offsets").mkdir()
    for name, text in {"good": "x\n1\n2\n", "offset": "x\n3\n", "bad": "x\n-1\n"}.items():
        (tmp_path / "tables" / f"{name}.csv").write_text(text)
    (tmp_path / "offsets" / "offset.txt").write_text("10\n")
    made = Lab(tmp_path)
    made.discover()
    return made


@pytest.fixture
def good(lab: Lab) -> Table:
    """Give the good table."""
    return lab[Table].get(name="good")


def test_seeds_are_typed(lab: Lab, good: Table, tmp_path: Path) -> None:
    """A seed is read as its type says; an optional one that is not there is None."""
    pd.testing.assert_frame_equal(pd.DataFrame({"x": [1, 2]}), good.table)
    assert good.offset is None
    assert 10.0 == lab[Table].get(name="offset").offset
    assert tmp_path / "tables" / "good.csv" == good.path("table")
    assert tmp_path / "offsets" / "good.txt" == good.path("offset")


def test_attribute_computes_what_is_missing_once(good: Table) -> None:
    """The first access computes with all that it needs, the next one loads."""
    assert [0.0, 1.0, 2.0] == good.ramp.tolist()
    assert 3.0 == good.total
    assert [0.0, 1.0, 2.0] == good.ramp.tolist()
    assert ["total", "ramp"] == calls
    assert good.folder / "total.txt" == good.path("total")
    assert "3.0\n" == good.path("total").read_text()


def test_attribute_follows_its_inputs(good: Table, tmp_path: Path) -> None:
    """A changed seed is seen at the next access; what comes of it is computed again."""
    assert 3.0 == good.total
    (tmp_path / "tables" / "good.csv").write_text("x\n1\n2\n4\n")
    assert [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0] == good.ramp.tolist()
    assert 7.0 == good.total
    (tmp_path / "offsets" / "good.txt").write_text("1\n")
    assert 8.0 == good.total


def test_value_without_computing(good: Table) -> None:
    """With ``compute=False`` what is not there is an error that says why, and nothing runs."""
    with pytest.raises(ValueNotThere) as caught:
        good.value("total", compute=False)
    assert (
        "Table name=good: total is not there: ready: output total.txt is missing. Read it without "
        "compute=False to compute it."
    ) == str(caught.value)
    assert ("Table name=good", "Table.total") == (caught.value.record, caught.value.step)
    assert isinstance(caught.value, LookupError)
    with pytest.raises(ValueNotThere, match="ramp is not there: waiting: total is ready"):
        good.value("ramp", compute=False)
    assert [] == calls
    assert 3.0 == good.total
    assert 3.0 == good.value("total", compute=False)
    assert "good" == good.value("name", compute=False)


def test_unstored_value(good: Table) -> None:
    """An unstored value is computed each time, its stored inputs once; nothing is left behind."""
    assert 1.0 == good.mean
    assert 1.0 == good.mean
    assert ["total", "ramp", "mean", "mean"] == calls
    with pytest.raises(ValueNotThere) as caught:
        good.value("mean", compute=False)
    assert (
        "Table name=good: mean is not stored: it is computed each time it is asked for."
    ) == str(caught.value)
    with pytest.raises(RecordError, match=r"Table\.mean lies nowhere"):
        good.path("mean")
    made = {p.name for p in good.folder.iterdir() if not p.name.startswith(".")}
    assert {"signac_statepoint.json", "total.txt", "ramp.h5"} == made


def test_failure_of_a_step(lab: Lab) -> None:
    """A value that cannot be computed raises once, with record, step, cause and log."""
    bad = lab[Table].get(name="bad")
    with pytest.raises(TasksFailed) as caught:
        _ = bad.ramp
    error = caught.value
    assert str(error).startswith(
        "Table name=bad  total: total raised ValueError: a negative x\n  log: "
    )
    assert ("Table name=bad", "Table.total") == (error.record, error.step)
    assert error.log is not None
    assert error.log.read_text().startswith("1 rows\nTraceback (most recent call last):\n")
    calls.clear()
    with pytest.raises(TasksFailed, match="failed at attempt 1: total raised ValueError") as caught:
        _ = bad.total
    assert [] == calls, "nothing has changed, so it is not tried again"
    assert error.log == caught.value.log
    with pytest.raises(TasksFailed, match="total is failed"):
        _ = bad.mean
    assert 3.0 == lab[Table].get(name="good").total


def test_seed_that_is_gone(good: Table, tmp_path: Path) -> None:
    """A seed that is gone is named, as a value and as what a step waits for."""
    (tmp_path / "tables" / "good.csv").unlink()
    with pytest.raises(ValueNotThere) as caught:
        _ = good.table
    assert f"Table name=good: table is missing: {tmp_path}/tables/good.csv" == str(caught.value)
    with pytest.raises(TasksFailed, match=r"waiting: table is missing: tables/good\.csv") as error:
        _ = good.total
    assert "Table name=good" == error.value.record


def test_seed_of_another_shape(good: Table, tmp_path: Path) -> None:
    """A file that is not what its type says is one error that names the field."""
    (tmp_path / "offsets" / "good.txt").write_text("ten\n")
    with pytest.raises(FormatError, match=r"^Table\.offset: "):
        _ = good.offset


def test_open_reads_slices(good: Table) -> None:
    """`open` computes what is missing and gives the dataset, whose slices are read when taken."""
    with good.open("ramp") as data:
        assert isinstance(data, h5py.Dataset)
        assert [1.0, 2.0] == data[1:].tolist()
        assert "gzip" == data.compression
    assert ["total", "ramp"] == calls
    with pytest.raises(FormatError) as caught:
        good.open("total")
    assert "Table.total: files like total.txt are read whole; use record.total." == str(
        caught.value
    )


def test_unknown_field(good: Table) -> None:
    """A name that is no field is refused, with those that are."""
    for ask in (good.value, good.path, good.open):
        with pytest.raises(UnknownField) as caught:
            ask("totl")
        assert (
            "Table has no field 'totl'. Its fields: name, table, offset, total, ramp, mean."
        ) == str(caught.value)


def test_repr_shows_keys_and_states(lab: Lab, good: Table) -> None:
    """`repr` has the keys and what each stored value is now; it computes nothing."""
    assert "<Table name=good | total:ready ramp:waiting>" == repr(good)
    assert 3.0 == good.total
    assert "<Table name=good | total:complete ramp:ready>" == repr(good)
    bad = lab[Table].get(name="bad")
    with pytest.raises(TasksFailed):
        _ = bad.total
    assert "<Table name=bad | total:failed ramp:waiting>" == repr(bad)
    os.truncate(good.path("total"), 0)
    assert "<Table name=good | total:stale ramp:waiting>" == repr(good)
    assert "<Table name=x>" == repr(Table(name="x"))


def test_found_outputs_are_values(good: Table) -> None:
    """An output that was there before is the value, as long as nothing says otherwise."""
    (good.folder / "total.txt").write_text("42\n")
    assert 42.0 == good.total
    assert [] == calls
    assert "<Table name=good | total:complete(found) ramp:ready>" == repr(good)


def test_record_in_no_project() -> None:
    """A record that was only made says that it is in no project."""
    with pytest.raises(RecordError, match=r"^Table name=x is in no project\. Add it"):
        _ = Table(name="x").total


def test_values_cannot_be_set(good: Table) -> None:
    """A result is computed, not set."""
    with pytest.raises(AttributeError, match=r"Table\.total cannot be set"):
        good.total = 3.0


def test_the_plain_job(lab: Lab, good: Table) -> None:
    """`job` is signac's own; what is written in its document is read by the record."""
    assert good.job == lab.open_job({"name": "good"})
    assert good.id == good.job.id and str(good.folder) == good.job.path
    good.job.document["rig"] = "blue"
    again = Lab(lab.path)[Table].get(name="good")
    assert "blue" == again.document["rig"]


def test_errors_of_tasks_are_of_one_family() -> None:
    """What a caller catches: a TasksFailed is a RuntimeError, a StepFailed a TaskError."""
    assert issubclass(TasksFailed, RuntimeError)
    assert issubclass(StepFailed, TaskError)
