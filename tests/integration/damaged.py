"""A small project to be damaged, and what the command line says of it."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

PROJECT = """
from __future__ import annotations
from pathlib import Path
import shutil
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def copied(raw: Path) -> str:
    text = raw.read_text()
    if (HERE / "disturb").exists():
        (HERE / "disturb").rename(HERE / "disturbed")
        exec((HERE / "disturbed").read_text())
    return text


@pt.step
def joined(texts: list[str]) -> str:
    if (HERE / "disturb joined").exists():
        (HERE / "disturb joined").rename(HERE / "disturbed")
        exec((HERE / "disturbed").read_text())
    return "".join(texts)


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    @property
    def kind(self) -> str:
        return "letter"

    text: str = copied.step(raw).to()
    loud: Path = pt.shell("tr a-z A-Z < {text} > {out}").to("loud.txt")


class Group(pt.Aggregate[Item]):
    kind: str = pt.key()
    joined: str = joined.step(pt.each(Item.text)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""

TASKS = 5
"""Two records with two steps each, and one of their group."""


def made(workshop: Any, name: str = "lab", run: bool = True) -> Any:
    """Make the project with records ``a`` and ``b``, all tasks done."""
    shop = workshop(PROJECT, name)
    (shop.root / "raw").mkdir()
    for letter in "ab":
        (shop.root / f"raw/{letter}.txt").write_text(letter)
    shop.lab().discover()
    if run:
        assert TASKS == shop.run().done
    return shop


def folder_of(shop: Any, name: str) -> Path:
    """Return the job's folder of a record."""
    record = shop.lab()[shop.module.Item].get(name=name)
    return Path(shop.root / "workspace" / record.id)


def said(shop: Any, *words: str) -> tuple[int, str]:
    """Do what ``python project.py`` does with these words; return exit code and all it says.

    An error that the command line does not catch is raised here: it would be a traceback there.
    """
    output, code = io.StringIO(), 0
    before, there = sys.argv, Path.cwd()
    sys.argv = ["project.py", *words]
    os.environ["COLUMNS"] = "300"
    os.chdir(shop.root)
    try:
        with redirect_stdout(output), redirect_stderr(output):
            try:
                shop.module.Lab().main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        sys.argv = before
        os.chdir(there)
    assert "Traceback" not in output.getvalue()
    return code, output.getvalue()


def states(shop: Any) -> dict[str, str]:
    """Return what ``status -d`` says of each task, by its name."""
    return {task: str(verdict) for task, verdict in shop.verdicts().items()}


def check_sound(shop: Any, done: int, exit_code: int = 0) -> str:
    """Hold that both verbs work, `done` tasks are done again, and then all is complete."""
    code, text = said(shop, "status", "-d")
    assert 0 == code, text
    code, text = said(shop, "run")
    assert exit_code == code, text
    told = {0: "nothing to do: everything is complete.", 1: "1 task done"}
    assert told.get(done, f"{done} tasks done") in text, text
    return text
