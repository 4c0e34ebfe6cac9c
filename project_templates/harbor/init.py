"""Fill the data space: every day becomes a job, and so does every month."""

from __future__ import annotations

from pathlib import Path

import fake_harbor
from project import Day, Harbor, Month

boats = Path(__file__).parent / "boats"
if not boats.exists():
    fake_harbor.make(boats)

harbor = Harbor()
harbor.discover()
print(f"{len(harbor[Day])} days, {len(harbor[Month])} months")
