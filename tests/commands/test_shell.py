"""Shell templates: fields, quoting, and places where quoting would not hold."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointillist.commands.shell import fields, fill
from pointillist.errors import DeclarationError, UnknownField

NASTY_NAMES = [
    "'; rm -rf ~",
    "a\nb",
    'say "hi"',
    "$HOME `id` $(id)",
    "-rf",
    "~",
    "#no",
    "*",
    "grüße 😀",
    "\udce9\udcff",
    " ",
    "a\\",
    "!x",
    "{raw}",
    "3",
]


def words(command: str) -> list[str]:
    """Give the arguments that a real shell passes on, except the first."""
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    return [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("ffmpeg -i {raw} {out}", ["raw", "out"]),
        ("sort {raw} {out.spikes} {out.times} {raw}", ["raw", "out.spikes", "out.times"]),
        ("awk '{{print $1}}' {raw}", ["raw"]),
        ("true", []),
        ('x "$(cat {raw})"', ["raw"]),
        ("echo 'a' \"b\" $((1 << 2)) \\\n {raw} # note", ["raw"]),
        ("echo a#b {raw}", ["raw"]),
    ],
)
def test_fields_are_named_in_order(template: str, expected: list[str]) -> None:
    """Each field once, in order; doubled braces are the shell's."""
    assert expected == fields(template)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("echo {raw", 'single "{" at position 5'),
        ("echo raw}", 'single "}"'),
        ("awk '{print $1}' {raw}", '"{print \\$1}", which is no field'),
        ("echo {}", "which is no field"),
        ("echo {raw:03d}", "which is no field"),
        ("echo {a.b.c}", "which is no field"),
        ('echo "{raw}"', "inside quotes"),
        ("echo '{raw}'", "inside quotes"),
        ("echo `cat {raw}`", "inside backticks"),
        ("echo # {raw}", "inside a comment"),
        ("cat <<END\n{raw}\nEND", "inside a here-document"),
        ("echo \\{raw}", "after a backslash"),
        ("echo ${raw}", "after a \\$"),
        ('echo "$(cat "{raw}")"', "inside quotes"),
    ],
)
def test_malformed_or_unsafe_templates_are_refused(template: str, message: str) -> None:
    """A template that is no template, or where a value would not stay data, is an error at once."""
    with pytest.raises(DeclarationError, match=message):
        fields(template)


def test_any_file_name_is_one_word_of_a_real_shell() -> None:
    """Names meant to break out arrive as they are, alone, in a list and beside text."""
    paths = [Path("/data") / name for name in NASTY_NAMES]
    values = {"one": NASTY_NAMES[0], "paths": paths, "names": NASTY_NAMES}
    command = fill("printf '%s\\0' {paths} {names} pre{one}post", values)
    expected = [*map(str, paths), *NASTY_NAMES, f"pre{NASTY_NAMES[0]}post"]
    assert expected == words(command)


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_survives_a_real_shell(texts: list[str]) -> None:
    """Whatever text there is, the shell passes it on unchanged, also the empty one."""
    assert ["first", *texts] == words(fill("printf '%s\\0' first {texts}", {"texts": texts}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, "3"),
        (-0.1, "-0.1"),
        (1e300, "1e+300"),
        (True, "true"),
        (False, "false"),
        (None, "''"),
        ("", "''"),
        ([], ""),
        ([1, "a b"], "1 'a b'"),
        (datetime.date(2026, 3, 1), "2026-03-01"),
        (Path("-x"), "./-x"),
        ("-x", "-x"),
        (np.float64(0.5), "0.5"),
        (np.bool_(True), "true"),
    ],
)
def test_values_have_one_spelling(value: Any, expected: str) -> None:
    """Numbers, bools, dates, nothing and lists are spelled as documented."""
    assert expected == fill("{value}", {"value": value})


def test_a_number_before_a_redirection_stays_data(tmp_path: Path) -> None:
    """``{n}>{out}`` writes the number; it does not name a file descriptor."""
    out = tmp_path / "out"
    words(fill("printf %s {n}>{out}", {"n": 2, "out": out}))
    assert "2" == out.read_text()


def test_doubled_braces_are_braces() -> None:
    """What is doubled in the template is single in the command."""
    assert "awk '{print $1}' x ${HOME}" == fill("awk '{{print $1}}' {raw} ${{HOME}}", {"raw": "x"})


def test_an_unknown_field_is_named_with_a_suggestion() -> None:
    """The message names the field, the known names and the nearest one."""
    with pytest.raises(UnknownField, match=r"\{rwa\}.*\n.*raw, out\.a.*Did you mean \{raw\}\?"):
        fill("cat {rwa}", {"raw": 1, "out.a": 2})


@pytest.mark.parametrize("value", [{"a": 1}, object(), b"x", "a\0b", [[1]]])
def test_what_is_no_word_is_refused(value: Any) -> None:
    """A dict, an object, bytes, a null character or a nested list cannot be words."""
    with pytest.raises(DeclarationError, match=r"\{value\} is"):
        fill("echo {value}", {"value": value})
