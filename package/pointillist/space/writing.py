"""Writing to the data space: alone, whole or not at all, and with a message if it cannot be.

Whoever changes the data space holds the claim ``space`` of the project's own folder, so that two
processes never write one document at the same time.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from signac.job import calc_id

from ..errors import RecordError, SpaceError
from ..model.records import Record, RecordType
from .claims import owner_of, take
from .dataspace import DataSpace
from .journals import Journal
from .layout import DOCUMENT, JobFolder, claims_in, fresh_place

__all__ = [
    "alone",
    "make",
    "move",
    "read_statepoint",
    "write_document",
    "write_file",
    "writing",
]

_PATIENCE = 60.0
"""Seconds for which a change waits for another process's change to end."""


def make(space: DataSpace, cls: RecordType, values: Mapping[str, Any]) -> str:
    """Make a job if it is not there, whatever is there of it; return its id.

    Its folder appears with its state point in it.

    Raises
    ------
    CorruptRecord
        If the job is there without a state point that can be read.
    """
    statepoint = space.statepoint(cls, values)
    id: str = calc_id(statepoint)
    folder = JobFolder(space.workspace(cls) / id)
    with writing(folder.path.parent):
        space.project_of(cls)
        if not folder.statepoint.exists():
            folder.fresh.mkdir(parents=True, exist_ok=True)
            fresh = JobFolder(folder.fresh)
            if not fresh.statepoint.exists():  # it is written last: the document may be cut short
                fresh.document.unlink(missing_ok=True)
            _complete(folder, statepoint)
    space.keys_of(cls, id)
    return id


def move(space: DataSpace, record: Record, statepoint: Mapping[str, Any]) -> None:
    """Give a job another state point, and so another id; all that lies in its folder stays in it.

    Who is killed on the way leaves the folder where `make` finds and completes it.

    Raises
    ------
    RecordError
        If there is a job's folder under the new id.
    """
    old = space.job_folder(record)
    new = JobFolder(old.path.with_name(calc_id(statepoint)))
    if new.path.exists():
        raise RecordError(
            f"{record.label} cannot be moved to {new.path}: that folder is there. Restore or "
            "remove it first.",
            record=record.label,
        )
    with writing(old.path.parent):
        os.rename(old.path, new.fresh)
        _complete(new, statepoint)


def _complete(folder: JobFolder, statepoint: Mapping[str, Any]) -> None:
    """Write the state point of a job that is being made, and let it take its place."""
    fresh = JobFolder(folder.fresh)
    aside = fresh.statepoint.with_suffix(".new")
    try:
        write_file(str(aside), json.dumps(statepoint))
        os.replace(aside, fresh.statepoint)
        os.rename(fresh.path, folder.path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        if {path.name for path in fresh.path.iterdir()} <= {fresh.statepoint.name}:
            shutil.rmtree(fresh.path, ignore_errors=True)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


def write_document(space: DataSpace, cls: RecordType, id: str, said: Mapping[str, Any]) -> None:
    """Write a job's document, whole: signac leaves a file of another name when it is killed."""
    folder = space.job_place(cls, id)
    place, fresh = f"{folder}/{DOCUMENT}", fresh_place(folder, DOCUMENT)
    with writing(place):
        write_file(fresh, json.dumps(said))
        os.replace(fresh, place)


def write_file(place: str, text: str) -> None:
    """Write a file with three system calls; the text is ASCII."""
    data = text.encode("ascii")
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        if os.write(file, data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
    finally:
        os.close(file)


def read_statepoint(space: DataSpace, record: Record) -> dict[str, Any]:
    """Return the whole state point of a record's job, with what is no key."""
    path = space.job_folder(record).statepoint
    with writing(path):
        data: dict[str, Any] = json.loads(path.read_bytes())
    return data


@contextlib.contextmanager
def writing(place: str | Path) -> Iterator[None]:
    """Say where it is that something cannot be written, and what to do."""
    try:
        yield
    except SpaceError:
        raise
    except OSError as error:
        raise SpaceError(
            f"{place} cannot be written: {error.strerror or error}. Make the folder writable, or "
            "free some space."
        ) from error


@contextlib.contextmanager
def alone(
    space: DataSpace, journal: Journal, claimed: str = "space", does: str = "being changed"
) -> Iterator[None]:
    """Hold the claim on the whole data space, or another that only one process holds at a time."""
    folder = JobFolder(space.layout.own)
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpaceError(
            f"{folder.path} cannot be made: {error.strerror or error}. Make the project's folder "
            "writable."
        ) from error
    until = time.monotonic() + _PATIENCE
    while True:
        left = claims_in(os.listdir(folder.path)).get(claimed, [])
        owner = owner_of(folder, claimed, left[-1]) if left else None
        if owner is None or owner.alive is False:
            claim = take(folder, claimed, left, journal)
            if claim is not None:
                break
        if time.monotonic() > until:
            by = owner.runner if owner is not None else "another process"
            raise SpaceError(
                f"{space.layout.root} is {does} by {by}. Wait until it is done; if it no "
                f"longer runs, remove {folder.claim(claimed, max(left, default=1))}."
            )
        time.sleep(0.02)
    try:
        space.forget()
        yield
    finally:
        claim.release()
