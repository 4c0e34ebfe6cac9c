"""Reasons in a line: all of a few, some of many."""

from __future__ import annotations

from pointillist.plan.states import Reason, State, Verdict
from pointillist.view.reasons import in_words


def needs(count: int, step: str = "Point.doubled") -> tuple[Reason, ...]:
    """Give reasons of one kind."""
    return tuple(Reason("needs", step, text=f"Point index={i} is ready") for i in range(count))


def test_few() -> None:
    """Up to three reasons of a kind are all said."""
    assert "" == in_words(Verdict(State.COMPLETE))
    expected = "Point index=0 is ready; Point index=1 is ready; Point index=2 is ready"
    assert expected == in_words(Verdict(State.WAITING, needs(3)))


def test_many() -> None:
    """Of two hundred members three are named, and the others counted, step by step."""
    other = (Reason("needs", "Point.tripled", text="Point index=0 is failed"),)
    expected = (
        "Point index=0 is ready; Point index=1 is ready; Point index=2 is ready; "
        "… and 197 more for Point.doubled; Point index=0 is failed"
    )
    assert expected == in_words(Verdict(State.WAITING, needs(200) + other))


def test_many_inputs() -> None:
    """Inputs that changed are one kind, whichever they are."""
    reasons = tuple(Reason("input", f"{i}.bin", "1 B", "2 B") for i in range(5))
    expected = "; ".join(f"input {i}.bin changed (1 B → 2 B)" for i in range(3)) + "; … and 2 more"
    assert expected == in_words(Verdict(State.STALE, reasons))
