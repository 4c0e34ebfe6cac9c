"""The file system under a data space: which it is, its room, and a trial that leaves nothing."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pointillist.space.filesystem import Mount, Trial, mount_of, room_of, try_out

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root mounts and changes its user")

MOUNTS = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 0:30 / /data rw - xfs /dev/vdb rw
31 30 0:31 / /data/two\040words rw - nfs4 server:/export rw
32 27 0:32 / /over rw - ext4 /dev/vdc rw
33 27 0:33 / /over rw master:2 propagate_from:1 - lustre mgs:/work rw
34 27 0:34 / /ssh rw - fuse.sshfs host: rw
35 27 0:35 / /ntfs rw - fuseblk /dev/vdd rw
a line of another kind
"""


@contextmanager
def disk(place: Path, options: str = "size=4m") -> Iterator[None]:
    """Mount a small disk of its own."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize(
    ("folder", "point", "kind", "network"),
    [
        ("/home/lab", "/", "ext4", False),
        ("/", "/", "ext4", False),
        ("/data/lab", "/data", "xfs", False),
        ("/data2/lab", "/", "ext4", False),
        ("/data/two words/lab", "/data/two words", "nfs4", True),
        ("/over/lab", "/over", "lustre", True),
        ("/ssh", "/ssh", "fuse.sshfs", True),
        ("/ntfs/lab", "/ntfs", "fuseblk", False),
    ],
)
def test_mount_of(folder: str, point: str, kind: str, network: bool) -> None:
    """The deepest mount point above a folder counts, the last of several; some are networks'."""
    mount = mount_of(Path(folder), MOUNTS)
    assert Mount(Path(point), kind) == mount
    assert network == mount.network


def test_system_that_does_not_tell() -> None:
    """Where no mount is listed, none is found."""
    assert None is mount_of(Path("/home"), "")


@needs_root
def test_real_mount(tmp_path: Path) -> None:
    """A real disk is found by its point, also through a link and with a blank in its name."""
    with disk(tmp_path / "a disk"):
        (tmp_path / "a disk/lab").mkdir()
        (tmp_path / "link").symlink_to("a disk/lab")
        assert Mount(tmp_path / "a disk", "tmpfs") == mount_of(tmp_path / "link")
    assert Mount(tmp_path / "a disk", "tmpfs") != mount_of(tmp_path)


@needs_root
def test_room(tmp_path: Path) -> None:
    """Bytes and inodes are those of the disk; what is used is not free."""
    with disk(tmp_path / "disk", "size=4m,nr_inodes=100"):
        (tmp_path / "disk/file").write_bytes(bytes(1 << 20))
        room = room_of(tmp_path / "disk")
        assert (3 << 20, 4 << 20) == (room.free, room.size)
        assert (98, 100) == (room.free_inodes, room.inodes)


def test_trial(tmp_path: Path) -> None:
    """On one disk there are hard links, its clock is this machine's, and nothing is left."""
    (tmp_path / "workspace").mkdir()
    trial = try_out(tmp_path, tmp_path / "workspace")
    assert trial.links
    assert abs(trial.ahead) < 1
    assert ["workspace"] == [path.name for path in tmp_path.rglob("*")]


@needs_root
def test_trial_over_two_disks(tmp_path: Path) -> None:
    """To a workspace on another disk there are no hard links; nothing is left on either."""
    with disk(tmp_path / "workspace"):
        trial = try_out(tmp_path, tmp_path / "workspace")
        assert Trial(False, trial.ahead) == trial
        assert ["workspace"] == [path.name for path in tmp_path.rglob("*")]


@needs_root
def test_trial_on_a_read_only_disk(tmp_path: Path) -> None:
    """A disk that cannot be written is named, whichever of the two it is; nothing is left."""
    workspace = tmp_path / "workspace"
    with disk(workspace, "size=4m,ro"):
        for folder, inner in ((tmp_path, workspace), (workspace, workspace)):
            with pytest.raises(OSError) as caught:
                try_out(folder, inner)
            assert (errno.EROFS, str(workspace)) == (caught.value.errno, caught.value.filename)
        assert ["workspace"] == [path.name for path in tmp_path.rglob("*")]


@needs_root
def test_trial_on_a_full_disk(tmp_path: Path) -> None:
    """A disk without room is no place to write, although an empty file could be made there."""
    with disk(tmp_path / "disk", "size=1m"):
        (tmp_path / "disk/file").write_bytes(bytes(1 << 20))
        (tmp_path / "disk/empty").touch()
        with pytest.raises(OSError) as caught:
            try_out(tmp_path / "disk", tmp_path / "disk")
        assert errno.ENOSPC == caught.value.errno
        assert {"file", "empty"} == {path.name for path in (tmp_path / "disk").iterdir()}


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from pointillist.space.filesystem import try_out

event, number = sys.argv[2], getattr(signal, sys.argv[3])
signal.signal(number, lambda *_: sys.exit("interrupted"))

def hook(name, arguments):
    if name == event and str(arguments[0]).endswith((".trial", ".trial.link")):
        print(name, flush=True)
        os.kill(os.getpid(), number)

sys.addaudithook(hook)
try_out(Path(sys.argv[1]), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("event", ["open", "os.link", "os.remove"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interrupted_trial(
    tmp_path: Path, python: Callable[..., subprocess.Popen[str]], event: str, number: str
) -> None:
    """A signal at the instant of any step ends the process, and nothing is left."""
    process = python(INTERRUPTED, tmp_path, event, number)
    out, errors = process.communicate()
    assert event in out
    assert (1, "interrupted\n") == (process.returncode, errors)
    assert [] == list(tmp_path.iterdir())
