"""Why a task is in its state, in a line that stays short whatever the number of members."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..plan.states import Reason, Verdict

__all__ = ["in_words", "kept_by"]

_MOST = 3


def in_words(verdict: Verdict) -> str:
    """Return the reasons of a verdict; where one kind has many, some of them and how many more."""
    words: list[str] = []
    counts = Counter(_kind(reason) for reason in verdict.reasons)
    said: Counter[tuple[str, str]] = Counter()
    for reason in verdict.reasons:
        kind = _kind(reason)
        said[kind] += 1
        if said[kind] <= _MOST:
            words.append(str(reason))
        elif said[kind] == counts[kind]:
            what = f" for {reason.what}" if reason.rule == "needs" else ""
            words.append(f"… and {counts[kind] - _MOST} more{what}")
    return "; ".join(words)


def kept_by(verdicts: Iterable[Verdict]) -> list[str]:
    """Return the rules by which tasks are stale and yet kept."""
    kept = (verdict for verdict in verdicts if verdict.note == "kept")
    return sorted({reason.rule for verdict in kept for reason in verdict.reasons} - {"attempt"})


def _kind(reason: Reason) -> tuple[str, str]:
    return (reason.rule, reason.what if reason.rule == "needs" else "")
