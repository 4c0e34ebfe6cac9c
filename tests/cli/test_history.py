"""`history`: what was done to a record, for people and for programs."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import signac

from pointillist.space.attempts import Exclusion
from pointillist.space.history import read_history
from pointillist.space.journals import Journal
from pointillist.space.layout import Layout

Verb = Callable[..., tuple[str, str]]
Block = Callable[[Path], str]
COLUMNS = ["when", "step", "attempt", "outcome", "took", "by", "executor"]
STEPS = ["joined", "stats", "edges", "summary"]


def lines(printed: str) -> list[list[str]]:
    """Give the cells of each line of a table, which has no time of the day that can be foretold."""
    now = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    taken = re.sub(r"\d+\.\d+ s", "SECONDS", re.sub(now, "WHEN", printed))
    return [re.split(r"\s{2,}", line.strip()) for line in taken.splitlines()]


@pytest.fixture
def lab(recordings: Path, tmp_path: Path) -> Path:
    """Give a copy of the project."""
    return Path(shutil.copytree(recordings, tmp_path / "lab"))


@pytest.fixture
def who(recordings: Path) -> str:
    """Give who ran the project, and where."""
    history = read_history(Layout(recordings))
    runner = history.who(history.attempts[0])
    return f"{runner.user}@{runner.host}"


def test_all_steps(recordings: Path, verb: Verb, who: str, block: Block) -> None:
    """Each attempt on a block has a line, in the order in which they were made."""
    printed, errors = verb("history", "-j", block(recordings)[:12], cwd=recordings)
    head, columns, *rows = lines(printed)
    assert ["Block session=a parity=even", f"(job {block(recordings)[:8]})"] == head
    assert COLUMNS == columns
    assert [["WHEN", s, "1", "complete", "SECONDS", who, "serial"] for s in STEPS] == rows
    assert "" == errors


def test_one_step_that_failed(lab: Path, verb: Verb, who: str, block: Block) -> None:
    """A step alone: the failed attempt tells the error, its exit code and its log."""
    source = lab / "matlab/computeStats.m"
    broken = source.read_text().replace("signal = double", 'error("no [such] luck"); double')
    source.write_text(broken)
    id = block(lab)
    (lab / f"aggregates/Block/workspace/{id}/stats.json").unlink()
    verb("run", "-o", "stats", cwd=lab, code=1)
    printed, _ = verb("history", "stats", "-j", id, cwd=lab)
    *_, first, second, hint = lines(printed)
    assert ["WHEN", "stats", "1", "complete", "SECONDS", who, "serial"] == first
    assert [
        *("WHEN", "stats", "2", "failed", "SECONDS", who, "serial"),
        f"computeStats failed (exit 1): no [such] luck in computeStats, line 5 ({source})",
        "stats.2.log",
    ] == second
    assert hint[0].startswith(f"`logs STEP -j {id[:8]}` prints the last log")
    told = json.loads(verb("history", "stats", "-j", id, "--json", cwd=lab)[0])
    assert (1, 2) == (told["attempts"][1]["code"], told["attempts"][1]["number"])


def test_what_is_no_attempt(lab: Path, verb: Verb, block: Block) -> None:
    """What was accepted, reset and excluded is told with its reason, between the attempts."""
    id, layout = block(lab), Layout(lab)
    (made,) = [a for a in read_history(layout).of(id) if a.operation == "Block.stats"]
    journal = Journal(layout, "hand")
    now = time.time()
    told: dict[str, Any] = {"number": 1, "note": "only a typo"}
    journal.append(replace(made, outcome="accepted", start=now, end=now, **told))
    journal.exclude(Exclusion(id, True, "the probe was loose", now + 1))
    journal.exclude(Exclusion(id, False, "it was not", now + 2))
    journal.append(replace(made, outcome="reset", note="again", start=now + 3, end=now + 3))
    printed, _ = verb("history", "stats", "-j", id, cwd=lab)
    found = [(row[1], row[2], row[-1]) for row in lines(printed)[3:]]
    assert [
        ("stats", "accepted", "only a typo"),
        ("excluded", lines(printed)[4][2], "the probe was loose"),
        ("included", lines(printed)[5][2], "it was not"),
        ("stats", "reset", "again"),
    ] == found


def test_json(recordings: Path, verb: Verb, block: Block) -> None:
    """For programs there is everything: inputs and outputs with hashes, arguments, runner."""
    id = block(recordings)
    told = json.loads(verb("history", "-j", id, "--json", cwd=recordings)[0])
    assert (id, "Block session=a parity=even") == (told["job"], told["record"])
    joined = told["attempts"][0]
    assert ("Block.joined", "complete", "serial") == (
        *(joined["operation"], joined["outcome"], joined["executor"]),
    )
    assert [100, 100] == [seen["size"] for seen in joined["inputs"].values()]
    assert all(64 == len(seen["hash"]) for seen in joined["inputs"].values())
    assert ("joined.bin", 200) == (
        *(joined["outputs"]["joined"]["file"], joined["outputs"]["joined"]["size"]),
    )
    assert "concatenateFiles" == joined["arguments"]["call"]
    assert 2 == len(joined["members"])
    environment = recordings / f".pointillist/environments/{joined['environment']}.json"
    assert "Octave" in json.loads(environment.read_text())["matlab"]
    assert {"pid", "host", "user", "executor"} <= set(told["runners"][joined["runner"]])
    assert [] == told["exclusions"]


def test_never_carried_out(lab: Path, verb: Verb, block: Block) -> None:
    """Of a step without an attempt it is said in which state it is."""
    shutil.rmtree(lab / ".pointillist/runs")
    (lab / f"aggregates/Block/workspace/{block(lab)}/joined.bin").unlink()
    printed, _ = verb("history", "-j", block(lab), cwd=lab)
    assert [
        "joined was never carried out: it is ready: output joined.bin is missing",
        "stats was never carried out: it is complete (found)",
    ] == printed.splitlines()[1:3]
    printed, _ = verb("history", "joined", "-j", block(lab), cwd=lab)
    assert 2 == len(printed.splitlines())


def test_a_record_without_steps(recordings: Path, verb: Verb) -> None:
    """A record to which nothing is ever done has no history."""
    (id, *_) = [path.name for path in sorted((recordings / "workspace").iterdir())]
    printed, _ = verb("history", "-j", id, cwd=recordings)
    assert 1 == len(printed.splitlines())
    assert printed.startswith("Recording session=a recording_index=")


def test_a_job_that_is_gone(lab: Path, verb: Verb, block: Block) -> None:
    """The journals still tell of a job whose folder was removed."""
    id = block(lab)
    shutil.rmtree(lab / f"aggregates/Block/workspace/{id}")
    printed, _ = verb("history", "-j", id[:10], cwd=lab)
    head, _, *rows = lines(printed)
    assert [f"job {id[:8]} (no longer there)"] == head
    assert STEPS == [row[1] for row in rows]


def test_a_job_that_is_no_record(lab: Path, verb: Verb) -> None:
    """A plain job of the workspace has its history too: here none."""
    job = signac.get_project(str(lab)).open_job({"other": 1})
    job.init()
    assert f"job {job.id[:8]}\n" == verb("history", "-j", job.id, cwd=lab)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-j", "xyz"], "there is no job whose id begins with 'xyz'. `status -d` lists them."),
        (["-j", ""], "6 job ids begin with '': "),
        (["nonsense", "-j", "BLOCK"], "no operation is called nonsense. There are: Block.joined,"),
        (
            ["stats", "-j", "RECORDING"],
            "stats is no step of Recording session=a recording_index=0. Its steps: none.",
        ),
    ],
)
def test_errors(
    recordings: Path, verb: Verb, arguments: list[str], message: str, block: Block
) -> None:
    """A mistake on the command line is one clear line."""
    (raw,) = [
        file.parent.name
        for file in recordings.glob("workspace/*/signac_statepoint.json")
        if 0 == json.loads(file.read_text())["recording_index"]
    ]
    ids = {"BLOCK": block(recordings), "RECORDING": raw}
    words = [ids.get(word, word) for word in arguments]
    printed, errors = verb("history", *words, cwd=recordings, code=1)
    assert "" == printed
    assert errors.startswith(f"Error: {message}")


def test_help(recordings: Path, verb: Verb) -> None:
    """The new verbs are listed, and each shows examples."""
    printed, _ = verb("--help", cwd=recordings)
    for name in ("logs", "history", "provenance"):
        assert re.search(rf"^  {name} +\w", printed, re.MULTILINE)
        assert f"python project.py {name} " in verb(name, "--help", cwd=recordings)[0]
