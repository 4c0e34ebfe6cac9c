"""The README's code runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tour_runs(tmp_path: Path) -> None:
    """The tour's project and session run as they stand, on the template's recordings."""
    project, session = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    template = ROOT / "project_templates" / "recordings"
    (tmp_path / "project.py").write_text(project, encoding="utf-8")
    (tmp_path / "matlab").symlink_to(template / "matlab")
    (tmp_path / "fake_recordings.py").symlink_to(template / "fake_recordings.py")
    script = "from pathlib import Path\nimport fake_recordings\n"
    script += "fake_recordings.make(Path('recordings'))\nfrom project import Lab\n"
    script += "Lab().discover()\n" + session
    script += "\nprint(len(lab[Recording]), len(lab[Block]), len(lab[Session]))"
    script += "\nprint(lab[Session].first().samples, block.stats['count'], len(block.members))"
    (tmp_path / "tour.py").write_text(script, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "tour.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "" == ended.stderr
    assert ["20 10 5", "400 200 2"] == ended.stdout.splitlines()


def test_pictures_are_there() -> None:
    """Every picture and document that the README points to exists."""
    linked = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [] == [link for link in linked if not (ROOT / link).exists()]
    assert 2 == sum(link.endswith((".png", ".svg")) for link in linked)
