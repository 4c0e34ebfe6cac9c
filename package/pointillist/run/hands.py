"""A worker of a pool, as its run sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable
from multiprocessing.connection import Connection
from typing import Any

from ..plan.tasks import Task
from .pooled import Place, Pooled, Wire

__all__ = ["Forked", "Hand"]


class Hand(ABC):
    """A worker of a pool, as its run sees it.

    Parameters
    ----------
    wire : Wire
        To it.

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
    shape : hashable
        Which tasks it can carry out; None if all.
    since : float
        When it was last known to begin something.
    begun : set of (str, str)
        What it has said to have begun.
    known : set of (str, str)
        What it has been told of others.
    born : int
        How many tasks had been settled of which it knows by itself.
    is_asked, is_ending : bool
        Whether it was asked to give back what it has not begun, or will do nothing more.
    exitcode : int or None
        How its process has ended; ``-n`` for signal ``n``.
    lost : str
        Why nothing can be known of how it has ended; empty if `exitcode` says how.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.journal = ""
        self.tasks: dict[Task, None] = {}
        self.last = self.width = self.born = 0
        self.shape: Hashable = None
        self.since = 0.0
        self.begun: set[tuple[str, str]] = set()
        self.known: set[tuple[str, str]] = set()
        self.is_asked = self.is_ending = False
        self.exitcode: int | None = None
        self.lost = ""

    @property
    def ends(self) -> list[Any]:
        """What can be waited for: its wire, and a number for the end of its process."""
        return [self.wire.pipe]

    @abstractmethod
    def is_alive(self) -> bool:
        """Whether it has not ended."""

    @abstractmethod
    def doing(self) -> tuple[int, float]:
        """Return the number of the task that it is or was at, or `NOTHING`, and since when."""

    @abstractmethod
    def say(self, *message: Any) -> None:
        """Tell it something; one that has died will be found so."""

    @abstractmethod
    def stop(self) -> None:
        """End what it is at, as Ctrl-C does."""

    @abstractmethod
    def close(self) -> None:
        """Wait for its end."""


class Forked(Hand):
    """A worker that was forked from the run; made by `Forked.from_run`.

    Parameters
    ----------
    process : Process
        Its process.
    wire : Wire
        To it.
    place : Place
        Where it notes which task it is at.
    """

    def __init__(self, process: Any, wire: Wire, place: Place) -> None:
        super().__init__(wire)
        self.process, self._place = process, place

    @classmethod
    def from_run(
        cls, made: Callable[[Connection], Pooled], others: Iterable[Hand], space: Any
    ) -> Forked:
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

    @property
    def ends(self) -> list[Any]:
        """Its wire, and what the system says of the end of its process."""
        return [self.wire.pipe, self.process.sentinel]

    def is_alive(self) -> bool:
        """Whether its process lives."""
        return bool(self.process.is_alive())

    def doing(self) -> tuple[int, float]:
        """Return what its place says."""
        return self._place.get()

    def say(self, *message: Any) -> None:
        """Tell it something."""
        with contextlib.suppress(OSError):
            self.wire.send(message)

    def stop(self) -> None:
        """Send it SIGINT."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGINT)

    def close(self) -> None:
        """Wait for its end."""
        self.process.join()
        self.exitcode = self.process.exitcode
        self.wire.pipe.close()


def _work(runner: Pooled, pipes: list[Connection]) -> None:
    """Begin to work, in a process that was just forked."""
    for pipe in pipes:
        pipe.close()  # so that each worker sees when the run is gone
    runner.serve()
