"""Fill the data space: every recording becomes a job, and so does every block of them."""

from __future__ import annotations

from pathlib import Path

import fake_recordings
from project import Block, Lab, Recording

recordings = Path(__file__).parent / "recordings"
if not recordings.exists():
    fake_recordings.make(recordings)

lab = Lab()
lab.discover()
print(f"{len(lab[Recording])} recordings, {len(lab[Block])} blocks")
