"""What Python functions print goes to the log of their attempt, also of several at once."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

__all__ = ["LazyLog", "printing_to"]


class LazyLog:
    """A log that is made if anything is printed.

    Parameters
    ----------
    begin : callable
        Makes the log, and gives its place.
    """

    def __init__(self, begin: Callable[[], Path]) -> None:
        self._begin = begin
        self._file: TextIO | None = None

    def write(self, text: str) -> int:
        """Write to the log."""
        if self._file is None:
            path = self._begin()
            self._file = path.open("a", encoding="utf-8", errors="replace", buffering=1)
        return self._file.write(text)

    def flush(self) -> None:
        """See to it that all that was written is in the log."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the log."""
        if self._file is not None:
            self._file.close()


class _Printed(io.TextIOBase):
    """Stands for ``sys.stdout`` or ``sys.stderr`` while functions are carried out.

    Each thread has a log of its own. Threads that a function has started print to its log, if it
    is the only one that is carried out; else to where was printed before.
    """

    def __init__(self, before: TextIO) -> None:
        self.before = before

    def writable(self) -> bool:
        return True

    def _place(self) -> TextIO | LazyLog:
        logs = _logs.get(threading.get_ident())
        if logs is None and len(_logs) == 1:
            logs = next(iter(_logs.values()), None)
        return logs[-1] if logs else self.before

    def write(self, text: str) -> int:
        return self._place().write(text)

    def flush(self) -> None:
        self._place().flush()

    def close(self) -> None:
        """Close nothing: what a function prints after that, or raises, belongs to the log too."""


_logs: dict[int, list[LazyLog]] = {}
_lock = threading.Lock()
_before: tuple[TextIO, TextIO] = sys.stdout, sys.stderr


class printing_to:  # noqa: N801  # it reads as a sentence: with printing_to(log)
    """Let what this thread prints go to a log, which is closed at the end."""

    __slots__ = ("_log",)

    def __init__(self, log: LazyLog) -> None:
        self._log = log

    def __enter__(self) -> None:
        """Begin."""
        global _before
        with _lock:
            if not _logs:
                _before = sys.stdout, sys.stderr
                sys.stdout, sys.stderr = _Printed(sys.stdout), _Printed(sys.stderr)
            _logs.setdefault(threading.get_ident(), []).append(self._log)

    def __exit__(self, *_: object) -> None:
        """Print to where was printed before."""
        thread = threading.get_ident()
        with _lock:
            _logs[thread].pop()
            if not _logs[thread]:
                del _logs[thread]
            if not _logs:
                sys.stdout, sys.stderr = _before
        self._log.close()
