"""What is tried again in the same run: what failed, later each time; what changed, at once."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.plan.tasks import Task
from pointillist.run.runner import Listener
from pointillist.space.attempts import Attempt

SOURCE = """
from __future__ import annotations
import os
from pathlib import Path
import pointillist as pt

HERE = Path(__file__).parent


def times():
    with (HERE / "times").open("a") as file:
        file.write("x")
    return (HERE / "times").stat().st_size


@pt.step(retries=RETRIES)
def slow(raw: Path) -> str:
    text = raw.read_text()
    number = times()
    DOES
    return text


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    text: str = slow.step(raw).to()


class Lab(pt.Project):
    records = (Item,)
"""


class Heard(Listener):
    """Notes what it is told of further attempts."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def again(self, task: Task, attempt: Attempt, seconds: float) -> None:
        """Note how long will be waited."""
        self.waits.append(seconds)


@pytest.fixture
def tried(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a step that does something; give the project, the summary and the waits."""
    monkeypatch.setattr("pointillist.run.runner.RETRY", 0.001)

    def run(does: str, retries: int = 0) -> Any:
        shop = workshop(SOURCE.replace("DOES", does).replace("RETRIES", str(retries)))
        (shop.root / "raw").mkdir()
        (shop.root / "raw/a.txt").write_text("a")
        shop.lab().discover()
        heard = Heard()
        return shop, shop.run(listener=heard), heard.waits

    return run


def outcomes(shop: Any) -> list[tuple[int, str]]:
    """Return number and outcome of each attempt."""
    return [(attempt["number"], attempt["outcome"]) for attempt in shop.attempts()]


def test_changed_once(tried: Any) -> None:
    """A task whose input changed while it ran is tried again at once, and is done."""
    shop, summary, waits = tried("if number == 1: raw.write_text('grown')")
    assert (1, [], [0.0]) == (summary.done, summary.failed, waits)
    assert [(1, "changed"), (2, "complete")] == outcomes(shop)
    assert [b"grown"] == list(shop.outputs().values())


def test_changed_always(tried: Any) -> None:
    """An input that changes again and again is told; the next run tries again unasked."""
    shop, summary, waits = tried("raw.write_text('x' * number)")
    assert (0, 1, [0.0]) == (summary.done, len(summary.failed), waits)
    assert [(1, "changed"), (2, "changed")] == outcomes(shop)
    assert {"ready"} == {str(verdict.state) for verdict in shop.verdicts().values()}
    assert {} == shop.outputs() and [] == shop.leftovers()


def test_changed_counts_as_no_retry(tried: Any) -> None:
    """An attempt whose input changed takes nothing off the `retries=`."""
    does = "if number == 1: raw.write_text('grown')\n    else: raise ValueError('no')"
    shop, summary, waits = tried(does, retries=2)
    assert 1 == len(summary.failed)
    assert [(1, "changed"), (2, "failed"), (3, "failed"), (4, "failed")] == outcomes(shop)
    assert 0.0 == waits[0]
    assert [1, 2] == [int(wait / 0.001) for wait in waits[1:]]


def test_vanished(tried: Any) -> None:
    """A task whose input is gone is not tried again, but waits for it."""
    shop, summary, waits = tried("raw.unlink()", retries=0)
    assert (1, []) == (len(summary.failed), waits)
    assert [(1, "changed")] == outcomes(shop)
    assert {"waiting"} == {str(verdict.state) for verdict in shop.verdicts().values()}


def test_failed_with_a_log_each(tried: Any) -> None:
    """Each attempt of a step that fails has its own number and log, and the last one counts."""
    does = "print('try', number)\n    if number < 3: raise ValueError('no')"
    shop, summary, waits = tried(does, retries=3)
    assert (1, []) == (summary.done, summary.failed)
    assert [(1, "failed"), (2, "failed"), (3, "complete")] == outcomes(shop)
    logs = [(shop.root / attempt["log"]).read_text() for attempt in shop.attempts()]
    assert ["try 1", "try 2", "try 3"] == [log.splitlines()[0] for log in logs]
    assert 2 == len(waits)


def test_longer_each_time(tried: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits double up to a longest one, and up to a quarter more at random."""
    monkeypatch.setattr("pointillist.run.runner.LONGEST_WAIT", 0.004)
    shop, summary, waits = tried("raise ValueError('no')", retries=5)
    assert 6 == len(outcomes(shop)) and 1 == len(summary.failed)
    for wait, least in zip(waits, [0.001, 0.002, 0.004, 0.004, 0.004], strict=True):
        assert least <= wait <= 1.25 * least
    assert 5 == len({wait / least for wait, least in zip(waits, [1, 2, 4, 4, 4], strict=True)})
