"""Jobs of many files, by signac in a loop and by pointillist: seconds, ratios, memory.

``python benchmarks/creation.py [--jobs 20000] [--pairs 3] [--folder DIR]`` prints a Markdown table.
signac's side lists the folders, reads the names and calls ``open_job(...).init()``; ours calls
`discover`, which makes and fills the aggregates too, or `add_product`. Every figure is of a whole
process. The two are run in pairs, one after the other, each time in a new folder; nothing is
deleted before the end. A pair whose workspaces differ in one byte is refused, and so is one that
signac takes for damaged.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from drop_in import digest, machine, measured

FOUND_BY_SIGNAC = """
import os
import re

import signac

project = signac.init_project()
for session in os.scandir("raw"):
    for file in os.scandir(session):
        name = re.fullmatch(r"rec_(\\d+)\\.bin", file.name)
        project.open_job({"session": session.name, "index": int(name[1])}).init()
"""
FOUND_BY_US = """
from pathlib import Path

import pointillist as pt


class Recording(pt.Record):
    session: str = pt.key()
    index: int = pt.key()
    raw: Path = pt.seed("raw/{session}/rec_{index}.bin")


class Session(pt.Aggregate[Recording], order_by="index"):
    session: str = pt.key()


class Lab(pt.Project):
    records = (Recording, Session)


Lab().discover()
"""
ADDED_BY_SIGNAC = """
import sys

import signac

project = signac.init_project()
for session in range(int(sys.argv[1])):
    for index in range(100):
        project.open_job({"session": f"s{session}", "index": index}).init()
"""
ADDED_BY_US = """
import sys

import pointillist as pt


class Run(pt.Record):
    session: str = pt.key()
    index: int = pt.key()


class Lab(pt.Project):
    records = (Run,)


sessions = [f"s{session}" for session in range(int(sys.argv[1]))]
Lab().add_product(Run, session=sessions, index=range(100))
"""
CODE = {
    "found": {"signac": FOUND_BY_SIGNAC, "pointillist": FOUND_BY_US},
    "added": {"signac": ADDED_BY_SIGNAC, "pointillist": ADDED_BY_US},
}
CHECK = "import signac\nsignac.get_project().check()"  # not here: this script must stay small
WHAT = {
    "found": ("`discover`", "`discover`, nothing new"),
    "added": ("`add_product`", "`add_product`, nothing new"),
}


def fill(folder: Path, sessions: int) -> None:
    """Make this many folders of a hundred files."""
    for session in range(sessions):
        inside = folder / f"raw/s{session}"
        inside.mkdir(parents=True)
        for index in range(100):
            (inside / f"rec_{index}.bin").touch()


def pair(made: Path, sessions: int, number: int) -> dict[str, dict[str, tuple[float, float]]]:
    """Make the same jobs by both, twice each; who is first changes from pair to pair."""
    found: dict[str, dict[str, tuple[float, float]]] = {"signac": {}, "pointillist": {}}
    for how, codes in CODE.items():
        digests = set()
        for name in list(codes)[:: 1 if number % 2 else -1]:
            folder = made / f"{number}_{how}_{name}"
            folder.mkdir()
            if how == "found":
                fill(folder, sessions)
            (folder / "project.py").write_text(codes[name])
            os.sync()
            for what in WHAT[how]:
                found[name][what] = measured(["project.py", str(sessions)], folder)
            subprocess.run([sys.executable, "-c", CHECK], cwd=folder, check=True)
            digests.add(digest(folder))
        if len(digests) != 1:
            raise SystemExit("the workspaces of the two differ: nothing to compare")
    return found


def table(jobs: int, pairs: list[dict[str, dict[str, tuple[float, float]]]]) -> str:
    """Give a Markdown table of medians, with the ratios of the pairs and their spread."""
    lines = [
        f"### {jobs:,} jobs, {len(pairs)} pairs",
        "",
        "| | signac | pointillist | ratio (min to max) | µs a job | memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for what in pairs[0]["signac"]:
        sides = [[p[name][what] for p in pairs] for name in ("signac", "pointillist")]
        ratios = [b[0] / a[0] for a, b in zip(*sides, strict=True)]
        a, b = (statistics.median(seconds for seconds, _ in side) for side in sides)
        memory = " / ".join(f"{statistics.median(m for _, m in side):.0f}" for side in sides)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        each = f"{1e6 * a / jobs:.0f} / {1e6 * b / jobs:.0f}"
        lines.append(f"| {what} | {a:.2f} s | {b:.2f} s | {spread} | {each} | {memory} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--jobs", type=int, default=20_000, help="In hundreds.")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="Where the jobs are made: another disk.")
    arguments = parser.parse_args()
    made = Path(tempfile.mkdtemp(prefix="pointillist-bench-", dir=arguments.folder))
    sessions = max(1, arguments.jobs // 100)
    try:
        told = machine(made)
        pairs = [pair(made, sessions, number) for number in range(arguments.pairs)]
    finally:
        shutil.rmtree(made, ignore_errors=True)
    print(told, "", table(100 * sessions, pairs), sep="\n")


if __name__ == "__main__":
    main()
