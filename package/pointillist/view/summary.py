"""What a run did, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import RecordError
from ..plan.states import Awaits, State, Verdict
from ..plan.tasks import Task
from .quantities import about, counted
from .reasons import in_words, kept_by

if TYPE_CHECKING:
    from ..plan.durations import Estimate
    from ..run.runner import Summary

__all__ = ["show_foreign", "show_plan", "show_problems", "show_summary"]

_MOST = 20
_LISTED = 100
"""How many tasks of a plan are listed; of more each step has its first few."""
_FIRST = 3
_TO_DO = "is still to be done"
_BECAME: dict[str, str] = {
    State.READY: _TO_DO,
    State.STALE: _TO_DO,
    State.FAILED: "failed",
    State.RUNNING: "is running",
}


def show_summary(
    console: Console,
    summary: Summary,
    seconds: float,
    root: Path,
    nothing: str = "",
    steps_only: bool = False,
) -> None:
    """Print what a run did, what failed and what waits.

    Parameters
    ----------
    console : Console
        Where to.
    summary : Summary
        What it did.
    seconds : float
        How long it took.
    root : Path
        The project's folder, that logs lie in.
    nothing : str
        Why there was no task at all, if there was none.
    steps_only : bool
        Whether operations follow that are no steps, of which this says nothing.
    """
    if summary.recovered:
        tasks = _tasks(summary.recovered)
        console.print(f"finished what a dead runner had recorded: {tasks}", markup=False)
    _show_waiting(console, summary.waiting, summary.limited)
    if summary.kept:
        rules = kept_by(verdict for _, verdict in summary.kept)
        what = "the source of the step" if rules == ["source"] else " and ".join(rules)
        console.print(
            f"{_tasks(len(summary.kept))} kept although {what} changed: "
            f"`status -d` names them, `run --rerun {' '.join(rules)}` does them again.",
            style="yellow",
            markup=False,
        )
    if summary.elsewhere:
        names = ", ".join(sorted({r.what for _, v in summary.elsewhere for r in v.reasons}))
        console.print(f"{_tasks(len(summary.elsewhere))} with other runners: {names}", markup=False)
    failures = [(t, str(a.error), root / a.log if a.log else None) for t, a in summary.failed]
    failures += [(t, str(v.reasons[0]), v.log) for t, v in summary.still_failed]
    if failures:
        _show_failures(console, failures)
    if summary.still_failed:
        console.print(
            f"{_tasks(len(summary.still_failed))} failed before with the same inputs, arguments "
            "and source, not tried again. Mend what failed, or `run --retry-failed`.",
            markup=False,
        )
    if summary.stopped:
        given_up = ", ".join(map(str, summary.broken_off))
        was = "was" if len(summary.broken_off) == 1 else "were"
        at_hand = f" {given_up} {was} given up;" if given_up else ""
        console.print(
            f"interrupted:{at_hand} what had ended is kept. The same command goes on from here.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )
    if not summary.done and not summary.failed:
        if summary.stopped:
            return
        console.print("nothing to do" + _why_nothing(summary, nothing, steps_only), markup=False)
    else:
        failed = f", {len(summary.failed)} failed" if summary.failed else ""
        stopped = "; stopped before the end" if summary.limited else ""
        console.print(f"{_tasks(summary.done)} done{failed} in {seconds:.1f} s{stopped}.")


def _why_nothing(summary: Summary, nothing: str, steps_only: bool) -> str:
    rest = summary.waiting or summary.still_failed or summary.elsewhere or summary.kept
    what = "every step" if steps_only else "everything"
    excluded = " or excluded" if summary.excluded else ""
    return f": {nothing}." if nothing else "." if rest else f": {what} is complete{excluded}."


def _show_waiting(
    console: Console, waiting: list[tuple[Task, Verdict]], stopped: bool = False
) -> None:
    """Say what is waited for: each seed by name, steps by what became of them."""
    if not waiting:
        return
    missing: dict[str, list[Task]] = {}
    makers: Counter[tuple[str, str]] = Counter()
    for task, verdict in waiting:
        steps: dict[tuple[str, str], None] = {}
        for reason in verdict.reasons:
            if not isinstance(reason, Awaits):
                missing.setdefault(str(reason), []).append(task)
            elif reason.state in _BECAME:
                steps[reason.what, _BECAME[reason.state]] = None
            elif reason.state is not State.WAITING:
                missing.setdefault(str(reason), []).append(task)
        makers.update(list(steps))
    console.print(f"{_tasks(len(waiting))} waiting:", style="yellow", markup=False)
    for (step, became), count in makers.items():
        left = "" if stopped or became != _TO_DO else " but was not selected"
        console.print(f"  {_tasks(count)} for {step}, which {became}{left}", markup=False)
    for text, (task, *others) in list(missing.items())[:_MOST]:
        more = f", and {_tasks(len(others))} more" if others else ""
        console.print(f"  {task.record.label}  {task.step.name}: {text}{more}", markup=False)
    if len(missing) > _MOST:
        console.print(f"  … and {len(missing) - _MOST} more; `status -d` lists all.", markup=False)


def _show_failures(console: Console, failures: list[tuple[Task, str, Path | None]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("record", "step", "what went wrong", "log"):
        table.add_column(name, overflow="fold")
    for task, error, log in failures:
        shown = _short(log) if log else "(nothing was printed)"
        table.add_row(*map(Text, (task.record.label, task.step.name, error, shown)))
    console.print(table)


def _short(log: Path) -> str:
    """Return a path as one would write it from the current folder."""
    return str(log.relative_to(Path.cwd()) if log.is_relative_to(Path.cwd()) else log)


def show_plan(
    console: Console,
    planned: list[tuple[Task, Verdict]],
    estimates: list[Estimate],
    left: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Print what a run would do, why, and how long it will take where that is known.

    Parameters
    ----------
    console : Console
        Where to.
    planned : list of (Task, Verdict)
        The tasks. Of many each step shows a few.
    estimates : list of Estimate
        How long they will take, by step.
    left : Mapping of str to int
        How many tasks are not complete and would be left so, by state.
    """
    if planned:
        _show_planned(console, planned, estimates)
    else:
        console.print("nothing to do.")
    if any(left.values()):
        states = ", ".join(f"{count} {state}" for state, count in left.items())
        count = sum(left.values())
        console.print(f"{_tasks(count)} would be left: {states}; `why` says why.")


def _show_planned(
    console: Console, planned: list[tuple[Task, Verdict]], estimates: list[Estimate]
) -> None:
    few = len(planned) <= _LISTED
    shown: Counter[str] = Counter()
    for task, verdict in planned:
        shown[task.step.operation] += 1
        if few or shown[task.step.operation] <= _FIRST:
            makers = dict.fromkeys(r.what for r in verdict.reasons)
            waits = verdict.state is State.WAITING
            why = f"after {', '.join(makers)}" if waits else in_words(verdict)
            console.print(f"{task}  ({why})", markup=False)
    timed = [step for step in estimates if step.each is not None]
    if not few or (timed and len(estimates) > 1):
        for step in estimates:
            more = f", {shown[step.operation] - _FIRST} of them not listed"
            hidden = "" if few or shown[step.operation] <= _FIRST else more
            console.print(f"{step.operation}: {_tasks(step.tasks)}{hidden}{_each(step)}")
    hours = ""
    if timed:
        of = sum(step.tasks for step in timed)
        some = "" if of == len(planned) else f"{of} of them "
        attempts = counted(sum(step.attempts for step in timed), "earlier attempt")
        taken = about(sum(step.seconds for step in timed))
        hours = f", {taken} ({some}timed by {attempts})"
    console.print(f"{_tasks(len(planned))} would be done{hours}.")


def _each(step: Estimate) -> str:
    if step.each is None:
        return ", no earlier attempt says how long"
    each = f" ({about(step.each)} each)" if step.tasks > 1 else ""
    return f", {about(step.seconds)}{each}"


def show_problems(console: Console, problems: list[RecordError]) -> None:
    """Print what of the data space could not be read."""
    for problem in problems:
        console.print(f"left out: {problem}", style="red", markup=False)


def show_foreign(console: Console, counts: dict[str, int]) -> None:
    """Print how many jobs in the workspace of a class are no records of it."""
    for name, count in counts.items():
        if count:
            jobs = "1 job" if count == 1 else f"{count} jobs"
            console.print(f"left alone: {jobs} without all keys of {name}", markup=False)


def _tasks(count: int) -> str:
    return counted(count, "task")
