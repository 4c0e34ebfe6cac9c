"""Records that are told to be settled at a glance are so by a full judgement."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointillist.errors import PointillistError, RecordNotFound
from pointillist.plan import settled
from pointillist.plan.states import State
from pointillist.plan.tasks import Task
from pointillist.space import division, memory
from pointillist.space.dataspace import DataSpace
from pointillist.space.index import read_index

from .conftest import Judged

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def clean(raw: Path, name: int, factor: float = 1.0) -> str:
    return raw.read_text() * name


@pt.step(version="1")
def halves(text: str) -> dict[str, str]:
    return {"first": text[:2], "second": text[2:]}


class Item(pt.Record):
    group: str = pt.key()
    name: int = pt.key()
    raw: Path = pt.seed("raw/{group}_{name}.txt")

    clean: str = clean.step(raw, name).to()
    cut = halves.step(clean)
    first: str = cut.output("first").to()
    second: str = cut.output("second").to()
    copy: Path = pt.shell("cp {first} {out}").to("copy.txt")


class Lab(pt.Project):
    records = (Item,)
"""

MORE = """
    more: Path = pt.shell('cp {copy} {out}').to('more.txt')


class Lab"""


def _job(lab: Judged) -> Path:
    """Return the first job's folder, made if there is none."""
    jobs = [path for path in (lab.root / "workspace").iterdir() if path.name[0] != "."]
    if not jobs:
        lab.raw("c_4", "new")
        lab.lab.discover()
        return _job(lab)
    return min(jobs)


def _rewrite(lab: Judged, name: str, keep: bool) -> None:
    """Write other bytes of the same number into a file, maybe with its old time."""
    path = _job(lab) / name if name != "raw" else lab.root / "raw/a_1.txt"
    if path.is_file():
        before = path.stat()
        path.write_bytes(path.read_bytes()[::-1])
        if keep:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _record(lab: Judged) -> Any:
    """Return the record of the first job's folder."""
    id = _job(lab).name
    for record in lab.lab[lab.module.Item]:
        if record.id == id:
            return record
    raise RecordNotFound(f"{id} cannot be read")


def _change_index(lab: Judged, change: Callable[[bytes], bytes]) -> None:
    index = lab.root / ".pointillist/index"
    if index.exists():
        (lab.root / "index.1").write_bytes(index.read_bytes())
        index.write_bytes(change(index.read_bytes()))


def _copy(lab: Judged) -> None:
    """Put a copy of the whole project in its place, index and all, with the times of before."""
    aside = lab.root.with_name("aside")
    lab.root.rename(aside)
    shutil.copytree(aside, lab.root)
    shutil.rmtree(aside)


def _reset_and_put_back(lab: Judged) -> None:
    """Reset a record, and put its outputs back as from another copy, with their times."""
    folder = _job(lab)
    aside = shutil.copytree(folder, lab.root / "aside", dirs_exist_ok=True)
    lab.lab.reset(_record(lab))
    shutil.copytree(aside, folder, dirs_exist_ok=True)
    shutil.rmtree(aside)


def _look_at_one(lab: Judged) -> None:
    planner = lab.lab.engine.planner()
    planner.judge(next(planner.tasks()))
    planner.keep()


def _longest_journal(lab: Judged) -> Path:
    """Return it; an empty one is made where there is none."""
    runs = lab.root / ".pointillist/runs"
    found = sorted(runs.glob("*.jsonl"), key=lambda p: p.stat().st_size)
    if not found:
        found = [runs / "20200101T000000-h-2.jsonl"]
        found[0].touch()
    return found[-1]


def _edit_line(lab: Judged, edit: Callable[[dict[str, Any]], object]) -> None:
    """Change the last attempt on some job in the longest journal."""
    path = _longest_journal(lab)
    lines = path.read_text().splitlines()
    for number in range(len(lines) - 1, 0, -1):
        data = json.loads(lines[number])
        if data["kind"] == "attempt":
            edit(data)
            lines[number] = json.dumps(data)
            break
    aside = path.with_suffix(".new")  # as editors do
    aside.write_text("\n".join(lines) + "\n")
    aside.replace(path)


def _with_more(lab: Judged) -> None:
    """Give a job a twin: another state point, with the same keys."""
    record = _record(lab)
    twin = lab.lab.open_job({**record.job.statepoint(), "more": lab.root.stat().st_mtime_ns})
    twin.init()


def _make_folder(lab: Judged) -> None:
    place = _job(lab) / "copy.txt"
    if place.is_file():
        place.unlink()
        place.mkdir()


EDITS: dict[str, Callable[[Judged], object]] = {
    "run": lambda lab: lab.run(),
    "rewrite an output": lambda lab: _rewrite(lab, "clean.txt", keep=False),
    "rewrite an output, its time kept": lambda lab: _rewrite(lab, "first.txt", keep=True),
    "rewrite the last output": lambda lab: _rewrite(lab, "copy.txt", keep=False),
    "rewrite a seed": lambda lab: _rewrite(lab, "raw", keep=False),
    "remove an output": lambda lab: (_job(lab) / "second.txt").unlink(missing_ok=True),
    "remove a seed": lambda lab: (lab.root / "raw/a_1.txt").unlink(missing_ok=True),
    "an output becomes a folder": _make_folder,
    "a foreign file": lambda lab: (_job(lab) / "notes.md").write_text("mine"),
    "a foreign claim": lambda lab: (_job(lab) / ".clean.claim.1").write_text("whose?"),
    "accept": lambda lab: lab.lab.accept(_record(lab), note="good"),
    "reset": lambda lab: lab.lab.reset(_record(lab)),
    "reset and put back": lambda lab: _reset_and_put_back(lab),
    "exclude": lambda lab: lab.lab.exclude(_record(lab), reason="bad"),
    "include": lambda lab: lab.lab.include(_record(lab)),
    "a literal": lambda lab: lab.write(PROJECT.replace("(raw, name)", "(raw, name, 2.0)")),
    "a literal of another type": lambda lab: lab.write(
        PROJECT.replace("(raw, name)", "(raw, name, 1)")
    ),
    "a version": lambda lab: lab.write(PROJECT.replace('"1"', '"2"')),
    "a source": lambda lab: lab.write(PROJECT.replace("* name", "* name + ''")),
    "a file name": lambda lab: lab.write(PROJECT.replace("copy.txt", "copied.txt")),
    "one step more": lambda lab: lab.write(PROJECT.replace("\n\nclass Lab", MORE)),
    "as it was": lambda lab: lab.write(PROJECT),
    "no journal": lambda lab: _longest_journal(lab).unlink(),
    "a journal twice": lambda lab: (
        lab.root / ".pointillist/runs/20200101T000000-h-1.jsonl"
    ).write_bytes(_longest_journal(lab).read_bytes()),
    "failed since": lambda lab: _edit_line(lab, lambda data: data.update(outcome="failed")),
    "numbers of no sense": lambda lab: _edit_line(lab, lambda data: data.update(number=1.5)),
    "without outputs": lambda lab: _edit_line(lab, lambda data: data.pop("outputs", None)),
    "a look at one job": lambda lab: _look_at_one(lab),
    "no index": lambda lab: (lab.root / ".pointillist/index").unlink(missing_ok=True),
    "a torn index": lambda lab: _change_index(lab, lambda content: content[:-1]),
    "a wrong index": lambda lab: _change_index(lab, lambda content: content[:-9] + content[-8:]),
    "rubbish": lambda lab: _change_index(lab, lambda content: b"rubbish"),
    "an index of before": lambda lab: _change_index(
        lab, lambda content: next(iter(lab.root.glob("index.*"))).read_bytes()
    ),
    "a copy": lambda lab: _copy(lab),
    "another job": lambda lab: (lab.raw("b_3", "other"), lab.lab.discover()),
    "a job is gone": lambda lab: shutil.rmtree(_job(lab)),
    "a wrong state point": lambda lab: (_job(lab) / "signac_statepoint.json").write_text("{"),
    "a twin": lambda lab: _with_more(lab),
    "of another form": lambda lab: _edit_line(lab, lambda data: data.update(arguments=[])),
}


class _Nothing:
    """Tells of no record that it is settled."""

    def __contains__(self, record: object) -> bool:
        return False

    def forget(self, record: object) -> None:
        """Know as little as before."""


Seen = tuple[dict[Any, Any], list[str], list[str]]
"""Verdicts, the labels of the records in their order, and what is wrong with others."""


def _records(space: DataSpace) -> tuple[list[str], list[str]]:
    labels = [record.label for cls in space.classes for record in space.records(cls).values()]
    return labels, sorted(map(str, space.problems))


def all_at_once(lab: Judged) -> Seen:
    """Return what is seen when all jobs are looked at before any record is asked for."""
    engine = lab.lab.engine
    planner = engine.planner()
    planner.glance()
    [cls] = engine.space.classes
    steps = [step for step in cls.__steps__.values() if step.stored]
    settled = {
        (step.operation, id): planner.judge(Task(engine.space.records(cls)[id], step))
        for id in planner.settled(cls)
        for step in steps
    }
    assert {State.COMPLETE} >= {verdict.state for verdict in settled.values()}
    others = {task.key: planner.judge(task) for task in planner.tasks(but_settled=True)}
    assert set() == settled.keys() & others.keys()
    planner.keep()
    return {**settled, **others}, *_records(engine.space)


def judged_twice(lab: Judged) -> tuple[Seen, Seen, int]:
    """Return what is seen at a glance and in full, and how many tasks are of settled records.

    The first look may use the index and keeps it; the second has none. In between all is looked at
    at once, which must show the same.
    """
    engine = lab.lab.engine
    planner = engine.planner()
    at_a_glance = {task.key: planner.judge(task) for task in planner.tasks()}
    count = sum(planner.is_settled(task.record) for task in planner.tasks())
    planner.keep()
    seen = at_a_glance, *_records(engine.space)
    assert seen == all_at_once(lab)
    index = lab.root / ".pointillist/index"
    kept = index.read_bytes() if index.exists() else None
    index.unlink(missing_ok=True)
    engine = lab.lab.engine
    planner = engine.planner()
    planner._settled = _Nothing()  # type: ignore[assignment]
    in_full = {task.key: planner.judge(task) for task in planner.tasks()}
    if kept is not None:
        index.write_bytes(kept)
    return seen, (in_full, *_records(engine.space)), count


@pytest.fixture(autouse=True, scope="module")
def always_worth_it() -> Iterator[None]:
    """Let the index be written whenever something new was seen, and each job have a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settled, "WORTH", 1)
        patch.setattr(settled, "SHARE", 1)
        patch.setattr(division, "_is_alone", lambda: True)
        yield


def made(root: Path) -> Judged:
    """Make a project that was run."""
    lab = Judged(root, PROJECT)
    for name in (1, 2):
        lab.raw(f"a_{name}", f"abcd{name}")
    for path in (root / "raw").iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    lab.lab.discover()
    assert 6 == lab.run()
    until_indexed(lab, 2)
    return lab


def until_indexed(lab: Judged, count: int) -> None:
    """Look again until so many jobs are old enough to be believed."""
    layout = lab.lab.engine.space.layout
    while (index := read_index(layout)) is None or len(index.sheets["Item"].ids) < count:
        judged_twice(lab)


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(EDITS)), max_size=4))
def test_never_another_answer(edits: list[str]) -> None:
    """Whatever happened to a project, each task's state and reasons are those of a full look."""
    with tempfile.TemporaryDirectory() as folder:
        lab = made(Path(folder, "lab"))
        for edit in edits:
            with contextlib.suppress(PointillistError):  # there may be nothing to accept
                EDITS[edit](lab)
            actual, expected, _ = judged_twice(lab)
            assert expected == actual
    for name in [name for name in sys.modules if name.startswith("judged_")]:
        del sys.modules[name]


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_one_edit(tmp_path: Path, edit: str) -> None:
    """After each kind of change, too; what it does not touch stays settled."""
    lab = made(tmp_path / "lab")
    assert 6 == judged_twice(lab)[2]
    EDITS[edit](lab)
    actual, expected, count = judged_twice(lab)
    assert expected == actual
    everywhere = ("a literal", "a version", "a source", "a file name", "one step", "no journal")
    assert (0 if edit.startswith(everywhere) else count or 3) == count


def test_what_the_index_knows_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look reads no state point and no line of a journal; after an edit of one job."""
    lab = made(tmp_path / "lab")
    read: list[str] = []
    parsed, keys_of = memory.parsed, DataSpace.keys_of
    monkeypatch.setattr(memory, "parsed", lambda line: read.append("line") or parsed(line))
    monkeypatch.setattr(DataSpace, "keys_of", lambda *of: read.append("keys") or keys_of(*of))
    planner = lab.lab.engine.planner()
    assert [State.COMPLETE] * 6 == [planner.judge(task).state for task in planner.tasks()]
    assert [] == read
    (_job(lab) / "notes.md").touch()
    planner = lab.lab.engine.planner()
    assert [State.COMPLETE] * 6 == [planner.judge(task).state for task in planner.tasks()]
    assert ["line"] * 3 == read


def test_lines_that_nobody_looked_at_stay_known(tmp_path: Path) -> None:
    """What was recorded of a job is not lost when the index is written after a look at another."""
    lab = made(tmp_path / "lab")
    first, second = lab.lab[lab.module.Item]
    lab.lab.reset(second)
    (Path(first.folder) / "notes.md").touch()
    for _ in range(2):
        while max(Path(first.folder).stat().st_ctime_ns, 0) > time.time_ns() - 50_000_000:
            time.sleep(0.005)  # else it is too young for the index
        _look_at_one(lab)
    actual, expected, _ = judged_twice(lab)
    assert expected == actual
    assert "reset on" in str(actual[0]["Item.clean", second.id])


def test_changes_within_one_tick(tmp_path: Path) -> None:
    """A claim that is made in the instant after a look, with the folder's old time, is seen."""
    lab = made(tmp_path / "lab")
    folder = _job(lab)

    def state() -> State:
        planner = lab.lab.engine.planner()
        [found] = {planner.judge(t).state for t in planner.tasks() if t.key in keys}
        planner.keep()
        return found

    keys = {("Item.clean", folder.name)}
    for _ in range(40):
        (folder / "notes.md").touch()
        assert State.COMPLETE is state()
        (folder / ".clean.claim.1").write_text("whose?")
        assert State.RUNNING is state()
        (folder / ".clean.claim.1").unlink()
        (folder / "notes.md").unlink()


def test_too_young_for_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done anew, and is too young to be kept, leaves nothing of before in the index."""
    lab = made(tmp_path / "lab")
    _rewrite(lab, "raw", keep=False)
    assert 3 == lab.run()
    with monkeypatch.context() as patch:
        patch.setattr(settled, "COARSE", 10**18)
        planner = lab.lab.engine.planner()
        planner.glance()
        planner.keep()
    counts = lab.lab.engine.planner().attempts.count
    assert [1, 2] == sorted(counts["Item.clean", job.id] for job in lab.lab[lab.module.Item])
    actual, expected, _ = judged_twice(lab)
    assert expected == actual
