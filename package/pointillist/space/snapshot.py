"""What lies on disk, as it was when first asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from pathlib import Path

from .claims import Claim, Owner, owner_of
from .fingerprints import Fingerprint, content_hash, glance
from .layout import JobFolder, claims_in

__all__ = ["Snapshot"]


class _Job:
    """What was seen in one job's folder, or any other."""

    __slots__ = ("claims", "glances", "names")

    def __init__(self) -> None:
        self.names: set[str] | None = None
        self.claims: dict[str, list[int]] | None = None
        self.glances: dict[str, Fingerprint | None] = {}


class Snapshot:
    """A memory of listings, sizes and hashes, so that each is asked of the disk once.

    Costs one listing a job, one ``stat`` a file that a task names, and one read of each file
    whose time differs from what was recorded while its size does not.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._hashes: dict[tuple[str, int, int], str] = {}

    def _job(self, place: str) -> _Job:
        found = self._jobs.get(place)
        if found is None:
            found = self._jobs[place] = _Job()
        return found

    def names(self, folder: JobFolder) -> Set[str]:
        """Return the names in a job's folder."""
        job = self._job(folder.place)
        if job.names is None:
            try:
                job.names = set(os.listdir(folder.place))
            except FileNotFoundError:
                job.names = set()
        return job.names

    def claims(self, folder: JobFolder, step: str) -> list[int]:
        """Return the generations of the claims on a step."""
        job = self._job(folder.place)
        if job.claims is None:
            job.claims = claims_in(self.names(folder))
        return job.claims.get(step, [])

    def owner(self, folder: JobFolder, step: str) -> Owner | None:
        """Return who holds the highest claim on a step, or None."""
        generations = self.claims(folder, step)
        return owner_of(folder, step, generations[-1]) if generations else None

    def glance(self, path: str | Path) -> Fingerprint | None:
        """Return size and time of a file or folder, or None if it is not there."""
        place, _, name = str(path).rpartition("/")
        known = self._job(place).glances
        if name not in known:
            known[name] = glance(path)
        return known[name]

    def output(self, folder: JobFolder, filename: str) -> Fingerprint | None:
        """Return size and time of an output, without a ``stat`` if the listing lacks it."""
        if filename not in self.names(folder):
            return None
        return self.glance(folder.file(filename))

    def hash(self, path: str | Path, seen: Fingerprint) -> str:
        """Return the hash of what was `seen` at `path`."""
        key = (str(path), seen.size, seen.mtime)
        if key not in self._hashes:
            self._hashes[key] = content_hash(path)
        return self._hashes[key]

    def claimed(self, claim: Claim) -> None:
        """Take over the names that were there when a claim was made; ask anew for the files."""
        job = self._jobs[claim.folder.place] = _Job()
        job.names = set(claim.names)
        job.names.discard(claim.name)

    def made(self, folder: JobFolder, files: Mapping[str, Fingerprint]) -> None:
        """Take over that files have just come into a job's folder."""
        job = self._job(folder.place)
        if job.names is not None:
            job.names.update(files)
        job.glances.update(files)

    def forget(self, folder: JobFolder) -> None:
        """Ask the disk anew about a job's folder."""
        self._jobs.pop(folder.place, None)

    def forget_path(self, path: str | Path) -> None:
        """Ask the disk anew about one file."""
        place, _, name = str(path).rpartition("/")
        job = self._jobs.get(place)
        if job is not None:
            job.glances.pop(name, None)
