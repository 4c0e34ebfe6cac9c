"""What a task depends on: inputs, arguments, members, calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pointillist.plan.tasks import Needs, Task, describe_members, needs_of, step_of

PROJECT = """
from __future__ import annotations
from pathlib import Path
from pathlib import Path
from typing import Any
import pointillist as pt


@pt.step
def clean(raw: Path, note: str | None, rate: int = 3) -> str:
    return raw.read_text()


@pt.step(version="7")
def words(text: str) -> list[str]:
    return text.split()


@pt.step
def both(
    text: list[str],
    name: int,
    options: dict[str, Any],
    fill: float = float("nan"),
    most: int = 2**64,
) -> dict[str, int]:
    return {"x": 1, "y": 2}


@pt.step
def total(texts: list[str], words: list[list[str]], names: list[int]) -> int:
    return len(texts)


class Item(pt.Record):
    group: str = pt.key()
    name: int = pt.key()
    raw: Path = pt.seed("raw/{group}_{name}.txt")
    note: str | None = pt.seed("notes/{group}_{name}.txt", optional=True)

    clean: str = clean.step(raw, note).to()
    words: list[str] = words.step(clean).unstored()
    pair = both.step(words, name, {"deep": [1, "x"]})
    x: int = pair.output("x").to()
    y: int = pair.output("y").to()
    copy: Path = pt.shell("cp {raw} {out}").to("copy.txt")


class Group(pt.Aggregate[Item], order_by="-name"):
    group: str = pt.key()
    total: int = total.step(pt.each(Item.clean), pt.each(Item.words), pt.each(Item.name)).to()


class Lab(pt.Project):
    records = (Item, Group)
"""


@pytest.fixture
def needs(judged: Any) -> Any:
    """Return what a step of the first record, or of the group, needs."""
    lab = judged(PROJECT)
    for name in (1, 2, 10):
        lab.raw(f"a_{name}", "text")
    lab.lab.discover()
    space = lab.lab.engine.space
    item = next(iter(space.records(lab.module.Item).values()))
    group = next(iter(space.records(lab.module.Group).values()))

    def of(step: str) -> tuple[Needs, Any]:
        record = group if step == "total" else item
        task = Task(record, type(record).__steps__[step])
        return needs_of(space, task), record

    return of


def test_inputs(needs: Any) -> None:
    """Inputs are seeds and outputs by job id and field; a seed may be optional."""
    found, item = needs("clean")
    raw, note = found.inputs[f"{item.id}/raw"], found.inputs[f"{item.id}/note"]
    assert 2 == len(found.inputs)
    assert ("raw/a_1.txt", False, None) == (raw.label, raw.optional, raw.maker)
    assert ("notes/a_1.txt", True, None) == (note.label, note.optional, note.maker)
    assert Path(raw.path).is_absolute() and Path(raw.path).read_text() == "text"
    assert [] == found.upstream and None is found.members


def test_arguments(needs: Any) -> None:
    """Arguments: inputs by name, keys and literals by value, defaults filled in."""
    found, _ = needs("clean")
    assert {"raw": {"field": "raw"}, "note": {"field": "note"}, "rate": 3} == (
        found.arguments["arguments"]
    )
    assert {"clean": {"part": None}} == found.arguments["outputs"]
    shell, _ = needs("copy")
    assert ("shell", "cp {raw} {out}") == (shell.arguments["kind"], shell.arguments["call"])


def test_arguments_are_strict_json(needs: Any) -> None:
    """A number that JSON has no word for is an argument too, equal to itself."""
    found, _ = needs("pair")
    assert {"float": "nan"} == found.arguments["arguments"]["fill"]
    assert {"int": f"{2**64}"} == found.arguments["arguments"]["most"]
    assert found.arguments == json.loads(json.dumps(found.arguments, allow_nan=False))


def test_through_an_unstored_value(needs: Any) -> None:
    """An unstored value stands for what it is made of: inputs, arguments, version, source."""
    found, item = needs("pair")
    assert [f"{item.id}/clean"] == list(found.inputs)
    arguments = found.arguments["arguments"]
    assert (1, {"deep": [1, "x"]}) == (arguments["name"], arguments["options"])
    unstored = arguments["text"]["unstored"]
    assert ({"text": {"field": "clean"}}, "7") == (unstored["arguments"], unstored["version"])
    assert ["both", "words"] == [call.name for call in found.calls]
    assert ["Item.clean"] == [task.step.operation for task in found.upstream]
    assert {"x": {"part": "x"}, "y": {"part": "y"}} == found.arguments["outputs"]


def test_members(needs: Any) -> None:
    """Of an aggregate: the members in order, their inputs, each task upstream once."""
    found, group = needs("total")
    assert [10, 2, 1] == [member.name for member in found.members]
    assert 3 == len(found.inputs) == len(found.upstream)
    assert {"each": {"field": "name"}} == found.arguments["arguments"]["names"]
    names = describe_members(found.members, group)
    assert ["name=10", "name=2", "name=1"] == [names[m.id] for m in found.members]


def test_tasks_are_equal_by_what_they_do(needs: Any) -> None:
    """Two tasks of one step on one job are one."""
    _, item = needs("clean")
    step = type(item).__steps__["clean"]
    task, other = Task(item, step), Task(item, step_of(item, type(item).__fields__["x"]))
    assert task == Task(item, step) and hash(task) == hash(Task(item, step))
    assert task != other and other.step.name == "pair"
    assert ("Item.clean", item.id) == task.key
    assert "Item group=a name=1  clean" == str(task)
