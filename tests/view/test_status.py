"""The status table: counts, details, colours on a terminal, plain data for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pointillist.plan.states import Reason, State, Verdict
from pointillist.view.status import Row, show_status, status_json

MISSING = Verdict(State.READY, (Reason("output", "", text="output joined.bin is missing"),))
WAITS = Verdict(State.WAITING, (Reason("needs", "Block.joined", text="joined is ready"),))
FAILED = Verdict(
    State.FAILED, (Reason("attempt", "", text="failed at attempt 2: exit 3"),), log=Path("/x/1.log")
)
KEPT = Verdict(State.STALE, (Reason("source", "of the step", "12", "34"),), "kept")
FOUND = Verdict(State.COMPLETE, note="found")

ROWS = [
    Row("Block", "Block session=a", "a" * 32, "joined", Verdict(State.COMPLETE)),
    Row("Block", "Block session=a", "a" * 32, "stats", KEPT),
    Row("Block", "Block session=b [x]", "b" * 32, "joined", MISSING),
    Row("Block", "Block session=b [x]", "b" * 32, "stats", WAITS),
    Row("Block", "Block session=c", "c" * 32, "joined", FAILED),
    Row("Block", "Block session=c", "c" * 32, "stats", FOUND),
    Row("", "d" * 32, "d" * 32, "shout", Verdict(State.READY)),
]
COUNTS = {"Recording": 20, "Block": 3}

OVERVIEW = """\
records: 20 Recording, 3 Block
step           complete   stale   ready   waiting   failed
Block.joined          1       ·       1         ·        1
Block.stats           1       1       ·         1        ·
shout                 ·       ·       1         ·        ·
"""

DETAILS = """
job        record                step     state              why
aaaaaaaa   Block session=a       joined   complete
                                 stats    STALE (kept)       source of the step changed (12 → 34)
bbbbbbbb   Block session=b [x]   joined   READY              output joined.bin is missing
                                 stats    WAITING            joined is ready
cccccccc   Block session=c       joined   FAILED             failed at attempt 2: exit 3 → /x/1.log
                                 stats    complete (found)
dddddddd   dddddddddddddddddddddddddddddddd   shout    READY
"""

KEPT_LINE = "1 stale (source), kept: `run --rerun source` does them again.\n"


def test_overview(page: Any) -> None:
    """A line a step, a column a state that occurs, in the order of the states."""
    show_status(page.console, COUNTS, ROWS)
    assert OVERVIEW + KEPT_LINE == page.text


def test_details(page: Any) -> None:
    """A line a task with why; the job and the record stand once; capitals where work is left."""
    show_status(page.console, COUNTS, ROWS[:6], detailed=True)
    expected = OVERVIEW.replace("shout                 ·       ·       1         ·        ·\n", "")
    details = "\n".join(DETAILS.splitlines()[:-1]) + "\n"
    assert expected + details + KEPT_LINE == page.text


def test_only_incomplete(page: Any) -> None:
    """Complete tasks are left out of the details, and nothing is left if all are complete."""
    show_status(page.console, COUNTS, ROWS[:6], detailed=True, only_incomplete=True)
    details = page.text.partition("\n\n")[2]
    assert "complete" not in details
    assert 5 == len([line for line in details.splitlines() if "  " in line])


def test_nothing_to_show(page: Any) -> None:
    """Without a task there is no table, but a line that says why."""
    show_status(page.console, {"Recording": 0}, [], True, False, "there are no records yet")
    assert "records: 0 Recording\nthere are no records yet\n" == page.text


def test_terminal(terminal: Any) -> None:
    """On a terminal states have colours, and brackets in labels are no markup."""
    show_status(terminal.console, COUNTS, ROWS, detailed=True)
    assert "\x1b[31mFAILED" in terminal.text and "\x1b[32mcomplete" in terminal.text
    assert "Block session=b [x]" in terminal.text


def test_plain_output_is_never_folded(page: Any) -> None:
    """What is no terminal gets whole lines, so that they can be searched."""
    why = Verdict(State.READY, (Reason("input", "x", text="word " * 60 + "end"),))
    show_status(page.console, COUNTS, [Row("B", "B x=1", "a" * 32, "s", why)], detailed=True)
    assert 1 == sum(line.endswith("word end") for line in page.text.splitlines())


def test_kept_by_other_rules(page: Any) -> None:
    """What is kept by rules that the project set to show is told with these rules."""
    kept = Verdict(State.STALE, (Reason("input", "a", "1 B", "2 B"),), "kept")
    show_status(page.console, COUNTS, [*ROWS, Row("Block", "Block", "e" * 32, "stats", kept)])
    assert page.text.endswith(
        "2 stale (input, source), kept: `run --rerun input source` does them again.\n"
    )


def test_json() -> None:
    """The data for programs holds every reason in parts and in words, and is JSON."""
    data = json.loads(json.dumps(status_json(ROWS)))
    assert len(ROWS) == len(data)
    assert {
        "class": "Block",
        "record": "Block session=a",
        "job": "a" * 32,
        "step": "stats",
        "state": "stale",
        "note": "kept",
        "reasons": [
            {
                "rule": "source",
                "what": "of the step",
                "old": "12",
                "new": "34",
                "text": "source of the step changed (12 → 34)",
            }
        ],
        "log": None,
    } == data[1]
    assert "/x/1.log" == data[4]["log"]


def test_labels(page: Any) -> None:
    """The labels of a project are counted below the table."""
    show_status(page.console, COUNTS, ROWS[:1], labels={"odd": 2, "even [x]": 3})
    assert page.text.endswith("\nlabels: even [x] (3), odd (2)\n")


def test_orphans(page: Any) -> None:
    """Aggregates without members are counted, and named in the details."""
    orphans = {"Block": ["Block session=z"]}
    show_status(page.console, COUNTS, ROWS[:1], orphans=orphans)
    assert page.text.startswith("records: 20 Recording, 3 Block (1 orphaned)\n")
    show_status(page.console, COUNTS, ROWS[:1], detailed=True, orphans=orphans)
    assert "orphaned: Block session=z: its members are gone; it is kept, never run\n" in page.text
