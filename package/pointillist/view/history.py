"""What was done to a record: a table of its attempts, or all that is recorded as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..space.attempts import Attempt, Exclusion
from ..space.history import History, RunnerLine
from .quantities import local_time, seconds_in_words

__all__ = ["history_json", "how_it_ended", "show_history"]

_COLOURS = {"complete": "green", "failed": "red", "interrupted": "yellow", "changed": "yellow"}
_NO_EXECUTION = ("found", "accepted", "reset")
_COLUMNS = ("when", "step", "attempt", "outcome", "took", "by", "executor", "what", "log")


def show_history(
    console: Console,
    label: str,
    job: str,
    history: History,
    unrun: Mapping[str, str],
    running: Mapping[str, str],
) -> None:
    """Print what was done to a record, oldest first.

    Parameters
    ----------
    console : Console
        Where to.
    label, job : str
        The record's label and the job's id.
    history : History
        What the journals tell of it.
    unrun : Mapping of str to str
        The state, in words, of each step that no attempt is known of.
    running : Mapping of str to str
        Who is at work, by step.
    """
    console.print(Text(f"{label}  (job {job[:8]})" if job[:8] not in label else label))
    entries: list[Attempt | Exclusion] = [*history.attempts, *history.exclusions]
    if entries:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        rows = [_cells(entry, history.who(entry)) for entry in sorted(entries, key=_moment)]
        shown = [i for i in range(len(_COLUMNS)) if any(row[i].plain for row in rows)]
        for name in (_COLUMNS[i] for i in shown):
            right = name in ("attempt", "took")
            narrow = name not in ("by", "what", "log")  # these are folded where room is short
            table.add_column(
                name, overflow="fold", justify="right" if right else "left", no_wrap=narrow
            )
        for row in rows:
            table.add_row(*(row[i] for i in shown))
        console.print(table)
    for step, who in running.items():
        console.print(Text(f"{step} is running, by {who}"))
    for step, state in unrun.items():
        console.print(Text(f"{step} was never carried out: it is {state}"))
    if any(attempt.log for attempt in history.attempts):
        start = f"`logs STEP -j {job[:8]}"
        console.print(
            Text(f"{start}` prints the last log of a step, `--attempt N` an earlier one.")
        )


def _moment(entry: Attempt | Exclusion) -> float:
    return entry.end if isinstance(entry, Attempt) else entry.time


def _cells(entry: Attempt | Exclusion, who: RunnerLine) -> list[Text]:
    by = f"{who.user}@{who.host}" if who.user or who.host else who.name
    if isinstance(entry, Exclusion):
        word = "excluded" if entry.excluded else "included"
        cells = [local_time(entry.time), "", "", word, "", by, "", entry.reason, ""]
        return [Text(cell) for cell in cells]
    is_run = entry.outcome not in _NO_EXECUTION
    # of one that died it is known only when that was found out
    timed = is_run and not (entry.outcome == "interrupted" and entry.ran_by)
    cells = [
        local_time(entry.start if is_run else entry.end),
        entry.operation.rpartition(".")[2],
        str(entry.number) if is_run else "",
        entry.outcome,
        seconds_in_words(max(0.0, entry.end - entry.start)) if timed else "",
        by,
        who.executor if is_run else "",
        how_it_ended(entry),
        PurePath(entry.log).name if entry.log else "",
    ]
    shown = [Text(cell) for cell in cells]
    shown[3].stylize(_COLOURS.get(entry.outcome, ""))
    return shown


def how_it_ended(attempt: Attempt) -> str:
    """Return what is to be said of an attempt beside its outcome: error, exit code, note."""
    said = [text for text in (attempt.note, attempt.error) if text]
    whole = " ".join(said)
    if attempt.exception and attempt.exception not in whole:
        said.append(attempt.exception)
    if attempt.code is not None and attempt.code >= 0 and f"exit {attempt.code}" not in whole:
        said.append(f"exit {attempt.code}")
    return "; ".join(said)


def history_json(label: str, job: str, history: History) -> dict[str, Any]:
    """Return all that is recorded of a job as plain data.

    Returns
    -------
    dict
        ``job``, ``record``: its id and its label. ``attempts``, ``exclusions``: what the journals
        say, oldest first, each with ``runner``, ``user``, ``host`` and ``executor``. ``runners``:
        by name the first lines of their journals.
    """
    entries: list[Attempt | Exclusion] = [*history.attempts, *history.exclusions]
    runners = {who.name: dict(who.told) for who in map(history.who, entries)}
    return {
        "job": job,
        "record": label,
        "attempts": [history.described(attempt) for attempt in history.attempts],
        "exclusions": [history.described(exclusion) for exclusion in history.exclusions],
        "runners": runners,
    }
