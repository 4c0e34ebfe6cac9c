"""What an attempt ran in: interpreter, packages, host, commit, MATLAB. Written once for each."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ..space.layout import Layout

__all__ = ["Environment"]


class Environment:
    """The environment of this process, as it is recorded.

    Parameters
    ----------
    layout : Layout
        The project's places.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._base: dict[str, Any] | None = None
        self._known: dict[str, str] = {}

    def record(self, matlab: str = "") -> str:
        """Write the environment down if it is not yet, and return the hash that it goes by.

        Parameters
        ----------
        matlab : str
            Program and version of MATLAB or Octave, if the attempt uses it.
        """
        if matlab not in self._known:
            if self._base is None:
                self._base = _describe(self._layout.root)
            told = {**self._base, "matlab": matlab} if matlab else self._base
            text = json.dumps(told, indent=1, sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            place = self._layout.environment(digest)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                fresh = place.with_suffix(f".{os.getpid()}")
                fresh.write_text(text + "\n", encoding="utf-8")
                os.replace(fresh, place)
            self._known[matlab] = digest
        return self._known[matlab]


def _describe(root: Path) -> dict[str, Any]:
    told = [found.metadata for found in distributions()]  # each asked for once: it is parsed
    packages = {meta["Name"]: meta["Version"] for meta in told if meta["Name"]}
    return {
        "python": platform.python_version(),
        "interpreter": sys.executable,
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "packages": dict(sorted(packages.items())),
        "commit": _commit(root),
    }


def _commit(root: Path) -> str | None:
    """Return the git commit of the project, with ``+`` if files differ from it."""
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no", "--", "."],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return found + ("+" if changed else "")
