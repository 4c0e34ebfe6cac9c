"""Class bodies as text, declared in a module of their own: what a user's project.py would be."""

from __future__ import annotations

import sys
import textwrap
from types import ModuleType
from typing import Any

PREAMBLE = """\
from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pointillist as pt

if TYPE_CHECKING:
    from decimal import Decimal


@pt.step
def mean(raw: Path, scale: Any = 1) -> float:
    return 0.0


@pt.step
def sort(raw: Path) -> dict[str, Any]:
    return {}


@pt.command
def copy(raw: Path, out: Path) -> list[Any]:
    return ["cp", raw, out]


class Recording(pt.Record):
    session: str = pt.key()
    index: int = pt.key()
    raw: Path = pt.seed("{session}/{index}.bin")
    mean: float = mean.step(raw).to()

    @property
    def parity(self) -> str:
        return "odd" if self.index % 2 else "even"

    def method(self) -> str:
        return "not a property"


class Block(pt.Aggregate[Recording]):
    session: str = pt.key()
    parity: str = pt.key()
    joined: Path = pt.matlab("join", pt.out, pt.each(Recording.raw)).to("joined.bin")

"""


def declare(source: str) -> dict[str, Any]:
    """Run `source` after the preamble, as a module; give its names."""
    module = ModuleType("bodies_project")
    sys.modules[module.__name__] = module
    try:
        exec(compile(PREAMBLE + textwrap.dedent(source), "project.py", "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return vars(module)
