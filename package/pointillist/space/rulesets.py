"""What each rule does where something differs: for all steps, and for single ones.

::

    [rules]
    source = "run"                        # a changed source makes every step run

    [rules.stats]                         # the step stats of every class
    version = "ignore"

    [rules."Block.stats"]                 # the one of Block; what it says goes before the others
    source = "ignore"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError

__all__ = ["RULES", "Ruleset", "read_ruleset"]

RULES: Mapping[str, str] = {
    "input": "run",
    "argument": "run",
    "version": "run",
    "source": "show",
}
"""The rules that can be set, with what they do by default. An output that is gone is made again."""

_ACTIONS = {
    "run": "the step runs again",
    "show": "it is shown, and what is there is kept",
    "ignore": "it is not looked at",
}


@dataclass(frozen=True)
class Ruleset:
    """What the rules of a project do.

    Parameters
    ----------
    path : Path or None
        The file that says so.
    of_all : dict of str to str
        By rule, for all steps: ``run``, ``show`` or ``ignore``; those that are set.
    of_steps : dict of str to dict of str to str
        The same for single steps, by ``stats`` or ``Block.stats``.
    """

    path: Path | None = None
    of_all: Mapping[str, str] = field(default_factory=dict)
    of_steps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, operation: str) -> dict[str, str]:
        """Return what each rule does for a step, ``Block.stats``."""
        said = (operation, operation.rpartition(".")[2])
        steps = [self.of_steps.get(name, {}) for name in reversed(said)]
        return {**RULES, **self.of_all, **steps[0], **steps[1]}

    def place(self, operation: str, rule: str) -> str:
        """Return where it is said what a rule does for a step; empty if nothing is said."""
        for name in (operation, operation.rpartition(".")[2]):
            if rule in self.of_steps.get(name, {}):
                return f'[rules."{name}"]' if "." in name else f"[rules.{name}]"
        return "[rules]" if rule in self.of_all else ""

    def check(self, operations: Iterable[str]) -> None:
        """Refuse steps that there are not.

        Raises
        ------
        ConfigurationError
            If there are any; the message names those that there are.
        """
        known = list(operations)
        said = {name for operation in known for name in (operation, operation.rpartition(".")[2])}
        for name in self.of_steps:
            if name not in said:
                raise ConfigurationError(
                    f"{self.path}: under [rules], {name!r} is neither a rule nor a step. "
                    f"The rules are {', '.join(RULES)}; the steps are "
                    f"{', '.join(known) or 'none'}, or the part behind the dot for all classes."
                )


def read_ruleset(path: Path, table: Any) -> Ruleset:
    """Return what the table ``[rules]`` of a settings file says.

    Raises
    ------
    ConfigurationError
        If a rule or what it does is unknown; the message names those that there are.
    """
    if not isinstance(table, dict):
        raise ConfigurationError(
            f'{path}: rules = {table!r} is no table. Write [rules], and below it source = "run".'
        )
    of_all = {name: value for name, value in table.items() if not isinstance(value, dict)}
    of_steps = {name: value for name, value in table.items() if isinstance(value, dict)}
    _check(path, "[rules]", of_all)
    for step, said in of_steps.items():
        _check(path, f'[rules."{step}"]', said)
    return Ruleset(path, of_all, of_steps)


def _check(path: Path, where: str, said: Mapping[str, Any]) -> None:
    for rule, action in said.items():
        if rule == "output":
            raise ConfigurationError(
                f"{path}: under {where}, the rule output cannot be set: an output that is gone is "
                f"made again. The rules that can be are {', '.join(RULES)}."
            )
        if isinstance(action, dict):  # [rules.Block.stats] is a table in a table
            step = where.split('"')[1]
            raise ConfigurationError(
                f'{path}: write [rules."{step}.{rule}"], with the quotes, for {step}.{rule}.'
            )
        if rule not in RULES:
            raise ConfigurationError(
                f"{path}: under {where}, {rule!r} is no rule. The rules are {', '.join(RULES)}."
            )
        if not isinstance(action, str) or action not in _ACTIONS:
            told = ", ".join(f'"{name}" ({what})' for name, what in _ACTIONS.items())
            raise ConfigurationError(
                f"{path}: under {where}, {rule} = {action!r} is nothing that a rule does: {told}."
            )
