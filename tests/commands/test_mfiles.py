"""MATLAB sources: comments go, code and strings stay; which files belong to a function."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.commands.mfiles import source_files, strip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1; % note\n\n   y = 2 # octave\n", "x = 1;\ny = 2\n"),
        ("%{\nblock\n%{\ninner\n%}\nx\n%}\ny = 1;\n", "y = 1;\n"),
        ("#{\nblock\n#}\ny = 1;\n", "y = 1;\n"),
        ("x = '%d # %%'; % note", "x = '%d # %%';\n"),
        ('x = "50% # "; % note', 'x = "50% # ";\n'),
        ("x = 'it''s %'; % note", "x = 'it''s %';\n"),
        ("x = a'; % it's", "x = a';\n"),
        ("x = a.'; % it's", "x = a.';\n"),
        ("x = a ' ; % it's", "x = a ' ;\n"),
        ("x = {a' 'b %'}; % it's", "x = {a' 'b %'};\n"),
        ("x = [a 'b %']; % it's", "x = [a 'b %'];\n"),
        ("x = [f(a ')]; % it's", "x = [f(a ')];\n"),
        ("x = a(end)'; % it's", "x = a(end)';\n"),
        ("x = a(end'); % it's", "x = a(end');\n"),
        ("x = 'a'' %'; % note", "x = 'a'' %';\n"),
        ("x = [1 2]'; % it's", "x = [1 2]';\n"),
        ("x = 3'; % it's", "x = 3';\n"),
        ("disp 'a % b' % note", "disp 'a % b'\n"),
        ("case 'a % b' % note", "case 'a % b'\n"),
        ("if x, disp 'a % b', end % note", "if x, disp 'a % b', end\n"),
        ("f(a, ... first % it's\n    b); % second", "f(a, b);\n"),
        ("x = [1 ...\n 2\n 3];", "x = [1 2\n3];\n"),
        ("x = 1...\n + 2;", "x = 1 + 2;\n"),
        ("x = '...'; % note", "x = '...';\n"),
        ("!grep '%' x", "!grep '%' x\n"),
        ("x = 1;\r\ny = 2; % note\r\n", "x = 1;\ny = 2;\n"),
        ("   % only a comment", ""),
        ("", ""),
    ],
)
def test_only_code_and_strings_stay(source: str, expected: str) -> None:
    """Comments, blank lines, indentation and continuations go; quotes are told apart."""
    assert expected == strip(source)


@pytest.mark.parametrize(
    "line", ['x = "a\\"; y = "50% of";', 'x = "say \\"100% "; y = 1', "x = 'a %"]
)
def test_in_doubt_everything_stays(line: str) -> None:
    """Where the dialects disagree about a string, nothing is taken for a comment."""
    assert line + "\n" == strip(line)


def test_a_doubtful_line_does_not_spoil_the_next() -> None:
    """A bracket that is closed in doubtful text does not make later strings look transposed."""
    source = 'x = f("a"b");\ncase \'50 % off\'\n'
    assert source == strip(source)


@given(st.lists(st.sampled_from(["x", "'", '"', "%", "...", "\n", " ", "[", "]", "%{", "1", ";"])))
def test_stripping_twice_changes_nothing(parts: list[str]) -> None:
    """What is left has nothing more to strip, whatever the source, unless lines came together."""
    once = strip("".join(parts))
    assert all(line == line.strip() and line for line in once.splitlines())
    if "..." not in parts and "%{" not in parts:
        assert once == strip(once)


def test_stripped_code_does_the_same(tmp_path: Path) -> None:
    """Octave computes the same from a function with and without its comments."""
    source = (
        "function y = f() % it's a note\n%{\n y = 0;\n%}\n"
        "  a = [1, 2; ... rows\n 3, 4]'; % transposed\n"
        "  s = {'%', \"#\", 'it''s'}; # texts\n"
        "  y = [a(:)', numel([s{:}])];\nend\n"
    )
    (tmp_path / "f.m").write_text(source)
    (tmp_path / "g.m").write_text(strip(source).replace("f()", "g()"))
    command = ["octave-cli", "-qf", "--no-history", "--eval", "disp(f()); disp(g());"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ["1 2 3 4 6"] * 2 == [" ".join(line.split()) for line in done.stdout.splitlines()]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Give a folder of functions that call each other."""
    files = {
        "main.m": "function main()\n x = first(1); % notCalled\n y = 'inString'; pk.inner(x);\nend",
        "first.m": "function y = first(x)\n y = hidden(x) + cellfun(@second, {x}); end",
        "second.m": "function y = second(x)\n y = first(x); end",
        "notCalled.m": "function notCalled(), end",
        "inString.m": "function inString(), end",
        "private/hidden.m": "function y = hidden(x), y = deeper(x); end",
        "private/deeper.m": "function y = deeper(x), y = x; end",
        "+pk/inner.m": "function inner(x), end",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_called_files_are_found_transitively(sources: Path) -> None:
    """A function's own file comes first; then what it calls, also private and in packages."""
    names = ["main.m", "+pk/inner.m", "first.m", "private/deeper.m", "private/hidden.m", "second.m"]
    assert [sources / name for name in names] == source_files("main", [sources])
    assert [sources / "+pk" / "inner.m"] == source_files("pk.inner", [sources])


def test_classes_and_imports(tmp_path: Path) -> None:
    """A class is all files of its folder; names are looked up in packages that are imported."""
    files = {
        "main.m": "function main()\n import pk.sub.*\n x = Signal(1); x.low(); inner(x);\nend",
        "@Signal/Signal.m": "function s = Signal(x), s = class(struct(), 'Signal'); end",
        "@Signal/low.m": "function low(s), helper(s); end",
        "+pk/+sub/inner.m": "function inner(x), end",
        "+pk/+sub/other.m": "function other(x), end",
        "+pk/inner.m": "function inner(x), end",
        "helper.m": "function helper(x), end",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    names = ["main.m", "+pk/+sub/inner.m", "@Signal/Signal.m", "@Signal/low.m", "helper.m"]
    assert [tmp_path / name for name in names] == source_files("main", [tmp_path])


def test_the_first_folder_wins(sources: Path, tmp_path: Path) -> None:
    """A function in two folders of the search path is the one in the first."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "first.m").write_text("function y = first(x), y = x; end")
    assert [other / "first.m"] == source_files("first", [other, sources])


def test_an_unknown_function_has_no_files(sources: Path) -> None:
    """A function of the program itself has no sources here."""
    assert [] == source_files("numel", [sources])


def test_a_source_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    """Old sources in Latin-1 do not stop the search."""
    (tmp_path / "old.m").write_bytes("function old() % grüße\n new(); end".encode("latin-1"))
    (tmp_path / "new.m").write_text("function new(), end")
    assert [tmp_path / "old.m", tmp_path / "new.m"] == source_files("old", [tmp_path])
