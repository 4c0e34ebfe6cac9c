"""From values back to raw files, over a project that is run, changed and run again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import Any

import pytest

from pointillist.errors import UnknownField
from pointillist.plan.provenance import provenance
from pointillist.space.history import read_history
from pointillist.space.journals import Journal

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def clean(raw: Path, note: str | None) -> str:
    return raw.read_text().strip() + (note or "")


@pt.step(version="2")
def count(text: str, factor: int, name: int) -> int:
    return len(text) * factor


@pt.step
def total(counts: list[int], names: list[int]) -> int:
    return sum(counts)


@pt.step
def both(text: str) -> dict[str, str]:
    return {"upper": text.upper(), "lower": text.lower()}


class Item(pt.Record):
    name: int = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    note: str | None = pt.seed("notes/{name}.txt", optional=True)

    cleaned: str = clean.step(raw, note).unstored()
    count: int = count.step(cleaned, 3, name).to()

    pair = both.step(cleaned)
    upper: str = pair.output("upper").to()
    lower: str = pair.output("lower").to()


class All(pt.Aggregate[Item], order_by="-name"):
    total: int = total.step(pt.each(Item.count), pt.each(Item.name)).to()
    copy: str = pt.shell("cat {total} > {out}").to()


class Lab(pt.Project):
    records = (Item, All)
"""


@pytest.fixture
def shop(judged: Any) -> Any:
    """Give the project after a run over two raw files."""
    shop = judged(PROJECT)
    for name in (1, 2):
        shop.raw(str(name), "x" * name)
        age(shop, f"raw/{name}.txt")
    shop.lab.discover()
    assert 6 == shop.run()
    return shop


def age(shop: Any, name: str) -> None:
    """Make a file old enough that its time says something."""
    os.utime(shop.root / name, (1_700_000_000, 1_700_000_000))


def traced(shop: Any, kind: str, *fields: str, **keys: Any) -> Any:
    """Give the provenance of values of a record, which is plain data."""
    lab = shop.lab
    record = lab[getattr(shop.module, kind)].get(**keys)
    history = read_history(lab.engine.space.layout)
    found = provenance(lab.engine.planner(), history, record, list(fields) or None)
    return json.loads(json.dumps(found))


def outline(node: Any) -> Any:
    """Give a node as its field, what is there now, and its inputs."""
    return (node["field"], node["now"], [outline(inner) for inner in node["inputs"]])


def item(now: str = "unchanged", count: str = "unchanged") -> Any:
    """Give the outline of an item's count."""
    return ("count", count, [("raw", now, []), ("note", "absent", [])])


def test_down_to_the_seeds(shop: Any) -> None:
    """A value leads through its members, in their order, to the raw files that it was made of."""
    found = traced(shop, "All", "copy")
    (copy,) = found["values"]
    counts = [item(), item()]
    assert ("copy", "unchanged", [("total", "unchanged", counts)]) == outline(copy)
    total = copy["inputs"][0]
    assert ["Item name=2", "Item name=1"] == [each["record"] for each in total["members"]]
    raws = [each["inputs"][0] for each in total["inputs"]]
    assert ["raw/2.txt", "raw/1.txt"] == [raw["path"] for raw in raws]
    assert [2, 1] == [raw["fingerprint"]["size"] for raw in raws]
    assert all(64 == len(raw["fingerprint"]["hash"]) for raw in raws)
    assert {"seed"} == {raw["kind"] for raw in raws}


def test_attempts_and_environments(shop: Any) -> None:
    """Beside the tree are the attempts, with who made them, and what they ran in."""
    found = traced(shop, "All")
    attempts = found["attempts"]
    assert {"All.total": 1, "All.copy": 1, "Item.count": 2} == {
        name: sum(told["operation"] == name for told in attempts.values())
        for name in {told["operation"] for told in attempts.values()}
    }
    count = attempts[found["values"][0]["inputs"][0]["attempt"]]
    assert ("2", "serial", "count", 1) == (
        *(count["version"], count["executor"], count["call"], count["number"]),
    )
    assert (3, 2) == (
        count["arguments"]["arguments"]["factor"],
        count["arguments"]["arguments"]["name"],
    )
    (environment,) = found["environments"]
    assert {environment} == {told["environment"] for told in attempts.values()}
    assert {"python", "interpreter", "packages", "commit"} <= set(
        found["environments"][environment]
    )


def test_reached_twice(shop: Any) -> None:
    """What is reached twice has its inputs where it comes first, and is referred to after that."""
    found = traced(shop, "All", "total", "copy")
    total, copy = found["values"]
    again = copy["inputs"][0]
    assert total["attempt"] == again["attempt"]
    assert (None, True) == (total.get("above"), again.get("above"))
    assert (2, 0) == (len(total["inputs"]), len(again["inputs"]))
    upper, lower = traced(shop, "Item", "upper", "lower", name=1)["values"]
    assert upper["attempt"] == lower["attempt"] and lower["above"] and not lower["inputs"]


def test_unstored_values_are_named(shop: Any) -> None:
    """An unstored value in between is named; of itself it is told what it would be made of."""
    (count,) = traced(shop, "Item", "count", name=1)["values"]
    assert ["Item.cleaned"] == count["unstored"]
    (cleaned,) = traced(shop, "Item", "cleaned", name=1)["values"]
    assert ("unstored", None, "unknown") == (cleaned["kind"], cleaned["attempt"], cleaned["now"])
    assert ("cleaned", "unknown", [("raw", "there", []), ("note", "missing", [])]) == outline(
        cleaned
    )


def test_seeds_that_changed(shop: Any) -> None:
    """What is there now is compared with what was seen: content where the time differs only."""
    raw = shop.root / "raw/1.txt"
    os.utime(raw, (1_700_000_001, 1_700_000_001))
    assert item() == outline(traced(shop, "Item", "count", name=1)["values"][0])
    raw.write_text("y")
    assert item("changed") == outline(traced(shop, "Item", "count", name=1)["values"][0])
    raw.write_text("longer")
    assert item("changed") == outline(traced(shop, "Item", "count", name=1)["values"][0])
    raw.unlink()
    assert item("gone") == outline(traced(shop, "Item", "count", name=1)["values"][0])


def test_an_optional_seed_that_appeared(shop: Any) -> None:
    """A seed that was not there when the value was made has appeared."""
    (shop.root / "notes").mkdir()
    (shop.root / "notes/1.txt").write_text("z")
    (count,) = traced(shop, "Item", "count", name=1)["values"]
    assert ("note", "appeared", []) == outline(count)[2][1]


def test_what_a_value_was_made_of_then(shop: Any) -> None:
    """A value is traced to the attempt whose result it was made of, not to a later one."""
    shop.raw("1", "xxxx")
    age(shop, "raw/1.txt")
    assert 2 == shop.run(names=["Item\\..*"])
    (total,) = traced(shop, "All", "total")["values"]
    found = traced(shop, "All", "total")["attempts"]
    first, second = total["inputs"]
    assert ("unchanged", 1) == (first["now"], found[first["attempt"]]["number"])
    assert ("changed", 1) == (second["now"], found[second["attempt"]]["number"])
    assert ("raw", "changed", []) == outline(second)[2][0]
    (count,) = traced(shop, "Item", "count", name=1)["values"]
    assert item() == outline(count)


def test_the_same_bytes_made_again(shop: Any) -> None:
    """Of two attempts that made the same bytes it is the one whose file was read."""
    for text in ("xxxx", "x"):
        shop.raw("1", text)
        age(shop, "raw/1.txt")
        assert 2 == shop.run(names=["Item\\..*"])
    found = traced(shop, "All", "total")
    made = found["values"][0]["inputs"][1]
    assert ("unchanged", 1) == (made["now"], found["attempts"][made["attempt"]]["number"])
    found = traced(shop, "Item", "count", name=1)
    assert 3 == found["attempts"][found["values"][0]["attempt"]]["number"]


def test_outputs_edited_or_gone(shop: Any) -> None:
    """A result that is no longer what was made is changed, or gone; what it was made of is told."""
    made = shop.root / "workspace" / shop.lab[shop.module.Item].get(name=1).id / "count.txt"
    made.write_text("7")
    assert item(count="changed") == outline(traced(shop, "Item", "count", name=1)["values"][0])
    made.unlink()
    assert item(count="gone") == outline(traced(shop, "Item", "count", name=1)["values"][0])


def test_edited_by_hand_and_used(shop: Any) -> None:
    """What somebody wrote by hand, and a step then read, was made by no recorded attempt."""
    made = shop.root / "workspace" / shop.lab[shop.module.Item].get(name=1).id / "count.txt"
    made.write_text(made.read_text().replace("3", "7"))
    assert 1 == shop.run(names=["All.total"])
    (total,) = traced(shop, "All", "total")["values"]
    _, edited = total["inputs"]
    assert ("output", None, "unchanged", []) == (
        *(edited["kind"], edited["attempt"], edited["now"], edited["inputs"]),
    )


def test_found(shop: Any) -> None:
    """Outputs that were found lead to the inputs that were there beside them."""
    shutil.rmtree(shop.root / ".pointillist")
    (count,) = traced(shop, "Item", "count", name=1)["values"]
    assert ("output", None, "there", None) == (
        *(count["kind"], count["attempt"], count["now"], count["fingerprint"]),
    )
    shop.run()
    found = traced(shop, "Item", "count", name=1)
    (count,) = found["values"]
    assert count["attempt"] == count["vouched"]
    assert "found" == found["attempts"][count["attempt"]]["outcome"]
    assert item() == outline(count)


def test_accepted(shop: Any) -> None:
    """An accepted value leads to the attempt that made it, and tells who accepted it, and why."""
    lab = shop.lab
    engine = lab.engine
    record = lab[shop.module.Item].get(name=1)
    (made,) = [a for a in read_history(engine.space.layout).of(record.id) if "count" in a.outputs]
    blessed = replace(made, outcome="accepted", number=0, note="only a typo", end=made.end + 1)
    Journal(engine.space.layout, "accept").append(replace(blessed, start=blessed.end))
    found = traced(shop, "Item", "count", name=1)
    (count,) = found["values"]
    assert "complete" == found["attempts"][count["attempt"]]["outcome"]
    accepted = found["attempts"][count["vouched"]]
    assert ("accepted", "only a typo", "accept") == (
        *(accepted["outcome"], accepted["note"], accepted["executor"]),
    )
    assert item() == outline(count)


def test_never_made(shop: Any) -> None:
    """A value that was never made is missing."""
    shop.raw("3", "xxx")
    shop.lab.discover()
    values = traced(shop, "Item", name=3)["values"]
    assert [("count", "missing", []), ("upper", "missing", []), ("lower", "missing", [])] == [
        outline(node) for node in values
    ]


def test_a_member_that_is_gone(shop: Any) -> None:
    """Of a member whose folder was removed the journals still tell."""
    id = shop.lab[shop.module.Item].get(name=2).id
    shutil.rmtree(shop.root / "workspace" / id)
    (total,) = traced(shop, "All", "total")["values"]
    first, second = total["inputs"]
    assert (id, None, None, "unknown") == (
        *(first["job"], first["record"], first["path"], first["now"]),
    )
    assert ["raw", "note"] == [inner["field"] for inner in first["inputs"]]
    assert "Item name=1" == second["record"]
    assert [None, "Item name=1"] == [member["record"] for member in total["members"]]


def test_rekeyed(shop: Any) -> None:
    """A record that got other keys has its whole provenance under them."""
    lab = shop.lab
    (shop.root / "raw/1.txt").rename(shop.root / "raw/5.txt")
    lab.rekey(lab[shop.module.Item].get(name=1), name=5)
    found = traced(shop, "Item", "count", name=5)
    (count,) = found["values"]
    assert item() == outline(count)
    assert "raw/5.txt" == count["inputs"][0]["path"]


def test_a_seed(shop: Any) -> None:
    """A seed comes from no step: it is there, or not."""
    assert ("raw", "there", []) == outline(traced(shop, "Item", "raw", name=1)["values"][0])


def test_keys_and_names_that_are_none(shop: Any) -> None:
    """A key has no provenance, and a field that is not there has none."""
    with pytest.raises(UnknownField, match=r"Item\.name is a key: .*: cleaned, count, upper"):
        traced(shop, "Item", "name", name=1)
    with pytest.raises(UnknownField, match="Item has no field 'nonsense'"):
        traced(shop, "Item", "nonsense", name=1)


def test_nothing_is_written(shop: Any) -> None:
    """Looking back changes no file."""
    before = {p: p.lstat().st_mtime_ns for p in shop.root.rglob("*") if "__pycache__" not in str(p)}
    traced(shop, "All")
    after = {p: p.lstat().st_mtime_ns for p in shop.root.rglob("*") if "__pycache__" not in str(p)}
    assert before == after
