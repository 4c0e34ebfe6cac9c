"""The five rules: what may differ between now and what the last good attempt saw.

==========  =======================================================================
output      an output is missing, or its size is not the recorded one
input       an input's content; above the hash limit, its size or time
argument    keys, literals, the command, members added, excluded, removed or reordered
version     the step's ``version=``
source      the step's source, where it has no version; shown, but by itself no run
==========  =======================================================================
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..model.records import Record
from ..space.attempts import Attempt, StoredOutput
from ..space.fingerprints import Fingerprint
from ..space.layout import JobFolder
from ..space.snapshot import Snapshot
from .states import Reason
from .tasks import Input, Needs, describe_members

__all__ = ["arguments", "inputs", "outputs", "source", "version"]


def outputs(
    attempt: Attempt, filenames: Mapping[str, str], folder: JobFolder, snapshot: Snapshot
) -> Iterator[Reason]:
    """Compare outputs with what an attempt made."""
    for name, filename in filenames.items():
        now = snapshot.output(folder, filename)
        made = attempt.outputs.get(name)
        if now is None:
            old = _size(made.print if made is not None else None)
            yield Reason("output", filename, old, "missing", f"output {filename} is missing")
        elif made is None or made.file != filename:
            old = made.file if made is not None else "none"
            text = f"output {filename} was made by no attempt"
            yield Reason("output", filename, old, filename, text)
        elif (made.print.size, made.print.count) != (now.size, now.count):
            yield Reason("output", filename, _size(made.print), _size(now))
        elif now.mtime < made.print.mtime and not _is_still(folder, filename, made, now, snapshot):
            text = f"output {filename} is older than what was made"
            yield Reason("output", filename, _time(made.print), _time(now), text)


def edited(
    attempt: Attempt, filenames: Mapping[str, str], folder: JobFolder, snapshot: Snapshot
) -> list[str]:
    """Return the outputs whose content is not what the attempt made, though the size is."""
    found = []
    for name, filename in filenames.items():
        now, made = snapshot.output(folder, filename), attempt.outputs.get(name)
        if now is not None and made is not None and now.mtime != made.print.mtime:
            if not _is_still(folder, filename, made, now, snapshot):
                found.append(filename)
    return found


def _is_still(
    folder: JobFolder, filename: str, made: StoredOutput, now: Fingerprint, snapshot: Snapshot
) -> bool:
    """Whether an output with another time is what was made; size and time alone if unhashed."""
    if made.print.hash is None:
        # archives and copies round times down, by up to two seconds
        return 0 <= made.print.mtime - now.mtime < _ROUNDED
    return snapshot.hash(folder.output(filename), now) == made.print.hash


_ROUNDED = 2_000_000_000
"""Nanoseconds by which the time of a copied file may be below that of the original."""


def inputs(
    attempt: Attempt, wanted: Mapping[str, Input], snapshot: Snapshot, members: list[Any] | None
) -> Iterator[Reason]:
    """Compare inputs with what an attempt saw; those of new members are the members' matter."""
    known = set(attempt.members or ())
    for name, source in wanted.items():
        now = snapshot.glance(source.path)
        if name not in attempt.inputs:
            is_members = members is not None and any(name.startswith(m.id) for m in members)
            if not is_members or name.partition("/")[0] in known:
                text = f"input {source.label} is new"
                yield Reason("input", source.label, "not there", _size(now), text)
            continue
        old = attempt.inputs[name]
        if old is None or now is None:
            archived = now is None and source.maker is None and attempt.outcome == "accepted"
            if old is not now and not archived:
                gone = "is gone" if now is None else "was not there before"
                text = f"input {source.label} {gone}"
                yield Reason("input", source.label, _size(old), _size(now), text)
        else:
            yield from _compare(source, old, now, snapshot)
    for name in attempt.inputs:
        owner, _, field = name.partition("/")
        if name not in wanted and owner not in known:  # that members are gone is told elsewhere
            yield Reason("input", name, text=f"input {field} of {owner[:8]}… is taken no more")


def _compare(
    source: Input, old: Fingerprint, now: Fingerprint, snapshot: Snapshot
) -> Iterator[Reason]:
    if old.same_glance(now) and not old.young:
        return
    if (old.size, old.count) != (now.size, now.count):
        yield Reason("input", source.label, _size(old), _size(now))
    elif old.hash is not None:
        new = snapshot.hash(source.path, now)
        if new != old.hash:
            yield Reason("input", source.label, f"content {old.hash[:8]}", f"content {new[:8]}")
    elif old.mtime != now.mtime:
        then, since = _time(old), _time(now)
        why = "above hash_limit, content is not compared"
        text = f"input {source.label} has another time ({then} → {since}; {why})"
        yield Reason("input", source.label, then, since, text)


def arguments(attempt: Attempt, needs: Needs, record: Record) -> Iterator[Reason]:
    """Compare arguments and members with what an attempt was called with."""
    now = [member.id for member in needs.members] if needs.members is not None else None
    old = attempt.members
    if now is not None and old is not None and now != old:
        names = describe_members(needs.members or [], record)
        new = [id for id in now if id not in old]
        gone = [id for id in old if id not in now]
        told = {
            "added": [names[id] for id in new if id not in needs.again],
            "included again": [names[id] for id in new if id in needs.again],
            "excluded": [needs.excluded[id] for id in gone if id in needs.excluded],
            "removed": [id[:8] + "…" for id in gone if id not in needs.excluded],
        }
        for word, which in told.items():
            if which:
                text = f"member {word}: {', '.join(which)}"
                yield Reason("argument", "members", f"{len(old)}", f"{len(now)}", text)
        if not new and not gone:
            place = next((n for n, id in enumerate(old) if now[n : n + 1] != [id]), 0)
            before, after = (_some([names[id] for id in ids[place:]]) for ids in (old, now))
            yield Reason("argument", "members", before, after, "members reordered")
    if _json(attempt.arguments or {}) != _json(needs.arguments):
        yield from _differing(attempt.arguments or {}, needs.arguments, "")


def _differing(old: Any, new: Any, where: str) -> Iterator[Reason]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*new, *(n for n in old if n not in new)]:
            inner = where if name in ("arguments", "unstored") else f"{where}.{name}".lstrip(".")
            yield from _differing(old.get(name), new.get(name), inner)
    elif _json(old) != _json(new):
        yield Reason("argument", where, _json(old), _json(new))


def version(attempt: Attempt, now: str | None) -> Iterator[Reason]:
    """Compare the step's version with an attempt's."""
    if attempt.version != now:
        yield Reason("version", "of the step", attempt.version or "none", now or "none")


def source(attempt: Attempt, now: str | None) -> Iterator[Reason]:
    """Compare the step's source with an attempt's; None where the project has none of it."""
    if attempt.source != now:
        old, new = (attempt.source or "none")[:8], (now or "none")[:8]
        yield Reason("source", "of the step", old, new)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _some(names: list[str]) -> str:
    return ", ".join([*names[:3], *(["…"] if len(names) > 3 else [])])


def _time(seen: Fingerprint) -> str:
    """Return a time in words, to the nanosecond, which may be all that differs."""
    seconds, nanoseconds = divmod(seen.mtime, 10**9)
    try:
        when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    except OverflowError:  # some file systems know years beyond 9999
        return f"{seen.mtime} ns"
    return f"{when}.{nanoseconds:09d} UTC"


def _size(seen: Fingerprint | None) -> str:
    if seen is None:
        return "not there"
    entries = "" if seen.count is None else f" in {seen.count} entries"
    return f"{seen.size} B{entries}"
