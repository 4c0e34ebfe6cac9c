"""Where text for people goes: a terminal with colours, or plain lines."""

from __future__ import annotations

import os
import sys
from typing import IO

from rich.console import Console

__all__ = ["console_for"]


def console_for(stream: IO[str] | None = None) -> Console:
    """Return a console for a stream, standard output by default.

    What is no terminal gets lines as long as they are, without colours.
    """
    stream = stream or sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", 0)) or 500
    return Console(file=stream, highlight=False, soft_wrap=True, width=width, emoji=False)
