"""States and reasons, over a project that is run, changed and run again."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

import pytest

from pointillist.errors import ConfigurationError

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt

FACTOR = 2


def shout(text: str) -> str:
    return text.upper() * FACTOR


@pt.step
def loud(raw: Path, mark: str = "!") -> str:
    return shout(raw.read_text()) + mark


@pt.step
def count(text: str) -> int:
    return len(text)


@pt.step
def total(counts: list[int]) -> int:
    return sum(counts)


class Item(pt.Record):
    group: str = pt.key()
    name: int = pt.key()
    raw: Path = pt.seed("raw/{group}_{name}.txt")
    note: str | None = pt.seed("notes/{group}_{name}.txt", optional=True)

    loud: str = loud.step(raw, mark="!").to()
    count: int = count.step(loud).to()


class Group(pt.Aggregate[Item], order_by="name"):
    group: str = pt.key()
    total: int = total.step(pt.each(Item.count)).to()


class Lab(pt.Project):
    records = (Item, Group)
"""

COMPLETE = {
    "Item group=a name=1 loud": "complete",
    "Item group=a name=1 count": "complete",
    "Item group=a name=2 loud": "complete",
    "Item group=a name=2 count": "complete",
    "Group group=a total": "complete",
}


@pytest.fixture
def done(judged: Any) -> Any:
    """A project with two items in one group, all done."""
    lab = judged(PROJECT)
    lab.raw("a_1", "one")
    lab.raw("a_2", "second")
    lab.lab.discover()
    return lab


def differing(before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    """Return what is no longer as it was."""
    return {task: state for task, state in after.items() if before.get(task) != state}


def test_fresh(done: Any) -> None:
    """What can be done is ready for its missing output, what needs it waits."""
    assert {
        "Item group=a name=1 loud": "ready: output loud.txt is missing",
        "Item group=a name=1 count": "waiting: loud is ready",
        "Item group=a name=2 loud": "ready: output loud.txt is missing",
        "Item group=a name=2 count": "waiting: loud is ready",
        "Group group=a total": "waiting: Item group=a name=1 count is waiting; "
        "Item group=a name=2 count is waiting",
    } == done.judge()


def test_complete(done: Any) -> None:
    """After a run all is complete, and a second run does nothing."""
    assert 5 == done.run()
    assert COMPLETE == done.judge()
    assert 0 == done.run()


def test_output_missing(done: Any) -> None:
    """An output that is missing is made again; with the same bytes nothing else is."""
    done.run()
    done.output("loud.txt").unlink()
    changed = differing(COMPLETE, done.judge())
    assert "stale: output loud.txt is missing" in changed.values()
    assert sorted(changed.values())[-1].endswith("loud is stale")
    assert 1 == done.run()
    assert COMPLETE == done.judge()


def test_output_of_another_size(done: Any) -> None:
    """An output whose size is not the recorded one is made again."""
    done.run()
    done.output("count.txt").write_bytes(b"")
    assert any("stale: output count.txt changed (" in s for s in done.judge().values())
    assert 1 == done.run()


def test_output_edited(done: Any) -> None:
    """An output edited by hand stays; what is made of it is stale."""
    done.run()
    place = done.output("loud.txt")
    place.write_text(place.read_text().replace("O", "Q").replace("S", "Q"))
    changed = differing(COMPLETE, done.judge())
    assert "complete (edited): loud.txt was edited after it was made" in changed.values()
    assert 3 == len(changed)  # what follows waits
    assert any(s.startswith("stale: input loud.txt changed (content ") for s in changed.values())
    assert 1 == done.run()
    assert 1 == len(differing(COMPLETE, done.judge()))


def test_output_older_than_made(done: Any) -> None:
    """An output that is older than what was made, and other, was never replaced: made again."""
    done.run()
    place = done.output("loud.txt")
    made = place.stat()
    place.write_text(place.read_text()[::-1])
    os.utime(place, ns=(made.st_mtime_ns - 1, made.st_mtime_ns - 1))
    assert "stale: output loud.txt is older than what was made" in done.judge().values()
    assert 1 == done.run()
    assert COMPLETE == done.judge()


def test_output_copied(done: Any) -> None:
    """A project whose files got other times by copying is complete as it was."""
    done.run()
    shutil.copytree(done.root, done.root.with_name("copy"), copy_function=shutil.copyfile)
    shutil.rmtree(done.root)
    done.root.with_name("copy").rename(done.root)
    assert COMPLETE == done.judge()


def test_input_changed(done: Any) -> None:
    """An input of another size or content makes stale; what follows waits."""
    done.run()
    done.raw("a_1", "three")
    changed = differing(COMPLETE, done.judge())
    assert "stale: input raw/a_1.txt changed (3 B → 5 B)" == changed["Item group=a name=1 loud"]
    assert "waiting: loud is stale" == changed["Item group=a name=1 count"]
    assert 3 == done.run()
    done.raw("a_1", "eight")
    assert done.judge()["Item group=a name=1 loud"].startswith(
        "stale: input raw/a_1.txt changed (content "
    )
    assert 2 == done.run()  # of the same length: the total does not change
    assert COMPLETE == done.judge()


def test_input_touched(done: Any) -> None:
    """Another time alone is nothing: the content decides."""
    done.run()
    os.utime(done.root / "raw/a_1.txt")
    assert COMPLETE == done.judge()


def test_input_above_the_hash_limit(judged: Any) -> None:
    """Above the limit size and time decide, and the reason says so."""
    lab = judged(PROJECT)
    (lab.root / "pointillist.toml").write_text("hash_limit = 4\n")
    lab.raw("a_1", "a long text")
    lab.lab.discover()
    lab.run()
    assert set(lab.judge().values()) == {"complete"}
    os.utime(lab.root / "raw/a_1.txt", ns=(1, 1))
    state = lab.judge()["Item group=a name=1 loud"]
    assert state.startswith("stale: input raw/a_1.txt has another time (2")
    assert state.endswith(
        " → 1970-01-01 00:00:00.000000001 UTC; above hash_limit, content is not compared)"
    )


def test_input_gone(done: Any) -> None:
    """A seed that is gone is waited for, by name."""
    done.run()
    (done.root / "raw/a_2.txt").unlink()
    changed = differing(COMPLETE, done.judge())
    assert "waiting: raw is missing: raw/a_2.txt" == changed["Item group=a name=2 loud"]


def test_written_right_before(done: Any) -> None:
    """A raw file rewritten within the clock's tick, in the same size, is seen by its content."""
    place = done.root / "raw/a_1.txt"
    done.run()
    time = place.stat().st_mtime_ns
    place.write_text("two")
    os.utime(place, ns=(time, time))
    young = [
        line
        for journal in done.root.glob(".pointillist/runs/*")
        for line in journal.read_text().splitlines()
        if '"young":true' in line
    ]
    state = done.judge()["Item group=a name=1 loud"]
    assert ("content" in state) is bool(young)


def test_argument_changed(done: Any) -> None:
    """A literal that changes is shown with both values."""
    done.run()
    done.replace('mark="!")', 'mark="?")')
    changed = differing(COMPLETE, done.judge())
    assert 'stale: argument mark changed ("!" → "?")' == changed["Item group=a name=1 loud"]
    assert 4 == done.run()  # the counts do not change: the total stays


def test_default_is_an_argument(done: Any) -> None:
    """A default that is spelled out or left away is the same call."""
    done.run()
    done.replace('loud.step(raw, mark="!")', "loud.step(raw)")
    assert COMPLETE == done.judge()


def test_member_added(done: Any) -> None:
    """A member that is added or removed makes stale, and says which."""
    done.run()
    done.raw("a_3", "third")
    done.lab.discover()
    state = done.judge()["Group group=a total"]
    assert "waiting: Item group=a name=3 count is waiting" == state
    lab = done.lab
    lab.run(names=["Item.*"])
    assert "stale: member added: name=3" == done.judge()["Group group=a total"]
    assert 1 == done.run()


def test_member_removed(done: Any) -> None:
    """A member that is gone makes its aggregate stale."""
    done.run()
    shutil.rmtree(done.output("count.txt").parent)
    [state] = [s for task, s in done.judge().items() if task.startswith("Group")]
    assert state.startswith("stale: member removed: ") and state.endswith("…")


def test_members_reordered(done: Any) -> None:
    """Another order of the members makes stale."""
    done.run()
    done.replace('order_by="name"', 'order_by="-name"')
    assert "stale: members reordered" == done.judge()["Group group=a total"]


def test_version(done: Any) -> None:
    """A version that changes makes stale; with one, the source does not count."""
    done.run()
    done.replace("@pt.step\ndef count", '@pt.step(version="1")\ndef count')
    assert (
        "stale: version of the step changed (none → 1)"
        == (done.judge()["Item group=a name=1 count"])
    )
    assert 2 == done.run()
    done.replace("return len(text)", "return len(text) + 1")
    assert COMPLETE == done.judge()
    done.replace('version="1"', 'version="2"')
    assert 3 == done.run()


def test_source(done: Any) -> None:
    """A source that changes is shown and kept; with ``rerun`` it is done again."""
    done.run()
    done.replace("FACTOR = 2", "FACTOR = 3")
    changed = differing(COMPLETE, done.judge())
    assert {"Item group=a name=1 loud", "Item group=a name=2 loud"} == set(changed)
    assert changed["Item group=a name=1 loud"].startswith(
        "stale (kept): source of the step changed ("
    )
    assert 0 == done.run()
    assert done.judge(rerun=frozenset({"source"}))["Item group=a name=1 loud"].startswith("stale: ")
    assert 5 == done.run(rerun=["source"])
    assert COMPLETE == done.judge()


def settings(done: Any, text: str) -> None:
    """Write the project's settings."""
    (done.root / "pointillist.toml").write_text(text)


CHANGES = {
    "input": ("raw", "input raw/a_1.txt changed (3 B → 5 B)"),
    "argument": ('mark="!"', 'argument mark changed ("!" → "?")'),
    "version": ("@pt.step\ndef loud", "version of the step changed (none → 1)"),
    "source": ("FACTOR = 2", "source of the step changed ("),
}


def change(done: Any, rule: str) -> None:
    """Change something that a rule is about."""
    if rule == "input":
        done.raw("a_1", "three")
    else:
        new = {
            "argument": 'mark="?"',
            "version": '@pt.step(version="1")\ndef loud',
            "source": "FACTOR = 3",
        }
        done.replace(CHANGES[rule][0], new[rule])


@pytest.mark.parametrize("rule", list(CHANGES))
def test_each_rule_can_be_set(done: Any, rule: str) -> None:
    """A rule of the project runs, shows and keeps, or is not looked at; ``rerun`` makes it run."""
    done.run()
    change(done, rule)
    said = CHANGES[rule][1]
    task = "Item group=a name=1 loud"
    settings(done, f'[rules]\n{rule} = "run"')
    assert done.judge()[task].startswith(f"stale: {said}")
    settings(done, f'[rules]\n{rule} = "ignore"')
    assert COMPLETE == done.judge()
    settings(done, f'[rules]\n{rule} = "show"')
    assert done.judge()[task].startswith(f"stale (kept): {said}")
    assert "complete" == done.judge()["Item group=a name=1 count"]
    assert 0 == done.run()
    assert done.judge(rerun=frozenset({rule}))[task].startswith(f"stale: {said}")
    assert done.run(rerun=[rule]) > 0
    assert COMPLETE == done.judge()


def test_rules_of_single_steps(done: Any) -> None:
    """What is said of one step holds for that one alone; its class makes it more special."""
    done.run()
    done.replace("return len(text)", "return len(text) + 0")
    done.replace("FACTOR = 2", "FACTOR = 4 // 2")
    settings(done, '[rules.count]\nsource = "run"\n[rules."Item.loud"]\nsource = "ignore"')
    changed = differing(COMPLETE, done.judge())
    assert {
        "Item group=a name=1 count",
        "Item group=a name=2 count",
        "Group group=a total",
    } == set(changed)
    assert changed["Item group=a name=1 count"].startswith("stale: source of the step changed (")
    settings(done, '[rules.loud]\nsource = "run"\n[rules."Item.loud"]\nsource = "ignore"\n[rules]')
    assert "complete" == done.judge()["Item group=a name=1 loud"]


def test_a_failure_is_tried_again_by_what_is_looked_at(done: Any) -> None:
    """What is only shown makes a failed step run again; what is not looked at does not."""
    done.replace("return shout", "1 / 0\n    return shout")
    done.run()
    done.replace("1 / 0\n    return shout", "return shout")
    task = "Item group=a name=1 loud"
    assert done.judge()[task].startswith("ready: ")
    settings(done, '[rules]\nsource = "ignore"')
    assert (
        "failed at attempt 1: loud raised ZeroDivisionError: division by zero"
        == (done.judge()[task])
    )


def test_an_unknown_rule_to_rerun(done: Any) -> None:
    """A rule that there is not is an error, not a run that does nothing."""
    with pytest.raises(ConfigurationError) as error:
        done.run(rerun=["sources"])
    assert "rerun: sources is no rule. The rules are input, argument, version, source." == str(
        error.value
    )


def test_an_unknown_step_in_the_rules(done: Any) -> None:
    """A step that there is not is an error that names those there are."""
    settings(done, '[rules.lauter]\nsource = "run"')
    with pytest.raises(ConfigurationError, match=r"'lauter' is neither a rule nor a step\..*Item"):
        done.judge()


def test_found(judged: Any, done: Any) -> None:
    """Outputs without an attempt are found; the next run notes what is beside them."""
    done.run()
    shutil.rmtree(done.root / ".pointillist")
    assert dict.fromkeys(COMPLETE, "complete (found)") == done.judge()
    assert 0 == done.run()
    assert dict.fromkeys(COMPLETE, "complete (found)") == done.judge()
    done.raw("a_1", "three")
    assert (
        "stale: input raw/a_1.txt changed (3 B → 5 B)" == done.judge()["Item group=a name=1 loud"]
    )


def test_found_but_made_of_newer(done: Any) -> None:
    """Found outputs do not count when what they are made of is made later."""
    done.run()
    shutil.rmtree(done.root / ".pointillist")
    done.output("loud.txt").unlink()
    assert 4 == sum(state == "complete (found)" for state in done.judge().values())
    done.run(names=["loud"])
    [state] = [s for s in done.judge().values() if s.startswith("ready")]
    assert "ready: its inputs were made after it was found" == state
    assert 2 == done.run()  # with the total, of which nobody knows what it was made of
    assert 3 == sum(state == "complete" for state in done.judge().values())


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 3600.0])
def test_found_beside_a_clock_that_is_wrong(
    done: Any, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    """Whether an output was found is told from the times of files, whatever a host's clock says."""
    done.raw("a_1", "one")
    for raw in done.root.glob("raw/*"):
        os.utime(raw, (1e9, 1e9))  # so that what is made of it is not as old
    real = time.time
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time", lambda: real() + ahead)
        done.run(names=["loud"])
    for text in done.root.rglob("loud.txt"):
        folder = text.parent
        (folder / "count.txt").write_text("7\n")  # by hand, and after
        later = text.stat().st_mtime_ns + 10_000_000
        os.utime(folder / "count.txt", ns=(later, later))
    counts = [state for task, state in done.judge().items() if task.endswith("count")]
    assert ["complete (found)"] * 2 == counts
    for text in done.root.rglob("loud.txt"):
        earlier = text.stat().st_mtime_ns - 10_000_000
        os.utime(text.parent / "count.txt", ns=(earlier, earlier))
    counts = [state for task, state in done.judge().items() if task.endswith("count")]
    assert ["ready: its inputs were made after it was found"] * 2 == counts


def test_found_beside_an_output_with_the_time_of_its_input(done: Any) -> None:
    """An output that was given its input's time is not taken for one as old as that."""
    done.run()
    shutil.rmtree(done.root / ".pointillist")
    source = PROJECT.replace('raw, mark="!").to()', 'raw, pt.out).to("loud.txt")').replace(
        'mark: str = "!") -> str:\n    return shout(raw.read_text()) + mark',
        "out: Path) -> None:\n    import shutil\n    shutil.copy2(raw, out)",
    )
    done.write(source)
    for text in done.root.rglob("loud.txt"):
        text.unlink()
    done.run(names=["loud"])
    counts = [state for task, state in done.judge().items() if task.endswith("count")]
    assert ["ready: its inputs were made after it was found"] * 2 == counts


def test_failed(done: Any) -> None:
    """A failed task stays so until something changes; what needs it waits."""
    done.replace("return len(text)", "raise ValueError(text)")
    assert -1 == done.run()
    state = done.judge()
    assert (
        "failed at attempt 1: count raised ValueError: ONEONE!"
        == (state["Item group=a name=1 count"])
    )
    assert (
        "waiting: Item group=a name=1 count is failed; Item group=a name=2 count is failed"
        == (state["Group group=a total"])
    )
    assert done.judge(retry_failed=True)["Item group=a name=1 count"].startswith("ready: ")
    done.replace("raise ValueError(text)", "return len(text)")
    assert done.judge()["Item group=a name=1 count"].startswith("ready: ")
    assert 3 == done.run()


def test_failed_over_old_outputs(done: Any) -> None:
    """A rerun that fails leaves the old output, which no longer counts."""
    done.run()
    done.replace("return sum(counts)", "return sum(counts) // 0")
    done.raw("a_1", "three")
    assert -1 == done.run()
    assert (
        "failed at attempt 2: total raised ZeroDivisionError"
        in (done.judge()["Group group=a total"])
    )
    assert done.output("total.txt").exists()


def test_found_after_failure(done: Any) -> None:
    """An output that was put there by hand after its step failed counts as found."""
    done.replace("return len(text)", "raise ValueError(text)")
    done.run()
    folder = done.output("loud.txt").parent
    (folder / "count.txt").write_text("7\n")
    assert 1 == sum(state == "complete (found)" for state in done.judge().values())


def test_no_members(done: Any) -> None:
    """An aggregate that has lost its last member has no tasks."""
    done.run()
    for place in list(done.root.rglob("count.txt")):
        shutil.rmtree(place.parent)
    assert {} == done.judge()


def test_it_writes_nothing(done: Any) -> None:
    """Judging leaves every file, and every time, as it is."""
    done.run()
    done.lab.sync()

    def all_files() -> list[Any]:
        return [(p, p.stat().st_mtime_ns) for p in sorted(done.root.rglob("*"))]

    before = all_files()
    planner = done.lab.engine.planner()
    assert 5 == len([planner.judge(task) for task in planner.tasks()])
    assert before == all_files()
