"""The reference pipeline, for real: the template recordings from its files to its pictures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = {"joined.bin", "stats.json", "edges.json", "summary.png"}


def python(*arguments: str | Path, cwd: Path) -> str:
    """Run this interpreter; give what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout + done.stderr


class Block(NamedTuple):
    """One block's folder, and what an independent computation says must be in it."""

    folder: Path
    joined: bytes
    stats: dict[str, Any]
    edges: list[int]

    def check(self) -> None:
        """Compare the folder with the expectation."""
        assert OUTPUTS <= {file.name for file in self.folder.iterdir()}
        assert self.joined == (self.folder / "joined.bin").read_bytes()
        assert self.stats == json.loads((self.folder / "stats.json").read_text())
        assert self.edges == json.loads((self.folder / "edges.json").read_text())
        assert (self.folder / "summary.png").read_bytes().startswith(b"\x89PNG\r\n")


def blocks(project: Path, threshold: float = 0.75) -> dict[str, Block]:
    """Compute all blocks with NumPy from the raw files."""
    found = {}
    for statepoint in project.glob("aggregates/Block/workspace/*/signac_statepoint.json"):
        keys = json.loads(statepoint.read_text())
        files = sorted(
            (int(file.stem.removeprefix("rec_")), file)
            for file in (project / "recordings" / keys["session"]).iterdir()
        )
        odd = {"even": 0, "odd": 1}[keys["parity"]]
        joined = b"".join(file.read_bytes() for index, file in files if index % 2 == odd)
        signal = np.frombuffer(joined, np.uint8).astype(float)
        low, top = signal.min(), signal.max()
        high = signal >= low + threshold * (top - low)
        edges = np.flatnonzero(~high[:-1] & high[1:]) + 1
        stats = {"count": len(joined), "min": low, "max": top, "mean": signal.mean()}
        name = f"{keys['session']}/{keys['parity']}"
        found[name] = Block(statepoint.parent, joined, stats, edges.tolist())
    assert {f"{session}/{parity}" for session in "abcde" for parity in ("even", "odd")} == set(
        found
    )
    return found


def stamps(project: Path) -> dict[str, dict[str, tuple[int, int]]]:
    """Give inode and mtime of each output of each block: equal means that it was left alone."""
    return {
        name: {
            output: ((status := (block.folder / output).stat()).st_ino, status.st_mtime_ns)
            for output in OUTPUTS
        }
        for name, block in blocks(project).items()
    }


def attempts(project: Path) -> list[tuple[str, str, str]]:
    """Give operation, job and outcome of every attempt that the journals hold, oldest first."""
    lines = [
        json.loads(line)
        for journal in project.glob(".pointillist/runs/*.jsonl")
        for line in journal.read_text().splitlines()
    ]
    found = sorted((x for x in lines if x["kind"] == "attempt"), key=lambda x: x["end"])
    return [(x["operation"], x["job"], x["outcome"]) for x in found]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the project with the root `init.py` and run it once."""
    project = tmp_path_factory.mktemp("demo") / "my lab"
    printed = python(ROOT / "init.py", "recordings", project, cwd=project.parent)
    assert "20 recordings, 10 blocks" in printed
    assert "project.py run" in printed
    python("project.py", "run", cwd=project)
    return project


@pytest.fixture
def project(ran: Path, tmp_path: Path) -> Path:
    """Give a copy of the project that ran, with its times."""
    return Path(shutil.copytree(ran, tmp_path / "lab"))


def test_results_equal_numpy(ran: Path) -> None:
    """All ten blocks have the results of an independent computation."""
    for block in blocks(ran).values():
        block.check()


def test_status_shows_all(ran: Path) -> None:
    """`status` names the steps and says that they are complete."""
    printed = python("project.py", "status", cwd=ran)
    for step in ("joined", "stats", "edges", "summary"):
        assert step in printed
    assert "complete" in printed


def test_each_task_ran_once(ran: Path) -> None:
    """The first run did each of the four steps once on each of the ten blocks, and no more."""
    jobs = [block.folder.name for block in blocks(ran).values()]
    steps = ("Block.joined", "Block.stats", "Block.edges", "Block.summary")
    expected = sorted((step, job, "complete") for step in steps for job in jobs)
    assert expected == sorted(attempts(ran))


def test_second_run_does_nothing(project: Path) -> None:
    """A second run leaves all files alone, adds no line to a journal, and says so."""
    before = stamps(project), attempts(project)
    printed = python("project.py", "run", cwd=project)
    assert "nothing to do: everything is complete.\n" == printed
    assert before == (stamps(project), attempts(project))


def test_pictures_are_the_same_every_time(project: Path) -> None:
    """A picture that is made again has the same bytes."""
    folder = blocks(project)["a/even"].folder
    picture = (folder / "summary.png").read_bytes()
    (folder / "summary.png").unlink()
    python("project.py", "run", cwd=project)
    assert picture == (folder / "summary.png").read_bytes()


def test_deleted_output_is_made_again(project: Path) -> None:
    """A file that was deleted is made again; as it has the same bytes, nothing else is done."""
    before, ended = stamps(project), attempts(project)
    block = blocks(project)["c/odd"]
    (block.folder / "stats.json").unlink()
    printed = python("project.py", "run", "--pretend", cwd=project)
    assert "Block session=c parity=odd  stats  (output stats.json is missing)" in printed
    python("project.py", "run", cwd=project)
    block.check()
    assert [("Block.stats", block.folder.name, "complete")] == attempts(project)[len(ended) :]
    after = stamps(project)
    before["c/odd"].pop("stats.json"), after["c/odd"].pop("stats.json")
    assert before == after


def test_what_depends_on_other_bytes_is_made_again(project: Path) -> None:
    """Another `joined.bin` in one block: its steps are done again, in order; no other block's."""
    ended, block = attempts(project), blocks(project)["c/odd"]
    (project / "recordings" / "c" / "rec_3.bin").write_bytes(bytes(range(100)))
    printed = python("project.py", "status", "-d", "-j", block.folder.name, cwd=project)
    assert "input recordings/c/rec_3.bin changed (content " in printed
    python("project.py", "run", cwd=project)
    blocks(project)["c/odd"].check()
    steps = ("Block.joined", "Block.stats", "Block.edges", "Block.summary")
    expected = [(step, block.folder.name, "complete") for step in steps]
    assert expected == attempts(project)[len(ended) :]


def test_new_recording_joins_its_block(project: Path) -> None:
    """A new file changes its block, in the same folder, and no other."""
    before, ended = stamps(project), attempts(project)
    old = blocks(project)["a/even"]
    (project / "recordings" / "a" / "rec_4.bin").write_bytes(bytes(range(100)))
    printed = python("project.py", "discover", cwd=project)
    assert "Recording: 21 found, 1 new, 0 gone\n  new: Recording session=a recording_index=4" in (
        printed
    )
    assert "Block: 10 aggregates, 0 new, 1 with other members\n" in printed
    printed = python("project.py", "status", "-d", "-j", old.folder.name, cwd=project)
    assert "member added: recording_index=4" in printed
    python("project.py", "run", cwd=project)
    new = blocks(project)["a/even"]
    assert old.folder == new.folder
    assert 300 == len(new.joined)
    new.check()
    after = stamps(project)
    assert {"a/even"} == {name for name in before if before[name] != after[name]}
    steps = ("Block.joined", "Block.stats", "Block.edges", "Block.summary")
    expected = [(step, new.folder.name, "complete") for step in steps]
    assert expected == attempts(project)[len(ended) :]


def test_new_threshold_changes_edges_and_summaries_only(project: Path) -> None:
    """Another threshold in `project.py` makes edges and pictures anew, nothing else."""
    before, ended = stamps(project), attempts(project)
    text = (project / "project.py").read_text()
    (project / "project.py").write_text(text.replace("THRESHOLD = 0.75", "THRESHOLD = 0.5"))
    python("project.py", "run", cwd=project)
    for block in blocks(project, threshold=0.5).values():
        block.check()
    after = stamps(project)
    for name in before:
        changed = {file for file in OUTPUTS if before[name][file] != after[name][file]}
        assert {"edges.json", "summary.png"} == changed, name
    jobs = [block.folder.name for block in blocks(project, threshold=0.5).values()]
    expected = sorted(
        (f"Block.{step}", job, "complete") for step in ("edges", "summary") for job in jobs
    )
    assert expected == sorted(attempts(project)[len(ended) :])
