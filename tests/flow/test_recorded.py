"""Hand-written operations as attempts: recorded, claimed, killed, raced for."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import signac
from flow import aggregator, get_aggregate_id
from flow.errors import UserConditionError, UserOperationError
from signac.job import Job

import pointillist as pt
from pointillist.errors import TasksFailed
from pointillist.run import heartbeat
from pointillist.space.attempts import Exclusion
from pointillist.space.identity import Identity

NP = pytest.mark.parametrize("np", [1, 2])


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make four jobs in the working directory."""
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        signac.init_project().open_job({"i": i}).init()
    return tmp_path


@pytest.fixture
def Project() -> Any:
    """Give a class of the test's own, without record classes."""

    class Project(pt.Project):
        pass

    return Project


def attempts(root: Path) -> list[dict[str, Any]]:
    """Return the attempts in all journals, in the order of their ends."""
    journals = [p.read_text().splitlines() for p in root.glob(".pointillist/runs/*.jsonl")]
    lines = [json.loads(line) for journal in journals for line in journal]
    return sorted((a for a in lines if a["kind"] == "attempt"), key=lambda a: float(a["end"]))


def outcomes(root: Path, job: Any) -> list[tuple[str, int]]:
    """Return outcome and number of the attempts on a job."""
    return [(a["outcome"], a["number"]) for a in attempts(root) if a["job"] == job.id]


def claims(root: Path) -> list[str]:
    """Return the names of all claims."""
    return sorted(p.name for p in root.rglob("*.claim.*"))


def states(project: Any) -> Counter[str]:
    """Count the operations by their state and reasons."""
    return Counter(str(verdict) for _, _, verdict in project.own_verdicts())


def begin(work: Callable[[], object]) -> int:
    """Begin something in a fork of this process; return its id."""
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def end_of(pid: int) -> int:
    """Wait for a process; return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# What is recorded.


def act(job: Any) -> None:
    """Do something else on each job."""
    if job.sp.i == 1:
        raise ValueError("no luck\nat all")
    if job.sp.i == 2:
        sys.exit(7)
    Path(job.fn("x.txt")).touch()


@NP
def test_attempts(Project: Any, root: Path, np: int) -> None:
    """Each execution is an attempt in the run's one journal, with its number, times and error."""
    Project.post.isfile("x.txt")(Project.operation(act))
    project = Project(root)
    jobs = [project.open_job({"i": i}) for i in (0, 1, 3)]
    before = time.time()
    for _ in range(2):
        with pytest.raises(UserOperationError):
            project.run(jobs=jobs, np=np)
    found = attempts(root)
    assert [("complete", 1)] == outcomes(root, jobs[0]) == outcomes(root, jobs[2])
    assert [("failed", 1), ("failed", 2)] == outcomes(root, jobs[1])
    errors = {(a["error"], a["exception"]) for a in found if a["outcome"] == "failed"}
    assert {("raised ValueError: no luck", "ValueError")} == errors
    assert {"act"} == {a["operation"] for a in found}
    assert all(before <= a["start"] <= a["end"] <= time.time() for a in found)
    assert 1 == len(list(root.glob(".pointillist/runs/*")))
    assert [] == claims(root)


@NP
@pytest.mark.parametrize(
    ("command", "timeout", "code", "error"),
    [
        ("exit 3", None, 3, "its command failed (exit 3)"),
        ("kill -9 $$", None, -9, "its command failed (signal 9)"),
        ("sleep 60", 0.1, None, "its command took longer than its timeout"),
    ],
)
def test_commands(
    Project: Any, root: Path, command: str, timeout: float, code: int, error: str, np: int
) -> None:
    """Of a command that fails its exit code, signal or timeout is recorded."""
    Project.operation(lambda job: command, name="work", cmd=True)
    project = Project(root)
    with pytest.raises((UserOperationError, subprocess.TimeoutExpired)):
        project.run(jobs=[project.open_job({"i": 0})], timeout=timeout, np=np)
    (found,) = attempts(root)
    assert ("failed", error, code) == (found["outcome"], found["error"], found.get("code"))


def test_exit(Project: Any, root: Path) -> None:
    """An operation that ends the process is recorded as failed, and leaves no claim."""
    Project.operation(act)
    project = Project(root)
    with pytest.raises(SystemExit):
        project.run(jobs=[project.open_job({"i": 2})])
    (found,) = attempts(root)
    assert ("failed", "exited with 7", 7) == (found["outcome"], found["error"], found["code"])
    assert [] == claims(root)


def test_drop_in_records_nothing(root: Path) -> None:
    """A `FlowProject` claims and records nothing."""

    class Project(pt.FlowProject):
        pass

    @Project.operation
    def work(job: Any) -> None:
        assert ["signac_statepoint.json"] == [p.name for p in Path(job.path).iterdir()]

    Project().run()
    assert not (root / ".pointillist").exists()


@NP
def test_claims(Project: Any, root: Path, np: int) -> None:
    """During an operation its claim lies in the job's folder, and is the run's journal."""

    @Project.operation
    def work(job: Any) -> None:
        (claim,) = Path(job.path).glob(".operation-work.claim.1")
        (journal,) = root.glob(".pointillist/runs/*.jsonl")
        assert claim.samefile(journal)

    Project(root).run(np=np)
    assert 4 == len(attempts(root))
    assert [] == claims(root)


@NP
def test_claims_of_aggregates(Project: Any, root: Path, np: int) -> None:
    """Operations on several jobs are claimed in the project's folder, and recorded by group."""

    @Project.operation(aggregator=aggregator.groupsof(2))
    def work(*jobs: Any) -> None:
        id = get_aggregate_id(jobs)
        assert (root / f".pointillist/claims/.operation-work-{id}.claim.1").exists()

    project = Project(root)
    project.run(np=np)
    ids = {id for _, id, _ in project.own_verdicts()}
    assert 2 == len(ids) and ids == {a["job"] for a in attempts(root)}
    assert [] == claims(root)


def test_claim_of_any_name(Project: Any, root: Path) -> None:
    """An operation whose name is no file name is claimed all the same."""
    seen = []
    work = Project.operation(lambda job: seen.append(claims(root)), name="do it / now.claim.1")
    Project.operation(lambda job: seen.append(claims(root)), name="do it / later")
    project = Project(root)
    project.run(jobs=[project.open_job({"i": 0})])
    assert work is not None and 2 == len({name for (name,) in seen})
    assert all(name.endswith(".claim.1") for (name,) in seen)


def test_operation_on_records(root: Path) -> None:
    """An operation on an aggregate is claimed in the folder of the aggregate's own job."""

    class Every(pt.Aggregate[Job]):
        """All jobs."""

    class Project(pt.Project):
        records = (Every,)

    seen = []
    Project.operation(on=Every)(lambda job: seen.extend(Path(job.path).glob(".*claim*")))
    project = Project(root)
    project.run()
    (every,) = project[Every]
    assert [every.folder] == [claim.parent for claim in seen]
    assert [every.id] == [a["job"] for a in attempts(root)]


# Two runs.


def test_running_elsewhere(Project: Any, root: Path) -> None:
    """What one run has, another leaves to it, and does all else; `status` shows it as running."""
    reading, writing = os.pipe()
    ending, go_on = os.pipe()

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        if str(os.getpid()) == (root / "slow").read_text():
            os.write(writing, b"!")
            os.read(ending, 1)
        with (root / "done").open("a") as file:
            print(job.sp.i, file=file)
        Path(job.fn("x.txt")).touch()

    project = Project(root)
    slow = project.open_job({"i": 0})

    def run_slowly() -> None:
        (root / "slow").write_text(str(os.getpid()))
        Project(root).run(jobs=[slow])

    pid = begin(run_slowly)
    os.read(reading, 1)
    (journal,) = root.glob(".pointillist/runs/*.jsonl")
    running = {f"running: by {journal.stem}": 1}
    assert running | {'ready: isfile("x.txt") does not hold yet': 3} == states(project)
    project.run()
    assert running | {"complete": 3} == states(project)
    project.run(num=1)
    assert ["1", "2", "3"] == sorted((root / "done").read_text().split())
    os.write(go_on, b"!")
    assert 0 == end_of(pid)
    assert {"complete": 4} == states(project)
    assert [1] * 4 == [a["number"] for a in attempts(root)]


def test_a_limit_counts_what_was_carried_out(Project: Any, root: Path) -> None:
    """`num` operations are carried out, however many other runs have."""

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        if not project_of_other:
            project_of_other.append(Project(root))
            project_of_other[0].run(num=2)
        Path(job.fn("x.txt")).touch()

    project_of_other: list[Any] = []
    project = Project(root)
    project.run(num=1)
    assert {"complete": 3, 'ready: isfile("x.txt") does not hold yet': 1} == states(project)


@NP
def test_raced(Project: Any, root: Path, np: int) -> None:
    """Three runs at once carry out each operation on each job once, and all of them."""
    for i in range(4, 20):
        signac.get_project().open_job({"i": i}).init()

    def mark(name: str) -> Callable[..., None]:
        def work(job: Any) -> None:
            with (root / "done").open("a") as file:
                file.write(f"{name} {job.sp.i}\n")
            Path(job.fn(name)).touch()

        return work

    first = Project.operation(mark("first"), name="first")
    Project.post.isfile("first")(first)
    second = Project.operation(mark("second"), name="second")
    Project.pre.after(first)(Project.post.isfile("second")(second))
    reading, writing = os.pipe()

    def run() -> None:
        project = Project(root)
        os.close(writing)
        os.read(reading, 1)  # ends when all have been begun
        project.run(np=np)

    pids = [begin(run) for _ in range(3)]
    os.close(writing)
    assert [0] * 3 == [end_of(pid) for pid in pids]
    expected = Counter(f"{name} {i}" for name in ("first", "second") for i in range(20))
    assert expected == Counter((root / "done").read_text().splitlines())
    assert {1} == set(Counter((a["operation"], a["job"]) for a in attempts(root)).values())
    assert {"complete": 40} == states(Project(root))


# Death.


def lethal(project: Any, root: Path, before: bool = True) -> Any:
    """Give a class an operation that kills its process on job 2, after it has begun its file."""

    @project.post.isfile("x.txt")
    @project.operation
    def work(job: Any) -> None:
        if before:
            Path(job.fn("x.txt")).write_text("half")
        if job.sp.i == 2 and (root / "lethal").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        Path(job.fn("x.txt")).write_text("whole")

    @project.pre.after(work)
    @project.post.isfile("y.txt")
    @project.operation
    def follow(job: Any) -> None:
        Path(job.fn("y.txt")).write_text(Path(job.fn("x.txt")).read_text())

    (root / "lethal").touch()
    return work


def kill(Project: Any, root: Path) -> Any:
    """Let a run be killed in the operation on job 2; return that job."""
    project = Project(root)
    job = project.open_job({"i": 2})
    assert -signal.SIGKILL == end_of(begin(lambda: Project(root).run(jobs=[job])))
    (root / "lethal").unlink()
    return job


DIED = "conditions hold, but the attempt died"


def test_killed_with_conditions_that_hold(Project: Any, root: Path, capfd: Any) -> None:
    """What was killed is failed though its file is there; nothing follows it until it is redone."""
    lethal(Project, root)
    job = kill(Project, root)
    assert [".operation-work.claim.1"] == claims(root)
    project = Project(root)
    assert {f"failed: {DIED}": 1, "waiting: work is failed": 1} == {
        text: n for text, n in states(project).items() if "ready" not in text
    }
    for _ in range(2):
        with pytest.raises(TasksFailed, match=rf"work\({job.id}\): {DIED}.*--retry-failed"):
            project.run()
        assert f"failed before: work({job.id}): {DIED}\n" == capfd.readouterr().err
        assert {"complete": 6, f"failed: {DIED}": 1, "waiting: work is failed": 1} == states(
            project
        )
        assert "half" == Path(job.fn("x.txt")).read_text() and not job.isfile("y.txt")
        assert [] == claims(root)
        assert [("interrupted", 1)] == outcomes(root, job)
    project.run(retry_failed=True)
    assert {"complete": 8} == states(project)
    assert "whole" == Path(job.fn("y.txt")).read_text()
    assert [("interrupted", 1), ("complete", 2), ("complete", 1)] == outcomes(root, job)
    (died,) = (a for a in attempts(root) if a["outcome"] == "interrupted")
    assert died["error"].startswith("its runner ") and died["error"].endswith(" died")
    project.run()


def test_excluded(Project: Any, root: Path) -> None:
    """What is excluded is not carried out, and said to be excluded, until it is included."""
    lethal(Project, root)
    (root / "lethal").unlink()
    project = Project(root)
    job, journal = project.open_job({"i": 1}), project.engine.journal
    journal.exclude(Exclusion(job.id, True, "noisy", 1.0, "anna"))
    project.run()
    assert {"complete": 6, "excluded: noisy (anna, 1970-01-01)": 2} == states(Project(root))
    assert not job.isfile("x.txt") and [] == outcomes(root, job)
    journal.exclude(Exclusion(job.id, False, "it is fine", 2.0, "anna"))
    Project(root).run()
    assert {"complete": 8} == states(Project(root))


def test_killed_and_accepted(Project: Any, root: Path) -> None:
    """What was killed although its conditions hold may be accepted: what comes after it goes on."""
    lethal(Project, root)
    job = kill(Project, root)
    project = Project(root)
    [would] = project.accept_operations(["work"], {job.id}, "it is whole", True)
    assert (f"work({job.id})", "failed", "") == (would.task, str(would.before.state), would.refused)
    assert 1 == len(claims(root)), "nothing is done yet"
    assert [would] == project.accept_operations(None, None, "it is whole", False)
    assert [] == claims(root)
    assert [] == Project(root).accept_operations(None, None, "it is whole", False)
    [told] = [a for a in attempts(root) if a["outcome"] == "accepted"]
    assert ("work", job.id, "it is whole") == (told["operation"], told["job"], told["note"])
    Project(root).run()
    assert "half" == Path(job.fn("y.txt")).read_text()
    assert {"complete"} == {text.partition(":")[0] for text in states(Project(root))}


@NP
def test_killed_with_conditions_that_do_not_hold(Project: Any, root: Path, np: int) -> None:
    """What was killed before its conditions held is simply run again; its death is recorded."""
    lethal(Project, root, before=False)
    job = kill(Project, root)
    project = Project(root)
    text = 'ready: the last attempt died; isfile("x.txt") does not hold yet'
    assert 1 == states(project)[text]
    project.run(np=np)
    assert {"complete": 8} == states(project)
    assert [("interrupted", 1), ("complete", 2), ("complete", 1)] == outcomes(root, job)
    assert [] == claims(root)


def run_until(event: int, project: Any) -> None:
    """Run, and die just before one of the operations on files that Python tells of."""
    count = 0

    def die(name: str, _: tuple[Any, ...]) -> None:
        nonlocal count
        if name in ("open", "os.link", "os.listdir", "os.remove", "os.rename", "os.mkdir"):
            count += 1
            if count == event:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    project.run()


def test_killed_anywhere(Project: Any, root: Path) -> None:
    """Wherever a run is killed, nothing follows half a file, and the next runs come to the end."""
    lethal(Project, root)
    (root / "lethal").unlink()
    job = Project(root).open_job({"i": 0})
    signac.get_project().open_job({"i": 1}).remove()
    event, end = 0, -signal.SIGKILL
    while end == -signal.SIGKILL:
        event += 1
        shutil.rmtree(root / ".pointillist", ignore_errors=True)
        for name in ("x.txt", "y.txt"):
            Path(job.fn(name)).unlink(missing_ok=True)
        end = end_of(begin(lambda: run_until(event, Project(root))))  # noqa: B023  # forked at once
        with contextlib.suppress(TasksFailed):
            Project(root).run()
        found = states(Project(root))
        half = job.isfile("x.txt") and Path(job.fn("x.txt")).read_text() != "whole"
        assert half <= found[f"failed: {DIED}"]
        assert not job.isfile("y.txt") or "whole" == Path(job.fn("y.txt")).read_text()
        Project(root).run(retry_failed=True)
        assert {"complete": 6} == states(Project(root)) and [] == claims(root)
    assert 0 == end and event > 10


def test_failed_again_after_death(Project: Any, root: Path) -> None:
    """What died and then fails with its conditions holding is judged by these, as what fails is."""

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        Path(job.fn("x.txt")).touch()
        if (root / "lethal").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        raise ValueError("no luck")

    (root / "lethal").touch()
    kill(Project, root)
    project = Project(root)
    with pytest.raises(UserOperationError):
        project.run(retry_failed=True, jobs=[project.open_job({"i": 2})])
    text = "complete: failed at attempt 2: raised ValueError: no luck, but its conditions hold"
    assert 1 == states(project)[text]


def test_killed_worker(Project: Any, root: Path) -> None:
    """What a worker process died in is recorded as interrupted; all else is carried out."""
    lethal(Project, root)
    job = Project(root).open_job({"i": 2})
    with pytest.raises(UserOperationError, match="A worker process died"):
        Project(root).run(np=2)
    (root / "lethal").unlink()
    died = {a["job"]: a["error"] for a in attempts(root) if a["outcome"] == "interrupted"}
    assert {"its worker process died"} == set(died.values())
    assert job.id in died and len(died) <= 2, "what the other worker had is ended with it"
    assert [] == claims(root)
    project = Project(root)
    found = states(project)
    assert 1 <= found[f"failed: {DIED}"] <= len(died) and 8 - 2 * len(died) == found["complete"]
    project.run(retry_failed=True)
    assert {"complete": 8} == states(project)


def test_workers_end_with_the_run(Project: Any, root: Path) -> None:
    """When a run with workers is killed these end too, and what they did counts as died."""
    reading, writing = os.pipe()
    waiting, _held = os.pipe()
    living, alive = os.pipe()

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        Path(job.fn("x.txt")).touch()
        os.write(writing, b"!")
        os.read(waiting, 1)  # for ever

    project = Project(root)
    jobs = [project.open_job({"i": i}) for i in (0, 1)]
    pid = begin(lambda: Project(root).run(np=2, jobs=jobs))
    os.close(alive)  # is now open in the run and its workers alone
    for _ in range(2):
        os.read(reading, 1)
    os.kill(pid, signal.SIGKILL)
    assert -signal.SIGKILL == end_of(pid)
    assert b"" == os.read(living, 1), "ends when they have ended"
    assert 2 == states(project)[f"failed: {DIED}"]


@NP
@pytest.mark.parametrize("file", [True, False])
def test_interrupted(Project: Any, root: Path, np: int, file: bool) -> None:
    """An operation that Ctrl-C has ended is recorded as interrupted, and leaves no claim."""
    reading, writing = os.pipe()
    waiting, _held = os.pipe()

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        if file:
            Path(job.fn("x.txt")).touch()
        os.write(writing, b"!")
        os.read(waiting, 1)  # until it is interrupted

    project = Project(root)
    jobs = [project.open_job({"i": i}) for i in range(np)]

    def run() -> None:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt):
            Project(root).run(np=np, jobs=jobs)

    pid = begin(run)
    for _ in range(np):
        os.read(reading, 1)
    os.killpg(pid, signal.SIGINT)
    assert 0 == end_of(pid)
    assert ["interrupted"] * np == [a["outcome"] for a in attempts(root)]
    assert [] == claims(root)
    died = (
        f"failed: {DIED}"
        if file
        else ('ready: the last attempt died; isfile("x.txt") does not hold yet')
    )
    assert np == states(project)[died]


# Another host.


def elsewhere(root: Path, job: Any) -> Path:
    """Let a runner of another host have claimed the operation on a job; return its journal."""
    journal = root / ".pointillist/runs/20260101T000000-elsewhere-1.jsonl"
    journal.parent.mkdir(parents=True)
    who = {**Identity.own().as_json(), "host": "elsewhere"}
    journal.write_text(json.dumps({"kind": "runner", "runner": journal.stem, **who}) + "\n")
    os.link(journal, job.fn(".operation-work.claim.1"))
    return journal


@pytest.mark.parametrize("lives", [True, False])
def test_runner_elsewhere(
    Project: Any, root: Path, lives: bool, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """What a runner of another host has is left to it, unless its heartbeat has stopped."""
    monkeypatch.setattr(heartbeat, "SILENCE", 0.3)
    Project.operation(lambda job: Path(job.fn("x.txt")).touch(), name="work")
    Project.post.isfile("x.txt")(Project._collect_operations()[0][1])
    project = Project(root)
    job = project.open_job({"i": 0})
    journal = elsewhere(root, job)
    running = f"running: by {journal.stem}, which cannot be seen from here"
    assert 1 == states(project)[running]
    stop, stopped = os.pipe()

    def beat() -> None:
        os.close(stopped)
        os.set_blocking(stop, False)
        while True:
            os.utime(journal)
            try:
                if os.read(stop, 1) == b"":
                    return
            except BlockingIOError:
                time.sleep(0.01)

    pid = begin(beat) if lives else 0
    project.run()
    os.close(stopped)
    assert not pid or 0 == end_of(pid)
    assert lives is not job.isfile("x.txt")
    assert f"sign of life of {journal.stem}" in capfd.readouterr().err
    assert ({running: 1, "complete": 3} if lives else {"complete": 4}) == states(project)
    assert ([] if lives else [("interrupted", 1), ("complete", 2)]) == outcomes(root, job)


# Conditions.


def test_condition_that_raises_keeps_no_other_waiting(Project: Any, root: Path, capfd: Any) -> None:
    """What cannot be judged waits; all else is carried out, and the error is raised at the end."""

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        if job.sp.i:
            Path(job.fn("x.txt")).write_text("1")

    def is_one(job: Any) -> bool:
        return Path(job.fn("x.txt")).read_text() == "1"

    Project.post.isfile("y.txt")(
        follow := Project.operation(lambda job: Path(job.fn("y.txt")).touch(), name="follow")
    )
    Project.pre(is_one)(follow)
    project = Project(root)
    with pytest.raises(UserConditionError, match=r"condition is_one .*FileNotFoundError"):
        project.run()
    assert [1, 2, 3] == sorted(job.sp.i for job in project if job.isfile("y.txt"))
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "is_one" in line]
    assert line.startswith(f"waiting: follow({project.open_job({'i': 0}).id}): ")


def test_conditions_are_judged_again_after_the_claim(Project: Any, root: Path) -> None:
    """What another run has completed since a pass was begun is not carried out again."""

    @Project.post.isfile("x.txt")
    @Project.operation
    def work(job: Any) -> None:
        done.append(job.sp.i)
        for other in project:
            Path(other.fn("x.txt")).touch()

    done: list[int] = []
    project = Project(root)
    project.run()
    assert 1 == len(done) == len(attempts(root))
    assert [] == claims(root)


# exec, and commands that are operations themselves.

SOURCE = """
import os, signal, sys
from pathlib import Path
import pointillist as pt

class Lab(pt.Project):
    pass

@Lab.post.isfile("x.txt")
@Lab.operation(directives={"fork": True})
def work(job):
    Path(job.fn("x.txt")).write_text(os.environ.get("WORD", ""))
    if job.sp.i == 1 and not os.environ.get("WORD"):
        sys.exit("no word")

if __name__ == "__main__":
    Lab().main()
"""


@pytest.fixture
def lab(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a project whose operation has a process of its own, which is ``exec``."""
    (root / "project.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("lab_with_exec", root / "project.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module.Lab(root)


def execute(root: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Carry out ``python project.py exec``; return exit code and what it said of errors."""
    done = subprocess.run(
        [sys.executable, "project.py", *words],
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_fork_is_one_attempt(lab: Any, root: Path) -> None:
    """An operation in a process of its own is claimed and recorded once, by the run."""
    with pytest.raises(UserOperationError):
        lab.run(jobs=[lab.open_job({"i": i}) for i in (0, 1)])
    assert {("complete", None), ("failed", 1)} == {
        (a["outcome"], a.get("code")) for a in attempts(root)
    }
    assert 2 == len(attempts(root)) and [] == claims(root)


def test_exec(lab: Any, root: Path) -> None:
    """``exec`` is an attempt whatever the state is, and makes good what died."""
    job = lab.open_job({"i": 1})
    code, errors = execute(root, "exec", "work", job.id)
    assert 1 == code and "no word" in errors
    assert [("failed", 1)] == outcomes(root, job)
    (path,) = root.glob(".pointillist/runs/*.jsonl")
    os.link(path, job.fn(".operation-work.claim.1"))  # as if it had been killed
    assert 1 == states(lab)[f"failed: {DIED}"]
    assert (0, "") == execute(root, "exec", "work", job.id, WORD="yes")
    assert [("failed", 1), ("interrupted", 2), ("complete", 3)] == outcomes(root, job)
    assert "yes" == Path(job.fn("x.txt")).read_text()
    assert 1 == states(lab)["complete"]
    assert [] == claims(root)


def test_exec_of_what_another_has(lab: Any, root: Path) -> None:
    """``exec`` leaves alone what another runner has, but for further processes of one MPI run."""
    job = lab.open_job({"i": 0})
    os.link(lab.engine.journal.open(), job.fn(".operation-work.claim.1"))
    code, errors = execute(root, "exec", "work", job.id)
    assert (1, f"Error: work({job.id}): another runner is at it.\n") == (code, errors)
    assert not job.isfile("x.txt")
    rank = {"OMPI_COMM_WORLD_RANK": "1"}
    assert (0, "") == execute(root, "exec", "work", job.id, WORD="1", **rank)
    assert "1" == Path(job.fn("x.txt")).read_text()
    runner = {"POINTILLIST_RUNNER": lab.engine.journal.runner}
    assert (0, "") == execute(root, "exec", "work", job.id, WORD="2", **runner)
    assert "2" == Path(job.fn("x.txt")).read_text()
    assert [] == attempts(root)


def test_retry_failed_on_the_command_line(lab: Any, root: Path) -> None:
    """``run`` exits with 1 for what died, and `--retry-failed` carries it out again."""
    job = lab.open_job({"i": 0})
    Path(job.fn("x.txt")).touch()
    assert (0, "") == execute(root, "run", "-j", job.id)
    os.link(dead(root), job.fn(".operation-work.claim.1"))
    code, errors = execute(root, "run", "-j", job.id)
    assert 1 == code and f"Error: work({job.id}): {DIED}" in errors
    assert (0, "") == execute(root, "run", "-j", job.id, "--retry-failed", WORD="again")
    assert "again" == Path(job.fn("x.txt")).read_text()
    assert {"complete": 1} == {t: n for t, n in states(lab).items() if "ready" not in t}


def dead(root: Path) -> Path:
    """Make the journal of a runner that has died; return it."""
    journal = root / ".pointillist/runs/20260101T000000-here-1.jsonl"
    journal.parent.mkdir(parents=True, exist_ok=True)
    who = {**Identity.own().as_json(), "started": "long ago"}
    journal.write_text(json.dumps({"kind": "runner", "runner": journal.stem, **who}) + "\n")
    return journal
