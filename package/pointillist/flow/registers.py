"""What the classes of a project have registered."""

from __future__ import annotations

from typing import Any

__all__ = ["collected"]


def collected(project: type, register: str) -> dict[Any, Any]:
    """Return what a project class and its bases have in a register; its own counts most."""
    found: dict[Any, Any] = {}
    for cls in reversed(project.__mro__):
        found.update(getattr(cls, register, {}))
    return found
