"""Making many jobs: what it costs, what a kill leaves, and others who make jobs at once."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import signac

from pointillist.errors import CorruptRecord, SpaceError
from pointillist.model.fields import key, seed
from pointillist.model.records import Aggregate, Record
from pointillist.space import changes
from pointillist.space.creation import Creation

from ..run.filecalls import count, dying

Make = Callable[..., Any]
Race = Callable[..., list[Any]]


class Recording(Record):
    """A recording."""

    session: str = key()
    index: int = key()
    raw: Path = seed("raw/{session}/{index}.bin")


class Session(Aggregate[Recording], order_by="-index"):
    """The recordings of one session."""

    session: str = key()


@pytest.fixture
def here(lab: Make) -> Any:
    """Make a data space with the files of two sessions."""
    made = lab(Recording, Session)
    made.write(*(f"raw/{session}/{index}.bin" for session in "ab" for index in range(3)))
    return made


def fork(work: Callable[[], object]) -> int:
    """Do something in a fork of this process; return what `os.waitpid` says of its end."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def found(root: Path) -> dict[str, bytes]:
    """Return what lies in the workspaces; signac finds no job of theirs damaged."""
    for folder in (root, root / "aggregates/Session"):
        if folder.exists():
            signac.get_project(str(folder)).check()
    files = [path for path in root.rglob("workspace/*/**/*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_the_workspace_is_signacs_own(here: Any, tmp_path: Path) -> None:
    """What `discover` makes is what signac makes of the same state points, byte for byte."""
    here.discover()
    project = signac.init_project(str(tmp_path / "theirs"))
    for session in "ab":
        for index in range(3):
            project.open_job({"session": session, "index": index}).init()
    theirs = found(tmp_path / "theirs")
    assert 6 == len(theirs)
    assert theirs == {k: v for k, v in found(tmp_path).items() if k.startswith("workspace")}
    sessions = signac.get_project(str(tmp_path / "aggregates/Session"))
    for job in list(sessions):
        text, statepoint = Path(job.fn(job.FN_STATE_POINT)).read_bytes(), job.statepoint()
        job.remove()
        again = sessions.open_job(statepoint).init()
        assert (job.id, text) == (again.id, Path(again.fn(job.FN_STATE_POINT)).read_bytes())


def test_what_a_job_costs(here: Any) -> None:
    """A folder, a file (opened, empty, written), a name: ten jobs more cost fifty changes."""

    def cost() -> int:
        return count(fork, here.root, lambda: here.again().discover())

    here.discover()
    here.write(*(f"raw/a/{index}.bin" for index in range(10, 15)))
    five = cost()
    here.write(*(f"raw/a/{index}.bin" for index in range(20, 35)))
    assert 50 == cost() - five


def test_what_is_expected_is_not_read(here: Any, tmp_path: Path) -> None:
    """A second `discover` reads no state point and changes no file but its claim and journal."""
    here.discover()
    before = found(tmp_path)
    seen = tmp_path / "seen"

    def watched() -> None:
        read: list[str] = []

        def heard(event: str, args: tuple[Any, ...]) -> None:
            if event == "open" and str(args[0]).endswith("signac_statepoint.json"):
                read.append(str(args[0]))

        sys.addaudithook(heard)
        here.again().discover()
        here.again().space.records(Recording)
        seen.write_text(str(len(read)))

    assert 0 == fork(watched)
    assert "6" == seen.read_text()  # those of the last line, as nothing is expected there
    assert before == found(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"session": "a"', b'{"session": "a", "index": 0}  '])
def test_another_size_is_read(here: Any, content: bytes) -> None:
    """A state point that is not as long as it must be is read, and told of if it is damaged."""
    here.discover()
    bad = here.space.by_keys(Recording)["a", 0]
    here.space.job_folder(bad).statepoint.write_bytes(content)
    later = here.again()
    later.discover()
    problems = [f"Recording {bad.id}"] * (not content.endswith(b" "))
    assert problems == [problem.record for problem in later.space.problems]
    if problems:
        with pytest.raises(CorruptRecord, match=r"the state point .* cannot be read"):
            changes.add_product(
                later.space, later.journal, Recording, {"session": "a", "index": [0, 1]}
            )


def test_killed_anywhere(here: Any, tmp_path: Path) -> None:
    """Killed before any file operation, `discover` leaves whole jobs, and the next one the rest."""
    for cls in (Recording, Session):
        here.space.project_of(cls)
    work = lambda: here.again().discover()  # noqa: E731
    points = count(fork, here.root, work)
    whole = found(tmp_path)
    assert 50 < points and 8 + 2 == len(whole)
    for number in range(1, points + 1):
        for name in ("workspace", "aggregates/Session/workspace", ".pointillist"):
            shutil.rmtree(tmp_path / name, ignore_errors=True)
        end = fork(lambda n=number: dying(here.root, n, work))
        assert signal.SIGKILL == os.WTERMSIG(end), number
        left = found(tmp_path)
        made = {name: text for name, text in left.items() if "/." not in name}
        assert made.items() <= whole.items(), number
        assert 0 == fork(work), number
        assert whole == found(tmp_path), number
        assert here.again().space.problems == [], number


def _make(number: int, barrier: Any, here: Any, count: int) -> None:
    mine = here.again()
    barrier.wait()
    if number:
        mine.discover()
    else:
        project = signac.get_project(str(here.root))
        for index in range(count):
            project.open_job({"session": "c", "index": index}).init()


def test_at_once(here: Any, tmp_path: Path, race: Race) -> None:
    """Two that discover while signac makes the same jobs: each job is there once, and whole."""
    here.discover()
    here.write(*(f"raw/c/{index}.bin" for index in range(60)))
    race(3, _make, here, 60)
    later = here.again()
    later.discover()
    assert [] == later.space.problems
    assert 66 == len(later.space.records(Recording))
    assert 66 + 3 * 2 == len(found(tmp_path))
    session = later.space.by_keys(Session)[("c",)]
    indices = [member.index for member in later.space.members(session)]
    assert list(reversed(range(60))) == indices
    names = [path.name for path in (tmp_path / "workspace").iterdir()]
    assert [] == [name for name in names if name.startswith(".")]


def test_a_moved_folder_is_completed(here: Any, tmp_path: Path) -> None:
    """What a killed `rekey` has left under the other name keeps its files and its document."""
    here.discover()
    record = here.space.by_keys(Recording)["a", 1]
    folder = here.space.job_folder(record)
    folder.output("size.txt").write_text("22")
    folder.document.write_text('{"by": "me"}')
    folder.path.rename(folder.fresh)
    later = here.again()
    later.discover()
    assert ("22", {"by": "me"}) == (
        folder.output("size.txt").read_text(),
        dict(later.space.document(Recording, record.id)),
    )


def test_a_document_that_was_cut_short_is_written_anew(here: Any, tmp_path: Path) -> None:
    """A folder that was never whole lends none of its files to the job."""
    here.discover()
    session = here.space.by_keys(Session)[("a",)]
    folder, document = here.space.job_folder(session), here.space.job_folder(session).document
    whole = document.read_bytes()
    document.write_bytes(whole[:20])
    folder.statepoint.unlink()
    folder.path.rename(folder.fresh)
    here.again().discover()
    assert whole == document.read_bytes()


def test_a_full_disk(here: Any, tmp_path: Path) -> None:
    """What cannot be written whole is taken away again, and the error says where it was."""
    here.space.project_of(Recording)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (12, 12))  # so much of a file, and no more
        with pytest.raises(SpaceError, match=r"workspace cannot be written: .* free some space"):
            Creation(here.space, Recording).make(("a", 1))

    assert 0 == fork(limited)
    assert [] == list((tmp_path / "workspace").iterdir())
