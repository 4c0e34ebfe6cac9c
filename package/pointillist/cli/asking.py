"""Asking before something is removed."""

from __future__ import annotations

import sys

from ..errors import ConfigurationError

__all__ = ["agreed"]


def agreed(yes: bool) -> bool:
    """Whether what was shown may be removed: said with ``--yes``, or asked for at a terminal.

    Raises
    ------
    ConfigurationError
        If there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "nothing was removed: there is no terminal to ask at. Say --yes, or --pretend to look "
            "only."
        )
    print("Remove this? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
