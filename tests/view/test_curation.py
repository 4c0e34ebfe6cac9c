"""What is printed of what was accepted, reset or pruned, and how big it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pointillist.plan.states import Reason, State, Verdict
from pointillist.plan.tasks import Task
from pointillist.run.acceptance import Acceptance
from pointillist.run.resetting import Reset
from pointillist.space.pruning import Pruned
from pointillist.view.curation import in_bytes, show_acceptances, show_pruned, show_resets


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (9_950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (35_400_000, "35 MB"),
        (2_500_000_000_000, "2.5 TB"),
        (1_200_000_000_000_000_000, "1200 PB"),
    ],
)
def test_in_bytes(size: int, expected: str) -> None:
    """Two digits where there is room for them, and never a thousand of a smaller unit."""
    assert expected == in_bytes(size)


def test_acceptances(page: Any, task: Callable[..., Task]) -> None:
    """Each accepted task says what it was; a refused one why; the last line counts."""
    stale = Verdict(State.STALE, (Reason("version", "of the step", "1", "2"),))
    found = [
        Acceptance(task(), stale),
        Acceptance(task("stats"), Verdict(State.COMPLETE, note="edited")),
        Acceptance(task(session="b"), Verdict(State.READY), "joined.txt is missing"),
    ]
    show_acceptances(page.console, found, pretend=False)
    assert (
        """\
accepted  Recording session=a  joined  (was STALE: version of the step changed (1 → 2))
accepted  Recording session=a  stats  (was COMPLETE (edited))
not accepted  Recording session=b  joined: joined.txt is missing
2 tasks accepted, 1 not.
"""
        == page.text
    )


def test_resets(page: Any, task: Callable[..., Task]) -> None:
    """What goes is listed with its size, what is left alone with the reason."""
    found = [
        Reset(task(), {"joined.txt": 1200, ".joined.stage.1": 300}),
        Reset(task("stats"), {}),
        Reset(task(session="b"), {"joined.txt": 5}, "a runner has it"),
    ]
    show_resets(page.console, found, removed=False)
    lines = [" ".join(line.split()) for line in page.text.splitlines()]
    assert [
        "record step to remove size",
        "Recording session=a joined joined.txt, .joined.stage.1 1.5 kB",
        "Recording session=a stats nothing but the memory of its attempts",
        "left alone Recording session=b joined: a runner has it",
        "2 tasks, 1.5 kB.",
    ] == lines


def test_pruned(page: Any, task: Callable[..., Task]) -> None:
    """What was removed is listed with its size, what is kept with the reason."""
    found = [
        Pruned(task().record, 1200, 1),
        Pruned(task(session="b").record, 5, 2, "stats is running, by x"),
    ]
    show_pruned(page.console, found, removed=True)
    assert (
        """\
removed  Recording session=a  (job aaaaaaaa): 1 entry, 1.2 kB
kept  Recording session=b  (job bbbbbbbb): stats is running, by x
1 orphaned aggregate, 1.2 kB removed.
"""
        == page.text
    )
