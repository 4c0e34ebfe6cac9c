"""Project: a FlowProject over all classes; declarations, running, and signac-flow's own ways."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import flow
import pytest
import signac
from flow.aggregates import aggregator

import pointillist as pt
from pointillist.errors import DeclarationError, RecordError, TasksFailed

events: list[str] = []


@pytest.fixture(autouse=True)
def forget_events() -> None:
    """Forget what happened in other tests."""
    events.clear()


@pt.step
def double(number: float) -> float:
    """Double."""
    events.append(f"double {number:g}")
    if number < 0:
        raise ValueError("negative")
    return 2 * number


@pt.step
def add(numbers: list[float]) -> float:
    """Add up."""
    events.append("add")
    return sum(numbers)


class Point(pt.Record):
    """A number in a file."""

    session: str = pt.key()
    index: int = pt.key()

    number: float = pt.seed("points/{session}/{index}.txt")

    doubled: float = double.step(number).to()


class Block(pt.Aggregate[Point]):
    """The points of a session."""

    session: str = pt.key()

    sum: float = add.step(pt.each(Point.doubled)).to()


class Lab(pt.Project):
    """Steps, and operations as signac-flow has them."""

    records = (Point, Block)


@Lab.label
def even(job: signac.job.Job) -> bool:
    """Label jobs with an even index."""
    return bool(job.sp.index % 2 == 0)


group = Lab.make_group(name="post")


@group
@Lab.pre(lambda job: job.isfile("doubled.txt"))
@Lab.post.isfile("shouted.txt")
@Lab.operation
def shout(job: signac.job.Job) -> None:
    """Write what a step has made, louder."""
    events.append(f"shout {job.sp.index}")
    Path(job.fn("shouted.txt")).write_text(Path(job.fn("doubled.txt")).read_text() + "!")


@Lab.pre.after(shout)
@Lab.post.isfile("echo.txt")
@Lab.operation(cmd=True)
def echo(job: signac.job.Job) -> str:
    """Run a command."""
    return f"echo {job.sp.index} > {job.path}/echo.txt"


@Lab.post(lambda *jobs: all(job.doc.get("paired") for job in jobs))
@Lab.operation(aggregator=aggregator.groupby("session"))
def pair(*jobs: signac.job.Job) -> None:
    """Work on several jobs at once, with signac-flow's own aggregation."""
    events.append(f"pair {len(jobs)}")
    for job in jobs:
        job.doc["paired"] = True


def fill(folder: Path, numbers: dict[str, list[float]]) -> None:
    """Write the points' files."""
    for session, values in numbers.items():
        (folder / "points" / session).mkdir(parents=True, exist_ok=True)
        for index, number in enumerate(values):
            (folder / "points" / session / f"{index}.txt").write_text(f"{number}\n")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give a lab with a session of two points and one of one."""
    fill(tmp_path, {"a": [1, 2], "b": [10]})
    made = Lab(tmp_path)
    made.discover()
    return made


def test_steps_run_beside_operations(lab: Lab) -> None:
    """One run does steps first, then operations with conditions, groups, commands, aggregates."""
    assert isinstance(lab, flow.FlowProject) and isinstance(lab, signac.Project)
    assert {"Point.doubled", "Block.sum", "shout", "echo", "pair"} == set(lab.operations)
    assert {*lab.operations, "post"} == set(lab.groups)
    summary = lab.run()
    assert 5 == summary.done
    assert ["double 1", "double 2", "double 10", "add", "add"] == events[:5]
    assert {"shout 0", "shout 1", "pair 2", "pair 1"} == set(events[5:])
    assert "4.0\n!" == Path(lab[Point].get(session="a", index=1).job.fn("shouted.txt")).read_text()
    assert "1\n" == Path(lab[Point].get(session="a", index=1).job.fn("echo.txt")).read_text()
    events.clear()
    assert 0 == lab.run().done
    assert [] == events
    assert [("even",)] * 2 == [tuple(lab.labels(p.job)) for p in lab[Point] if p.index == 0]


def test_run_only_own_operations(lab: Lab) -> None:
    """Names select among steps, operations and groups alike."""
    lab.run(names=["doubled"])
    assert 3 == len(events)
    events.clear()
    lab.run(names=["post"])
    assert {"shout 0", "shout 1"} == set(events)
    with pytest.raises(ValueError, match="names is a sequence of names"):
        lab.run(names="post")


def test_run_some_jobs(lab: Lab) -> None:
    """`run` takes records and plain jobs, of every class."""
    lab.run(jobs=lab[Point].where(session="a"), names=["doubled"])
    assert ["double 1", "double 2"] == events
    events.clear()
    lab.run(jobs=[lab[Block].get(session="a").job])
    assert ["add"] == events
    events.clear()
    lab.run(jobs=[lab[Point].get(session="b").job], names=["doubled", "shout"])
    assert ["double 10", "shout 0"] == events
    events.clear()
    lab.run(jobs=lab[Point].where(session="a", index=1), names=["shout"])
    assert ["shout 1"] == events


def test_run_at_most_some(lab: Lab) -> None:
    """`num` is how many tasks are carried out at most, steps and operations together."""
    assert 2 == lab.run(num=2).done
    assert ["double 1", "double 2"] == events


def test_failures_are_raised_at_the_end(lab: Lab, tmp_path: Path) -> None:
    """A failed task does not stop the others; the error at the end has record, step and log."""
    fill(tmp_path, {"a": [-1], "b": [-2]})
    with pytest.raises(TasksFailed) as caught:
        lab.run()
    assert str(caught.value).startswith(
        "2 tasks failed, the first: Point session=a index=0  doubled: double raised ValueError: "
        "negative\n  log: "
    )
    assert ("Point session=a index=0", "Point.doubled") == (caught.value.record, caught.value.step)
    assert "double 2" in events and "shout 1" in events
    events.clear()
    fill(tmp_path, {"a": [-1], "b": [-3]})
    with pytest.raises(TasksFailed, match=r"^Point session=b index=0  doubled: double raised"):
        lab.run(fail_fast=True)
    assert ["double -3"] == events, "what failed with nothing changed is not tried again"
    events.clear()
    with pytest.raises(TasksFailed, match=r"^2 tasks failed"):
        lab.run(retry_failed=True)
    assert {"double -1", "double -3"} <= set(events)


def test_pretend(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """`pretend` shows what a run would do, what follows from it as well, and does nothing."""
    assert 0 == lab.run(pretend=True).done
    assert [
        "Point session=a index=0  doubled  (output doubled.txt is missing)",
        "Point session=a index=1  doubled  (output doubled.txt is missing)",
        "Point session=b index=0  doubled  (output doubled.txt is missing)",
        "Block session=a  sum  (after Point.doubled)",
        "Block session=b  sum  (after Point.doubled)",
        "5 tasks would be done.",
    ] == capsys.readouterr().out.splitlines()[:6]
    lab.run(names=["doubled"])
    events.clear()
    lab.run(names=["shout"], pretend=True)
    assert 3 == capsys.readouterr().out.count(" exec shout ")
    assert [] == events


def test_print_status(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """`print_status` counts the tasks of steps and of operations."""
    lab.run(names=["doubled"], jobs=lab[Point].where(session="a"))
    capsys.readouterr()
    lab.print_status()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["records:", "3", "Point,", "2", "Block"] == lines[0]
    assert ["step", "complete", "ready", "waiting"] == lines[1]
    assert ["Point.doubled", "2", "1", "·"] == lines[2]
    assert ["Block.sum", "·", "1", "1"] == lines[3]
    assert ["shout", "·", "2", "1"] in lines
    assert ["labels:", "even", "(2)"] == lines[-1]
    lab.print_status(jobs=lab[Block], detailed=True)
    assert "doubled is ready" in capsys.readouterr().out


class Hooked(pt.Project):
    """A project with hooks around everything."""

    records = (Point, Block)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        hooks = self.project_hooks
        hooks.on_start.append(lambda name, job: events.append(f"start {name} {job.sp.session}"))
        hooks.on_success.append(lambda name, job: events.append(f"success {name}"))
        hooks.on_exception.append(
            lambda name, error, job: events.append(f"exception {name} {type(error).__name__}")
        )
        hooks.on_exit.append(lambda name, job: events.append(f"exit {name}"))


def test_hooks_are_called_around_steps(tmp_path: Path) -> None:
    """The project's hooks see a step as signac-flow's own operations: start, end, failure."""
    fill(tmp_path, {"a": [1], "b": [-1]})
    lab = Hooked(tmp_path)
    lab.discover()
    with pytest.raises(TasksFailed):
        lab.run()
    assert [
        "start Point.doubled a",
        "double 1",
        "success Point.doubled",
        "exit Point.doubled",
        "start Point.doubled b",
        "double -1",
        "exception Point.doubled TaskError",
        "exit Point.doubled",
        "start Block.sum a",
        "add",
        "success Block.sum",
        "exit Block.sum",
    ] == events


def test_hook_that_raises_is_a_failed_task(tmp_path: Path) -> None:
    """A hook that raises makes its task fail; the others go on."""

    def refuse(name: str, job: signac.job.Job) -> None:
        if job.sp.session == "a":
            raise OSError("no ticket")

    fill(tmp_path, {"a": [1], "b": [2]})
    lab = Hooked(tmp_path)
    lab.project_hooks.on_start.append(refuse)
    lab.discover()
    with pytest.raises(TasksFailed, match="a hook raised OSError: no ticket"):
        lab.run(names=["doubled"])
    assert 4.0 == lab[Point].get(session="b").doubled


class Plain(pt.Project):
    """A project that declares no records."""


class Original(flow.FlowProject):  # type: ignore[misc]  # signac-flow has no types
    """The same as signac-flow has it."""


def mark(job: signac.job.Job) -> None:
    """Mark a job."""
    events.append(f"mark {job.sp.n}")
    job.doc.marked = True


for project in (Plain, Original):
    project.post.true("marked")(project.operation(lambda job: mark(job), name="mark"))
    project.label("is_marked")(lambda job: "marked" in job.doc)


@pytest.mark.parametrize("kind", [Plain, Original])
def test_without_records_it_is_a_flow_project(
    kind: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Project without records runs, prints and selects as `flow.FlowProject` does."""
    project = kind.init_project(str(tmp_path)) if kind is Original else kind(tmp_path)
    for n in range(3):
        project.open_job({"n": n}).init()
    project.run(num=1)
    project.print_status(detailed=True, hide_progress=True)
    printed = capsys.readouterr().out
    assert "Overview: 3 jobs/aggregates" in printed
    assert "is_marked" in printed
    project.run(jobs=[project.open_job({"n": 2})])
    project.run()
    assert ["mark 0", "mark 1", "mark 2"] == sorted(events)


@pytest.mark.parametrize("kind", [Plain, Original])
def test_without_records_the_command_line_is_flows(
    kind: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Project without records has signac-flow's verbs and flags, and no others."""
    project = kind.init_project(str(tmp_path)) if kind is Original else kind(tmp_path)
    job = project.open_job({"n": 7}).init()
    monkeypatch.setattr(sys, "argv", ["project.py", "next", "mark"])
    project.main()
    assert f"{job.id}\n" == capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["project.py", "--help"])
    with pytest.raises(SystemExit):
        project.main()
    assert "{status,next,run,submit,exec}" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["project.py", "exec", "mark", job.id])
    project.main()
    assert ["mark 7"] == events


def test_add(lab: Lab, tmp_path: Path) -> None:
    """A record is added by its keys, once; aggregates follow; an aggregate cannot be added."""
    fill(tmp_path, {"c": [5]})
    point = lab.add(Point, session="c", index=0)
    assert point == lab.add(Point, session="c", index=0) == lab[Point].get(session="c")
    assert 10.0 == lab[Block].get(session="c").sum
    with pytest.raises(RecordError, match="Block is an aggregate"):
        lab.add(Block, session="d")


def test_rekey_moves_results(lab: Lab, tmp_path: Path) -> None:
    """A record whose file was renamed keeps its results under its new keys."""
    lab.run(names=["doubled", "Block.sum"])
    (tmp_path / "points" / "b" / "0.txt").rename(tmp_path / "points" / "b" / "5.txt")
    report = lab.discover()
    assert ["Point session=b index=5"] == report.added["Point"]
    [gone] = report.gone["Point"]
    assert gone.startswith("Point session=b index=0  (job ")
    moved = lab.rekey(lab[Point].get(session="b", index=0), index=5)
    assert moved == lab[Point].get(session="b")
    events.clear()
    assert 20.0 == moved.doubled == lab[Block].get(session="b").sum
    assert [] == events


def test_declarations_that_cannot_be() -> None:
    """A wrong `records` is an error when the class is made, and says what to write."""
    for records, message in (
        (Point, r"Bad\.records must be a tuple of record classes: records = \(Recording, …\)"),
        ((Point, int), r"Bad\.records must be a tuple of record classes"),
        ((Point, Point), r"Bad\.records: two classes have the same name"),
        ((Block,), r"Block is an aggregate of Point, which is not among the project's records"),
    ):
        with pytest.raises(DeclarationError, match=message):
            type(pt.Project)("Bad", (pt.Project,), {"records": records})


def test_folder_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project lies beside the file of its class, wherever it is used from."""
    (tmp_path / "lab").mkdir()
    text = "import pointillist as pt\nclass Here(pt.Project):\n    pass\n"
    (tmp_path / "lab" / "here_is_a_project.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path / "lab"))
    import here_is_a_project  # type: ignore[import-not-found]  # made above

    assert str(tmp_path / "lab") == here_is_a_project.Here().path
    assert str(tmp_path) == here_is_a_project.Here(tmp_path).path
    with pytest.raises(pt.errors.SpaceError, match="cannot become a project"):
        here_is_a_project.Here(tmp_path / "lab" / "here_is_a_project.py")


# Products, and operations on records.


class Run(pt.Record):
    """One run of a sweep."""

    width: float = pt.key()
    seed: int = pt.key()

    doubled: float = double.step(width).to()


class Width(pt.Aggregate[Run], order_by="-seed"):
    """The runs of one width."""

    width: float = pt.key()

    sum: float = add.step(pt.each(Run.doubled)).to()


class Sweep(pt.Project):
    """Nothing but keys."""

    records = (Run, Width)


def test_product(tmp_path: Path) -> None:
    """`add_product` makes a record of each combination; steps and aggregates go on from there."""
    sweep = Sweep(tmp_path)
    runs = sweep.add_product(Run, width=[2.0, 1], seed=range(2))
    assert [(2.0, 0), (2.0, 1), (1.0, 0), (1.0, 1)] == [(run.width, run.seed) for run in runs]
    assert [1, 0] == [run.seed for run in sweep[Width].get(width=1.0).members]
    sweep.run()
    assert [4.0, 8.0] == [width.sum for width in sweep[Width]]
    assert runs == sweep.add_product(Run, width=[2.0, 1], seed=range(2))
    sweep.add_product(Run, width=2, seed=5)
    assert [5, 1, 0] == [run.seed for run in sweep[Width].get(width=2.0).members]


def test_product_of_a_class_that_is_not_there(tmp_path: Path) -> None:
    """A class of another project is an error, and so is an aggregate."""
    sweep = Sweep(tmp_path)
    with pytest.raises(pt.errors.RecordNotFound, match="Point is no record class of Sweep"):
        sweep.add_product(Point, session="a", index=0)
    with pytest.raises(RecordError, match="Width is an aggregate"):
        sweep.add_product(Width, width=1.0)


def test_operations_on_records_beside_steps(tmp_path: Path) -> None:
    """Operations with `on=` are done after the steps, and follow what other operations add."""

    class Longer(Sweep):
        pass

    @Longer.post(lambda width: width.doc.get("sum") == width.members[0].sp.width)
    @Longer.operation(on=Width)
    def note(width: Any) -> None:
        events.append(f"note {Path(width.fn('sum.txt')).read_text().strip()}")
        width.doc["sum"] = width.members[0].sp.width

    @Longer.post.isfile("seen.txt")
    @Longer.operation(on=Run)
    def see(run: Any) -> None:
        Path(run.fn("seen.txt")).write_text(Path(run.fn("doubled.txt")).read_text())

    longer = Longer(tmp_path)
    longer.add_product(Run, width=[1.0, 2.0], seed=[0, 1])
    summary = longer.run()
    assert 6 == summary.done
    assert ["note 4.0", "note 8.0"] == sorted(event for event in events if "note" in event)
    assert ["2.0\n"] * 2 == [
        (run.folder / "seen.txt").read_text() for run in longer[Run].where(width=1.0)
    ]
    events.clear()
    longer.run()
    assert [] == events
