"""The node's side: a batch job knows its own jobs, and nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pointillist.cluster.node import tasks_of_element
from pointillist.errors import ConfigurationError
from pointillist.plan.states import State
from pointillist.run.runner import Runner
from pointillist.space.confinement import with_members
from pointillist.space.elements import batch_of
from pointillist.space.submissions import SentArray, begun

from ..run.conftest import workshop
from .conftest import PROJECT

__all__ = ["workshop"]


@pytest.fixture
def shop(workshop: Callable[..., Any]) -> Iterator[Any]:
    """Give a project of two sessions of two recordings, the members done."""
    made = workshop(PROJECT.format(np=1, walltime=None, more=""))
    (made.root / "raw").mkdir()
    for n, name in enumerate(("a_1", "a_2", "b_1", "b_2")):
        (made.root / "raw" / f"{name}.txt").write_text(str(n))
    made.lab().discover()
    made.lab().run(names=["Recording.mean", "Recording.double"])
    yield made


def submitted(shop: Any, step: str, *elements: list[str]) -> str:
    """Write down that elements of one step, of sessions, are submitted; return the name."""
    lab = shop.lab()
    space, planner = lab.engine.space, lab.engine.planner()
    tasks = [task for task in planner.tasks() if task.step.operation == step]
    by_session = {task.record.session: task.record for task in tasks}
    jobs = {n: [by_session[name].id for name in names] for n, names in enumerate(elements)}
    needed = {record.id: with_members(space, record) for record in by_session.values()}
    index = space.attempts.index({})
    return begun(space.layout, [SentArray("1", step, {}, jobs)], index, needed).name


def test_nothing_but_its_own(shop: Any) -> None:
    """An element knows its aggregate, the members and what was attempted on them, no others."""
    name = submitted(shop, "Session.total", ["a"], ["b"])
    others = [job for job in shop.jobs() if '"b"' in (job / "signac_statepoint.json").read_text()]
    assert 3 == len(others)
    for job in others:
        (job / "signac_statepoint.json").write_text("damaged")
    engine = shop.lab().engine
    _, (task,) = tasks_of_element(engine, name, "1", 0)
    space = engine.space
    assert "Session session=a" == task.record.label
    found = [record.label for cls in space.classes for record in space.records(cls).values()]
    members = [f"Recording session=a index={n}" for n in (1, 2)]
    assert [*members, "Session session=a"] == found
    planner = engine.planner()
    assert [] == space.problems
    assert {record.id for record in space.members(task.record)} == set(planner.attempts.jobs())
    assert State.READY is planner.judge(task).state


def test_it_is_carried_out(shop: Any) -> None:
    """An element's task is carried out and recorded as any other; the index stays as it is."""
    name = submitted(shop, "Session.total", ["a", "b"])
    engine = shop.lab().engine
    index = engine.space.layout.index
    before = index.read_bytes() if index.exists() else b""
    _, tasks = tasks_of_element(engine, name, "1", 0)
    planner = engine.planner()
    summary = Runner(engine.worker(planner)).run(tasks)
    assert 2 == summary.done
    assert before == (index.read_bytes() if index.exists() else b"")
    assert {State.COMPLETE} == {verdict.state for verdict in shop.verdicts().values()}
    opening = Path(engine.journal.place).read_text().partition("\n")[0]
    assert '"executor":"slurm"' in opening
    assert f"{name}.1.0" == batch_of(engine.journal.runner)


def test_what_came_since(shop: Any) -> None:
    """What others have recorded since it was submitted counts: a task that is done is left."""
    name = submitted(shop, "Session.total", ["a"])
    shop.lab().run()
    engine = shop.lab().engine
    _, (task,) = tasks_of_element(engine, name, "1", 0)
    assert State.COMPLETE is engine.planner().judge(task).state


def test_member_that_came_since(shop: Any) -> None:
    """A member that came since is looked at, and its own state read."""
    name = submitted(shop, "Session.total", ["a"])
    (shop.root / "raw" / "a_3.txt").write_text("3")
    shop.lab().discover()
    engine = shop.lab().engine
    _, (task,) = tasks_of_element(engine, name, "1", 0)
    verdict = engine.planner().judge(task)
    assert (State.WAITING, "Recording session=a index=3 double is waiting") == (
        verdict.state,
        "; ".join(map(str, verdict.reasons)),
    )


def test_excluded_since(shop: Any) -> None:
    """A record that was excluded since it was submitted is not worked on."""
    name = submitted(shop, "Session.total", ["a"])
    lab = shop.lab()
    lab.exclude(lab[shop.module.Session].get(session="a"), reason="noise")
    engine = shop.lab().engine
    _, (task,) = tasks_of_element(engine, name, "1", 0)
    assert State.EXCLUDED is engine.planner().judge(task).state


def test_step_that_is_gone(shop: Any) -> None:
    """A step that was renamed since is an error that names those that there are."""
    lab = shop.lab()
    index = lab.engine.space.attempts.index({})
    sent = SentArray("1", "Session.sum", {}, {0: []})
    sent.elements[0] = ["x"]
    name = begun(lab.engine.space.layout, [sent], index, {"x": []}).name
    with pytest.raises(ConfigurationError, match=r"Session\.sum was submitted, and is no step"):
        tasks_of_element(shop.lab().engine, name, "1", 0)
