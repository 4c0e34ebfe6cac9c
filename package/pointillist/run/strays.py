"""What a function may not leave behind in the runner's process: a fork of it, another folder.

A process that a function has forked, and that comes back from it, is a copy of the runner and would
go on with the runner's work beside it. In another working folder the next function could do
something else than it does on its own.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["contained"]

T = TypeVar("T")


def contained(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call something in this process, and go back to the working folder in which it was called.

    A fork of this process that comes back from it is ended. It exits as a program would: with 0,
    with what it gives to ``sys.exit``, or with 1 and a traceback.
    """
    process, folder = os.getpid(), _folder()
    code = 0
    try:
        return call(*args, **kwargs)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    except BaseException:
        code = 1
        if os.getpid() != process:
            traceback.print_exc()
        raise
    finally:
        if os.getpid() != process:
            try:
                sys.stdout.flush()
            finally:
                os._exit(code & 0xFF)
        if folder and _folder() != folder:
            with contextlib.suppress(OSError):  # it is gone
                os.chdir(folder)


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""
