"""Publishing: what an attempt has made takes its place by rename, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..space.journals import Attempt
from ..space.layout import JobFolder, stages_in

__all__ = ["discard", "is_published", "publish"]


def publish(folder: JobFolder, step: str, attempt: Attempt) -> None:
    """Rename each output of a recorded attempt into its place.

    May be repeated: an output whose stage is gone has its place already. An old folder is moved
    aside first, so that for an instant there may be neither; the record and the stage are there
    to go on from.
    """
    for made in attempt.outputs.values():
        staged, place = folder.path / made.staged, folder.output(made.file)
        if not os.path.lexists(staged):
            continue
        if place.is_dir() or (staged.is_dir() and os.path.lexists(place)):
            aside = folder.replaced(step, made.file)
            _remove(aside)
            os.rename(place, aside)
        os.replace(staged, place)


def is_published(folder: JobFolder, attempt: Attempt) -> bool:
    """Whether every output of a recorded attempt has its place."""
    return not any(os.path.lexists(folder.path / o.staged) for o in attempt.outputs.values())


def discard(folder: JobFolder, step: str) -> None:
    """Remove what attempts of a step have left behind beside the outputs."""
    try:
        names: Iterable[str] = os.listdir(folder.path)
    except FileNotFoundError:
        return
    for name in stages_in(list(names), step):
        _remove(folder.path / name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        # a killed runner's command may still be writing into it
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
