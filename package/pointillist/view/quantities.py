"""Times, sizes and hashes, as people read them."""

from __future__ import annotations

import time

__all__ = ["about", "bytes_in_words", "counted", "local_time", "seconds_in_words", "short_hash"]


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


def about(seconds: float) -> str:
    """Return how long something will take: ``about 40 s``, ``about 3.2 h``, ``less than 1 s``."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 0.95 * size:
            amount = seconds / size
            return f"about {amount:.{1 if amount < 9.95 and unit == 'h' else 0}f} {unit}"
    return f"about {seconds:.0f} s" if seconds >= 1 else "less than 1 s"


def counted(number: int, word: str) -> str:
    """Return a number of things: ``1 task``, ``12 tasks``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def bytes_in_words(size: int, count: int | None = None) -> str:
    """Return a size, of a folder with the number of its entries: ``300 B in 3 entries``."""
    return f"{size} B" + ("" if count is None else f" in {count} entries")


def short_hash(digest: str) -> str:
    """Return how a hash begins."""
    return digest[:8]
