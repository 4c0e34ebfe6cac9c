"""A project's settings: ``pointillist.toml``, and this machine's in ``.pointillist/config.toml``.

::

    matlab = "/opt/matlab/bin/matlab"     # the program for MATLAB steps
    hash_limit = "100m"                   # content is hashed up to this size

    [roots]
    nas = "/mnt/nas/lab"                  # where pt.seed(..., root="nas") lies on this machine

    [rules]
    source = "run"                        # a changed source makes a step run (`rulesets`)

A relative folder is meant from the project's. The machine's file wins over the project's; rules are
the project's alone, so that every machine judges alike.
``POINTILLIST_ROOT_NAS`` in the environment wins over both for the root ``nas``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from .layout import Layout
from .rulesets import Ruleset, read_ruleset

__all__ = ["Configuration", "read_configuration"]

HASH_LIMIT = 100_000_000
_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9}


@dataclass(frozen=True)
class Configuration:
    """Settings of one project on one machine.

    Parameters
    ----------
    matlab : str or None
        The program for MATLAB steps.
    hash_limit : int
        Bytes up to which content is hashed.
    roots : dict
        Where named roots lie.
    rules : Ruleset
        What each rule does where something differs.
    """

    matlab: str | None = None
    hash_limit: int = HASH_LIMIT
    roots: dict[str, Path] = field(default_factory=dict)
    rules: Ruleset = field(default_factory=Ruleset)

    def root(self, name: str) -> Path:
        """Return where the root called `name` lies.

        Raises
        ------
        ConfigurationError
            If this machine has no such root.
        """
        variable = f"POINTILLIST_ROOT_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
        given = os.environ.get(variable)
        if given:
            return Path(given).expanduser()
        if name not in self.roots:
            raise ConfigurationError(
                f"the root {name!r} has no place on this machine. Set {variable}, or write "
                f'{name} = "/the/folder" under [roots] in .pointillist/config.toml.'
            )
        return self.roots[name]


def read_configuration(layout: Layout) -> Configuration:
    """Return the settings of the project at `layout`.

    Raises
    ------
    ConfigurationError
        If a file cannot be read or a setting cannot be; the message names file and setting.
    """
    merged: dict[str, Any] = {}
    roots: dict[str, Path] = {}
    for path in (layout.project_settings, layout.machine_settings):
        data = _read(path)
        for name, value in data.items():
            if name == "roots" and isinstance(value, dict):
                for key, where in value.items():
                    if not isinstance(where, str) or not where:
                        raise ConfigurationError(
                            f"{path}: under [roots], {key} = {where!r} is no folder. "
                            f'Write {key} = "/the/folder".'
                        )
                    roots[key] = layout.root / Path(where).expanduser()
            elif name == "rules" and path == layout.machine_settings:
                raise ConfigurationError(
                    f"{path}: rules are the project's, so that every machine judges alike. "
                    f"Move [rules] to {layout.project_settings}."
                )
            elif name == "rules":
                merged[name] = read_ruleset(path, value)
            else:
                merged[name] = _checked(path, name, value)
    return Configuration(roots=roots, **merged)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        import tomllib  # most projects have no settings

        return tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error


def _checked(path: Path, name: str, value: Any) -> Any:
    if name == "matlab" and isinstance(value, str):
        return value
    if name == "hash_limit":
        if isinstance(value, str) and value[:-1].isdecimal() and value[-1].lower() in _UNITS:
            return int(value[:-1]) * _UNITS[value[-1].lower()]
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    raise ConfigurationError(
        f"{path}: {name} = {value!r} is no setting. The settings are matlab (text), hash_limit "
        '(bytes, or "100m") and the tables [roots] and [rules].'
    )
