"""What the documents show is what happens: their projects are run, their outputs compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "from-signac-flow.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECTIONS = {
    part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
}


def ran(command: str, folder: Path) -> list[str]:
    """Give what a command prints; `submit` is prepared for a cluster with Slurm."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment["SIGNAC_FLOW_ENVIRONMENT"] = (
        "DefaultSlurmEnvironment" if " submit " in command else "StandardEnvironment"
    )
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == ended.returncode, f"{command}\n{ended.stdout}{ended.stderr}"
    return ended.stdout.strip("\n").splitlines() if ended.stdout.strip() else []


def is_shown(expected: list[str], found: list[str]) -> bool:
    """Whether lines are as they are shown; a line ``…`` is any number, ``…`` in one any text."""
    pattern = ""
    for line in expected:
        pieces = map(re.escape, line.rstrip().split("…"))
        pattern += "(?:.*\n)*?" if line == "…" else ".*".join(pieces) + " *\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in found)) is not None


@pytest.mark.parametrize("section", list(SECTIONS))
def test_section(section: str, tmp_path: Path) -> None:
    """Each project on the page is made, filled, and prints what is shown."""
    [(_, filling), *_] = BLOCK.findall(PAGE)
    folder, shown = tmp_path, 0
    for kind, text in BLOCK.findall(SECTIONS[section]):
        if kind == "python":
            shown += 1
            folder = tmp_path / f"project_{shown}"
            folder.mkdir()
            (folder / "init.py").write_text(filling, encoding="utf-8")
            (folder / "project.py").write_text(text, encoding="utf-8")
            ran("python init.py", folder)
            continue
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, *expected = part.rstrip().splitlines()
            found = ran(command, folder)
            assert is_shown(expected, found), "\n".join([command, *found])


def test_sections() -> None:
    """The page has a before and an after of each of its subjects."""
    expected = {
        "The changed import": 2,
        "An aggregate": 2,
        "A step instead of an operation": 1,
        "Ray": 2,
        "Submission": 0,
    }
    kinds = {name: [k for k, _ in BLOCK.findall(text)] for name, text in SECTIONS.items()}
    assert expected == {name: found.count("python") for name, found in kinds.items()}


def test_a_line_of_dots_is_any_number_of_lines() -> None:
    """The comparison can fail: only what dots stand for may differ."""
    assert is_shown(["…", "b", "c…d"], ["a", "a", "b", "c 1 d"])
    assert is_shown(["…", "b"], ["b"])
    assert not is_shown(["b"], ["a", "b"])
    assert not is_shown(["…", "b", "…"], ["a", "c"])
    assert not is_shown(["a…c"], ["a", "c"])
