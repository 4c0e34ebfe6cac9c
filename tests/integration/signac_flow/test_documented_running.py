"""`run` as signac-flow documents it, by its arguments and by flags of ``run``, `next` and `exec`.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flow
import flow.environment
import pytest
import signac
from flow import IgnoreConditions
from flow.errors import UserOperationError

import pointillist

Seen = list[tuple[str, int]]
Main = Callable[..., None]


@pytest.fixture
def seen(Project: Any) -> Seen:
    """Give a list; operations `hello` and `goodbye` note in it what they were called on."""
    calls: Seen = []

    @Project.operation
    def hello(job: Any) -> None:
        calls.append(("hello", job.sp.a))

    @Project.operation
    def goodbye(job: Any) -> None:
        calls.append(("goodbye", job.sp.a))

    return calls


@pytest.fixture
def main(Project: Any, monkeypatch: pytest.MonkeyPatch) -> Main:
    """Give the project's command line."""

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["project.py", *words])
        Project().main()

    return call


def both(*numbers: int) -> Seen:
    """Give the calls of both operations on some jobs, sorted."""
    return sorted((name, a) for name in ("hello", "goodbye") for a in numbers)


# FlowProject.run in the API: jobs.


def test_all_jobs(Project: Any, seen: Seen) -> None:
    """Without arguments all operations are executed for all jobs."""
    Project().run()
    assert both(0, 1, 2) == sorted(seen)


def test_some_jobs(Project: Any, seen: Seen) -> None:
    """`jobs` are those that operations are executed for; any iterable will do."""
    project = Project()
    project.run(jobs=(project.open_job({"a": a}) for a in (0, 2)))
    assert both(0, 2) == sorted(seen)


def test_found_jobs(Project: Any, seen: Seen) -> None:
    """`jobs` may be what `find_jobs` gives."""
    project = Project()
    project.run(jobs=project.find_jobs({"a": {"$gt": 0}}))
    assert both(1, 2) == sorted(seen)


def test_no_jobs(Project: Any, seen: Seen) -> None:
    """With an empty list of `jobs` nothing is executed."""
    Project().run(jobs=[])
    assert [] == seen


def test_a_job_that_is_not_there(Project: Any, seen: Seen) -> None:
    """A job that the project has not is a LookupError."""
    project = Project()
    with pytest.raises(LookupError, match="Did not find job"):
        project.run(jobs=[project.open_job({"a": 9})])


@pytest.mark.parametrize("jobs", [[1], [["abc"]], ["abc"]])
def test_what_is_no_job(Project: Any, seen: Seen, jobs: Any) -> None:
    """What is neither a job nor an aggregate is a TypeError."""
    with pytest.raises(TypeError, match="Invalid jobs argument"):
        Project().run(jobs=jobs)


# FlowProject.run in the API: names.


def test_names(Project: Any, seen: Seen) -> None:
    """`names` are the operations to execute."""
    Project().run(names=["hello"])
    assert [("hello", 0), ("hello", 1), ("hello", 2)] == sorted(seen)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("hel+o", {"hello"}), (".*o.*", {"hello", "goodbye"}), ("good.*|x", {"goodbye"})],
)
def test_names_are_regular_expressions(
    Project: Any, seen: Seen, pattern: str, names: set[str]
) -> None:
    """`names` are regular expressions that must match the whole name."""
    Project().run(names=[pattern])
    assert names == {name for name, _ in seen}


def test_a_part_of_a_name(Project: Any, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no operation matches as a whole is said, and nothing is executed for it."""
    Project().run(names=["hell", "goodbye"])
    assert {"goodbye"} == {name for name, _ in seen}
    assert 1 == capsys.readouterr().err.count("Unrecognized flow operation(s): hell\n")


def test_names_are_no_text(Project: Any, seen: Seen) -> None:
    """`names` as a single text is an error."""
    with pytest.raises(ValueError, match="must be a sequence of strings"):
        Project().run(names="hello")


def test_a_name_twice(Project: Any, seen: Seen) -> None:
    """An operation that several names match is executed once."""
    Project().run(names=["hello", "hel.*", "hello"])
    assert [("hello", 0), ("hello", 1), ("hello", 2)] == sorted(seen)


# FlowProject.run in the API: num and num_passes.


@pytest.mark.parametrize(("num", "calls"), [(1, 1), (4, 4), (6, 6), (9, 6), (-1, 6), (None, 6)])
def test_num(Project: Any, seen: Seen, num: int | None, calls: int) -> None:
    """No more than `num` operations are executed; negative numbers and None are no limit."""
    Project().run(num=num)
    assert calls == len(seen)


def test_num_counts_all_passes(Project: Any) -> None:
    """`num` counts executions of all passes of a run."""
    seen: list[int] = []

    @Project.post(lambda job: job.doc.get("n", 0) >= 5)
    @Project.operation
    def count(job: Any) -> None:
        seen.append(job.sp.a)
        job.doc.n = job.doc.get("n", 0) + 1

    Project().run(num=7, num_passes=None)
    assert 7 == len(seen)


@pytest.mark.parametrize(
    ("passes", "counted"), [(1, 1), (2, 2), (3, 3), (9, 4), (None, 4), (-1, 4)]
)
def test_num_passes(Project: Any, passes: int | None, counted: int) -> None:
    """An operation is executed at most `num_passes` times for a job; None is no limit."""

    @Project.post(lambda job: job.doc.get("n", 0) >= 4)
    @Project.operation
    def count(job: Any) -> None:
        job.doc.n = job.doc.get("n", 0) + 1

    project = Project()
    project.run(num_passes=passes)
    assert [counted] * 3 == [job.doc.n for job in project]


def test_passes_go_on_until_nothing_is_eligible(Project: Any) -> None:
    """One `run` carries a chain of operations out, also if they are defined in reverse."""

    @Project.pre.true("second")
    @Project.post.true("third")
    @Project.operation
    def third(job: Any) -> None:
        job.doc.third = True

    @Project.pre.true("first")
    @Project.post.true("second")
    @Project.operation
    def second(job: Any) -> None:
        job.doc.second = True

    @Project.post.true("first")
    @Project.operation
    def first(job: Any) -> None:
        job.doc.first = True

    project = Project()
    project.run()
    assert [{"first", "second", "third"}] * 3 == [set(job.doc) for job in project]


# FlowProject.run in the API: order.


def of_jobs(seen: Seen) -> list[int]:
    """Give the jobs of calls, in their order."""
    return [a for _, a in seen]


@pytest.mark.parametrize("order", [None, "none", "by-job"])
def test_order_by_job(Project: Any, seen: Seen, order: str | None) -> None:
    """By default, and with 'by-job', operations are grouped by job."""
    project = Project()
    project.run(order=order)
    assert [job.sp.a for job in project for _ in range(2)] == of_jobs(seen)
    assert both(0, 1, 2) == sorted(seen)


def test_order_cyclic(Project: Any, seen: Seen) -> None:
    """With 'cyclic' the run goes through all jobs, and then through all jobs again."""
    Project().run(order="cyclic")
    assert [0, 1, 2] == sorted(of_jobs(seen[:3]))
    assert of_jobs(seen[:3]) == of_jobs(seen[3:])


def test_order_random(Project: Any, seen: Seen) -> None:
    """With 'random' all operations are executed, in whatever order."""
    Project().run(order="random")
    assert both(0, 1, 2) == sorted(seen)


def test_order_by_a_callable(Project: Any, seen: Seen) -> None:
    """A callable gives the key by which operations are sorted; it has their name and jobs."""
    Project().run(order=lambda operation: (operation.name, -operation._jobs[0].sp.a))
    expected = [(name, a) for name in ("goodbye", "hello") for a in (2, 1, 0)]
    assert expected == seen


def test_an_order_that_is_not_known(Project: Any, seen: Seen) -> None:
    """Any other order is a ValueError."""
    with pytest.raises(ValueError, match="Invalid value for the 'order' argument"):
        Project().run(order="backwards")


# FlowProject.run in the API: ignore_conditions; IgnoreConditions.


@pytest.fixture
def conditional(Project: Any) -> list[int]:
    """Give a list; operation `hello`, for jobs above 0 and until jobs below 2, notes in it."""
    calls: list[int] = []

    @Project.pre(lambda job: job.sp.a > 0)
    @Project.post(lambda job: job.sp.a < 2)
    @Project.operation
    def hello(job: Any) -> None:
        calls.append(job.sp.a)

    return calls


@pytest.mark.parametrize(
    ("ignored", "jobs"),
    [
        (IgnoreConditions.NONE, [2]),
        (IgnoreConditions.PRE, [2]),
        (IgnoreConditions.POST, [1, 2]),
        (IgnoreConditions.ALL, [0, 1, 2]),
        (IgnoreConditions.PRE | IgnoreConditions.POST, [0, 1, 2]),
    ],
)
def test_ignored_conditions(
    Project: Any, conditional: list[int], ignored: IgnoreConditions, jobs: list[int]
) -> None:
    """Pre-, post- or all conditions are left out of account."""
    Project().run(ignore_conditions=ignored)
    assert jobs == sorted(conditional)


def test_conditions_to_ignore_are_no_text(Project: Any, conditional: list[int]) -> None:
    """`ignore_conditions` of another type is a ValueError."""
    with pytest.raises(ValueError, match="ignore_conditions"):
        Project().run(ignore_conditions="pre")


def test_the_names_of_what_is_ignored() -> None:
    """The flags are called as the values of ``--ignore-conditions``."""
    flags = [getattr(IgnoreConditions, name) for name in ("NONE", "PRE", "POST", "ALL")]
    assert ["none", "pre", "post", "all"] == [str(flag) for flag in flags]
    assert IgnoreConditions.POST == ~IgnoreConditions.PRE


# FlowProject.run in the API: pretend, progress, np and timeout.


def test_pretend(Project: Any, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """With `pretend` nothing is executed, and the commands are printed."""
    project = Project()
    project.run(names=["hello"], pretend=True)
    assert [] == seen
    lines = capsys.readouterr().out.splitlines()
    assert [f"exec hello {job.id}" for job in project] == [
        " ".join(line.split()[-3:]) for line in lines
    ]


def test_pretend_of_a_command(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With `pretend` a command is printed as it would be executed."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    project = Project()
    project.run(pretend=True)
    printed = capsys.readouterr().out.splitlines()
    assert [f"touch {job.path}/out.txt" for job in project] == printed
    assert not any(job.isfile("out.txt") for job in project)


def test_progress(Project: Any, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """With `progress` a bar is shown on the side of errors, otherwise none."""
    Project().run()
    assert "6/6" not in capsys.readouterr().err
    Project().run(progress=True)
    assert "6/6" in capsys.readouterr().err


@pytest.mark.parametrize("np", [2, -1])
def test_np(Project: Any, np: int) -> None:
    """With `np` operations are executed in other processes; -1 is as many as there are cores."""

    @Project.operation
    def hello(job: Any) -> None:
        job.doc.process = os.getpid()

    project = Project()
    project.run(np=np)
    assert os.getpid() not in {job.doc.process for job in project}


@pytest.mark.parametrize("np", [None, 1])
def test_no_np(Project: Any, np: int | None) -> None:
    """By default, and with one processor, operations are executed in the run's process."""

    @Project.operation
    def hello(job: Any) -> None:
        job.doc.process = os.getpid()

    project = Project()
    project.run(np=np)
    assert {os.getpid()} == {job.doc.process for job in project}


def test_np_of_commands_and_aggregates(Project: Any) -> None:
    """Commands and aggregates can be executed in parallel too."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    @Project.operation(aggregator=flow.aggregator.groupsof(2))
    def together(*jobs: Any) -> None:
        for job in jobs:
            job.doc.together = len(jobs)

    project = Project()
    project.run(np=2)
    assert all(job.isfile("out.txt") for job in project)
    assert [1, 2, 2] == sorted(job.doc.together for job in project)


# signac-flow's own pool waits for ever in about one of twenty such runs: it ends its workers while
# they may hold the lock of its queue.
@pytest.mark.parametrize("base", [pointillist.FlowProject], ids=["pointillist"])
def test_np_of_an_operation_that_fails(Project: Any) -> None:
    """An operation that fails in another process is a UserOperationError too."""

    @Project.operation
    def hello(job: Any) -> None:
        raise ValueError("no")

    with pytest.raises(UserOperationError, match="hello"):
        Project().run(np=2)


def test_a_timeout_ends_a_command(Project: Any) -> None:
    """After `timeout` seconds an operation is ended, and the run raises TimeoutExpired."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"echo $$ > {job.path}/pid.txt; exec sleep 600"

    project = Project()
    with pytest.raises(subprocess.TimeoutExpired):
        project.run(jobs=[project.open_job({"a": 0})], timeout=0.3)
    pid = int(Path(project.open_job({"a": 0}).fn("pid.txt")).read_text())
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("timeout", [60.0, -1.0])
def test_a_timeout_that_is_not_reached(Project: Any, timeout: float) -> None:
    """An operation that is fast enough succeeds; a negative timeout is none."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    project = Project()
    project.run(timeout=timeout)
    assert all(job.isfile("out.txt") for job in project)


SCRIPT = """\
import os

from {package} import FlowProject


class Project(FlowProject):
    pass


@Project.operation
def hello(job):
    job.doc.process = os.getpid()
    job.doc.directory = os.getcwd()


if __name__ == "__main__":
    Project({path!r}).main()
"""


@pytest.mark.parametrize("package", ["flow", "pointillist"])
def test_a_timeout_and_another_directory(package: str, tmp_path: Path) -> None:
    """With a timeout each operation is executed by ``exec``, here in the project's folder."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    signac.init_project(str(home)).open_job({"a": 0}).init()
    (home / "project.py").write_text(SCRIPT.format(package=package, path=str(home)))
    words = ["../home/project.py", "run", "--timeout", "60", "--switch-to-project-root"]
    run = subprocess.Popen([sys.executable, *words], cwd=elsewhere)
    assert 0 == run.wait()
    (job,) = signac.get_project(str(home))
    assert str(home) == job.doc.directory
    assert job.doc.process not in (run.pid, os.getpid())


# The command line: ``python project.py run --help``.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], both(0, 1, 2)),
        (["-o", "hello"], [("hello", 0), ("hello", 1), ("hello", 2)]),
        (["--operation", "hel.*", "good.*"], both(0, 1, 2)),
        (["-f", "a", "1"], both(1)),
        (["--filter", "a.$gt", "0"], both(1, 2)),
        (["-f", '{"a": 2}'], both(2)),
        (["-f", "a", "1", "-o", "hello"], [("hello", 1)]),
        (["--pretend"], []),
    ],
)
def test_the_selection_of_run(main: Main, seen: Seen, words: list[str], expected: Seen) -> None:
    """``run`` has -o for operations and -f for jobs by their state points."""
    main("run", *words)
    assert expected == sorted(seen)


@pytest.mark.parametrize(
    ("words", "calls"),
    [(["-n", "2"], 2), (["--num", "5"], 5), (["--num-passes", "2"], 12), (["--num-passes=1"], 6)],
)
def test_the_limits_of_run(main: Main, seen: Seen, words: list[str], calls: int) -> None:
    """``run`` has -n for the number of executions, and --num-passes."""
    main("run", *words)
    assert calls == len(seen)


def test_jobs_by_id(main: Main, Project: Any, seen: Seen) -> None:
    """``run -j`` takes ids of jobs, whole or abbreviated, each once."""
    ids = {job.sp.a: job.id for job in Project()}
    main("run", "-o", "hello", "-j", ids[0], ids[2][:10], ids[0])
    assert [("hello", 0), ("hello", 2)] == sorted(seen)


def test_an_id_that_is_not_there(main: Main, seen: Seen) -> None:
    """``run -j`` with an id that no job has is a LookupError."""
    with pytest.raises(LookupError, match="Did not find job with id 'ffff'"):
        main("run", "-j", "ffff")


def test_ids_and_a_filter(main: Main, Project: Any, seen: Seen) -> None:
    """-j and -f cannot be combined."""
    with pytest.raises(ValueError, match="Cannot provide both"):
        main("run", "-j", next(iter(Project())).id, "-f", "a", "1")


@pytest.mark.parametrize(
    ("value", "jobs"), [("none", [2]), ("pre", [2]), ("post", [1, 2]), ("all", [0, 1, 2])]
)
def test_the_flag_ignore_conditions(
    main: Main, conditional: list[int], value: str, jobs: list[int]
) -> None:
    """``run --ignore-conditions`` takes none, pre, post or all."""
    main("run", "--ignore-conditions", value)
    assert jobs == sorted(conditional)


@pytest.mark.parametrize("order", ["none", "by-job", "cyclic", "random"])
def test_the_flag_order(main: Main, seen: Seen, order: str) -> None:
    """``run --order`` takes the orders that have a name."""
    main("run", "--order", order)
    assert both(0, 1, 2) == sorted(seen)


@pytest.mark.parametrize("words", [["-p"], ["-p", "2"], ["--parallel=2", "--progress"]])
def test_the_flag_parallel(main: Main, Project: Any, words: list[str]) -> None:
    """``run -p`` executes operations in other processes, of a number or of as many as cores."""

    @Project.operation
    def hello(job: Any) -> None:
        job.doc.process = os.getpid()

    main("run", *words)
    assert os.getpid() not in {job.doc.process for job in Project()}


def test_the_flag_timeout(main: Main, Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """``run -t`` says that an operation was not done in time."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return "exec sleep 600"

    with pytest.raises(subprocess.TimeoutExpired):
        main("run", "-t", "0.1", "-f", "a", "0")
    assert "Failed to complete execution due to timeout (0.1 seconds)." in capsys.readouterr().err


def test_the_flag_switch_to_project_root(
    main: Main, Project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``run --switch-to-project-root`` executes in the project's folder, PYTHONPATH has ours."""
    elsewhere = tmp_path / "workspace"

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"pwd > {job.path}/out.txt; echo $PYTHONPATH >> {job.path}/out.txt"

    project = Project()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(sys, "argv", ["project.py", "run", "--switch-to-project-root"])
    project.main()
    assert elsewhere == Path.cwd()
    for job in project:
        directory, path = Path(job.fn("out.txt")).read_text().splitlines()
        assert str(tmp_path) == directory
        assert str(elsewhere) in path.split(":")


# The command line: ``python project.py next --help`` and ``exec --help``.


def test_next(main: Main, conditional: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """``next`` prints the ids of the jobs that are eligible for an operation."""
    main("next", "hello")
    assert f"{signac.get_project().open_job({'a': 2}).id}\n" == capsys.readouterr().out
    assert [] == conditional


def test_next_of_nothing(main: Main, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """``next`` says that it does not know an operation; a name is no regular expression."""
    main("next", "hel.*")
    printed = capsys.readouterr()
    assert "" == printed.out
    assert "The requested flow operation 'hel.*' does not exist." in printed.err


def test_exec_of_all_jobs(main: Main, conditional: list[int]) -> None:
    """``exec`` executes an operation for all jobs, whatever its conditions say."""
    main("exec", "hello")
    assert [0, 1, 2] == sorted(conditional)


def test_exec_of_some_jobs(main: Main, Project: Any, conditional: list[int]) -> None:
    """``exec`` takes ids of jobs."""
    ids = {job.sp.a: job.id for job in Project()}
    main("exec", "hello", ids[0], ids[1][:10])
    assert [0, 1] == sorted(conditional)


def test_exec_of_a_command(main: Main, Project: Any) -> None:
    """``exec`` of a command executes it."""

    @Project.operation(cmd=True)
    def hello(job: Any) -> str:
        return f"touch {job.path}/out.txt"

    main("exec", "hello")
    assert all(job.isfile("out.txt") for job in Project())


def test_exec_of_what_fails(main: Main, Project: Any) -> None:
    """``exec`` raises what the operation raises."""

    @Project.operation
    def hello(job: Any) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError, match="no"):
        main("exec", "hello")


def test_exec_of_nothing(main: Main, seen: Seen, capsys: pytest.CaptureFixture[str]) -> None:
    """``exec`` of an operation that is not there exits with 2, and says which there are."""
    with pytest.raises(SystemExit) as caught:
        main("exec", "sing")
    assert 2 == caught.value.code
    assert "'goodbye', 'hello'" in capsys.readouterr().err
