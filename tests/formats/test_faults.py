from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from pointillist.errors import FormatError
from pointillist.formats.faults import about, as_format_error

FULL_DISK = """
import errno, pathlib, resource, sys
import numpy as np, pandas as pd
from pointillist.formats import format_for
kinds = {".h5": np.ndarray, ".npy": np.ndarray, ".mat": np.ndarray, ".csv": pd.DataFrame, ".npz":
    dict[str, np.ndarray], ".json": list, ".txt": str, ".bin": bytes, ".pkl": np.ndarray}
array = np.random.default_rng(0).random(100_000)
values = {np.ndarray: array, pd.DataFrame: pd.DataFrame({"x": array}), list: array.tolist(),
    str: "x" * 500_000, bytes: bytes(500_000)}
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
for suffix, kind in kinds.items():
    path = pathlib.Path(sys.argv[1]) / ("x" + suffix)
    value = values.get(kind, {"a": array})
    try:
        format_for(kind, path.name).write(value, path)
    except OSError as error:
        print(suffix, errno.errorcode[error.errno])
"""


def test_full_disk(tmp_path: Path) -> None:
    """A disk that takes no more is the system's error with its number, not the value's fault.

    -B, as Python would leave truncated .pyc files of what is imported under the limit.
    """
    command = [sys.executable, "-B", "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    suffixes = [".h5", ".npy", ".mat", ".csv", ".npz", ".json", ".txt", ".bin", ".pkl"]
    assert [f"{suffix} EFBIG" for suffix in suffixes] == done.stdout.splitlines()


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), MemoryError()])
def test_let_through(error: Exception) -> None:
    """Errors of the system stay as they are."""
    with pytest.raises(type(error)), as_format_error("x"):
        raise error


def test_about() -> None:
    """A library's error becomes ours, with what was done and where."""
    with (
        pytest.raises(FormatError, match=r"^a\.h5: cannot read: odd$"),
        about("a.h5"),
        as_format_error("cannot read"),
    ):
        raise OSError("odd")
