"""How long tasks will take, by the last good attempts of their steps."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pointillist.plan.durations import Estimate, estimate
from pointillist.space.attempts import Attempt
from pointillist.space.memory import Attempts


def attempts(operation: str, *seconds: float, **more: Any) -> list[Attempt]:
    """Return an attempt of each duration, on a job each."""
    outcome = more.pop("outcome", "complete")
    return [
        Attempt(operation, f"{n:032}", outcome, 1, 100.0, 100.0 + s, {}, **more)
        for n, s in enumerate(seconds)
    ]


def known(*lists: list[Attempt]) -> Attempts:
    """Return all these attempts as they would be read."""
    found = Attempts()
    for one in [one for attempts in lists for one in attempts]:
        found.add(one)
    return found


def tasks(operation: str, count: int) -> list[Any]:
    """Return tasks of a step."""
    return [SimpleNamespace(step=SimpleNamespace(operation=operation)) for _ in range(count)]


def test_the_median() -> None:
    """A step takes what half of its earlier attempts took at most; one slow one changes little."""
    [found] = estimate(known(attempts("Item.loud", 1, 2, 3, 4, 1000)), tasks("Item.loud", 10))
    assert Estimate("Item.loud", 10, 3, 5) == found
    assert 30 == found.seconds


def test_what_was_no_execution_does_not_count() -> None:
    """Found and accepted outputs, and failures, tell nothing of how long a step takes."""
    others = [
        attempts("Item.loud", 50, outcome=outcome) for outcome in ("found", "accepted", "failed")
    ]
    [found] = estimate(known(*others), tasks("Item.loud", 2))
    assert Estimate("Item.loud", 2, None, 0) == found
    assert 0 == found.seconds


def test_several_steps() -> None:
    """Each step has its own, in the order of the tasks; those without tasks have none."""
    before = known(attempts("Item.loud", 1), attempts("Item.count", 2, 4), attempts("Item.x", 9))
    found = estimate(before, [*tasks("Item.count", 1), *tasks("Item.loud", 2)])
    assert [Estimate("Item.count", 1, 3, 2), Estimate("Item.loud", 2, 1, 1)] == found


def test_a_clock_that_was_set_back() -> None:
    """An attempt that ended before it began took no time, not less than none."""
    [found] = estimate(known(attempts("Item.loud", -3600)), tasks("Item.loud", 1))
    assert 0 == found.each
