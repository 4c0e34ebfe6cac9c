"""Let grains drift in a liquid, measure how far they get, and compare with Einstein's formula."""

from __future__ import annotations

import random
from pathlib import Path

from signac.job import Job

from pointillist import Aggregate, FlowProject, key

STEPS = 200  # seconds of each walk
GRAINS = 50  # grains of each walk


class Project(FlowProject):
    """A signac-flow project: jobs, operations, conditions."""


class Liquid(Aggregate[Job], order_by="seed"):
    """The walks in one liquid. It has a job of its own, with a folder and a document."""

    diffusivity: float = key()


@Project.label
def measured(job: Job) -> bool:
    """Label the walks that are done."""
    return bool(job.isfile("distance.txt"))


@Project.label("compared", on=Liquid)
def is_compared(liquid: Job) -> bool:
    """Label the liquids that are done."""
    return bool(liquid.isfile("compared.txt"))


@Project.post.isfile("walk.txt")
@Project.operation
def simulate(job: Job) -> None:
    """Let grains walk: each second a step of variance 2 D; write where each one ends (µm)."""
    chance = random.Random(f"{job.sp.diffusivity} {job.sp.seed}")
    width = (2 * job.sp.diffusivity) ** 0.5
    ends = [sum(chance.gauss(0, width) for _ in range(STEPS)) for _ in range(GRAINS)]
    Path(job.fn("walk.txt")).write_text("".join(f"{end:.6f}\n" for end in ends))


@Project.pre.after(simulate)
@Project.post.isfile("distance.txt")
@Project.operation(cmd=True, with_job=True)
def measure(job: Job) -> str:
    """Give the mean squared distance (µm²) with a program of the shell."""
    return "awk '{ sum += $1 * $1 } END { print sum / NR }' walk.txt > distance.txt"


@Project.pre(lambda liquid: all(walk.isfile("distance.txt") for walk in liquid.members))
@Project.post(lambda liquid: liquid.doc.get("walks") == len(liquid.members))
@Project.operation(on=Liquid)
def compare(liquid: Job) -> None:
    """Compare the mean over all walks with 2 D t (A. Einstein, Ann. Phys. 17 (1905) 549)."""
    distances = [float(Path(walk.fn("distance.txt")).read_text()) for walk in liquid.members]
    found = sum(distances) / len(distances)
    expected = 2 * liquid.sp.diffusivity * STEPS
    Path(liquid.fn("compared.txt")).write_text(f"found {found:.1f}, expected {expected:.1f} µm²\n")
    liquid.doc["walks"] = len(distances)


if __name__ == "__main__":
    Project().main()
