"""The end of a run in a few lines: what was done, what failed, what waits, and how to go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import CorruptRecord
from pointillist.plan.durations import Estimate
from pointillist.plan.states import Awaits, Reason, State, Verdict
from pointillist.plan.tasks import Task
from pointillist.run.runner import Summary
from pointillist.space.attempts import Attempt
from pointillist.view.summary import show_foreign, show_plan, show_problems, show_summary

Maker = Callable[..., Task]
ROOT = Path("/lab")


def attempt(error: str, log: str | None = None) -> Attempt:
    """Give a failed attempt."""
    return Attempt("Recording.joined", "a" * 32, "failed", 1, 0, 0, {}, error=error, log=log)


@pytest.fixture
def waits(task: Maker) -> Callable[[str, str], Verdict]:
    """Give a maker of verdicts of tasks that wait for a step in some state."""

    def make(step: str, state: str) -> Verdict:
        return Verdict(State.WAITING, (Awaits.on(task(step), State(state), near=False),))

    return make


def waits_for_seed(name: str) -> Verdict:
    """Give the verdict of a task that waits for a file."""
    return Verdict(State.WAITING, (Reason("seed", name, text=f"raw is missing: {name}"),))


def shown(page: Any, summary: Summary, nothing: str = "") -> str:
    """Give what is printed about a run of 1.25 seconds."""
    show_summary(page.console, summary, 1.25, ROOT, nothing)
    text: str = page.text
    return text


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (Summary(), "nothing to do: everything is complete.\n"),
        (Summary(excluded=2), "nothing to do: everything is complete or excluded.\n"),
        (Summary(done=1), "1 task done in 1.2 s.\n"),
        (Summary(done=40), "40 tasks done in 1.2 s.\n"),
        (Summary(done=3, limited=True), "3 tasks done in 1.2 s; stopped before the end.\n"),
    ],
)
def test_last_line(page: Any, summary: Summary, expected: str) -> None:
    """The last line says how much was done, or that there was nothing to do."""
    assert expected == shown(page, summary)


def test_operations_follow(page: Any) -> None:
    """Where operations follow that are no steps, only the steps are called complete."""
    show_summary(page.console, Summary(), 1.25, ROOT, steps_only=True)
    assert "nothing to do: every step is complete.\n" == page.text


def test_no_task_at_all(page: Any) -> None:
    """A selection that fits nothing is not called complete."""
    assert "nothing to do: no record is selected.\n" == shown(
        page, Summary(), "no record is selected"
    )


def test_failures(page: Any, task: Maker, waits: Any) -> None:
    """A table of failures with record, step, cause and log; the last line counts them."""
    failed = [
        (task("joined", "a"), attempt("join raised ValueError: no [data]", "joined.1.log")),
        (task("stats", "b"), attempt("join raised KeyError: 'x'")),
    ]
    waiting = [(task("stats", "a"), waits("joined", "failed"))]
    expected = """\
1 task waiting:
  1 task for Recording.joined, which failed
record               step    what went wrong                    log
Recording session=a  joined  join raised ValueError: no [data]  /lab/joined.1.log
Recording session=b  stats   join raised KeyError: 'x'          (nothing was printed)
2 tasks done, 2 failed in 1.2 s.
"""
    assert expected == shown(page, Summary(done=2, failed=failed, waiting=waiting))


def test_failed_before(page: Any, task: Maker) -> None:
    """What failed before and was not tried again is shown with how to go on."""
    reason = Reason("attempt", "", text="failed at attempt 2: exit 3")
    verdict = Verdict(State.FAILED, (reason,), log=ROOT / "1.log")
    found = shown(page, Summary(still_failed=[(task(), verdict)]))
    assert "failed at attempt 2: exit 3" in found and "/lab/1.log" in found
    assert found.endswith(
        "1 task failed before with the same inputs, arguments and source, not tried again. Mend "
        "what failed, or `run --retry-failed`.\nnothing to do.\n"
    )


def test_waiting(page: Any, task: Maker, waits: Any) -> None:
    """Missing files are named, steps counted by what became of them, what follows left out."""
    waiting = [
        (task(), waits_for_seed("a.bin")),
        (task(), waits_for_seed("b.bin")),
        (task(), waits_for_seed("b.bin")),
        (task(), waits("joined", "ready")),
        (task(), waits("joined", "stale")),
        (task(), waits("stats", "running")),
        (task(), waits("stats", "waiting")),
    ]
    expected = """\
7 tasks waiting:
  2 tasks for Recording.joined, which is still to be done but was not selected
  1 task for Recording.stats, which is running
  Recording session=a  joined: raw is missing: a.bin
  Recording session=a  joined: raw is missing: b.bin, and 1 task more
nothing to do.
"""
    assert expected == shown(page, Summary(waiting=waiting))


def test_waiting_when_a_run_was_stopped(page: Any, task: Maker, waits: Any) -> None:
    """After ``-n`` or ``--fail-fast`` what is left was not left out by the selection."""
    summary = Summary(done=1, limited=True, waiting=[(task(), waits("joined", "ready"))])
    assert "which is still to be done\n" in shown(page, summary)


def test_many_missing_files(page: Any, task: Maker) -> None:
    """Of a thousand missing files twenty are named, and the others counted."""
    waiting = [(task(), waits_for_seed(f"{i}.bin")) for i in range(1000)]
    lines = shown(page, Summary(waiting=waiting)).splitlines()
    assert 23 == len(lines)
    assert "  … and 980 more; `status -d` lists all." == lines[21]


def test_kept_recovered_and_elsewhere(page: Any, task: Maker) -> None:
    """What was kept, taken over from the dead, or is with other runners, has a line each."""
    kept = Verdict(State.STALE, (Reason("source", "of the step", "1", "2"),), "kept")
    running = Verdict(State.RUNNING, (Reason("claim", "node7-12", text="by node7-12"),))
    summary = Summary(
        done=1, recovered=2, kept=[(task(), kept)], elsewhere=[(task("stats"), running)]
    )
    assert """\
finished what a dead runner had recorded: 2 tasks
1 task kept although the source of the step changed: `status -d` names them, \
`run --rerun source` does them again.
1 task with other runners: node7-12
1 task done in 1.2 s.
""" == shown(page, summary)


def test_plan(page: Any, task: Maker, waits: Any) -> None:
    """What a run would do, with why, and after which steps what follows."""
    missing = Verdict(State.READY, (Reason("output", "", text="output joined.txt is missing"),))
    plan = [(task(), missing), (task("stats"), waits("joined", "ready"))]
    show_plan(page.console, plan, [])
    assert (
        """\
Recording session=a  joined  (output joined.txt is missing)
Recording session=a  stats  (after Recording.joined)
2 tasks would be done.
"""
        == page.text
    )


def test_plan_of_nothing(page: Any) -> None:
    """Nothing to do is said."""
    show_plan(page.console, [], [])
    assert "nothing to do.\n" == page.text


def test_plan_and_what_is_left(page: Any, task: Maker) -> None:
    """What is not complete and would not be done is counted by state, with where to ask why."""
    show_plan(page.console, [], [], {"failed": 1, "stale (kept)": 2})
    assert [
        "nothing to do.",
        "3 tasks would be left: 1 failed, 2 stale (kept); `why` says why.",
    ] == page.text.splitlines()


def test_plan_with_hours(page: Any, task: Maker) -> None:
    """Where earlier attempts tell it, each step and the whole have a duration."""
    plan = [(task(step, s), Verdict(State.READY)) for step in ("joined", "stats") for s in "abc"]
    estimates = [
        Estimate("Recording.joined", 3, 3840.0, 48),
        Estimate("Recording.stats", 3, None, 0),
    ]
    show_plan(page.console, plan, estimates)
    assert [
        "Recording.joined: 3 tasks, about 3.2 h (about 1.1 h each)",
        "Recording.stats: 3 tasks, no earlier attempt says how long",
        "6 tasks would be done, about 3.2 h (3 of them timed by 48 earlier attempts).",
    ] == page.text.splitlines()[6:]


def test_plan_of_one_step(page: Any, task: Maker) -> None:
    """One step is not told twice."""
    show_plan(
        page.console, [(task(), Verdict(State.READY))], [Estimate("Recording.joined", 1, 90.0, 1)]
    )
    assert (
        "1 task would be done, about 2 min (timed by 1 earlier attempt)."
        == page.text.splitlines()[-1]
    )
    assert 2 == len(page.text.splitlines())


def test_plan_of_many(page: Any, task: Maker) -> None:
    """Of ten thousand tasks each step shows three, and how many there are."""
    plan = [(task(step), Verdict(State.READY)) for step in ("joined", "stats") for _ in range(5000)]
    show_plan(
        page.console, plan, [Estimate(f"Recording.{s}", 5000, None, 0) for s in ("joined", "stats")]
    )
    lines = page.text.splitlines()
    assert 9 == len(lines)
    assert [
        "Recording.joined: 5000 tasks, 4997 of them not listed, no earlier attempt says how long",
        "10000 tasks would be done.",
    ] == [lines[6], lines[8]]


def test_kept_by_other_rules(page: Any, task: Maker) -> None:
    """What is kept by rules that the project set to show is told with these rules."""
    reasons = (Reason("version", "of the step", "1", "2"), Reason("input", "a", "1 B", "2 B"))
    kept = Verdict(State.STALE, reasons, "kept")
    assert shown(page, Summary(kept=[(task(), kept)])).startswith(
        "1 task kept although input and version changed: `status -d` names them, "
        "`run --rerun input version` does them again.\n"
    )


def test_problems(page: Any) -> None:
    """What could not be read is named, one line each; brackets are no markup."""
    show_problems(page.console, [CorruptRecord("Recording [1]… cannot be read")])
    assert "left out: Recording [1]… cannot be read\n" == page.text


def test_foreign(page: Any) -> None:
    """Jobs that are no records are counted by class."""
    show_foreign(page.console, {"Recording": 3, "Block": 0, "Stimulus": 1})
    assert (
        """\
left alone: 3 jobs without all keys of Recording
left alone: 1 job without all keys of Stimulus
"""
        == page.text
    )
