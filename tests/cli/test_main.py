"""The program `pointillist`: its verbs, through a real process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pointillist.cli.main import main


def test_templates_and_new(tmp_path: Path) -> None:
    """The installed program lists the templates and makes a project of one."""
    program = Path(sys.executable).with_name("pointillist")
    listed = subprocess.run([program, "templates"], capture_output=True, text=True, check=True)
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    assert {"harbor", "recordings"} <= set(names)
    made = subprocess.run(
        [program, "new", "harbor", "my harbor"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        "my harbor is ready. Next:\n  cd 'my harbor' && python init.py && python project.py run\n"
    ) == made.stdout
    assert (tmp_path / "my harbor" / "project.py").is_file()


def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong template or a folder with something in it is one line, exit code 1."""
    assert 1 == main(["new", "harbour", str(tmp_path / "x")])
    errors = capsys.readouterr().err
    assert errors.startswith("Error: There is no template 'harbour': ") and 1 == errors.count("\n")
    (tmp_path / "notes.txt").touch()
    assert 1 == main(["new", "harbor", str(tmp_path)])
    assert "there is something already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["new", "--help"], ["templates", "--help"]])
def test_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Each verb shows commands to copy."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert 0 == caught.value.code
    assert "examples:\n  pointillist templates\n" in capsys.readouterr().out


def test_no_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a verb the usage is shown."""
    with pytest.raises(SystemExit) as caught:
        main([])
    assert 2 == caught.value.code
    assert "{new,templates,doctor}" in capsys.readouterr().err
