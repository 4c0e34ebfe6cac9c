"""Logs of attempts: made when something is printed, gone again if nothing was."""

from __future__ import annotations

from pathlib import Path

__all__ = ["begin_log", "end_log"]

_TRIES = 100


def begin_log(log: Path) -> None:
    """Make an empty log in its folder, if it is not there.

    The folder belongs to all steps of a job: another runner that ends a step of this job may take
    it away, empty, between its making and that of the log in it.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    for left in reversed(range(_TRIES)):
        try:
            log.parent.parent.mkdir(exist_ok=True)  # but not the job's folder: it may be gone
            log.parent.mkdir(exist_ok=True)
            log.touch()
            return
        except (FileExistsError, FileNotFoundError):
            if not left:
                raise


def end_log(log: Path) -> bool:
    """Return whether there is something in a log; one without a word is removed."""
    try:
        if log.stat().st_size:
            return True
        log.unlink()
        log.parent.rmdir()
        log.parent.parent.rmdir()
    except OSError:
        pass
    return False
