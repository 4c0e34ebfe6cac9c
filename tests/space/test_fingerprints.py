"""What files and folders were at one moment."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.space.fingerprints import Fingerprint, content_hash, glance, look

Start = Callable[..., "subprocess.Popen[str]"]
ODD = ["rec 1.bin", "'; rm -rf ~", "a\nb", "ü字", "-n", "%s", os.fsdecode(b"\xff.bin")]


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Make a folder with files, a folder and an empty one in it."""
    folder = tmp_path / "session"
    (folder / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "a.bin").write_bytes(b"12345")
    (folder / "deep" / "b.bin").write_bytes(b"678")
    return folder


def test_a_file(tmp_path: Path) -> None:
    """A file has its size, its time and the SHA-256 of its content."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"123")
    os.utime(path, ns=(5, 5))
    assert Fingerprint(3, 5) == glance(path)
    assert Fingerprint(3, 5, hash=hashlib.sha256(b"123").hexdigest()) == look(path, 100)


def test_a_folder(session: Path) -> None:
    """A folder has the size, count and latest time of all that is in it."""
    for path in (*session.rglob("*"), session):
        os.utime(path, ns=(7, 7))
    os.utime(session / "deep" / "b.bin", ns=(9, 9))
    seen = look(session, 100)
    assert seen is not None and seen.hash is not None
    assert Fingerprint(8, 9, 4) == replace(seen, hash=None)


def test_nothing_there(tmp_path: Path) -> None:
    """What is not there has no fingerprint, nor what lies below a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "no", tmp_path / "no" / "more", tmp_path / "file" / "below"):
        assert (None, None) == (glance(path), look(path, 100))


def test_the_limit(tmp_path: Path) -> None:
    """Content is hashed up to the limit, and above it is not read."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"123")
    hashes = [seen.hash for limit in (2, 3) if (seen := look(path, limit)) is not None]
    assert [None, hashlib.sha256(b"123").hexdigest()] == hashes


@pytest.mark.parametrize(("before", "expected"), [(0, True), (10**6, True), (10**9, False)])
def test_young(tmp_path: Path, before: int, expected: bool) -> None:
    """What was written within a tick of the clock is too young to trust its time."""
    path = tmp_path / "a.bin"
    path.touch()
    now = path.stat().st_mtime_ns + before
    seen = look(path, 100, now)
    assert seen is not None
    assert expected is seen.young


@pytest.mark.parametrize("name", ODD)
def test_odd_names(tmp_path: Path, name: str) -> None:
    """A name is data, of a file and inside a folder."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / name).write_bytes(b"1")
    file, whole = look(folder / name, 10), look(folder, 10)
    assert file is not None and whole is not None
    assert (1, 1, 1) == (file.size, whole.size, whole.count)


def test_a_folders_hash_is_its_names_and_contents(session: Path, tmp_path: Path) -> None:
    """Every change in a folder changes its hash; a copy has the same."""
    twin = tmp_path / "another name"
    (twin / "empty").mkdir(parents=True)
    (twin / "deep").mkdir()
    (twin / "deep" / "b.bin").write_bytes(b"678")
    (twin / "a.bin").write_bytes(b"12345")
    seen = [content_hash(session)]
    assert seen == [content_hash(twin)]
    (session / "a.bin").write_bytes(b"54321")
    seen.append(content_hash(session))
    (session / "a.bin").rename(session / "c.bin")
    seen.append(content_hash(session))
    (session / "c.bin").rename(session / "deep" / "c.bin")
    seen.append(content_hash(session))
    (session / "empty").rmdir()
    seen.append(content_hash(session))
    (session / "empty").touch()
    seen.append(content_hash(session))
    assert len(seen) == len(set(seen))


@given(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3), min_size=1), st.data())
def test_no_two_folders_have_one_hash(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], data: st.DataObject
) -> None:
    """Bytes that move from a name or file to the next do not go unseen."""
    other = data.draw(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=3), min_size=1))
    hashes = []
    for content in (files, other):
        folder = tmp_path_factory.mktemp("folder")
        for name, value in content.items():
            (folder / name).write_bytes(value)
        hashes.append(content_hash(folder))
    assert (files == other) is (hashes[0] == hashes[1])


@pytest.mark.parametrize("name", ["a.bin", "."], ids=["file", "folder"])
def test_a_rename_into_place_changes_nothing(session: Path, tmp_path: Path, name: str) -> None:
    """What was staged is recognised after it was published: same size, time and hash."""
    staged = session / name
    for path in (staged, session):
        os.utime(path, ns=(10**18, 10**18))
    before = look(staged, 100)
    place = tmp_path / "job" / "out"
    place.parent.mkdir()
    (staged if name != "." else session).replace(place)
    assert before == look(place, 100)


def test_symbolic_links(session: Path, tmp_path: Path) -> None:
    """A link is what it leads to; one that leads nowhere or in a circle is its own text."""
    link = tmp_path / "link"
    link.symlink_to(session / "a.bin")
    assert look(session / "a.bin", 100) == look(link, 100)
    assert None is glance(_linked(tmp_path / "lost", "nowhere"))
    _linked(session / "lost", "nowhere")
    _linked(session / "round", "round")
    _linked(session / "up", "..")
    seen = look(session, 10**6)
    assert seen is not None and seen.count == 7
    (session / "lost").unlink()
    _linked(session / "lost", "elsewhere")
    assert seen.hash != content_hash(session)


def _linked(path: Path, target: str) -> Path:
    path.symlink_to(target)
    return path


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_what_may_not_be_read(session: Path, python: Start) -> None:
    """What is there and may not be read is an error, not something that is missing."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from pointillist.space.fingerprints import look\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(look(Path(path), 100))\n"
        "    except PermissionError as error: print(error.filename)\n"
    )
    for folder in (session, *session.parents):
        if folder.stat().st_uid == 0 and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (session / "a.bin").chmod(0o600)
    (session / "deep").chmod(0o700)
    paths = [session / "a.bin", session, session / "deep" / "b.bin"]
    out, err = python(code, *paths).communicate()
    (session / "deep").chmod(0o755)
    assert "" == err
    assert [str(session / "a.bin"), str(session / "deep"), str(paths[2])] == out.splitlines()


@given(
    st.builds(
        Fingerprint,
        st.integers(0),
        st.integers(0),
        st.none() | st.integers(0),
        st.none() | st.text(),
        st.booleans(),
    )
)
def test_plain_data_and_back(print: Fingerprint) -> None:
    """A fingerprint survives being written down, also beside entries that are not its own."""
    assert print == Fingerprint.from_json({**print.as_json(), "file": "a.bin"})


def test_what_a_glance_tells(tmp_path: Path) -> None:
    """A glance compares size, time and count, and no hashes."""
    one = Fingerprint(1, 2, 3, "a", True)
    assert one.same_glance(Fingerprint(1, 2, 3))
    for other in (Fingerprint(0, 2, 3), Fingerprint(1, 0, 3), Fingerprint(1, 2)):
        assert not one.same_glance(other)
