"""What the inventory says of a record: there, excluded, or with a seed missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pointillist as pt
from pointillist.values.inventory import Presence, inventory, values_of


class Sample(pt.Record, table="samples.csv"):
    """A sample with a seed that must be there and one that may be missing."""

    name: str = pt.key()

    raw: Path = pt.seed("raw/{name}.txt")
    notes: Path | None = pt.seed("notes/{name}.txt", optional=True)

    @property
    def subject(self) -> str:
        """Whose it is; there is no telling without a row in the table."""
        subject: str = self.document["subject"]
        return subject


class Everything(pt.Aggregate[Sample]):
    """All samples."""


class Lab(pt.Project):
    """The lab."""

    records = (Sample, Everything)


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    """Make a project of four samples."""
    (tmp_path / "raw").mkdir()
    for name in "abcd":
        (tmp_path / f"raw/{name}.txt").write_text(name)
    (tmp_path / "samples.csv").write_text("name,subject,weight\na,m1,20\nb,m1,\nc,m2,21\n")
    made = Lab(tmp_path)
    made.discover()
    return made


def test_presence(lab: Any) -> None:
    """A seed that may be missing is not missed; who is excluded is so whatever else is missing."""
    for name in "bc":
        (Path(lab.path) / f"raw/{name}.txt").unlink()
    lab.exclude(lab[Sample].get(name="c"), reason="60 Hz noise")
    found = inventory(lab.engine.space, Sample, ["name"])
    assert [Presence.THERE, Presence.MISSING, Presence.EXCLUDED, Presence.THERE] == [
        entry.presence for entry in found
    ]
    assert ["", f"raw: {lab.path}/raw/b.txt", "60 Hz noise", ""] == [e.why for e in found]


def test_values(lab: Any) -> None:
    """Keys, properties and metadata are laid out by; where one has no value it is None, last."""
    found = inventory(lab.engine.space, Sample, ["name", "subject", "weight"])
    assert [("a", "m1", 20), ("b", "m1", None), ("c", "m2", 21), ("d", None, None)] == [
        entry.values for entry in found
    ]
    assert ["m1", "m2", None] == values_of(found, 1)
    assert [20, 21, None] == values_of(found, 2)


def test_aggregates(lab: Any) -> None:
    """An aggregate is excluded when all its members are."""
    lab.exclude(lab[Sample], reason="noise")
    [entry] = inventory(lab.engine.space, Everything, [])
    assert Presence.EXCLUDED is entry.presence
    assert "all its members are excluded: noise" == entry.why


def test_a_document_that_cannot_be_read(lab: Any) -> None:
    """What cannot be read is left out and told."""
    lab.engine.space.job_folder(lab[Sample].get(name="a")).document.write_text("{")
    found = inventory(lab.engine.space, Sample, ["subject"])
    assert [("m1",), ("m2",), (None,)] == [entry.values for entry in found]
    assert 1 == len(lab.engine.space.problems)
