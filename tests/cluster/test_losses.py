"""What a scheduler has lost is recorded, also of a runner on a host that cannot be seen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.cluster.losses import note
from pointillist.cluster.queue import Element, Queue
from pointillist.cluster.slurm import BatchJob
from pointillist.plan.states import State
from pointillist.space.submissions import open_submissions

from ..run.conftest import workshop
from .test_node import shop, submitted

__all__ = ["shop", "workshop"]

Held = Callable[[Any, str], None]


@pytest.fixture
def held(shop: Any) -> Held:
    """Let a runner elsewhere have the claim on a step of a job."""

    def hold(folder: Path, batch: str) -> None:
        runner = f"20260101T000000-elsewhere-7-{batch}"
        who = {"host": "elsewhere", "boot": "x", "namespace": "y", "pid": 7, "started": "1"}
        line = {"kind": "runner", "format": 1, "runner": runner, "start": 0.0}
        journal = shop.root / ".pointillist" / "runs" / f"{runner}.jsonl"
        journal.write_text(json.dumps({**line, **who}) + "\n")
        os.link(journal, folder / ".total.claim.1")

    return hold


def ended(shop: Any, name: str, state: str) -> tuple[Any, Queue]:
    """Return a worker, and a queue in which the first element of a submission has ended."""
    engine = shop.lab().engine
    (submission,) = open_submissions(engine.space.layout)
    assert name == submission.name
    array = submission.arrays["1"]
    element = Element(submission, array, 0, BatchJob("7", 0, "", state, "Why", "far"))
    return engine.worker(engine.planner()), Queue([submission], ended=[element])


def session(shop: Any, name: str) -> Any:
    """Return a session."""
    return shop.lab()[shop.module.Session].get(session=name)


def test_runner_elsewhere(shop: Any, held: Held) -> None:
    """The claim of the batch job that has ended is taken over, and its task is failed."""
    name = submitted(shop, "Session.total", ["a"])
    folder = session(shop, "a").folder
    held(folder, f"{name}.1.0")
    worker, queue = ended(shop, name, "NODE_FAIL")
    assert ["Session session=a  total"] == [str(task) for task in note(worker, queue)]
    verdict = shop.verdicts()["Session session=a  total"]
    assert State.FAILED is verdict.state
    assert "failed at attempt 1: batch job 7_0 ended on far: NODE_FAIL (Why)" == str(verdict)
    assert [] == [path.name for path in folder.iterdir() if "claim" in path.name]
    assert [] == open_submissions(worker.space.layout)


def test_another_runner_elsewhere(shop: Any, held: Held) -> None:
    """The claim of a runner that was not of the batch job is left alone, and so is the task."""
    name = submitted(shop, "Session.total", ["a"])
    held(session(shop, "a").folder, f"{name}.1.1")
    worker, queue = ended(shop, name, "NODE_FAIL")
    assert [] == note(worker, queue)
    assert State.RUNNING is shop.verdicts()["Session session=a  total"].state


@pytest.mark.parametrize("state", ["COMPLETED", "GONE"])
def test_not_lost(shop: Any, state: str) -> None:
    """A batch job that ended well, or of which nothing is known, has lost nothing."""
    name = submitted(shop, "Session.total", ["a"])
    worker, queue = ended(shop, name, state)
    assert [] == note(worker, queue)
    assert State.READY is shop.verdicts()["Session session=a  total"].state
    assert [] == open_submissions(worker.space.layout)


def test_nobody_to_ask(shop: Any) -> None:
    """Where the scheduler cannot be asked nothing is noted, and nothing closed."""
    name = submitted(shop, "Session.total", ["a"])
    worker, queue = ended(shop, name, "TIMEOUT")
    queue.problem = "away"
    assert [] == note(worker, queue)
    assert [name] == [found.name for found in open_submissions(worker.space.layout)]


def test_done_meanwhile(shop: Any) -> None:
    """A task that somebody has done since it was submitted is not lost."""
    name = submitted(shop, "Session.total", ["a"])
    shop.lab().run(names=["Session.total"])
    worker, queue = ended(shop, name, "TIMEOUT")
    assert [] == note(worker, queue)
    assert State.COMPLETE is shop.verdicts()["Session session=a  total"].state


def test_shown_before_it_is_recorded(shop: Any, held: Held) -> None:
    """A task that is lost is shown as failed, also elsewhere, and nothing is written."""
    name = submitted(shop, "Session.total", ["a", "b"])
    held(session(shop, "a").folder, f"{name}.1.0")
    worker, queue = ended(shop, name, "TIMEOUT")
    before = {path: path.stat().st_mtime_ns for path in shop.root.rglob("*") if path.is_file()}
    queue.lay_over(worker.planner)
    tasks = [t for t in worker.planner.tasks() if isinstance(t.record, shop.module.Session)]
    found = [worker.planner.judge(task) for task in tasks]
    assert ["failed: batch job 7_0 ended on far: TIMEOUT (Why)"] * 2 == list(map(str, found))
    after = {path: path.stat().st_mtime_ns for path in shop.root.rglob("*") if path.is_file()}
    assert before == after
