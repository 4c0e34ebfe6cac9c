"""Commands end with the process that runs them, also when that is killed.

A small shell reads from a pipe which process groups are at work. When this process dies, however
it dies, the system closes the pipe, and the shell kills the groups that were named last. It also
removes the spool folders of MATLAB sessions that were named.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from pathlib import Path

__all__ = ["begun", "ended"]

_PROGRAM = """
groups=
while IFS= read -r line; do
    case $line in
        /*) set -- "$@" "$line" ;;
        *) groups=$line ;;
    esac
done
[ -z "$groups" ] || kill -s KILL -- $groups
for folder; do rm -f -- "$folder"/pointillist_*; rmdir -- "$folder"; done
"""

_groups: set[int] = set()
_lock = threading.Lock()
_pipe = -1
_shell: subprocess.Popen[bytes] | None = None


def begun(group: int, folder: Path | None = None) -> None:
    """Say that a process group is at work, and which spool folder it has.

    Where there can be no such shell, nothing is done: commands then outlive a runner that is
    killed, as they do anyway if it dies before it could say this.
    """
    with _lock:
        _groups.add(group)
        _tell()
        if folder is not None and "\n" not in str(folder) and _pipe >= 0:
            with contextlib.suppress(OSError):
                os.write(_pipe, os.fsencode(folder) + b"\n")


def ended(group: int) -> None:
    """Say that a process group is at work no more."""
    with _lock:
        _groups.discard(group)
        _tell()


def _tell() -> None:
    try:
        if _pipe < 0:
            _begin()
        os.write(_pipe, " ".join(f"-{group}" for group in _groups).encode() + b"\n")
    except OSError:
        _forget()  # there is none, or somebody has killed it: the next command tries anew


def _begin() -> None:
    global _pipe, _shell
    read, write = os.pipe()
    try:
        _shell = subprocess.Popen(
            ["/bin/sh", "-c", _PROGRAM],
            stdin=read,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        os.close(write)
        raise
    finally:
        os.close(read)
    _pipe = write


def _forget() -> None:
    global _pipe, _shell
    if _pipe >= 0:
        with contextlib.suppress(OSError):
            os.close(_pipe)
    _pipe, _shell = -1, None


def _of_its_own() -> None:
    """Leave the shell to the process that this one was forked from."""
    global _lock
    _lock = threading.Lock()
    _groups.clear()
    _forget()


os.register_at_fork(after_in_child=_of_its_own)
