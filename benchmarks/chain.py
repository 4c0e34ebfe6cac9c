"""The chain of protocol.py as scale.py measures it: with an aggregate too, and under Snakemake."""

from __future__ import annotations

import sys
from typing import NamedTuple

from protocol import PROJECTS

AGGREGATES = {
    "signac-flow": """
def total_of(*jobs):
    return f"total_{jobs[0].sp.i // 100}.txt"


@Project.pre(lambda *jobs: all(job.isfile("c.txt") for job in jobs))
@Project.post(lambda *jobs: os.path.isfile(total_of(*jobs)))
@Project.operation(aggregator=aggregator.groupby(lambda job: job.sp.i // 100))
def total(*jobs):
    with open(total_of(*jobs), "w") as file:
        file.write(f"{sum(number(job.fn('c.txt')) for job in jobs)}\\n")


if __name__""",
    "pointillist": """
@pt.step
def add(numbers: list[int]) -> int:
    return sum(numbers)


class Hundred(pt.Aggregate[Item], order_by="i"):
    hundred: int = pt.key(lambda item: item.i // 100)

    total: int = add.step(pt.each(Item.c)).to()


class Project(""",
}
SNAKEFILE = """
POINT = "workspace/{job}/signac_statepoint.json"


rule all:
    input:
        expand("workspace/{job}/c.txt", job=glob_wildcards(POINT).job)


rule a:
    input: POINT
    output: "workspace/{job}/a.txt"
    shell: "point=$(<{input}); echo $((${{point//[!0-9]/}} + 1)) > {output}"


rule b:
    input: "workspace/{job}/a.txt"
    output: "workspace/{job}/b.txt"
    shell: "echo $(($(<{input}) + 1)) > {output}"


rule c:
    input: "workspace/{job}/b.txt"
    output: "workspace/{job}/c.txt"
    shell: "echo $(($(<{input}) + 1)) > {output}"
"""


class Side(NamedTuple):
    """What carries the chain out: a project file, its program, the arguments if always the same."""

    text: str
    file: str = "project.py"
    program: str = sys.executable
    fixed: tuple[str, ...] = ()


def sides(aggregate: bool) -> dict[str, Side]:
    """Give signac-flow's project and ours: three steps in a chain, and an aggregate of the last."""
    found = {}
    for name, text in PROJECTS.items():
        if aggregate:
            added = AGGREGATES[name]
            text = text.replace(added.splitlines()[-1], added, 1)
            text = text.replace("import FlowProject", "import FlowProject, aggregator\nimport os")
            text = text.replace("(Item,)", "(Item, Hundred)")
        found[name] = Side(text)
    return found


def snakemake(program: str) -> Side:
    """Give the chain under Snakemake, on the same jobs."""
    return Side(SNAKEFILE, "Snakefile", program, ("--cores", "1", "--quiet", "all"))
