"""Damage to what lies on disk: what then happens is stated here, and it is never a traceback."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pointillist.run import heartbeat
from pointillist.space.identity import Identity

from .damaged import TASKS, check_sound, folder_of, made, said, states

FOUND = "complete (found)"


def journal_of(shop: Any) -> Path:
    """Return the journal of the run; that of the discovery has only its first line."""
    journals = shop.root.glob(".pointillist/runs/*.jsonl")
    [journal] = [path for path in journals if len(lines_of(path)) > 1]
    return Path(journal)


def lines_of(journal: Path) -> list[bytes]:
    """Return the lines of a journal: who the runner is, then the attempts."""
    return journal.read_bytes().splitlines(keepends=True)


def check_nothing_redone(shop: Any) -> str:
    """Hold that a run has nothing to do, twice, and leaves the outputs as they are."""
    before = shop.outputs()
    text = check_sound(shop, 0)
    check_sound(shop, 0)
    assert before == shop.outputs()
    return text


# journals


def test_torn_last_line(workshop: Any) -> None:
    """A last line without its end does not count: its outputs are found, none is made again."""
    shop = made(workshop)
    journal = journal_of(shop)
    journal.write_bytes(journal.read_bytes()[:-20])
    assert {"Group kind=letter  joined": FOUND} == {
        task: state for task, state in states(shop).items() if state != "complete"
    }
    check_nothing_redone(shop)


TORN = {
    "garbage": b"\xff\xfe\x00garbage\n",
    "NULs": bytes(4096) + b"\n",
    "half of JSON": b'{"kind": "attempt", "operation": "Item.text", "jo\n',
    "no line end": b'{"kind": "attempt"',
    "deep JSON": b"[" * 200_000 + b"\n",
    "a number": b"17\n",
    "empty lines": b"\n\n\n",
    "nothing in it": b'{"kind": "attempt"}\n',
    "an operation of lists": (
        b'{"kind": "attempt", "operation": ["Item.text"], "job": [], "outcome": "complete", '
        b'"number": 1, "start": 1.0, "end": 2.0}\n'
    ),
    "texts for times": (
        b'{"kind": "attempt", "operation": "Item.text", "job": "JOB", "outcome": "complete", '
        b'"number": "1", "start": "1", "end": "2", "inputs": {}}\n'
    ),
    "nothing for sizes": (
        b'{"kind": "attempt", "operation": "Item.text", "job": "JOB", "outcome": "complete", '
        b'"number": 1, "start": 1e12, "end": 1e12, "inputs": {}, "outputs": {"text": '
        b'{"file": "text.txt", "size": null, "mtime": null}}}\n'
    ),
    "another outcome": (
        b'{"kind": "attempt", "operation": "Item.text", "job": "JOB", "outcome": "splendid", '
        b'"number": 1, "start": 1e12, "end": 1e12, "inputs": {}}\n'
    ),
    "another kind": b'{"kind": "note", "text": "hello"}\n',
}


@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
def test_torn_in_the_middle(workshop: Any, torn: bytes) -> None:
    """A line in the middle that tells nothing is left out; all others count."""
    shop = made(workshop)
    journal = journal_of(shop)
    lines = lines_of(journal)
    lines.insert(3, torn.replace(b"JOB", folder_of(shop, "a").name.encode()))
    journal.write_bytes(b"".join(lines))
    lost = 1 if not torn.endswith(b"\n") else 0  # it runs together with the next
    assert lost == list(states(shop).values()).count(FOUND)
    assert TASKS - lost == list(states(shop).values()).count("complete")
    check_nothing_redone(shop)


def test_two_lines_run_together(workshop: Any) -> None:
    """Two lines without an end between them are one that tells nothing: both are found."""
    shop = made(workshop)
    journal = journal_of(shop)
    lines = lines_of(journal)
    lines[2] = lines[2].rstrip(b"\n")
    journal.write_bytes(b"".join(lines))
    assert 2 == list(states(shop).values()).count(FOUND)
    check_nothing_redone(shop)


def test_first_line_lost(workshop: Any) -> None:
    """Without the line that says who the runner was, the attempts still count."""
    shop = made(workshop)
    journal = journal_of(shop)
    journal.write_bytes(b"".join(lines_of(journal)[1:]))
    assert {"complete"} == set(states(shop).values())
    check_nothing_redone(shop)


@pytest.mark.parametrize("lost", ["journal", "runs", ".pointillist"])
def test_journal_lost(workshop: Any, lost: str) -> None:
    """Without journals all outputs are found: they count, and the next run takes a baseline."""
    shop = made(workshop)
    if lost == "journal":
        journal_of(shop).unlink()
    else:
        shutil.rmtree(shop.root / ".pointillist" / ("runs" if lost == "runs" else ""))
    assert [FOUND] * TASKS == list(states(shop).values())
    check_nothing_redone(shop)
    (shop.root / "raw/a.txt").write_text("x")
    assert 3 == shop.run().done


@pytest.mark.parametrize("content", [b"", b"\n", b'{"kind": "runner", "format": 1'])
def test_empty_journal(workshop: Any, content: bytes) -> None:
    """A journal with nothing in it changes nothing."""
    shop = made(workshop)
    (shop.root / ".pointillist/runs/20200101T000000-here-1.jsonl").write_bytes(content)
    assert {"complete"} == set(states(shop).values())
    check_nothing_redone(shop)


def test_journal_twice(workshop: Any) -> None:
    """A copy of a journal under another name counts once; attempts are numbered as before."""
    shop = made(workshop)
    journal = journal_of(shop)
    shutil.copy(journal, journal.with_name("20990101T000000-copy-1.jsonl"))
    check_nothing_redone(shop)
    (shop.root / "raw/a.txt").write_text("x")
    assert 3 == shop.run().done
    numbers = {
        (a["operation"], a["number"]) for a in shop.attempts() if a["operation"] == "Item.text"
    }
    assert {("Item.text", 1), ("Item.text", 2)} == numbers
    check_nothing_redone(shop)


def test_newer_format(workshop: Any) -> None:
    """Of a journal of a newer format counts what has the old form; more fields do no harm."""
    shop = made(workshop)
    journal = journal_of(shop)
    lines = [json.loads(line) for line in lines_of(journal)]
    newer = [{**line, "format": 99, "mood": "good", "outcome2": [1]} for line in lines]
    newer.append({"kind": "attempts", "all": [["Item.text", "a", 1]]})
    journal.write_text("".join(json.dumps(line) + "\n" for line in newer))
    assert {"complete"} == set(states(shop).values())
    check_nothing_redone(shop)


def test_journal_is_a_folder(workshop: Any) -> None:
    """What lies in the journals' place and cannot be read is told in one message, exit 1."""
    shop = made(workshop)
    (shop.root / ".pointillist/runs/notes.jsonl").mkdir()
    for verb in (["status", "-d"], ["run"]):
        code, text = said(shop, *verb)
        assert 1 == code
        assert "notes.jsonl cannot be read: Is a directory" in text


# foreign files


def test_foreign_files(workshop: Any) -> None:
    """Files and folders that are not ours are not looked at, not touched and not in the way."""
    shop = made(workshop, run=False)
    job = folder_of(shop, "a")
    foreign = [
        job / "notes.txt",
        job / ".text.claim.abc",
        job / ".text.claim.1.bak",
        job / ".text.claim.",
        job / ".text.claims.1",
        job / ".other.claim.1",
        job / ".pointillist.txt",
        shop.root / "workspace/notes.txt",
        shop.root / "workspace/.DS_Store",
        shop.root / ".pointillist/runs/notes.txt",
        shop.root / ".pointillist/notes.txt",
        shop.root / "aggregates/notes.txt",
        shop.root / "aggregates/Group/workspace/notes.txt",
    ]
    folders = [
        job / "pictures",
        shop.root / "workspace/trash",
        shop.root / "workspace/signac_old",
        shop.root / ".pointillist/runs/old",
        shop.root / "aggregates/Other",
    ]
    for folder in folders:
        folder.mkdir()
        foreign.append(folder / "inside.jsonl")
    for path in foreign:
        path.write_text("mine")
    check_sound(shop, TASKS)
    assert {"complete"} == set(states(shop).values())
    check_nothing_redone(shop)
    assert {"mine"} == {path.read_text() for path in foreign}


def test_named_like_a_job(workshop: Any) -> None:
    """A file or an empty folder that is named like a job is told, the others go on, exit 1."""
    shop = made(workshop, run=False)
    (shop.root / f"workspace/{'0' * 32}").write_text("")
    (shop.root / f"workspace/{'1' * 32}").mkdir()
    (shop.root / f"workspace/{'2' * 32}").symlink_to(shop.root / "nowhere")
    text = check_sound(shop, TASKS, exit_code=1)
    for digit in "012":
        assert 1 == text.count(f"{digit * 32}/signac_statepoint.json cannot be read")
    check_sound(shop, 0, exit_code=1)


def test_job_folder_is_a_link(workshop: Any) -> None:
    """A job's folder may be a symbolic link to where there is more room."""
    shop = made(workshop, run=False)
    job = folder_of(shop, "a")
    shutil.move(job, shop.root / "elsewhere")
    job.symlink_to(shop.root / "elsewhere")
    check_sound(shop, TASKS)
    assert "a" == (shop.root / "elsewhere/text.txt").read_text()
    assert [] == shop.leftovers() and job.is_symlink()
    check_nothing_redone(shop)


# claims


def claim(shop: Any, who: dict[str, Any] | None, runner: str = "20200101T000000-here-1") -> Path:
    """Let somebody have claimed the first step of record a; a journal is linked to its claim."""
    place = folder_of(shop, "a") / ".text.claim.1"
    if who is None:
        place.touch()
        return place
    runs = shop.root / ".pointillist/runs"
    runs.mkdir(parents=True, exist_ok=True)
    journal = runs / f"{runner}.jsonl"
    opening = {"kind": "runner", "format": 1, "runner": runner, "start": 0.0, **who}
    journal.write_text(json.dumps(opening) + "\n")
    os.link(journal, place)
    return journal


def test_claim_of_a_reused_process_id(workshop: Any) -> None:
    """A process with the id of the claim's, which started at another time, is not its runner."""
    shop = made(workshop, run=False)
    claim(shop, {**Identity.own().as_json(), "started": "17"})
    check_sound(shop, TASKS)
    assert {"complete"} == set(states(shop).values()) and [] == shop.leftovers()


def test_claim_without_a_journal(workshop: Any) -> None:
    """A dead runner's claim whose journal is gone is taken over; its task is done."""
    shop = made(workshop, run=False)
    claim(shop, {**Identity.own().as_json(), "started": "17"}).unlink()
    check_sound(shop, TASKS)
    assert {"complete"} == set(states(shop).values()) and [] == shop.leftovers()


ELSEWHERE = {
    "a container of the same name": {"namespace": "pid:[17]"},
    "another host": {"host": "elsewhere"},
    "another host, its process id alive here": {"host": "elsewhere", "pid": os.getpid()},
}


@pytest.mark.parametrize("differs", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("journal_there", [True, False], ids=["journal", "no journal"])
def test_claim_from_elsewhere(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, differs: dict[str, Any], journal_there: bool
) -> None:
    """Who cannot be seen from here is shown as running, and dead once it has been silent."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.05)
    shop = made(workshop, run=False)
    journal = claim(shop, {**Identity.own().as_json(), **differs})
    if not journal_there:
        journal.unlink()
    code, text = said(shop, "status", "-d")
    assert 0 == code and "which cannot be seen from here" in text
    check_sound(shop, TASKS)
    assert {"complete"} == set(states(shop).values()) and [] == shop.leftovers()


@pytest.mark.parametrize("content", [b"", b"\n", b"garbage\n", b'{"runner": 3}\n'])
def test_claim_that_says_nothing(
    workshop: Any, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """A claim that does not say whose it is counts like one from elsewhere."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.05)
    shop = made(workshop, run=False)
    claim(shop, None).write_bytes(content)
    code, text = said(shop, "status", "-d")
    assert 0 == code and "RUNNING" in text
    check_sound(shop, TASKS)
    assert {"complete"} == set(states(shop).values()) and [] == shop.leftovers()


def test_claim_is_a_folder(workshop: Any) -> None:
    """A folder in a claim's place is named, and what to do; only this task waits."""
    shop = made(workshop, run=False)
    place = folder_of(shop, "a") / ".text.claim.1"
    place.mkdir()
    code, text = said(shop, "status", "-d")
    assert 0 == code and f"{place} cannot be read: Is a directory" in text
    code, text = said(shop, "run")
    assert "2 tasks done" in text and place.is_dir()
    place.rmdir()
    check_sound(shop, 3)


# clocks and times


@pytest.mark.parametrize("ahead", [3600.0, -3600.0, 60.0, -60.0])
def test_clock_of_one_runner(
    workshop: Any, fork: Any, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    """A runner whose clock is wrong, after one whose clock is right, and the other way round."""
    shop = made(workshop)

    def wrong() -> None:
        shift_clock(monkeypatch, ahead)
        check_nothing_redone(shop)
        (shop.root / "raw/a.txt").write_text("x")
        assert 3 == shop.run().done
        check_nothing_redone(shop)

    assert 0 == fork(wrong)
    check_nothing_redone(shop)
    (shop.root / "raw/a.txt").write_text("y")
    assert 3 == shop.run().done
    assert 0 == fork(lambda: check_nothing_redone(shop))
    texts = [a for a in shop.attempts() if a["operation"] == "Item.text"]
    mine = sorted((a for a in texts if a["job"] == folder_of(shop, "a").name), key=in_order)
    assert [1, 2, 3] == [a["number"] for a in mine]


def in_order(attempt: dict[str, Any]) -> float:
    """Return what attempts are ordered by."""
    return float(attempt["end"])


def shift_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let this process's clock be ahead, or behind."""
    import time

    now, now_ns = time.time, time.time_ns
    monkeypatch.setattr(time, "time", lambda: now() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(seconds * 1e9))


def test_clocks_of_two_runners(
    workshop: Any, fork_off: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runners at once, a minute apart by their clocks: each task is done once, and in order."""
    shop = made(workshop, run=False)

    def run(ahead: float) -> None:
        shift_clock(monkeypatch, ahead)
        assert [] == shop.run().failed

    for times in range(1, 4):
        both = [fork_off(lambda: run(30.0)), fork_off(lambda: run(-30.0))]
        assert [0, 0] == [os.waitpid(pid, 0)[1] for pid in both]
        assert {times} == set(shop.completed().values()) and TASKS == len(shop.completed())
        assert {"complete"} == set(states(shop).values())
        for letter in "ab":
            (shop.root / f"raw/{letter}.txt").write_text(f"{letter}{times}")
    assert {"complete"} != set(states(shop).values())


@pytest.mark.parametrize("when", [0, -1_000_000_000, 4_102_444_800_000_000_000], ids=str)
def test_times_of_files(workshop: Any, when: int) -> None:
    """Inputs and outputs with a time of 0, before 1970 or in the future are what they are."""
    shop = made(workshop, run=False)
    os.utime(shop.root / "raw/a.txt", ns=(when, when))
    check_sound(shop, TASKS)
    check_nothing_redone(shop)
    for job in shop.jobs():
        for path in job.glob("*.txt"):
            os.utime(path, ns=(when, when))
    assert {"complete"} == set(states(shop).values())
    check_nothing_redone(shop)
    (shop.root / "raw/a.txt").write_text("longer")  # as long and as old it would look the same
    os.utime(shop.root / "raw/a.txt", ns=(when, when))
    assert 3 == shop.run().done


def test_found_beside_a_wrong_clock(
    workshop: Any, fork: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input that is made after an output was found makes that one stale, whatever the clock."""
    shop = made(workshop)
    shutil.rmtree(shop.root / ".pointillist")
    (folder_of(shop, "a") / "text.txt").unlink()
    (shop.root / "raw/a.txt").write_text("x")

    def behind() -> None:
        shift_clock(monkeypatch, -3600.0)
        shop.run()

    assert 0 == fork(behind)
    assert b"X" == (folder_of(shop, "a") / "loud.txt").read_bytes()


# records and members that go away


def test_member_removed(workshop: Any) -> None:
    """When a member's folder was removed its aggregate is done again without it."""
    shop = made(workshop)
    shutil.rmtree(folder_of(shop, "b"))
    check_sound(shop, 1)
    assert {"complete"} == set(states(shop).values()) and 3 == len(states(shop))
    [joined] = [v for k, v in shop.outputs().items() if k.endswith("joined.txt")]
    assert b"a" == joined


def test_member_removed_while_the_aggregate_runs(workshop: Any) -> None:
    """A member that is removed while its aggregate's step runs: discarded, then done anew."""
    shop = made(workshop, run=False)
    gone = folder_of(shop, "b")
    (shop.root / "disturb joined").write_text(f"shutil.rmtree({str(gone)!r})")
    code, text = said(shop, "run")
    assert 1 == code and "vanished while the step ran; what was made of it is discarded" in text
    assert not list(shop.root.rglob("joined.txt")) and [] == shop.leftovers()
    check_sound(shop, 1)
    assert {"complete"} == set(states(shop).values())


def test_record_removed_while_its_step_runs(workshop: Any) -> None:
    """A record whose folder is removed while its step runs fails, the others go on."""
    shop = made(workshop, run=False)
    gone = folder_of(shop, "a")
    (shop.root / "disturb").write_text(f"shutil.rmtree({str(gone)!r})")
    code, text = said(shop, "run")
    assert 1 == code and f"the job's folder {gone} was removed" in " ".join(text.split())
    assert not gone.exists()
    check_sound(shop, 1)
    assert {"complete"} == set(states(shop).values())


def test_everything_removed_while_a_step_runs(workshop: Any) -> None:
    """A run whose ``.pointillist`` is removed says so for each task, or goes on."""
    shop = made(workshop, run=False)
    (shop.root / "disturb").write_text("shutil.rmtree(HERE / '.pointillist')")
    said(shop, "run")
    said(shop, "run")
    assert {"complete"} == {state.removesuffix(" (found)") for state in states(shop).values()}
    assert [] == shop.leftovers()


# documents


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'"text"'], ids=repr)
def test_document_of_a_record(workshop: Any, content: bytes) -> None:
    """A record's document that cannot be read is its own matter: its tasks need it not."""
    shop = made(workshop)
    (folder_of(shop, "a") / "signac_job_document.json").write_bytes(content)
    assert {"complete"} == set(states(shop).values())
    said(shop, "status", "-d")
    assert (0, "nothing to do: everything is complete.\n") == said(shop, "run")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]", b'{"members": 3}'], ids=repr)
def test_document_of_an_aggregate(workshop: Any, content: bytes) -> None:
    """An aggregate's document that cannot be read is named; the next run makes a removed one."""
    shop = made(workshop, run=False)
    [document] = shop.root.glob("aggregates/Group/workspace/*/signac_job_document.json")
    document.write_bytes(content)
    code, text = said(shop, "status", "-d")
    assert 0 == code
    code, text = said(shop, "run")
    mended = code == 0
    assert mended or f"the document {document} cannot be read" in text, text
    assert (f"{TASKS if mended else TASKS - 1} tasks done") in text
    document.unlink()
    check_sound(shop, 0 if mended else 1)
    assert {"complete"} == set(states(shop).values())
