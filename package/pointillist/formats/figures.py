"""Matplotlib figures."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import as_format_error, wrong_type
from .files import existing

__all__ = ["FigureFormat"]

_WITHOUT_DATES: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}


@dataclass(frozen=True)
class FigureFormat:
    """A figure as a picture, without dates and versions in it.

    Writing closes the figure, so that thousands of steps do not fill the memory. A picture is no
    figure any more: what is read back is its path.

    Parameters
    ----------
    kind : {"png", "pdf", "svg"}
        The kind of picture.
    """

    kind: str

    def write(self, value: Any, path: Path, **options: Any) -> None:
        """Save the figure and close it.

        Parameters
        ----------
        value : matplotlib.figure.Figure
            The figure.
        path : Path
            The file.
        **options
            For ``Figure.savefig``: ``dpi=150``, ``bbox_inches="tight"``, ...
        """
        import matplotlib
        from matplotlib.figure import Figure

        if not isinstance(value, Figure):
            raise wrong_type(
                "matplotlib.figure.Figure", value, "return the figure itself, such as ax.figure"
            )
        metadata = {**_WITHOUT_DATES[self.kind], **options.pop("metadata", {})}
        try:
            with (
                as_format_error("cannot save the figure"),
                matplotlib.rc_context({"svg.hashsalt": "pointillist"}),
            ):
                value.savefig(path, format=self.kind, metadata=metadata, **options)
        finally:
            pyplot = sys.modules.get("matplotlib.pyplot")
            if pyplot is not None:
                pyplot.close(value)

    def read(self, path: Path) -> Path:
        """Return the path of the picture."""
        return existing(path)
