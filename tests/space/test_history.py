"""All that journals tell, each attempt once, with who carried it out."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pointillist as pt
from pointillist.errors import SpaceError
from pointillist.space.attempts import Attempt, Exclusion
from pointillist.space.history import attempt_id, read_environment, read_history
from pointillist.space.identity import user
from pointillist.space.journals import Journal
from pointillist.space.layout import Layout

Make = Callable[..., Any]
ONE, OTHER = "1" * 32, "2" * 32


class Recording(pt.Record):
    """A record whose file may be renamed."""

    index: int = pt.key()

    raw: Path = pt.seed("rec_{index}.bin")


@pytest.fixture
def journal(layout: Layout) -> Journal:
    """Give a journal."""
    return Journal(layout, "serial")


def outcomes(found: list[Attempt]) -> list[tuple[str, str, int]]:
    """Give job, outcome and number of attempts."""
    return [(attempt.job[:1], attempt.outcome, attempt.number) for attempt in found]


def test_attempts_of_all_journals(layout: Layout, attempt: Make) -> None:
    """What several runners have written is there, by its end, and for each job alone."""
    first, second = Journal(layout, "serial"), Journal(layout, "ray")
    first.append(attempt(job=ONE, number=2, end=5.0, outcome="failed"))
    second.append(attempt(job=ONE, number=3, end=7.0))
    first.append(attempt(job=OTHER, number=1, end=6.0))
    second.append(attempt(job=ONE, number=1, end=3.0, outcome="interrupted"))
    history = read_history(layout)
    assert [
        ("1", "interrupted", 1),
        ("1", "failed", 2),
        ("2", "complete", 1),
        ("1", "complete", 3),
    ] == outcomes(history.attempts)
    assert [1, 2, 3] == [found.number for found in history.of(ONE)]
    assert [] == history.of("3" * 32)
    assert ["serial", "ray"] == [history.who(found).executor for found in history.of(ONE)[1:]]


def test_who(layout: Layout, journal: Journal, attempt: Make) -> None:
    """Of each attempt it is told who its runner was, as the journal's first line says."""
    journal.append(attempt())
    history = read_history(layout)
    told = history.described(history.attempts[0])
    assert (journal.runner, user(), socket.gethostname(), "serial") == (
        *(told["runner"], told["user"], told["host"], told["executor"]),
    )
    assert os.getpid() == history.who(history.attempts[0]).told["pid"]
    assert "Block.stats" == told["operation"]


def test_a_copied_journal_counts_once(layout: Layout, journal: Journal, attempt: Make) -> None:
    """A journal and its copy, an older one too, are one runner's; nothing is told twice."""
    journal.append(attempt(number=1))
    shutil.copy(journal.path, journal.path.with_name("0 older copy.jsonl"))
    journal.append(attempt(number=2, end=3.0))
    journal.exclude(Exclusion(ONE, True, "noisy", 4.0))
    shutil.copy(journal.path, journal.path.with_name("copy.jsonl"))
    history = read_history(layout)
    assert [1, 2] == [found.number for found in history.attempts]
    assert {journal.runner} == {history.who(found).name for found in history.attempts}
    assert [journal.runner] == list(history.runners)
    assert ["noisy"] == [found.reason for found in history.exclusions]


def test_torn_lines_are_left_out(layout: Layout, journal: Journal, attempt: Make) -> None:
    """What a dying writer left, or nobody can read, hides nothing else."""
    journal.append(attempt(number=1))
    with journal.path.open("ab") as file:
        file.write(b'{"kind":"attempt","operation":"Block.st\nno JSON\n[]\n{"kind":"attempt"}\n')
    journal.append(attempt(number=2, end=3.0))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-1])
    assert [1] == [found.number for found in read_history(layout).attempts]
    journal.path.write_bytes(whole)
    assert [1, 2] == [found.number for found in read_history(layout).attempts]


def test_a_journal_without_its_first_line(layout: Layout, journal: Journal, attempt: Make) -> None:
    """Its attempts count; of the runner only the journal's name is known."""
    journal.append(attempt())
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(b"".join(lines[1:]))
    history = read_history(layout)
    who = history.who(history.attempts[0])
    assert (journal.path.stem, "", "", "") == (who.name, who.user, who.host, who.executor)


def test_of_some_jobs(layout: Layout, journal: Journal, attempt: Make) -> None:
    """What concerns other jobs is left out, also where it names this one as an input."""
    journal.append(attempt(job=ONE, number=1))
    journal.append(attempt(job=OTHER, number=2, inputs={f"{ONE}/raw": None}))
    journal.exclude(Exclusion(ONE, True, "noisy", 2.0))
    journal.exclude(Exclusion(OTHER, True, f"as {ONE}", 3.0))
    history = read_history(layout, "11")
    assert [("1", "complete", 1)] == outcomes(history.attempts)
    assert ["noisy"] == [found.reason for found in history.exclusions]
    assert [ONE] == history.jobs()
    assert [ONE, OTHER] == read_history(layout).jobs()


def test_one_attempt_with_two_ends(layout: Layout, journal: Journal, attempt: Make) -> None:
    """What was recorded as complete and could not be published is told both ways."""
    journal.append(attempt(outcome="complete", end=2.0))
    journal.append(attempt(outcome="failed", end=3.0))
    found = read_history(layout).attempts
    assert ["complete", "failed"] == [each.outcome for each in found]
    assert 2 == len({attempt_id(each) for each in found})


def test_rekeyed_there_and_back(lab: Make, attempt: Make) -> None:
    """A rekeyed record has its attempt once under each id, by the runner that carried it out."""
    here = lab(Recording)
    record = here.add(Recording, index=1)
    worker = Journal(here.space.layout, "worker")
    worker.append(attempt(job=record.id, start=7.0))
    moved = here.rekey(record, index=2)
    back = here.rekey(moved, index=1)
    assert record.id == back.id
    history = read_history(here.space.layout)
    assert [1, 1] == [len(history.of(id)) for id in (record.id, moved.id)]
    for id in (record.id, moved.id):
        (found,) = history.of(id)
        assert ("worker", worker.runner) == (history.who(found).executor, history.who(found).name)


def test_no_journals(layout: Layout) -> None:
    """Where nothing was run there is no history, and nothing is made."""
    history = read_history(layout)
    assert ([], [], {}) == (history.attempts, history.exclusions, history.runners)
    assert not layout.own.exists()


def test_a_journal_that_cannot_be_read(layout: Layout) -> None:
    """It is an error, as the history would not be whole."""
    layout.journal("broken").mkdir(parents=True)
    with pytest.raises(SpaceError, match=r"broken\.jsonl cannot be read: Is a directory"):
        read_history(layout)


def test_environments(layout: Layout) -> None:
    """An environment is read by its hash; one that is gone or broken is none."""
    layout.environments.mkdir(parents=True)
    layout.environment("good").write_text(json.dumps({"python": "3.11"}))
    layout.environment("broken").write_text("{")
    layout.environment("list").write_text("[]")
    found = {name: read_environment(layout, name) for name in ("good", "broken", "list", "gone")}
    assert {"good": {"python": "3.11"}, "broken": None, "list": None, "gone": None} == found
