"""What a file or folder was at one moment: size, time, and a hash of its content."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["COARSE", "Fingerprint", "glance", "look", "stamp"]


@dataclass(slots=True)
class Fingerprint:
    """One file or folder at one moment.

    Parameters
    ----------
    size : int
        Bytes; of a folder the sum over its files.
    mtime : int
        Nanoseconds since 1970; of a folder the latest of all that is in it.
    count : int or None
        The number of entries of a folder, None for a file.
    hash : str or None
        SHA-256 of the content; None above the limit up to which content is hashed.
    young : bool
        Whether it was written so shortly before that a later write may carry the same time.
    """

    size: int
    mtime: int
    count: int | None = None
    hash: str | None = None
    young: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data, without what is not set."""
        data: dict[str, Any] = {"size": self.size, "mtime": self.mtime}
        if self.count is not None:
            data["count"] = self.count
        if self.hash is not None:
            data["hash"] = self.hash
        if self.young:
            data["young"] = True
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Fingerprint:
        """Return the fingerprint that `as_json` described."""
        get = data.get
        return cls(data["size"], data["mtime"], get("count"), get("hash"), get("young", False))

    def same_glance(self, other: Fingerprint) -> bool:
        """Whether size, time and count agree."""
        return self.size == other.size and self.mtime == other.mtime and self.count == other.count


def glance(path: str | Path) -> Fingerprint | None:
    """Return the fingerprint of `path` without its hash, or None if there is nothing.

    One ``stat`` for a file; a folder is walked.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISDIR(status.st_mode):
        return Fingerprint(status.st_size, status.st_mtime_ns)
    size, count, latest = 0, 0, status.st_mtime_ns
    for entry in _entries(path):
        inner = entry.stat(follow_symlinks=not _is_dangling(entry))
        count += 1
        latest = max(latest, inner.st_mtime_ns)
        if not stat.S_ISDIR(inner.st_mode):
            size += inner.st_size
    return Fingerprint(size, latest, count)


def stamp(place: str) -> tuple[int, int] | None:
    """Return a file's size and time; None if it is a folder, or not there.

    Raises
    ------
    OSError
        If that cannot be known.
    """
    try:
        status = os.stat(place)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns


def look(path: str | Path, limit: int, now: int | None = None) -> Fingerprint | None:
    """Return the fingerprint of `path` with its hash, or None if there is nothing.

    Parameters
    ----------
    path : Path
        A file or folder.
    limit : int
        Content is hashed up to this many bytes.
    now : int, optional
        The file system's own time in nanoseconds; what is not clearly older is `young`.

    Raises
    ------
    OSError
        If it is there but cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        status = os.fstat(handle)
        seen: Fingerprint | None = None
        if not stat.S_ISDIR(status.st_mode):
            seen = Fingerprint(status.st_size, status.st_mtime_ns)
            if seen.size <= limit:
                seen.hash = _hash_of(handle, seen.size)
    finally:
        os.close(handle)
    if seen is None:
        seen = glance(path)
        if seen is None:
            return None
        if seen.size <= limit:
            seen.hash = content_hash(path)
    if now is not None and seen.mtime >= now - COARSE:
        seen.young = True
    return seen


COARSE = 20_000_000
"""Nanoseconds within which two writes may carry one time (a kernel tick is 1 to 10 ms)."""


_SMALL = 65_536
"""Bytes up to which a file is read in one piece."""


def _hash_of(handle: int, size: int) -> str:
    """Return the SHA-256 of an open file."""
    if size > _SMALL:
        with open(handle, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()  # what file_digest does costs four times as much for a small file
    room = size + 1
    while len(piece := os.read(handle, room)) == room:  # less comes at the end only
        whole.update(piece)
    whole.update(piece)
    return whole.hexdigest()


def content_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file's content, or of a folder's names and contents."""
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    whole = hashlib.sha256()
    for entry in _entries(path):
        name = os.fsencode(os.path.relpath(entry.path, path))
        kind = b"l" if _is_dangling(entry) else b"d" if entry.is_dir() else b"f"
        whole.update(kind + len(name).to_bytes(4, "big") + name)
        if kind == b"l":
            whole.update(hashlib.sha256(os.fsencode(os.readlink(entry.path))).digest())
        if kind == b"f":
            with open(entry.path, "rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


def _is_dangling(entry: os.DirEntry[str]) -> bool:
    """Whether it is a symbolic link that leads nowhere, or round in a circle."""
    return entry.is_symlink() and not os.path.exists(entry.path)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """Return everything below a folder, in an order that does not depend on the machine."""
    found: list[os.DirEntry[str]] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda e: os.fsencode(e.name)):
            found.append(entry)
            if entry.is_dir(follow_symlinks=False):
                found += _entries(entry.path)
    return found
