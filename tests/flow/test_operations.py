"""Steps are real signac-flow operations: conditions, groups, directives, submission."""

from __future__ import annotations

from pathlib import Path

import flow.environment
import flow.project
import pytest

import pointillist as pt
from pointillist.errors import ConfigurationError, RecordNotFound, SeveralRecords, TaskError


@pt.step(np=4, ngpu=1, memory="8g", walltime="90m")
def double(number: float) -> float:
    """Double."""
    if number < 0:
        raise ValueError("negative")
    return 2 * number


@pt.step
def add(numbers: list[float]) -> dict[str, float]:
    """Add up."""
    return {"sum": sum(numbers), "least": min(numbers)}


class Point(pt.Record):
    """A number in a file."""

    session: str = pt.key()
    index: int = pt.key()

    number: float = pt.seed("points/{session}/{index}.txt")

    doubled: float = double.step(number).to()
    unstored: float = double.step(number).unstored()


class Block(pt.Aggregate[Point]):
    """The points of a session."""

    session: str = pt.key()

    numbers = add.step(pt.each(Point.doubled))
    sum: float = numbers.output("sum").to()
    least: float = numbers.output("least").to()


class Lab(pt.Project):
    """Points."""

    records = (Point, Block)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Give a lab with two sessions of two points."""
    for session in "ab":
        (tmp_path / "points" / session).mkdir(parents=True)
        for index in range(2):
            (tmp_path / "points" / session / f"{index}.txt").write_text(f"{index + 1}\n")
    made = Lab(tmp_path)
    made.discover()
    return made


def test_each_stored_step_is_an_operation_and_a_group(lab: Lab) -> None:
    """One operation a stored step, of signac-flow's own class, in a group of the same name."""
    assert ["Point.doubled", "Block.numbers"] == list(lab.operations)
    assert ["Point.doubled", "Block.numbers"] == list(lab.groups)
    for name, operation in lab.operations.items():
        assert isinstance(operation, flow.project.FlowOperation)
        assert isinstance(lab.groups[name], flow.project.FlowGroup)


def test_conditions(lab: Lab) -> None:
    """Eligible while inputs are there and outputs are not; complete when all outputs are."""
    group, block = lab.groups["Block.numbers"], lab[Block].first()
    jobs = (block.job,)
    assert (False, False) == (group._eligible(jobs), group._complete(jobs))
    lab.run(names=["Point.doubled"])
    assert (True, False) == (group._eligible(jobs), group._complete(jobs))
    block.path("sum").write_text("1\n")
    assert (True, False) == (group._eligible(jobs), group._complete(jobs))
    block.path("least").write_text("1\n")
    assert (False, True) == (group._eligible(jobs), group._complete(jobs))
    lab[Point].first().path("doubled").unlink()
    assert (False, True) == (group._eligible(jobs), group._complete(jobs))


def test_conditions_of_an_aggregate_without_members(lab: Lab, tmp_path: Path) -> None:
    """An aggregate whose members are gone cannot be carried out."""
    block = lab[Block].first()
    for point in lab[Point].where(session="a"):
        point.job.remove()
    lab = Lab(tmp_path)
    lab.sync()
    assert not lab.groups["Block.numbers"]._eligible((lab[Block].get(session="a").job,))
    assert block.id == lab[Block].get(session="a").id, "it is kept"


def test_next_operations_and_job_status(lab: Lab) -> None:
    """What signac-flow itself finds to do next, and its status of a job, span all classes."""
    found = {(op.name, op._jobs[0].id) for op in lab._next_operations()}
    assert {("Point.doubled", point.id) for point in lab[Point]} == found
    lab.run(names=["Point.doubled"])
    found = {(op.name, op._jobs[0].id) for op in lab._next_operations()}
    assert {("Block.numbers", block.id) for block in lab[Block]} == found
    status = lab.get_job_status(lab[Block].first().job)
    assert {"Block.numbers"} == set(status["operations"])
    operation = status["operations"]["Block.numbers"]
    assert (True, False) == (operation["eligible"], operation["completed"])


def test_calling_an_operation_carries_the_step_out(lab: Lab, tmp_path: Path) -> None:
    """An operation is callable on a job, as signac-flow calls it; a failure raises."""
    point = lab[Point].first()
    lab.operations["Point.doubled"](point.job)
    assert "2.0\n" == point.path("doubled").read_text()
    (tmp_path / "points" / "a" / "0.txt").write_text("-1\n")
    with pytest.raises(TaskError, match="double raised ValueError: negative"):
        lab.operations["Point.doubled"](point.job)
    with pytest.raises(RecordNotFound, match="is no record of Lab"):
        lab.operations["Point.doubled"](lab.open_job({"other": 1}).init())


def test_options_are_directives(lab: Lab) -> None:
    """A step's options are signac-flow's directives: gigabytes and hours."""
    group = lab.groups["Point.doubled"]
    assert {"np": 4, "ngpu": 1, "memory": 8.0, "walltime": 1.5} == group.operation_directives[
        "Point.doubled"
    ]
    assert {} == lab.groups["Block.numbers"].operation_directives["Block.numbers"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["doubled"], ["Point.doubled"]),
        (["Point.doubled"], ["Point.doubled"]),
        (["Block\\..*"], ["Block.numbers"]),
        (["sum"], ["Block.numbers"]),
        (["Block.least", "numbers"], ["Block.numbers"]),
        ([".*"], ["Point.doubled", "Block.numbers"]),
        (["double"], []),
        (["unstored"], []),
    ],
)
def test_names_of_operations(lab: Lab, names: list[str], expected: list[str]) -> None:
    """A step is chosen by its operation, its own name or an output's, and regular expressions."""
    assert expected == [step.operation for step in lab.chosen_steps(names)]
    assert expected == [group.name for group in lab._gather_selected_flow_groups(names, 2)]
    assert (names if not expected else []) == lab.unknown_names(names)


def test_name_that_is_no_expression(lab: Lab) -> None:
    """A name with a parenthesis too many is one clear error."""
    with pytest.raises(ConfigurationError) as caught:
        lab.chosen_steps(["Block.("])
    assert str(caught.value).startswith(
        "'Block.(' is neither the name of an operation nor a regular expression: missing )"
    )


def test_jobs_by_shortened_ids(lab: Lab) -> None:
    """A job id of any class may be shortened as far as it is one job's."""
    block = lab[Block].first()
    ids = [record.id for cls in (Point, Block) for record in lab[cls]]
    length = next(n for n in range(1, 33) if sum(id.startswith(block.id[:n]) for id in ids) == 1)
    assert (block.job,) == lab._get_aggregate_from_id(block.id[:length])
    with pytest.raises(RecordNotFound) as unknown:
        lab._get_aggregate_from_id("zz")
    assert "there is no job whose id begins with 'zz'. `status -d` lists them." == str(
        unknown.value
    )
    with pytest.raises(SeveralRecords, match=r"^6 job ids begin with '': .*\. Give more of it\.$"):
        lab._get_aggregate_from_id("")


class FakeScheduler(flow.environment.TestEnvironment):  # type: ignore[misc]
    """A scheduler that prints the script."""

    template = "slurm.sh"


def test_submission_script_of_an_aggregate(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """`submit` writes a script that runs the step on the aggregate's job, with its resources."""
    lab.run(names=["Point.doubled"], jobs=lab[Point].where(session="a"))
    lab = Lab(lab.path, environment=FakeScheduler, entrypoint={"path": "project.py"})
    lab.submit(pretend=True, force=True)
    script = capsys.readouterr().out
    block = lab[Block].get(session="a")
    assert f"project.py run -o Block.numbers -j {block.id}" in script
    assert lab[Block].get(session="b").id not in script, "its inputs are not there"
    for point in lab[Point].where(session="b"):
        assert f"project.py run -o Point.doubled -j {point.id}" in script
    assert 2 == script.count("run -o Point.doubled -j"), "those of session a are done"
    assert "#SBATCH -t 01:30:00" in script


def test_names_for_schedulers(lab: Lab) -> None:
    """What a scheduler calls a task has no dot: signac-flow keeps it as a key of a document."""
    block = lab[Block].first()
    name = lab.groups["Block.numbers"]._generate_id((block.job,))
    assert name.startswith(f"Lab/{block.id}/Block-number/")
    lab.document["_status"] = {name: 1}


def test_submission_of_some(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    """`submit` takes jobs of every class, and names."""
    lab.run(names=["Point.doubled"])
    lab = Lab(lab.path, environment=FakeScheduler, entrypoint={"path": "project.py"})
    block = lab[Block].get(session="b")
    lab.submit(pretend=True, names=["sum"], jobs=[block.job])
    script = capsys.readouterr().out
    assert 1 == script.count(" run -o ")
    assert f"run -o Block.numbers -j {block.id}" in script
