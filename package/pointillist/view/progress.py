"""How a run goes: a bar on a terminal, a line a task elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..plan.states import Verdict
from ..plan.tasks import Task
from ..run.runner import Listener
from ..space.claims import Owner
from ..space.journals import Attempt
from .reasons import in_words

__all__ = ["RunProgress"]


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
        if self._bar is not None:
            self._bar.update(self._line, description=escape(str(task)), total=self._count)
        else:
            place = f"[{self._number:>{len(str(self._count))}}/{self._count}]"
            self._console.print(f"{place} {task}  ({in_words(verdict)})", markup=False)

    def ended(self, task: Task, attempt: Attempt) -> None:
        """Show an attempt that failed."""
        if self._bar is not None:
            self._bar.advance(self._line)
        if attempt.outcome != "complete":
            self._console.print(f"failed: {task}: {attempt.error}", style="red", markup=False)

    def waiting_for(self, owner: Owner) -> None:
        """Say whom the run waits for."""
        host = owner.identity.host if owner.identity else "an unknown host"
        self._console.print(
            f"waiting up to a minute for a sign of life of {owner.runner} on {host} …",
            markup=False,
        )
