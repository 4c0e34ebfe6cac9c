"""What is written of submissions, and what a batch job reads of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from pointillist.errors import ConfigurationError, SpaceError
from pointillist.space.elements import read_element
from pointillist.space.index import Index, Known
from pointillist.space.layout import Layout
from pointillist.space.submissions import (
    SentArray,
    Submission,
    append,
    begun,
    close,
    open_submissions,
    submitting,
)

INDEX = Index(
    journals=[Known("j.jsonl", 7, 90, 80, "j", 5)],
    others={"a": [1], "b": [2, 3], "other": [4]},
    exclusions=[{"kind": "exclusion", "job": "b"}],
)
NEEDED = {"a": ["a", "b"], "b": ["b"], "c": ["c"]}


def make(layout: Layout) -> Submission:
    """Write down a submission of two arrays."""
    arrays = [
        SentArray("1", "Run.x", {"processes": 2}, {0: ["a", "b"], 1: ["c"]}, {"b": 3, "c": 1}),
        SentArray("2", "Run.y", {"processes": 1}, {5: ["a"]}),
    ]
    return begun(layout, arrays, INDEX, NEEDED)


def test_what_is_written_is_read(layout: Layout) -> None:
    """A submission is read as it was written, with what has happened since."""
    before = time.time()
    made = make(layout)
    append(
        layout,
        made.name,
        {"kind": "sent", "array": "1", "id": "77", "time": 5.0},
        {"kind": "withdrawn", "array": "1", "elements": [1]},
        {"kind": "ended", "array": "1", "state": "TIMEOUT", "elements": [0]},
    )
    (found,) = open_submissions(layout)
    assert made.name == found.name
    assert before <= found.start <= time.time()
    first, second = found.arrays.values()
    assert ("Run.x", {0: ["a", "b"], 1: ["c"]}) == (first.step, first.elements)
    assert ({"b": 3, "c": 1}, {}) == (first.counts, second.counts)
    assert ("77", 5.0, {1}, {0: "TIMEOUT"}) == (first.id, first.sent, first.withdrawn, first.ended)
    assert ([1], [5]) == (first.left, second.left)
    assert "" == second.id


def test_nothing_submitted(layout: Layout) -> None:
    """Where nothing was submitted there is nothing to read, and no folder is made."""
    assert [] == open_submissions(layout)
    assert not layout.submissions.exists()


def test_closed(layout: Layout) -> None:
    """A submission of which nothing is left is not read any more, but by late batch jobs."""
    made = make(layout)
    close(layout, made.name)
    assert [] == open_submissions(layout)
    assert {5: ["a"]} == read_element(layout, made.name, "2", 5).array.elements


def test_names_differ(layout: Layout) -> None:
    """Two submissions of one process within a second have different names, in order."""
    names = [make(layout).name for _ in range(3)]
    close(layout, names[0])
    names.append(make(layout).name)
    assert 4 == len(set(names))
    assert names[1:] == [found.name for found in open_submissions(layout)]


def test_element(layout: Layout) -> None:
    """A batch job gets its own jobs, and where the lines are on those that it needs."""
    made = make(layout)
    told = read_element(layout, made.name, "1", 0)
    assert ("Run.x", {"processes": 2}) == (told.array.step, told.array.options)
    assert {0: ["a", "b"]} == told.array.elements
    assert ({"a": [1], "b": [2, 3]}, INDEX.journals) == (told.index.others, told.index.journals)
    assert INDEX.exclusions == told.index.exclusions
    told = read_element(layout, made.name, "1", 1)
    assert ({}, []) == (told.index.others, told.index.journals)


def test_journals_of_an_element(layout: Layout) -> None:
    """A batch job reads journals of lines on its jobs, that may grow, or came since; no others."""
    layout.runs.mkdir(parents=True)
    known = []
    for n, age in enumerate((5000, 5000, 5000, 0)):
        path = layout.journal(f"j{n}")
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
        known.append(Known(path.name, n, 0, 0, f"j{n}", 0))
    index = Index({}, known, {"a": [2 << 44 | 7], "b": [0 << 44 | 9]})
    arrays = [
        SentArray("1", "Run.x", {}, {0: ["a"], 1: ["b"]}),
        SentArray("2", "Run.y", {}, {0: ["a"], 1: ["b"]}),
    ]
    name = begun(layout, arrays, index, {"a": ["a"], "b": ["b"]}).name
    told = read_element(layout, name, "2", 0)
    assert ["j2.jsonl", "j3.jsonl"] == [journal.name for journal in told.index.journals]
    assert {"a": [0 << 44 | 7]} == told.index.others
    new = [f"20300101T000000-node-1-{name}.{batch}" for batch in ("1.0", "1.1", "2.1", "1.0-2")]
    for runner in (*new, "20300101T000000-node-2", "20300101T000000-node-3-another.1.1"):
        layout.journal(runner).touch()
    layout.is_left_out = told.is_left_out
    read = {path.stem for path in layout.journals()}
    expected = {"j2", "j3", new[0], new[3], "20300101T000000-node-2"}
    assert {*expected, "20300101T000000-node-3-another.1.1"} == read


@pytest.mark.parametrize(("array", "element"), [("1", 2), ("3", 0), ("5", 5)])
def test_no_such_element(layout: Layout, array: str, element: int) -> None:
    """An element that is not there is an error that says where it was looked for."""
    made = make(layout)
    with pytest.raises(ConfigurationError, match=f"no element {element} of the array {array} .*"):
        read_element(layout, made.name, array, element)
    with pytest.raises(ConfigurationError, match="does not tell of it"):
        read_element(layout, "nothing", "1", 0)


def test_line_that_is_cut_short(layout: Layout) -> None:
    """A line whose writer died in the middle of it does not count."""
    made = make(layout)
    with layout.submission(made.name).open("ab") as file:
        file.write(b'{"kind":"sent","array":"1","id":"77"')
    (found,) = open_submissions(layout)
    assert "" == found.arrays["1"].id


def test_unreadable(layout: Layout) -> None:
    """What cannot be read is an error: what was submitted would else be submitted again."""
    layout.submissions.mkdir(parents=True)
    layout.submission("some").mkdir()
    with pytest.raises(SpaceError, match="It says what was submitted; make it readable"):
        open_submissions(layout)
    with pytest.raises(SpaceError, match="cannot be written to"):
        append(layout, "some", {"kind": "sent"})


def test_own_claim(lab: Callable[..., Any], layout: Layout) -> None:
    """Who changes submissions holds a claim of its own, and leaves it to nobody."""
    made = lab()

    def claims() -> list[str]:
        return [path.name for path in layout.own.iterdir() if "claim." in path.name]

    with submitting(made.space, made.journal):
        assert [".submission.claim.1"] == claims()
    assert [] == claims()
