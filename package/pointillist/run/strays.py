"""Processes that a function has forked and that come back from it: they end there.

Such a process is a copy of the runner, and would go on with the runner's work beside it.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["ending_strays"]

T = TypeVar("T")


def ending_strays(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call something in this process; a fork of it that comes back, or raises, is ended.

    It exits as a program would: with 0, with what it gives to ``sys.exit``, or with 1.
    """
    process = os.getpid()
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
