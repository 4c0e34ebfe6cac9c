"""Pipelines over folders of recordings: jobs, steps in Python and MATLAB, aggregates.

See `Record`, `Aggregate` and `Project`; `step`, `shell`, `matlab` and `command` make steps,
`key` and `seed` fields, `each` and `out` stand for members' fields and an output's place.

A signac-flow project goes on with ``from pointillist import FlowProject``; `aggregator`,
`get_aggregate_id`, `IgnoreConditions`, `label`, `classlabel` and `staticlabel` are signac-flow's.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, formats
    from .errors import PointillistError
    from .flow.flowproject import (
        FlowProject,
        IgnoreConditions,
        aggregator,
        classlabel,
        get_aggregate_id,
        label,
        staticlabel,
    )
    from .model.arguments import each, out
    from .model.fields import key, seed
    from .model.records import Aggregate, Record
    from .model.steps import command, matlab, shell, step
    from .project import Project

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "FlowProject",
    "IgnoreConditions",
    "PointillistError",
    "Project",
    "Record",
    "__version__",
    "aggregator",
    "classlabel",
    "command",
    "each",
    "errors",
    "formats",
    "get_aggregate_id",
    "key",
    "label",
    "matlab",
    "out",
    "seed",
    "shell",
    "staticlabel",
    "step",
]

_HOMES = {
    **dict.fromkeys(("Aggregate", "Record"), ".model.records"),
    **dict.fromkeys(("command", "matlab", "shell", "step"), ".model.steps"),
    **dict.fromkeys(("each", "out"), ".model.arguments"),
    **dict.fromkeys(("key", "seed"), ".model.fields"),
    **dict.fromkeys(
        (
            *("FlowProject", "IgnoreConditions", "aggregator", "classlabel"),
            *("get_aggregate_id", "label", "staticlabel"),
        ),
        ".flow.flowproject",
    ),
    "PointillistError": ".errors",
    "Project": ".project",
}
"""Where each public name is defined. It is loaded when it is first asked for, so that importing
pointillist costs next to nothing, and a project pays only for what it uses."""


def __getattr__(name: str) -> Any:
    if name in ("errors", "formats"):
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .space.garbage import garbage_left

    with garbage_left():
        value = getattr(import_module(_HOMES[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
