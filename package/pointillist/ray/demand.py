"""What a task asks of a Ray cluster, and what the nodes of one have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..model.options import Options

__all__ = ["Demand", "Node", "demand_of"]


@dataclass(frozen=True)
class Demand:
    """What a task takes of a node, and so what the worker holds that carries it out.

    Parameters
    ----------
    cpus, gpus : int
        How many.
    memory : int
        Bytes; 0 if the step does not say.
    others : tuple of (str, float)
        What else, by the names that nodes give it.
    """

    cpus: int
    gpus: int = 0
    memory: int = 0
    others: tuple[tuple[str, float], ...] = ()

    @property
    def amounts(self) -> dict[str, float]:
        """By Ray's names, how much it takes."""
        own = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory}
        return {**{name: float(much) for name, much in own.items() if much}, **dict(self.others)}

    @property
    def options(self) -> dict[str, Any]:
        """How Ray is asked for it."""
        found: dict[str, Any] = {"num_cpus": self.cpus, "num_gpus": self.gpus}
        if self.memory:
            found["memory"] = self.memory
        return {**found, "resources": dict(self.others)}

    def __str__(self) -> str:
        return _said(self.amounts)


def demand_of(options: Options) -> Demand:
    """Return what a step's options ask for."""
    memory = math.ceil((options.memory or 0.0) * 1e9)
    return Demand(options.np, options.ngpu, memory, options.resources)


@dataclass(frozen=True)
class Node:
    """A living node of a cluster.

    Parameters
    ----------
    address : str
        Where it is.
    resources : mapping of str to float
        What it has, used or not, by Ray's names.
    """

    address: str
    resources: Mapping[str, float]

    def count(self, demand: Demand) -> int:
        """Return how many workers with such a demand it can hold, if it holds no others."""
        return min(
            int(self.resources.get(name, 0.0) / much + 1e-9)
            for name, much in demand.amounts.items()
        )

    def __str__(self) -> str:
        own = {n: v for n, v in self.resources.items() if not n.startswith(("node:", "object_"))}
        return f"{self.address} with {_said(own)}"


def _said(amounts: Mapping[str, float]) -> str:
    words = []
    for name, much in sorted(amounts.items(), key=lambda item: (item[0] not in _FIRST, item[0])):
        if name == "memory":
            words.append(f"{much / 1e9:.3g} GB of memory")
        else:
            words.append(f"{much:g} {name}")
    return ", ".join(words)


_FIRST = ("CPU", "GPU", "memory")
