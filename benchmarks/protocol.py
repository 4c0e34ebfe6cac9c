"""What claims, stages, journals and publishing cost: declared steps beside signac-flow operations.

``python benchmarks/protocol.py [--jobs 2000] [--pairs 5] [--folder DIR]`` prints a Markdown table.
The same chain of three trivial steps, serially, on the same jobs, in pairs of whole processes. What
one task costs is the time of a full run less that of a run on an empty project, by 3 x the jobs.
A pair whose outputs differ is refused.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from drop_in import digest, fill, machine, measured

THEIRS = """
from flow import FlowProject


class Project(FlowProject):
    pass


def number(path):
    with open(path) as file:
        return int(file.read())


@Project.post.isfile("a.txt")
@Project.operation
def a(job):
    with open(job.fn("a.txt"), "w") as file:
        file.write(f"{job.sp.i + 1}\\n")


@Project.pre.after(a)
@Project.post.isfile("b.txt")
@Project.operation
def b(job):
    with open(job.fn("b.txt"), "w") as file:
        file.write(f"{number(job.fn('a.txt')) + 1}\\n")


@Project.pre.after(b)
@Project.post.isfile("c.txt")
@Project.operation
def c(job):
    with open(job.fn("c.txt"), "w") as file:
        file.write(f"{number(job.fn('b.txt')) + 1}\\n")


if __name__ == "__main__":
    Project().main()
"""

OURS = """
import pointillist as pt


@pt.step
def one_more(number: int) -> int:
    return number + 1


class Item(pt.Record):
    i: int = pt.key()

    a: int = one_more.step(i).to()
    b: int = one_more.step(a).to()
    c: int = one_more.step(b).to()


class Project(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Project().main()
"""

PROJECTS = {"signac-flow": THEIRS, "pointillist": OURS}
RUN = ["project.py", "run"]


def costs(made: Path, number: int, jobs: int) -> dict[str, tuple[float, float]]:
    """Give by name the seconds of a full run and those of one task, in one pair."""
    found = {}
    digests = set()
    for name in list(PROJECTS)[:: 1 if number % 2 else -1]:
        empty, full = made / f"{number}_{name}_empty", made / f"{number}_{name}"
        for folder, base in ((empty, "none"), (full, "base")):
            shutil.copytree(made / base, folder)
            (folder / "project.py").write_text(PROJECTS[name])
        start, _ = measured(RUN, empty)
        whole, _ = measured(RUN, full)
        found[name] = (whole, (whole - start) / (3 * jobs))
        digests.add(digest(full))
    if len(digests) != 1:
        raise SystemExit("the outputs of the two differ: nothing to compare")
    return found


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
    parser.add_argument("--jobs", type=int, default=2_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where to make the projects")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        fill(Path(folder, "none"), 0)
        fill(Path(folder, "base"), args.jobs)
        pairs = [costs(Path(folder), n, args.jobs) for n in range(args.pairs)]
        print(f"{machine(Path(folder))}\n")
    print(f"### 3 x {args.jobs:,} trivial steps, {args.pairs} pairs\n")
    print("| | signac-flow | pointillist | ratio (min to max) |\n|---|---|---|---|")
    for place, (what, unit, scale) in enumerate((("`run`", "s", 1), ("a task", "ms", 1000))):
        theirs = [scale * p["signac-flow"][place] for p in pairs]
        ours = [scale * p["pointillist"][place] for p in pairs]
        ratios = [b / a for a, b in zip(theirs, ours, strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        medians = f"{statistics.median(theirs):.3f} {unit} | {statistics.median(ours):.3f} {unit}"
        print(f"| {what} | {medians} | {spread} |")


if __name__ == "__main__":
    main()
