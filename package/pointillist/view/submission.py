"""What was handed to a scheduler, or would be."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from rich.console import Console

from .quantities import counted

__all__ = ["in_words", "show_array", "show_submitted"]


def show_array(console: Console, title: str, command: Sequence[str] = (), script: str = "") -> None:
    """Print one array: what is in it, and, where it is not sent, command and script."""
    console.print(title, markup=False)
    if command:
        console.print(f"$ {shlex.join(command)}", markup=False)
        console.print(script.strip("\n") + "\n", markup=False)


def in_words(counts: Mapping[str, int]) -> str:
    """Return how many tasks there are of each step."""
    return ", ".join(f"{count} of {step}" for step, count in counts.items())


def show_submitted(
    console: Console,
    what: str,
    counts: Mapping[str, int],
    queued: int,
    left: Mapping[str, int],
    nothing: str = "",
) -> None:
    """Print how much was submitted, and what was not.

    Parameters
    ----------
    console : Console
        Where to.
    what : str
        ``submitted``, or ``would be submitted``.
    counts : Mapping of str to int
        How many tasks of each step.
    queued : int
        How many tasks the scheduler had already.
    left : Mapping of str to int
        How many others are not complete, by state.
    nothing : str
        Why there is no task at all, if there is none.
    """
    total = sum(counts.values())
    told = f"{what}: {counted(total, 'task')} ({in_words(counts)})" if total else f"nothing {what}"
    if nothing:
        told += f": {nothing}"
    elif not total and not queued and not left:
        told += ": all is complete"
    if queued:
        told += f"; the scheduler has {counted(queued, 'task')} already"
    console.print(f"{told}.", markup=False)
    if left:
        states = ", ".join(f"{count} {state}" for state, count in left.items())
        console.print(f"not submitted: {states}; `why` says more.", markup=False)
    if left.get("failed"):
        console.print("What failed is submitted with --retry-failed.", markup=False)
