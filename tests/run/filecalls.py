"""Every file operation of a process, one after the other: to die or to stop before each.

Python's audit events see an operation whatever it was called by: ``os.link``, ``Path.hardlink_to``
or a ``from os import link``. What they do not see, writes to open files, is patched by name, and so
is what comes after an ``open``: a file that is there, and empty.
"""

from __future__ import annotations

import builtins
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

AUDITED = frozenset(
    f"os.{name}"
    for name in ("chmod", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "truncate")
) | {"os.utime", "open", "subprocess.Popen"}
"""Events before a change: ``os.remove`` is also unlink, ``os.rename`` replace, and so on."""

WRITES = ("copy_file_range", "pwrite", "sendfile", "write", "writev")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def before_each(root: Path, act: Callable[[int], object]) -> Callable[[], int]:
    """From now on call `act` with 1, 2, … before each change of a file below `root`.

    It cannot be undone: only for a process that ends soon, a fork. Commands count as one operation
    before they start and one while they run; what they do to files themselves is not seen.

    Returns
    -------
    callable
        Gives the number of operations so far.
    """
    below = f"{root}/"
    done = 0

    def next_one() -> None:
        nonlocal done
        if "heartbeat" in threading.current_thread().name:
            return  # which comes when it comes
        done += 1
        act(done)

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if event not in AUDITED or (event == "open" and not args[2] & _WRITING):
            return
        if event == "subprocess.Popen" or _is_below(args[0], below):
            next_one()

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*args: Any, **options: Any) -> Any:
            next_one()
            return call(*args, **options)

        return counts

    def opened(call: Callable[..., Any]) -> Callable[..., Any]:
        def opens(path: Any, mode: Any = "r", *args: Any, **options: Any) -> Any:
            file = call(path, mode, *args, **options)
            writes = mode & _WRITING if isinstance(mode, int) else set("wax+") & set(mode)
            if writes and _is_below(path, below):
                next_one()
            return file

        return opens

    started = subprocess.Popen.__init__

    def starts(self: Any, *args: Any, **options: Any) -> None:
        started(self, *args, **options)
        next_one()

    for name in WRITES:
        setattr(os, name, counted(getattr(os, name)))
    os.open = opened(os.open)
    io.open = builtins.open = opened(open)
    subprocess.Popen.__init__ = starts  # type: ignore[method-assign]
    sys.addaudithook(heard)
    return lambda: done


def _is_below(path: Any, below: str) -> bool:
    """Whether a path is below a folder; numbers and relative paths are taken to be."""
    if isinstance(path, int):
        return True
    text = os.fsdecode(path)
    return text.startswith(below) or not text.startswith("/")


def dying(root: Path, number: int, work: Callable[[], Any]) -> Any:
    """Do something, but be killed before the file operation of a number."""
    before_each(root, lambda n: os.kill(os.getpid(), signal.SIGKILL) if n == number else None)
    return work()


def stopping(root: Path, number: int, work: Callable[[], Any]) -> Any:
    """Do something, but stop before the file operation of a number until somebody says go on."""
    before_each(root, lambda n: os.kill(os.getpid(), signal.SIGSTOP) if n == number else None)
    return work()


def count(fork: Any, root: Path, work: Callable[[], object]) -> int:
    """Return how many file operations something does; it is done in a fork."""
    place = root.parent / "count"

    def counting() -> None:
        so_far = before_each(root, lambda n: None)
        work()
        place.write_text(str(so_far()))

    assert 0 == fork(counting)
    return int(place.read_text())
