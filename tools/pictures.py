"""Make the pictures of the README anew: ``.venv/bin/python tools/pictures.py``."""

from __future__ import annotations

import io
import os
import re
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from pointillist.cli import status, templates
from pointillist.view.status import show_status

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"


def main() -> None:
    """Run the reference pipeline, change a little, and draw what ``status`` says."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "recordings"
        templates.copy("recordings", folder)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        runpy.run_path("init.py", run_name="__main__")
        from project import Block, Lab

        lab = Lab()
        lab.run()
        shutil.copyfile(
            lab[Block].get(session="a", parity="even").path("summary"), IMAGES / "summary.png"
        )
        lab[Block].get(session="b", parity="odd").path("stats").unlink()
        extra = folder / "recordings" / "a" / "rec_4.bin"
        extra.write_bytes(bytes(range(100)))
        lab.discover()
        console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True)
        rows = status.rows(lab, None, None)
        chosen = {lab[Block].get(session=s, parity=p).id for s, p in (("a", "even"), ("b", "odd"))}
        console.print("$ python project.py status", style="bold", highlight=False)
        show_status(console, {cls.__name__: len(lab[cls]) for cls in lab.records}, rows)
        short = " ".join(sorted(id[:4] for id in chosen))
        console.print(f"\n$ python project.py status -d -j {short}", style="bold", highlight=False)
        shown = [row for row in rows if row.job in chosen]
        show_status(console, {"Recording": 0, "Block": len(chosen)}, shown, detailed=True)
        console.print()
        draw(console, IMAGES / "status.svg")


def draw(console: Console, path: Path) -> None:
    """Write what a console has shown as a picture that loads no fonts."""
    svg = console.export_svg(title="pointillist", theme=MONOKAI, unique_id="status")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "DejaVu Sans Mono, Menlo, Consolas, monospace")
    path.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
