"""Asking before something is removed."""

from __future__ import annotations

import sys

from ..errors import ConfigurationError

__all__ = ["agreed"]


def agreed() -> bool:
    """Ask at the terminal whether what was shown may be removed; return whether it may.

    Raises
    ------
    ConfigurationError
        If there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nothing was removed: there is no terminal to ask at. Say --yes, or --pretend to look "
            "only."
        )
    print("Remove this? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
