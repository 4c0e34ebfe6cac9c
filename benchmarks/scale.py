"""How this project and signac-flow grow from a thousand records to a hundred thousand.

``python benchmarks/scale.py [--records 1000 10000 100000] [--pairs 3] [--folder DIR] [--long]``
prints Markdown tables and keeps them in results.md beside this script. The steps are those of
protocol.py; up to ``--all-cases-to 1000`` records also with an aggregate over each hundred, and by
two workers, which take signac-flow long. ``--folder`` may be given more than once; without it the
temporary folder and /dev/shm are taken. ``--snakemake`` names a program that is not on the PATH.
Every figure is of a whole process. The two take turns at each state, and who is first changes from
pair to pair; every pair is in new folders, and on a disk nothing is deleted before the end, as
creating files is slower near deleted ones. A pair whose outputs differ is refused.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from chain import Side, sides, snakemake
from drop_in import digest, file_system, fill, machine, measured, table
from protocol import PROJECTS
from startup import imports

RESULTS = Path(__file__).with_name("results.md")
HEADING = "# From a thousand records to a hundred thousand"
TOLD = """\
Three declared steps in a chain beside signac-flow's operations that write the same files;
`aggregate`: and a sum over each hundred records. Made with `benchmarks/scale.py`: whole processes,
medians, the two in turn at each state, on the same records. Memory is the peak of the largest
process of a command; with `-p 2` too it is the maximum, not the sum. A lost output is the last one
of one record, moved away. On a disk nothing was deleted before the end."""

CASES = {
    "": (False, 1),
    "`-p 2`": (False, 2),
    "aggregate": (True, 1),
    "aggregate, `-p 2`": (True, 2),
}
SNAKEMAKE_TO, PAIRS_TO = 1_000, 10_000  # records; more take too long, also in more than one pair

Figures = dict[str, dict[str, tuple[float, float]]]  # seconds and MB, by side and by state
State = tuple[list[str], Callable[[Path], None]]


def outputs(folder: Path) -> str:
    """Give a hash of the outputs of records and of those of aggregates, wherever these lie."""
    totals = [*folder.glob("total_*.txt"), *folder.glob("aggregates/*/workspace/*/total.txt")]
    texts = sorted(total.read_text() for total in totals)
    return hashlib.sha256(f"{digest(folder)} {texts}".encode()).hexdigest()


def as_it_is(folder: Path) -> None:
    """Change nothing."""


def lose_index(folder: Path) -> None:
    """Move our index away, if there is one."""
    if (folder / ".pointillist/index").exists():
        (folder / ".pointillist/index").rename(folder / "lost_index")


def lose_output(folder: Path) -> None:
    """Move the last output of one record out of its job."""
    first = min(job.name for job in os.scandir(folder / "workspace"))
    (folder / "workspace" / first / "c.txt").rename(folder / "lost.txt")


def states(case: str) -> dict[str, State]:
    """Give by name what is called, in this order, and what is done to the project before."""
    aggregate, workers = CASES[case]
    run, before = ["run"], "aggregate, " * aggregate
    if workers > 1:
        run += ["-p", str(workers)]
    name = f"{before}`{' '.join(run)}`"
    found: dict[str, State] = {name: (run, as_it_is)}
    if workers == 1:
        found[f"{before}`status`, no index"] = (["status"], lose_index)
        found[f"{before}`status`"] = (["status"], as_it_is)
    found[f"{name}, nothing to do"] = (run, as_it_is)
    found[f"{name}, one output lost"] = (run, lose_output)
    return found


def pair(
    base: Path, made: Path, number: int, who: dict[str, Side], what: dict[str, State]
) -> Figures:
    """Go through the states of two projects in new folders, in turn; refuse outputs that differ."""
    found: Figures = {name: {} for name in who}
    within = Path(tempfile.mkdtemp(prefix=f"pair_{number}_", dir=made))
    order = list(who)[:: 1 if number % 2 else -1]
    for name in order:
        subprocess.run(["cp", "-r", base, within / name], check=True)
        (within / name / who[name].file).write_text(who[name].text)
    for place, (state, (words, prepare)) in enumerate(what.items(), start=1):
        for name in order:
            side, folder = who[name], within / name
            prepare(folder)
            os.sync()
            arguments = list(side.fixed) or [side.file, *words]
            found[name][state] = measured(arguments, folder, side.program)
        if place in (1, len(what)) and len({outputs(within / name) for name in order}) != 1:
            raise SystemExit(f"the outputs of {' and '.join(who)} differ: nothing to compare")
    if file_system(within) == "tmpfs":
        shutil.rmtree(within)
    return found


def has_room(folder: Path, records: int, pairs: int) -> bool:
    """Whether so many pairs of projects of so many records fit, all of them at once, on a disk."""
    disk = os.statvfs(folder)
    at_once = 2 * (1 if file_system(folder) == "tmpfs" else pairs) + 1
    inodes, size = 5 * records * at_once, 20_000 * records * at_once
    return size < disk.f_bavail * disk.f_frsize and (inodes < disk.f_favail or not disk.f_files)


def seconds(pairs: list[Figures], side: str, state: str) -> float:
    """Give the median time of a state."""
    return statistics.median(one[side][state][0] for one in pairs)


def growth(found: dict[int, list[Figures]], empty: list[Figures]) -> str:
    """Give a Markdown table of the cost of a record at each size, for what all sizes have."""
    lines = [
        "### A record, µs",
        "",
        "The time less that of the same command on an empty project, by the number of records; in",
        "brackets how many times what it is at the smallest size.",
        "",
        f"| | | {' | '.join(f'{records:,}' for records in found)} |",
        "|---|---|" + "---|" * len(found),
    ]
    for state in found[max(found)][0]["pointillist"]:
        command = "`status`" if "`status`" in state else "`run`"
        for side in PROJECTS:
            start = seconds(empty, side, command)
            costs = [
                1e6 * (seconds(pairs, side, state) - start) / records
                for records, pairs in found.items()
            ]
            times = [f" ({cost / costs[0]:.2f})" if costs[0] > 0 else "" for cost in costs]
            cells = [f"{cost:.0f}{more}" for cost, more in zip(costs, times, strict=True)]
            lines.append(f"| {state} | {side} | {' | '.join(cells)} |")
    return "\n".join(lines)


def beside_snakemake(program: str, base: Path, made: Path, records: int) -> str:
    """Give a section on a pair with Snakemake, or a line that says why there is none."""
    found = shutil.which(program)
    if found is None:
        return f"Snakemake was left out: there is no program `{program}`."
    who = {"Snakemake": snakemake(found), "pointillist": sides(False)["pointillist"]}
    what = dict(list(states("").items())[:2])
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    title = f"Snakemake {told.stdout.strip()}, {records:,} records, 1 pair"
    figures = table(title, [pair(base, made, 0, who, what)], "Snakemake")
    return f"## Beside Snakemake, {file_system(made)}\n\n{figures}"


def measure(made: Path, arguments: argparse.Namespace) -> Iterator[str]:
    """Give what was found on one file system, part by part."""
    yield f"## {file_system(made)}"
    yield machine(made)
    fill(made / "none", 0)
    start: dict[str, State] = {"a first run compiles modules": (["run"], as_it_is)}
    start |= {f"`{verb}`": ([verb], as_it_is) for verb in ("run", "status")}
    empty = [pair(made / "none", made, n, sides(False), start) for n in range(arguments.pairs)]
    found: dict[int, list[Figures]] = {}
    for records in sorted(arguments.records):
        all_of_it = arguments.long or records <= arguments.all_cases_to
        pairs = arguments.pairs if arguments.long or records <= PAIRS_TO else 1
        cases = [case for case in CASES if all_of_it or not case]
        while pairs and not has_room(made, records, pairs * len(cases)):
            pairs -= 1
        if not pairs:
            yield f"{records:,} records were left out: there is no room for them."
            continue
        title = f"{records:,} records, {pairs} pair{'s' * (pairs > 1)}"
        base = made / f"base_{records}"
        fill(base, records)
        found[records] = [{name: {} for name in PROJECTS} for _ in range(pairs)]
        for case in cases:
            for number, one in enumerate(found[records]):
                got = pair(base, made, number, sides(CASES[case][0]), states(case))
                for name, figures in got.items():
                    one[name].update(figures)
        yield table(title, found[records])
        if not all_of_it:
            yield "The aggregate and `-p 2` were left out at this size: see `--long`."
    if found:
        yield growth(found, empty)


def sections(made: list[Path], arguments: argparse.Namespace) -> Iterator[str]:
    """Give all that results.md gets, part by part; the projects are made in the folders."""
    yield HEADING
    yield TOLD
    for folder in made:
        yield from measure(folder, arguments)
    for records in arguments.records:
        if records <= SNAKEMAKE_TO:
            base = made[0] / f"base_{records}"
            yield beside_snakemake(arguments.snakemake, base, made[0], records)
    yield "## Before anything is done"
    yield imports(made[0] / "none", arguments.pairs)


def keep(text: str) -> None:
    """Put the section in the place of the one of the same heading in results.md, or at the end."""
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
    parts = re.split(r"^(?=# )", old, flags=re.MULTILINE)
    same = [part.splitlines()[:1] == [HEADING] for part in parts]
    if True in same:
        last = same.index(True) == len(parts) - 1
        parts[same.index(True)] = text if last else f"{text}\n"
    else:
        parts += ["\n" * bool(old), text]
    RESULTS.write_text("".join(parts), encoding="utf-8")


def main() -> None:
    """Measure, print, and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
    parser.add_argument("--records", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--folder", type=Path, action="append", help="where to make the projects")
    parser.add_argument("--all-cases-to", type=int, default=1_000, help="else the chain, serially")
    parser.add_argument("--long", action="store_true", help="all cases and pairs at all sizes")
    parser.add_argument("--snakemake", default="snakemake", help="the program")
    arguments = parser.parse_args()
    folders = arguments.folder or [Path(tempfile.gettempdir())]
    memory = Path("/dev/shm")
    if not arguments.folder and memory.exists() and file_system(memory) == "tmpfs":
        folders.append(memory)
    made = [Path(tempfile.mkdtemp(prefix="pointillist-bench-", dir=one)) for one in folders]
    parts = []
    try:
        for part in sections(made, arguments):
            print(part, end="\n\n", flush=True)
            parts.append(part)
    finally:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
    keep("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
