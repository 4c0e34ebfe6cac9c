from __future__ import annotations

from pathlib import Path

import pytest

from pointillist.errors import FormatError
from pointillist.formats.files import BytesFormat, PathFormat


def test_already_there(tmp_path: Path) -> None:
    """A step that wrote where it should has nothing copied."""
    path = tmp_path / "x.bin"
    path.write_bytes(b"1")
    before = path.stat()
    PathFormat().write(path, path)
    PathFormat().write(tmp_path / "." / "x.bin", path)
    assert before == path.stat()
    assert path == PathFormat().read(path)


def test_links_are_followed(tmp_path: Path) -> None:
    """A link in a folder becomes the file that it points to."""
    (tmp_path / "target").write_bytes(b"1")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "target")
    PathFormat().write(folder, tmp_path / "copy")
    assert (False, b"1") == (
        (tmp_path / "copy/link").is_symlink(),
        (tmp_path / "copy/link").read_bytes(),
    )


def test_dangling_link(tmp_path: Path) -> None:
    """A link to nothing in a folder is named."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(FormatError, match=r"cannot copy .*folder/link.*No such file"):
        PathFormat().write(folder, tmp_path / "copy")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "expected pathlib.Path, got NoneType"),
        ("x.bin", "expected pathlib.Path, got str"),
        (Path("no such"), "returned the path 'no such', but there is no such"),
    ],
)
def test_wrong_values(tmp_path: Path, value: object, said: str) -> None:
    """What is no path, or leads to nothing, is refused."""
    with pytest.raises(FormatError, match=said):
        PathFormat().write(value, tmp_path / "x.bin")


def test_folder_around(tmp_path: Path) -> None:
    """The folder that the output lies in is not copied into itself."""
    with pytest.raises(FormatError, match="which the output lies in"):
        PathFormat().write(tmp_path, tmp_path / "x")
    assert [] == list(tmp_path.iterdir())


def test_missing(tmp_path: Path) -> None:
    """A path to nothing is no value."""
    with pytest.raises(FileNotFoundError, match=r"x\.bin"):
        PathFormat().read(tmp_path / "x.bin")


def test_bytes(tmp_path: Path) -> None:
    """Bytes and their like are written, text is not."""
    BytesFormat().write(memoryview(b"ab"), tmp_path / "x.bin")
    assert b"ab" == BytesFormat().read(tmp_path / "x.bin")
    with pytest.raises(FormatError, match="expected bytes, got str"):
        BytesFormat().write("ab", tmp_path / "y.bin")
