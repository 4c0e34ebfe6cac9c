"""Join the recordings of a session, describe them and find their rising edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import pointillist as pt

THRESHOLD = 0.75  # a sample is high from this part of the range on


@pt.step
def plot_summary(joined: Path, edges: list[int], session: str, parity: str) -> Figure:
    """Draw the samples in blue, the rising edges in red."""
    samples = np.fromfile(joined, dtype=np.uint8)
    figure = Figure(figsize=(9, 3), layout="constrained")
    axes = figure.subplots()
    axes.plot(samples, color="tab:blue", linewidth=1, label="samples")
    axes.plot(edges, samples[edges], "o", color="tab:red", markersize=4, label="rising edges")
    axes.set(
        title=f"Session {session}, {parity} recordings",
        xlabel="sample index",
        ylabel="value (0 to 255)",
        ylim=(-5, 260),
    )
    axes.margins(x=0.01)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


class Recording(pt.Record):
    """One binary file of one recording session."""

    session: str = pt.key()
    recording_index: int = pt.key()

    raw: Path = pt.seed("recordings/{session}/rec_{recording_index}.bin")

    @property
    def parity(self) -> str:
        """Whether the index is odd or even."""
        return "odd" if self.recording_index % 2 else "even"


class Block(pt.Aggregate[Recording], order_by="recording_index"):
    """The recordings of one session that share a parity, joined."""

    session: str = pt.key()
    parity: str = pt.key()

    joined: Path = pt.matlab("concatenateFiles", pt.out, pt.each(Recording.raw)).to("joined.bin")
    stats: dict[str, Any] = pt.matlab("computeStats", joined, pt.out).to("stats.json")
    edges: list[int] = pt.matlab("findRisingEdges", joined, stats, pt.out, THRESHOLD).to(
        "edges.json"
    )
    summary: Figure = plot_summary.step(joined, edges, session, parity).to("summary.png")


class Lab(pt.Project):
    """All sessions of the lab."""

    records = (Recording, Block)


if __name__ == "__main__":
    Lab().main()
