"""What the page on clusters shows is what a real Slurm prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ..test_docs import is_shown

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8").partition("\n## Slurm\n")[2]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (?!sbatch )", re.MULTILINE)  # those that `--pretend` prints are no input


def test_page(cluster: Any, slurm: dict[str, str]) -> None:
    """The page's project, submitted as it shows, prints what it shows."""
    (_, code), *blocks = BLOCK.findall(PAGE)
    (cluster.root / "project.py").write_text(code)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for _, text in blocks:
        for part in COMMAND.split(text)[1:]:
            command, *expected = part.rstrip().splitlines()
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=cluster.root,
                env={**os.environ, **slurm, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert 0 == done.returncode, f"{command}\n{done.stdout}{done.stderr}"
            found = done.stdout.rstrip().splitlines()
            assert is_shown(expected, found), "\n".join([command, *found])
            if " submit" in command and "--hold" not in command and "nothing" not in part:
                cluster.ended()
