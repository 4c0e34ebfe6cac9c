"""The template sweep: runs for each combination of parameters, their means, a picture."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import signac

from pointillist.cli import templates


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the project, run once."""
    project = tmp_path_factory.mktemp("templates") / "sweep"
    templates.copy("sweep", project)
    templates.fill(project)
    subprocess.run([sys.executable, "project.py", "run"], cwd=project, check=True)
    return project


def average_of(project: Path, temperature: float) -> dict[str, Any]:
    """Give the average that an aggregate holds, by plain signac."""
    own = signac.get_project(str(project / "aggregates" / "Temperature"))
    [job] = own.find_jobs({"temperature": temperature})
    found: dict[str, Any] = json.loads(Path(job.fn("average.json")).read_text())
    return found


def test_jobs(sweep: Path) -> None:
    """Each pair of temperature and replica is a plain signac job; no file came before it."""
    jobs = list(signac.get_project(str(sweep)))
    pairs = {(job.sp.temperature, job.sp.replica) for job in jobs}
    assert 44 == len(jobs) == len(pairs)
    assert 11 == len({temperature for temperature, _ in pairs})
    assert [] == [p for p in sweep.iterdir() if p.suffix in (".csv", ".bin", ".json")]


def test_means(sweep: Path) -> None:
    """The mean of a temperature is that of its replicas' second halves, worked out anew."""
    orders = []
    for job in signac.get_project(str(sweep)).find_jobs({"temperature": 2.0}):
        with h5py.File(job.fn("magnetisation.h5")) as file:
            [series] = [np.asarray(data) for data in file.values()]
        orders.append(np.abs(series[len(series) // 2 :]).mean())
    found = average_of(sweep, 2.0)
    assert pytest.approx(np.mean(orders), rel=1e-12) == found["mean"]
    assert pytest.approx(np.std(orders, ddof=1) / 2, rel=1e-9) == found["error"]


def test_the_magnet_loses_its_order(sweep: Path) -> None:
    """Well below the critical temperature the means are Yang's, well above there is little left."""
    for temperature in (1.5, 1.75, 2.0):
        exact = (1 - np.sinh(2 / temperature) ** -4) ** 0.125
        assert abs(exact - average_of(sweep, temperature)["mean"]) < 0.01
    assert average_of(sweep, 3.5)["mean"] < 0.15


def test_picture(sweep: Path) -> None:
    """There is one magnet, of all temperatures, with a picture."""
    [picture] = sweep.glob("aggregates/Magnet/workspace/*/means.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_more_replicas(sweep: Path) -> None:
    """Added replicas are run, and of the rest only what they belong to is done again."""
    script = (
        "from project import Run, Sweep\n"
        "print(len(Sweep().add_product(Run, temperature=2.0, replica=range(6))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=sweep, capture_output=True, text=True, check=True
    )
    assert "6" == done.stdout.strip()
    run = subprocess.run(
        [sys.executable, "project.py", "run"], cwd=sweep, capture_output=True, text=True, check=True
    )
    # two runs with two steps each, the temperature's average, the magnet's picture
    assert run.stdout.startswith("6 tasks done in ")


def test_init_may_be_run_again(sweep: Path) -> None:
    """A second init.py changes nothing."""
    before = sorted(str(p) for p in sweep.glob("workspace/*"))
    subprocess.run([sys.executable, "init.py"], cwd=sweep, check=True)
    assert before == sorted(str(p) for p in sweep.glob("workspace/*"))
    assert "Sweep" in runpy.run_path(str(sweep / "project.py"))
