"""Publishing: what an attempt has made takes its place by rename, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from ..space.attempts import Attempt
from ..space.layout import JobFolder, stages_in

__all__ = ["discard", "is_published", "publish"]

_TRIES = 5
"""How often a folder is removed into which a killed runner's command is still writing."""


def publish(folder: JobFolder, step: str, attempt: Attempt) -> None:
    """Rename each output of a recorded attempt into its place.

    May be repeated: an output whose stage is gone has its place already. An old folder is moved
    aside first, so that for an instant there may be neither; the record and the stage are there
    to go on from.
    """
    for made in attempt.outputs.values():
        staged, place = folder.file(made.staged), folder.file(made.file)
        try:
            os.replace(staged, place)
        except OSError:
            if not os.path.lexists(staged):
                continue
            if not (os.path.isdir(staged) or os.path.isdir(place)):
                raise
            aside = folder.replaced(step, made.file)
            _remove(aside)
            os.rename(place, aside)
            try:
                os.replace(staged, place)
            except FileNotFoundError:
                # another runner published it while this one slept: aside went what is newer
                if os.path.lexists(aside) and not os.path.lexists(place):
                    os.rename(aside, place)
                raise
            _remove(aside)


def is_published(folder: JobFolder, attempt: Attempt) -> bool:
    """Whether every output of a recorded attempt has its place."""
    return not any(os.path.lexists(folder.file(o.staged)) for o in attempt.outputs.values())


def discard(
    folder: JobFolder, step: str, stage: str | None = None, names: list[str] | None = None
) -> None:
    """Remove what attempts of a step have left behind beside the outputs.

    Nothing of it is ever taken for an output: what cannot be removed now is left for later.

    Parameters
    ----------
    folder : JobFolder
        The job's folder.
    step : str
        The step's name.
    stage : str, optional
        The place of the stage of one attempt: only what that has made. A runner that lost its
        claim must not touch the rest, which may be that of the runner who took over.
    names : list of str, optional
        The names in the folder, if they are known.
    """
    if names is None:
        try:
            names = os.listdir(folder.place)
        except OSError:
            return
    own = "" if stage is None else stage.rpartition("/")[2]
    for name in stages_in(names, step):
        if name.startswith(own):
            _remove(folder.path / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for _ in range(_TRIES):
            shutil.rmtree(path, ignore_errors=True)
            if not path.exists():
                return
    else:
        with contextlib.suppress(OSError):
            path.unlink()
