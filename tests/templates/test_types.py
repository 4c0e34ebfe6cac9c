"""Types: mypy strict accepts the templates' class bodies, and sees what is wrong in others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(file.parent.name for file in ROOT.glob("project_templates/*/project.py"))

WRONG = """\
from __future__ import annotations

from pathlib import Path

import pointillist as pt


@pt.step
def double(number: float) -> float:
    return 2 * number


@pt.step
def total(numbers: list[float], factor: int = 1) -> float:
    return factor * sum(numbers)


class Point(pt.Record):
    index: int = pt.key()
    raw: Path = pt.seed("{index}.txt")

    right: float = double.step(index).to()
    unstored: float = double.step(right).unstored()
    result: str = double.step(index).to()  # assignment
    unstored_result: str = double.step(index).unstored()  # assignment
    argument: float = double.step(raw).to()  # arg-type
    too_many: float = double.step(index, 1).to()  # call-arg
    too_few: float = double.step().to()  # call-arg
    unknown: float = double.step(index, by=2).to()  # call-arg
    unfinished: float = double.step(index)  # assignment


class Group(pt.Aggregate[Point]):
    index: int = pt.key()

    right: float = total.step(pt.each(Point.right), factor=2).to()
    not_each: float = total.step(Point.right).to()  # arg-type
    member: float = total.step(pt.each(Point.raw)).to()  # arg-type
    keyword: float = total.step(pt.each(Point.right), factor="2").to()  # arg-type
    name: float = total.step(pt.each(Point.rigth)).to()  # attr-defined


double("2")  # arg-type
members: list[int] = Group(index=1).members  # assignment
"""


def mypy(folder: Path, cache: str) -> str:
    """Run mypy strict, as `make check` does, on all modules of a folder; give what it prints."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
            *("--cache-dir", str(ROOT / ".mypy_cache" / cache), "."),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "" == done.stderr
    return done.stdout


@pytest.mark.parametrize("template", TEMPLATES)
def test_templates_pass(template: str) -> None:
    """Every module of every template passes mypy strict."""
    printed = mypy(ROOT / "project_templates" / template, f"project_templates/{template}")
    assert printed.startswith("Success: no issues found"), printed


def test_wrong_types_are_errors(tmp_path: Path) -> None:
    """A wrong argument or result of a step is an error on its line, and nothing else is."""
    (tmp_path / "project.py").write_text(WRONG)
    printed = mypy(tmp_path, "wrong_types")
    found = re.findall(r"^project\.py:(\d+): error: .*\[([a-z-]+)\]$", printed, re.MULTILINE)
    lines = enumerate(WRONG.splitlines(), start=1)
    expected = [(str(n), line.split("  # ")[1]) for n, line in lines if "  # " in line]
    assert expected == found, printed
