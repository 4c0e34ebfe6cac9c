"""A worker of a pool, as its run sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from typing import Any

from ..plan.tasks import Task
from .pooled import Place, Pooled, Wire

__all__ = ["Hand"]


class Hand:
    """A worker of a pool, as its run sees it; made by `Hand.forked`.

    Parameters
    ----------
    process : Process
        Its process.
    wire : Wire
        To it.
    place : Place
        Where it notes which task it is at.

    Attributes
    ----------
    journal : str
        Where its journal lies.
    tasks : dict of Task to None
        What is handed out to it and not settled, in order.
    last : int
        How many tasks it got last.
    width : int
        How many processes the tasks take that it has.
    since : float
        When it was last known to begin something.
    begun : set of (str, str)
        What it has said to have begun.
    known : set of (str, str)
        What it has been told of others.
    born : int
        How many tasks had been settled when it was forked.
    is_asked, is_ending : bool
        Whether it was asked to give back what it has not begun, or will do nothing more.
    """

    def __init__(self, process: Any, wire: Wire, place: Place) -> None:
        self.process, self.wire, self.place = process, wire, place
        self.journal = ""
        self.tasks: dict[Task, None] = {}
        self.last = self.width = self.born = 0
        self.since = 0.0
        self.begun: set[tuple[str, str]] = set()
        self.known: set[tuple[str, str]] = set()
        self.is_asked = self.is_ending = False

    @classmethod
    def forked(
        cls, made: Callable[[Connection], Pooled], others: Iterable[Hand], space: Any
    ) -> Hand:
        """Fork a worker.

        Parameters
        ----------
        made : callable
            Gives what it does, with its end of a pipe.
        others : iterable of Hand
            The other workers.
        space : DataSpace
            The records.
        """
        ours, theirs = multiprocessing.Pipe()
        runner = made(theirs)
        pipes = [ours, *(hand.wire.pipe for hand in others)]
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_work, args=(runner, pipes), name="pointillist pool")
        process.start()
        theirs.close()
        return cls(process, Wire(ours, space), runner.place)

    def say(self, *message: Any) -> None:
        """Tell it something; one that has died will be found so."""
        with contextlib.suppress(OSError):
            self.wire.send(message)

    def close(self) -> None:
        """Wait for its end."""
        self.process.join()
        self.wire.pipe.close()


def _work(runner: Pooled, pipes: list[Connection]) -> None:
    """Begin to work, in a process that was just forked."""
    for pipe in pipes:
        pipe.close()  # so that each worker sees when the run is gone
    runner.serve()
