"""Making many objects that stay: Python looks for garbage among them again and again."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["garbage_left"]


@contextlib.contextmanager
def garbage_left() -> Iterator[None]:
    """Leave garbage that refers to itself until the end.

    For a hundred thousand records looking for it takes a fifth of the time.
    """
    is_usual = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_usual:
            gc.enable()
