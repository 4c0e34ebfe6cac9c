"""Explanations: from a task down to where it began, as a plain tree and as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pointillist.plan.explanation import Explainer, Explanation, argument_count, as_json, below
from pointillist.plan.states import After, Awaits, Failed, MissingSeed, Reason, State, Verdict
from pointillist.plan.tasks import Task

PROJECT = """
from __future__ import annotations
from pathlib import Path
import pointillist as pt


@pt.step
def loud(raw: Path, mark: str = "!") -> str:
    text = raw.read_text()
    if "bad" in text:
        raise ValueError(text)
    return text.upper() + mark


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

    loud: str = loud.step(raw, mark="!").to()
    count: int = count.step(loud).to()


class Group(pt.Aggregate[Item], order_by="name"):
    group: str = pt.key()
    total: int = total.step(pt.each(Item.count)).to()


class Everything(pt.Aggregate[Group]):
    total: int = total.step(pt.each(Group.total)).to()


class Lab(pt.Project):
    records = (Item, Group, Everything)
"""


@pytest.fixture
def lab(judged: Callable[[str], Any]) -> Any:
    """A project with two groups of two items."""
    found = judged(PROJECT)
    for name in ("a_1", "a_2", "b_1", "b_2"):
        found.raw(name, name)
    found.lab.discover()
    return found


def explained(lab: Any) -> dict[str, Explanation]:
    """Return the explanation of each task, by record and step."""
    planner = lab.lab.engine.planner()
    explainer = Explainer(planner)
    return {str(task).replace("  ", " "): explainer.explain(task) for task in planner.tasks()}


def names(explanations: Any) -> list[str]:
    """Return which tasks these are."""
    return [f"{one.record} {one.step}" for one in explanations]


def test_down_to_the_failed_attempt(lab: Any) -> None:
    """A task that waits leads over two levels of aggregates to the attempt that failed."""
    lab.raw("a_2", "bad")
    lab.run()
    found = explained(lab)["Everything total"]
    assert State.WAITING is found.verdict.state
    assert ["Group group=a total"] == names(found.causes)
    assert ["Item group=a name=2 count"] == names(found.causes[0].causes)
    [root] = found.roots
    assert ("Item group=a name=2", "loud", State.FAILED) == (
        *(root.record, root.step, root.verdict.state),
    )
    [reason] = root.verdict.reasons
    assert isinstance(reason, Failed)
    assert (1, "ValueError") == (reason.attempt.number, reason.attempt.exception)
    assert ["Item group=a name=2 loud"] == names(below(found.causes[0].causes))


def test_down_to_the_missing_seed(lab: Any) -> None:
    """It leads to the seed that is missing, with its path."""
    (lab.root / "raw/b_1.txt").unlink()
    [root] = explained(lab)["Group group=b total"].roots[:1]
    [reason] = root.verdict.reasons
    assert isinstance(reason, MissingSeed)
    assert {"field": "raw", "path": str(lab.root / "raw/b_1.txt")} == reason.cause


def test_what_several_wait_for_is_one(lab: Any) -> None:
    """What several tasks wait for is explained once, and comes once in all that is below."""
    found = explained(lab)
    assert found["Group group=a total"] is found["Everything total"].causes[0]
    everything = [found["Everything total"]]
    assert 10 == len(list(below(everything)))
    assert 8 == len(list(below([*everything, *everything[0].causes])))
    assert 4 == len(everything[0].roots)
    assert [] == found["Item group=a name=1 loud"].roots


def test_what_a_complete_task_was_compared_with(lab: Any) -> None:
    """A complete task has the attempt; one that is to be done has none."""
    before = explained(lab)["Group group=a total"]
    assert before.compared is None and () == before.settings
    lab.run()
    found = explained(lab)["Group group=a total"]
    assert found.compared is not None
    assert ("complete", 1, 2, 1) == (
        found.compared.outcome,
        found.compared.number,
        len(found.compared.inputs),
        argument_count(found.compared),
    )
    item = explained(lab)["Item group=a name=1 loud"].compared
    assert item is not None and 2 == argument_count(item)


def test_which_rules_did_not_act(lab: Any) -> None:
    """A setting is named where it keeps a task, or where it leaves something unseen."""
    lab.run()
    lab.replace("text.upper()", "text.upper().lower().upper()")
    task = "Item group=a name=1 loud"
    assert (("source", "show", ""),) == explained(lab)[task].settings
    assert () == explained(lab)["Item group=a name=1 count"].settings
    settings = lab.root / "pointillist.toml"
    settings.write_text('[rules.loud]\nsource = "ignore"\ninput = "show"\n')
    found = explained(lab)[task]
    assert State.COMPLETE is found.verdict.state
    assert (("source", "ignore", "[rules.loud]"),) == found.settings
    lab.raw("a_1", "another")
    assert (("input", "show", "[rules.loud]"), ("source", "ignore", "[rules.loud]")) == (
        explained(lab)[task].settings
    )


def test_data(lab: Any) -> None:
    """As data each task comes once, those chosen first, and every cause is among them."""
    lab.raw("a_2", "bad")
    lab.run()
    found = explained(lab)
    chosen = [found["Everything total"], found["Group group=a total"], found["Group group=b total"]]
    told = json.loads(json.dumps(as_json(chosen)))
    assert ["Everything", "Group", "Group"] == [one["class"] for one in told["tasks"]]
    assert [("count", "waiting"), ("loud", "failed")] == [
        (one["step"], one["state"]) for one in told["causes"]
    ]
    every = [*told["tasks"], *told["causes"]]
    places = {(one["job"], one["step"]) for one in every}
    assert len(every) == len(places)
    causes = [reason["cause"] for one in every for reason in one["reasons"]]
    assert 4 == len(causes)
    assert {(c["job"], c["step"]) for c in causes if "job" in c} <= places
    [failed] = [cause for cause in causes if "error" in cause]
    assert ("loud raised ValueError: bad", 1, "ValueError", None) == (
        *(failed["error"], failed["number"], failed["exception"], failed["code"]),
    )
    compared = told["tasks"][2]["compared"]
    assert (1, "complete", 2, 1, 2) == (
        *(compared["attempt"], compared["outcome"]),
        *(compared["inputs"], compared["arguments"], compared["members"]),
    )
    assert {} == told["tasks"][2]["settings"] and "compared" not in told["tasks"][0]


def test_found_without_an_attempt(lab: Any) -> None:
    """Outputs that no journal tells of were compared with nothing."""
    lab.run()
    for journal in lab.root.glob(".pointillist/runs/*"):
        journal.unlink()
    found = explained(lab)["Item group=a name=1 count"]
    assert ("found", None) == (found.verdict.note, found.compared)
    assert None is as_json([found])["tasks"][0]["compared"]


def test_each_task_is_judged_once(lab: Any) -> None:
    """Explaining asks for the verdicts that are there, and makes no others."""
    planner = lab.lab.engine.planner()
    tasks: list[Task] = list(planner.tasks())
    verdicts = [planner.judge(task) for task in tasks]
    explainer = Explainer(planner)
    assert all(
        verdict is explainer.explain(task).verdict
        for task, verdict in zip(tasks, verdicts, strict=True)
    )
    assert any(isinstance(reason, Awaits) for verdict in verdicts for reason in verdict.reasons)


def test_operations_written_by_hand(lab: Any) -> None:
    """An operation leads to those that it comes after; records have labels, other jobs their id."""
    item = lab.lab.open_job({"group": "a", "name": 1}).id
    group = "agg-" + "0" * 32
    false = Reason("condition", "there", text="there does not hold yet")
    first = Verdict(State.READY, (false,))
    second = Verdict(State.WAITING, (After.of("first", item, first, near=True),))
    gather = Verdict(State.WAITING, (After.of("second", item, second, near=False),))
    explainer = Explainer(lab.lab.engine.planner())
    found = explainer.explain_own("gather", group, gather)
    expected = [f"{group} gather", "Item group=a name=1 second", "Item group=a name=1 first"]
    assert expected == names([found, *below([found])])
    assert first is found.roots[0].verdict
    assert found.causes[0] is explainer.explain_own("second", item, second)
    told = as_json([found])
    cause = told["tasks"][0]["reasons"][0]["cause"]
    assert [cause] == [{key: told["causes"][0][key] for key in cause}]


def test_an_operation_that_comes_after_itself(lab: Any) -> None:
    """A circle of operations comes to an end."""
    item = lab.lab.open_job({"group": "a", "name": 1}).id
    again = Verdict(State.WAITING, (Reason("needs", "itself", text="it comes after itself"),))
    second = Verdict(State.WAITING, (After.of("first", item, again, near=True),))
    first = Verdict(State.WAITING, (After.of("second", item, second, near=True),))
    found = Explainer(lab.lab.engine.planner()).explain_own("first", item, first)
    assert ["Item group=a name=1 second"] == names(below([found]))
