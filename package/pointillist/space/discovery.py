"""Finding records: which files and folders match the seeds' patterns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import SpaceError
from ..model.fields import Seed
from ..model.patterns import SeedPattern
from ..model.records import RecordType
from .layout import WORKSPACE

__all__ = ["Report", "matches", "search"]


@dataclass
class Report:
    """What `discover` did, by class name; texts are labels of records.

    Parameters
    ----------
    found : dict of str to int
        How many records have their seeds.
    added : dict of str to list of str
        Records that are new.
    gone : dict of str to list of str
        Records whose seeds are no longer there; they are kept.
    unmatched : dict of str to list of str
        Rows of a table that fit no record.
    aggregates : dict of str to tuple
        How many aggregates there are, how many are new, how many lost or gained members.
    """

    found: dict[str, int] = field(default_factory=dict)
    added: dict[str, list[str]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)
    unmatched: dict[str, list[str]] = field(default_factory=dict)
    aggregates: dict[str, tuple[int, int, int]] = field(default_factory=dict)


def search(cls: RecordType, roots: dict[str, Path]) -> set[tuple[Any, ...]] | None:
    """Look for the records of a class.

    Parameters
    ----------
    cls : RecordType
        The class.
    roots : dict of str to Path
        Where each seed's root lies, by the seed's name.

    Returns
    -------
    set of tuple or None
        The keys of the records whose seeds are there, by their values in order. None if no
        seed's pattern names every key, so that the class cannot be discovered.
    """
    finders = identifying_seeds(cls)
    if not finders:
        return None
    names = tuple(cls.keys)
    return {
        tuple([values[key] for key in names])
        for name, seed in finders.items()
        for _, values in matches(roots[name], seed.pattern)
    }


def identifying_seeds(cls: RecordType) -> dict[str, Seed]:
    """Return the seeds whose patterns name every key of `cls`."""
    return {
        name: seed
        for name, seed in cls.seeds.items()
        if cls.keys and set(seed.pattern.whole) == set(cls.keys) and not seed.optional
    }


def matches(root: Path, pattern: SeedPattern) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each path below `root` that fits `pattern`, relative to it, with its keys.

    Folders that cannot fit are not entered, so the cost is that of listing those that can. As in
    a shell, a name with a leading dot is found only if the pattern begins with that dot. The jobs
    of a signac project are no input data: its ``workspace`` is not entered.

    Raises
    ------
    SpaceError
        If a folder may not be read: what lies in it would look as if it were gone.
    """
    if pattern.spans_folders:
        start = pattern.text.partition("{")[0].rpartition("/")[0]
        walk = _everything(root, start.replace("}}", "}"), frozenset())
    else:
        walk = _levels(root, "", pattern.levels())
    for relative, is_folder in walk:
        if pattern.is_folder and not is_folder:
            continue
        values = pattern.read(relative)
        if values is not None:
            yield relative, values


def _levels(root: Path, above: str, levels: Any) -> Iterator[tuple[str, bool]]:
    level, *below = levels
    shows_hidden = level.pattern.startswith("\\.")
    for entry in _entries(root / above):
        name = entry.name
        if name[0] == "." and not shows_hidden:
            continue
        relative = f"{above}/{name}" if above else name
        if not below:  # the whole pattern says whether it fits
            yield relative, _is_folder(entry)
        elif level.fullmatch(name) and _is_folder(entry):
            yield from _levels(root, relative, below)


def _everything(root: Path, above: str, around: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Yield all that lies below a folder; `around` are the real paths of those it lies in."""
    here = around | {os.path.realpath(root / above)}
    for entry in _entries(root / above):
        if entry.name.startswith("."):
            continue
        relative = f"{above}/{entry.name}" if above else entry.name
        is_folder = _is_folder(entry)
        yield relative, is_folder
        if is_folder and not (entry.is_symlink() and os.path.realpath(entry.path) in here):
            yield from _everything(root, relative, here)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that leads round in a circle
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=_name_of)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise SpaceError(
            f"{folder} cannot be searched for seeds: {error.strerror or error}. Make the folder "
            "readable, or name a root that is."
        ) from error
    if any(entry.name == ".signac" for entry in found):
        return [entry for entry in found if entry.name != WORKSPACE]
    return found


_name_of = attrgetter("name")
