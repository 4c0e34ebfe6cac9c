"""States of hand-written operations: which condition is false, what came before, who has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import signac
from flow import aggregator, get_aggregate_id
from signac.job import Job

import pointillist as pt
from pointillist.space.attempts import Attempt
from pointillist.space.claims import take
from pointillist.space.journals import Journal
from pointillist.space.layout import JobFolder, operation_claim

States = dict[str, str]


class Session(pt.Aggregate[Job], order_by="index"):
    """The jobs of one session."""

    session: str = pt.key()


@pytest.fixture
def Project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; three jobs of two sessions lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for session, index in (("a", 0), ("a", 1), ("b", 0)):
        signac.init_project().open_job({"session": session, "index": index}).init()

    class Project(pt.Project):
        records = (Session,)

    return Project


@pytest.fixture
def made(Project: Any, tmp_path: Path) -> Callable[[], Any]:
    """Make the project, with what was declared until then."""

    def make() -> Any:
        project = Project(tmp_path)
        project.sync()
        return project

    return make


def states(project: Any, job: Any = None) -> States:
    """Return state and reasons of the operations on a job; by default on the first one."""
    chosen = project.open_job({"session": "a", "index": 0}) if job is None else job
    return {name: str(verdict) for name, id, verdict in project.own_verdicts() if id == chosen.id}


def has_b(job: Any) -> bool:
    """Ask the document for more than there is."""
    return bool(job.doc["b"])


def test_false_preconditions_are_named(Project: Any, made: Callable[[], Any]) -> None:
    """A waiting operation names all preconditions that do not hold, and only those."""

    @Project.pre.true("measured")
    @Project.pre(lambda job: True)
    @Project.pre.isfile("raw.txt")
    @Project.post.isfile("out.txt")
    @Project.operation
    def work(job: Any) -> None:
        """Do nothing."""

    project = made()
    text = 'waiting: true("measured") does not hold; isfile("raw.txt") does not hold'
    assert {"work": text} == states(project)
    job = project.open_job({"session": "a", "index": 0})
    job.doc["measured"] = True
    assert {"work": 'waiting: isfile("raw.txt") does not hold'} == states(project)
    Path(job.fn("raw.txt")).touch()
    assert {"work": 'ready: isfile("out.txt") does not hold yet'} == states(project)
    Path(job.fn("out.txt")).touch()
    assert {"work": "complete"} == states(project)


def test_without_conditions(Project: Any, made: Callable[[], Any]) -> None:
    """An operation without conditions is ready, before it was carried out and after."""
    Project.operation(lambda job: None, name="work")
    project = made()
    assert {"work": "ready"} == states(project)
    project.run()
    assert {"work": "ready"} == states(project)


def test_condition_that_raises(Project: Any, made: Callable[[], Any]) -> None:
    """A condition that raises is the reason for waiting, before the operation and after it."""
    Project.pre(has_b)(Project.operation(lambda job: None, name="before"))
    Project.post(has_b)(Project.operation(lambda job: None, name="after"))
    text = "waiting: condition has_b raised KeyError: 'b'"
    project = made()
    assert {"before": text, "after": text} == states(project)
    project.open_job({"session": "a", "index": 0}).doc["b"] = 1
    assert {"before": "ready", "after": "complete"} == states(project)


def test_what_follows_a_false_condition_may_raise(Project: Any, made: Callable[[], Any]) -> None:
    """A condition that raises tells nothing where one that is judged before it does not hold."""
    work = Project.operation(lambda job: None, name="work")
    Project.pre.isfile("raw.txt")(Project.pre(has_b)(work))
    assert {"work": 'waiting: isfile("raw.txt") does not hold'} == states(made())


def test_raising_postcondition_of_what_waits(Project: Any, made: Callable[[], Any]) -> None:
    """An operation that waits does not tell of a postcondition that cannot be judged yet."""
    work = Project.operation(lambda job: None, name="work")
    Project.post(has_b)(Project.pre.never(work))
    assert {"work": "waiting: never does not hold"} == states(made())


def test_after_says_what_became_of_the_other(Project: Any, made: Callable[[], Any]) -> None:
    """What comes after other operations says in which state these are, each by its name."""
    first = Project.operation(lambda job: None, name="first")
    Project.post.isfile("first.txt")(first)
    second = Project.operation(lambda job: None, name="second")
    Project.post.isfile("second.txt")(Project.pre.after(first)(second))
    third = Project.operation(lambda job: None, name="third")
    Project.pre.after(first, second)(third)
    project = made()
    found = states(project)
    assert "waiting: first is ready" == found["second"]
    assert "waiting: first is ready; second is waiting" == found["third"]
    job = project.open_job({"session": "a", "index": 0})
    Path(job.fn("first.txt")).touch()
    assert "waiting: second is ready" == states(project)["third"]
    Path(job.fn("second.txt")).touch()
    assert "ready" == states(project)["third"]


def test_after_itself(Project: Any, made: Callable[[], Any]) -> None:
    """Two operations that come after each other wait for each other."""
    first = Project.operation(lambda job: None, name="first")
    second = Project.operation(lambda job: None, name="second")
    for one, other in ((first, second), (second, first)):
        Project.post.isfile(f"{'first' if one is first else 'second'}.txt")(one)
        Project.pre.after(other)(one)
    expected = {"first": "waiting: second is waiting", "second": "waiting: first is waiting"}
    project = made()
    assert expected == states(project)
    job = project.open_job({"session": "a", "index": 0})
    verdicts = {name: verdict for name, id, verdict in project.own_verdicts() if id == job.id}
    [after] = verdicts["first"].reasons
    [back] = after.verdict.reasons
    assert ("second", "first") == (after.what, back.what)
    assert "waiting: it comes after itself" == str(back.verdict)


def test_after_what_has_no_postcondition(Project: Any, made: Callable[[], Any]) -> None:
    """As in signac-flow nothing waits for an operation without postconditions."""
    first = Project.operation(lambda job: None, name="first")
    Project.pre.after(first)(Project.operation(lambda job: None, name="second"))
    assert {"first": "ready", "second": "ready"} == states(made())


def test_after_an_operation_on_groups(Project: Any, made: Callable[[], Any]) -> None:
    """Of an operation on groups of jobs its postconditions are asked for the one job."""
    first = Project.operation(lambda *jobs: None, name="first", aggregator=aggregator())
    Project.post(lambda *jobs: all(job.isfile("x.txt") for job in jobs))(first)
    Project.pre.after(first)(Project.operation(lambda job: None, name="second"))
    project = made()
    assert {"second": "waiting: after(first) does not hold"} == states(project)
    Path(project.open_job({"session": "a", "index": 0}).fn("x.txt")).touch()
    assert {"second": "ready"} == states(project)


def test_after_members(Project: Any, made: Callable[[], Any]) -> None:
    """An operation on an aggregate names the members for whose operation it waits."""
    first = Project.operation(lambda job: None, name="first")
    Project.post.isfile("x.txt")(first)
    Project.pre.after(first)(Project.operation(lambda job: None, name="gather", on=Session))
    project = made()
    session = project.job_of(project[Session].get(session="a"))
    one, other = (project.open_job({"session": "a", "index": i}) for i in (0, 1))
    Path(one.fn("x.txt")).touch()
    assert {"gather": f"waiting: first of {other.id[:8]} is ready"} == states(project, session)
    [verdict] = [v for name, id, v in project.own_verdicts() if id == session.id]
    [reason] = verdict.reasons
    assert {"class": "", "job": other.id, "step": "first", "state": "ready"} == reason.cause
    Path(other.fn("x.txt")).touch()
    assert {"gather": "ready"} == states(project, session)


def test_failed_attempt(Project: Any, made: Callable[[], Any]) -> None:
    """An operation that failed is ready and says so, also where its conditions hold after all."""

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        raise ValueError("no luck")

    project = made()
    with pytest.raises(Exception, match="operation work"):
        project.run()
    found = states(project)["work"]
    told = "failed at attempt 1: raised ValueError: no luck"
    assert f'ready: {told}; isfile("x.txt") does not hold yet' == found
    Path(project.open_job({"session": "a", "index": 0}).fn("x.txt")).touch()
    assert f"complete: {told}, but its conditions hold" == states(project)["work"]


@pytest.fixture
def worked(Project: Any, made: Callable[[], Any]) -> Any:
    """Give a project of an operation and one that comes after it."""
    work = Project.operation(lambda job: None, name="work")
    Project.post.isfile("x.txt")(work)
    Project.pre.after(work)(Project.operation(lambda job: None, name="next"))
    return made()


def claimed(project: Any, name: str, jobs: tuple[Any, ...]) -> Journal:
    """Let a runner that lives, this process, claim an operation; return its journal."""
    layout = project.engine.space.layout
    journal = Journal(layout, "test")
    if len(jobs) == 1:
        folder, token = JobFolder(jobs[0].path), operation_claim(name)
    else:
        layout.claims.mkdir(parents=True)
        folder, token = JobFolder(layout.claims), operation_claim(name, get_aggregate_id(jobs))
    assert take(folder, token, [], journal) is not None
    return journal


def test_running(worked: Any) -> None:
    """What a living runner has is running, whatever its conditions say; what follows it waits."""
    job = worked.open_job({"session": "a", "index": 0})
    journal = claimed(worked, "work", (job,))
    expected = {"work": f"running: by {journal.runner}", "next": "waiting: work is running"}
    assert expected == states(worked)
    Path(job.fn("x.txt")).touch()
    assert expected == states(worked)


def test_running_on_a_group(Project: Any, made: Callable[[], Any]) -> None:
    """An operation on a group of plain jobs is claimed beside them, each group on its own."""
    group = aggregator.groupby("index")
    Project.operation(lambda *jobs: None, name="work", aggregator=group)
    project = made()
    found = {i: str(v) for _, i, v in project.own_verdicts()}
    assert 2 == len(found) and {"ready"} == set(found.values())
    id = next(i for i in found if i.startswith("agg-"))
    runner = claimed(project, "work", project._get_aggregate_from_id(id)).runner
    assert {**found, id: f"running: by {runner}"} == {
        i: str(v) for _, i, v in project.own_verdicts()
    }


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (("interrupted",), "failed: conditions hold, but the attempt died"),
        (("complete", "interrupted"), "failed: conditions hold, but the attempt died"),
        (("interrupted", "complete"), "complete"),
        (("interrupted", "accepted"), "complete"),
    ],
)
def test_died(worked: Any, outcomes: tuple[Any, ...], expected: str) -> None:
    """What died is failed though its conditions hold, until it is carried out again or accepted."""
    job = worked.open_job({"session": "a", "index": 0})
    Path(job.fn("x.txt")).touch()
    journal = Journal(worked.engine.space.layout, "test")
    for number, outcome in enumerate(outcomes, 1):
        journal.append(Attempt("work", job.id, outcome, number, number, number, {}))
    found = states(worked)
    assert expected == found["work"]
    assert ("ready" if expected == "complete" else "waiting: work is failed") == found["next"]
    Path(job.fn("x.txt")).unlink()
    died = "the last attempt died; " if outcomes[-1] == "interrupted" else ""
    assert f'ready: {died}isfile("x.txt") does not hold yet' == states(worked)["work"]


def test_judging_writes_nothing(worked: Any, tmp_path: Path) -> None:
    """Asking for states leaves every file, and every time, as it was."""

    def everything() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}

    before = everything()
    list(worked.own_verdicts())
    assert before == everything()


def test_status_shows_reasons(worked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """``status -d`` has a line with the reason for each operation and job."""
    worked.print_status(detailed=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert 3 == sum(["READY", 'isfile("x.txt")'] == line[-6:-4] for line in lines)
    assert 3 == sum(["next", "WAITING", "work", "is", "ready"] == line[-5:] for line in lines)
