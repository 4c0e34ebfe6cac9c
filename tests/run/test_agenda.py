"""What is handed out in a pool, and when: judged without carrying anything out."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.plan.tasks import Task
from pointillist.run.agenda import PORTION, Agenda

SOURCE = """
import pointillist as pt


@pt.step
def one(i: int) -> int:
    return i


@pt.step(np=2)
def wide(i: int) -> int:
    return i


class Item(pt.Record):
    i: int = pt.key()
    a: int = one.step(i).to()
    b: int = one.step(a).to()
    w: int = wide.step(i).to()


class Lab(pt.Project):
    records = (Item,)
"""


class Made:
    """An agenda of all tasks of a project that has done nothing yet."""

    def __init__(
        self, shop: Any, count: int, leave_out: str, *, shaped: bool = False, **seconds: float
    ) -> None:
        lab = shop.lab()
        lab.add_product(shop.module.Item, i=range(count))
        planner = lab.engine.planner()
        self.tasks = [t for t in planner.tasks() if t.step.name not in leave_out]
        waits = {t: {maker.key for maker in planner.needs(t).upstream} for t in self.tasks}
        usual = {f"Item.{name}": each for name, each in seconds.items()}
        shapes = [lambda options: options.np] if shaped else []
        self.agenda = Agenda(waits, usual, {}, 2, *shapes)
        for task in self.tasks:
            if self.agenda.is_open(task):
                self.agenda.put(task)

    def take(self, free: int = 2, **options: Any) -> list[str]:
        """Hand something out; give it as record and step."""
        return [self.name(task) for task in self.agenda.take(free, **options)]

    def name(self, task: Task) -> str:
        """Give what a task is called here: ``0a``."""
        return f"{task.record.i}{task.step.name}"  # type: ignore[attr-defined]

    def settle(self, *names: str) -> None:
        """Settle tasks, and take in what is free then."""
        for task in self.tasks:
            if self.name(task) in names:
                for free in self.agenda.settle(task):
                    self.agenda.put(free)


@pytest.fixture
def agenda(workshop: Any) -> Any:
    """Make agendas."""
    return lambda count, leave_out="w", **seconds: Made(
        workshop(SOURCE, "lab"), count, leave_out, **seconds
    )


def test_unknown_goes_alone(agenda: Any) -> None:
    """A task is handed out alone if nobody knows how long it takes."""
    made = agenda(3)
    assert ["0a"] == made.take()
    assert ["1a"] == made.take()


def test_records_are_whole(agenda: Any) -> None:
    """Short tasks of one record are handed out in a row, of many records at once."""
    made = agenda(200, a=0.001, b=0.001)
    names = made.take()
    assert ["0a", "0b", "1a", "1b"] == names[:4]
    assert PORTION / 0.0013 * 0.9 < len(names) < PORTION / 0.0013 + 3
    assert len(names) % 2 == 0


def test_portions_shrink(agenda: Any) -> None:
    """Towards the end less is handed out at once, and at last all has been, once."""
    made = agenda(100, a=0.001, b=0.001)
    portions = []
    while names := made.take():
        portions.append(names)
    sizes = [len(names) for names in portions]
    assert sorted(sizes, reverse=True) == sizes
    assert 2 == sizes[-1]
    assert 200 == len({name for names in portions for name in names}) == sum(sizes)


def test_long_ones_first(agenda: Any) -> None:
    """A step that is known to be long comes before those that are short, and alone."""
    made = agenda(4, "wb", a=10.0)
    assert [["0a"], ["1a"]] == [made.take(), made.take()]
    made = agenda(4, "", a=0.001, b=5.0, w=0.001)
    assert ["0a", "1a"] == made.take(most=2)
    made.settle("0a", "1a")
    assert ["0b"] == made.take()


def test_wide_ones_last(agenda: Any) -> None:
    """A step that takes two processes comes when nothing else does, and both are free."""
    made = agenda(2, "b", a=0.001, w=0.001)
    assert ["0a", "1a"] == [*made.take(), *made.take()]
    assert [] == made.take(free=1)
    assert [["0w"], ["1w"]] == [made.take(), made.take()]


def test_put_back(agenda: Any) -> None:
    """What was given back is handed out again, in its turn."""
    made = agenda(3, "wb", a=0.001)
    first = made.agenda.take(2, most=2)
    for task in first:
        made.agenda.put_back(task)
        made.agenda.put(task)
    assert ["0a"] == made.take(most=1)
    assert ["1a"] == made.take(most=1)
    assert ["2a"] == made.take(most=1)
    assert [] == made.take()


def test_shapes(workshop: Any) -> None:
    """A worker gets tasks of its shape alone; of all shapes it is told what waits for workers."""
    made = Made(workshop(SOURCE), 2, "b", shaped=True, a=0.001, w=0.001)
    assert [] == made.take(shape=3)
    assert ["0w"] == made.take(shape=2)
    assert [("0a", 2), ("1w", 1)] == [(made.name(t), count) for t, count in made.agenda.wanted()]
    assert ["0a"] == made.take(most=1, shape=1)
    assert [("1a", 1), ("1w", 1)] == [(made.name(t), count) for t, count in made.agenda.wanted()]
