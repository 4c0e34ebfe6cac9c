"""The project templates: whole small projects, to begin one's own from.

A template is a folder with a ``project.py``, an ``init.py`` that fills its data space, and a
``README.md`` whose first sentence says what it is. What its ``.gitignore`` names was made by
``init.py`` or by a run, and is no part of the template.
"""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
from pathlib import Path

from pointillist.errors import TemplateError, closest

__all__ = ["copy", "description", "fill", "names", "templates_folder"]


def templates_folder() -> Path:
    """Give the folder that the templates lie in: the wheel's data, else the repository's.

    Raises
    ------
    TemplateError
        If there is neither.
    """
    package = Path(__file__).resolve().parents[1]
    folders = [package / "data" / "project_templates", package.parents[1] / "project_templates"]
    for folder in folders:
        if folder.is_dir():
            return folder
    raise TemplateError(
        f"The project templates are not there: neither {folders[0]} nor {folders[1]} is a folder. "
        "Install pointillist again."
    )


def names() -> list[str]:
    """Give the names of all templates, in order of the alphabet."""
    return sorted(file.parent.name for file in templates_folder().glob("*/project.py"))


def description(template: str) -> str:
    """Give the first sentence of a template's README.

    Raises
    ------
    TemplateError
        If there is no such template.
    """
    lines = (_find(template) / "README.md").read_text(encoding="utf-8").splitlines()
    text = " ".join(line for line in lines if not line.startswith("#")).strip()
    return text.partition(". ")[0].rstrip(".") + "."


def copy(template: str, folder: Path) -> None:
    """Copy a template, without anything that was made in it.

    Parameters
    ----------
    template : str
        Its name, one of `names`.
    folder : Path
        Where to: a folder that is empty or not there yet.

    Raises
    ------
    TemplateError
        If there is no such template, if the folder is not empty, or if it cannot be written.
    """
    source = _find(template)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise TemplateError(
                f"The template {template!r} cannot go to {folder}: there is something already. "
                "Name a folder that is empty or not there yet."
            )
        shutil.copytree(source, folder, ignore=_Made(source), dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise TemplateError(
            f"The template {template!r} cannot go to {folder}: {error}. "
            "Name a folder that can be written."
        ) from error


def fill(folder: Path) -> None:
    """Fill the data space of a copied template: run its ``init.py`` with this interpreter.

    Raises
    ------
    TemplateError
        If ``init.py`` fails; what it printed says why.
    """
    code = subprocess.run([sys.executable, "init.py"], cwd=folder, check=False).returncode
    if code != 0:
        raise TemplateError(
            f"{folder / 'init.py'} failed (exit {code}); the lines above say why. "
            f"The project is in {folder}: repair it and run init.py there again."
        )


class _Made:
    """Names what was made in a template, for `shutil.copytree`.

    Of the syntax of ``.gitignore`` it knows names (``/name`` only at the top) and ``*``.
    """

    def __init__(self, template: Path) -> None:
        self._template = template
        file = template / ".gitignore"
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        patterns = [line.strip().rstrip("/") for line in lines]
        patterns = [pattern for pattern in patterns if pattern and not pattern.startswith("#")]
        self._top = [pattern[1:] for pattern in patterns if pattern.startswith("/")]
        self._anywhere = [pattern for pattern in patterns if not pattern.startswith("/")]

    def __call__(self, folder: str, names: list[str]) -> set[str]:
        patterns = self._anywhere + (self._top if Path(folder) == self._template else [])
        return {name for pattern in patterns for name in fnmatch.filter(names, pattern)}


def _find(template: str) -> Path:
    """Find a template's folder by its name."""
    known = names()
    if template in known:
        return templates_folder() / template
    close = closest(template, known)
    hint = f" Did you mean {close!r}?" if close else ""
    raise TemplateError(f"There is no template {template!r}: {', '.join(known)}.{hint}")
