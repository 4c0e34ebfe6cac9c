"""What a step may say about how it is carried out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..errors import DeclarationError, closest

__all__ = ["Options"]

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_GIGABYTES = {"k": 1e-6, "m": 1e-3, "g": 1.0, "t": 1e3}
_GIGABYTES |= {f"{unit}b": size for unit, size in _GIGABYTES.items()}


@dataclass(frozen=True)
class Options:
    """Options of a step.

    Parameters
    ----------
    version : str, optional
        The author's version: when it changes the step is done again, and its source is not
        looked at.
    retries : int
        How often a failed attempt is tried again in the same run.
    timeout, walltime : float
        Seconds; text like ``"90s"``, ``"30m"``, ``"2h"``, ``"1d"`` is understood. A task is ended
        at `timeout`; `walltime` is asked of a scheduler.
    np, ngpu : int
        Processes and GPUs.
    memory : float
        Gigabytes; text like ``"8g"``, ``"500m"`` is understood.
    resources : mapping of str to float
        What else a task takes, by the names that the nodes of a Ray cluster give it:
        ``{"licence": 1}``; kept as sorted pairs. Other executors do not look at it.
    """

    version: str | None = None
    retries: int = 0
    timeout: float | None = None
    np: int = 1
    ngpu: int = 0
    memory: float | None = None
    walltime: float | None = None
    resources: tuple[tuple[str, float], ...] = ()

    def updated(self, **changes: Any) -> Options:
        """Return these options with `changes`.

        Raises
        ------
        DeclarationError
            If an option is unknown or its value cannot be.
        """
        known = [f.name for f in fields(self)]
        for name, value in changes.items():
            if name not in known:
                close = closest(name, known)
                hint = f" Did you mean {close}?" if close else ""
                raise DeclarationError(
                    f"a step has no option {name!r}.\n  options: {', '.join(known)}.{hint}"
                )
            changes[name] = _checked(name, value)
        return replace(self, **changes)


def _checked(name: str, value: Any) -> Any:
    if name == "resources":
        return _resources(value)
    if value is None and name not in ("retries", "np", "ngpu"):
        return None
    if name == "version":
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise DeclarationError(f'the option version={value!r} must be text: version="{value}".')
        return str(value)
    if name in ("timeout", "walltime"):
        return _quantity(name, value, _SECONDS, '90, "90s", "30m", "2h" or "1d"')
    if name == "memory":
        return _quantity(name, value, _GIGABYTES, '8, "8g" or "500m"')
    least = 1 if name == "np" else 0
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DeclarationError(f"the option {name}={value!r} must be an integer from {least}.")
    return value


def _resources(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, Mapping):
        raise DeclarationError(
            f'the option resources={value!r} must be names with amounts: {{"licence": 1}}.'
        )
    for name, amount in value.items():
        if name in _OWN:
            raise DeclarationError(
                f"the option resources={value!r} names {name}; write {_OWN[name]}= for that."
            )
        is_number = isinstance(amount, int | float) and not isinstance(amount, bool)
        whole = is_number and (amount <= 1 or float(amount).is_integer())
        if not isinstance(name, str) or not name or not whole or not 0 < amount < math.inf:
            raise DeclarationError(
                f"the option resources={value!r} must be names with amounts above 0; above 1 they "
                'are whole: {"licence": 1}.'
            )
    return tuple(sorted((name, float(amount)) for name, amount in value.items()))


_OWN = {"CPU": "np", "GPU": "ngpu", "memory": "memory"}


def _quantity(name: str, value: Any, units: dict[str, float], examples: str) -> float:
    number = value
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", value.strip().lower())
        if found and (found[2] in units or not found[2]):
            number = float(found[1]) * units.get(found[2], 1.0)
    if (
        isinstance(number, bool)
        or not isinstance(number, int | float)
        or not (math.isfinite(number) and number > 0)
    ):
        raise DeclarationError(f"the option {name}={value!r} is not understood; write {examples}.")
    return float(number)
