"""Small projects for the runner: made in a folder, judged, run in forked processes."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pointillist as pt
from pointillist.plan.states import Verdict
from pointillist.run.runner import Summary

_COUNT = itertools.count()


class Workshop:
    """One project in a folder, with its ``project.py`` loaded as a module of this process."""

    def __init__(self, root: Path, source: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        (root / "project.py").write_text(source)
        self.module = self._load()

    def _load(self) -> ModuleType:
        name = f"workshop_{next(_COUNT)}"
        spec = importlib.util.spec_from_file_location(name, self.root / "project.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def lab(self) -> pt.Project:
        """Return the project, with nothing remembered."""
        lab: pt.Project = self.module.Lab()
        return lab

    def run(self, **options: Any) -> Summary:
        """Run in this process; a failed task is in the summary, not raised."""
        lab = self.lab()
        from pointillist.cli.run import run_steps

        lab.sync()
        rerun, retry_failed = options.pop("rerun", ()), options.pop("retry_failed", False)
        planner = lab.engine.planner(frozenset(rerun), retry_failed)
        return run_steps(lab, planner, None, None, **options)

    def verdicts(self) -> dict[str, Verdict]:
        """Return the state of each task, by record and step."""
        planner = self.lab().engine.planner()
        return {str(task): planner.judge(task) for task in planner.tasks()}

    def attempts(self) -> list[dict[str, Any]]:
        """Return the attempts in all journals."""
        return [
            data
            for journal in sorted(self.root.glob(".pointillist/runs/*.jsonl"))
            for line in journal.read_text().splitlines(keepends=True)
            if line.endswith("\n")  # a runner may just be writing
            for data in [json.loads(line)]
            if data["kind"] == "attempt"
        ]

    def completed(self) -> dict[tuple[str, str], int]:
        """Return how often each task was completed."""
        found: dict[tuple[str, str], int] = {}
        for attempt in self.attempts():
            if attempt["outcome"] == "complete":
                key = (attempt["operation"], attempt["job"])
                found[key] = found.get(key, 0) + 1
        return found

    def jobs(self) -> list[Path]:
        """Return all job folders."""
        return sorted(p.parent for p in self.root.rglob("workspace/*/signac_statepoint.json"))

    def outputs(self) -> dict[str, bytes]:
        """Return all outputs by their place; files of a folder one by one."""
        found = {}
        for job in self.jobs():
            for path in job.rglob("*"):
                hidden = any(part.startswith(".") for part in path.relative_to(job).parts)
                if path.is_file() and not hidden and not path.name.startswith("signac_"):
                    found[str(path.relative_to(self.root))] = path.read_bytes()
        return found

    def leftovers(self) -> list[str]:
        """Return what lies in the jobs' folders and is no output, log or file of signac."""
        return [
            str(path.relative_to(self.root))
            for job in self.jobs()
            for path in job.iterdir()
            if path.name.startswith(".") and path.name != ".pointillist"
        ]


def forked(work: Callable[[], object]) -> int:
    """Do something in a fork of this process; return what `os.waitpid` says of its end."""
    pid = begin(work)
    return os.waitpid(pid, 0)[1]


def begin(work: Callable[[], object]) -> int:
    """Begin something in a fork of this process; return its id."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Callable[..., Workshop]]:
    """Make projects from the text of their ``project.py``."""
    before = set(sys.modules)
    yield lambda source, name="lab": Workshop(tmp_path / name, source)
    for name in set(sys.modules) - before:
        if name.startswith("workshop_"):
            del sys.modules[name]


@pytest.fixture
def fork() -> Callable[[Callable[[], object]], int]:
    """Do something in a fork of this process."""
    return forked


@pytest.fixture
def fork_off() -> Callable[[Callable[[], object]], int]:
    """Begin something in a fork of this process."""
    return begin
