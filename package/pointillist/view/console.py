"""Where text for people goes: a terminal with colours, or plain lines."""

from __future__ import annotations

import sys
from typing import IO

from rich.console import Console

__all__ = ["console_for"]

_ENDLESS = 10_000


def console_for(stream: IO[str] | None = None) -> Console:
    """Return a console for a stream, standard output by default.

    What is no terminal gets lines as long as they are, without colours.
    """
    stream = stream or sys.stdout
    width = None if stream.isatty() else _ENDLESS
    return Console(file=stream, highlight=False, soft_wrap=True, width=width, emoji=False)
