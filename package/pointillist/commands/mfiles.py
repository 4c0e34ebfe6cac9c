"""MATLAB source files: what in them is code, and which of them call each other.

Read are both dialects: MATLAB's comments and strings and those of GNU Octave (``#``). In doubt text
counts as code, so that no change of code passes for a change of a comment.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

__all__ = ["source_files", "strip"]

_CALLED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_IMPORTED = re.compile(r"\bimport\s+([A-Za-z_][\w.]*)\.\*")
_PIECE = re.compile(
    r"(?P<space>\s+)|(?P<comment>[%#])|(?P<continuation>\.\.\.)|(?P<transpose>\.')"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+\.?(?!\.\.))|(?P<other>.)"
)
_STRINGS = {
    "'": re.compile(r"'(?:[^']|'')*'"),
    '"': re.compile(r'"(?:[^"\\]|""|\\[^"])*"'),
}
_KEYWORD = re.compile(
    r"break|case|catch|continue|do|else|elseif|end|for|function|global|if|otherwise|parfor"
    r"|persistent|return|switch|try|until|while|unwind_protect(_cleanup)?"
    r"|end(for|function|if|switch|while|_try_catch|_unwind_protect)"
)


def strip(source: str) -> str:
    """Take comments, blank lines, indentation and line continuations out of a source text.

    Parameters
    ----------
    source : str
        Text of an ``.m`` file.

    Returns
    -------
    str
        The code, a statement's continued lines joined; strings are kept as they are.
    """
    parts: list[str] = []
    for kind, text in _scan(source):
        if kind != "comment" and (text != " " or parts[-1:] != [" "]):
            parts.append(text)
    lines = (line.strip() for line in "".join(parts).split("\n"))
    return "".join(line + "\n" for line in lines if line)


def source_files(function: str, search_path: Sequence[Path]) -> list[Path]:
    """Find the file of a function, and the files of the search path that it calls.

    A name in the code that is also the name of a file counts as a call, directly or through other
    files; ``private`` folders, packages (``+name``, ``import name.*``) and the folders of classes
    (``@name``, with all methods) are looked into. Names in strings are not seen.

    Parameters
    ----------
    function : str
        Name as it is called: ``computeStats``, ``package.computeStats``.
    search_path : sequence of Path
        Folders, the first that has a file wins.

    Returns
    -------
    list of Path
        The function's own file first, then the others in order of path; empty when there is none.
    """
    first = _file_of(function, search_path)
    if first is None:
        return []
    found = set(_whole(first))
    todo = list(found)
    while todo:
        path = todo.pop()
        folders = [path.parent / "private", *search_path]
        if path.parent.name == "private":
            folders.insert(0, path.parent)
        for name in _names_in(path):
            called = _file_of(name, folders)
            for file in _whole(called):
                if file not in found:
                    found.add(file)
                    todo.append(file)
    return [first, *sorted(found - {first})]


def _file_of(function: str, folders: Sequence[Path]) -> Path | None:
    *packages, name = function.split(".")
    inner = Path(*(f"+{package}" for package in packages))
    places = [f / inner / n for f in folders for n in (f"{name}.m", f"@{name}/{name}.m")]
    return next((place for place in places if place.is_file()), None)


def _whole(file: Path | None) -> list[Path]:
    """Return a file, with all others of its class."""
    if file is None:
        return []
    return sorted(file.parent.glob("*.m")) if file.parent.name.startswith("@") else [file]


def _names_in(path: Path) -> set[str]:
    """Names in a file that could be calls; of ``a.b.c`` also ``a`` and ``a.b``."""
    source = path.read_text(encoding="utf-8", errors="surrogateescape")
    code = "".join(text if kind == "code" else " " for kind, text in _scan(source))
    names: set[str] = set()
    for match in _CALLED.finditer(code):
        words = match[0].split(".")
        names.update(".".join(words[:count]) for count in range(1, len(words) + 1))
    packages = _IMPORTED.findall(code)
    return names | {f"{package}.{name}" for package in packages for name in names}


def _scan(source: str) -> Iterator[tuple[str, str]]:
    """Cut a source text into pieces: code, string or comment; continued lines are joined."""
    brackets: list[str] = []
    depth = 0  # of block comments
    for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        mark = line.strip()
        if mark in ("%{", "#{") or (depth and mark in ("%}", "#}")):
            depth += 1 if mark[1] == "{" else -1
            yield "comment", line
        elif depth:
            yield "comment", line
        else:
            continued = yield from _scan_line(line, brackets)
            if continued:
                continue
        yield "code", "\n"


def _scan_line(line: str, brackets: list[str]) -> Generator[tuple[str, str], None, bool]:
    """Cut one line; return whether the next line continues it. ``brackets`` are the open ones."""
    position = 0
    value = False  # a value ends here: a quote that follows is a transpose
    spaced = True  # white space precedes
    start = not brackets  # of a statement
    command = False  # the statement so far is one word, as in: hold 'on'
    while position < len(line):
        match = _PIECE.match(line, position)
        assert match is not None  # the pattern's last alternative is any character
        kind, text = match.lastgroup, match[0]
        position = match.end()
        if kind == "space":
            spaced = True
            yield "code", " "
            continue
        if kind == "comment":
            yield "comment", line[match.start() :]
            return False
        if kind == "continuation":
            yield "code", " "
            yield "comment", line[match.start() :]
            return True
        if text == "'" and value and not (spaced and (command or brackets[-1:] in (["["], ["{"]))):
            kind = "transpose"
        elif text in ("'", '"'):
            string = _STRINGS[text].match(line, match.start())
            if string is None:  # unterminated, or the dialects disagree: keep it all
                yield "code", line[match.start() :]
                brackets.clear()  # what is closed in there was not seen
                return False
            kind, text, position = "string", string[0], string.end()
        elif text == "!" and start:  # a command of the operating system
            yield "code", line[match.start() :]
            return False
        elif text in ("(", "[", "{"):
            brackets.append(text)
        elif text in (")", "]", "}"):
            del brackets[-1:]
        keyword = not brackets and _KEYWORD.fullmatch(text) is not None
        command = kind == "word" and start and not keyword
        start = not brackets and (text in (";", ",") or keyword)
        value = kind in ("word", "number", "string", "transpose") and not keyword
        value = value or text in (")", "]", "}")
        spaced = False
        yield ("string" if kind == "string" else "code"), text
    return False
