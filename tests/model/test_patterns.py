"""Seed patterns: paths from keys, and keys from paths."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import DeclarationError, SeedPatternError
from pointillist.model.patterns import SeedPattern

KINDS: dict[str, type] = {
    "session": str,
    "index": int,
    "gain": float,
    "on": bool,
    "day": date,
    "start": datetime,
    "place": Path,
}
# Text that holds none of what separates the fields below, and is no '.' or '..'.
WORDS = st.text(st.characters(exclude_characters="/\0|.", exclude_categories=["Cs"]), min_size=1)
LITERALS = st.text(st.characters(exclude_characters="/\0{}|", exclude_categories=["Cs"]))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "session": WORDS,
    "index": st.integers(),
    "gain": st.floats(allow_nan=False).map(lambda value: value + 0.0),
    "on": st.booleans(),
    "day": st.dates(date(1000, 1, 1)),
    "start": st.datetimes(),
    "place": st.lists(WORDS, min_size=1, max_size=3).map(lambda parts: Path(*parts)),
}


def pattern(text: str, kinds: Mapping[str, type] = KINDS) -> SeedPattern:
    """Give the pattern of ``Recording.raw``."""
    return SeedPattern(text, kinds, "Recording.raw")


@given(st.data(), st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=5), LITERALS)
def test_round_trip(data: st.DataObject, names: list[str], literal: str) -> None:
    """What a pattern makes of keys, it reads back: any types, repeats, folders, literal text."""
    folders = data.draw(st.lists(st.sampled_from("|/"), min_size=len(names), max_size=len(names)))
    text = literal + "|" + "".join(f"{{{n}}}{sep}" for n, sep in zip(names, folders, strict=True))
    made = pattern(text)
    values = {name: data.draw(VALUES[name]) for name in made.fields}
    path = made.format(values)
    assert values == made.match(path)
    assert values == made.match(path.rstrip("/"))


@given(st.integers(0, 99999))
def test_padded_numbers(index: int) -> None:
    """``{index:03d}`` writes and reads numbers with zeros in front, longer ones too."""
    made = pattern("{session}/rec_{index:03d}.bin")
    path = made.format({"session": "a", "index": index})
    assert f"a/rec_{index:03d}.bin" == path
    assert {"session": "a", "index": index} == made.match(path)


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("{session}_{index:03d}.bin", "m_1_x_007.bin", {"session": "m_1_x", "index": 7}),
        ("{session}{index}", "mouse12", {"session": "mouse", "index": 12}),
        ("{session}/{session}_{index}.b", "a/a_1.b", {"session": "a", "index": 1}),
        ("{session}/{session}_{index}.b", "a/b_1.b", None),
        ("{index:03d}/{index}", "007/7", {"index": 7}),
        ("{index:03d}/{index}", "007/8", None),
        ("{day:%Y}/{day:%m}/{day}.csv", "2026/11/2026-11-20.csv", {"day": date(2026, 11, 20)}),
        ("{day:%Y}/{day:%m}/{day}.csv", "2026/12/2026-11-20.csv", None),
        ("{day:%Y}/{day:%m}/{day:%d}", "2024/02/29", {"day": date(2024, 2, 29)}),
        ("{day:%Y}/{day:%m}/{day:%d}", "2026/02/29", None),
        ("{day}_{day:%Y}_{day}", "2026-11-20_2026_2026-11-20", {"day": date(2026, 11, 20)}),
        ("{index}.bin", "x.bin", None),
        ("{index}.bin", "1xbin", None),
        ("{index}.bin", "1.bin\n", None),
        ("{session}.bin", "a/b.bin", None),
        ("{session}", "..", None),
        ("{place}/x", "m1/d2/x", {"place": Path("m1/d2")}),
        ("{place}/x", "../d2/x", None),
        ("a+(b)[c].*^$/{index}", "a+(b)[c].*^$/1", {"index": 1}),
        ("a.b/{index}", "axb/1", None),
        ("{{{index}}}", "{1}", {"index": 1}),
        ("rec/{session}/", "rec/a", {"session": "a"}),
        ("rec/{session}/", "rec/a/", {"session": "a"}),
        ("{session}.bin", "it's; rm -rf ~ \n\".bin", {"session": "it's; rm -rf ~ \n\""}),
        ("no fields.json", "no fields.json", {}),
    ],
)  # fmt: skip
def test_match(text: str, path: str, expected: dict[str, Any] | None) -> None:
    """A path gives its keys, or None if the pattern would not make it."""
    assert expected == pattern(text).match(path)


@pytest.mark.parametrize("bad", ["", "a/b", "/a", ".", "..", "a\0b"])
def test_text_keys_stay_in_their_folder(bad: str) -> None:
    """A key that would leave its place in the path is an error when the path is made."""
    with pytest.raises(SeedPatternError, match=r"the key session=.* cannot stand in this path"):
        pattern("recordings/{session}/raw.bin").format({"session": bad})


@pytest.mark.parametrize("bad", [Path("/etc"), Path("../x"), Path("a/../../x"), Path()])
def test_path_keys_stay_below_the_root(bad: Path) -> None:
    """A Path key may span folders, and does not lead out of the root."""
    with pytest.raises(SeedPatternError, match="cannot stand in this path"):
        pattern("{place}/raw.bin").format({"place": bad})


def test_dots_that_meet_do_not_escape() -> None:
    """Two keys that are harmless alone do not make '..' together."""
    with pytest.raises(SeedPatternError, match="cannot stand in this path"):
        SeedPattern("x/{a}{b}/y", {"a": str, "b": str}).format({"a": ".", "b": "."})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a path below its root"),
        ("/data/{index}", "must be a path below its root"),
        ("../{index}", "must be a path below its root"),
        ("a/../{index}", "must be a path below its root"),
        ("./{index}", "must be a path below its root"),
        ("a//{index}", "must be a path below its root"),
        ("{index", "is malformed: expected '}'"),
        ("{index}}", "is malformed: Single '}'"),
        ("{}", r"has the field \{\}, which is no key"),
        ("{session.name}", r"has the field \{session.name\}"),
        ("{index!r}", r"write \{index\} without !r"),
        ("{index:x}", "the key index cannot be read back from the format 'x': '3039' is not"),
        ("{session:>8}", "does not write all of a str"),
        ("{day:%Y/%m}", "writes a '/'; write a field for each folder"),
        ("{day:03d}", "writes '03d' for every date"),
        ("{index:{session}}", "cannot be read back"),
    ],
)
def test_errors(text: str, said: str) -> None:
    """A pattern that cannot be used is an error when it is made, and names its seed."""
    with pytest.raises(SeedPatternError, match=said) as caught:
        pattern(text)
    assert str(caught.value).startswith("Recording.raw = ")
    assert isinstance(caught.value, DeclarationError | ValueError)


def test_message_of_a_wrong_field() -> None:
    """The message of a misspelt field is that of the design."""
    with pytest.raises(SeedPatternError) as caught:
        pattern("rec_{index}.bin", {"session": str, "recording_index": int})
    assert (
        "Recording.raw = 'rec_{index}.bin' has the field {index}, which is no key of Recording.\n"
        "  keys: session, recording_index. Did you mean {recording_index}?"
    ) == str(caught.value)


def test_levels() -> None:
    """Each folder level has an expression, to leave out folders that cannot fit."""
    session, file = pattern("rec {session}/{index:03d}.b").levels()
    assert session.fullmatch("rec a")
    assert not session.fullmatch("a")
    assert file.fullmatch("007.b")
    assert not file.fullmatch("x.b")
    assert 1 == len(pattern("{session}/").levels())


@given(st.data())
def test_levels_fit_what_is_made(data: st.DataObject) -> None:
    """No folder level leaves out a path that the pattern makes."""
    made = pattern("a {day:%Y}/{session}_{index}/{session}/{gain}.b")
    path = made.format({name: data.draw(VALUES[name]) for name in made.fields})
    for level, part in zip(made.levels(), path.split("/"), strict=True):
        assert level.fullmatch(part)


def test_what_it_says_of_itself() -> None:
    """A pattern knows its fields, whether it is a folder, and what it leaves unsaid."""
    made = pattern("{day:%Y}/{session}/{place}/{session}/")
    assert ("day", "session", "place") == made.fields
    assert ("session", "place") == made.whole
    assert made.is_folder
    assert made.spans_folders
    assert not pattern("{session}").spans_folders
