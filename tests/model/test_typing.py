"""What a type checker sees of records and steps, beyond the class bodies in tests/templates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

USES = """\
from __future__ import annotations

from pathlib import Path
from typing import Any

import pointillist as pt


@pt.step(version="2", timeout="1h")
def measure(raw: Path, unit: str = "s") -> float:
    return float(raw.stat().st_size)


@pt.step
def split(raw: Path) -> dict[str, list[int]]:
    return {}


@pt.step
def widest(lengths: list[list[float]]) -> float:
    return max(max(each) for each in lengths)


@pt.command
def trim(raw: Path, out: Path, seconds: float = 1.0) -> list[Any]:
    return ["sox", raw, out, "trim", seconds]


class Recording(pt.Record):
    session: str = pt.key()
    raw: Path = pt.seed("{session}.bin")
    extra: Path = pt.seed("{session}.csv", optional=True, root="nas")

    trimmed: Path = trim.step(raw, pt.out, 2).to("trimmed.wav")
    length: float = measure.step(trimmed).options(np=2).to("length.json", indent=2)
    parts = split.step(raw)
    left: list[int] = parts.output("left").to()
    text: str = pt.shell("cat {raw}").unstored()
    joined: Path = pt.matlab("join", raw, 3, [1, 2], pt.out).to("joined.bin")

    wrong_command: Path = trim.step(raw, pt.out, "2").to("w.wav")  # error: arg-type
    wrong_option: float = measure.step(raw, unit=1).to()  # error: arg-type
    wrong_result: int = measure.step(raw).options(np=2).to()  # error: assignment
    wrong_place: Path = trim.step(raw).to("w.wav")  # error: call-arg
    wrong_pattern: Path = pt.seed(3)  # error: arg-type
    wrong_name: float = measure.step(raw).to(3)  # error: arg-type
    wrong_key: str = pt.key(3)  # error: arg-type


class Block(pt.Aggregate[Recording], order_by="-session"):
    session: str = pt.key()
    lengths: list[float] = pt.matlab("f", pt.each(Recording.length)).to()


class Day(pt.Aggregate[Block]):
    session: str = pt.key()
    spread: float = widest.step(pt.each(pt.each(Recording.length))).to()
    also: float = widest.step(pt.each(Block.lengths)).to()
    wrong_depth: float = widest.step(pt.each(Recording.length)).to()  # error: arg-type


class Wrong(pt.Aggregate[int]):  # error: type-var
    pass


block = Block(session="a")
number: float = block.members[0].length
deep: float = Day(session="a").members[0].members[0].length
text: str = measure(Path("a"))  # error: assignment
block.members[0].lenght  # error: attr-defined
measure("a")  # error: arg-type
"""


def test_types(tmp_path: Path) -> None:
    """Right uses are no error under mypy strict; a wrong use is one, of the kind beside it."""
    (tmp_path / "project.py").write_text(USES, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
            *("--cache-dir", str(ROOT / ".mypy_cache" / "model_typing"), "."),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^project\.py:(\d+): error: .*\[([a-z-]+)\]$", done.stdout, re.MULTILINE)
    lines = enumerate(USES.splitlines(), start=1)
    expected = [(str(n), line.split("# error: ")[1]) for n, line in lines if "# error: " in line]
    assert expected == found, done.stdout + done.stderr
