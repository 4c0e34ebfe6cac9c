"""Reasons in a line: all of a few, some of many."""

from __future__ import annotations

from pointillist.plan.states import Reason, State, Verdict
from pointillist.view.reasons import in_words, kept_by


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


def test_kept_by() -> None:
    """The rules by which tasks are kept, each once; others do not count."""
    reasons = (Reason("source", "of the step", "1", "2"), Reason("input", "a", "1 B", "2 B"))
    kept = Verdict(State.STALE, reasons, "kept")
    stale = Verdict(State.STALE, (Reason("version", "of the step", "1", "2"),))
    assert ["input", "source"] == kept_by([kept, kept, stale])
    assert [] == kept_by([stale])
