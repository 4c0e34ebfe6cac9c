"""Scripts of arrays: what they ask for, and signac-flow's templates."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from flow.environment import (
    ComputeEnvironment,
    DefaultPBSEnvironment,
    DefaultSlurmEnvironment,
    StandardEnvironment,
)

import pointillist as pt
from pointillist.errors import ConfigurationError
from pointillist.flow.scripts import Request, array_command, array_script, has_arrays
from pointillist.model.options import Options

ASKED = Options(np=2, ngpu=1, memory=1.5, walltime=1800.0)


@pt.step(np=2, memory="1.5g", walltime="30m")
def squared(i: int) -> int:
    """Return the square of a number."""
    return i * i


class Run(pt.Record):
    """A run with one step."""

    i: int = pt.key()
    square: int = squared.step(i).to()


class Lab(pt.Project):
    """Runs."""

    records = (Run,)


def made(root: Path, environment: type[ComputeEnvironment] = DefaultSlurmEnvironment) -> Any:
    """Return a project in a folder."""
    return Lab(root, environment, {"executable": "/opt/a python", "path": str(root / "project.py")})


def script(lab: Any, asked: Options = Run.__steps__["square"].call.options, **more: Any) -> str:
    """Return a script for bundles of three."""
    known = {"template": "script.sh", "show_template_help": False, **more}
    return array_script(lab, "Lab/x.1", "Run.square", "work x 1", Request(asked, 3, False), known)


@pytest.mark.parametrize(
    ("parallel", "asked"),
    [(False, (2, 1, 1.5, 5400.0)), (True, (6, 3, 4.5, 1800.0))],
)
def test_request(parallel: bool, asked: tuple[float, ...]) -> None:
    """Tasks in a row take longer, tasks side by side more of everything else."""
    all = Request(ASKED, 3, parallel).all
    assert asked == (all.np, all.ngpu, all.memory, all.walltime)


def test_nothing_said() -> None:
    """What a step does not say is not asked for."""
    all = Request(Options(), 3, True).all
    assert (3, 0, None, None) == (all.np, all.ngpu, all.memory, all.walltime)


def test_script(tmp_path: Path) -> None:
    """A script asks for what an element needs, and is the batch job's own process at its end."""
    text = script(made(tmp_path), partition="long")
    for line in (
        '#SBATCH --job-name="Lab/x.1"',
        "#SBATCH --mem=1536M",
        "#SBATCH --partition=long",
        "#SBATCH -t 01:30:00",
        "#SBATCH --ntasks=2",
        f"cd {tmp_path}",
        f"exec '/opt/a python' {tmp_path}/project.py work x 1",
    ):
        assert 1 == text.splitlines().count(line)
    assert 0 == subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode


def test_template_of_a_project(tmp_path: Path) -> None:
    """A project's own template is filled in as before."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "script.sh").write_text(
        "{% extends base_script %}\n{% block custom_content %}\n"
        "module load {{ operations[0].name }}\n{% endblock %}\n"
    )
    text = script(made(tmp_path))
    assert text.index("module load Run.square") < text.index("exec ")


def test_refused(tmp_path: Path) -> None:
    """What the environment refuses is an error that says how it is submitted nevertheless."""
    with pytest.raises(ConfigurationError, match=r"^Run\.square is not submitted: Cannot request"):
        script(made(tmp_path), ASKED)
    assert "--ntasks=2" in script(made(tmp_path), ASKED, force=True)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment says how a script is handed over."""
    monkeypatch.setattr(DefaultSlurmEnvironment, "submit_flags", ["--qos=low"])
    assert ["sbatch", "--qos=low"] == array_command(made(tmp_path))


@pytest.mark.parametrize(
    ("environment", "expected"),
    [(DefaultSlurmEnvironment, True), (DefaultPBSEnvironment, False), (StandardEnvironment, False)],
)
def test_has_arrays(tmp_path: Path, environment: type[ComputeEnvironment], expected: bool) -> None:
    """Only of Slurm are the arrays known."""
    assert expected == has_arrays(made(tmp_path, environment))


def test_other_schedulers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PBS there is a script for each bundle of what can be done now, and that is said."""
    lab = made(tmp_path, DefaultPBSEnvironment)
    lab.add_product(Run, i=range(3))
    monkeypatch.setattr("sys.argv", ["project.py", "submit", "--pretend", "-b", "2"])
    monkeypatch.setattr(DefaultPBSEnvironment.scheduler_type, "jobs", lambda self: iter(()))
    lab.main()
    out, err = capsys.readouterr()
    assert 2 == out.count("#PBS -N ")
    assert 3 == out.count(" run -o Run.square -j ")
    assert "Only on Slurm the whole pipeline is submitted" in err
