"""Checks that a plug-in of one's own keeps the promises that pointillist relies on."""

from __future__ import annotations

from .formats import check_format

__all__ = ["check_format"]
