"""What ``doctor`` looks at: each check is a function that returns findings, plain data."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from ..flow.reachable import Reachable

__all__ = [
    "Finding",
    "installed",
    "matlab",
    "no_answer",
    "package",
    "python",
    "scheduler",
    "scheduler_found",
]

PACKAGE = "pointillist"
VARIABLE = "SIGNAC_FLOW_ENVIRONMENT"

_SHOWN = ("signac", "signac-flow", "ray", "h5py", "matplotlib")
_MODULES = {"signac-flow": "flow"}  # where a package is not called like its module
_NO_CLUSTER = (
    f"If this machine is part of no cluster, set {VARIABLE}=StandardEnvironment and "
    "no scheduler is asked."
)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    name : str
        What was looked at.
    state : {"ok", "note", "problem"}
        Whether something must be done; a note may be lived with.
    text : str
        What was found.
    remedy : str
        What to do, if anything.
    """

    name: str
    state: Literal["ok", "note", "problem"]
    text: str
    remedy: str = ""


def installed() -> list[Finding]:
    """Check the interpreter, pointillist itself and the packages that it needs."""
    import importlib.metadata

    place = Path(__file__).resolve().parents[1]
    try:
        own = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return [
            Finding(
                PACKAGE,
                "problem",
                f"{place} is on Python's path, but not installed",
                "pip install it: what it needs cannot be checked otherwise.",
            )
        ]
    found = [Finding(PACKAGE, "ok", f"{own.version}, {place}")]
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return [*found, _lacking("packaging", "not installed", "packaging")]
    found.insert(0, python(platform.python_version(), own.metadata["Requires-Python"]))
    needed = [Requirement(text) for text in own.requires or ()]
    found += [
        package(requirement)
        for requirement in sorted(needed, key=_order)
        if _order(requirement) < len(_SHOWN) or requirement.marker is None
    ]
    return [f for f in found if f.state != "ok" or f.name in ("python", PACKAGE, *_SHOWN)]


def python(version: str, supported: str | None) -> Finding:
    """Check the version of the interpreter.

    Parameters
    ----------
    version : str
        Such as ``3.11.2``.
    supported : str or None
        What pointillist's metadata asks for: ``>=3.11,<3.14``.
    """
    from packaging.specifiers import SpecifierSet

    text = f"{version}, {sys.executable}"
    if SpecifierSet(supported or "").contains(version, prereleases=True):
        return Finding("python", "ok", text)
    remedy = f"pointillist needs Python {supported}: make an environment with one, install anew."
    return Finding("python", "problem", text, remedy)


def package(requirement: Requirement) -> Finding:
    """Check that a package is there, whole, and of a version that pointillist works with.

    Nothing is imported: the installer's notes are read, and the module is looked for.

    Parameters
    ----------
    requirement : Requirement
        One of those in pointillist's metadata.
    """
    import importlib.metadata
    import importlib.util

    name, wanted = requirement.name, f"{requirement.name}{requirement.specifier}"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return _lacking(name, "not installed", wanted)
    if not requirement.specifier.contains(version, prereleases=True):
        return _lacking(name, f"{version} is installed, {requirement.specifier} is needed", wanted)
    if importlib.util.find_spec(_MODULES.get(name, name)) is None:
        return _lacking(name, f"{version}, but its files are gone", wanted, "--force-reinstall ")
    return Finding(name, "ok", version)


def _lacking(name: str, text: str, wanted: str, option: str = "") -> Finding:
    return Finding(name, "problem", text, f"pip install {option}'{wanted}'")


def _order(requirement: Requirement) -> int:
    return _SHOWN.index(requirement.name) if requirement.name in _SHOWN else len(_SHOWN)


def matlab(folder: Path) -> list[Finding]:
    """Check which program would carry MATLAB steps out.

    Parameters
    ----------
    folder : Path
        The project's folder; its settings may name the program.
    """
    from ..commands.matlab import find_program, our_folder
    from ..errors import ConfigurationError, ProgramNotFound
    from ..space.configuration import read_configuration
    from ..space.layout import Layout

    try:
        configured = read_configuration(Layout(folder)).matlab
    except ConfigurationError:
        configured = None  # `settings` tells
    try:
        our_folder()
        program = find_program(configured=configured)
    except ConfigurationError as error:
        return [Finding("MATLAB", "problem", str(error))]
    except ProgramNotFound as error:
        if configured:
            return [Finding("MATLAB", "problem", str(error))]
        return [
            Finding(
                "MATLAB",
                "note",
                "none: neither matlab nor octave-cli is on PATH",
                "Only steps in MATLAB need one: install MATLAB or GNU Octave (Debian: apt-get "
                "install octave; macOS: brew install octave), or name the program: "
                'matlab = "PATH" in .pointillist/config.toml.',
            )
        ]
    version = program.version()
    named = ", named by the project's settings" if configured else ""
    if version == "unknown" and program.kind == "octave":
        text = f"{program.path}{named} does not say its version"
        remedy = f"Try `{program.path} --version`; what it prints says why. Install it again."
        return [Finding("MATLAB", "problem", text, remedy)]
    version = "MATLAB of an unknown version" if version == "unknown" else version
    return [Finding("MATLAB", "ok", f"{version}, {program.path}{named}")]


def scheduler() -> list[Finding]:
    """Check which scheduler signac-flow would submit to, and whether it answers."""
    try:
        from ..flow.reachable import reachable
    except ImportError as error:
        text = f"cannot be asked: {error}"
        return [Finding("scheduler", "problem", text, "Install pointillist again.")]
    try:
        return [scheduler_found(reachable())]
    except ValueError as error:
        remedy = f"Unset {VARIABLE}, or name an environment that signac-flow has."
        return [Finding("scheduler", "problem", f"{VARIABLE}: {error}", remedy)]


def scheduler_found(told: Reachable) -> Finding:
    """Say what signac-flow finds in words.

    Parameters
    ----------
    told : Reachable
        What it finds.
    """
    chosen = f", chosen by {VARIABLE}" if os.environ.get(VARIABLE) else ""
    where = f"{told.environment}{chosen}"
    if not told.programs and not told.complaint:
        text = f"none ({where}): `run` works, `submit` needs one"
        return Finding("scheduler", "ok", text)
    programs = " and ".join(told.programs)
    if told.missing:
        lacking = " and ".join(told.missing)
        text = f"{where}: of its programs {lacking} cannot be found on PATH"
        return Finding("scheduler", "problem", text, f"Install its client. {_NO_CLUSTER}")
    if told.complaint:
        there = f"{programs} are there, but the scheduler does not answer: " if programs else ""
        remedy = "`run` works; for `submit` start the scheduler's controller, or ask who does. "
        text = f"{where}: {there}{told.complaint}"
        return Finding("scheduler", "problem", text, remedy + _NO_CLUSTER)
    jobs = "1 job" if told.jobs == 1 else f"{told.jobs} jobs"
    return Finding("scheduler", "ok", f"{where}: {programs} answer, {jobs} of yours")


def no_answer(name: str, seconds: float) -> Finding:
    """Say that a check was ended because it took too long.

    Parameters
    ----------
    name : str
        The check.
    seconds : float
        How long it was waited for.
    """
    remedies = {
        "scheduler": "`run` works. Ask who runs the scheduler, or try `squeue`. " + _NO_CLUSTER,
        "MATLAB": "Start the program by hand and see what it waits for.",
        "project": "Is the file system that the project lies on reachable? Try `ls` there.",
    }
    text = f"no answer within {seconds:g} s"
    return Finding(name, "problem", text, remedies.get(name, ""))
