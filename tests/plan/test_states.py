"""States, reasons and verdicts print themselves; what may be used and what is to be done."""

from __future__ import annotations

import pytest

from pointillist.plan.states import Reason, State, Verdict


def test_reason() -> None:
    """A reason says what changed from what to what, or its own words."""
    assert "input a.bin changed (1 B → 2 B)" == str(Reason("input", "a.bin", "1 B", "2 B"))
    assert "a.bin is gone" == str(Reason("input", "a.bin", "1 B", "2 B", "a.bin is gone"))


def test_verdict() -> None:
    """A verdict prints state, note and every reason."""
    reasons = (Reason("output", "", text="one"), Reason("input", "", text="two"))
    assert "complete" == str(Verdict(State.COMPLETE))
    assert "stale (kept): one; two" == str(Verdict(State.STALE, reasons, "kept"))


@pytest.mark.parametrize("state", list(State))
def test_wanted_and_usable(state: State) -> None:
    """Ready and stale tasks are done, complete ones are used; what is kept is used, not done."""
    verdict, kept = Verdict(state), Verdict(state, note="kept")
    assert (state in (State.READY, State.STALE)) is verdict.wanted
    assert (state is State.COMPLETE) is verdict.usable
    assert (state is State.READY) is kept.wanted
    assert (state in (State.COMPLETE, State.STALE)) is kept.usable
    assert not (verdict.wanted and verdict.usable) and not (kept.wanted and kept.usable)
