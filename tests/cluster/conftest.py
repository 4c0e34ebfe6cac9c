"""A real Slurm, verbs that start fast, and a small pipeline of records and aggregates."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..integration.signac_flow.conftest import (
    FINAL,
    Client,
    Done,
    Verb,
    client,
    no_controller,
    slurm,
    verb,
)

__all__ = ["client", "no_controller", "slurm", "verb"]

PROJECT = """
import os, signal, time
from pathlib import Path

import pointillist as pt


@pt.step(np={np}, walltime={walltime!r})
def mean(raw: Path) -> float:
    text = raw.read_text()
    if text == "linger":
        while not raw.with_name("go").exists():
            time.sleep(0.01)
        text = "1"
    if text == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return float(text)


@pt.step
def double(mean: float) -> float:
    return 2 * mean


@pt.step
def total(doubles: list[float]) -> float:
    return sum(doubles)


class Recording(pt.Record):
    session: str = pt.key()
    index: int = pt.key()
    raw: Path = pt.seed("raw/{{session}}_{{index}}.txt")
    mean: float = mean.step(raw).to()
    double: float = double.step(mean).to()


class Session(pt.Aggregate[Recording], order_by="index"):
    session: str = pt.key()
    total: float = total.step(pt.each(Recording.double)).to()


class Lab(pt.Project):
    records = (Recording, Session)

{more}

if __name__ == "__main__":
    Lab().main()
"""

States = dict[str, str]


class Cluster:
    """A project on a cluster."""

    def __init__(self, root: Path, verb: Verb, slurm: dict[str, str], client: Client) -> None:
        self.root, self._verb, self.slurm, self._client = root, verb, slurm, client

    def make(
        self, raw: dict[str, str], np: int = 1, walltime: str | None = None, more: str = ""
    ) -> None:
        """Write the project, and raw files by their names: ``a_1``."""
        code = PROJECT.format(np=np, walltime=walltime, more=more)
        (self.root / "project.py").write_text(code)
        (self.root / "raw").mkdir()
        for name, text in raw.items():
            self.raw(name).write_text(text)
        self.does("discover")

    def raw(self, name: str) -> Path:
        """Return where a raw file lies."""
        return self.root / "raw" / f"{name}.txt"

    def call(self, *arguments: str, **environment: str) -> Done:
        """Carry a verb out."""
        return self._verb(*arguments, cwd=self.root, **{**self.slurm, **environment})

    def does(self, *arguments: str, code: int = 0, **environment: str) -> str:
        """Carry a verb out that exits with `code`; return what it prints."""
        done = self.call(*arguments, **environment)
        assert code == done.returncode, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def tasks(self, *arguments: str, **environment: str) -> dict[str, tuple[str, str]]:
        """Return state and reasons of each task, by record and step: ``a 1 mean``."""
        shown = json.loads(self.does("status", "--json", *arguments, **environment))
        found = {}
        for task in shown:
            keys = " ".join(part.partition("=")[2] for part in task["record"].split()[1:])
            why = "; ".join(reason["text"] for reason in task["reasons"])
            found[f"{keys} {task['step']}"] = (task["state"], why)
        return found

    def states(self) -> States:
        """Return the state of each task."""
        return {name: state for name, (state, _) in self.tasks().items()}

    def until(self, name: str, state: str, seconds: float = 60) -> None:
        """Wait until a task is in a state."""
        deadline = time.monotonic() + seconds
        while (found := self.tasks()[name])[0] != state:
            assert time.monotonic() < deadline, f"waited in vain, {name} is {found}"
            time.sleep(0.05)

    def _jobs(self) -> list[list[str]]:
        """Return name, id and state of each batch job that was sent from here."""
        form = "%j|%i|%T|%Z"
        listed = self._client("squeue", "--array", "--noheader", "--states=all", "--format", form)
        jobs = [line.split("|", 3) for line in listed.splitlines()]
        return [job for *job, where in jobs if where == str(self.root)]

    def jobs(self) -> dict[str, str]:
        """Return the states of batch jobs, by step and number: ``Recording.mean 0``."""
        return {_place(name, id): state for name, id, state in self._jobs()}

    def ids(self) -> dict[str, str]:
        """Return what Slurm calls them."""
        return {_place(name, id): id for name, id, _ in self._jobs()}

    def ended(self) -> dict[str, str]:
        """Wait until all batch jobs have ended; return their states."""
        deadline = time.monotonic() + 90
        while not set(self.jobs().values()) <= FINAL:
            assert time.monotonic() < deadline, f"waited in vain: {self.jobs()}"
            time.sleep(0.05)
        return self.jobs()


def _place(name: str, id: str) -> str:
    return f"{name.split('/')[1]} {id.partition('_')[2]}"


@pytest.fixture
def cluster(tmp_path: Path, verb: Verb, slurm: dict[str, str], client: Client) -> Cluster:
    """Give a project on a cluster, that is still to be made."""
    return Cluster(tmp_path, verb, slurm, client)


@pytest.fixture
def counted_calls(tmp_path: Path) -> Callable[[], dict[str, int]]:
    """Count the calls of Slurm's commands: what `PATH` must be is in the function's `path`."""
    folder = tmp_path / "counting"
    folder.mkdir()
    calls = folder / "calls"
    for name in ("sbatch", "squeue", "sacct", "scontrol"):
        script = folder / name
        script.write_text(
            f'#!/bin/sh\necho {name} >>"{calls}"\nPATH=${{PATH#*:}}\nexec {name} "$@"\n'
        )
        script.chmod(0o755)

    def count() -> dict[str, int]:
        lines = calls.read_text().split() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return {name: lines.count(name) for name in sorted(set(lines))}

    count.path = f"{folder}:{os.environ['PATH']}"  # type: ignore[attr-defined]  # of this function
    return count
