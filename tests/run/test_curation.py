"""What people say of records, as methods of a project, and what a run then does."""

from __future__ import annotations

import shutil
import threading
from typing import Any

import pytest

from pointillist.cli.run import run_steps
from pointillist.errors import TasksFailed, ValueNotThere
from pointillist.plan.states import State
from pointillist.run.runner import Listener

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def upper(raw: Path) -> str:
    return raw.read_text().upper()


@pt.step
def joined(texts: list[str]) -> str:
    return "".join(texts)


@pt.step
def spread(parts: list[str]) -> str:
    return " ".join(parts)


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    text: str = upper.step(raw).to()

    @property
    def kind(self) -> str:
        return "vowel" if self.name in "aeiou" else "other"


class Group(pt.Aggregate[Item]):
    kind: str = pt.key()
    joined: str = joined.step(pt.each(Item.text)).to()


class Whole(pt.Aggregate[Group]):
    all: str = pt.key(lambda group: "all")
    spread: str = spread.step(pt.each(Group.joined)).to()


class Lab(pt.Project):
    records = (Item, Group, Whole)


@Lab.operation(on=Group)
def count(job):
    Path(job.fn("count.txt")).write_text(str(len(job.members)))


if __name__ == "__main__":
    Lab().main()
"""


@pytest.fixture
def shop(workshop: Any) -> Any:
    """Make a project of five items, run."""
    made = workshop(PROJECT)
    (made.root / "raw").mkdir()
    for name in "abcde":
        (made.root / f"raw/{name}.txt").write_text(name)
    made.lab().discover()
    assert 8 == made.run().done
    return made


def item(shop: Any, lab: Any, name: str) -> Any:
    """Return one item."""
    return lab[shop.module.Item].get(name=name)


def outputs(shop: Any) -> list[bytes]:
    """Return the contents of the aggregates' results."""
    return sorted(v for k, v in shop.outputs().items() if k.startswith("aggregates"))


def test_exclude_and_include(shop: Any) -> None:
    """An excluded record's tasks are excluded, its aggregates stale, until it is included again."""
    lab = shop.lab()
    assert 1 == len(lab.exclude(item(shop, lab, "c"), reason="60 Hz noise"))
    verdicts = shop.verdicts()
    assert State.EXCLUDED is verdicts["Item name=c  text"].state
    assert str(verdicts["Item name=c  text"]).startswith("excluded: 60 Hz noise (")
    assert "stale: member excluded: name=c (60 Hz noise)" == str(
        verdicts["Group kind=other  joined"]
    )
    assert "complete" == str(verdicts["Group kind=vowel  joined"])
    summary = shop.run()
    assert (2, 1) == (summary.done, summary.excluded)
    assert [b"AE", b"BD", b"BD AE"] == outputs(shop)
    [group] = [g for g in shop.lab()[shop.module.Group] if g.kind == "other"]
    assert ["c"] == [one.name for one in group.excluded_members]
    assert ["b", "d"] == [one.name for one in group.members]

    lab = shop.lab()
    lab.include(item(shop, lab, "c"))
    assert "stale: member included again: name=c" == str(
        shop.verdicts()["Group kind=other  joined"]
    )
    assert 2 == shop.run().done
    assert [b"AE", b"BCD", b"BCD AE"] == outputs(shop)


def test_include_before_anything_ran(shop: Any) -> None:
    """Included again before a run, everything is as it was, and nothing is done."""
    lab = shop.lab()
    lab.exclude(lab[shop.module.Item], reason="wrong amplifier")
    assert {State.EXCLUDED} == {verdict.state for verdict in shop.verdicts().values()}
    summary = shop.run()
    assert (0, 8) == (summary.done, summary.excluded)
    lab = shop.lab()
    lab.include(lab[shop.module.Item])
    assert {"complete"} == set(map(str, shop.verdicts().values()))
    assert 0 == shop.run().done


def test_all_members_excluded(shop: Any) -> None:
    """An aggregate of excluded records is excluded with the reason, and left out above."""
    lab = shop.lab()
    lab.exclude(lab[shop.module.Item].where(kind="vowel"), reason="too loud")
    verdicts = shop.verdicts()
    assert "all its members are excluded: too loud" in str(verdicts["Group kind=vowel  joined"])
    assert ("stale: member excluded: kind=vowel (all its members are excluded: too loud)") == str(
        verdicts["Whole all=all  spread"]
    )
    assert 1 == shop.run().done
    assert b"BCD" in outputs(shop), "what was made of it before is kept"
    lab = shop.lab()
    lab.include(lab[shop.module.Item])
    assert 1 == shop.run().done
    assert [b"AE", b"BCD", b"BCD AE"] == outputs(shop)


def test_an_excluded_aggregate(shop: Any) -> None:
    """An aggregate that is excluded itself is not run, its members are."""
    lab = shop.lab()
    [vowels] = lab[shop.module.Group].where(kind="vowel")
    lab.exclude(vowels, reason="of no use")
    verdicts = shop.verdicts()
    assert State.EXCLUDED is verdicts["Group kind=vowel  joined"].state
    assert "complete" == str(verdicts["Item name=a  text"])
    assert "stale: member excluded: kind=vowel (of no use)" == str(
        verdicts["Whole all=all  spread"]
    )
    (shop.root / "raw/a.txt").write_text("another text")
    assert 2 == shop.run().done
    assert b"BCD" in outputs(shop) and b"AE" in outputs(shop)


def test_values_of_excluded_records(shop: Any) -> None:
    """What an excluded record made is neither read as a result nor computed, and lies there."""
    lab = shop.lab()
    found = item(shop, lab, "c")
    assert "C" == found.text
    lab.exclude(found, reason="60 Hz noise")
    with pytest.raises(ValueNotThere, match="text is not there: excluded: 60 Hz noise"):
        found.value("text", compute=False)
    with pytest.raises(TasksFailed, match="excluded: 60 Hz noise"):
        found.value("text")
    assert "C" == found.path("text").read_text()
    assert 5 == len(lab[shop.module.Item]) and found in lab[shop.module.Item]


def test_excluded_while_a_run_goes_on(shop: Any) -> None:
    """What is excluded while a run goes on is not begun by it any more."""
    for name in "abcde":
        (shop.root / f"raw/{name}.txt").write_text(name * 2)
    excluded = []

    class Excluding(Listener):
        def started(self, task: Any, verdict: Any) -> None:
            if not excluded:  # as another process would, between two tasks
                excluded.append(task)
                lab = shop.lab()
                work = threading.Thread(
                    target=lambda: lab.exclude(item(shop, lab, "e"), reason="noise")
                )
                work.start()
                work.join()

    shop.run(listener=Excluding())
    assert "Item name=a  text" == str(excluded[0])
    assert State.EXCLUDED is shop.verdicts()["Item name=e  text"].state
    assert b"E" in shop.outputs().values() and b"EE" not in shop.outputs().values()
    shop.run()
    assert [b"AA", b"BBCCDD", b"BBCCDD AA"] == outputs(shop)


def test_operations_by_hand(shop: Any) -> None:
    """An operation on aggregates works on the members that count, not on excluded aggregates."""
    lab = shop.lab()
    lab.exclude(item(shop, lab, "c"), reason="noise")
    lab.exclude(lab[shop.module.Item].where(kind="vowel"), reason="noise")
    shop.lab().run(names=["count"])
    found = {k: v for k, v in shop.outputs().items() if k.endswith("count.txt")}
    assert [b"2"] == list(found.values())


def test_prune(shop: Any) -> None:
    """``lab.prune`` removes the aggregates whose members are gone, and says which."""
    lab = shop.lab()
    for found in lab[shop.module.Item].where(kind="vowel"):
        shutil.rmtree(found.folder)
    lab = shop.lab()
    assert ["Group kind=vowel"] == [one.record.label for one in lab.prune()]
    assert ["other"] == [group.kind for group in lab[shop.module.Group]]


def test_members_as_recorded(shop: Any) -> None:
    """A step gets the members that are recorded, also if one is excluded as it begins."""
    (shop.root / "raw/b.txt").write_text("bb")
    shop.run(limit=1)
    lab = shop.lab()

    class Excluding(Listener):
        def started(self, task: Any, verdict: Any) -> None:
            other = shop.lab()
            work = threading.Thread(
                target=lambda: other.exclude(item(shop, other, "d"), reason="noise")
            )
            work.start()
            work.join()
            lab.engine.attempts.refresh(lab.engine.space.layout)

    planner = lab.engine.planner()
    assert 1 == run_steps(lab, planner, ["Group.joined"], None, listener=Excluding()).done
    joined = [a for a in shop.attempts() if a["operation"] == "Group.joined"]
    attempt = max(joined, key=lambda a: float(a["end"]))
    members = [m.name for m in lab[shop.module.Item] if m.id in attempt["members"]]
    assert ["b", "c", "d"] == members
    assert b"BBCD" in shop.outputs().values(), "what is recorded is what it was made of"
    assert "stale: member excluded: name=d (noise)" == str(
        shop.verdicts()["Group kind=other  joined"]
    )


def test_unstored_values_of_members(workshop: Any) -> None:
    """Where members go into an unstored value, what is made of that is stale without one too."""
    unstored = "    joined: str = joined.step(pt.each(Item.text)).unstored()\n"
    unstored += "    loud: str = again.step(joined).to()\n"
    source = PROJECT.replace("    joined: str = joined.step(pt.each(Item.text)).to()\n", unstored)
    source = source.replace(
        "class Item", "@pt.step\ndef again(text: str) -> str:\n    return text * 2\n\n\nclass Item"
    )
    source = source.replace("pt.each(Group.joined)", "pt.each(Group.loud)")
    made = workshop(source)
    (made.root / "raw").mkdir()
    for name in "bcd":
        (made.root / f"raw/{name}.txt").write_text(name)
    made.lab().discover()
    made.run()
    assert b"BCDBCD" in made.outputs().values()
    lab = made.lab()
    lab.exclude(item(made, lab, "c"), reason="noise")
    assert "text of" in str(made.verdicts()["Group kind=other  loud"])
    assert 2 == made.run().done
    assert b"BDBD" in made.outputs().values()
