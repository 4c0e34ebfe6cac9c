"""What comes before any work: modules, and the milliseconds in which they are imported.

``python benchmarks/startup.py [--times 5]`` prints a Markdown table. Every figure is the sum over
all modules that ``-X importtime`` tells of, of a whole process that ends with the help, or with the
import; Python's own modules are among them.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from drop_in import ENVIRONMENT
from protocol import PROJECTS

PROGRAMS = {"signac-flow": "flow", "pointillist": "pointillist"}  # so are the packages called


def imported(arguments: list[str], cwd: Path) -> tuple[float, int]:
    """Give the milliseconds that a process spends in imports, and how many modules it imports."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    times = [
        int(line.removeprefix("import time:").split("|")[0])
        for line in ended.stderr.splitlines()
        if line.startswith("import time:") and "self [us]" not in line
    ]
    return sum(times) / 1000, len(times)


def imports(folder: Path, times: int) -> str:
    """Give a Markdown table of both packages, measured in turn; the folder gets two projects."""
    for name, text in PROJECTS.items():
        (folder / f"{PROGRAMS[name]}_project.py").write_text(text)
    scripts = Path(sys.executable).parent
    ways: dict[str, Callable[[str], list[str]]] = {
        "`import`": lambda package: ["-c", f"import {package}"],
        "`--help` of the program": lambda package: [str(scripts / package), "--help"],
        "`python project.py --help`": lambda package: [f"{package}_project.py", "--help"],
    }
    lines = [
        f"`-X importtime`: all imports of a process, medians of {times}.",
        "",
        "| | signac-flow | pointillist | modules |",
        "|---|---|---|---|",
    ]
    for what, arguments in ways.items():
        found: dict[str, list[tuple[float, int]]] = {name: [] for name in PROGRAMS}
        for _ in range(times):
            for name, package in PROGRAMS.items():
                found[name].append(imported(arguments(package), folder))
        took = [f"{statistics.median(ms for ms, _ in side):.0f} ms" for side in found.values()]
        modules = " / ".join(str(side[-1][1]) for side in found.values())
        lines.append(f"| {what} | {' | '.join(took)} | {modules} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, usage=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(imports(Path(folder), arguments.times))


if __name__ == "__main__":
    main()
