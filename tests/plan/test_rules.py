"""The five rules, each with every reason that it gives."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.plan import rules
from pointillist.plan.tasks import Input, Needs
from pointillist.space.attempts import Attempt, StoredOutput
from pointillist.space.fingerprints import Fingerprint, look
from pointillist.space.layout import JobFolder
from pointillist.space.snapshot import Snapshot

JOB = "0" * 32


def attempt(**more: Any) -> Attempt:
    """Return a complete attempt."""
    return Attempt("Item.text", JOB, "complete", 1, 0.0, 1.0, more.pop("inputs", {}), **more)


def texts(found: Any) -> list[str]:
    """Return reasons in words."""
    return [str(reason) for reason in found]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A job's folder with one file."""
    (tmp_path / "text.txt").write_text("some text")
    return tmp_path


def judge_output(place: Path, made: Fingerprint | None, name: str = "text.txt") -> list[str]:
    """Return why the output ``text`` is not what was made."""
    outputs = {} if made is None else {"text": StoredOutput(name, made)}
    return texts(
        rules.outputs(attempt(outputs=outputs), {"text": "text.txt"}, JobFolder(place), Snapshot())
    )


def seen(path: Path, limit: int = 1000) -> Fingerprint:
    """Return what is at a path."""
    found = look(path, limit)
    assert found is not None
    return found


def test_output_as_made(place: Path) -> None:
    """An output as it was made gives no reason."""
    assert [] == judge_output(place, seen(place / "text.txt"))


def test_output_missing(place: Path) -> None:
    """An output that is missing is named by its file."""
    made = seen(place / "text.txt")
    (place / "text.txt").unlink()
    assert ["output text.txt is missing"] == judge_output(place, made)


def test_output_of_no_attempt(place: Path) -> None:
    """An output that the attempt did not make, or under another name, is not complete."""
    assert ["output text.txt was made by no attempt"] == judge_output(place, None)
    made = seen(place / "text.txt")
    assert ["output text.txt was made by no attempt"] == judge_output(place, made, "old.txt")


def test_output_size(place: Path) -> None:
    """Another size is shown with both sizes."""
    made = seen(place / "text.txt")
    (place / "text.txt").write_text("so")
    assert ["output text.txt changed (9 B → 2 B)"] == judge_output(place, made)


def test_output_folder(tmp_path: Path) -> None:
    """A folder that lost a file is shown with its entries."""
    folder = tmp_path / "text.txt"
    folder.mkdir()
    (folder / "a").write_text("abc")
    (folder / "b").touch()
    made = seen(folder)
    (folder / "b").unlink()
    assert ["output text.txt changed (3 B in 2 entries → 3 B in 1 entries)"] == judge_output(
        tmp_path, made
    )


@pytest.mark.parametrize(
    ("limit", "earlier", "same", "why"),
    [
        (1000, 10**9, False, ["output text.txt is older than what was made"]),
        (1000, 10**9, True, []),
        (0, 10**9, False, []),  # unhashed, and copies round times down
        (0, 3 * 10**9, False, ["output text.txt is older than what was made"]),
        (1000, -(10**9), False, []),  # newer: edited
    ],
)
def test_output_older(place: Path, limit: int, earlier: int, same: bool, why: list[str]) -> None:
    """An older output of the same size is not what was made, unless its content is."""
    path = place / "text.txt"
    made = seen(path, limit)
    if not same:
        path.write_text("another 1")
    os.utime(path, ns=(made.mtime - earlier, made.mtime - earlier))
    assert why == judge_output(place, made)


def test_edited(place: Path) -> None:
    """Edited is what has another time and another content, and only that."""
    path = place / "text.txt"
    made = attempt(outputs={"text": StoredOutput("text.txt", seen(path))})
    files, folder = {"text": "text.txt"}, JobFolder(place)
    assert [] == rules.edited(made, files, folder, Snapshot())
    os.utime(path, ns=(2 * 10**18, 2 * 10**18))
    assert [] == rules.edited(made, files, folder, Snapshot())
    path.write_text("same size")
    os.utime(path, ns=(2 * 10**18, 2 * 10**18))
    assert ["text.txt"] == rules.edited(made, files, folder, Snapshot())


def judge_input(
    path: Path, old: Fingerprint | str | None, members: list[Any] | None = None, job: str = JOB
) -> list[str]:
    """Return why the input ``raw`` is not what was seen; a text for not seen at all."""
    name = f"{job}/raw"
    known = {} if isinstance(old, str) else {name: old}
    wanted = {name: Input(name, str(path), str(path.parent))}
    return texts(rules.inputs(attempt(inputs=known), wanted, Snapshot(), members))


def test_input(place: Path) -> None:
    """Inputs: as it was, gone, new, there at last."""
    path = place / "text.txt"
    assert [] == judge_input(path, seen(path))
    assert ["input text.txt was not there before"] == judge_input(path, None)
    assert ["input text.txt is new"] == judge_input(path, "not seen")
    assert ["input gone is gone"] == judge_input(place / "gone", seen(path))
    assert [] == judge_input(place / "gone", None)


def test_input_of_a_new_member(place: Path) -> None:
    """An input of a member that was not there is told with the members, not by itself."""
    path = place / "text.txt"
    members = [SimpleNamespace(id="1" * 32)]
    assert [] == judge_input(path, "not seen", members, "1" * 32)
    assert ["input text.txt is new"] == judge_input(path, "not seen", members, "2" * 32)


def test_input_content(place: Path) -> None:
    """Of the same size the content decides, whatever the time says."""
    path = place / "text.txt"
    old = seen(path)
    os.utime(path, ns=(1, 1))
    assert [] == judge_input(path, old)
    path.write_text("same size")
    [why] = judge_input(path, old)
    assert why.startswith(f"input text.txt changed (content {str(old.hash)[:8]} → content ")


def test_input_young(place: Path) -> None:
    """What was written right before it was seen is compared by content, at the same time too."""
    path = place / "text.txt"
    status = path.stat()
    old = look(path, 1000, now=status.st_mtime_ns)
    assert old is not None and old.young
    assert [] == judge_input(path, old)
    path.write_text("same size")
    os.utime(path, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert ["content" in why for why in judge_input(path, old)] == [True]


def test_input_above_the_limit(place: Path) -> None:
    """Above the hash limit the time decides, and the reason says so."""
    path = place / "text.txt"
    old = seen(path, 3)
    assert old.hash is None and [] == judge_input(path, old)
    os.utime(path, ns=(10**18, 10**18))
    old = seen(path, 3)
    os.utime(path, ns=(1, 1))
    assert [
        "input text.txt has another time (2001-09-09 01:46:40.000000000 UTC → 1970-01-01 "
        "00:00:00.000000001 UTC; above hash_limit, content is not compared)"
    ] == judge_input(path, old)


def judge_arguments(old: Any, new: Any) -> list[str]:
    """Return how arguments differ."""
    needs = Needs(arguments=new)
    return texts(rules.arguments(attempt(arguments=old), needs, SimpleNamespace()))  # type: ignore[arg-type]  # not asked without members


def call(**arguments: Any) -> dict[str, Any]:
    """Return a call as it is described."""
    return {"kind": "shell", "call": "cp {raw} {out}", "arguments": arguments}


def test_arguments() -> None:
    """Each argument that differs is named by its path, with both values."""
    assert [] == judge_arguments(call(a=1), call(a=1))
    assert ["argument a changed (1 → 2)"] == judge_arguments(call(a=1), call(a=2))
    assert ["argument a changed (null → 2)"] == judge_arguments(call(), call(a=2))
    assert ["argument a changed (2 → null)"] == judge_arguments(call(a=2), call())
    assert ["argument a.b changed ([1] → [1, 2])"] == judge_arguments(
        call(a={"b": [1], "c": 3}), call(a={"b": [1, 2], "c": 3})
    )
    assert ['argument call changed ("cp {raw} {out}" → "mv {raw} {out}")'] == judge_arguments(
        call(), {**call(), "call": "mv {raw} {out}"}
    )
    unstored = {"unstored": {"kind": "python", "arguments": {"rate": 5}}}
    slower = {"unstored": {"kind": "python", "arguments": {"rate": 4}}}
    assert ["argument signal.rate changed (5 → 4)"] == judge_arguments(
        call(signal=unstored), call(signal=slower)
    )
    assert ['argument a changed ("ü" → "\\n")'] == judge_arguments(call(a="ü"), call(a="\n"))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_equal_arguments(value: Any) -> None:
    """Equal arguments give no reason, whatever they are; others give one."""
    assert [] == judge_arguments(call(a=value), call(a=value))
    assert 1 == len(judge_arguments(call(a=value), call(a=[value, "more"])))


def judge_members(old: list[str], new: list[str]) -> list[str]:
    """Return how members differ; they are called by their ids."""
    members = [SimpleNamespace(id=id, key_texts=lambda id=id: {"n": f"n={id}"}) for id in new]
    whole = SimpleNamespace(key_texts=lambda: {"group": "group=a"})
    needs = Needs(members=members)
    return texts(rules.arguments(attempt(members=old, arguments={}), needs, whole))  # type: ignore[arg-type]  # all that is asked


def test_members() -> None:
    """Members that were added, removed or reordered are told by name."""
    assert [] == judge_members(["1", "2"], ["1", "2"])
    assert ["member added: n=3, n=4"] == judge_members(["1"], ["3", "1", "4"])
    assert ["member removed: 2…"] == judge_members(["1", "2"], ["1"])
    assert ["member added: n=3", "member removed: 1…"] == judge_members(["1"], ["3"])
    assert ["members reordered"] == judge_members(["1", "2"], ["2", "1"])


def test_version_and_source() -> None:
    """Versions and sources that differ are shown, also where there was or is none."""
    assert [] == texts(rules.version(attempt(version="1"), "1"))
    assert ["none → 2"] == [w.split("(")[1][:-1] for w in texts(rules.version(attempt(), "2"))]
    assert ["1 → none"] == [
        w.split("(")[1][:-1] for w in texts(rules.version(attempt(version="1"), None))
    ]
    assert [] == texts(rules.source(attempt(), None))
    assert [] == texts(rules.source(attempt(source="a" * 32), "a" * 32))
    assert ["source of the step changed (aaaaaaaa → bbbbbbbb)"] == texts(
        rules.source(attempt(source="a" * 32), "b" * 32)
    )
    assert ["source of the step changed (none → bbbbbbbb)"] == texts(
        rules.source(attempt(), "b" * 32)
    )
