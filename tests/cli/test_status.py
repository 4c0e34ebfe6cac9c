"""``status`` and ``run`` of many records: what is told at a glance is what a full look tells."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import signac

Verb = Callable[..., tuple[str, str]]

PROJECT = """
import pointillist as pt


@pt.step
def double(number: int) -> int:
    return 2 * number


@pt.step
def total(numbers: list[int]) -> int:
    return sum(numbers)


class Item(pt.Record):
    group: int = pt.key()
    number: int = pt.key()

    doubled: int = double.step(number).to()
    twice: int = double.step(doubled).to()


class Group(pt.Aggregate[Item], order_by="number"):
    group: int = pt.key()

    total: int = total.step(pt.each(Item.twice)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    lab = Lab()
    if not lab.engine.space.records(Item):
        lab.add_product(Item, group=range(3), number=range(100))
    lab.main()
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, verb: Verb) -> Path:
    """Give a project of three hundred records that was run; to be copied, not changed."""
    root = tmp_path_factory.mktemp("many") / "lab"
    root.mkdir()
    (root / "project.py").write_text(PROJECT)
    assert "603 tasks done" in verb("run", cwd=root)[0]
    return root


@pytest.fixture
def lab(many: Path, tmp_path: Path, verb: Verb) -> Path:
    """Give a copy of it in which an index was kept."""
    root: Path = shutil.copytree(many, tmp_path / "lab")
    while not (root / ".pointillist/index").exists():  # what has just been copied is too young
        verb("status", cwd=root)
    return root


def counts(root: Path, verb: Verb) -> dict[str, Counter[str]]:
    """Return how many tasks of each step are in which state, from all of them in full."""
    found: dict[str, Counter[str]] = {}
    for task in json.loads(verb("status", "--json", cwd=root)[0]):
        step = found.setdefault(f"{task['class']}.{task['step']}", Counter())
        step[task["state"]] += 1
    return found


def table(root: Path, verb: Verb) -> dict[str, Counter[str]]:
    """Return what the table of `status` says."""
    lines = verb("status", cwd=root)[0].splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("step "))
    states = lines[begin].split()[1:]
    rows = [line.split() for line in lines[begin + 1 :] if "." in line.partition(" ")[0]]
    return {
        row[0]: Counter({s: int(n) for s, n in zip(states, row[1:], strict=True) if n != "·"})
        for row in rows
    }


def some_jobs(root: Path) -> list[Path]:
    """Return the folders of the records' jobs, in order."""
    return sorted(path for path in (root / "workspace").iterdir() if path.name[0] != ".")


def lose_one(root: Path) -> None:
    """Remove an output."""
    (some_jobs(root)[0] / "twice.txt").unlink()


def damage_one(root: Path) -> None:
    """Damage a state point in place."""
    (some_jobs(root)[1] / "signac_statepoint.json").write_text("{")


def add_a_twin(root: Path) -> None:
    """Make a job with the keys of another one."""
    project = signac.get_project(str(root))
    project.open_job({"group": 0, "number": 0, "more": 1}).init()


def add_one(root: Path) -> None:
    """Make a job of keys that no other has."""
    signac.get_project(str(root)).open_job({"group": 0, "number": 1000}).init()


def nothing(root: Path) -> None:
    """Change nothing."""


@pytest.mark.parametrize("change", [nothing, lose_one, damage_one, add_a_twin, add_one])
def test_the_table_is_that_of_all_tasks(
    lab: Path, verb: Verb, change: Callable[[Path], None]
) -> None:
    """The table, made at a glance, counts what `--json` lists, with the index and without."""
    change(lab)
    with_index = table(lab, verb)
    assert counts(lab, verb) == with_index
    said = verb("status", cwd=lab)
    (lab / ".pointillist/index").unlink()
    assert said == verb("status", cwd=lab)


def test_only_what_is_not_complete(lab: Path, verb: Verb) -> None:
    """`-d --only-incomplete` lists the one task of hundreds on which something is to be done."""
    lose_one(lab)
    lost = some_jobs(lab)[0].name[:8]
    out, _ = verb("status", "-d", "--only-incomplete-operations", cwd=lab)
    details = [line for line in out.splitlines() if lost in line]
    assert 1 == len(details)
    assert "STALE" in details[0] and "output twice.txt" in details[0]
    assert 300 == sum(table(lab, verb)["Item.twice"].values())


def test_a_selection(lab: Path, verb: Verb) -> None:
    """Where records or steps are chosen, those alone are counted."""
    out, _ = verb("status", "-o", "doubled", "--where", "group=1", cwd=lab)
    assert ["Item.doubled", "100"] in [line.split() for line in out.splitlines()]
    assert "twice" not in out


def test_run_does_what_is_left(lab: Path, verb: Verb) -> None:
    """Of hundreds of complete tasks a run does the one that is not; what reads it stays."""
    assert "nothing to do" in verb("run", cwd=lab)[0]
    (some_jobs(lab)[0] / "doubled.txt").write_text("1000\n")
    assert "1 task done" in verb("run", cwd=lab)[0]
    assert {"complete"} == {state for step in counts(lab, verb).values() for state in step}
