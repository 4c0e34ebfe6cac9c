"""How a run goes: a bar on a terminal, elsewhere a line a task, or a second where there are many.

It must not cost more than the tasks: a short step takes a tenth of what showing it takes.
"""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..plan.states import Verdict
from ..plan.tasks import Task
from ..run.runner import Listener
from ..space.attempts import Attempt
from ..space.claims import Owner
from .reasons import in_words

__all__ = ["RunProgress"]

_LINES = 100
"""How many tasks have a line of their own, however short they are."""

_LINE_EVERY = 1.0
"""Seconds between two of the lines after those."""

_DRAW_EVERY = 0.1
"""Seconds between two changes of the bar."""


class RunProgress(Listener):
    """Shows a run on a console; a context manager.

    Parameters
    ----------
    console : Console
        Where to.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._count = 0
        self._number = 0
        self._ended = 0
        self._shown = 0.0
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )
            self._line = self._bar.add_task("", total=None, visible=False)

    def __enter__(self) -> RunProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def planned(self, count: int) -> None:
        """Show how much there is to do."""
        self._count = count
        if self._bar is not None and count:
            self._bar.update(self._line, total=count, visible=True)

    def started(self, task: Task, verdict: Verdict) -> None:
        """Show which task is begun, and why."""
        self._number += 1
        self._count = max(self._count, self._number)
        now = time.monotonic()
        if self._bar is not None:
            if now - self._shown >= _DRAW_EVERY:
                self._shown = now
                told = escape(str(task))
                self._bar.update(
                    self._line, description=told, completed=self._ended, total=self._count
                )
        elif self._number <= _LINES or now - self._shown >= _LINE_EVERY:
            self._shown = now
            place = f"[{self._number:>{len(str(self._count))}}/{self._count}]"
            # not by way of rich, which would fold the line and takes longer than a short step
            self._console.file.write(f"{place} {task}  ({in_words(verdict)})\n")
            self._console.file.flush()

    def ended(self, task: Task, attempt: Attempt) -> None:
        """Show an attempt that failed."""
        self._ended += 1
        if attempt.outcome != "complete":
            self._console.print(f"failed: {task}: {attempt.error}", style="red", markup=False)

    def again(self, task: Task, attempt: Attempt, seconds: float) -> None:
        """Show that a failed attempt will be tried again."""
        when = f"in {seconds:.0f} s" if seconds else "at once"
        self._console.print(
            f"again {when}: {task}: attempt {attempt.number}: {attempt.error}",
            style="yellow",
            markup=False,
        )

    def waiting_for(self, owner: Owner) -> None:
        """Say whom the run waits for."""
        host = owner.identity.host if owner.identity else "an unknown host"
        self._console.print(
            f"waiting up to a minute for a sign of life of {owner.runner} on {host} …",
            markup=False,
        )

    def noted(self, text: str) -> None:
        """Show what is to be known about where the run takes place."""
        self._console.print(text, markup=False)
