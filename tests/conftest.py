"""What all tests share: pictures without a screen, Hypothesis without a clock."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Tests change modules within a second, which Python's compiled files do not notice.
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# signac-flow would talk to a scheduler that happens to be installed on this machine.
os.environ["SIGNAC_FLOW_ENVIRONMENT"] = "StandardEnvironment"

# Two busy cores make any deadline a lottery.
settings.register_profile("pointillist", deadline=None, database=None)
settings.load_profile("pointillist")


@pytest.fixture
def other_python() -> Callable[[str], str]:
    """Give the program of another Python by its version, or skip the test."""

    def find(version: str) -> str:
        found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        program = str(found[-1]) if found else shutil.which(f"python{version}")
        if program is None:
            pytest.skip(f"there is no Python {version}, neither in ~/.pyenv nor on the PATH")
        return program

    return find
