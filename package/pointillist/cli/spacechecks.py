"""What ``doctor`` looks at in a project's folder: settings, jobs, and the disk under them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from ..errors import ConfigurationError
from ..space.configuration import read_configuration
from ..space.filesystem import Mount, Room, Trial, mount_of, room_of, try_out
from ..space.layout import WORKSPACE, JobFolder, Layout, is_job, kind_folder
from .checks import PACKAGE, Finding

__all__ = ["clock", "data_space", "file_system", "inodes", "room", "settings"]

_SIGNAC = Path(".signac") / "config"
_SIGNAC_1 = Path("signac.rc")
_OURS = {PACKAGE, "flow", "h5py", "matplotlib", "numpy", "pandas", "ray", "rich", "scipy", "signac"}
_SAMPLE = 100
_LITTLE = 10**9
_CLOSE = 5.0


def settings(folder: Path) -> list[Finding]:
    """Check the project's settings, and that the named roots are there on this machine.

    Parameters
    ----------
    folder : Path
        The project's folder.
    """
    if not _may_look_into(folder):
        return []  # `project` tells
    try:
        configuration = read_configuration(Layout(folder))
    except ConfigurationError as error:
        return [Finding("settings", "problem", str(error), "Correct it.")]
    found = []
    for name in configuration.roots:
        place = configuration.root(name)
        if _may_look_into(place):
            found.append(Finding("root", "ok", f"{name}: {place}"))
            continue
        remedy = (
            f"Mount it, or write its place: {name} = under [roots] in .pointillist/config.toml."
        )
        text = f"{name}: {place} is no folder that can be read"
        found.append(Finding("root", "problem", text, remedy))
    return found


def data_space(folder: Path) -> list[Finding]:
    """Check the project in a folder, and what it lies on; nothing is left behind.

    Parameters
    ----------
    folder : Path
        The folder. One that is no project is looked at only.
    """
    there = project(folder)
    if there.state != "ok":
        return [there]
    workspace = folder / WORKSPACE
    places = [folder, workspace] if workspace.is_dir() else [folder]
    try:
        trial = try_out(folder, places[-1])
    except OSError as error:
        text = f"{error.filename} cannot be written: {error.strerror}"
        remedy = "Make it writable for you, or free some space; to read is possible as it is."
        tried = [Finding("writable", "problem", text, remedy)]
        trial = None
    else:
        text = "the project's folder and its workspace" if places[1:] else "the project's folder"
        tried = [Finding("writable", "ok", text)]
    mounts = [mount_of(place) for place in places]
    labels = ["project: ", "workspace: "]
    if mounts[0] == mounts[-1]:
        places, mounts, labels = places[:1], mounts[:1], [""]
    disks = [file_system(mounts, trial)]
    for label, place in zip(labels, places, strict=True):
        disks += _rooms(place, label)
    told = [clock(trial)] if trial is not None else []
    return [there, *hidden(folder), jobs(Layout(folder)), *tried, *disks, *told]


def project(folder: Path) -> Finding:
    """Check that there is a signac project.

    Parameters
    ----------
    folder : Path
        Where.
    """
    if not folder.is_dir():
        text = f"{folder} is no folder" if folder.exists() else f"{folder} is not there"
        return Finding("project", "problem", text, "Name the folder of a project.")
    if not _may_look_into(folder):
        text = f"{folder} cannot be read: Permission denied"
        return Finding("project", "problem", text, "Make it readable for you.")
    if (folder / _SIGNAC).is_file():
        return Finding("project", "ok", str(folder))
    if (folder / _SIGNAC_1).is_file():
        remedy = "Bring it up to date: make a copy, then `python -m signac migrate` in it."
        return Finding("project", "problem", f"{folder} is a project of signac 1", remedy)
    for above in folder.parents:
        if (above / _SIGNAC).is_file():
            text = f"{folder} is no signac project itself, but lies in one"
            return Finding("project", "note", text, f"`{PACKAGE} doctor {above}` looks at it.")
    remedy = f"`{PACKAGE} new recordings my_project` makes one to begin with"
    if (folder / "project.py").is_file():
        remedy = "`python project.py discover` makes one of it"
    return Finding("project", "note", f"no signac project in {folder}", f"{remedy}.")


def _may_look_into(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK) and folder.is_dir()


def hidden(folder: Path) -> list[Finding]:
    """Check that no file of the project has the name of a module that Python needs.

    Parameters
    ----------
    folder : Path
        The project's folder.
    """
    return [
        Finding(
            "imports",
            "problem" if file.stem in _OURS else "note",
            f"{file} hides the module {file.stem} from everything that runs in this folder",
            "Rename it.",
        )
        for file in sorted(folder.glob("*.py"))
        if file.stem in _OURS | sys.stdlib_module_names
    ]


def jobs(layout: Layout) -> Finding:
    """Check that the workspaces can be read, and count the jobs.

    Parameters
    ----------
    layout : Layout
        The project's places.
    """
    first = layout.root / WORKSPACE
    if not first.is_dir():
        if os.path.lexists(first):
            text = f"{first} is no folder, or leads to none"
            return Finding("jobs", "problem", text, "Mount what it leads to, or move it away.")
        return Finding("jobs", "note", "none: no workspace yet", "Make some: `discover`, `add`.")
    found = {"": first}
    for kind in (False, True):
        for place in sorted((layout.root / kind_folder(kind)).glob(f"*/{WORKSPACE}")):
            found[place.parent.name] = place
    counts = []
    for name, place in found.items():
        try:
            ids = sorted(entry.name for entry in place.iterdir() if is_job(entry.name))
            for id in ids[:_SAMPLE]:
                json.loads(JobFolder(place / id).statepoint.read_bytes())
        except OSError as error:
            text = f"{error.filename} cannot be read: {error.strerror}"
            return Finding("jobs", "problem", text, "Make it readable for you.")
        except ValueError as error:
            text = f"{JobFolder(place / id).statepoint} is no JSON: {error}"
            return Finding("jobs", "problem", text, "Restore it, or move the job's folder away.")
        counts.append(f"{name} {len(ids)}".strip())
    word = "job" if counts[0] == "1" else "jobs"
    return Finding("jobs", "ok", ", ".join([f"{counts[0]} {word}", *counts[1:]]))


def file_system(mounts: list[Mount | None], trial: Trial | None) -> Finding:
    """Say what the project lies on, and whether there can be hard links.

    Parameters
    ----------
    mounts : list of Mount or None
        The file system of the project's folder, and that of its workspace if it is another; None
        where the system does not tell.
    trial : Trial or None
        What was tried there; None if nothing could be written.
    """
    text = ", workspace on ".join(_described(mount) for mount in mounts)
    if trial is None:
        return Finding("file system", "ok", text)
    if trial.links:
        return Finding("file system", "ok", f"{text}, with hard links")
    where = "from the one to the other" if mounts[1:] else "there"
    text += f"; no hard links {where}"
    return Finding("file system", "note", text, "Claims are small files then, which works.")


def _described(mount: Mount | None) -> str:
    if mount is None:
        return "unknown"
    text = f"{mount.kind}, mounted on {mount.point}"
    if mount.network:
        text += f" ({'perhaps ' * mount.kind.startswith('fuse')}a network file system)"
    return text


def _rooms(place: Path, label: str) -> list[Finding]:
    try:
        told = room_of(place)
    except OSError as error:
        return [Finding("space", "note", f"{place} does not tell: {error.strerror}")]
    return [replace(f, text=label + f.text) for f in (room(told), inodes(told))]


def room(told: Room) -> Finding:
    """Check that there is room for results.

    Parameters
    ----------
    told : Room
        What the file system says.
    """
    if told.size == 0:
        return Finding("space", "ok", "not told by the file system")
    text = f"{_amount(told.free)} free of {_amount(told.size)}"
    if told.free < max(_LITTLE, told.size // 100):
        return Finding("space", "note", text, "Free some: a step fails when the disk is full.")
    return Finding("space", "ok", text)


def inodes(told: Room) -> Finding:
    """Check that there may be more files.

    Parameters
    ----------
    told : Room
        What the file system says.
    """
    if told.inodes == 0:
        return Finding("inodes", "ok", "not counted by the file system")
    text = f"{told.free_inodes:,} free of {told.inodes:,}"
    if told.free_inodes < told.inodes / 100:
        remedy = "Remove files: every job takes some, and none can be made when they are used up."
        return Finding("inodes", "note", text, remedy)
    return Finding("inodes", "ok", text)


def clock(trial: Trial) -> Finding:
    """Check that the file system's clock agrees with this machine's.

    Parameters
    ----------
    trial : Trial
        What was tried there.
    """
    seconds = abs(trial.ahead)
    if seconds < 1:
        return Finding("clock", "ok", "the file system's agrees with this machine's")
    side = "ahead of" if trial.ahead > 0 else "behind"
    text = f"the file system's is {seconds:.0f} s {side} this machine's"
    if seconds <= _CLOSE:
        return Finding("clock", "ok", text)
    remedy = "Let both be set by NTP: the times of files and of logs do not fit together."
    return Finding("clock", "note", text, remedy)


def _amount(size: int) -> str:
    """Give a number of bytes as people read it."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} {units[0]}" if units[0] == "B" else f"{value:.1f} {units[0]}"
