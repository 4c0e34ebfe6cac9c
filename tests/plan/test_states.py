"""States, reasons and verdicts print themselves; what may be used and what is to be done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import pointillist as pt
from pointillist.plan.states import (
    After,
    Awaits,
    Failed,
    Held,
    MissingSeed,
    Reason,
    State,
    Verdict,
)
from pointillist.plan.tasks import Input, Task
from pointillist.space.attempts import Attempt
from pointillist.space.claims import Owner
from pointillist.space.identity import Identity


@pt.step
def count(raw: Path) -> int:
    """Count."""
    return len(raw.read_bytes())


class Item(pt.Record):
    """A file."""

    name: int = pt.key()

    raw: Path = pt.seed("raw/{name}.txt")

    count: int = count.step(raw).to()


def test_reason() -> None:
    """A reason says what changed from what to what, or its own words."""
    assert "input a.bin changed (1 B → 2 B)" == str(Reason("input", "a.bin", "1 B", "2 B"))
    assert "a.bin is gone" == str(Reason("input", "a.bin", "1 B", "2 B", "a.bin is gone"))


def test_verdict() -> None:
    """A verdict prints state, note and every reason."""
    reasons = (Reason("output", "", text="one"), Reason("input", "", text="two"))
    assert "complete" == str(Verdict(State.COMPLETE))
    assert "stale (kept): one; two" == str(Verdict(State.STALE, reasons, "kept"))


@pytest.mark.parametrize("state", list(State))
def test_wanted_and_usable(state: State) -> None:
    """Ready and stale tasks are done, complete ones are used; what is kept is used, not done."""
    verdict, kept = Verdict(state), Verdict(state, note="kept")
    assert (state in (State.READY, State.STALE)) is verdict.wanted
    assert (state is State.COMPLETE) is verdict.usable
    assert (state is State.READY) is kept.wanted
    assert (state in (State.COMPLETE, State.STALE)) is kept.usable
    assert not (verdict.wanted and verdict.usable) and not (kept.wanted and kept.usable)


SEED = Input("a" * 32 + "/raw", "/lab/raw/<a> & b.txt", "/lab")
ATTEMPT = Attempt(
    "Item.count",
    "a" * 32,
    "failed",
    2,
    1.0,
    3.5,
    {},
    error="count raised ValueError: <7>",
    exception="ValueError",
    log="workspace/a/count.2.log",
    runner="r-1",
)
HERE = Identity.own()


@pytest.fixture
def item() -> Task:
    """A task of a record."""
    record = Item(name=1)
    record.id = "a" * 32
    return Task(record, Item.__steps__["count"])


def reasons(task: Task) -> list[tuple[Reason, str, str, dict[str, Any] | None]]:
    """Return a reason of each kind, with its words, what is common to those alike, its cause."""
    there = {"class": "Item", "record": "Item name=1", "job": "a" * 32, "step": "count"}
    runner = {"runner": "r-1", "host": HERE.host, "pid": HERE.pid, "since": 5.0}
    owner = Owner("r-1", HERE, 0, 5.0)
    failure = {"number": 2, "start": 1.0, "end": 3.5, "error": "count raised ValueError: <7>"}
    failure |= {"exception": "ValueError", "code": None, "log": ATTEMPT.log, "runner": "r-1"}
    return [
        (
            Awaits.on(task, State.READY, near=True),
            "count is ready",
            "Item.count is ready",
            {**there, "state": "ready"},
        ),
        (
            Awaits.on(task, State.FAILED, near=False),
            "Item name=1 count is failed",
            "Item.count is failed",
            {**there, "state": "failed"},
        ),
        (
            After.of("shout", "b" * 32, Verdict(State.FAILED), near=True),
            "shout is failed",
            "shout is failed",
            {"class": "", "job": "b" * 32, "step": "shout", "state": "failed"},
        ),
        (
            After.of("shout", "b" * 32, Verdict(State.READY), near=False),
            "shout of bbbbbbbb is ready",
            "shout is ready",
            {"class": "", "job": "b" * 32, "step": "shout", "state": "ready"},
        ),
        (
            MissingSeed.of(SEED),
            "raw is missing: raw/<a> & b.txt",
            "raw is missing",
            {"field": "raw", "path": "/lab/raw/<a> & b.txt"},
        ),
        (
            Failed.at(ATTEMPT),
            "failed at attempt 2: count raised ValueError: <7>",
            "failed (ValueError)",
            failure,
        ),
        (Held.by(owner, True), "by r-1", "by r-1", {**runner, "alive": True}),
        (
            Held.by(owner, None),
            "by r-1, which cannot be seen from here",
            "by r-1, which cannot be seen from here",
            {**runner, "alive": None},
        ),
        (
            Held.by(owner, False),
            "the attempt of r-1 died; the next run finishes or discards it",
            "the attempt of r-1 died; the next run finishes or discards it",
            {**runner, "alive": False},
        ),
        (
            Reason("input", "a.bin", "1 B", "2 B"),
            "input a.bin changed (1 B → 2 B)",
            "an input changed",
            None,
        ),
    ]


def test_words_kind_and_cause(item: Task) -> None:
    """Each kind of reason has words, a kind that others share, and its cause as plain data."""
    for reason, words, kind, cause in reasons(item):
        assert (words, kind, cause) == (str(reason), reason.kind, reason.cause)
        told = json.loads(json.dumps(reason.as_json()))
        assert (words, cause) == (told["text"], told.get("cause"))
        assert words == reason.__rich__().plain


def test_html(item: Task) -> None:
    """As HTML everything is escaped, and what can be styled has a class and no style."""
    said = [reason.as_html() for reason, *_ in reasons(item)]
    assert '<span class="reason reason-needs">count is ready</span>' == said[0]
    assert (
        '<span class="reason reason-seed">raw is missing: raw/&lt;a&gt; &amp; b.txt</span>'
        == said[4]
    )
    assert (
        '<span class="reason reason-input">input <span class="what">a.bin</span> changed '
        '(<span class="old">1 B</span> → <span class="new">2 B</span>)</span>'
    ) == said[-1]
    old = Reason("argument", "<b>", '"<i>"', "&").as_html()
    assert "<b>" not in old and "<i>" not in old and "&lt;i&gt;" in old and "&amp;" in old
    assert not any("style" in text for text in said)


def test_how_failures_are_alike() -> None:
    """Failures are alike by exception, else by exit code, else by what went wrong."""
    command = replace(ATTEMPT, exception=None, code=3)
    assert "failed (exit 3)" == Failed.at(command).kind
    lost = replace(ATTEMPT, exception=None, error="raw is gone")
    assert "failed: raw is gone" == Failed.at(lost).kind


def test_a_failure_is_told_in_one_line() -> None:
    """An error of many lines, or a long one, is a line that can be read; as data it is whole."""
    error = "join raised ValueError: shapes differ:\n\n  a  b.bin: 3\n" + "x" * 300
    reason = Failed.at(replace(ATTEMPT, error=error))
    start = "failed at attempt 2: "
    assert str(reason).startswith(f"{start}join raised ValueError: shapes differ: a  b.bin: 3 xx")
    assert len(start) + 200 == len(str(reason)) and str(reason).endswith("x…")
    assert error == reason.cause["error"]
    assert f"{start}raw is gone" == str(Failed.at(replace(ATTEMPT, error="raw is gone\n")))


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason("argument", "members", "2", "3", "member added: 4"), "members changed"),
        (Reason("argument", "mark", '"!"', '"?"'), "argument mark changed"),
        (Reason("version", "of the step", "1", "2"), "version of the step changed"),
        (Reason("output", "a.txt", text="output a.txt is missing"), "output a.txt is missing"),
        (Reason("needs", "members", text="it has no members"), "it has no members"),
        (
            Reason("needs", "/x", text="/x cannot be read: no"),
            "what it needs cannot be read",
        ),
        (Reason("needs", "itself", text="it comes after itself"), "it comes after itself"),
        (Reason("condition", "there", text="there does not hold"), "there does not hold"),
    ],
)
def test_kinds(reason: Reason, kind: str) -> None:
    """What is only of one task is left out of what is common to many."""
    assert kind == reason.kind


def test_a_reason_is_not_put_into_words_before_it_is_shown() -> None:
    """A reason holds what it needs for its words; making it asks no record for its label."""

    class Mute(Item):
        label = property(lambda self: 1 / 0)  # type: ignore[assignment]

    record = Mute(name=1)
    record.id = "b" * 32
    reason = Awaits.on(Task(record, Mute.__steps__["count"]), State.READY, near=False)
    with pytest.raises(ZeroDivisionError):
        str(reason)


def test_equality(item: Task) -> None:
    """A reason is another one when the state of what is waited for is another."""
    ready = Awaits.on(item, State.READY, near=True)
    assert ready == Awaits.on(item, State.READY, near=True)
    assert ready != Awaits.on(item, State.FAILED, near=True)
    assert ready != Reason("needs", "Item.count")
