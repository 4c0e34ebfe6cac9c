"""What class bodies can say, run for real: literals, unstored values, parts, folders, nesting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pointillist as pt

calls: list[str] = []


@pytest.fixture(autouse=True)
def count_calls() -> None:
    """Forget the calls of other tests."""
    calls.clear()


def names(folder: Path) -> set[str]:
    """Give the names in a folder, without the hidden ones."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


@pt.step
def scale(number: float, by: float = 2.0) -> float:
    """Multiply."""
    calls.append(f"scale {number:g} {by:g}")
    return number * by


@pt.step
def split(text: str) -> dict[str, Any]:
    """Give the first word and how many there are."""
    calls.append("split")
    words = text.split()
    return {"first": words[0], "count": len(words), "unused": None}


@pt.step
def count_files(folder: Path) -> int:
    """Count."""
    return len(list(folder.iterdir()))


@pt.step
def unpack(folder: Path, out: Path) -> Path:
    """Write the content of each file of a folder, in capitals, into another."""
    out.mkdir()
    (out / "deep").mkdir()
    for file in sorted(folder.iterdir()):
        (out / "deep" / file.name).write_text(file.read_text().upper())
    return out


@pt.step
def total(numbers: list[float], start: float = 0.0) -> float:
    """Add up."""
    calls.append(f"total {len(numbers)}")
    return sum(numbers, start)


@pt.step
def listing(numbers: list[list[float]]) -> list[list[float]]:
    """Give what came, with numbers as they are in JSON."""
    return numbers


class Point(pt.Record):
    """A number in a file."""

    session: str = pt.key()
    index: int = pt.key()

    number: float = pt.seed("points/{session}/{index}.txt")

    doubled: float = scale.step(number).to()
    tripled: float = scale.step(number, by=3.0).to()
    halved: float = scale.step(number, 0.5).unstored()
    quartered: float = scale.step(halved, by=0.5).to()

    @property
    def parity(self) -> str:
        """Whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"


class Block(pt.Aggregate[Point]):
    """The points of one session and one parity."""

    session: str = pt.key()
    parity: str = pt.key()

    sum: float = total.step(pt.each(Point.doubled)).to()
    halves: float = total.step(pt.each(Point.halved), 0.25).to()


class Session(pt.Aggregate[Block], order_by="-parity"):
    """The blocks of one session."""

    session: str = pt.key()

    sum: float = total.step(pt.each(Block.sum)).to()
    numbers: list[list[float]] = listing.step(pt.each(pt.each(Point.number))).to()
    text: str = pt.shell("cat {files}", files=pt.each(pt.each(Point.number))).to()


class Lab(pt.Project):
    """Aggregates of aggregates."""

    records = (Point, Block, Session)


class Text(pt.Record):
    """A text in a file, and a folder of them."""

    name: str = pt.key()

    text: str = pt.seed("texts/{name}.txt")
    notes: Path = pt.seed("notes/{name}/")

    parts = split.step(text)
    first: str = parts.output("first").to()
    count: int = parts.output("count").to()

    halves = pt.shell("head -c 3 {text} > {out.head}; tail -c 3 {text} > {out.tail}")
    head: str = halves.output("head").to("head.txt")
    tail: Path = halves.output("tail").to("tail.txt")

    number_of_notes: int = count_files.step(notes).to()
    capitals: Path = unpack.step(notes, pt.out).to("capitals")
    copied: Path = pt.shell("cp -r {notes} {out}").to("copied")
    counted: int = pt.shell("ls {capitals}/deep | wc -l").to()
    joined: str = pt.shell("cat {copied}/*").unstored()


class Library(pt.Project):
    """Texts."""

    records = (Text,)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give the lab: two sessions of three points."""
    for session, numbers in {"a": (1, 2, 3), "b": (10, 20, 30)}.items():
        folder = tmp_path / "points" / session
        folder.mkdir(parents=True)
        for index, number in enumerate(numbers):
            (folder / f"{index}.txt").write_text(f"{number}\n")
    made = Lab(tmp_path)
    made.discover()
    return made


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Give the library: two texts, each with a folder of notes."""
    for name in ("x", "y"):
        (tmp_path / "notes" / name).mkdir(parents=True)
        (tmp_path / "texts").mkdir(exist_ok=True)
        (tmp_path / "texts" / f"{name}.txt").write_text(f"the word {name}")
        for note in ("one", "two two"):
            (tmp_path / "notes" / name / f"{note}.txt").write_text(f"{name} {note}\n")
    made = Library(tmp_path)
    made.discover()
    return made


def test_one_step_with_different_literals(lab: Lab) -> None:
    """A step that is wired twice gives two results, also where a default is spelt out or not."""
    lab.run(names=["Point.doubled", "Point.tripled"])
    point = lab[Point].get(session="a", index=2)
    assert (6.0, 9.0) == (point.doubled, point.tripled)
    assert {"doubled.txt", "tripled.txt"} <= names(point.folder)


def test_unstored_value_is_passed_on_in_memory(lab: Lab) -> None:
    """An unstored value is computed for the step that needs it, and no file of it is written."""
    lab.run(names=["quartered"])
    assert 12 == len(calls)
    point = lab[Point].get(session="a", index=2)
    assert 0.75 == point.quartered
    calls.clear()
    assert 1.5 == point.halved
    assert 1.5 == point.halved
    assert ["scale 3 0.5"] * 2 == calls, "it is computed each time it is asked for"
    assert {"quartered.txt", "signac_statepoint.json"} == names(point.folder)


def test_unstored_value_of_members(lab: Lab) -> None:
    """An aggregate's step gets the members' unstored values; nothing is stored for them."""
    block = lab[Block].get(session="b", parity="even")
    assert 20.25 == block.halves
    assert ["scale 10 0.5", "scale 30 0.5", "total 2"] == calls


def test_change_above_an_unstored_value(lab: Lab, tmp_path: Path) -> None:
    """What was computed through an unstored value is stale when that value's input changes."""
    lab.run()
    (tmp_path / "points" / "a" / "2.txt").write_text("7\n")
    calls.clear()
    lab.run(names=["quartered"])
    assert ["scale 7 0.5", "scale 3.5 0.5"] == calls
    assert 1.75 == lab[Point].get(session="a", index=2).quartered


def test_step_with_two_outputs(library: Library) -> None:
    """Outputs of one step are made by one call, of a function and of a command."""
    library.run(names=["parts", "halves"])
    text = library[Text].get(name="x")
    assert ("the", 3, "the") == (text.first, text.count, text.head)
    assert "d x" == text.tail.read_text()
    assert ["split"] * 2 == calls
    (text.folder / "count.txt").unlink()
    calls.clear()
    assert 3 == text.count
    assert ["split"] == calls


def test_operations_of_several_outputs_have_one_name(library: Library) -> None:
    """A step with several outputs is one operation, chosen by its name or that of an output."""
    assert {"Text.parts", "Text.halves"} <= set(library.operations)
    assert not {"Text.first", "Text.head"} & set(library.operations)
    library.run(names=["Text.tail"])
    assert {"head.txt", "tail.txt"} <= names(library[Text].first().folder)


def test_folders_in_and_out(library: Library, tmp_path: Path) -> None:
    """A folder is read as a seed, and written by a function and by a command."""
    library.run()
    text = library[Text].get(name="y")
    assert 2 == text.number_of_notes == text.counted
    assert "Y TWO TWO\n" == (text.capitals / "deep" / "two two.txt").read_text()
    assert "y one\ny two two" == text.joined
    (tmp_path / "notes" / "y" / "three.txt").write_text("y three\n")
    summary = library.run()
    assert 4 == summary.done, "what reads the folder, and what reads the folder made of it"
    assert 3 == text.number_of_notes == text.counted
    assert "Y THREE\n" == (text.capitals / "deep" / "three.txt").read_text()
    assert 0 == library.run().done


def test_aggregates_of_aggregates(lab: Lab) -> None:
    """Members of members are reached by an `each` within an `each`, in order."""
    session = lab[Session].get(session="a")
    assert ["odd", "even"] == [block.parity for block in session.members]
    assert 12.0 == session.sum
    assert [[2.0], [1.0, 3.0]] == session.numbers
    assert ["2", "1", "3"] == session.text.split(), "a command gets them all, one after the other"


def test_nested_aggregates_follow(lab: Lab, tmp_path: Path) -> None:
    """A new record reaches its block and the session above it, and no other."""
    lab.run()
    before = {record.id for cls in (Block, Session) for record in lab[cls]}
    (tmp_path / "points" / "a" / "3.txt").write_text("4\n")
    lab.discover()
    calls.clear()
    lab.run()
    assert before == {record.id for cls in (Block, Session) for record in lab[cls]}
    assert 20.0 == lab[Session].get(session="a").sum
    assert [[2.0, 4.0], [1.0, 3.0]] == lab[Session].get(session="a").numbers
    point = ["scale 4 0.5", "scale 2 0.5", "scale 4 2", "scale 4 3"]
    again = ["scale 2 0.5", "scale 4 0.5", "total 2", "total 2", "total 2"]
    assert sorted(point + again) == sorted(calls)
