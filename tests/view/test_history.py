"""The table of attempts, and the same for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pointillist.space.attempts import Attempt, Exclusion, Outcome, StoredOutput
from pointillist.space.fingerprints import Fingerprint
from pointillist.space.history import History, RunnerLine
from pointillist.view.console import console_for
from pointillist.view.history import history_json, how_it_ended, show_history

JOB = "3f2a9c01" + "0" * 24
T = 1795183400.0  # 2026-11-20 14:03:20 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the local time be that of the table below."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def attempt(outcome: Outcome, number: int, start: float, end: float, **said: Any) -> Attempt:
    """Make an attempt."""
    told = {"inputs": {}, "runner": "one", **said}
    return Attempt("Block.stats", JOB, outcome, number, T + start, T + end, **told)


def history() -> History:
    """Give a history with one of everything."""
    return History(
        [
            attempt("found", 0, 0, 0),
            attempt(
                *("failed", 1, 1, 1.254),
                error="computeStats failed (exit 3): no [memory]",
                code=3,
                log=f"aggregates/Block/workspace/{JOB}/.pointillist/logs/stats.1.log",
            ),
            attempt("interrupted", 2, 10, 75, error="its runner two died", runner="two"),
            attempt("complete", 3, 100, 1300, log=f"x/{JOB}/stats.3.log"),
            attempt("accepted", 0, 2000, 2000, note="only a typo"),
            attempt("reset", 0, 3000, 3000, note="again"),
        ],
        [
            Exclusion(JOB, True, "noisy", T + 50, runner="one"),
            Exclusion(JOB, False, "fine", T + 60, runner="two"),
        ],
        {"one": RunnerLine("one", "serial", "ann", "lab1", {"pid": 7})},
    )


def test_table(page: Any) -> None:
    """Each attempt has a line, oldest first, and so has what is no attempt, with its reason."""
    show_history(page.console, "Block session=a", JOB, history(), {}, {})
    assert (
        """\
Block session=a  (job 3f2a9c01)
when                 step   attempt  outcome         took  by        executor  what                                       log
2026-11-20 14:03:20  stats           found                 ann@lab1
2026-11-20 14:03:21  stats        1  failed        0.25 s  ann@lab1  serial    computeStats failed (exit 3): no [memory]  stats.1.log
2026-11-20 14:04:10                  excluded              ann@lab1            noisy
2026-11-20 14:04:20                  included              two                 fine
2026-11-20 14:03:30  stats        2  interrupted     65 s  two                 its runner two died
2026-11-20 14:05:00  stats        3  complete     0:20:00  ann@lab1  serial                                               stats.3.log
2026-11-20 14:36:40  stats           accepted              ann@lab1            only a typo
2026-11-20 14:53:20  stats           reset                 ann@lab1            again
`logs STEP -j 3f2a9c01` prints the last log of a step, `--attempt N` an earlier one.
"""  # noqa: E501
        == page.text
    )


def test_steps_that_never_ran(page: Any) -> None:
    """Steps without an attempt are named with their state, and those that run with their runner."""
    show_history(
        page.console, "Block session=a", JOB, History(), {"edges": "waiting: x"}, {"stats": "one"}
    )
    assert (
        """\
Block session=a  (job 3f2a9c01)
stats is running, by one
edges was never carried out: it is waiting: x
"""
        == page.text
    )


def test_terminal(terminal: Any) -> None:
    """On a terminal outcomes have colours, and lines its width."""
    show_history(terminal.console, "Block session=a", JOB, history(), {}, {})
    assert "\x1b[31mfailed" in terminal.text
    assert "\x1b[32mcomplete" in terminal.text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ""),
        ({"error": "f failed (exit 3)", "code": 3}, "f failed (exit 3)"),
        ({"error": "it failed", "code": 3}, "it failed; exit 3"),
        ({"error": "killed by SIGKILL", "code": -9}, "killed by SIGKILL"),
        ({"error": "f raised Odd: no", "exception": "Odd"}, "f raised Odd: no"),
        ({"error": "cannot be written", "exception": "Odd"}, "cannot be written; Odd"),
        ({"note": "a typo"}, "a typo"),
    ],
)
def test_how_it_ended(said: dict[str, Any], expected: str) -> None:
    """Exit code and exception are added where the error does not say them."""
    assert expected == how_it_ended(attempt("failed", 1, 0, 1, **said))


def test_json() -> None:
    """For programs there is everything: fingerprints, arguments, environment, runner."""
    seen = Fingerprint(3, 5, hash="abc")
    full = attempt(
        *("complete", 1, 0, 1),
        inputs={"x/raw": seen, "x/note": None},
        outputs={"stats": StoredOutput("stats.json", seen, "staged")},
        arguments={"kind": "python"},
        members=["x"],
        environment="e",
    )
    told = history_json("Block a", JOB, History([full], history().exclusions, history().runners))
    assert told == json.loads(json.dumps(told))
    (one,) = told["attempts"]
    print_ = {"size": 3, "mtime": 5, "hash": "abc"}
    assert {"x/raw": print_, "x/note": None} == one["inputs"]
    assert {"stats": {"file": "stats.json", "staged": "staged", **print_}} == one["outputs"]
    assert ({"kind": "python"}, ["x"], "e") == (
        *(one["arguments"], one["members"], one["environment"]),
    )
    assert ("one", "ann", "lab1", "serial") == (
        *(one["runner"], one["user"], one["host"], one["executor"]),
    )
    assert [(True, "noisy"), (False, "fine")] == [
        (each["excluded"], each["reason"]) for each in told["exclusions"]
    ]
    assert {"one": {"pid": 7}, "two": {}} == told["runners"]
    assert ("Block a", JOB) == (told["record"], told["job"])


def test_narrow_terminal(terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has nothing in it has no column, and an attempt has one line where 80 columns do."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    console = console_for(terminal.stream)
    told = History([attempt("complete", 1, 0, 1), attempt("complete", 2, 60, 61)], [])
    show_history(console, "Block session=a", JOB, told, {}, {})
    lines = [line.split() for line in terminal.text.splitlines()[2:]]
    assert [
        ["2026-11-20", "14:03:20", "stats", "1", "complete", "1.0", "s", "one"],
        ["2026-11-20", "14:04:20", "stats", "2", "complete", "1.0", "s", "one"],
    ] == lines
