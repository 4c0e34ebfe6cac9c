"""Processes that a step forks, and that come back from it."""

from __future__ import annotations

import os
from typing import Any

import pytest

PROJECT = """
from __future__ import annotations
import os
import sys
import pointillist as pt


@pt.step
def made(number: int) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("in the child")
    HOW


class Item(pt.Record):
    number: int = pt.key()
    made: int = made.step(number).to()


class Lab(pt.Project):
    records = (Item,)
"""

CASES = {"return number": 0, "sys.exit(3)": 3, "sys.exit()": 0, "raise ValueError('no')": 1}


@pytest.mark.parametrize("how", CASES)
def test_a_fork_that_comes_back(workshop: Any, how: str) -> None:
    """It ends with the step, as a program does; the runner does the task, once."""
    shop, process = workshop(PROJECT.replace("HOW", how)), os.getpid()
    (item,) = shop.lab().add_product(shop.module.Item, number=[7])
    shop.run()
    if os.getpid() != process:
        os._exit(99)
    assert [1] == list(shop.completed().values())
    assert CASES[how] == shop.lab()[shop.module.Item].get(number=7).made
    log = (item.folder / ".pointillist/logs/made.1.log").read_text()
    assert "in the child" == log.splitlines()[0]
    assert ("ValueError: no" in log) == (CASES[how] == 1)
