"""The project templates: names, descriptions, copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pointillist.cli import templates
from pointillist.errors import TemplateError


def files(folder: Path) -> set[str]:
    """Give the paths of all files in a folder."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def own_templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of the folder of templates that a test may change."""
    folder = tmp_path / "templates"
    shutil.copytree(templates.templates_folder(), folder)
    monkeypatch.setattr(templates, "templates_folder", lambda: folder)
    return folder


def test_names_and_descriptions() -> None:
    """Each template is named, and its README says in one sentence what it is."""
    assert {"harbor", "recordings"} <= set(templates.names())
    for name in templates.names():
        described = templates.description(name)
        assert 20 < len(described) < 120, name
        assert described.endswith(".") and "\n" not in described and "#" not in described


def test_each_template_is_complete() -> None:
    """Each template has a project, a way to fill it, a README, and names what it makes."""
    for name in templates.names():
        needed = {"project.py", "init.py", "README.md", ".gitignore"}
        assert needed <= files(templates.templates_folder() / name), name


def test_copy_leaves_out_what_was_made(own_templates: Path, tmp_path: Path) -> None:
    """Caches, results and generated data in a template do not go into a copy."""
    expected = {
        ".gitignore",
        "README.md",
        "fake_recordings.py",
        "init.py",
        "project.py",
        *(f"matlab/{f.name}" for f in (own_templates / "recordings/matlab").glob("*.m")),
    }
    made = ["__pycache__/project.pyc", "matlab/__pycache__/x.pyc", ".mypy_cache/x"]
    made += ["recordings/a/rec_0.bin", "workspace/1234/x", "aggregates/Block/x"]
    made += [".pointillist/runs/x.jsonl", ".signac/config"]
    for name in made:
        (own_templates / "recordings" / name).parent.mkdir(parents=True, exist_ok=True)
        (own_templates / "recordings" / name).touch()
    templates.copy("recordings", tmp_path / "new" / "lab")
    assert expected == files(tmp_path / "new" / "lab")


def test_copy_keeps_a_folder_of_the_name_of_something_made(
    own_templates: Path, tmp_path: Path
) -> None:
    """What is made at the top of a template is part of it elsewhere."""
    (own_templates / "recordings/matlab/view").mkdir()
    (own_templates / "recordings/matlab/view/x.m").touch()
    templates.copy("recordings", tmp_path / "lab")
    assert "matlab/view/x.m" in files(tmp_path / "lab")


def test_copy_into_an_empty_folder(tmp_path: Path) -> None:
    """A folder that is there already may be used when it is empty."""
    templates.copy("harbor", tmp_path)
    assert "project.py" in files(tmp_path)


@pytest.mark.parametrize("name", ["lab", "lab/notes.txt"])
def test_copy_overwrites_nothing(tmp_path: Path, name: str) -> None:
    """A folder with something in it, or a file, is refused and left as it is."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "notes.txt").write_text("mine")
    with pytest.raises(TemplateError, match="there is something already") as caught:
        templates.copy("recordings", tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert {"notes.txt"} == files(tmp_path / "lab")


def test_copy_says_where_it_cannot_write(tmp_path: Path) -> None:
    """A place that cannot be written is one clear error."""
    (tmp_path / "file").touch()
    with pytest.raises(TemplateError, match="Name a folder that can be written"):
        templates.copy("recordings", tmp_path / "file" / "lab")


def test_unknown_template(tmp_path: Path) -> None:
    """A wrong name is answered with the right ones, and with the one that was meant."""
    with pytest.raises(TemplateError) as caught:
        templates.copy("recording", tmp_path / "lab")
    message = str(caught.value)
    assert message.startswith("There is no template 'recording': ")
    assert message.endswith("Did you mean 'recordings'?")
    assert all(name in message for name in templates.names())
    assert not (tmp_path / "lab").exists()
    with pytest.raises(TemplateError, match=r"There is no template '\.\./x': [^?]*\.$"):
        templates.description("../x")


def test_fill_says_what_failed(tmp_path: Path) -> None:
    """An ``init.py`` that fails is one clear error."""
    (tmp_path / "init.py").write_text("raise SystemExit(3)")
    with pytest.raises(TemplateError, match=r"init\.py failed \(exit 3\)"):
        templates.fill(tmp_path)
