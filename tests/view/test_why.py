"""Why tasks are in their states, as people read it: a tree, a line each, groups."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from pointillist.plan.explanation import Explanation
from pointillist.plan.states import Awaits, Failed, Held, MissingSeed, Reason, State, Verdict
from pointillist.plan.tasks import Input, Task
from pointillist.space.attempts import Attempt
from pointillist.space.claims import Owner
from pointillist.space.identity import Identity
from pointillist.view.quantities import local_time
from pointillist.view.why import compared_in_words, show_all, show_each, show_one

Maker = Callable[..., Task]
START = time.mktime((2026, 11, 20, 14, 3, 5, 0, 0, -1))
NODE = Owner("r-9", Identity("node7", "", "", 12, ""), 0, START)


def attempt(outcome: Any = "complete", **more: Any) -> Attempt:
    """Return an attempt with three inputs and two arguments."""
    arguments = {"arguments": {"raw": {"field": "raw"}, "mark": "!", "to": {"out": None}}}
    inputs = dict.fromkeys(("x/a", "x/b", "x/c"))
    return Attempt(
        *("Recording.stats", "a" * 32, outcome, 2, START, START + 9, inputs, arguments), **more
    )


FAILURE = Failed.at(attempt("failed", error="stats raised ValueError: [x]", log="1.log"))


@pytest.fixture
def explain(task: Maker) -> Callable[..., Explanation]:
    """Give a maker of explanations: step, session, state, reasons, causes."""

    def make(
        step: str, session: str, state: State, *told: Reason | Explanation, **more: Any
    ) -> Explanation:
        causes = tuple(one for one in told if isinstance(one, Explanation))
        reasons = [one for one in told if isinstance(one, Reason)]
        for cause in causes:
            other = task(cause.step, cause.job[0])
            reasons.append(Awaits.on(other, cause.verdict.state, cause.job[0] == session))
        verdict = Verdict(state, tuple(reasons), more.pop("note", ""))
        place = ("Recording", f"Recording session={session}", session * 32, step)
        return Explanation(*place, verdict, causes, **more)

    return make


def test_one_that_waits(page: Any, explain: Any) -> None:
    """A tree leads from the task to what failed and its log; nothing is told twice."""
    failed = explain("joined", "a", State.FAILED, FAILURE)
    middle = explain("stats", "a", State.WAITING, failed)
    seed = explain("joined", "b", State.WAITING, MissingSeed.of(Input("b/raw", "/lab/b", "/lab")))
    show_one(page.console, explain("stats", "c", State.WAITING, middle, failed, seed))
    assert (
        f"""\
Recording session=c  stats  WAITING: the next run does it once all is there that it waits for
├── Recording session=a  stats  WAITING
│   └── Recording session=a  joined  FAILED
│       └── failed at attempt 2 on {local_time(START + 9)}: stats raised ValueError: [x]
│           └── → logs joined -j aaaaaaaa
├── Recording session=a  joined  FAILED: as above
└── Recording session=b  joined  WAITING
    └── raw is missing: b
"""
        == page.text
    )


def test_one_with_two_hundred_members(page: Any, explain: Any) -> None:
    """Of many that are waited for three are shown, and the others counted by state."""
    causes = [explain("joined", chr(0x4E00 + n), State.READY) for n in range(200)]
    causes[7] = explain("joined", "z", State.FAILED, FAILURE)
    show_one(page.console, explain("stats", "c", State.WAITING, *causes))
    lines = page.text.splitlines()
    assert 5 == len(lines)
    assert "└── … and 197 more for Recording.joined: 196 ready, 1 failed" == lines[4]


@pytest.mark.parametrize(
    ("state", "note", "reasons", "more", "lines"),
    [
        (
            State.COMPLETE,
            "",
            (),
            {"compared": attempt()},
            [
                "complete: a run leaves it as it is",
                "nothing that it depends on differs from what attempt 2 saw on 2026-11-20 14:03 "
                "(3 inputs, 2 arguments)",
            ],
        ),
        (
            State.COMPLETE,
            "edited",
            (Reason("output", "", text="stats.txt was edited after it was made"),),
            {"compared": attempt(members=["a", "b"])},
            [
                "complete (edited): a run leaves it as it is",
                "stats.txt was edited after it was made",
                "nothing else that it depends on differs from what attempt 2 saw on "
                "2026-11-20 14:03 (3 inputs, 2 arguments, 2 members)",
            ],
        ),
        (
            State.COMPLETE,
            "accepted",
            (Reason("accepted", "", text="accepted on 2026-11-20 by ann: renamed a variable"),),
            {"compared": attempt("accepted")},
            [
                "complete (accepted): a run leaves it as it is",
                "accepted on 2026-11-20 by ann: renamed a variable",
                "nothing that it depends on differs from what was there when it was accepted on "
                "2026-11-20 14:03 (3 inputs, 2 arguments)",
            ],
        ),
        (
            State.COMPLETE,
            "found",
            (),
            {},
            [
                "complete (found): a run leaves it as it is",
                "no attempt made its outputs; the next run notes what lies beside them",
            ],
        ),
        (
            State.STALE,
            "kept",
            (Reason("source", "of the step", "1", "2"),),
            {"compared": attempt(), "settings": (("source", "show", ""),)},
            [
                "STALE (kept): a run leaves it as it is",
                "source of the step changed (1 → 2)",
                "nothing else that it depends on differs from what attempt 2 saw on "
                "2026-11-20 14:03 (3 inputs, 2 arguments)",
                "source only shows: `run --rerun source` does it again",
            ],
        ),
        (
            State.COMPLETE,
            "found",
            (),
            {"compared": attempt("found"), "settings": (("input", "ignore", "[rules.stats]"),)},
            [
                "complete (found): a run leaves it as it is",
                "nothing that it depends on differs from what lay beside its outputs when they "
                "were found on 2026-11-20 14:03 (3 inputs, 2 arguments)",
                '[rules.stats] in pointillist.toml says input = "ignore": that was not looked at',
            ],
        ),
        (
            State.READY,
            "",
            (Reason("output", "stats.txt", text="output stats.txt is missing"),),
            {},
            ["READY: the next run does it", "output stats.txt is missing"],
        ),
        (
            State.STALE,
            "",
            (Reason("input", "b", "1 B", "2 B"),),
            {},
            ["STALE: the next run does it again", "input b changed (1 B → 2 B)"],
        ),
        (
            State.RUNNING,
            "",
            (Held.by(NODE, None),),
            {},
            [
                "RUNNING: a runner has it",
                f"by r-9 on node7, at work since {local_time(START)}; it cannot be seen from here",
            ],
        ),
        (
            State.EXCLUDED,
            "",
            (Reason("excluded", "60 Hz", text="60 Hz (ann, 2026-11-20)"),),
            {},
            ["EXCLUDED: never run, until `include`", "60 Hz (ann, 2026-11-20)"],
        ),
    ],
)
def test_one(
    page: Any,
    explain: Any,
    state: State,
    note: str,
    reasons: tuple[Reason, ...],
    more: dict[str, Any],
    lines: list[str],
) -> None:
    """Each state says whether a run does it, and why, or with what it was compared."""
    show_one(page.console, explain("stats", "a", state, *reasons, note=note, **more))
    first, *others = page.text.splitlines()
    assert lines == [first.removeprefix("Recording session=a  stats  "), *(o[4:] for o in others)]


def test_each(page: Any, explain: Any) -> None:
    """A line a task; one that waits says where that began, without what lies between."""
    failed = explain("joined", "a", State.FAILED, FAILURE)
    middle = explain("stats", "a", State.WAITING, failed)
    kept = Reason("source", "of the step", "1", "2")
    settings = (("source", "show", "[rules]"),)
    show_each(
        page.console,
        [
            failed,
            middle,
            explain("joined", "b", State.WAITING, middle),
            explain("stats", "b", State.STALE, kept, note="kept", settings=settings),
            explain("stats", "c", State.RUNNING, Held.by(NODE, True)),
        ],
    )
    error = "failed at attempt 2: stats raised ValueError: [x] → logs joined -j aaaaaaaa"
    assert [
        "job record step state why",
        f"aaaaaaaa Recording session=a joined FAILED {error}",
        f"stats WAITING joined {error}",
        f"bbbbbbbb Recording session=b joined WAITING Recording session=a stats is waiting ← "
        f"Recording session=a joined {error}",
        "stats STALE (kept) source of the step changed (1 → 2); kept by [rules]",
        f"cccccccc Recording session=c stats RUNNING by r-9 on node7, at work since "
        f"{local_time(START)}",
    ] == [" ".join(line.split()) for line in page.text.splitlines()]


def test_all(page: Any, explain: Any) -> None:
    """What is not complete is counted, what is alike together, what failed first."""
    failed = [explain("joined", s, State.FAILED, FAILURE) for s in "ab"]
    waiting = [explain("stats", one.job[0], State.WAITING, one) for one in failed]
    ready = explain("joined", "c", State.READY, Reason("output", "x", text="output x is missing"))
    done = explain("joined", "d", State.COMPLETE)
    show_all(page.console, [ready, *waiting, *failed, done], "no record has a step")
    assert (
        """\
5 tasks are not complete: 1 ready, 2 waiting, 2 failed.

FAILED           2  Recording.joined: failed: stats raised ValueError: [x]
                     e.g. aaaaaaaa Recording session=a: failed at attempt 2: \
stats raised ValueError: [x] → logs joined -j aaaaaaaa

READY            1  Recording.joined: output x is missing
                     cccccccc Recording session=c: output x is missing

WAITING          2  Recording.stats: Recording.joined failed: stats raised ValueError: [x]
                     e.g. aaaaaaaa Recording session=a: joined failed at attempt 2: \
stats raised ValueError: [x] → logs joined -j aaaaaaaa

`why STEP -j ID` explains one task.
"""
        == page.text
    )


def test_ten_thousand(page: Any, explain: Any) -> None:
    """Ten thousand tasks give a screenful, however many kinds of failures there are."""

    def failure(number: int) -> Reason:
        error = f"error {number}" if number < 50 else "another error"
        return Failed.at(attempt("failed", error=error))

    show_all(
        page.console,
        [explain("joined", chr(0x4E00 + n), State.FAILED, failure(n)) for n in range(10_000)],
        "",
    )
    lines = page.text.splitlines()
    assert len(lines) < 45
    assert "9950  Recording.joined: failed: another error" in page.text
    assert "… and 39 tasks in 39 smaller groups: `why STEP` shows those of one step" in page.text


def test_of_many_reasons_a_few_are_told(page: Any, explain: Any) -> None:
    """A task that waits for failures of many kinds names three."""
    causes = [
        explain("joined", s, State.FAILED, Failed.at(attempt("failed", error=f"error {s}")))
        for s in "abcde"
    ]
    show_all(page.console, [explain("stats", "x", State.WAITING, *causes)], "")
    assert page.text.splitlines()[2].endswith("Recording.joined failed: error c; … and 2 more")


def test_nothing_is_left(page: Any, explain: Any) -> None:
    """Where all is complete, or there is nothing, that is said."""
    show_all(page.console, [explain("joined", "a", State.COMPLETE)], "")
    show_all(page.console, [], "no record has a step")
    assert "everything is complete.\nno record has a step.\n" == page.text


def test_terminal(terminal: Any, explain: Any) -> None:
    """On a terminal states have colours, and brackets in errors are no markup."""
    show_one(terminal.console, explain("joined", "a", State.FAILED, FAILURE))
    show_all(terminal.console, [explain("joined", "a", State.FAILED, FAILURE)], "")
    assert "\x1b[31mFAILED" in terminal.text
    assert 3 == terminal.text.count("stats raised ValueError: [x]")


def test_compared_in_words() -> None:
    """One input is one input."""
    one = Attempt("Item.count", "a" * 32, "complete", 1, START, START, {"x/raw": None}, members=[])
    assert (
        "nothing that it depends on differs from what attempt 1 saw on 2026-11-20 14:03 "
        "(1 input, 0 arguments, 0 members)"
    ) == compared_in_words(one)


def test_a_tree_is_not_cut_off(terminal: Any, explain: Any) -> None:
    """On a terminal a long reason goes on in the next line."""
    text = " ".join(f"word{number}" for number in range(40))
    show_one(terminal.console, explain("joined", "a", State.READY, Reason("output", "", text=text)))
    assert text.split() == re.findall(r"word\d+", terminal.text)


def test_whose_a_missing_seed_is(page: Any, explain: Any) -> None:
    """A seed is called by the record's class where it is the record's own, not where a member's."""
    for owner, said in (("a" * 32, "Recording.raw is missing"), ("b" * 32, "raw is missing")):
        seed = MissingSeed.of(Input(f"{owner}/raw", "/lab/1.bin", "/lab"))
        joined = explain("joined", "a", State.WAITING, seed)
        show_all(page.console, [explain("stats", "a", State.WAITING, joined)], "")
        assert f"Recording.stats: {said}" in page.text
