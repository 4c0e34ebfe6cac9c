"""Progress: a line a task where nobody watches, a bar on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pointillist.plan.states import Reason, State, Verdict
from pointillist.plan.tasks import Task
from pointillist.space.attempts import Attempt
from pointillist.space.claims import Owner
from pointillist.view.progress import RunProgress

READY = Verdict(State.READY, (Reason("output", "", text="output joined.txt is missing"),))
GOOD = Attempt("Recording.joined", "a" * 32, "complete", 1, 0, 0, {})
BAD = Attempt("Recording.joined", "b" * 32, "failed", 1, 0, 0, {}, error="exit 3 [x]")


def test_lines(page: Any, task: Callable[..., Task]) -> None:
    """Each task has a line with its place and why; a failure has one of its own."""
    with RunProgress(page.console) as progress:
        progress.planned(10)
        progress.started(task(), READY)
        progress.ended(task(), GOOD)
        progress.started(task("joined", "b"), READY)
        progress.ended(task("joined", "b"), BAD)
    assert (
        """\
[ 1/10] Recording session=a  joined  (output joined.txt is missing)
[ 2/10] Recording session=b  joined  (output joined.txt is missing)
failed: Recording session=b  joined: exit 3 [x]
"""
        == page.text
    )


def test_more_than_planned(page: Any, task: Callable[..., Task]) -> None:
    """What turns out to be more than was foreseen is counted on."""
    with RunProgress(page.console) as progress:
        progress.planned(1)
        progress.started(task(), READY)
        progress.started(task("stats"), READY)
    assert ["[1/1]", "[2/2]"] == [line.split()[0] for line in page.text.splitlines()]


def test_terminal(terminal: Any, task: Callable[..., Task]) -> None:
    """On a terminal there is a bar that goes away; failures stay."""
    with RunProgress(terminal.console) as progress:
        progress.planned(2)
        progress.started(task("joined", "[b]"), READY)
        progress.ended(task("joined", "[b]"), BAD)
    assert "Recording session=[b]  joined" in terminal.text
    assert "failed: Recording session=[b]  joined: exit 3 [x]" in terminal.text
    assert "\x1b[2K" in terminal.text, "the bar's line is erased"
    assert "output joined.txt" not in terminal.text


def test_waiting_for_another_host(page: Any) -> None:
    """Whom a run waits for is said, and for how long."""
    RunProgress(page.console).waiting_for(Owner("20261120-node7-12", None, 0))
    assert (
        "waiting up to a minute for a sign of life of 20261120-node7-12 on an unknown host …\n"
        == page.text
    )
