"""Times, sizes and hashes, as people read them."""

from __future__ import annotations

import time

__all__ = ["bytes_in_words", "local_time", "seconds_in_words", "short_hash"]


def local_time(moment: float) -> str:
    """Return seconds since 1970 as a local time: ``2026-11-20 14:03:59``."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))


def seconds_in_words(seconds: float) -> str:
    """Return a duration: ``0.25 s``, ``3.1 s``, ``75 s``, ``2:03:04``."""
    if seconds >= 600:
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{seconds:.{2 if seconds < 1 else 1 if seconds < 60 else 0}f} s"


def bytes_in_words(size: int, count: int | None = None) -> str:
    """Return a size, of a folder with the number of its entries: ``300 B in 3 entries``."""
    return f"{size} B" + ("" if count is None else f" in {count} entries")


def short_hash(digest: str) -> str:
    """Return how a hash begins."""
    return digest[:8]
