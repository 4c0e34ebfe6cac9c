"""Make the harbor's tables: sixty days of boats that came in."""

from __future__ import annotations

import csv
import datetime
import random
from pathlib import Path

FIRST_DAY = datetime.date(2026, 1, 15)
DAYS = 60


def make(folder: Path) -> None:
    """Write ``<date>.csv`` into a folder: the same text every time."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(DAYS):
        date = FIRST_DAY + datetime.timedelta(days=number)
        chance = random.Random(f"harbor {date}")
        with (folder / f"{date}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["hour", "length"])
            for hour in range(6, 21):
                for _ in range(chance.randint(0, 4)):
                    table.writerow([hour, chance.randint(30, 250) / 10])


if __name__ == "__main__":
    make(Path(__file__).parent / "boats")
