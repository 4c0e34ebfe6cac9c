"""Make the recordings: five sessions of four files with 100 random bytes each."""

from __future__ import annotations

import random
from pathlib import Path

SESSIONS = "abcde"
FILES = 4
SAMPLES = 100


def make(folder: Path) -> None:
    """Write ``<session>/rec_<index>.bin`` into a folder: the same bytes every time."""
    for session in SESSIONS:
        (folder / session).mkdir(parents=True, exist_ok=True)
        for index in range(FILES):
            samples = random.Random(f"{session}/{index}").randbytes(SAMPLES)
            (folder / session / f"rec_{index}.bin").write_bytes(samples)


if __name__ == "__main__":
    make(Path(__file__).parent / "recordings")
