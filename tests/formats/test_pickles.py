from __future__ import annotations

from pathlib import Path

import pytest

from pointillist.errors import FormatError
from pointillist.formats.pickles import PickleFormat


def test_cannot_pickle(tmp_path: Path) -> None:
    """What cannot be pickled is a FormatError."""
    with pytest.raises(FormatError, match="cannot pickle the value"):
        PickleFormat().write(lambda: None, tmp_path / "x.pkl")


def test_cannot_unpickle(tmp_path: Path) -> None:
    """A class that is gone is a FormatError that names the file."""
    (tmp_path / "x.pkl").write_bytes(b"cno_such_module\nThing\n.")
    with pytest.raises(FormatError, match=r"cannot unpickle .*x\.pkl: ModuleNotFoundError"):
        PickleFormat().read(tmp_path / "x.pkl")
