"""Where values come from, as a tree from each value down to the raw files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from .quantities import bytes_in_words, local_time, seconds_in_words, short_hash

__all__ = ["call_in_words", "show_provenance"]

_COLOURS = {
    "unchanged": "green",
    "changed": "red",
    "gone": "red",
    "missing": "red",
    "appeared": "red",
}
_LONG = 60
_MOST = 6


def show_provenance(console: Console, found: Mapping[str, Any]) -> None:
    """Print where values come from.

    Parameters
    ----------
    console : Console
        Where to.
    found : Mapping
        As `plan.provenance.provenance` returns it.
    """
    tree = Tree(Text(f"{found['record']}  (job {found['job'][:8]})"), guide_style="bright_black")
    for node in found["values"]:
        _grow(tree, node, found, found["job"])
    console.print(tree, soft_wrap=False)  # else a terminal cuts long lines off
    if not found["values"]:
        console.print("it has no stored outputs: no step makes any on it")
    environments = found["environments"]
    first = next(iter(environments), "")
    for digest, environment in environments.items():
        said = _environment(environment)
        others = _differing(environments[first], environment)
        if others:
            said += f"; other packages than {short_hash(first)}: {others}"
        console.print(Text(f"environment {short_hash(digest)}: {said}"))


def _grow(tree: Tree, node: Mapping[str, Any], found: Mapping[str, Any], job: str) -> None:
    """Hang a value into the tree, below it what it was made of."""
    label = _value(node, job)
    for line in _lines(node, found):
        label.append(f"\n{line}", style="bright_black")
    branch = tree.add(label)
    for inner in node["inputs"]:
        _grow(branch, inner, found, node["job"])


def _value(node: Mapping[str, Any], job: str) -> Text:
    """Return a value's first line: whose it is, its file, and whether that is as it was."""
    whose = node["record"] or f"job {node['job'][:8]} (gone)"
    said = [node["field"] if node["job"] == job else f"{whose}  {node['field']}"]
    if node["path"]:
        said.append(node["path"] if node["kind"] == "seed" else node["path"].rpartition("/")[2])
    text = Text("  ".join(said))
    if node["kind"] == "unstored":
        return text
    text.append("  ")
    print_ = node["fingerprint"]
    if print_ is not None:
        size = bytes_in_words(print_["size"], print_.get("count"))
        digest = print_.get("hash")
        text.append(f"{size}, {'sha256 ' + short_hash(digest) if digest else 'not hashed'}, ")
    return text.append(node["now"], style=_COLOURS.get(node["now"], ""))


def _lines(node: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return the further lines of a value: how it was made, and what it was called with."""
    if node["kind"] in ("seed", "unknown"):
        return []
    lines = []
    attempt = found["attempts"].get(node["attempt"])
    if node["kind"] == "unstored":
        lines.append("not stored: computed when it is asked for")
    elif attempt is None:
        lines.append("made by no recorded attempt")
    elif node.get("above"):
        lines.append(f"{_head(attempt)}: as above")
    else:
        lines.append(_made(attempt))
        lines.append(f"  {call_in_words(attempt)}")
    vouched = found["attempts"].get(node.get("vouched"))
    if vouched is not None and vouched is not attempt:
        lines.append(_vouched(vouched))
    members = [member["record"] or f"job {member['job'][:8]}" for member in node.get("members", ())]
    if members:
        more = f"; … and {len(members) - _MOST} more" if len(members) > _MOST else ""
        lines.append(f"  members, in order: {'; '.join(members[:_MOST])}{more}")
    if node.get("unstored"):
        lines.append(f"  through {', '.join(node['unstored'])}, not stored")
    return lines


def _head(attempt: Mapping[str, Any]) -> str:
    if attempt["outcome"] != "complete":
        return _vouched(attempt)
    return f"attempt {attempt['number']} of {attempt['operation']}"


def _vouched(attempt: Mapping[str, Any]) -> str:
    note = f": {attempt['note']}" if attempt.get("note") else ""
    return f"{attempt['outcome']} {local_time(attempt['end'])}{_by(attempt)}{note}"


def _by(attempt: Mapping[str, Any]) -> str:
    if not attempt["user"] and not attempt["host"]:
        return f" by {attempt['runner']}"
    return f" by {attempt['user']}@{attempt['host']}"


def _made(attempt: Mapping[str, Any]) -> str:
    if attempt["outcome"] != "complete":
        said = [_head(attempt)]
    else:
        took = seconds_in_words(max(0.0, attempt["end"] - attempt["start"]))
        executor = f" ({attempt['executor']})" if attempt["executor"] else ""
        when = local_time(attempt["start"])
        said = [f"{_head(attempt)}, {when}, {took},{_by(attempt)}{executor}"]
    if attempt.get("version") is not None:
        said.append(f"version {attempt['version']}")
    elif attempt.get("source"):
        said.append(f"source {short_hash(attempt['source'])}")
    if attempt.get("environment"):
        said.append(f"environment {short_hash(attempt['environment'])}")
    return ", ".join(said)


def call_in_words(attempt: Mapping[str, Any]) -> str:
    """Return what an attempt was called with, in a line: fields by name, the rest by value."""
    told = attempt.get("arguments") or {}
    arguments = told.get("arguments") or {}
    name = told.get("call") or attempt.get("call") or attempt["operation"].rpartition(".")[2]
    if told.get("kind") == "matlab":
        return f"{name}({', '.join(_argument(value) for value in arguments.values())})"
    said = ", ".join(f"{n}={_argument(value)}" for n, value in arguments.items())
    if told.get("kind") == "shell":
        return f"{name}" + (f"  with {said}" if said else "")
    return f"{name}({said})"


def _argument(value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        ((kind, inner),) = value.items()
        if kind == "field":
            return str(inner)
        if kind == "each":
            return f"each {_argument(inner)}"
        if kind == "out":
            return f"out({inner!r})" if inner else "out"
        if kind == "unstored":
            return call_in_words({"arguments": inner, "operation": inner.get("part") or "unstored"})
    if isinstance(value, list):
        return f"[{', '.join(_argument(item) for item in value)}]"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _environment(environment: Mapping[str, Any]) -> str:
    said = [f"Python {environment.get('python')} ({environment.get('interpreter')})"]
    if environment.get("matlab"):
        said.append(str(environment["matlab"]))
    said.append(str(environment.get("host")))
    commit = environment.get("commit")
    said.append(f"commit {commit}" if commit else "in no git repository")
    return ", ".join(said)


def _differing(first: Mapping[str, Any], environment: Mapping[str, Any]) -> str:
    """Return the packages that an environment has in other versions than another one."""
    before, now = first.get("packages") or {}, environment.get("packages") or {}
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(f"{name} {now.get(name, '(none)')}" for name in names[:_MOST]) + more
