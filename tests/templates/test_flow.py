"""The template flow: an imperative project, whose aggregate owns a folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import signac

from pointillist.cli import templates

ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}


def verb(project: Path, *arguments: str) -> str:
    """Give what a verb of the project prints."""
    done = subprocess.run(
        [sys.executable, "project.py", *arguments],
        cwd=project,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the project, run once."""
    project = tmp_path_factory.mktemp("templates") / "flow"
    templates.copy("flow", project)
    templates.fill(project)
    verb(project, "run")
    return project


def test_walks(flow: Path) -> None:
    """Each walk is a plain signac job with what the function and the command made."""
    for job in signac.get_project(str(flow)):
        ends = [float(line) for line in Path(job.fn("walk.txt")).read_text().split()]
        expected = sum(end * end for end in ends) / len(ends)
        assert pytest.approx(expected, rel=1e-5) == float(Path(job.fn("distance.txt")).read_text())


def test_liquids(flow: Path) -> None:
    """Each liquid has a folder and a document of its own, with the mean of its walks."""
    walks = signac.get_project(str(flow))
    liquids = list(signac.get_project(str(flow / "aggregates" / "Liquid")))
    assert 3 == len(liquids)
    for liquid in liquids:
        own = walks.find_jobs({"diffusivity": liquid.sp.diffusivity})
        found = [float(Path(walk.fn("distance.txt")).read_text()) for walk in own]
        text = Path(liquid.fn("compared.txt")).read_text()
        assert f"found {sum(found) / len(found):.1f}, " in text
        assert f"expected {400 * liquid.sp.diffusivity:.1f} " in text
        assert 4 == liquid.doc.walks
        assert sorted(walk.id for walk in own) == sorted(liquid.doc.members())


def test_status(flow: Path) -> None:
    """The status is signac-flow's table; each label's ratio is that of its kind of jobs."""
    table = verb(flow, "status")
    assert re.search(r"^measured .* 12/12 \(100\.00%\)$", table, re.MULTILINE)
    assert re.search(r"^compared .* 3/3 \(100\.00%\)$", table, re.MULTILINE)
    assert "Overview: 15 jobs/aggregates, 0 jobs/aggregates with eligible operations." in table


def test_another_walk(flow: Path) -> None:
    """With another walk a liquid keeps its folder, and is compared anew."""
    project = signac.get_project(str(flow))
    before = sorted(flow.glob("aggregates/Liquid/workspace/*"))
    project.open_job({"diffusivity": 0.5, "seed": 99}).init()
    assert "" == verb(flow, "next", "compare")
    verb(flow, "run")
    assert before == sorted(flow.glob("aggregates/Liquid/workspace/*"))
    own = signac.get_project(str(flow / "aggregates" / "Liquid"))
    [liquid] = own.find_jobs({"diffusivity": 0.5})
    assert 5 == liquid.doc.walks == len(liquid.doc.members)
