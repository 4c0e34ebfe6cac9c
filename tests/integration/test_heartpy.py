"""Real recordings: those that HeartPy ships, through HeartPy's own analysis and MATLAB."""

from __future__ import annotations

import csv
import functools
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

TEMPLATE = Path(__file__).parent / "heartpy"
NAMES = ("data", "data2", "data3")


def python(*arguments: str, cwd: Path) -> str:
    """Run this interpreter, which must exit with 0; give what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def heartpy() -> ModuleType:
    """Import HeartPy, which warns of the age of what it imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import heartpy
    return heartpy


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory, heartpy: ModuleType) -> Path:
    """Give the project with HeartPy's recordings, discovered and run."""
    project = Path(shutil.copytree(TEMPLATE, tmp_path_factory.mktemp("hearts") / "clinic"))
    shutil.copytree(Path(str(heartpy.__file__)).parent / "data", project / "hearts")
    (project / "rates.json").write_text('{"data": 100.0}')
    printed = python("project.py", "discover", cwd=project)
    assert "Heart: 3 found, 3 new, 0 gone\n" in printed
    python("project.py", "run", cwd=project)
    return project


@pytest.fixture(scope="module")
def beats(clinic: Path) -> dict[str, list[int]]:
    """Give the beats of each recording as the records' attributes have them."""
    script = """if True:
        import json
        from project import Clinic, Heart
        print(json.dumps({heart.name: heart.beats.tolist() for heart in Clinic()[Heart]}))
    """
    found: dict[str, list[int]] = json.loads(python("-c", script, cwd=clinic))
    return found


def folders(project: Path) -> dict[str, Path]:
    """Give the folder of each recording by its name."""
    return {
        json.loads(file.read_text())["name"]: file.parent
        for file in project.glob("workspace/*/signac_statepoint.json")
    }


@functools.cache
def recording(heartpy: ModuleType, name: str) -> tuple[Any, float]:
    """Load a recording with HeartPy, and compute its sample rate without."""
    data, clock = heartpy.load_exampledata(NAMES.index(name))
    if name == "data":
        return data, 100.0
    if name == "data2":
        seconds = (clock[-1] - clock[0]) / 1000
    else:
        seconds = float(
            pd.Timedelta(np.datetime64(clock[-1]) - np.datetime64(clock[0])).total_seconds()
        )
    return data, len(data) / seconds


@pytest.mark.parametrize("name", NAMES)
def test_measures_equal_heartpys(
    clinic: Path, beats: dict[str, list[int]], heartpy: ModuleType, name: str
) -> None:
    """Sample rate, beats and every measure are those of HeartPy, called directly."""
    folder = folders(clinic)[name]
    data, expected_rate = recording(heartpy, name)
    rate = float((folder / "rate.txt").read_text())
    assert expected_rate == pytest.approx(rate, rel=1e-9)
    working, measures = heartpy.process(np.asarray(data, dtype=float), rate)
    found = json.loads((folder / "measures.json").read_text())
    assert {"bpm", "ibi", "sdnn", "rmssd", "breathingrate"} < set(found)
    assert {name: float(value) for name, value in measures.items()} == found
    assert list(working["peaklist"]) == beats[name]


@pytest.mark.parametrize("name", NAMES)
def test_matlabs_numbers_equal_numpys(clinic: Path, heartpy: ModuleType, name: str) -> None:
    """What MATLAB says of the MAT file is what NumPy says of the table."""
    data = np.asarray(recording(heartpy, name)[0], dtype=float)
    high = data >= data.mean() + 1.5 * data.std()
    expected = {
        "count": len(data),
        "min": data.min(),
        "max": data.max(),
        "mean": data.mean(),
        "rises": np.count_nonzero(~high[:-1] & high[1:]),
    }
    found = json.loads((folders(clinic)[name] / "signal.json").read_text())
    assert data.std() == pytest.approx(found.pop("std"), rel=1e-13)
    assert expected == found


def test_table_and_figure_of_all(clinic: Path) -> None:
    """The aggregate has a row for each recording with the numbers of its files, and a figure."""
    (folder,) = (clinic / "aggregates" / "Study" / "workspace").iterdir()
    with (folder / "hearts.csv").open(newline="") as lines:
        table = list(csv.DictReader(lines))
    assert list(NAMES) == [row.pop("name") for row in table]
    for row, name in zip(table, NAMES, strict=True):
        place = folders(clinic)[name]
        parts = [
            json.loads((place / f"{part}.json").read_text()) for part in ("measures", "signal")
        ]
        rate = float((place / "rate.txt").read_text())
        expected = {"rate": rate, **parts[0], **parts[1]}
        assert expected == {column: float(cell) for column, cell in row.items()}
    assert (folder / "rates.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_second_run_does_nothing(clinic: Path) -> None:
    """A second run has nothing to do."""
    assert "nothing to do: everything is complete.\n" == python("project.py", "run", cwd=clinic)
