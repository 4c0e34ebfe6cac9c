"""Hooks of a project around its steps."""

from __future__ import annotations

from typing import Any

from pointillist.cli.run import run_steps

PROJECT = """
from __future__ import annotations
import pointillist as pt


@pt.step(retries=1)
def made(number: int) -> int:
    return number


class Item(pt.Record):
    number: int = pt.key()
    made: int = made.step(number).to()


class Lab(pt.Project):
    records = (Item,)
"""


def test_a_hook_that_fails_after_its_step(workshop: Any) -> None:
    """The run tells the failure; the step, which is complete, is not retried for it."""
    shop = workshop(PROJECT)
    lab = shop.lab()
    lab.add_product(shop.module.Item, number=[0])

    def fails(operation: Any, job: Any) -> None:
        raise ValueError("no")

    lab.project_hooks.on_success.append(fails)
    summary = run_steps(lab, lab.engine.planner(), None, None)
    assert ["a hook raised ValueError: no"] == [attempt.error for _, attempt in summary.failed]
    assert [1] == list(shop.completed().values())
