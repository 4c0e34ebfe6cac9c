"""MATLAB functions as commands, carried out by MATLAB or by GNU Octave.

A call is written as a small script into a folder of its own; the program starts with a fixed, short
statement that runs our driver (``matlab/+pointillist/driver.m``) on that folder. So no argument
passes through a shell, and what was called can be read afterwards.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import ConfigurationError, DeclarationError, FormatError, ProgramNotFound
from .literals import field_names, matlab_literal
from .matfiles import read_value
from .mfiles import source_files, strip

__all__ = [
    "MatlabCall",
    "Program",
    "find_program",
    "our_folder",
    "prepare",
    "result",
    "source_files",
    "spelled",
    "strip",
]

CALL_FILE = "pointillist_call.m"
JOB_FILE = "pointillist_job.m"
RESULT_FILE = "pointillist_result.mat"

STATEMENT = "addpath(getenv('POINTILLIST_MATLAB')); pointillist.driver()"

_FUNCTION = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


@dataclass(frozen=True)
class Program:
    """A program that runs MATLAB code.

    Attributes
    ----------
    path : Path
        The executable file.
    kind : {"matlab", "octave"}
        Which command line it has.
    """

    path: Path
    kind: Literal["matlab", "octave"]

    def version(self) -> str:
        """Tell which version it is, without starting MATLAB.

        Returns
        -------
        str
            First line of ``octave-cli --version``; for MATLAB release and number from the file
            ``VersionInfo.xml`` of the installation; else ``unknown``.
        """
        return _octave_version(self.path) if self.kind == "octave" else _matlab_version(self.path)


@dataclass(frozen=True)
class MatlabCall:
    """A call of a MATLAB function.

    Attributes
    ----------
    function : str
        Name, also of a package: ``package.name``.
    args : tuple
        Arguments, see `pointillist.commands.literals.matlab_literal`.
    nargout : int
        1 if the return value is wanted, else 0.
    """

    function: str
    args: tuple[Any, ...]
    nargout: int


def find_program(choice: str | None = None, configured: str | None = None) -> Program:
    """Find the program for MATLAB steps.

    Parameters
    ----------
    choice : str, optional
        Name or path from the command line (``--matlab``). Nothing else is tried then.
    configured : str, optional
        Name or path from the configuration; the next in order.

    Returns
    -------
    Program
        The choice, the configured one, ``matlab`` or ``octave-cli`` on ``PATH``. A file whose name
        contains "octave" is taken for GNU Octave.

    Raises
    ------
    ProgramNotFound
        When it, or any, is not there.
    """
    for wanted, origin in ((choice, "--matlab"), (configured, "the configuration")):
        if wanted:
            found = shutil.which(Path(wanted).expanduser())
            if found is None:
                raise ProgramNotFound(
                    f'MATLAB steps cannot run: "{wanted}", named by {origin}, is no program '
                    "(neither a path of an executable file nor a name on PATH). Name another one, "
                    "or leave it out to use matlab or octave-cli from PATH."
                )
            return _program(found)
    for name in ("matlab", "octave-cli"):
        found = shutil.which(name)
        if found is not None:
            return _program(found)
    raise ProgramNotFound(
        "MATLAB steps cannot run: neither matlab nor octave-cli is on PATH. Install MATLAB or GNU "
        "Octave (Debian: apt-get install octave; macOS: brew install octave), or name the "
        "program with --matlab PATH."
    )


def _program(found: str) -> Program:
    path = Path(found).absolute()
    return Program(path, "octave" if "octave" in path.name.lower() else "matlab")


@functools.cache
def _octave_version(path: Path) -> str:
    try:
        answer = subprocess.run(
            [path, "--version"],
            cwd="/" if path.is_absolute() else None,  # Octave starts in no folder that is gone
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return answer.stdout.partition("\n")[0].strip() or "unknown"


@functools.cache
def _matlab_version(path: Path) -> str:
    try:
        text = (path.resolve().parents[1] / "VersionInfo.xml").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "unknown"
    found = (re.search(rf"<{tag}>\s*(.*?)\s*</{tag}>", text) for tag in ("release", "version"))
    return " ".join(["MATLAB", *(match[1] for match in found if match)])


def prepare(
    program: Program,
    call: MatlabCall,
    *,
    folder: Path,
    search_path: Sequence[Path],
    job: Mapping[str, Any],
) -> tuple[list[str], dict[str, str]]:
    """Write what a call needs into a folder, and spell the command that carries it out.

    Parameters
    ----------
    program : Program
        What will run it.
    call : MatlabCall
        The function and its arguments.
    folder : Path
        An empty folder, used by this call only.
    search_path : sequence of Path
        Folders with the user's functions, put on MATLAB's path, first one first.
    job : mapping
        What ``pointillist.job()`` gives inside the call; numbers, text, bools, None, and lists and
        mappings of these.

    Returns
    -------
    argv : list of str
        Program and arguments.
    env : dict of str to str
        Environment variables to add.

    Raises
    ------
    DeclarationError
        When the function's name is none, or a value has no literal.
    ConfigurationError
        When a folder cannot be on MATLAB's path.
    """
    if not _FUNCTION.fullmatch(call.function):
        raise DeclarationError(
            f'"{call.function}" is no name of a MATLAB function. Name it as it is called, without '
            "folder and .m: computeStats, or package.computeStats."
        )
    folder = folder.absolute()
    ours = our_folder()
    folders = [path.absolute() for path in search_path]
    for path in (ours, *folders):
        if os.pathsep in str(path):
            raise ConfigurationError(
                f'The folder {path} cannot be on MATLAB\'s path: its name contains "{os.pathsep}", '
                "which separates the folders there. Move or rename it."
            )
    (folder / CALL_FILE).write_text(_call_script(call, folders), encoding="ascii")
    (folder / JOB_FILE).write_text("\n".join(_assignments("info", job)) + "\n", encoding="ascii")
    return spelled(program, folder / JOB_FILE)


def spelled(program: Program, file: Path) -> tuple[list[str], dict[str, str]]:
    """Spell the command that runs our driver on a file, and the variables that it needs.

    Parameters
    ----------
    program : Program
        What will run it.
    file : Path
        A job's file, beside which the call lies, or the script of a session.

    Returns
    -------
    argv : list of str
        Program and arguments.
    env : dict of str to str
        Environment variables to add.
    """
    options = ["-qf", "--no-history", "--no-window-system", "--eval"]
    argv = [str(program.path), *(options if program.kind == "octave" else ["-batch"]), STATEMENT]
    return argv, {"POINTILLIST_MATLAB": str(our_folder()), "POINTILLIST_JOB": str(file)}


def _call_script(call: MatlabCall, search_path: Sequence[Path]) -> str:
    paths = matlab_literal([str(path) for path in search_path]) if search_path else "{}"
    arguments = ", ...\n  ".join(matlab_literal(argument) for argument in call.args)
    arguments = f"( ...\n  {arguments})" if call.args else "()"
    left = "pointillist_result{1} = " if call.nargout else ""
    return (
        "% One call, written by pointillist and carried out by pointillist.driver.\n"
        f"pointillist.require('{call.function}', {paths});\n"
        f"{left}{call.function}{arguments};\n"
    )


def _assignments(target: str, value: Mapping[str, Any]) -> Iterator[str]:
    """Spell a mapping as statements, one for each entry: MATLAB limits how deep literals nest."""
    yield f"{target} = struct();"
    for name, entry in zip(field_names(value), value.values(), strict=True):
        place = f"{target}.{name}"
        if isinstance(entry, Mapping):
            yield from _assignments(place, entry)
            continue
        try:
            yield f"{place} = {matlab_literal(entry)};"
        except DeclarationError as error:
            raise DeclarationError(f"pointillist.job() cannot give {place}: {error}") from error


def result(folder: Path) -> Any:
    """Read the return value of a call with ``nargout=1``.

    Parameters
    ----------
    folder : Path
        The folder of the call.

    Returns
    -------
    Any
        Text as str; a struct as dict, an array of structs as list of dicts; a cell vector as list,
        a cell matrix as list of rows; one number as int, float, complex or bool; other arrays as
        NumPy arrays of their class, without dimensions of length one.

    Raises
    ------
    FormatError
        When there is none, or Python cannot read it.
    """
    path = folder / RESULT_FILE
    if not path.is_file():
        raise FormatError(
            f"There is no return value in {folder}: the function was called without one, or "
            "its run was cut off. Look into the log; a function that writes a file takes pt.out."
        )
    return read_value(path)


@functools.cache
def our_folder() -> Path:
    """Give the folder that holds our ``+pointillist``.

    Returns
    -------
    Path
        In an installed package ``pointillist/data/matlab``, in a checkout ``matlab``.

    Raises
    ------
    ConfigurationError
        When neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data" / "matlab", package.parents[1] / "matlab"):
        if (folder / "+pointillist").is_dir():
            return folder
    raise ConfigurationError(
        f"The MATLAB side of pointillist is missing: neither {package / 'data' / 'matlab'} nor "
        f"{package.parents[1] / 'matlab'} is there. Install pointillist again."
    )
