"""Pipelines over folders of recordings: jobs, steps in Python and MATLAB, aggregates.

See `Record`, `Aggregate` and `Project`; `step`, `shell`, `matlab` and `command` make steps,
`key` and `seed` fields, `each` and `out` stand for members' fields and an output's place.
"""

from __future__ import annotations

from . import errors, formats
from .errors import PointillistError
from .model.arguments import each, out
from .model.fields import key, seed
from .model.records import Aggregate, Record
from .model.steps import command, matlab, shell, step
from .project import Project

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "PointillistError",
    "Project",
    "Record",
    "__version__",
    "command",
    "each",
    "errors",
    "formats",
    "key",
    "matlab",
    "out",
    "seed",
    "shell",
    "step",
]
