"""Ligand docking: poses, scores and refinement; good ligands are varied once more."""
# ruff: noqa: PTH107, PTH123  # as people write them

import os

import flow
from flow import FlowProject

ROUNDS = 3


class Campaign(FlowProject):
    """What all our campaigns do."""

    @flow.label()
    def first_generation(self, job):
        return job.sp.generation == 0


class Docking(Campaign):
    """This campaign."""

    @classmethod
    def score_of(cls, job):
        return sum(map(ord, job.sp.ligand)) % 97 - 10 * job.sp.generation


refinement = Docking.make_group("refinement", submit_options="--num-passes 2")
checked = Docking.make_group("checked", run_options="--verbose")
per_target = Docking.make_group(
    "per_target", group_aggregator=flow.aggregator.groupby("target", sort_by="ligand")
)


@Campaign.post.isfile("ligand.pdb")
@Campaign.operation(directives={"walltime": 0.5})
def prepare(job):
    with open(job.fn("ligand.pdb"), "w") as file:
        file.write(f"REMARK {job.sp.ligand} for {job.sp.target}\n")


@Campaign.label
def prepared(job):
    return job.isfile("ligand.pdb")


@refinement(directives={"np": 4, "walltime": 8, "memory": "4g"})
@Docking.pre.after(prepare)
@Docking.post(lambda job: job.doc.get("rounds", 0) >= ROUNDS)
@Docking.post.isfile("poses.txt")
@Docking.operation(directives={"np": 2, "walltime": 2})
def dock(job):
    job.doc.rounds = job.doc.get("rounds", 0) + 1
    with open(job.fn("poses.txt"), "w") as file:
        file.write(f"{job.doc.rounds} {Docking.score_of(job) + job.doc.rounds}\n")


@refinement
@Docking.pre.isfile("poses.txt")
@Docking.post(lambda job: len(job.doc.get("scores", [])) >= ROUNDS)
@Docking.operation(directives={"walltime": 1, "memory": "6g"})
def rescore(job):
    # The poses are large: they go when they have been read, and the next round makes new ones.
    with open(job.fn("poses.txt")) as file:
        score = int(file.read().split()[1])
    if len(job.doc.setdefault("scores", [])) < ROUNDS - 1:
        os.remove(job.fn("poses.txt"))
    job.doc.scores.append(score)


@Docking.pre.after(rescore)
@Docking.pre(lambda job: job.sp.generation < 1 and max(job.doc.scores) > 40)
@Docking.post.true("varied")
@Docking.operation
def vary(job):
    for suffix in ("methyl", "fluoro"):
        statepoint = dict(job.sp, ligand=f"{suffix}-{job.sp.ligand}", generation=1)
        job.project.open_job(statepoint).init()
    job.doc.varied = True


@checked
@Docking.pre.after(rescore)
@Docking.post.isfile("checked.txt")
@Docking.operation
def check(job):
    with open(job.fn("checked.txt"), "w") as file:
        file.write(f"{max(job.doc.scores)}\n")


@per_target
@Docking.pre(lambda *jobs: all(job.doc.get("scores") for job in jobs))
@Docking.post.true("rank")
@Docking.operation(aggregator=flow.aggregator.groupby("target", sort_by="ligand"))
def rank(*jobs):
    best = sorted(jobs, key=lambda job: -max(job.doc.scores))
    for place, job in enumerate(best, start=1):
        job.doc.rank = place


@per_target
@Docking.pre.after(rank)
@Docking.post.isfile("best.txt")
@Docking.operation(cmd=True, aggregator=flow.aggregator.groupby("target", sort_by="ligand"))
def announce(*jobs):
    names = ", ".join(job.sp.ligand for job in jobs)
    files = " ".join(job.fn("best.txt") for job in jobs)
    return f"echo '{names}' | tee {files}"


if __name__ == "__main__":
    Docking(entrypoint={"path": "project.py"}).main()
