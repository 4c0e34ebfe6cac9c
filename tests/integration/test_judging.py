"""Judging writes nothing: ``status`` leaves all as it is, and works where it cannot write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import signac

from .damaged import folder_of, made, said

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root changes its user")
NOBODY = 65534

OWN = """
@Lab.label
def loud(job):
    return job.isfile("loud.txt")


@Lab.label(on=Group)
def whole(job):
    return len(job.members) == 2


@Lab.post.isfile("counted.txt")
@Lab.operation(on=Group)
def counted(job):
    with open(job.fn("counted.txt"), "w") as file:
        file.write(str(len(job.members)))


@Lab.post.isfile("seen.txt")
@Lab.operation
def seen(job):
    job.document.seen = True


if __name__ == "__main__":
"""

VERBS = (
    ["status"],
    ["status", "-d"],
    ["status", "--json"],
    ["status", "-d", "-o", "joined"],
    ["status", "-d", "--where", "name=a"],
    ["run", "--pretend"],
    ["next", "seen"],
)


@pytest.fixture
def shared() -> Iterator[Path]:
    """Give a folder in which another user can look around."""
    with tempfile.TemporaryDirectory(prefix="pointillist-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def mixed(workshop: Any, shared: Path) -> Any:
    """Make a project in which every state occurs, and operations of its own."""
    shop = made(workshop, str(shared / "lab"))
    source = (shop.root / "project.py").read_text()
    (shop.root / "project.py").write_text(source.replace('if __name__ == "__main__":\n', OWN))
    shop.module = shop._load()
    for name in "cdef":
        (shop.root / f"raw/{name}.txt").write_text(name)
    (shop.root / "raw/d.txt").write_bytes(b"\xff")
    shop.lab().discover()
    assert 1 == said(shop, "run", "-o", "text", "--where", "name=d")[0]
    (shop.root / "raw/a.txt").write_text("stale")
    (shop.root / "raw/c.txt").unlink()
    (folder_of(shop, "f") / "text.txt").write_text("found")
    (folder_of(shop, "f") / "loud.txt").write_text("FOUND")
    (folder_of(shop, "e") / ".text.claim.1").write_text("of nobody")
    (shop.root / f"workspace/{'0' * 32}").mkdir()
    return shop


def tree(root: Path) -> dict[str, tuple[int, ...]]:
    """Return everything below a folder with its inode, mode, links, owner, size and times."""
    found = {}
    for folder, _, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            told = path.lstat()
            facts = (told.st_ino, told.st_mode, told.st_nlink, told.st_uid, told.st_size)
            found[str(path.relative_to(root))] = (*facts, told.st_mtime_ns, told.st_ctime_ns)
    return found


def check_unchanged(root: Path, before: dict[str, tuple[int, ...]], what: object) -> None:
    """Hold that nothing came, went or changed."""
    now = tree(root)
    assert set(before) == set(now), what
    assert [] == [path for path in before if before[path] != now[path]], what


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_writes_nothing(mixed: Any, verb: list[str]) -> None:
    """No name, size, time or inode differs after a look at a project with everything in it."""
    before = tree(mixed.root)
    code, text = said(mixed, *verb)
    assert 0 == code, text
    check_unchanged(mixed.root, before, verb)


def test_filter(mixed: Any) -> None:
    """A filter writes nothing; it is signac's, and cannot do without a state point."""
    before = tree(mixed.root)
    code, text = said(mixed, "status", "-d", "-f", "name", "a")
    assert 1 == code and f"the state point of {'0' * 32} cannot be read" in text
    check_unchanged(mixed.root, before, "status -f")
    (mixed.root / f"workspace/{'0' * 32}").rmdir()
    before = tree(mixed.root)
    code, text = said(mixed, "status", "-d", "-f", "name", "a")
    assert 0 == code and "name=a" in text and "name=b" not in text
    check_unchanged(mixed.root, before, "status -f")


def command_line(root: Path, *words: str) -> str:
    """Return what ``python project.py`` says."""
    done = subprocess.run(
        [sys.executable, "project.py", *words], cwd=root, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return done.stdout + done.stderr


def test_process_writes_nothing(mixed: Any) -> None:
    """A ``python project.py status -d`` of its own leaves nothing behind either."""
    before = tree(mixed.root)
    text = command_line(mixed.root, "status", "-d").upper()
    for state in ("COMPLETE", "STALE", "FAILED", "WAITING", "RUNNING", "READY"):
        assert state in text, state
    check_unchanged(mixed.root, before, "status -d")


def test_new_members_are_only_shown(workshop: Any) -> None:
    """Aggregates that are not made yet are shown without any folder being made for them."""
    shop = made(workshop, run=False)
    source = (shop.root / "project.py").read_text()
    (shop.root / "project.py").write_text(source.replace('if __name__ == "__main__":\n', OWN))
    shop.module = shop._load()
    assert 0 == os.system(f"rm -r '{shop.root}/aggregates'")
    before = tree(shop.root)
    code, text = said(shop, "status", "-d")
    assert 0 == code, text
    check_unchanged(shop.root, before, "status -d")


DROP_IN = """
import pointillist as pt
from pointillist import FlowProject
from signac.job import Job


class Parity(pt.Aggregate[Job]):
    parity: str = pt.key()


class Lab(FlowProject):
    pass


@Lab.label(on=Parity)
def several(job):
    return len(job.members) > 1


@Lab.post(lambda job: job.isfile("mean.txt"))
@Lab.operation(on=Parity)
def mean(job):
    with open(job.fn("mean.txt"), "w") as file:
        file.write(str(len(job.members)))


if __name__ == "__main__":
    Lab().main()
"""


def test_drop_in(tmp_path: Path) -> None:
    """A status of aggregates over plain jobs makes neither jobs nor a signac project for them.

    What signac-flow remembers of the scheduler it writes as ever, into the project's document.
    """
    (tmp_path / "project.py").write_text(DROP_IN)
    plain = signac.init_project(str(tmp_path))
    for number in range(4):
        plain.open_job({"parity": "odd" if number % 2 else "even", "number": number}).init()
    plain.document["_status"] = {}
    before = tree(tmp_path)
    shown = [command_line(tmp_path, "status", *flags) for flags in ((), ("-d",), ("-p",))]
    assert all("mean" in text for text in shown)
    check_unchanged(tmp_path, before, "status")
    command_line(tmp_path, "run")
    assert 2 == len(list(tmp_path.glob("aggregates/Parity/workspace/*/mean.txt")))
    before = tree(tmp_path)
    command_line(tmp_path, "status", "-d")
    check_unchanged(tmp_path, before, "status")


def as_nobody(work: Callable[[], object]) -> Callable[[], None]:
    """Let something be done by a user who may write nothing."""

    def does() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        work()

    return does


@needs_root
@pytest.mark.parametrize("verb", VERBS[:5], ids=" ".join)
def test_where_nothing_can_be_written(mixed: Any, fork: Any, verb: list[str]) -> None:
    """Another user who may read all and write nothing gets the same answer."""
    expected = said(mixed, *verb)
    before = tree(mixed.root)

    def work() -> None:
        with pytest.raises(PermissionError):
            (mixed.root / "mine").touch()
        assert expected == said(mixed, *verb)

    assert 0 == fork(as_nobody(work))
    check_unchanged(mixed.root, before, verb)


@needs_root
def test_run_where_nothing_can_be_written(mixed: Any, fork: Any) -> None:
    """A run by that user says in one message what it cannot write, and exits with 1."""
    before = tree(mixed.root)
    said(mixed, "status")  # all is imported

    def work() -> None:
        code, text = said(mixed, "run", "-o", "text")
        assert 1 == code
        assert "Permission denied" in text and str(mixed.root / ".pointillist") in text

    assert 0 == fork(as_nobody(work))
    check_unchanged(mixed.root, before, "run")


@needs_root
@pytest.mark.parametrize("what", ["journal", "runs"])
def test_journal_that_cannot_be_read(mixed: Any, fork: Any, what: str) -> None:
    """Without a journal done things would look undone: who may not read it is told so, exit 1."""
    journals = [p for p in mixed.root.glob(".pointillist/runs/*.jsonl") if p.stat().st_size > 1000]
    (journals[0] if what == "journal" else journals[0].parent).chmod(0)
    said(mixed, "status")

    def work() -> None:
        for verb in (["status", "-d"], ["run", "-o", "text"], ["run", "--pretend"]):
            code, text = said(mixed, *verb)
            assert 1 == code, text
            assert "cannot be read: Permission denied" in text, text
            assert "done" in text and "Make" in text.replace("make", "Make"), text

    assert 0 == fork(as_nobody(work))


@needs_root
def test_workspace_that_cannot_be_read(mixed: Any, fork: Any) -> None:
    """A workspace, or a job's folder, that may not be read is named."""
    said(mixed, "status")
    folder_of(mixed, "a").chmod(0)

    def job() -> None:
        code, text = said(mixed, "status", "-d")
        assert 0 == code
        assert "cannot be read: Permission denied" in text and folder in text

    folder = str(folder_of(mixed, "b").parent)
    assert 0 == fork(as_nobody(job))
    (mixed.root / "workspace").chmod(0)

    def workspace() -> None:
        code, text = said(mixed, "status", "-d")
        assert 1 == code
        assert f"{folder} cannot be read: Permission denied" in text

    assert 0 == fork(as_nobody(workspace))
