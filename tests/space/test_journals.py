"""Journals: what is appended is read back, whatever happens to the writer."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import SpaceError
from pointillist.space import journals
from pointillist.space.attempts import Attempt, StoredOutput
from pointillist.space.fingerprints import Fingerprint
from pointillist.space.identity import Identity
from pointillist.space.journals import Journal, read_journal
from pointillist.space.jsontext import json_line
from pointillist.space.layout import Layout
from pointillist.space.memory import Attempts

Start = Callable[..., "subprocess.Popen[str]"]
Make = Callable[..., Attempt]

TEXT = st.text(max_size=8)
NUMBERS = st.integers(0, 2**63)
PRINTS = st.builds(
    Fingerprint, NUMBERS, NUMBERS, st.none() | NUMBERS, st.none() | TEXT, st.booleans()
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ATTEMPTS = st.builds(
    Attempt,
    operation=TEXT,
    job=TEXT,
    outcome=st.sampled_from(["complete", "found", "failed", "changed", "interrupted"]),
    number=NUMBERS,
    start=st.floats(allow_nan=False),
    end=st.floats(allow_nan=False),
    inputs=st.dictionaries(TEXT, st.none() | PRINTS, max_size=3),
    arguments=PLAIN,
    members=st.none() | st.lists(TEXT, max_size=3),
    version=st.none() | TEXT,
    source=st.none() | TEXT,
    outputs=st.dictionaries(TEXT, st.builds(StoredOutput, TEXT, PRINTS, TEXT), max_size=3),
    environment=TEXT,
    log=st.none() | TEXT,
    error=st.none() | TEXT,
    runner=st.just("r"),
)


@given(ATTEMPTS)
def test_an_attempt_survives_its_line(attempt: Attempt) -> None:
    """What is written into a journal is what comes out of it."""
    line = json.dumps(attempt.as_json())
    assert attempt == Attempt.from_json(json.loads(line), "r")


@given(ATTEMPTS)
def test_what_a_later_version_adds_is_passed_over(attempt: Attempt) -> None:
    """An entry that this version does not know does not stop it from reading the rest."""
    data = {**json.loads(json.dumps(attempt.as_json())), "weather": "fine"}
    assert attempt == Attempt.from_json(data, "r")


def test_appended_and_read(layout: Layout, attempt: Make) -> None:
    """A journal begins with the runner; then come the attempts, in order."""
    journal = Journal(layout, "serial")
    journal.append(attempt(number=1))
    journal.append(attempt(number=2, error="naïve\nline\udcff"))
    opening, *lines = read_journal(journal.path)
    assert Identity.own() == Identity.from_json(opening)
    assert ("runner", 1, journal.runner, "serial") == tuple(
        opening[name] for name in ("kind", "format", "runner", "executor")
    )
    assert [1, 2] == [line["number"] for line in lines]
    assert 3 == journal.path.read_bytes().count(b"\n")
    assert [journal.path] == list(layout.runs.iterdir())


def test_nothing_is_made_before_it_is_needed(layout: Layout) -> None:
    """A journal that nobody appends to is not there, and has no heartbeat."""
    journal = Journal(layout, "serial")
    journal.beat()
    journal.close()
    assert not layout.own.exists()


def test_a_torn_line_hides_nothing_else(layout: Layout, attempt: Make) -> None:
    """The line in which a writer died is left out; other journals are read, and so are repeats."""
    torn, later = Journal(layout, "serial"), Journal(layout, "serial")
    torn.append(attempt(job="a"))
    with torn.path.open("ab") as file:
        file.write(b'{"kind":"attempt","operation":"Block.stats","job":"b"')
    later.append(attempt(job="c"))
    attempts = Attempts().refresh(layout).refresh(layout)
    assert {"a", "c"} == {job for _, job in attempts.last}
    assert ["runner", "attempt"] == [line["kind"] for line in read_journal(torn.path)]


@pytest.mark.parametrize("rubbish", [b"\0" * 100, b"[1]", b"not json", b"\xff\xfe", b'{"kind":'])
def test_rubbish_in_a_journal_is_passed_over(layout: Layout, attempt: Make, rubbish: bytes) -> None:
    """A whole line that says nothing, as after a power loss, does not hide what follows."""
    journal = Journal(layout, "serial")
    journal.append(attempt(job="a"))
    with journal.path.open("ab") as file:
        file.write(rubbish + b"\n")
    journal.append(attempt(job="b"))
    assert {"a", "b"} == {job for _, job in Attempts().refresh(layout).last}


def test_lines_are_read_once_and_when_asked_for(
    layout: Layout, attempt: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line is read when its job is asked for, as soon as it is whole, and not again."""
    journal = Journal(layout, "serial")
    journal.append(attempt(job="a"))
    journal.append(attempt(job="b"))
    attempts = Attempts().refresh(layout).refresh(layout)
    parsed: list[Any] = []
    loads = journals.loads
    monkeypatch.setattr(journals, "loads", lambda line: parsed.append(line) or loads(line))
    assert 1 == attempts.refresh(layout).last["Block.stats", "a"].number
    line = json_line({"kind": "attempt", **attempt(job="a", number=2).as_json()})
    with journal.path.open("ab", buffering=0) as file:
        file.write(line[:20])
        assert 1 == attempts.refresh(layout).last["Block.stats", "a"].number
        assert 1 == len(parsed)
        file.write(line[20:])
    assert 2 == attempts.refresh(layout).refresh(layout).count["Block.stats", "a"]
    assert 2 == len(parsed)
    assert ["a", "b"] == [job for _, job in attempts.last]


@pytest.mark.parametrize("is_ours", [True, False])
def test_lines_in_another_form(layout: Layout, attempt: Make, is_ours: bool) -> None:
    """A line counts however its JSON is written, and whatever its operation is called."""
    said = {"kind": "attempt", **attempt(operation='É."job":"x', job="a").as_json()}
    layout.runs.mkdir(parents=True)
    line = json_line(said) if is_ours else f"{json.dumps(dict(reversed(said.items())))}\n".encode()
    layout.journal("20260101T000000-h-1").write_bytes(line)
    assert [('É."job":"x', "a")] == list(Attempts().refresh(layout).last_good)


def test_another_journal_under_one_name(layout: Layout, attempt: Make) -> None:
    """Of a journal that was replaced by a shorter one only what it says now is read."""
    journal = Journal(layout, "serial")
    for job in "abc":
        journal.append(attempt(job=job))
    attempts = Attempts().refresh(layout)
    lines = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(lines[0] + lines[3])
    assert ["c"] == [job for _, job in attempts.refresh(layout).last]


def test_which_attempt_counts(attempt: Make) -> None:
    """The latest counts, whatever order they are read in; a failure does not hide a success."""
    attempts = Attempts()
    for said in (
        {"number": 3, "end": 30.0, "outcome": "failed"},
        {"number": 1, "end": 10.0},
        {"number": 2, "end": 20.0},
    ):
        attempts.add(attempt(**said))
    key = ("Block.stats", "0" * 32)
    assert (3, 2, 3) == (
        attempts.last[key].number,
        attempts.last_good[key].number,
        attempts.count[key],
    )


def test_journals_of_one_process_in_one_second(layout: Layout, attempt: Make) -> None:
    """Journals that would have one name get names of their own, and lose nothing."""
    journals = [Journal(layout, "serial") for _ in range(3)]
    for number, journal in enumerate(journals):
        journal.append(attempt(job=str(number)))
    assert 3 == len({journal.path for journal in journals})
    assert {"0", "1", "2"} == {job for _, job in Attempts().refresh(layout).last}
    assert 3 == len(list(layout.runs.iterdir()))


def _open_some(number: int, barrier: Any, layout: Layout) -> list[str]:
    barrier.wait()
    return [Path(Journal(layout, "serial").open()).name for _ in range(15)]


def test_processes_with_one_name_in_one_second(
    layout: Layout, race: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes that cannot tell their names apart (containers) get journals of their own."""
    monkeypatch.setattr("pointillist.space.journals.runner_name", lambda: "one-name")
    names = [name for some in race(4, _open_some, layout) for name in some]
    assert (60, 60) == (len(names), len(set(names)))
    assert sorted(names) == sorted(path.name for path in layout.runs.iterdir())
    assert 60 == sum(1 for path in layout.journals() if len(list(read_journal(path))) == 1)


def test_an_append_that_fails_leaves_the_journal_as_it_was(
    layout: Layout, python: Start, attempt: Make
) -> None:
    """Where the file may not grow, the error says so and the journal keeps its whole lines."""
    code = (
        "import os, resource, sys\n"
        "from pathlib import Path\n"
        "from pointillist.errors import SpaceError\n"
        "from pointillist.space.attempts import Attempt\n"
        "from pointillist.space.journals import Journal\n"
        "from pointillist.space.layout import Layout\n"
        "journal = Journal(Layout(Path(sys.argv[1])), 'serial')\n"
        "def attempt(number, error):\n"
        "    return Attempt('Block.stats', 'j', 'failed', number, 0, number, {}, error=error)\n"
        "journal.append(attempt(1, 'no'))\n"
        "size = os.path.getsize(journal.path)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300, resource.RLIM_INFINITY))\n"
        "try: journal.append(attempt(2, 'x' * 1000))\n"
        "except SpaceError as error: print(error)\n"
        "print(os.path.getsize(journal.path) - size)\n"
        "journal.append(attempt(3, 'no'))\n"
    )
    out, err = python(code, layout.root).communicate()
    said, grown = out.splitlines()
    path = layout.journals()[0]
    assert f"the attempt cannot be recorded in {path}: No space left on device." in said
    assert ("0", "") == (grown, err)
    assert [1, 3] == [line["number"] for line in list(read_journal(path))[1:]]


def test_a_journal_that_cannot_be_begun(layout: Layout, python: Start) -> None:
    """Where nothing can be written, the error says so and nothing half made is left."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from pointillist.errors import SpaceError\n"
        "from pointillist.space.journals import Journal\n"
        "from pointillist.space.layout import Layout\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: Journal(Layout(Path(sys.argv[1])), 'serial').open()\n"
        "except SpaceError as error: print(error)\n"
    )
    out, _ = python(code, layout.root).communicate()
    assert (
        f"nothing can be recorded in {layout.runs}: No space left on device. Make the project's "
        "folder writable, or free some space.\n"
    ) == out
    assert [] == list(layout.runs.iterdir())


def test_the_folder_of_journals_cannot_be_made(layout: Layout) -> None:
    """A file where a folder should be is an error with its place."""
    layout.own.write_text("no folder")
    with pytest.raises(SpaceError, match=r"nothing can be recorded in .*runs"):
        Journal(layout, "serial").open()


def test_a_journal_that_cannot_be_read_is_an_error(layout: Layout) -> None:
    """Attempts are not forgotten in silence."""
    (layout.runs / "20261120T140300-a-1.jsonl").mkdir(parents=True)
    with pytest.raises(SpaceError, match=r"the journal .* cannot be read: Is a directory"):
        Attempts().refresh(layout)


def test_a_heartbeat_moves_the_journals_time(layout: Layout, tmp_path: Path) -> None:
    """A heartbeat moves the time of the journal and of what beats with it, while it is there."""
    journal = Journal(layout, "serial")
    beside = tmp_path / "claim"
    beside.touch()
    journal.beat_also(beside)
    journal.open()
    for path in (journal.path, beside):
        os.utime(path, (1, 1))
    journal.beat()
    assert all(time.time() - path.stat().st_mtime < 60 for path in (journal.path, beside))
    beside.unlink()
    journal.beat()
    assert not beside.exists()


def test_a_line_of_another_format(layout: Layout) -> None:
    """A whole line that is no attempt as this version knows them hides nothing else."""
    layout.runs.mkdir(parents=True)
    layout.journal("20260101T000000-h-1").write_text(
        '{"kind":"attempt","operation":"A.b"}\n{"kind":"attempt","inputs":3}\n'
        '{"kind":"attempt","operation":"A.b","job":"x","outcome":"complete","number":2,'
        '"start":1,"end":2,"inputs":{},"colour":"red"}\n'
    )
    attempts = Attempts().refresh(layout)
    assert [("A.b", "x")] == list(attempts.last_good)
    assert 2 == attempts.last_good["A.b", "x"].number
