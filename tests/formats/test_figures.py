from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from pointillist.errors import FormatError
from pointillist.formats.figures import FigureFormat


def test_closed_after_writing(tmp_path: Path) -> None:
    """Many figures do not add up in memory, also where saving failed."""
    before = plt.get_fignums()
    for name in ("1.png", "2.png"):
        FigureFormat("png").write(plt.figure(), tmp_path / name, dpi=20)
    with pytest.raises(FormatError, match="cannot save the figure"):
        FigureFormat("png").write(plt.figure(), tmp_path / "3.png", dpi="many")
    assert before == plt.get_fignums()


def test_options(tmp_path: Path) -> None:
    """Options reach savefig."""
    for name, dpi in [("small.png", 20), ("large.png", 80)]:
        FigureFormat("png").write(Figure(figsize=(2, 1)), tmp_path / name, dpi=dpi)
    sizes = [plt.imread(tmp_path / name).shape[:2] for name in ("small.png", "large.png")]
    assert [(20, 40), (80, 160)] == sizes


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_no_dates_or_versions(tmp_path: Path, kind: str) -> None:
    """A picture says neither when nor with which version it was made; the user may add to it."""
    path = tmp_path / f"x.{kind}"
    FigureFormat(kind).write(Figure(figsize=(1, 1)), path, metadata={"Title": "the title"})
    data = path.read_bytes()
    assert (True, False, False, False) == tuple(
        word in data for word in (b"the title", b"Matplotlib v", b"CreationDate", b"<dc:date>")
    )


@pytest.mark.parametrize(
    ("value", "got"), [(None, "NoneType"), ((1, 2), "tuple"), (Figure().subplots(), "matplotlib")]
)
def test_wrong_values(tmp_path: Path, value: object, got: str) -> None:
    """Axes, or a pair of figure and axes, are no figure."""
    with pytest.raises(FormatError, match=f"expected matplotlib.figure.Figure, got {got}"):
        FigureFormat("png").write(value, tmp_path / "x.png")


def test_read(tmp_path: Path) -> None:
    """A stored figure is a path."""
    FigureFormat("svg").write(Figure(), tmp_path / "x.svg")
    assert tmp_path / "x.svg" == FigureFormat("svg").read(tmp_path / "x.svg")
    with pytest.raises(FileNotFoundError):
        FigureFormat("svg").read(tmp_path / "y.svg")
