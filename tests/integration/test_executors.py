"""The reference pipeline, and one of five hundred records, give the same bytes however they run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .signac_flow.conftest import FINAL, Client, client, slurm

__all__ = ["client", "slurm"]

ROOT = Path(__file__).resolve().parents[2]

HUNDREDS = """
from pathlib import Path

import pointillist as pt


@pt.step
def mean(raw: Path) -> float:
    numbers = [float(line) for line in raw.read_text().split()]
    return sum(numbers) / len(numbers)


@pt.step
def spread(raw: Path, mean: float) -> dict[str, float]:
    numbers = [float(line) for line in raw.read_text().split()]
    return {"low": min(numbers) - mean, "high": max(numbers) - mean}


@pt.step
def widest(spreads: list[dict[str, float]]) -> float:
    return max(one["high"] - one["low"] for one in spreads)


class Recording(pt.Record):
    session: str = pt.key()
    index: int = pt.key()
    raw: Path = pt.seed("raw/{session}/{index}.txt")

    mean: float = mean.step(raw).to()
    spread: dict[str, float] = spread.step(raw, mean).to()


class Session(pt.Aggregate[Recording], order_by="index"):
    session: str = pt.key()

    widest: float = widest.step(pt.each(Recording.spread)).to()


class Lab(pt.Project):
    records = (Recording, Session)


if __name__ == "__main__":
    Lab().main()
"""


def python(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run this interpreter; give what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


def recordings(root: Path) -> None:
    """Make the reference pipeline, with two sessions of its fake recordings."""
    template = ROOT / "project_templates" / "recordings"
    shutil.copytree(template, root, ignore=shutil.ignore_patterns("__pycache__", "recordings"))
    python(
        "-c",
        "import fake_recordings as f; f.SESSIONS = 'ab'; f.make(f.Path('recordings'))",
        cwd=root,
    )


def hundreds(root: Path) -> None:
    """Make a pipeline of five hundred records in ten sessions."""
    for session in range(10):
        folder = root / "raw" / f"s{session}"
        folder.mkdir(parents=True)
        for index in range(50):
            numbers = [str((session + 1) * (index + 3) % 97 / 7 + n) for n in range(20)]
            (folder / f"{index}.txt").write_text("\n".join(numbers))
    (root / "project.py").write_text(HUNDREDS)


def outputs(root: Path) -> dict[str, str]:
    """Return a hash of each file that the jobs of all classes hold, but for what is ours."""
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for workspace in (root / "workspace", *root.glob("*/*/workspace"))
        for file in sorted(workspace.glob("*/**/*"))
        if file.is_file() and ".pointillist" not in file.parts
    }


@pytest.fixture(scope="module")
def ray_address() -> Iterator[str]:
    """Start a Ray cluster with two nodes of one CPU each."""
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    nodes = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    nodes.add_node(**node)
    yield nodes.address
    nodes.shutdown()


@pytest.mark.parametrize(("make", "count"), [(recordings, 16), (hundreds, 1010)])
def test_same_bytes(
    make: Callable[[Path], None],
    count: int,
    tmp_path: Path,
    ray_address: str,
    slurm: dict[str, str],
    client: Client,
) -> None:
    """In one process, in two, on two nodes of Ray and on Slurm each task is done once, alike."""
    ways = {
        "serial": ["run"],
        "processes": ["run", "-p", "2"],
        "ray": ["run", "--executor", "ray", "--address", ray_address],
        "slurm": ["submit", "-b", "50", "--yes"],
    }
    make(tmp_path / "base")
    python("project.py", "discover", cwd=tmp_path / "base")
    found = {}
    for name, verb in ways.items():
        root = tmp_path / name
        shutil.copytree(tmp_path / "base", root)
        said = python("project.py", *verb, cwd=root, **(slurm if name == "slurm" else {}))
        assert f"{count:,} tasks".replace(",", "") in said.replace(",", "")
        if name == "slurm":
            until_all_ended(client, root)
        found[name] = outputs(root)
        said = python("project.py", "run", cwd=root)
        assert "nothing to do: everything is complete." in said
    assert len(found["serial"]) > count
    assert found["serial"] == found["processes"]
    assert found["serial"] == found["ray"]
    assert found["serial"] == found["slurm"]


def until_all_ended(client: Client, root: Path) -> None:
    """Wait until all batch jobs that were sent from a folder have ended."""
    deadline = time.monotonic() + 240
    while True:
        listed = client("squeue", "--array", "--noheader", "--states=all", "--format", "%T|%Z")
        states = [line.split("|")[0] for line in listed.splitlines() if line.endswith(f"|{root}")]
        if states and set(states) <= FINAL:
            return
        assert time.monotonic() < deadline, f"waited in vain: {states}"
        time.sleep(0.05)
