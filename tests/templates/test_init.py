"""The root `init.py`: a project from a template, by one command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

INIT = Path(__file__).resolve().parents[2] / "init.py"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without help from this environment."""
    return subprocess.run(
        command, cwd=cwd, env={"PATH": os.defpath}, capture_output=True, text=True, check=False
    )


def test_help_lists_templates_and_examples(tmp_path: Path) -> None:
    """`--help` says what each template is, and shows commands to copy."""
    done = run(sys.executable, INIT, "--help", cwd=tmp_path)
    assert 0 == done.returncode
    assert "python init.py harbor" in done.stdout
    assert "  recordings  Binary recordings of several sessions" in done.stdout


def test_errors_are_one_line(tmp_path: Path) -> None:
    """An unknown template, or a folder with something in it, is one line and exit code 1."""
    (tmp_path / "harbor").mkdir()
    (tmp_path / "harbor" / "notes.txt").touch()
    for arguments, message in (
        (["harbour"], "init.py: There is no template 'harbour': "),
        (["harbor"], "init.py: The template 'harbor' cannot go to harbor: "),
    ):
        done = run(sys.executable, INIT, *arguments, cwd=tmp_path)
        assert (1, "") == (done.returncode, done.stdout)
        assert done.stderr.startswith(message)
        assert 1 == done.stderr.count("\n")
    assert ["notes.txt"] == [file.name for file in (tmp_path / "harbor").iterdir()]


def test_without_pointillist_it_says_what_to_do(tmp_path: Path) -> None:
    """An interpreter without pointillist, and no `.venv`, is one clear line."""
    init = Path(shutil.copy(INIT, tmp_path))
    done = run(sys.executable, "-I", "-S", init, cwd=tmp_path)  # -S: no installed packages
    assert 1 == done.returncode
    assert "pointillist is not installed for" in done.stderr
    assert f"Run `make setup` in {tmp_path}" in done.stderr


def test_without_pointillist_it_goes_on_with_venv(tmp_path: Path) -> None:
    """An interpreter without pointillist hands over to `.venv` beside `init.py`."""
    init = Path(shutil.copy(INIT, tmp_path))
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "handed over:" "$@"\n')
    python.chmod(0o755)
    done = run(sys.executable, "-I", "-S", init, "harbor", "my folder", cwd=tmp_path)
    assert f"handed over: {init} harbor my folder\n" == done.stdout
