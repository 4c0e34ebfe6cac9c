"""The same project under signac-flow and under pointillist, in turn: seconds, ratios, memory.

``python benchmarks/drop_in.py [--jobs 10000] [--pairs 5] [--folder DIR]`` prints a Markdown table.
Every figure is of a whole process. The two are run in pairs, one after the other, each time on
a fresh copy of the jobs; nothing is deleted before the end, as creating files is slower near
deleted ones. A pair whose results differ is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

PROJECT = """
from {package} import FlowProject


class Project(FlowProject):
    pass


@Project.post.isfile("a.txt")
@Project.operation
def a(job):
    open(job.fn("a.txt"), "w").close()


@Project.pre.after(a)
@Project.post.isfile("b.txt")
@Project.operation
def b(job):
    open(job.fn("b.txt"), "w").close()


@Project.pre.after(b)
@Project.post.isfile("c.txt")
@Project.operation
def c(job):
    open(job.fn("c.txt"), "w").close()


if __name__ == "__main__":
    Project().main()
"""
PACKAGES = {"signac-flow": "flow", "pointillist": "pointillist"}
ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)  # else one side is compiled anew each time


def measured(arguments: list[str], cwd: Path, program: str = sys.executable) -> tuple[float, float]:
    """Give the seconds, and the peak memory (MB) of the largest of a process and its children.

    A process begins with the peak of the one that starts it, so the script has to stay small.
    """
    start = time.perf_counter()
    with subprocess.Popen(
        [program, *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} in {cwd} failed: exit {process.returncode}")
    seconds = time.perf_counter() - start
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        raise SystemExit(f"{' '.join(arguments)} needs less memory than this script: no figure")
    return seconds, usage.ru_maxrss / 1024


def fill(folder: Path, jobs: int) -> None:
    """Make a signac project with this many jobs."""
    (folder / "workspace").mkdir(parents=True)
    code = f"import signac\np = signac.init_project()\nfor i in range({jobs}):\n"
    code += "    p.open_job({'i': i}).init()\n"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)


def digest(folder: Path) -> str:
    """Give a hash of the names and contents of all results."""
    found = hashlib.sha256()
    for job in sorted(entry.name for entry in os.scandir(folder / "workspace")):
        for file in sorted((folder / "workspace" / job).iterdir()):
            found.update(f"{job}/{file.name}\0".encode() + file.read_bytes())
    return found.hexdigest()


def pair(
    base: Path, made: Path, number: int, commands: dict[str, list[str]]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Carry the commands out under both packages, the first of which changes from pair to pair."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    digests = set()
    order = list(PACKAGES)[:: 1 if number % 2 else -1]
    for name in order:
        folder = made / f"{number}_{name}"
        shutil.copytree(base, folder)
        (folder / "project.py").write_text(PROJECT.format(package=PACKAGES[name]))
        os.sync()
        found[name] = {what: measured(arguments, folder) for what, arguments in commands.items()}
        digests.add(digest(folder))
    if len(digests) != 1:
        raise SystemExit("the results of the two differ: nothing to compare")
    return found


def table(
    title: str, pairs: list[dict[str, dict[str, tuple[float, float]]]], other: str = "signac-flow"
) -> str:
    """Give a Markdown table of medians, with the ratios of the pairs and their spread."""
    lines = [
        f"### {title}",
        "",
        f"| | {other} | pointillist | ratio (min to max) | memory, MB |",
        "|---|---|---|---|---|",
    ]
    for what in pairs[0]["pointillist"]:
        theirs = [p[other][what] for p in pairs]
        ours = [p["pointillist"][what] for p in pairs]
        ratios = [b[0] / a[0] for a, b in zip(theirs, ours, strict=True)]
        a, b = (statistics.median(s for s, _ in side) for side in (theirs, ours))
        memory = " / ".join(
            f"{statistics.median(m for _, m in side):.0f}" for side in (theirs, ours)
        )
        middle, least, most = (
            f"{ratio:.{2 if min(ratios) > 0.1 else 4}f}"
            for ratio in (statistics.median(ratios), min(ratios), max(ratios))
        )
        spread = f"{middle} ({least} to {most})"
        lines.append(f"| {what} | {a:.2f} s | {b:.2f} s | {spread} | {memory} |")
    return "\n".join(lines)


def import_cost(times: int) -> str:
    """Give what the import costs on top of flow's, in whole processes, as a Markdown line."""
    code = {
        "signac-flow": "from flow import FlowProject",
        "pointillist": "from pointillist import FlowProject",
    }
    seconds: dict[str, list[float]] = {name: [] for name in code}
    for _ in range(times):
        for name, line in code.items():
            seconds[name].append(measured(["-c", line], Path.cwd())[0])
    a, b = (1000 * statistics.median(seconds[name]) for name in code)
    more = [1000 * (y - x) for x, y in zip(*seconds.values(), strict=True)]
    spread = f"{min(more):.0f} to {max(more):.0f}"
    return (
        f"`from … import FlowProject`, {times} pairs of processes: signac-flow {a:.0f} ms, "
        f"pointillist {b:.0f} ms; the difference within a pair is "
        f"{statistics.median(more):.0f} ms ({spread})."
    )


def file_system(folder: Path) -> str:
    """Give the name of the file system that the folder is on: ext4, tmpfs."""
    told = subprocess.run(
        ["df", "--output=fstype", str(folder)], capture_output=True, text=True, check=True
    )
    return told.stdout.split()[-1]


def machine(folder: Path) -> str:
    """Give what was measured on: date, processors, file system, versions."""
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("pointillist", "signac-flow", "signac")
    )
    return (
        f"{date.today()}, {os.cpu_count()} processors, {platform.system()}, {file_system(folder)}, "
        f"Python {platform.python_version()}, {versions}."
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="Where the jobs are made: another disk.")
    arguments = parser.parse_args()
    made = Path(tempfile.mkdtemp(prefix="pointillist-bench-", dir=arguments.folder))
    serial = {
        "`run`": ["project.py", "run"],
        "`run`, nothing to do": ["project.py", "run"],
        "`status`": ["project.py", "status"],
    }
    few = max(1, arguments.jobs // 10)
    parallel = {"`run -p 2`": ["project.py", "run", "-p", "2"]}
    try:
        tables = []
        for jobs, commands in ((arguments.jobs, serial), (few, parallel)):
            base = made / f"base_{jobs}"
            fill(base, jobs)
            pairs = [pair(base, made, 100 * jobs + n, commands) for n in range(arguments.pairs)]
            title = f"3 x {jobs:,} trivial operations, {arguments.pairs} pairs"
            tables.append(table(title, pairs))
        told = machine(made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    print(told, "", import_cost(15), sep="\n")
    print("", *tables, sep="\n\n")


if __name__ == "__main__":
    main()
