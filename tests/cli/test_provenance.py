"""`provenance`: from the results of a real pipeline back to its raw files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import signac

Verb = Callable[..., tuple[str, str]]
Block = Callable[[Path], str]


def masked(printed: str) -> str:
    """Give a tree without times, hashes, sizes of pictures, users and machines."""
    for pattern, word in {
        r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d": "WHEN",
        r"\d+\.\d+ s,": "SECONDS,",
        r"by \S+@\S+": "by WHO",
        r"source [0-9a-f]{8}": "source HASH",
        r"(environment|sha256) [0-9a-f]{8}": r"\1 HASH",
        r"\.png  \d+ B": ".png  SIZE",
    }.items():
        printed = re.sub(pattern, word, printed)
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def test_tree(recordings: Path, verb: Verb, block: Block) -> None:
    """A picture leads back to the recordings, through what Octave made of them."""
    printed, errors = verb("provenance", "summary", "-j", block(recordings)[:12], cwd=recordings)
    *tree, first, second = masked(printed).splitlines()
    made = "WHEN, SECONDS, by WHO (serial), source HASH, environment HASH"
    assert f"""\
Block session=a parity=even  (job {block(recordings)[:8]})
└── summary  summary.png  SIZE, sha256 HASH, unchanged
    attempt 1 of Block.summary, {made}
      plot_summary(joined=joined, edges=edges, session="a", parity="even")
    ├── joined  joined.bin  200 B, sha256 HASH, unchanged
    │   attempt 1 of Block.joined, {made}
    │     concatenateFiles(out, each raw)
    │     members, in order: Recording session=a recording_index=0; Recording session=a recording_index=2
    │   ├── Recording session=a recording_index=0  raw  recordings/a/rec_0.bin  100 B, sha256 HASH, unchanged
    │   └── Recording session=a recording_index=2  raw  recordings/a/rec_2.bin  100 B, sha256 HASH, unchanged
    └── edges  edges.json  157 B, sha256 HASH, unchanged
        attempt 1 of Block.edges, {made}
          findRisingEdges(joined, stats, out, 0.75)
        ├── joined  joined.bin  200 B, sha256 HASH, unchanged
        │   attempt 1 of Block.joined: as above
        └── stats  stats.json  53 B, sha256 HASH, unchanged
            attempt 1 of Block.stats, {made}
              computeStats(joined, out)
            └── joined  joined.bin  200 B, sha256 HASH, unchanged
                attempt 1 of Block.joined: as above
""" == "".join(f"{line}\n" for line in tree)  # noqa: E501
    assert re.fullmatch(r"environment HASH: Python 3\.1\d\.\d+ .*", first)
    assert {True, False} == {"Octave" in first, "Octave" in second}
    assert "" == errors


def test_all_values(recordings: Path, verb: Verb, block: Block) -> None:
    """Without a field it is of every stored output, each shown in full where it comes first."""
    printed, _ = verb("provenance", "-j", block(recordings), cwd=recordings)
    heads = [line.split()[1] for line in printed.splitlines() if re.match("[├└]── ", line)]
    assert ["joined", "stats", "edges", "summary"] == heads
    assert 2 == sum(" raw  " in line for line in printed.splitlines())


def test_json(recordings: Path, verb: Verb, block: Block) -> None:
    """For programs: the hashes are those of the files, attempts and environments are beside."""
    id = block(recordings)
    printed, _ = verb("provenance", "Block.stats", "-j", id, "--json", cwd=recordings)
    told: dict[str, Any] = json.loads(printed)
    (stats,) = told["values"]
    (joined,) = stats["inputs"]
    for node in (stats, joined, *joined["inputs"]):
        content = (recordings / node["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == node["fingerprint"]["hash"]
    assert {stats["attempt"], joined["attempt"]} == set(told["attempts"])
    (environment,) = told["environments"].values()
    assert "Octave" in environment["matlab"] and "numpy" in environment["packages"]


def test_a_raw_file_that_changed(
    recordings: Path, tmp_path: Path, verb: Verb, block: Block
) -> None:
    """What is no longer what it was is said so, down at the raw file; nothing is written."""
    root = Path(shutil.copytree(recordings, tmp_path / "lab"))
    (root / "recordings/a/rec_0.bin").write_bytes(b"x" * 100)
    (root / "recordings/a/rec_2.bin").unlink()

    def look() -> dict[Path, int]:
        files = (path for path in root.rglob("*") if path.is_file())
        return {path: path.lstat().st_mtime_ns for path in files if path.suffix != ".pyc"}

    before = look()
    printed, _ = verb("provenance", "joined", "-j", block(root), cwd=root)
    assert ["changed", "gone"] == [
        line.split()[-1] for line in printed.splitlines() if " raw  " in line
    ]
    assert before == look()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-j", "xyz"], "there is no job whose id begins with 'xyz'."),
        (["nonsense", "-j", "BLOCK"], "Block has no field 'nonsense'. Its fields: session, parity"),
        (
            ["Block.session", "-j", "BLOCK"],
            "Block.session is a key: it comes from no file. Values that do: joined, stats, edges, ",
        ),
    ],
)
def test_errors(
    recordings: Path, verb: Verb, arguments: list[str], message: str, block: Block
) -> None:
    """A mistake on the command line is one clear line."""
    words = [block(recordings) if word == "BLOCK" else word for word in arguments]
    printed, errors = verb("provenance", *words, cwd=recordings, code=1)
    assert "" == printed
    assert errors.startswith(f"Error: {message}")


def test_a_job_that_is_no_record(recordings: Path, tmp_path: Path, verb: Verb) -> None:
    """A plain job of the workspace has no values that come from steps."""
    root = Path(shutil.copytree(recordings, tmp_path / "lab"))
    job = signac.get_project(str(root)).open_job({"other": 1})
    job.init()
    _, errors = verb("provenance", "-j", job.id, cwd=root, code=1)
    assert (
        f"Error: job {job.id[:8]} is no record of Lab: it has no values that come from steps. "
        f"`history -j {job.id[:8]}` shows what was done to it.\n"
    ) == errors
