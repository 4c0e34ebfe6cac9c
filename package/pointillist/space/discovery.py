"""Finding records: which files and folders match the seeds' patterns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model.fields import Seed
from ..model.patterns import SeedPattern
from ..model.records import RecordType

__all__ = ["Discovery", "Report", "matches", "search"]


@dataclass
class Discovery:
    """What was found for one class.

    Parameters
    ----------
    cls : RecordType
        The class.
    found : dict
        The keys of what lies there, by their values in order, and the first path each was seen at.
    """

    cls: RecordType
    found: dict[tuple[Any, ...], Path] = field(default_factory=dict)


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


def search(cls: RecordType, roots: dict[str, Path]) -> Discovery | None:
    """Look for the records of a class.

    Parameters
    ----------
    cls : RecordType
        The class.
    roots : dict of str to Path
        Where each seed's root lies, by the seed's name.

    Returns
    -------
    Discovery or None
        None if no seed's pattern names every key, so that the class cannot be discovered.
    """
    finders = identifying_seeds(cls)
    if not finders:
        return None
    result = Discovery(cls)
    for name, seed in finders.items():
        for relative, values in matches(roots[name], seed.pattern):
            place = tuple(values[key] for key in cls.keys)
            result.found.setdefault(place, roots[name] / relative)
    return result


def identifying_seeds(cls: RecordType) -> dict[str, Seed]:
    """Return the seeds whose patterns name every key of `cls`."""
    return {
        name: seed
        for name, seed in cls.seeds.items()
        if cls.keys and set(seed.pattern.fields) == set(cls.keys) and not seed.optional
    }


def matches(root: Path, pattern: SeedPattern) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each path below `root` that fits `pattern`, relative to it, with its keys.

    Folders that cannot fit are not entered, so the cost is that of listing those that can.
    """
    walk = _everything(root, "") if pattern.spans_folders else _levels(root, "", pattern.levels())
    for relative, is_folder in walk:
        if pattern.is_folder and not is_folder:
            continue
        values = pattern.match(relative)
        if values is not None:
            yield relative, values


def _levels(root: Path, above: str, levels: Any) -> Iterator[tuple[str, bool]]:
    level, *below = levels
    for entry in _entries(root / above):
        if not level.fullmatch(entry.name):
            continue
        relative = f"{above}/{entry.name}" if above else entry.name
        if not below:
            yield relative, entry.is_dir()
        elif entry.is_dir():
            yield from _levels(root, relative, below)


def _everything(root: Path, above: str) -> Iterator[tuple[str, bool]]:
    for entry in _entries(root / above):
        if entry.name.startswith("."):
            continue
        relative = f"{above}/{entry.name}" if above else entry.name
        is_folder = entry.is_dir()
        yield relative, is_folder
        if is_folder and not entry.is_symlink():
            yield from _everything(root, relative)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
