"""What dead runners have left of steps that they did under the claim of an earlier one."""

from __future__ import annotations

from typing import Any

PROJECT = """
from __future__ import annotations
import os
from pathlib import Path
import pointillist as pt


@pt.step
def first(number: int) -> int:
    return number


@pt.step
def second(first: int) -> int:
    print("begun")
    if first == 1 and not (Path(__file__).parent / "free").exists():
        os._exit(9)
    return first


class Item(pt.Record):
    number: int = pt.key()
    first: int = first.step(number).to()
    second: int = second.step(first).to()


class Lab(pt.Project):
    records = (Item,)
"""


def test_death_in_the_second_of_two_short_steps(workshop: Any, fork: Any) -> None:
    """Where it had only printed so far, it is recorded as interrupted, with a log of its own."""
    shop = workshop(PROJECT)
    shop.lab().add_product(shop.module.Item, number=[0, 1])
    fork(shop.run)  # by the first record the second step is known to be short
    (item,) = (i for i in shop.lab()[shop.module.Item] if i.number == 1)
    assert [".first.claim.1"] == [p.name for p in item.folder.glob(".*.claim.*")]
    (shop.root / "free").touch()
    assert [] == shop.run().failed
    said = [
        (attempt["operation"], attempt["outcome"], attempt["number"])
        for attempt in shop.attempts()
        if attempt["job"] == item.id
    ]
    assert {
        ("Item.first", "complete", 1),
        ("Item.second", "interrupted", 1),
        ("Item.second", "complete", 2),
    } == set(said)
    logs = {path.name: path.read_text() for path in item.folder.rglob("*.log")}
    assert {"second.1.log": "begun\n", "second.2.log": "begun\n"} == logs
