"""``why`` on a real project: failed, missing, held, edited, kept, accepted, excluded, complete."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}

Verb = Callable[..., tuple[str, str]]

PROJECT = '''
from __future__ import annotations

from pathlib import Path

import pointillist as pt


@pt.step
def loud(raw: Path) -> str:
    """Shout."""
    print("shouting")
    text = raw.read_text()
    if "bad" in text:
        raise ValueError(text)
    return text.upper()


@pt.step
def count(text: str) -> int:
    """Count."""
    return len(text)


@pt.step
def total(counts: list[int]) -> int:
    """Add up."""
    return sum(counts)


class Item(pt.Record):
    """A file."""

    group: str = pt.key()
    name: int = pt.key()

    raw: Path = pt.seed("raw/{group}_{name}.txt")

    loud: str = loud.step(raw).to()
    count: int = count.step(loud).to()


class Group(pt.Aggregate[Item], order_by="name"):
    """Files."""

    group: str = pt.key()

    total: int = total.step(pt.each(Item.count)).to()


class Everything(pt.Aggregate[Group]):
    """All files."""

    total: int = total.step(pt.each(Group.total)).to()


class Lab(pt.Project):
    """The lab."""

    records = (Item, Group, Everything)


@Lab.pre.isfile("count.txt")
@Lab.post.isfile("shouted.txt")
@Lab.operation
def shout(job):
    """Shout."""
    Path(job.fn("shouted.txt")).touch()


if __name__ == "__main__":
    Lab().main()
'''


MORE = '''
@Lab.post.isfile("first.txt")
@Lab.operation
def first(job):
    """Fail for one."""
    if job.sp.name == 1:
        raise ValueError("no luck")
    Path(job.fn("first.txt")).touch()


@Lab.pre.after(first)
@Lab.post.isfile("second.txt")
@Lab.operation
def second(job):
    """Nothing."""


@Lab.pre.after(second)
@Lab.post.isfile("gathered.txt")
@Lab.operation(on=Group)
def gather(job):
    """Nothing."""


if __name__ == "__main__"'''


@pytest.fixture
def lab(tmp_path: Path, verb: Verb) -> Path:
    """A project with four items in two groups, of which one fails, after a run."""
    root = tmp_path / "lab"
    (root / "raw").mkdir(parents=True)
    (root / "project.py").write_text(PROJECT)
    for name in ("a_1", "a_2", "b_1", "b_2"):
        (root / f"raw/{name}.txt").write_text("bad" if name == "b_2" else name)
    verb("discover", cwd=root)
    verb("run", "-o", "Item.*", "Group.*", "Everything.*", cwd=root, code=1)
    return root


@pytest.fixture
def why(verb: Verb, lab: Path) -> Callable[..., list[str]]:
    """Give a function that asks why and gives the lines, without blanks between columns."""

    def ask(*arguments: str) -> list[str]:
        out, _ = verb("why", *arguments, cwd=lab)
        return [" ".join(line.split()) for line in out.splitlines()]

    return ask


def job(root: Path, **keys: Any) -> str:
    """Return the job id of a record."""
    (found,) = [
        file.parent.name
        for file in root.rglob("signac_statepoint.json")
        if keys == json.loads(file.read_text())
    ]
    return found


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a verb in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "project.py", *arguments],
        cwd=root,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_failed_two_levels_below(lab: Path, why: Any) -> None:
    """An aggregate of aggregates leads down to the member's attempt that failed, and to its log."""
    item = job(lab, group="b", name=2)[:8]
    lines = why("Everything.total")
    assert [
        "Everything total WAITING: the next run does it once all is there that it waits for",
        "└── Group group=b total WAITING",
        "└── Item group=b name=2 count WAITING",
        "└── Item group=b name=2 loud FAILED",
    ] == lines[:4]
    assert lines[4].startswith("└── failed at attempt 1 on 2")
    assert lines[4].endswith(": loud raised ValueError: bad")
    assert [f"└── → logs loud -j {item}"] == lines[5:]


def test_the_log_is_there(lab: Path, why: Any) -> None:
    """What it says to type prints the log of that attempt."""
    command = why("loud", "--where", "group=b", "name=2")[-1].partition("→ ")[2].split()
    done = python(lab, *command)
    assert 0 == done.returncode
    assert "shouting\n" in done.stdout and "ValueError: bad" in done.stdout


def test_all_that_is_not_complete(lab: Path, why: Any) -> None:
    """Without a selection it is grouped: what failed, what waits for it, and what is to be done."""
    lines = why()
    assert "8 tasks are not complete: 3 ready, 4 waiting, 1 failed." == lines[0]
    assert [
        "FAILED 1 Item.loud: failed (ValueError)",
        'READY 3 shout: isfile("shouted.txt") does not hold yet',
        "WAITING 1 Item.count: Item.loud failed (ValueError)",
        "WAITING 1 Group.total: Item.loud failed (ValueError)",
        "WAITING 1 Everything.total: Item.loud failed (ValueError)",
        'WAITING 1 shout: isfile("count.txt") does not hold',
    ] == [line for line in lines if line.split()[:1] in (["FAILED"], ["READY"], ["WAITING"])]
    assert "`why STEP -j ID` explains one task." == lines[-1]


def test_missing_seed(lab: Path, why: Any) -> None:
    """A raw file that is gone is named with its path, also by what waits for it two levels up."""
    (lab / "raw/a_1.txt").unlink()
    assert "raw is missing: raw/a_1.txt" in why("loud", "--where", "name=1", "group=a")[1]
    first, second, *_ = why("Group.total")[1:]
    assert first.endswith("← Item group=a name=1 loud is waiting: raw is missing: raw/a_1.txt")
    assert "loud failed at attempt 1: loud raised ValueError: bad → logs loud -j " in second


def test_what_a_complete_task_was_compared_with(lab: Path, why: Any) -> None:
    """A complete task says what it was compared with; a record has a line a step."""
    lines = why("total", "--where", "group=a")
    assert "Group group=a total complete: a run leaves it as it is" == lines[0]
    assert lines[1].startswith(
        "└── nothing that it depends on differs from what attempt 1 saw on 2"
    )
    assert lines[1].endswith(" (2 inputs, 1 argument, 2 members)")
    header, loud, count, shout = why("-j", job(lab, group="a", name=1))
    assert "job record step state why" == header
    assert " loud complete as attempt 1 saw it on 2" in loud
    assert count.startswith("count complete as attempt 1 saw it on 2")
    assert 'shout READY isfile("shouted.txt") does not hold yet' == shout


def test_held_elsewhere(lab: Path, why: Any, verb: Verb) -> None:
    """A task that a runner on another host has names it, its host and since when it is at work."""
    claim = lab / "workspace" / job(lab, group="b", name=2) / ".loud.claim.1"
    runner = {"kind": "runner", "runner": "20261120-node7-12", "start": 1_795_000_000.0}
    identity = {"host": "node7", "boot": "x", "namespace": "y", "pid": 12, "started": "z"}
    claim.write_text(json.dumps({**runner, **identity}) + "\n")
    lines = why("loud", "--where", "group=b", "name=2")
    assert "Item group=b name=2 loud RUNNING: a runner has it" == lines[0]
    assert lines[1].startswith("└── by 20261120-node7-12 on node7, at work since 2")
    assert lines[1].endswith("; it cannot be seen from here")
    told = json.loads(verb("why", "Group.total", "--where", "group=b", "--json", cwd=lab)[0])
    assert [("count", "waiting"), ("loud", "running")] == [
        (cause["step"], cause["state"]) for cause in told["causes"]
    ]
    [reason] = told["causes"][1]["reasons"]
    assert {
        "runner": "20261120-node7-12",
        "host": "node7",
        "pid": 12,
        "since": 1_795_000_000.0,
        "alive": None,
    } == reason["cause"]


def test_left_by_the_dead(lab: Path, why: Any) -> None:
    """A task whose runner died says so."""
    journal = min(lab.glob(".pointillist/runs/*.jsonl"))  # of a process that has ended
    os.link(journal, lab / "workspace" / job(lab, group="a", name=1) / ".loud.claim.1")
    lines = why("loud", "--where", "group=a", "name=1")
    assert lines[0].endswith("loud STALE: the next run does it again")
    assert "died; the next run finishes or discards it" in lines[1]


def test_edited(lab: Path, why: Any) -> None:
    """An output that was edited is named, and what is made of it says what changed."""
    place = lab / "workspace" / job(lab, group="a", name=1)
    (place / "loud.txt").write_text((place / "loud.txt").read_text().lower())
    lines = why("loud", "--where", "group=a", "name=1")
    assert "Item group=a name=1 loud complete (edited): a run leaves it as it is" == lines[0]
    assert "├── loud.txt was edited after it was made" == lines[1]
    assert "└── nothing else that it depends on differs" in lines[2]
    assert "input loud.txt changed (content" in why("count", "--where", "group=a", "name=1")[1]


def test_kept_and_not_looked_at(lab: Path, why: Any) -> None:
    """What is kept, or not looked at, names the setting; without one, that the rule only shows."""
    text = (lab / "project.py").read_text()
    (lab / "project.py").write_text(text.replace("text.upper()", "text.upper().strip()"))
    one = ("loud", "--where", "group=a", "name=1")
    assert why(*one)[0].endswith("loud STALE (kept): a run leaves it as it is")
    assert "└── source only shows: `run --rerun source` does it again" == why(*one)[-1]
    assert why("loud", "--where", "group=a")[1].endswith("; kept by default")
    settings = lab / "pointillist.toml"
    settings.write_text('[rules."Item.loud"]\nsource = "show"\n')
    assert (
        '└── [rules."Item.loud"] in pointillist.toml says source = "show": '
        "`run --rerun source` does it again"
    ) == why(*one)[-1]
    settings.write_text('[rules]\nsource = "ignore"\n')
    assert why(*one)[0].endswith("loud complete: a run leaves it as it is")
    assert (
        '└── [rules] in pointillist.toml says source = "ignore": that was not looked at'
        == why(*one)[-1]
    )


def test_accepted_and_excluded(lab: Path, why: Any, verb: Verb) -> None:
    """What somebody accepted or excluded says who, when and why."""
    text = (lab / "project.py").read_text()
    (lab / "project.py").write_text(text.replace("text.upper()", "text.upper().strip()"))
    verb("accept", "loud", "--where", "group=a", "--note", "only strips", cwd=lab)
    lines = why("loud", "--where", "group=a", "name=1")
    assert "Item group=a name=1 loud complete (accepted): a run leaves it as it is" == lines[0]
    assert lines[1].startswith("├── accepted on 2") and lines[1].endswith(": only strips")
    assert "what was there when it was accepted on 2" in lines[2]
    verb("exclude", "-j", job(lab, group="b", name=2), "--reason", "60 Hz noise", cwd=lab)
    lines = why("loud", "--where", "group=b", "name=2")
    assert "Item group=b name=2 loud EXCLUDED: never run, until `include`" == lines[0]
    assert lines[1].startswith("└── 60 Hz noise (")


def test_after_an_operation_that_failed(lab: Path, why: Any, verb: Verb) -> None:
    """It leads to the operation written by hand that failed; jobs are named as records are."""
    text = (lab / "project.py").read_text()
    (lab / "project.py").write_text(text.replace('if __name__ == "__main__"', MORE))
    assert 1 == python(lab, "run", "-o", "first").returncode  # ends with signac-flow's traceback
    lines = why("gather", "--where", "group=a")
    assert [
        "Group group=a gather WAITING: the next run does it once all is there that it waits for",
        "├── Item group=a name=1 second WAITING",
        "│ └── Item group=a name=1 first READY",
    ] == lines[:3]
    assert lines[3].startswith("│ ├── failed at attempt 1 on 2")
    assert lines[3].endswith(": raised ValueError: no luck")
    assert '│ └── isfile("first.txt") does not hold yet' == lines[4]
    assert "└── Item group=a name=2 second READY" == lines[5]
    told = json.loads(verb("why", "gather", "--where", "group=a", "--json", cwd=lab)[0])
    assert ["second", "second", "first"] == [cause["step"] for cause in told["causes"]]
    [failure, _] = told["causes"][2]["reasons"]
    assert "ValueError" == failure["cause"]["exception"]


def test_pretend_tells_what_is_left(lab: Path, verb: Verb) -> None:
    """What a run would leave undone is counted: what failed and what waits for it."""
    printed, _ = verb("run", "--pretend", "-o", "Item.*", "Group.*", cwd=lab)
    assert [
        "nothing to do.",
        "3 tasks would be left: 1 failed, 2 waiting; `why` says why.",
    ] == printed.splitlines()


def test_an_error_of_many_lines(lab: Path, why: Any, verb: Verb) -> None:
    """Where a task has one line, so has its error."""
    (lab / "raw/b_2.txt").write_text("bad\n  and worse\n")
    verb("run", "-o", "loud", cwd=lab, code=1)
    failed = [line for line in why("count") if "failed" in line]
    item = job(lab, group="b", name=2)[:8]
    error = "loud failed at attempt 2: loud raised ValueError: bad and worse"
    assert [f"{item} Item group=b name=2 count WAITING {error} → logs loud -j {item}"] == failed


def test_json(lab: Path, verb: Verb) -> None:
    """As data there are the chosen tasks, and all that they wait for, each once."""
    told = json.loads(verb("why", "--json", cwd=lab)[0])
    assert 8 == len(told["tasks"])
    assert [] == told["causes"]  # all that is waited for is not complete, and so chosen
    told = json.loads(verb("why", "Everything.total", "--json", cwd=lab)[0])
    assert ["total"] == [one["step"] for one in told["tasks"]]
    assert ["Group", "Item", "Item"] == [one["class"] for one in told["causes"]]


def test_it_writes_nothing(lab: Path, why: Any) -> None:
    """Asking why leaves every file as it is."""

    def files() -> dict[Path, int]:
        return {
            path: path.stat().st_mtime_ns
            for path in lab.rglob("*")
            if "__pycache__" not in path.parts
        }

    before = files()
    why()
    why("Everything.total")
    assert before == files()


def test_what_there_is_not(lab: Path, verb: Verb) -> None:
    """An unknown step, or record, is an error that names what there is."""
    _, errors = verb("why", "totl", cwd=lab, code=1)
    assert "no operation is called totl. There are: " in errors and "Group.total" in errors
    _, errors = verb("why", "-j", "zzz", cwd=lab, code=1)
    assert "there is no job whose id begins with 'zzz'" in errors


def test_all_is_complete(lab: Path, verb: Verb, why: Any) -> None:
    """When nothing is left to do that is said."""
    (lab / "raw/b_2.txt").write_text("good")
    verb("run", cwd=lab)
    assert ["everything is complete."] == why()


def test_pretend_has_hours(lab: Path, verb: Verb) -> None:
    """`run --pretend` says how long it takes, by the earlier attempts of each step."""
    for name in ("a_1", "a_2"):
        (lab / f"raw/{name}.txt").write_text("another")
    printed, _ = verb("run", "--pretend", "-o", "Item.*", cwd=lab)
    assert [
        "Item.loud: 2 tasks, less than 1 s (less than 1 s each)",
        "Item.count: 2 tasks, less than 1 s (less than 1 s each)",
        "4 tasks would be done, less than 1 s (timed by 6 earlier attempts).",
        "2 tasks would be left: 1 failed, 1 waiting; `why` says why.",
    ] == printed.splitlines()[-4:]


def test_rules_of_a_machine_are_refused(lab: Path, verb: Verb) -> None:
    """Rules in the machine's own settings are an error on every verb that judges."""
    (lab / ".pointillist/config.toml").write_text('[rules]\nsource = "run"\n')
    _, errors = verb("status", cwd=lab, code=1)
    assert "rules are the project's, so that every machine judges alike. Move [rules] to " in errors


def test_operations_are_not_reset(lab: Path, verb: Verb) -> None:
    """An operation written by hand cannot be reset, and accepted only if it died; that is said."""
    _, errors = verb("reset", "shout", "--pretend", cwd=lab, code=1)
    assert errors.startswith("Error: shout is no step but an operation written by hand: ")
    printed, _ = verb("accept", "shout", "--pretend", cwd=lab)
    assert "nothing to accept: it is complete, excluded, or a matter of conditions.\n" == printed


def test_kept_although_it_failed(lab: Path, why: Any, verb: Verb) -> None:
    """A kept task says that its last attempt failed, until the source is again as it was."""
    source = (lab / "project.py").read_text()
    (lab / "project.py").write_text(source.replace('if "bad" in text', "if text"))
    one = ("loud", "--where", "group=a", "name=1")
    verb("run", "-o", "loud", "--where", "group=a", "name=1", "--rerun", "source", cwd=lab, code=1)
    head, changed, failed, log, *_ = why(*one)
    assert head.endswith("loud STALE (kept): a run leaves it as it is")
    assert changed.startswith("├── source of the step changed (")
    assert failed.startswith("├── failed at attempt 2 on 2")
    assert failed.endswith(": loud raised ValueError: a_1")
    assert log.startswith("│ └── → logs loud -j ")
    told, _ = verb("status", *("-o", "loud", "--where", "group=a"), cwd=lab)
    assert "2 stale (source), kept: `run --rerun source` does them again." in told
    (lab / "project.py").write_text(source)
    assert why(*one)[0].endswith("loud complete: a run leaves it as it is")
