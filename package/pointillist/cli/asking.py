"""Asking before something is done that is not easily undone."""

from __future__ import annotations

import sys

from ..errors import ConfigurationError

__all__ = ["agreed"]


def agreed(question: str = "Remove this?", nothing: str = "nothing was removed") -> bool:
    """Ask at the terminal whether what was shown may be done; return whether it may.

    Parameters
    ----------
    question : str
        What is asked.
    nothing : str
        What has happened if nobody can be asked.

    Raises
    ------
    ConfigurationError
        If there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{nothing}: there is no terminal to ask at. Say --yes, or --pretend to look only."
        )
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
