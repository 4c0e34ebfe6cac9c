"""Accepting: what is blessed, what is not, and what is judged against it from then on."""

from __future__ import annotations

import os
import shutil
import signal
from typing import Any

import pytest

from pointillist.errors import UnknownField
from pointillist.plan.states import State
from pointillist.run.acceptance import accept
from pointillist.space.claims import take
from pointillist.space.journals import Journal

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def upper(raw: Path) -> str:
    if (HERE / "broken").exists():
        raise ValueError("no luck")
    return raw.read_text().upper()


@pt.step
def measure(text: str, factor: int) -> int:
    return factor * len(text)


@pt.step
def joined(texts: list[str]) -> str:
    return "".join(texts)


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    text: str = upper.step(raw).to()
    length: int = measure.step(text, 2).to()

    @property
    def group(self) -> str:
        return "all"


class Group(pt.Aggregate[Item]):
    group: str = pt.key()
    joined: str = joined.step(pt.each(Item.text)).to()


class Lab(pt.Project):
    records = (Item, Group)


if __name__ == "__main__":
    Lab().main()
"""


@pytest.fixture
def shop(workshop: Any) -> Any:
    """Make a project of two items, run."""
    made = workshop(PROJECT)
    (made.root / "raw").mkdir()
    for name in "ab":
        (made.root / f"raw/{name}.txt").write_text(f"{name} text")
    made.lab().discover()
    assert 5 == made.run().done
    return made


def blessed(shop: Any, *names: str, pretend: bool = False) -> dict[str, str]:
    """Accept all tasks, or those of some steps; return what was refused, empty if nothing was."""
    lab = shop.lab()
    tasks = [t for t in lab.engine.planner().tasks() if not names or t.step.name in names]
    found = accept(lab.engine, tasks, "checked", pretend)
    return {str(one.task).replace("  ", " "): one.refused for one in found}


def states(shop: Any) -> dict[str, str]:
    """Return the state and note of each task."""
    return {
        task.replace("  ", " "): f"{verdict.state} {verdict.note}".strip()
        for task, verdict in shop.verdicts().items()
    }


def replace(shop: Any, old: str, new: str) -> None:
    """Change the project's file, as an editor does, and load it as the next process would."""
    path = shop.root / "project.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    later = path.stat().st_mtime_ns + 1_000_000_000
    os.utime(path, ns=(later, later))
    shop.module = shop._load()


@pytest.mark.parametrize(
    ("old", "new", "was"),
    [
        ("factor * len(text)", "len(text) * factor", "stale kept"),
        ("step(text, 2)", "step(text, 3)", "stale"),
        ("@pt.step\ndef measure", "@pt.step(version='2')\ndef measure", "stale"),
    ],
    ids=["source", "argument", "version"],
)
def test_stale(shop: Any, old: str, new: str, was: str) -> None:
    """What is stale by any rule is complete once accepted; its files and those before stay."""
    replace(shop, old, new)
    before = shop.outputs()
    assert {was} == {s for task, s in states(shop).items() if "length" in task}
    expected = {"Item name=a length": "", "Item name=b length": ""}
    assert expected == blessed(shop, pretend=True)
    assert was == states(shop)["Item name=a length"], "nothing was recorded"
    assert expected == blessed(shop)
    assert {"complete accepted"} == {s for task, s in states(shop).items() if "length" in task}
    assert {"complete"} == {s for task, s in states(shop).items() if "length" not in task}
    assert before == shop.outputs()
    assert 0 == shop.run(rerun=["source"]).done
    [attempt] = [
        a for a in shop.attempts() if a["outcome"] == "accepted" and a["job"] == _id(shop, "a")
    ]
    assert ("checked", 0) == (attempt["note"], attempt["number"]) and attempt["user"]
    assert {} == blessed(shop)


def _id(shop: Any, name: str) -> str:
    found: str = shop.lab()[shop.module.Item].get(name=name).id
    return found


def test_stale_again(shop: Any) -> None:
    """What is accepted is judged like anything else from then on."""
    replace(shop, "step(text, 2)", "step(text, 3)")
    blessed(shop)
    replace(shop, "step(text, 3)", "step(text, 4)")
    reason = "argument factor changed (3 → 4)"
    assert reason in str(shop.verdicts()["Item name=a  length"])
    assert 2 == shop.run().done
    assert {"complete"} == set(states(shop).values())


def test_changed_input_and_members(shop: Any) -> None:
    """A changed input and other members are accepted, upstream first; then all is complete."""
    (shop.root / "raw/a.txt").write_text("another text")
    (shop.root / "raw/c.txt").write_text("c text")
    shop.lab().discover()
    found = blessed(shop)
    assert {
        "Item name=a text": "",
        "Item name=c text": ("text.txt is missing: there is nothing to accept; `run` makes it"),
        "Item name=c length": ("length.txt is missing: there is nothing to accept; `run` makes it"),
        "Group group=all joined": ("Item name=c  text is ready: accept that too, or `run` it"),
    } == found
    shop.run()
    assert "complete accepted" == states(shop)["Item name=a text"]
    assert "complete" == states(shop)["Group group=all joined"]


def test_upstream_that_is_not_selected(shop: Any) -> None:
    """What waits for a stale task cannot be accepted without it, and both can together."""
    (shop.root / "raw/a.txt").write_text("another text")
    assert {"Item name=a length": "Item name=a  text is stale: accept that too, or `run` it"} == (
        blessed(shop, "length")
    )
    assert {"Item name=a text": ""} == blessed(shop, "text", "length")
    assert "complete" == states(shop)["Item name=a length"]


def test_edited(shop: Any) -> None:
    """What was edited by hand is accepted; its dependents are judged by it as it is."""
    shop.lab()[shop.module.Item].get(name="a").path("text").write_text("A TEXT"[::-1])
    assert "complete edited" == states(shop)["Item name=a text"]
    assert {"Item name=a text": ""} == blessed(shop, "text")
    now = states(shop)
    assert "complete accepted" == now["Item name=a text"]
    assert {"stale"} == {now["Item name=a length"], now["Group group=all joined"]}
    shop.run()
    assert b"TXET AB TEXT" in shop.outputs().values()


def test_failed(shop: Any) -> None:
    """A task that failed over its old outputs is complete with them, and is not tried again."""
    (shop.root / "broken").touch()
    (shop.root / "raw/a.txt").write_text("another text")
    assert 1 == len(shop.run().failed)
    assert "failed" == states(shop)["Item name=a text"]
    assert {"Item name=a text": ""} == blessed(shop)
    assert {"complete accepted", "complete"} == set(states(shop).values())
    summary = shop.run(retry_failed=True)
    assert (0, []) == (summary.done, summary.failed)


def test_archived(shop: Any) -> None:
    """With its seed gone for good an accepted task is complete, until other content comes back."""
    raw = shop.root / "raw/a.txt"
    content, kept = raw.read_text(), raw.with_name("kept")
    shutil.copy2(raw, kept)
    raw.unlink()
    before = states(shop)
    assert {"waiting"} == {s for task, s in before.items() if "=b" not in task}
    foreseen = blessed(shop, pretend=True)
    assert {"Item name=a text": ""} == foreseen == blessed(shop)
    assert {"complete accepted", "complete"} == set(states(shop).values())
    assert 0 == shop.run().done

    shutil.copy2(kept, raw)
    assert "complete accepted" == states(shop)["Item name=a text"]
    raw.write_text(content)  # another time, the same content
    assert "complete accepted" == states(shop)["Item name=a text"]
    raw.write_text(content.upper())
    assert "stale" == states(shop)["Item name=a text"]


def test_archived_and_changed(shop: Any) -> None:
    """Accepted and archived, what differs afterwards makes it wait: it cannot be made again."""
    (shop.root / "raw/a.txt").unlink()
    blessed(shop)
    replace(shop, "upper(raw: Path) -> str:", 'upper(raw: Path, end: str = "") -> str:')
    replace(shop, "upper.step(raw)", 'upper.step(raw, "!")')
    [verdict] = [v for task, v in shop.verdicts().items() if task == "Item name=a  text"]
    assert State.WAITING is verdict.state and "raw is missing" in str(verdict)


def test_a_runner_has_it(shop: Any) -> None:
    """A task that a live runner has is not accepted; one that a dead one left behind is."""
    replace(shop, "step(text, 2)", "step(text, 3)")
    lab = shop.lab()
    item = lab[shop.module.Item].get(name="a")
    claim = take(
        lab.engine.space.job_folder(item), "length", [], Journal(lab.engine.space.layout, "x")
    )
    assert claim is not None
    held = "a runner has it; wait until it has ended"
    expected = {"Item name=a length": held, "Item name=b length": ""}
    assert expected == blessed(shop, pretend=True)
    assert expected == blessed(shop)
    claim.release()

    child = os.fork()
    if child == 0:
        take(lab.engine.space.job_folder(item), "length", [], Journal(lab.engine.space.layout, "x"))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert {"Item name=a length": ""} == blessed(shop)
    assert "complete accepted" == states(shop)["Item name=a length"]
    assert [] == shop.leftovers()


def test_two_at_once(shop: Any, fork_off: Any) -> None:
    """Who accepts while others accept or run: each task is accepted once, and complete."""
    replace(shop, "step(text, 2)", "step(text, 3)")
    read, write = os.pipe()

    def work() -> None:
        os.close(write)
        os.read(read, 1)
        blessed(shop)

    children = [fork_off(work) for _ in range(3)]
    os.close(write)
    assert [0, 0, 0] == [os.waitpid(child, 0)[1] for child in children]
    assert {"complete accepted"} == {s for task, s in states(shop).items() if "length" in task}
    accepted = [a["job"] for a in shop.attempts() if a["outcome"] == "accepted"]
    assert 2 == len(accepted) == len(set(accepted))
    assert [] == shop.leftovers()


def test_excluded(shop: Any) -> None:
    """Of a record that is excluded nothing is accepted."""
    replace(shop, "step(text, 2)", "step(text, 3)")
    lab = shop.lab()
    lab.exclude(lab[shop.module.Item].get(name="a"), reason="noise")
    assert {"Item name=b length": "", "Group group=all joined": ""} == blessed(shop)
    assert "excluded" == states(shop)["Item name=a length"]


def test_in_a_notebook(shop: Any) -> None:
    """``lab.accept`` takes a record or several, a step by any of its names, or all steps."""
    replace(shop, "step(text, 2)", "step(text, 3)")
    lab = shop.lab()
    item = lab[shop.module.Item].get(name="a")
    [one] = lab.accept(item, "length", note="checked")
    assert ("Item name=a  length", State.STALE, "") == (
        str(one.task),
        one.before.state,
        one.refused,
    )
    assert 12 == item.length, "the value that was accepted, not another"
    assert [] == lab.accept(item, note="checked")
    assert 1 == len(lab.accept(lab[shop.module.Item], note="checked"))
    with pytest.raises(UnknownField, match=r"no step 'size'\. Its steps: text, length"):
        lab.accept(item, "size", note="checked")
