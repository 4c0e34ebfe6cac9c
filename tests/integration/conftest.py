"""The workshop of the runner's tests, for whole projects that are damaged or merged."""

from __future__ import annotations

from ..run.conftest import fork, fork_off, workshop

__all__ = ["fork", "fork_off", "workshop"]
