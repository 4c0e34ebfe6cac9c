"""What conditions are called when people are told that one does not hold."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .conditions import mended

__all__ = ["condition_name"]

_FLOW = {"_isfile": "isfile", "_document": "true", "_no_document": "false", "_not": "not_"}
"""What the functions of signac-flow's own conditions are made by."""


def condition_name(function: Any, name_of: Callable[[Any], str]) -> str:
    """Return what a condition is called.

    Parameters
    ----------
    function : callable
        The condition's function.
    name_of : callable
        Gives the name of an operation by its function.

    Returns
    -------
    str
        The function's name; what it looks for, if it is one of signac-flow's own:
        ``isfile("x.txt")``, ``true("key")``, ``after(other)``; of a lambda its tag, or where it
        stands: ``<lambda> (project.py:31)``.
    """
    for kind, others in (("after", "_after"), ("copy_from", "_copied")):
        if hasattr(function, others):
            return f"{kind}({_listed(getattr(function, others), name_of)})"
    name = str(getattr(function, "__name__", ""))
    if getattr(function, "__module__", "") == "flow.project" and name in _FLOW:
        (sought,) = _captured(function).values()
        told = condition_name(sought, name_of) if callable(sought) else f'"{sought}"'
        return f"{_FLOW[name]}({told})"
    tag = getattr(function, "_flow_tag", None)
    if name == "<lambda>":
        if function.__module__ == mended.__module__:
            return "never"
        if isinstance(tag, str):
            return tag
        code = function.__code__
        return f"<lambda> ({Path(code.co_filename).name}:{code.co_firstlineno})"
    if isinstance(function, functools.partial):
        return f"partial of {condition_name(function.func, name_of)}"
    return name or type(function).__name__


def _captured(function: Any) -> Mapping[str, Any]:
    """Return the variables that a function took from where it was made."""
    return {
        name: cell.cell_contents
        for name, cell in zip(function.__code__.co_freevars, function.__closure__, strict=True)
    }


def _listed(functions: Iterable[Any], name_of: Callable[[Any], str]) -> str:
    return ", ".join(name_of(function) for function in functions)
