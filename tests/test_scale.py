"""`make bench` carries both packages through all states, compares outputs, and keeps its tables."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
HEADING = "# From a thousand records to a hundred thousand"
REFUSED = "the outputs of signac-flow and pointillist differ: nothing to compare"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Give a copy of the scripts and of results.md."""
    return shutil.copytree(
        BENCHMARKS, tmp_path / "benchmarks", ignore=shutil.ignore_patterns("__pycache__")
    )


def python(scripts: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python where the scripts lie; by a shell: its peak is not that of the tests."""
    shell = ["sh", "-c", '"$0" "$@"; exit $?', sys.executable]
    return subprocess.run(
        [*shell, *arguments], cwd=scripts, capture_output=True, text=True, check=False
    )


def test_tables(scripts: Path, tmp_path: Path) -> None:
    """Every state has a row, and only the section of the script's own is replaced in results.md."""
    results = scripts / "results.md"
    results.write_text(f"# Before\n\nit\n\n{HEADING}\n\nold\n\n# After\n\nit\n", encoding="utf-8")
    (tmp_path / "made").mkdir()
    sizes = ["--records", "20", "--all-cases-to", "0", "--pairs", "1"]
    places = ["--folder", str(tmp_path / "made"), "--snakemake", "no-such-snakemake"]
    ended = python(scripts, "scale.py", *sizes, *places)
    assert "" == ended.stderr
    assert [] == list((tmp_path / "made").iterdir())
    rows = re.findall(r"^\| ([^|]+) \|", ended.stdout, re.MULTILINE)
    states = ["`run`", "`status`, no index", "`status`", "`run`, nothing to do"]
    states.append("`run`, one output lost")
    startup = ["`import`", "`--help` of the program", "`python project.py --help`"]
    assert [*states, *(state for state in states for _ in range(2)), *startup] == rows
    assert "The aggregate and `-p 2` were left out at this size" in ended.stdout
    assert "Snakemake was left out: there is no program `no-such-snakemake`." in ended.stdout
    assert f"# Before\n\nit\n\n{ended.stdout}# After\n\nit\n" == results.read_text(encoding="utf-8")


PAIRS = """
import sys
from chain import sides
from scale import Path, fill, pair, states

made, who = Path(sys.argv[1]), sides(aggregate=True)
what = dict(list(states("aggregate, `-p 2`").items())[:1])
fill(made / "base", 3)
print(*pair(made / "base", made, 0, who, what)["pointillist"], flush=True)
wrong = who["pointillist"].text.replace("return sum(numbers)", "return sum(numbers) + 1")
who["pointillist"] = who["pointillist"]._replace(text=wrong)
pair(made / "base", made, 1, who, what)
"""


def test_aggregates_are_compared(scripts: Path, tmp_path: Path) -> None:
    """A pair with equal aggregates has figures, one with another sum on one side is refused."""
    ended = python(scripts, "-c", PAIRS, str(tmp_path))
    assert "aggregate, `run -p 2`\n" == ended.stdout
    assert f"{REFUSED}\n" == ended.stderr
    totals = sorted(total.read_text() for total in tmp_path.rglob("total*.txt"))
    assert ["12\n"] * 3 + ["13\n"] == totals


def test_refusal(scripts: Path, tmp_path: Path) -> None:
    """Where an output of one record differs, no table is printed and nothing is kept."""
    text = (scripts / "protocol.py").read_text(encoding="utf-8")
    wrong = text.replace("return number + 1\n", "return number + 1 + (number == 3)\n")
    (scripts / "protocol.py").write_text(wrong, encoding="utf-8")
    before = (scripts / "results.md").read_bytes()
    (tmp_path / "made").mkdir()
    sizes = ["--records", "5", "--pairs", "1", "--folder", str(tmp_path / "made")]
    ended = python(scripts, "scale.py", *sizes)
    assert 1 == ended.returncode
    assert "|" not in ended.stdout
    assert f"{REFUSED}\n" == ended.stderr
    assert before == (scripts / "results.md").read_bytes()
    assert [] == list((tmp_path / "made").iterdir())
