"""Commands end with the process that runs them, also when that is killed.

A small shell reads from a pipe which process group is at work. When this process dies, however it
dies, the system closes the pipe, and the shell kills the group that was named last.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

__all__ = ["at_work"]

_PROGRAM = """
group=
while read -r line; do group=$line; done
[ -z "$group" ] || kill -s KILL -- "-$group"
"""

_pipe: tuple[int, int] | None = None
_shell: subprocess.Popen[bytes] | None = None


def at_work(group: int | None) -> None:
    """Say which process group is at work now, if any.

    Where there can be no such shell, nothing is done: commands then outlive a runner that is
    killed, as they do anyway if it dies before it could say this.
    """
    with contextlib.suppress(OSError):
        if _pipe is None or _pipe[0] != os.getpid():  # that of a forked process is its parent's
            _begin()
        assert _pipe is not None
        os.write(_pipe[1], b"%d\n" % group if group is not None else b"\n")


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
        _pipe = os.getpid(), write
    except OSError:
        os.close(write)
        raise
    finally:
        os.close(read)
