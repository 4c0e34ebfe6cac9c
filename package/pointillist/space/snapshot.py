"""What lies on disk, as it was when first asked for."""

from __future__ import annotations

import os
from pathlib import Path

from .claims import Owner, owner_of
from .fingerprints import Fingerprint, content_hash, glance
from .layout import JobFolder, claims_in

__all__ = ["Snapshot"]


class Snapshot:
    """A memory of listings, sizes and hashes, so that each is asked of the disk once.

    Costs one listing a job, one ``stat`` a file that a task names, and one read of each file
    whose time differs from what was recorded while its size does not.
    """

    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}
        self._claims: dict[Path, dict[str, list[int]]] = {}
        self._glances: dict[Path, dict[str, Fingerprint | None]] = {}
        self._hashes: dict[tuple[Path, int, int], str] = {}

    def names(self, folder: JobFolder) -> frozenset[str]:
        """Return the names in a job's folder."""
        if folder.path not in self._names:
            try:
                found = frozenset(os.listdir(folder.path))
            except FileNotFoundError:
                found = frozenset()
            self._names[folder.path] = found
        return self._names[folder.path]

    def claims(self, folder: JobFolder, step: str) -> list[int]:
        """Return the generations of the claims on a step."""
        if folder.path not in self._claims:
            hidden = [name for name in self.names(folder) if name.startswith(".")]
            self._claims[folder.path] = claims_in(hidden) if hidden else {}
        return self._claims[folder.path].get(step, [])

    def owner(self, folder: JobFolder, step: str) -> Owner | None:
        """Return who holds the highest claim on a step, or None."""
        generations = self.claims(folder, step)
        return owner_of(folder, step, generations[-1]) if generations else None

    def glance(self, path: Path) -> Fingerprint | None:
        """Return size and time of a file or folder, or None if it is not there."""
        known = self._glances.setdefault(path.parent, {})
        if path.name not in known:
            known[path.name] = glance(path)
        return known[path.name]

    def output(self, folder: JobFolder, filename: str) -> Fingerprint | None:
        """Return size and time of an output, without a ``stat`` if the listing lacks it."""
        if filename not in self.names(folder):
            return None
        return self.glance(folder.output(filename))

    def hash(self, path: Path, seen: Fingerprint) -> str:
        """Return the hash of what was `seen` at `path`."""
        key = (path, seen.size, seen.mtime)
        if key not in self._hashes:
            self._hashes[key] = content_hash(path)
        return self._hashes[key]

    def remember_hash(self, path: Path, seen: Fingerprint) -> None:
        """Take over a hash that is known."""
        if seen.hash is not None and not seen.young:
            self._hashes[(path, seen.size, seen.mtime)] = seen.hash

    def forget(self, folder: JobFolder) -> None:
        """Ask the disk anew about a job's folder."""
        self._names.pop(folder.path, None)
        self._claims.pop(folder.path, None)
        self._glances.pop(folder.path, None)

    def forget_path(self, path: Path) -> None:
        """Ask the disk anew about one file."""
        self._glances.get(path.parent, {}).pop(path.name, None)
