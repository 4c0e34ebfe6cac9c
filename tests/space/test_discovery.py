"""Finding records: patterns over real folders, and what only almost matches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import SpaceError
from pointillist.model.fields import key, seed
from pointillist.model.patterns import SeedPattern
from pointillist.model.records import Record
from pointillist.space.discovery import matches, search

KINDS: dict[str, type] = {"s": str, "i": int, "x": float, "day": date, "p": Path}


def put(root: Path, names: Iterable[str]) -> None:
    """Make empty files, and folders where a name ends in a slash."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.touch()


def hits(root: Path, pattern: str) -> dict[str, list[Any]]:
    """Return what a pattern finds: paths and the values of its keys."""
    parsed = SeedPattern(pattern, KINDS)
    return {path: list(values.values()) for path, values in matches(root, parsed)}


@pytest.mark.parametrize(
    ("pattern", "there", "expected"),
    [
        (
            "recordings/{s}/rec_{i}.bin",
            [
                *("recordings/a/rec_0.bin", "recordings/a/rec_10.bin", "recordings/b/rec_-2.bin"),
                *("recordings/a/rec_01.bin", "recordings/a/rec_x.bin", "recordings/a/rec_1.bin~"),
                *("recordings/a/rec_1.bin.bak", "recordings/a/xrec_1.bin", "recordings/rec_1.bin"),
                *("recordings/a/b/rec_1.bin", "Recordings/a/rec_5.bin", "recordings/c/REC_1.bin"),
            ],
            {
                "recordings/a/rec_0.bin": ["a", 0],
                "recordings/a/rec_10.bin": ["a", 10],
                "recordings/b/rec_-2.bin": ["b", -2],
            },
        ),
        (
            "{s}_{i:03d}.bin",
            ["a_007.bin", "a_b_1000.bin", "a_7.bin", "a_0007.bin", "_001.bin"],
            {"a_007.bin": ["a", 7], "a_b_1000.bin": ["a_b", 1000]},
        ),
        (
            "{s}/{s}_{i}.bin",
            ["a/a_1.bin", "a/b_1.bin", "ab/ab_2.bin", "ab/a_1.bin"],
            {"a/a_1.bin": ["a", 1], "ab/ab_2.bin": ["ab", 2]},
        ),
        (
            "{s}/{i}/",
            ["a/1/raw.dat", "a/2/", "a/3", "a/x/"],
            {"a/1": ["a", 1], "a/2": ["a", 2]},
        ),
        (
            "{day}/{day:%Y%m%d}_{x}.csv",
            ["2026-11-20/20261120_0.5.csv", "2026-11-20/20261121_0.5.csv", "2026-13-01/a.csv"],
            {"2026-11-20/20261120_0.5.csv": [date(2026, 11, 20), 0.5]},
        ),
        (
            "data/{p}.bin",
            ["data/m1/d2.bin", "data/x.bin", "data/.h/x.bin", "data/m1/.x.bin", "other/x.bin"],
            {"data/m1/d2.bin": [Path("m1/d2")], "data/x.bin": [Path("x")]},
        ),
        (
            "data/{p}/run_{i}/",
            ["data/m1/d2/run_1/", "data/run_2/", "data/m1/run_3", "data/m1/run_4/f"],
            {
                "data/m1/d2/run_1": [Path("m1/d2"), 1],
                "data/m1/run_4": [Path("m1"), 4],
            },
        ),
        (
            "{s}.tar.gz",
            ["a.tar.gz", "a.b.tar.gz", "a.tar_gz"],
            {"a.tar.gz": ["a"], "a.b.tar.gz": ["a.b"]},
        ),
        ("{{{s}}}/x", ["{a}/x", "a/x"], {"{a}/x": ["a"]}),
        ("d{{}}/{p}.x", ["d{}/a/b.x", "d/a.x"], {"d{}/a/b.x": [Path("a/b")]}),
    ],
)
def test_patterns(
    tmp_path: Path, pattern: str, there: list[str], expected: dict[str, list[Any]]
) -> None:
    """A pattern finds what it would write, and nothing that is only similar."""
    put(tmp_path, there)
    assert expected == hits(tmp_path, pattern)


@pytest.mark.parametrize(
    "name",
    ["a b", "'; rm -rf ~", "a\nb", '"', "ü字", "-n", "%s", "{s}", "*", "a\\b", "$HOME", "e\u0301"],
)
def test_odd_names(tmp_path: Path, name: str) -> None:
    """Any legal name is data, in every place of a pattern."""
    put(tmp_path, [f"{name}/rec_1.bin", f"data/{name}/deep.bin"])
    assert {f"{name}/rec_1.bin": [name, 1]} == hits(tmp_path, "{s}/rec_{i}.bin")
    assert {f"data/{name}/deep.bin": [Path(name, "deep")]} == hits(tmp_path, "data/{p}.bin")


def test_a_name_in_another_encoding(tmp_path: Path) -> None:
    """A name whose bytes are no UTF-8 is found, and leads back to its file."""
    (tmp_path / os.fsdecode(b"caf\xe9_1.bin")).touch()
    ((path, values),) = matches(tmp_path, SeedPattern("{s}_{i}.bin", KINDS))
    assert (tmp_path / path).exists()
    assert path == SeedPattern("{s}_{i}.bin", KINDS).format(values)


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)


@given(PLAIN.filter(lambda s: not s.startswith(".") and ".." not in s), st.integers(-99, 9999))
def test_what_is_written_is_found(
    tmp_path_factory: pytest.TempPathFactory, session: str, index: int
) -> None:
    """A file at the place that a pattern gives for some keys is found with these keys."""
    root = tmp_path_factory.mktemp("root")
    pattern = SeedPattern("{s}/rec_{i:03d}", KINDS)
    put(root, [pattern.format({"s": session, "i": index})])
    assert [{"s": session, "i": index}] == [values for _, values in matches(root, pattern)]


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    """As in a shell, a leading dot is matched by a dot in the pattern only."""
    put(tmp_path, [".DS_Store", "._rec.bin", "rec.bin", ".hidden/rec.bin", ".lab/x.bin"])
    assert {"rec.bin": ["rec"]} == hits(tmp_path, "{s}.bin")
    assert {} == hits(tmp_path, "{s}/rec.bin")
    assert {".lab/x.bin": ["x"]} == hits(tmp_path, ".lab/{s}.bin")


def test_the_workspace_of_a_signac_project_is_not_searched(tmp_path: Path) -> None:
    """What steps have made is no seed; another folder of that name is like any other."""
    put(tmp_path, [".signac/config", "workspace/1/a.bin", "aggregates/B/.signac/config"])
    put(tmp_path, ["aggregates/B/workspace/2/a.bin", "data/workspace/a.bin"])
    assert {"data/workspace/a.bin": ["a"]} == hits(tmp_path, "{p}/{s}.bin") | hits(
        tmp_path, "data/workspace/{s}.bin"
    )
    assert {} == hits(tmp_path, "workspace/{i}/{s}.bin")


def test_symbolic_links(tmp_path: Path) -> None:
    """Linked data is data; links that lead nowhere or in a circle hold nobody up."""
    root, nas = tmp_path / "root", tmp_path / "nas"
    put(nas, ["a/rec_1.bin"])
    root.mkdir()
    (root / "data").symlink_to(nas)
    (nas / "loop").symlink_to(nas)
    (nas / "self").symlink_to("self")
    (nas / "lost").symlink_to("nowhere")
    assert {"data/a/rec_1.bin": ["a", 1]} == hits(root, "data/{s}/rec_{i}.bin")
    assert {"data/a/rec_1.bin": [Path("data/a"), 1]} == hits(root, "{p}/rec_{i}.bin")
    assert {"data/a/rec_1.bin": [Path("a"), 1]} == hits(root, "data/{p}/rec_{i}.bin")


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is found where there is nothing, nor below a file."""
    put(tmp_path, ["data"])
    assert {} == hits(tmp_path / "no", "{s}.bin")
    assert {} == hits(tmp_path, "data/{s}.bin") | hits(tmp_path, "no/{p}.bin")


@pytest.mark.parametrize("pattern", ["data/{s}.bin", "data/{p}.bin"])
def test_a_folder_that_may_not_be_read(
    tmp_path: Path, pattern: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be looked into is an error: its records are not gone."""
    scandir = os.scandir

    def refuse(path: Path) -> Any:
        if Path(path) == tmp_path / "data":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    put(tmp_path, ["data/a.bin"])
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SpaceError) as error:
        hits(tmp_path, pattern)
    assert (
        f"{tmp_path / 'data'} cannot be searched for seeds: Permission denied. Make the folder "
        "readable, or name a root that is."
    ) == str(error.value)


def test_a_folder_that_vanishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is removed while it is searched is empty."""
    put(tmp_path, ["a/x.bin", "b/x.bin"])
    scandir = os.scandir

    def late(path: Path) -> Any:
        if Path(path).name == "a":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", late)
    assert {"b/x.bin": ["b"]} == hits(tmp_path, "{s}/x.bin")


def test_only_seeds_that_name_every_key_find_records(tmp_path: Path) -> None:
    """Records come from the seeds that tell one from all others; each is found once."""

    class Recording(Record):
        session: str = key()
        index: int = key()
        raw: Path = seed("raw/{session}/{index}.bin")
        video: Path = seed("video/{index}_{session}.avi", root="nas")
        notes: Path = seed("notes/{session}.txt")
        extra: Path = seed("extra/{session}/{index}.txt", optional=True)

    put(tmp_path, ["raw/a/1.bin", "raw/a/2.bin", "notes/b.txt", "extra/b/1.txt"])
    put(tmp_path / "nas", ["video/1_a.avi", "video/3_c.avi"])
    found = search(Recording, {"raw": tmp_path, "video": tmp_path / "nas"})
    assert {("a", 1), ("a", 2), ("c", 3)} == found


def test_a_class_that_cannot_be_discovered(tmp_path: Path) -> None:
    """Without a seed that names every key there is nothing to look for."""

    class Simulation(Record):
        size: int = key()
        shape: Path = seed("shape.txt")

    assert None is search(Simulation, {})
