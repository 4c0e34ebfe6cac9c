"""The template recordings: its data and its MATLAB functions."""

from __future__ import annotations

import hashlib
import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

TEMPLATE = Path(__file__).resolve().parents[2] / "project_templates" / "recordings"
Signal = npt.NDArray[np.uint8]


def rising_edges(signal: Signal, threshold: float) -> list[int]:
    """Find the edges independently, one sample after the other."""
    if not signal.size:
        return []
    samples = signal.tolist()
    high = min(samples) + threshold * (max(samples) - min(samples))
    return [i for i in range(1, len(samples)) if samples[i - 1] < high <= samples[i]]


def octave(statements: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run statements with the template's functions in one GNU Octave."""
    code = f"addpath('{TEMPLATE / 'matlab'}');\n" + "\n".join(statements)
    program = ["octave-cli", "-qf", "--no-history", "--no-window-system", "--eval", code]
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def signals() -> dict[str, Signal]:
    """Random signals, and those at the edge of what is possible."""
    random = np.random.default_rng(2)
    signals = {f"random{n}": random.integers(0, 256, 300, np.uint8) for n in range(20)}
    signals |= {f"coarse{n}": random.integers(0, 5, 40, np.uint8) for n in range(20)}
    signals |= {
        "empty": np.array([], np.uint8),
        "one_sample": np.array([7], np.uint8),
        "constant": np.full(10, 255, np.uint8),
        "no_edge": np.arange(255, 0, -1, dtype=np.uint8),
        "one_edge": np.array([0, 0, 3, 4, 4], np.uint8),  # 3 is high already: 0.75 * 4
        "starts_high": np.array([9, 9, 0, 9], np.uint8),
        "late_edge": np.concatenate([np.zeros(1_000_000, np.uint8), np.array([1], np.uint8)]),
    }
    return signals


@pytest.fixture(scope="module")
def results(signals: dict[str, Signal], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with what the functions made of all signals, in one Octave."""
    folder = tmp_path_factory.mktemp("matlab")
    statements = []
    for name, signal in signals.items():
        signal.tofile(folder / f"{name}.bin")
        statements += [
            f"computeStats('{name}.bin', '{name}.stats');",
            f"findRisingEdges('{name}.bin', '{name}.stats', '{name}.edges');",
            f"findRisingEdges('{name}.bin', '{name}.stats', '{name}.low', 0.3);",
        ]
    statements += [
        "concatenateFiles('joined', 'random1.bin', 'empty.bin', 'random0.bin', 'one_edge.bin');",
        "concatenateFiles('joined_one', 'random2.bin');",
        "concatenateFiles('joined_none', 'empty.bin', 'empty.bin');",
    ]
    done = octave(statements, folder)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    return folder


def test_concatenate_files(signals: dict[str, Signal], results: Path) -> None:
    """Files are joined byte for byte, in order; empty ones add nothing."""
    expected = b"".join(signals[n].tobytes() for n in ("random1", "random0", "one_edge"))
    assert expected == (results / "joined").read_bytes()
    assert signals["random2"].tobytes() == (results / "joined_one").read_bytes()
    assert b"" == (results / "joined_none").read_bytes()


def test_compute_stats(signals: dict[str, Signal], results: Path) -> None:
    """Count, min, max and mean equal NumPy's, to the last bit."""
    nothing = {"count": 0, "min": None, "max": None, "mean": None}
    for name, signal in signals.items():
        found: dict[str, Any] = json.loads((results / f"{name}.stats").read_text())
        expected: dict[str, Any] = nothing
        if signal.size:
            numbers = {"min": signal.min(), "max": signal.max(), "mean": signal.mean()}
            expected = {"count": signal.size, **numbers}
        assert expected == found, name


@pytest.mark.parametrize(("suffix", "threshold"), [("edges", 0.75), ("low", 0.3)])
def test_find_rising_edges(
    signals: dict[str, Signal], results: Path, suffix: str, threshold: float
) -> None:
    """Edges equal an independent search, as a list of whole numbers even for none or one."""
    for name, signal in signals.items():
        found = json.loads((results / f"{name}.{suffix}").read_text())
        assert rising_edges(signal, threshold) == found, name
        assert all(type(edge) is int for edge in found), name


def test_edge_cases_of_edges(results: Path) -> None:
    """The cases that the functions must get right are among the signals."""
    cases = ["empty", "one_sample", "constant", "no_edge", "one_edge", "starts_high", "late_edge"]
    found = {name: json.loads((results / f"{name}.edges").read_text()) for name in cases}
    none: list[int] = []
    assert {
        "empty": none,
        "one_sample": none,
        "constant": none,
        "no_edge": none,
        "one_edge": [2],
        "starts_high": [3],
        "late_edge": [1_000_000],
    } == found


def test_functions_say_what_is_wrong(tmp_path: Path) -> None:
    """A file that cannot be read, and a disk that is full, are errors that name the file."""
    (tmp_path / "x.bin").write_bytes(b"abc")
    calls = [
        "computeStats('missing.bin', 'out')",
        "concatenateFiles('no_folder/out', 'x.bin')",
        "concatenateFiles('/dev/full', 'x.bin')",
    ]
    statements = [f"try {call}; catch e, disp(e.message); end" for call in calls]
    done = octave(statements, tmp_path)
    assert "" == done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cannot read missing.bin: ")
    assert lines[1].startswith("cannot write no_folder/out: ")
    assert "only 0 of 3 bytes could be written to /dev/full" == lines[2]


def test_fake_recordings(tmp_path: Path) -> None:
    """Five sessions of four files with 100 bytes each, all different, the same every time."""
    make = runpy.run_path(str(TEMPLATE / "fake_recordings.py"))["make"]
    make(tmp_path / "one")
    make(tmp_path / "two")
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.bin"))
    assert [Path(s, f"rec_{n}.bin") for s in "abcde" for n in range(4)] == files
    contents = [(tmp_path / "one" / file).read_bytes() for file in files]
    assert {100} == {len(content) for content in contents}
    assert 20 == len(set(contents))
    assert contents == [(tmp_path / "two" / file).read_bytes() for file in files]
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    assert "441a26f19c66a496c9fde883d440fc85355fa3de038aedc068d54fa3b143d35e" == digest
