"""The tree from values down to raw files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from pointillist.view.console import console_for
from pointillist.view.provenance import call_in_words, show_provenance

JOB, MEMBER, GONE = "3f2a9c01" + "0" * 24, "81ac0b7e" + "0" * 24, "77777777" + "0" * 24
T = 1795183400.0  # 2026-11-20 14:03:20 UTC


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the local time be that of the trees below."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def node(field: str, now: str, attempt: str | None = None, **said: Any) -> dict[str, Any]:
    """Make a node of the block."""
    return {
        "field": field,
        "job": JOB,
        "record": "Block session=a",
        "kind": "output",
        "path": f"aggregates/Block/workspace/{JOB}/{field}.bin",
        "fingerprint": {"size": 200, "mtime": 1, "hash": "78f3e2e1" + "0" * 56},
        "now": now,
        "attempt": attempt,
        "inputs": [],
        **said,
    }


def made(operation: str, outcome: str = "complete", **said: Any) -> dict[str, Any]:
    """Make an attempt."""
    return {
        "operation": operation,
        "outcome": outcome,
        "number": 2,
        "start": T,
        "end": T + 1.5,
        "runner": "one",
        "user": "ann",
        "host": "lab1",
        "executor": "serial",
        "environment": "787d4276ffff",
        "call": "plot",
        **said,
    }


RAW = node(
    *("raw", "gone"),
    job=MEMBER,
    record="Recording index=1",
    kind="seed",
    path="recordings/rec_1.bin",
)


def found() -> dict[str, Any]:
    """Give a provenance with one of everything."""
    gone = node("raw", "unknown", job=GONE, record=None, path=None, kind="unknown")
    joined = node(
        *("joined", "unchanged", "j"),
        inputs=[RAW, gone],
        members=[{"job": MEMBER, "record": "Recording index=1"}, {"job": GONE, "record": None}],
        unstored=["Recording.cleaned"],
    )
    return {
        "job": JOB,
        "record": "Block session=a",
        "values": [
            joined,
            node("summary", "changed", "s", inputs=[node("joined", "unchanged", "j", above=True)]),
            node("edges", "unchanged", "e", vouched="e", fingerprint={"size": 9, "mtime": 1}),
            node("stats", "unchanged", "t", vouched="a"),
            node("extra", "there", fingerprint=None),
            node("late", "unknown", kind="unstored", path=None, fingerprint=None),
        ],
        "attempts": {
            "j": made(
                "Block.joined",
                source="9929a4c2ffff",
                arguments={
                    "kind": "matlab",
                    "call": "concatenateFiles",
                    "arguments": {"1": {"out": None}, "2": {"each": {"field": "raw"}}},
                },
            ),
            "s": made("Block.summary", version="2", arguments={"kind": "python", "arguments": {}}),
            "e": made("Block.edges", "found", number=0),
            "t": made("Block.stats"),
            "a": made("Block.stats", "accepted", note="only a typo", end=T + 60),
        },
        "environments": {
            "787d4276ffff": {
                "python": "3.11.7",
                "interpreter": "/usr/bin/python3",
                "host": "lab1",
                "commit": None,
                "packages": {"numpy": "2.0", "scipy": "1.14"},
                "matlab": "octave-cli 7.3.0",
            },
            "0bddfe28ffff": {
                "python": "3.12.1",
                "interpreter": "/usr/bin/python3",
                "host": "lab1",
                "commit": "0123456+",
                "packages": {"numpy": "2.1"},
            },
        },
    }


def test_tree(page: Any) -> None:
    """Each value has its file, what became of it, how it was made, and below that its inputs."""
    show_provenance(page.console, found())
    assert (
        """\
Block session=a  (job 3f2a9c01)
├── joined  joined.bin  200 B, sha256 78f3e2e1, unchanged
│   attempt 2 of Block.joined, 2026-11-20 14:03:20, 1.5 s, by ann@lab1 (serial), source 9929a4c2, environment 787d4276
│     concatenateFiles(out, each raw)
│     members, in order: Recording index=1; job 77777777
│     through Recording.cleaned, not stored
│   ├── Recording index=1  raw  recordings/rec_1.bin  200 B, sha256 78f3e2e1, gone
│   └── job 77777777 (gone)  raw  200 B, sha256 78f3e2e1, unknown
├── summary  summary.bin  200 B, sha256 78f3e2e1, changed
│   attempt 2 of Block.summary, 2026-11-20 14:03:20, 1.5 s, by ann@lab1 (serial), version 2, environment 787d4276
│     plot()
│   └── joined  joined.bin  200 B, sha256 78f3e2e1, unchanged
│       attempt 2 of Block.joined: as above
├── edges  edges.bin  9 B, not hashed, unchanged
│   found 2026-11-20 14:03:21 by ann@lab1, environment 787d4276
│     plot()
├── stats  stats.bin  200 B, sha256 78f3e2e1, unchanged
│   attempt 2 of Block.stats, 2026-11-20 14:03:20, 1.5 s, by ann@lab1 (serial), environment 787d4276
│     plot()
│   accepted 2026-11-20 14:04:20 by ann@lab1: only a typo
├── extra  extra.bin  there
│   made by no recorded attempt
└── late
    not stored: computed when it is asked for
environment 787d4276: Python 3.11.7 (/usr/bin/python3), octave-cli 7.3.0, lab1, in no git repository
environment 0bddfe28: Python 3.12.1 (/usr/bin/python3), lab1, commit 0123456+; other packages than 787d4276: numpy 2.1, scipy (none)
"""  # noqa: E501
        == page.text
    )


def test_no_outputs(page: Any) -> None:
    """A record on which no step makes anything is told to have none."""
    show_provenance(page.console, {**found(), "values": [], "attempts": {}, "environments": {}})
    assert (
        """\
Block session=a  (job 3f2a9c01)
it has no stored outputs: no step makes any on it
"""
        == page.text
    )


def test_terminal(terminal: Any) -> None:
    """On a terminal what is as it was is green, and what is not is red."""
    show_provenance(terminal.console, found())
    assert "\x1b[32munchanged" in terminal.stream.getvalue()
    assert "\x1b[31mchanged" in terminal.stream.getvalue()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"kind": "matlab", "call": "f", "arguments": {"1": {"field": "raw"}, "2": 0.75}},
            "f(raw, 0.75)",
        ),
        (
            {"kind": "matlab", "call": "f", "arguments": {"1": {"out": "spikes"}, "2": [1, "a"]}},
            """f(out('spikes'), [1, "a"])""",
        ),
        (
            {"kind": "shell", "call": "sort < {raw} > {out}", "arguments": {}},
            "sort < {raw} > {out}",
        ),
        (
            {"kind": "shell", "call": "cut {n}", "arguments": {"n": {"each": {"field": "raw"}}}},
            "cut {n}  with n=each raw",
        ),
        (
            {"kind": "python", "arguments": {"text": "[red]é", "none": None, "more": {"a": 1}}},
            'plot(text="[red]é", none=null, more={"a": 1})',
        ),
        (
            {
                "kind": "python",
                "arguments": {
                    "x": {
                        "unstored": {
                            "kind": "python",
                            "arguments": {"raw": {"field": "raw"}},
                            "part": None,
                        }
                    }
                },
            },
            "plot(x=unstored(raw=raw))",
        ),
        ({"kind": "python", "arguments": {"x": "y" * 100}}, f'plot(x="{"y" * 58}…)'),
        (None, "plot()"),
    ],
)
def test_calls(told: Any, expected: str) -> None:
    """A call reads like one: fields by name, keys and literals by value, long ones cut."""
    assert expected == call_in_words(made("Block.summary", arguments=told))


def test_nothing_is_cut_off(page: Any, terminal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns shows every word that plain lines have."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    show_provenance(page.console, found())
    show_provenance(console_for(terminal.stream), found())
    plain, narrow = (
        [word for word in one.text.split() if word not in "├──│└──"] for one in (page, terminal)
    )
    assert [word for word in plain if "/" not in word] == [w for w in narrow if "/" not in w]
