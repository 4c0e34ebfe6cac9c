"""Claims: which runner has taken which step of which job.

A claim is a hard link to the runner's journal, ``.<step>.claim.<generation>`` in the job's folder.
Making a link is atomic and fails if the name is there, also on network file systems; the first
line of what it leads to says who the runner is; and as it is the journal, its time is the runner's
heartbeat and its lines are the runner's attempts. Where there can be no hard link (a workspace on
another disk), a file with a copy of the first line stands in; the runner moves its time as well.

A dead runner's claim is never removed and made anew: two could do that at once. The next
generation is made instead, exclusively, and who makes it clears up after the dead. As others may
have taken over, finished and cleared up between a look and a claim, a runner looks once more
*after* it has made its claim: it holds the step only if no higher generation is there, and if the
claim below its own is still that of the dead one. Of two who see each other at least one gives way.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Set
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SpaceError
from .filesystem import NO_LINKS
from .identity import Identity
from .journals import Journal, clock, read_journal
from .layout import JobFolder, claim_name, claims_in

__all__ = ["Claim", "Owner", "owner_of", "take"]


@dataclass(frozen=True)
class Owner:
    """Who made a claim.

    Parameters
    ----------
    runner : str
        The runner's journal.
    identity : Identity or None
        The process; None if the claim does not say.
    beat : int
        When the runner last showed that it lives, in the file system's nanoseconds.
    start : float or None
        When the runner began, in seconds since 1970 by its clock; None if the claim does not say.
    """

    runner: str
    identity: Identity | None
    beat: int
    start: float | None = None

    @property
    def alive(self) -> bool | None:
        """Whether the runner lives: True, False, or None if that cannot be known from here."""
        return self.identity.alive() if self.identity is not None else None


@dataclass(slots=True)
class Claim:
    """A claim that this process holds.

    Parameters
    ----------
    folder : JobFolder
        The job's folder.
    step : str
        The step's name.
    generation : int
        1, or more if earlier claims were left behind by the dead.
    left : tuple of int
        The generations that were left behind.
    runner : str
        This process's journal.
    inode : (int, int)
        Device and number of the file that the claim is.
    made : float
        When it was made, by `journals.clock`.
    alone : bool
        Whether there was no claim on a step that depends on this one.
    names : list of str
        The names in the job's folder just after the claim was made.
    """

    folder: JobFolder
    step: str
    generation: int
    left: tuple[int, ...] = ()
    runner: str = ""
    inode: tuple[int, int] = (0, 0)
    made: float = 0.0
    alone: bool = True
    names: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called in the job's folder."""
        return claim_name(self.step, self.generation)

    @property
    def place(self) -> str:
        """Where it lies."""
        return self.folder.file(self.name)

    def superseded(self) -> bool:
        """Whether another runner thought this one dead and took over; it may even have finished.

        Who takes over makes the next generation while this one is there, and removes this one
        before its own: so there is the next one, or this one is gone, or is another's.
        """
        if os.path.lexists(self.folder.file(claim_name(self.step, self.generation + 1))):
            return True
        return not self._is_own()

    def release(self, sure: bool = False) -> None:
        """Remove the claim: those left behind first, its own last. Another's is left alone.

        Parameters
        ----------
        sure : bool
            Whether it is known that nobody took over.
        """
        if sure or self._is_own():
            for generation in self.left:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.folder.file(claim_name(self.step, generation)))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.place)

    def _is_own(self) -> bool:
        try:
            seen = os.stat(self.place)
        except OSError:
            return False
        if (seen.st_dev, seen.st_ino) == self.inode:
            return True
        # some file systems give a file another number each time it is looked up
        owner = owner_of(self.folder, self.step, self.generation)
        return owner is not None and owner.runner == self.runner


def take(
    folder: JobFolder,
    step: str,
    left: list[int],
    journal: Journal,
    above: Set[str] = frozenset(),
    below: Set[str] = frozenset(),
) -> Claim | None:
    """Claim a step, or return None if another runner was faster.

    Parameters
    ----------
    folder : JobFolder
        The job's folder.
    step : str
        The step's name.
    left : list of int
        The generations of the claims that are there, ascending, all of dead runners.
    journal : Journal
        This runner's journal.
    above : set of str
        The steps of the same job that it depends on: who has claimed one of them has this one too.
    below : set of str
        The steps of the same job that depend on it.

    Raises
    ------
    SpaceError
        If the job's folder cannot be written.
    """
    last = left[-1] if left else 0
    dead = owner_of(folder, step, last) if left else None
    if left and (dead is None or dead.alive):
        return None
    source = journal.open()
    claim = Claim(folder, step, last + 1, tuple(left), journal.runner, journal.inode, clock())
    place = claim.place
    try:
        try:
            os.link(source, place)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            claim.inode = _copy(source, place)
            journal.beat_also(Path(place))
        claim.names = os.listdir(folder.place)
        there = claims_in(claim.names)
        claim.alone = below.isdisjoint(there)
        lost = there.get(step, [])[-1:] != [claim.generation] or not above.isdisjoint(there)
        if lost or (dead and not _is_same(dead, owner_of(folder, step, last))):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            return None
    except FileExistsError:
        return None
    except OSError as error:
        raise SpaceError(
            f"{folder.place} cannot be written: {error.strerror or error}. Make the workspace "
            "writable, or free some space.",
            step=step,
        ) from error
    return claim


def _is_same(dead: Owner, now: Owner | None) -> bool:
    return now is not None and now.runner == dead.runner


def _copy(source: str, place: str) -> tuple[int, int]:
    """Make a claim where there are no hard links: the same first line in a file of its own."""
    with open(source, "rb") as file:
        line = file.readline()
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if os.write(handle, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        made = os.fstat(handle)
        return made.st_dev, made.st_ino
    except OSError:
        os.unlink(place)
        raise
    finally:
        os.close(handle)


def owner_of(folder: JobFolder, step: str, generation: int) -> Owner | None:
    """Return who made a claim, or None if it is gone meanwhile."""
    place = folder.claim(step, generation)
    try:
        beat = os.stat(place).st_mtime_ns
        opening = next(read_journal(place), {})
    except FileNotFoundError:
        return None
    try:
        identity: Identity | None = Identity.from_json(opening)
    except (KeyError, TypeError):
        identity = None
    start = opening.get("start")
    began = float(start) if isinstance(start, int | float) else None
    return Owner(str(opening.get("runner", "")), identity, beat, began)
