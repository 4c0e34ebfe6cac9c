"""The defects that signac-flow is known to have: there with its FlowProject, gone with ours."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.aggregates import get_aggregate_id
from flow.environment import TestEnvironment as PrintingEnvironment
from flow.errors import UserConditionError, UserOperationError
from flow.hooks import TrackOperations

import pointillist

Done = subprocess.CompletedProcess[str]
Verb = Callable[..., Done]
BatchJobs = Callable[..., list[Any]]

HOMES: dict[str, Any] = {"flow": flow.FlowProject, "pointillist": pointillist.FlowProject}


def fresh(base: Any) -> Any:
    """Return a project class with nothing in it yet."""

    class Project(base):  # type: ignore[misc]  # signac-flow has no types
        pass

    return Project


def laid_out(root: Path, jobs: Iterable[dict[str, Any]], text: str = "", home: str = "") -> Path:
    """Make a signac project of these jobs in `root`; `text` follows the import of FlowProject."""
    root.mkdir(parents=True, exist_ok=True)
    project = signac.init_project(str(root))
    for statepoint in jobs:
        project.open_job(statepoint).init()
    (root / "project.py").write_text(f"from {home} import FlowProject\n{text}")
    return root


def files(root: Path, name: str) -> list[dict[str, Any]]:
    """Return the state points of the jobs that have a file of that name, in order of their `i`."""
    project = signac.get_project(str(root))
    return sorted((dict(job.sp) for job in project if job.isfile(name)), key=lambda sp: sp["i"])


def recorded(root: Path) -> list[int]:
    """Return the states of submissions that the project's document keeps."""
    return sorted(signac.get_project(str(root)).doc.get("_status", {}).values())


def said(done: Done, pattern: str) -> list[str]:
    """Return the lines of stderr in which the pattern is found."""
    return [line for line in done.stderr.splitlines() if re.search(pattern, line)]


def script_in(printed: str) -> str:
    """Return the batch script that was printed instead of sent."""
    return printed[printed.index("#!/bin/bash") : printed.index("# Submit command:")]


# 1. A scheduler whose controller does not answer.

DOUBLE = """

class Project(FlowProject):
    pass


@Project.post.isfile("doubled.txt")
@Project.operation
def double(job):
    with open(job.fn("doubled.txt"), "w") as file:
        print(2 * job.sp.i, file=file)


if __name__ == "__main__":
    Project().main()
"""


@pytest.mark.parametrize("line", ["status", "status --ignore-errors", "submit", "submit --pretend"])
def test_no_controller_in_flow(
    tmp_path: Path, verb: Verb, no_controller: dict[str, str], line: str
) -> None:
    """signac-flow dies with a traceback of its query, also where nothing is to be sent."""
    root = laid_out(tmp_path / "lab", [{"i": 0}], DOUBLE, "flow")
    done = verb(*line.split(), cwd=root, **no_controller)
    assert 1 == done.returncode
    assert 1 == len(said(done, "^Traceback")) and 1 == len(said(done, "^subprocess.CalledProcess"))
    assert "" == done.stdout


def test_status_without_controller(
    tmp_path: Path, verb: Verb, no_controller: dict[str, str]
) -> None:
    """Status prints its table, and one line that says that the scheduler cannot be asked."""
    root = laid_out(tmp_path / "lab", [{"i": 0}], DOUBLE, "pointillist")
    done = verb("status", "-d", cwd=root, **no_controller)
    assert 0 == done.returncode, done.stderr
    (job,) = signac.get_project(str(root))
    assert f"{job.id}  double" in done.stdout
    assert 1 == len(said(done, "scheduler cannot be asked")), done.stderr
    assert [] == said(done, "Traceback")


def test_submit_without_controller(
    tmp_path: Path, verb: Verb, no_controller: dict[str, str]
) -> None:
    """Submit prints its scripts where it shall only pretend; else it is one line, exit code 1."""
    root = laid_out(tmp_path / "lab", [{"i": 0}, {"i": 1}], DOUBLE, "pointillist")
    done = verb("submit", "--pretend", cwd=root, **no_controller)
    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count("#!/bin/bash")
    done = verb("submit", cwd=root, **no_controller)
    assert 1 == done.returncode
    assert 1 == len(said(done, "^Error: ")) and [] == said(done, "Traceback")
    assert [] == recorded(root)


def test_states_are_kept_without_controller(
    tmp_path: Path, verb: Verb, slurm: dict[str, str], no_controller: dict[str, str]
) -> None:
    """What was last known of submissions is shown and kept while the scheduler cannot be asked."""
    root = laid_out(tmp_path / "lab", [{"i": 0}], DOUBLE, "pointillist")
    assert 0 == verb("submit", "--hold", cwd=root, **slurm).returncode
    assert 0 == verb("status", cwd=root, **slurm).returncode
    queued = int(flow.scheduling.base.JobStatus.queued)
    assert [queued] == recorded(root)

    done = verb("status", "--json", cwd=root, **no_controller)
    (status,) = json.loads(done.stdout).values()
    assert queued == status["groups"]["double"]["scheduler_status"]
    assert [queued] == recorded(root)
    assert "[Q]" in verb("status", "-d", cwd=root, **no_controller).stdout
    signac.get_project(str(root)).open_job({"i": 1}).init()
    done = verb("submit", cwd=root, **no_controller)
    assert 1 == done.returncode
    assert 1 == len(said(done, "^Submitting")) == len(said(done, "^Error: "))
    assert [queued] == recorded(root)


# 2. Conditions of aggregates that raise, and `never`.


def aggregating(base: Any, condition: Callable[[Any], Callable[..., Any]]) -> Any:
    """Return a project class with an operation on all jobs, and a condition that it gives."""
    Project = fresh(base)

    def together(*jobs: Any) -> None:
        for job in jobs:
            Path(job.fn("together.txt")).touch()

    condition(Project)(Project.operation(together, aggregator=flow.aggregator()))
    return Project


def odd(*jobs: Any) -> bool:
    """Raise, as there are two jobs."""
    return bool(1 / (len(jobs) - 2))


@pytest.mark.parametrize("kind", ["pre", "post"])
@pytest.mark.parametrize("home", HOMES)
def test_condition_of_aggregate_raises(tmp_path: Path, home: str, kind: str) -> None:
    """signac-flow asserts that there was one job; ours names condition, aggregate and cause."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}])
    cls = aggregating(HOMES[home], lambda project: getattr(project, kind)(odd))
    project = cls.get_project(str(root))
    kinds = {"flow": AssertionError, "pointillist": UserConditionError}
    with pytest.raises(kinds[home]) as caught:
        project.run()
    if home == "flow":
        assert "" == str(caught.value)
    else:
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert "odd" in str(caught.value) and get_aggregate_id(tuple(project)) in str(caught.value)


@pytest.mark.parametrize(("kind", "expected"), [("pre", []), ("post", [{"i": 0}, {"i": 1}])])
@pytest.mark.parametrize("home", HOMES)
def test_never_on_aggregate(
    tmp_path: Path, home: str, kind: str, expected: list[dict[str, int]]
) -> None:
    """`never` takes one job only in signac-flow; in ours it is false for an aggregate too."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}])
    cls = aggregating(HOMES[home], lambda project: getattr(project, kind).never)
    if home == "flow":
        with pytest.raises(AssertionError):
            cls.get_project(str(root)).run()
        expected = []
    else:
        cls.get_project(str(root)).run()
    assert expected == files(root, "together.txt")


# 3. `exec` of a command for an aggregate.

SHOUT = """
from flow import aggregator


class Project(FlowProject):
    pass


@Project.operation(cmd=True, aggregator=aggregator(sort_by="i"))
def shout(*jobs):
    return "echo " + " ".join(str(job.sp.i) for job in jobs)


if __name__ == "__main__":
    Project().main()
"""


@pytest.mark.parametrize("home", HOMES)
def test_exec_command_of_aggregate(tmp_path: Path, verb: Verb, home: str) -> None:
    """signac-flow hands the command's function one job of all; ours runs the command."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}, {"i": 2}], SHOUT, home)
    done = verb("exec", "shout", cwd=root)
    if home == "flow":
        assert (1, "") == (done.returncode, done.stdout)
        assert 1 == len(said(done, r"^TypeError: .* takes 1 positional argument but 3 were given"))
    else:
        assert (0, "0 1 2\n") == (done.returncode, done.stdout), done.stderr


# 4. `-f` and aggregates.

PAIRS = """
from pathlib import Path

from flow import aggregator


class Project(FlowProject):
    pass


@Project.post.isfile("pair.txt")
@Project.operation(aggregator=aggregator.groupby("pair"))
def join(*jobs):
    for job in jobs:
        Path(job.fn("pair.txt")).touch()


@Project.post.isfile("one.txt")
@Project.operation
def one(job):
    Path(job.fn("one.txt")).touch()


if __name__ == "__main__":
    Project().main()
"""

FOUR = [{"i": i, "pair": i // 2} for i in range(4)]
PARTLY = "1 aggregate left out, as only some"


@pytest.mark.parametrize("home", HOMES)
def test_filter_of_run(tmp_path: Path, verb: Verb, home: str) -> None:
    """signac-flow leaves out every aggregate; ours runs those that match whole, and says so."""
    root = laid_out(tmp_path, FOUR, PAIRS, home)
    done = verb("run", "-f", "i.$lt", "3", cwd=root)
    assert 0 == done.returncode, done.stderr
    assert FOUR[:3] == files(root, "one.txt")
    assert (FOUR[:2] if home == "pointillist" else []) == files(root, "pair.txt")
    assert (home == "pointillist") == len(said(done, PARTLY)), done.stderr

    done = verb("run", "-f", "pair", "1", cwd=root)
    assert FOUR == files(root, "one.txt")
    assert (FOUR if home == "pointillist" else []) == files(root, "pair.txt")
    assert [] == said(done, "aggregate")


@pytest.mark.parametrize("home", HOMES)
def test_filter_of_status(tmp_path: Path, verb: Verb, home: str) -> None:
    """Status lists single jobs only in signac-flow; in ours the aggregates that match whole too."""
    root = laid_out(tmp_path, FOUR, PAIRS, home)
    done = verb("status", "--json", "-f", "i.$lt", "3", cwd=root)
    shown = json.loads(done.stdout)
    jobs = {job.sp.i: job for job in signac.get_project(str(root))}
    assert {jobs[i].id for i in range(3)} == {id for id in shown if not id.startswith("agg-")}
    aggregates = [id for id in shown if id.startswith("agg-")]
    pair = [get_aggregate_id(order) for order in ((jobs[0], jobs[1]), (jobs[1], jobs[0]))]
    assert (1 if home == "pointillist" else 0) == len(aggregates)
    assert set(aggregates) <= set(pair)
    assert (home == "pointillist") == len(said(done, PARTLY)), done.stderr


@pytest.mark.parametrize("home", HOMES)
def test_filter_of_submit(tmp_path: Path, verb: Verb, home: str) -> None:
    """Submit sends no aggregate in signac-flow; in ours those that match whole."""
    root = laid_out(tmp_path, FOUR, PAIRS, home)
    done = verb(
        *("submit", "-f", "i.$lt", "3"), cwd=root, SIGNAC_FLOW_ENVIRONMENT="TestEnvironment"
    )
    assert 0 == done.returncode, done.stderr
    assert 3 == done.stdout.count("run -o one ")
    assert (1 if home == "pointillist" else 0) == done.stdout.count("run -o join -j agg-")
    assert (home == "pointillist") == len(said(done, PARTLY)), done.stderr


# 5. TrackOperations and aggregates.


@pytest.mark.parametrize("fails", [False, True], ids=["success", "exception"])
@pytest.mark.parametrize("hooks", ["operation", "project"])
@pytest.mark.parametrize("home", HOMES)
def test_track_operations(tmp_path: Path, home: str, hooks: str, fails: bool) -> None:
    """signac-flow's tracker takes one job; in ours it writes into the log of every member."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}])
    Project = fresh(HOMES[home])

    def together(*jobs: Any) -> None:
        if fails:
            raise ValueError("they do not fit")

    tracker = TrackOperations(strict_git=False)
    operation = Project.operation(together, aggregator=flow.aggregator())
    if hooks == "operation":
        tracker.install_operation_hooks(operation, Project)
    project = Project.get_project(str(root))
    if hooks == "project":
        tracker.install_project_hooks(project)

    if home == "flow":
        with pytest.raises(UserOperationError) as caught:
            project.run()
        assert isinstance(caught.value.__cause__, TypeError)
        assert [] == files(root, tracker.log_filename)
        return
    if fails:
        with pytest.raises(UserOperationError) as caught:
            project.run()
        assert isinstance(caught.value.__cause__, ValueError)
    else:
        project.run()
    for job in project:
        lines = TrackOperations.read_log(job)
        assert ["prior", "after"] == [line["stage"] for line in lines]
        assert [None, "they do not fit" if fails else None] == [line["error"] for line in lines]
        assert {("together", job.id)} == {(line["operation"], line["job_id"]) for line in lines}


# 6. Jobs of a plain signac.Project.


def pairing(base: Any) -> Any:
    """Return a project class with an operation on single jobs and one on pairs."""
    Project = fresh(base)

    def one(job: Any) -> None:
        Path(job.fn("one.txt")).touch()

    def join(*jobs: Any) -> None:
        for job in jobs:
            Path(job.fn("pair.txt")).touch()

    Project.post.isfile("one.txt")(Project.operation(one))
    Project.post.isfile("pair.txt")(
        Project.operation(join, aggregator=flow.aggregator.groupby("pair", sort_by="i"))
    )
    return Project


def plain_jobs(root: Path, whole: bool) -> list[Any]:
    """Return the first pair of jobs of a plain signac project: each, or both as one aggregate."""
    jobs = sorted(signac.get_project(str(root)), key=lambda job: job.sp.i)[:2]
    return [tuple(jobs)] if whole else jobs


@pytest.mark.parametrize("whole", [False, True], ids=["jobs", "aggregate"])
@pytest.mark.parametrize("home", HOMES)
def test_run_plain_jobs(tmp_path: Path, home: str, whole: bool) -> None:
    """Run takes the jobs of a plain project; signac-flow only if they are aggregates."""
    root = laid_out(tmp_path, FOUR)
    project = pairing(HOMES[home]).get_project(str(root))
    if home == "flow" and not whole:
        with pytest.raises(AttributeError, match="_environment"):
            project.run(jobs=plain_jobs(root, whole))
        assert [] == files(root, "one.txt")
        return
    project.run(jobs=plain_jobs(root, whole))
    assert (FOUR[:2] if whole else []) == files(root, "pair.txt")
    assert ([] if whole else FOUR[:2]) == files(root, "one.txt")


@pytest.mark.parametrize("whole", [False, True], ids=["jobs", "aggregate"])
@pytest.mark.parametrize("home", HOMES)
def test_submit_plain_jobs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: str, whole: bool
) -> None:
    """Submit takes the jobs of a plain project; signac-flow only if they are aggregates."""
    root = laid_out(tmp_path, FOUR)
    project = pairing(HOMES[home])(
        str(root), environment=PrintingEnvironment, entrypoint={"path": "project.py"}
    )
    if home == "flow" and not whole:
        with pytest.raises(AttributeError, match="_environment"):
            project.submit(jobs=plain_jobs(root, whole))
        return
    project.submit(jobs=plain_jobs(root, whole))
    printed = capsys.readouterr().out
    assert (0 if whole else 2) == printed.count("run -o one -j ")
    assert (1 if whole else 0) == printed.count("run -o join -j agg-")


@pytest.mark.parametrize("whole", [False, True], ids=["jobs", "aggregate"])
@pytest.mark.parametrize("home", HOMES)
def test_status_of_plain_jobs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: str, whole: bool
) -> None:
    """Status takes the jobs of a plain project; signac-flow only if they are aggregates."""
    root = laid_out(tmp_path, FOUR)
    project = pairing(HOMES[home]).get_project(str(root))
    jobs = plain_jobs(root, whole)
    if home == "flow" and not whole:
        with pytest.raises(AttributeError, match="_environment"):
            project.print_status(jobs=jobs, dump_json=True)
        return
    project.print_status(jobs=jobs, dump_json=True)
    expected = {get_aggregate_id(jobs[0])} if whole else {job.id for job in jobs}
    assert expected == set(json.loads(capsys.readouterr().out))


# 7. The record of what was submitted.


@pytest.mark.parametrize("home", HOMES)
def test_record_of_submit_num(tmp_path: Path, verb: Verb, slurm: dict[str, str], home: str) -> None:
    """`submit -n 1` forgets in signac-flow that it has submitted; ours keeps it."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}], DOUBLE, home)
    done = verb("submit", "--hold", "-n", "1", cwd=root, **slurm)
    assert 0 == done.returncode, done.stderr
    submitted = int(flow.scheduling.base.JobStatus.submitted)
    assert ([] if home == "flow" else [submitted]) == recorded(root)


@pytest.mark.parametrize("home", HOMES)
def test_record_of_pretended_submit(
    tmp_path: Path, verb: Verb, slurm: dict[str, str], sent: BatchJobs, home: str
) -> None:
    """`submit --pretend` records in signac-flow what it has not submitted; ours does not."""
    root = laid_out(tmp_path, [{"i": 0}, {"i": 1}], DOUBLE, home)
    done = verb("submit", "--pretend", cwd=root, **slurm)
    assert (0, 2) == (done.returncode, done.stdout.count("#!/bin/bash")), done.stderr
    submitted = int(flow.scheduling.base.JobStatus.submitted)
    assert ([submitted, submitted] if home == "flow" else []) == recorded(root)
    assert [] == sent(root)


# 8. Aggregates of jobs that are new.


def growing(base: Any) -> Any:
    """Return a project class whose first operation adds a job, and whose second takes all jobs."""
    Project = fresh(base)

    def grow(job: Any) -> None:
        job.project.open_job({"i": job.sp.i + 1}).init()
        job.doc.grown = True

    def count(*jobs: Any) -> None:
        (Path(jobs[0].project.path) / f"counted {len(jobs)}").touch()

    Project.operation(grow)
    Project.pre(lambda job: job.sp.i == 0)(grow)
    Project.post.true("grown")(grow)
    Project.operation(count, aggregator=flow.aggregator())
    Project.pre(lambda *jobs: any(job.doc.get("grown") for job in jobs))(count)
    return Project


@pytest.mark.parametrize("home", HOMES)
def test_aggregates_are_listed_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    """Jobs that are added, in a run or between two calls, are missing from flow's aggregates."""
    root = laid_out(tmp_path, [{"i": 0}])
    project = growing(HOMES[home]).get_project(str(root))

    def counted() -> list[str]:
        return sorted(path.name for path in root.glob("counted *"))

    project.run()
    assert ["counted 1" if home == "flow" else "counted 2"] == counted()
    project.open_job({"i": 2}).init()
    project.run()
    assert (["counted 1"] if home == "flow" else ["counted 2", "counted 3"]) == counted()
    project.open_job({"i": 3}).init()
    project.print_status(dump_json=True, operation=["count"])
    seed = next(job for job in project if job.sp.i == 0)
    expected = {seed.id if home == "flow" else get_aggregate_id(tuple(project))}
    assert expected == set(json.loads(capsys.readouterr().out))


# 9. Parallel bundles with a member that fails.

BUNDLE = """
import os
import time
from pathlib import Path


class Project(FlowProject):
    pass


def gone(process):
    # Whether the process has ended and was waited for.
    return not Path(f"/proc/{process}").exists()


@Project.post.isfile("done.txt")
@Project.operation
def make(job):
    project = Path(job.project.path)
    if job.doc.get("fails"):
        (project / "failing.new").write_text(str(os.getpid()))
        (project / "failing.new").rename(project / "failing")
        raise ValueError("no luck")
    deadline = time.monotonic() + 30
    while job.doc.get("patient") and time.monotonic() < deadline:
        if (project / "failing").exists() and gone((project / "failing").read_text()):
            break
        time.sleep(0.01)
    Path(job.fn("done.txt")).touch()


if __name__ == "__main__":
    Project().main()
"""


def bundle(root: Path, home: str, fails: bool) -> Path:
    """Lay out three jobs; one fails if asked to, another waits until that one has ended."""
    laid_out(root, [{"i": i} for i in range(3)], BUNDLE, home)
    for job in signac.get_project(str(root)):
        job.doc.update(fails=fails and job.sp.i == 0, patient=fails and job.sp.i == 1)
    return root


BUNDLES = [("flow", True), ("pointillist", True), ("pointillist", False)]


@pytest.mark.parametrize(("home", "fails"), BUNDLES)
def test_script_of_parallel_bundle(
    tmp_path: Path, verb: Verb, no_controller: dict[str, str], home: str, fails: bool
) -> None:
    """The script waits for all its members, and fails if one did; signac-flow's succeeds."""
    root = bundle(tmp_path / "lab", home, fails)
    pretend = {**no_controller, "SIGNAC_FLOW_ENVIRONMENT": "TestEnvironment"}
    printed = verb("submit", "-b", "-p", cwd=root, **pretend)
    assert 0 == printed.returncode, printed.stderr
    script = tmp_path / "script.sh"
    script.write_text(printed.stdout)
    code = subprocess.run(["bash", script], check=False, capture_output=True).returncode
    made = files(root, "done.txt")
    assert [{"i": i} for i in range(3) if not (fails and i == 0)] == made
    assert (fails and home == "pointillist") == (code != 0)


def test_parallel_bundles_in_slurm(
    tmp_path: Path, verb: Verb, slurm: dict[str, str], reached: BatchJobs
) -> None:
    """Slurm takes a bundle with a member that failed for failed; with signac-flow for completed."""
    roots = {(home, fails): tmp_path / f"{home}-{fails}" for home, fails in BUNDLES}
    for (home, fails), root in roots.items():
        done = verb("submit", "-b", "-p", cwd=bundle(root, home, fails), **slurm)
        assert 0 == done.returncode, done.stderr
    found = [[job.state for job in reached(root)] for root in roots.values()]
    assert [["COMPLETED"], ["FAILED"], ["COMPLETED"]] == found


# 10. A condition that fails, and the project object after it.


@pytest.mark.parametrize("call", ["run", "submit"])
@pytest.mark.parametrize("home", HOMES)
def test_failed_condition_and_the_project(tmp_path: Path, home: str, call: str) -> None:
    """After a condition that failed, signac-flow's project goes on with the jobs that it had."""
    root = laid_out(tmp_path, [{"i": 0}])
    Project = fresh(HOMES[home])

    def fail(job: Any) -> bool:
        raise ValueError("no luck")

    def nothing(job: Any) -> None:
        pass

    Project.pre(fail)(Project.operation(nothing))
    project = Project(str(root), environment=PrintingEnvironment)
    with pytest.raises(UserConditionError):
        getattr(project, call)()
    project.open_job({"i": 1}).init()
    expected = 1 if home == "flow" else 2
    assert expected == len(project) == len(list(project))


# 11. An operation that fails, and the others.

TWO_STEPS = """
from pathlib import Path


class Project(FlowProject):
    pass


@Project.post.isfile("first.txt")
@Project.operation
def first(job):
    if job.sp.i == 1:
        raise ValueError("no luck")
    Path(job.fn("first.txt")).touch()


@Project.pre.after(first)
@Project.post.isfile("second.txt")
@Project.operation
def second(job):
    Path(job.fn("second.txt")).touch()


if __name__ == "__main__":
    Project().main()
"""


@pytest.mark.parametrize(
    ("home", "flags", "goes_on"),
    [
        ("flow", "", False),
        # signac-flow's pool hangs now and then with -p 2 when an operation fails: not tried here
        ("pointillist", "", True),
        ("pointillist", "-p 2", True),
        ("pointillist", "--fail-fast", False),
        ("pointillist", "--fail-fast -p 2", False),
    ],
)
def test_failed_operation_and_the_others(
    tmp_path: Path, verb: Verb, home: str, flags: str, goes_on: bool
) -> None:
    """The run ends in signac-flow; in ours it goes on, and its first error is told at the end."""
    root = laid_out(tmp_path, [{"i": i} for i in range(4)], TWO_STEPS, home)
    done = verb("run", *flags.split(), cwd=root)
    assert 1 == done.returncode, done.stderr
    others = [{"i": i} for i in (0, 2, 3)]
    assert (others if goes_on else []) == files(root, "second.txt")
    if goes_on:
        assert others == files(root, "first.txt")
    id = signac.get_project(str(root)).open_job({"i": 1}).id
    assert said(done, f"raised during operation first for job or aggregate with id {id}")


@pytest.mark.parametrize("fail_fast", [False, True])
def test_first_error_is_raised(tmp_path: Path, fail_fast: bool) -> None:
    """`run` raises the first error, its cause with it, when the others are done, or at once."""
    root = laid_out(tmp_path, [{"i": i} for i in range(3)])

    Project = fresh(pointillist.FlowProject)

    def fail(job: Any) -> None:
        Path(job.fn("tried.txt")).touch()
        raise ValueError(f"no luck with {job.sp.i}")

    Project.operation(fail)
    project = Project.get_project(str(root))
    with pytest.raises(UserOperationError) as caught:
        project.run(order=lambda operation: operation._jobs[0].sp.i, fail_fast=fail_fast)
    assert "no luck with 0" == str(caught.value.__cause__)
    assert [{"i": i} for i in range(1 if fail_fast else 3)] == files(root, "tried.txt")


@pytest.mark.parametrize("base", [flow.FlowProject, pointillist.FlowProject])
def test_aggregate_of_nothing(tmp_path: Path, base: Any) -> None:
    """Without jobs `aggregator()` makes an aggregate of none, on which signac-flow fails."""
    root = laid_out(tmp_path, [])
    Project = fresh(base)
    seen: list[int] = []

    def together(*jobs: Any) -> None:
        seen.append(len(jobs))

    Project.operation(together, aggregator=flow.aggregator())
    project = Project.get_project(str(root))
    if base is flow.FlowProject:
        with pytest.raises(IndexError):
            project.run()
    else:
        project.run()
        project.print_status(file=io.StringIO(), err=io.StringIO())
    assert [] == seen
