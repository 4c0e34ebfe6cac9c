"""The code has the form that `make check` asks for, so that what lands passes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("arguments", ["ruff format --check", "ruff check", "mypy"])
def test_check(arguments: str) -> None:
    """Each tool of `make check` has nothing to say."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr
