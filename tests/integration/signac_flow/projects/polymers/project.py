"""Bead-spring polymer melts: build, equilibrate, sample and analyse each state point."""
# ruff: noqa: N805, PTH123, SIM117  # as people write them

import itertools
import json
import math
import random

import flow
from flow import FlowProject

BLOCKS = 3


class Project(FlowProject):
    """The melts."""

    @flow.staticlabel()
    def short_chain(job):
        return job.sp.N < 16

    @flow.classlabel("fine step")
    def fine(cls, job):
        return job.sp.dt < 0.005

    @flow.label()
    def melt(self, job):
        return f"melt of {len(self)}" if job.isfile("melt.json") else False


@Project.label
def equilibrated(job):
    return job.doc.get("equilibrated")


@Project.label
def progress(job):
    return f"{job.doc.blocks}/{BLOCKS} blocks"


@Project.label("noted")
def has_note(job):
    return "note" in job.doc


def stiff(job):
    return "note" in job.doc


def enough_blocks(job):
    return job.doc.get("blocks", 0) >= BLOCKS


@Project.post.isfile("melt.json")
@Project.operation
def build(job):
    generator = random.Random(f"{job.sp.N} {job.sp.friction}")
    chain = [0.0]
    for _ in range(job.sp.N - 1):
        chain.append(round(chain[-1] + generator.gauss(0, 1), 6))
    with open(job.fn("melt.json"), "w") as file:
        json.dump(chain, file)
    print("built", job)


@Project.pre.after(build)
@Project.pre.not_(stiff)
@Project.post.true("equilibrated")
@Project.post(lambda job: job.doc.get("energy", math.inf) < 1e3)
@Project.operation
def equilibrate(job):
    with open(job.fn("melt.json")) as file:
        chain = json.load(file)
    job.doc.energy = sum((a - b) ** 2 for a, b in itertools.pairwise(chain)) / 2
    job.doc.equilibrated = True
    print("equilibrated", job, f"{job.doc.energy:.3f}")


@Project.pre.true("equilibrated")
@Project.pre(lambda job: job.sp.dt < 0.05, tag="stable")
@Project.post(enough_blocks, tag="enough blocks")
@Project.operation("sample")
def sample_one_block(job):
    job.doc.blocks += 1
    with open(job.fn("trajectory.txt"), "a") as file:
        file.write(f"{job.doc.blocks} {job.sp.friction * job.sp.dt * job.doc.blocks:.5f}\n")
    print("sampled", job, job.doc.blocks)


@Project.pre.copy_from(sample_one_block)
@Project.pre.after(equilibrate, sample_one_block)
@Project.post.isfile("analysis.json")
@Project.post.false("analysis_pending")
@Project.operation
def analyse(job):
    with open(job.fn("trajectory.txt")) as file:
        values = [float(line.split()[1]) for line in file]
    with job:
        with open("analysis.json", "w") as file:
            json.dump({"mean": sum(values) / len(values), "n": len(values)}, file)
    job.doc.pop("analysis_pending", None)


@Project.pre.never
@Project.operation
def visualise(job):
    raise NotImplementedError("on the workstation only")


@Project.pre.after(analyse)
@Project.post.never
@Project.operation
def archive(job):
    with open(job.fn("archive.log"), "a") as file:
        file.write("archived\n")


@Project.post.copy_from(build, sample_one_block)
@Project.pre.false("equilibrated")
@Project.operation
def touch(job):
    job.doc.touched = job.doc.get("touched", 0) + 1


if __name__ == "__main__":
    Project().main()
