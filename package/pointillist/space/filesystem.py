"""The file system under a data space: which it is, what it can do, how much room it has."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NO_LINKS", "Mount", "Room", "Trial", "mount_of", "room_of", "try_out"]

NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""How a file system says that it has no hard links, or none here."""

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = {
    *("9p", "afs", "beegfs", "ceph", "cifs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
    *("orangefs", "panfs", "pvfs2", "smb3", "smbfs", "virtiofs", "wekafs"),
}
_BLOCK = 4096


@dataclass(frozen=True)
class Mount:
    """A file system that is mounted somewhere.

    Attributes
    ----------
    point : Path
        Where it is mounted.
    kind : str
        Its type in the system's own word: ``ext4``, ``nfs4``, ``fuse.sshfs``.
    """

    point: Path
    kind: str

    @property
    def network(self) -> bool:
        """Whether it is, or for FUSE may be, on other machines."""
        return self.kind in _NETWORK or self.kind.partition(".")[0] == "fuse"


@dataclass(frozen=True)
class Room:
    """How much room there is for this user.

    Attributes
    ----------
    free, size : int
        Bytes.
    free_inodes, inodes : int
        Files and folders; both 0 where the file system does not count them.
    """

    free: int
    size: int
    free_inodes: int
    inodes: int


@dataclass(frozen=True)
class Trial:
    """What was seen when a file was made, linked and removed.

    Attributes
    ----------
    links : bool
        Whether there can be a hard link from the project's folder into the workspace.
    ahead : float
        Seconds by which the file system's clock is ahead of this process's; negative if behind.
    """

    links: bool
    ahead: float


def mount_of(folder: Path, mounts: str | None = None) -> Mount | None:
    """Find the file system that a folder lies on.

    Parameters
    ----------
    folder : Path
        The folder; links in its path are followed.
    mounts : str, optional
        What is mounted, as in proc(5) ``/proc/PID/mountinfo``; by default what this process sees.

    Returns
    -------
    Mount or None
        The deepest mount point above the folder, of several on one point the last; None where the
        system does not tell.
    """
    if mounts is None:
        try:
            mounts = os.fsdecode(_MOUNTS.read_bytes())
        except OSError:
            return None
    path = Path(os.path.realpath(folder))
    found = None
    for line in mounts.split("\n"):
        before, _, after = line.partition(" - ")
        words = before.split(" ")
        if len(words) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), words[4]))
        deeper = found is None or len(point.parts) >= len(found.point.parts)
        if deeper and path.is_relative_to(point):
            found = Mount(point, after.split(" ")[0])
    return found


def room_of(folder: Path) -> Room:
    """Tell how much room there is where a folder lies.

    Raises
    ------
    OSError
        If the file system does not tell.
    """
    told = os.statvfs(folder)
    unit = told.f_frsize or told.f_bsize
    return Room(told.f_bavail * unit, told.f_blocks * unit, told.f_favail, told.f_files)


def try_out(folder: Path, workspace: Path) -> Trial:
    """Make a file in a folder, link it into another as a claim is, and remove both.

    Nothing is left behind: a signal that comes in between waits until all is removed.

    Parameters
    ----------
    folder : Path
        The project's folder.
    workspace : Path
        The folder for jobs.

    Raises
    ------
    OSError
        If one of them cannot be written; ``filename`` says where.
    """
    name = f".{secrets.token_hex(8)}.trial"
    file, link = folder / name, workspace / f"{name}.link"
    with _undisturbed():
        try:
            before = time.time()
            made = _write(file)
            after = time.time()
            return Trial(_link(file, link), made - min(max(made, before), after))
        finally:
            for path in (link, file):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals wait until the block is over."""
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def _link(file: Path, link: Path) -> bool:
    """Make a hard link, or a file where there can be none; tell which."""
    try:
        os.link(file, link)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise OSError(error.errno, error.strerror, str(link.parent)) from error
        _write(link)
        return False
    return True


def _write(file: Path) -> float:
    """Write a file through to the disk; give its time as the file system has it."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, bytes(_BLOCK))
            os.fsync(handle)
        finally:
            os.close(handle)
        return os.stat(file).st_mtime
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file.parent)) from error
