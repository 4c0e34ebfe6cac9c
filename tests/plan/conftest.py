"""A small project, judged: which state each task is in and why."""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pointillist as pt
from pointillist.errors import TasksFailed

_COUNT = itertools.count()


class Judged:
    """One project in a folder; its ``project.py`` is loaded anew when it changes."""

    def __init__(self, root: Path, source: str) -> None:
        self.root = root
        root.mkdir()
        self.write(source)

    def write(self, source: str) -> None:
        """Write another ``project.py`` and load it, as the next process would."""
        name = f"judged_{next(_COUNT)}"
        path = self.root / "project.py"
        path.write_text(source)
        now = path.stat().st_mtime_ns + next(_COUNT) * 1_000_000
        os.utime(path, ns=(now, now))  # another time, however coarse the file system's clock
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        self.module = importlib.util.module_from_spec(spec)
        sys.modules[name] = self.module
        spec.loader.exec_module(self.module)

    def replace(self, old: str, new: str) -> None:
        """Change a piece of ``project.py``."""
        source = (self.root / "project.py").read_text()
        assert old in source
        self.write(source.replace(old, new))

    def raw(self, name: str, text: str) -> None:
        """Write a raw file, clearly older than anything that is made of it."""
        (self.root / "raw").mkdir(exist_ok=True)
        (self.root / f"raw/{name}.txt").write_text(text)

    @property
    def lab(self) -> pt.Project:
        """The project, with nothing remembered."""
        lab: pt.Project = self.module.Lab()
        return lab

    def run(self, **options: Any) -> int:
        """Run, and return how many tasks were done."""
        try:
            return self.lab.run(**options).done
        except TasksFailed:
            return -1

    def judge(self, **options: Any) -> dict[str, str]:
        """Return the state and reasons of each task, by record and step."""
        lab = self.lab
        lab.sync()
        planner = lab.engine.planner(**options)
        return {str(task).replace("  ", " "): str(planner.judge(task)) for task in planner.tasks()}

    def output(self, name: str) -> Path:
        """Return the first output of a name."""
        return min(self.root.rglob(f"workspace/*/{name}"))


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[Callable[[str], Judged]]:
    """Make projects from the text of their ``project.py``."""
    yield lambda source: Judged(tmp_path / "lab", source)
    for name in [name for name in sys.modules if name.startswith("judged_")]:
        del sys.modules[name]
