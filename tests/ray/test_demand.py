"""What a task asks of a Ray cluster, and whether nodes have it."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.model.options import Options
from pointillist.ray.demand import Demand, Node, demand_of

NODE = Node("10.0.0.7", {"CPU": 4, "GPU": 1, "memory": 8e9, "tape": 1, "node:10.0.0.7": 1})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"CPU": 1}),
        ({"np": 4, "ngpu": 2}, {"CPU": 4, "GPU": 2}),
        ({"memory": "500m"}, {"CPU": 1, "memory": 5e8}),
        ({"resources": {"tape": 0.5}}, {"CPU": 1, "tape": 0.5}),
    ],
)
def test_amounts(options: dict[str, Any], expected: dict[str, float]) -> None:
    """Options become resources by Ray's names; what is not said is not asked for."""
    assert expected == demand_of(Options().updated(**options)).amounts


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        (Demand(1), 4),
        (Demand(3), 1),
        (Demand(5), 0),
        (Demand(1, 1), 1),
        (Demand(1, 0, int(3e9)), 2),
        (Demand(1, 0, 0, (("tape", 0.1),)), 4),
        (Demand(1, 0, 0, (("disk", 1.0),)), 0),
    ],
)
def test_count(demand: Demand, expected: int) -> None:
    """A node holds as many workers as the scarcest of what they ask for allows."""
    assert expected == NODE.count(demand)


def test_words() -> None:
    """Nodes and demands are told with their amounts, without what Ray keeps for itself."""
    assert "10.0.0.7 with 4 CPU, 1 GPU, 8 GB of memory, 1 tape" == str(NODE)
    assert "2 CPU, 0.5 tape" == str(Demand(2, others=(("tape", 0.5),)))
