"""The template harbor: its data, and its days and months from tables to a chart."""

from __future__ import annotations

import csv
import json
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pointillist.cli import templates

TEMPLATE = Path(__file__).resolve().parents[2] / "project_templates" / "harbor"
HOURS = range(6, 21)


@pytest.fixture(scope="module")
def harbor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the project, run once."""
    project = tmp_path_factory.mktemp("templates") / "harbor"
    templates.copy("harbor", project)
    templates.fill(project)
    subprocess.run([sys.executable, "project.py", "run"], cwd=project, check=True)
    return project


def rows(file: Path) -> list[dict[str, str]]:
    """Read a table without pandas."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def counts(project: Path) -> dict[str, list[int]]:
    """Count the boats of each hour of each day, independently."""
    shortest = json.loads((project / "parameters.json").read_text())["shortest_boat"]
    found = {}
    for file in sorted((project / "boats").glob("*.csv")):
        hours = Counter(int(row["hour"]) for row in rows(file) if float(row["length"]) >= shortest)
        found[file.stem] = [hours[hour] for hour in HOURS]
    return found


def test_fake_harbor(tmp_path: Path) -> None:
    """Sixty days over three months, the same every time."""
    make = runpy.run_path(str(TEMPLATE / "fake_harbor.py"))["make"]
    make(tmp_path / "one")
    make(tmp_path / "two")
    days = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert 60 == len(days)
    assert ("2026-01-15.csv", "2026-03-15.csv") == (days[0], days[-1])
    for day in days:
        assert (tmp_path / "one" / day).read_bytes() == (tmp_path / "two" / day).read_bytes()


def test_days(harbor: Path) -> None:
    """Each day has the counts and the mean of an independent computation; `counted` is no file."""
    expected = counts(harbor)
    found = {}
    for statepoint in harbor.glob("workspace/*/signac_statepoint.json"):
        date = json.loads(statepoint.read_text())["date"]
        table = rows(statepoint.parent / "count.csv")
        assert [str(hour) for hour in HOURS] == [row["hour"] for row in table]
        found[date] = [int(row["boats"]) for row in table]
        mean = float((statepoint.parent / "mean.txt").read_text())
        assert sum(found[date]) / len(HOURS) == mean
        assert [] == list(statepoint.parent.glob("counted*"))
    assert expected == found


def test_months(harbor: Path) -> None:
    """Each month has a row a day, in order, and a chart."""
    expected: dict[str, list[tuple[str, float]]] = {}
    for date, boats in counts(harbor).items():
        expected.setdefault(date[:7], []).append((date, sum(boats) / len(HOURS)))
    found = {}
    for statepoint in harbor.glob("aggregates/Month/workspace/*/signac_statepoint.json"):
        month = json.loads(statepoint.read_text())["month"]
        table = rows(statepoint.parent / "days.csv")
        found[month] = [(row["date"], float(row["mean"])) for row in table]
        assert (statepoint.parent / "chart.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert expected == found


def test_values(harbor: Path) -> None:
    """A day's values are attributes, the unstored one too; a shared parameter is one of them."""
    code = """if True:
        import datetime
        from project import Day, Harbor, Month
        harbor = Harbor()
        day = harbor[Day].get(date=datetime.date(2026, 2, 1))
        assert {"shortest_boat": 6.0} == day.limits
        assert 6.0 <= day.counted["length"].min() and day.boats["length"].min() < 6.0
        assert len(day.counted) == day.count["boats"].sum()
        assert day.count["boats"].mean() == day.mean
        month = harbor[Month].get(month="2026-02")
        assert 28 == len(month.days) == len(month.members)
        assert day == month.members[0]
    """
    subprocess.run([sys.executable, "-c", code], cwd=harbor, check=True)
