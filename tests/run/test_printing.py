"""What functions print, in several threads and after they closed what they print to."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from pointillist.errors import TasksFailed

PROJECT = """
from __future__ import annotations
import sys
import threading
import pointillist as pt

together = threading.Barrier(2)


@pt.step
def said(number: int) -> int:
    together.wait()
    print("first", number)
    together.wait()
    print("last", number)
    return number


@pt.step
def closed(number: int) -> int:
    print("before")
    sys.stdout.close()
    print("after")
    raise ValueError("the cause")


class Item(pt.Record):
    number: int = pt.key()
    said: int = said.step(number).to()
    closed: int = closed.step(number).to()


class Lab(pt.Project):
    records = (Item,)
"""


def test_threads_print_to_logs_of_their_own(workshop: Any) -> None:
    """Of two values that two threads compute at once each log holds its own; then all is as was."""
    shop = workshop(PROJECT)
    lab, before = shop.lab(), (sys.stdout, sys.stderr)
    items = lab.add_product(shop.module.Item, number=range(2))
    threads = [threading.Thread(target=lambda item=item: item.said) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert before == (sys.stdout, sys.stderr)
    logs = {item.number: item.folder / ".pointillist/logs/said.1.log" for item in items}
    assert {n: f"first {n}\nlast {n}\n" for n in (0, 1)} == {
        number: place.read_text() for number, place in logs.items()
    }


def test_a_step_that_closes_its_output(workshop: Any) -> None:
    """What it prints after that, and why it failed, is in the log all the same."""
    shop = workshop(PROJECT)
    (item,) = shop.lab().add_product(shop.module.Item, number=[0])
    with pytest.raises(TasksFailed, match="closed raised ValueError: the cause"):
        item.closed  # noqa: B018
    log = (item.folder / ".pointillist/logs/closed.1.log").read_text()
    assert ["before", "after"] == log.splitlines()[:2]
    assert "ValueError: the cause" == log.splitlines()[-1]
