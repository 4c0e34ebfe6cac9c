"""The actor: it holds a worker process on its node, and passes messages on to and from the run.

The worker is a process of its own, so that its main thread is free for steps, signals reach it, and
the actor can say how it ended and which task it was at. It ends with the actor.
"""

from __future__ import annotations

import contextlib
import mmap
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ..run.pooled import Place

__all__ = ["Post"]

_PROGRAM = (
    "import sys; sys.path[:] = {!r}; from pointillist.ray.worker import main; main({}, {}, {!r})"
)


class Post:
    """Starts a worker, and is where the run reaches it.

    Parameters
    ----------
    work : bytes
        What the worker needs to know: a `Work`.
    """

    def __init__(self, work: bytes) -> None:
        import ray

        node = ray.get_runtime_context().get_node_id()
        self._pipe, theirs = multiprocessing.Pipe()
        with tempfile.TemporaryFile() as file:
            file.truncate(Place.FORM.size)
            self._place = Place(mmap.mmap(file.fileno(), Place.FORM.size), 0)
            # found where this process finds it, also where a driver has said so
            paths = [str(Path(__file__).parents[2]), *sys.path]
            ends = theirs.fileno(), file.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM.format(list(dict.fromkeys(paths)), *ends, node)],
                stdin=subprocess.DEVNULL,
                pass_fds=ends,
            )
        theirs.close()
        self.told(work)

    def told(self, message: bytes) -> None:
        """Pass a message on to the worker; one that has ended is found so."""
        with contextlib.suppress(OSError):
            self._pipe.send_bytes(message)

    def heard(self) -> tuple[list[bytes], tuple[int, int, float] | None]:
        """Wait until the worker says something, and return it.

        Returns
        -------
        list of bytes
            What it has said.
        tuple or None
            When it has ended: its exit code, the number of the task that it was at, or `NOTHING`,
            and since when.
        """
        messages: list[bytes] = []
        try:
            while not messages or self._pipe.poll():
                messages.append(self._pipe.recv_bytes())
        except (EOFError, OSError):
            return messages, (self._process.wait(), *self._place.get())
        return messages, None

    def stop(self) -> None:
        """End what the worker is at, as Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            if self._process.poll() is None:
                os.kill(self._process.pid, signal.SIGINT)
