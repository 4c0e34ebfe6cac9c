"""The status as signac-flow documents it: `print_status`, `get_job_status` and ``status``.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flow
import jinja2
import pytest
import signac
from flow.environment import ComputeEnvironment
from flow.scheduling.base import JobStatus
from flow.scheduling.fake_scheduler import FakeScheduler

import pointillist

Printed = Callable[..., list[str]]


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of two operations and a label; four jobs lie in the working directory.

    `first` is done for the jobs with a = 0 and 1, `second`, which comes after it, for that of 0.
    """
    monkeypatch.chdir(tmp_path)
    project = signac.init_project()
    for a in range(4):
        job = project.open_job({"a": a, "same": 1, "deep": {"x": a * 11}}).init()
        job.doc.first = a < 2
        job.doc.second = a < 1
        job.doc.text = "a long text of a document"

    class Project(base):
        pass

    @Project.label
    def begun(job: Any) -> bool:
        return bool(job.doc.first)

    @Project.post.true("first")
    @Project.operation
    def first(job: Any) -> None:
        pass

    @Project.pre.after(first)
    @Project.post.true("second")
    @Project.operation
    def second(job: Any) -> None:
        pass

    return Project


@pytest.fixture
def registry() -> Iterator[dict[str, Any]]:
    """Take environments that a test defines off the register again."""
    before = dict(ComputeEnvironment.registry)
    yield ComputeEnvironment.registry
    ComputeEnvironment.registry.clear()
    ComputeEnvironment.registry.update(before)


@pytest.fixture
def printed(Project: Any) -> Printed:
    """Give what gives the lines that `print_status` prints as Markdown, empty ones left out."""

    def lines(project: Any = None, **arguments: Any) -> list[str]:
        out = io.StringIO()
        arguments = {"output_format": "markdown", **arguments}
        (project or Project()).print_status(file=out, err=io.StringIO(), **arguments)
        return [line for line in out.getvalue().splitlines() if line]

    return lines


def of(Project: Any) -> dict[int, Any]:
    """Give the jobs by their `a`."""
    return {job.sp.a: job for job in Project()}


def cells(line: str) -> list[str]:
    """Give the cells of a row of a table."""
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def rows(lines: list[str]) -> list[list[str]]:
    """Give the cells of the rows of tables."""
    return [cells(line) for line in lines if line.startswith("|") and not line.startswith("| --")]


def operations_of(lines: list[str]) -> list[tuple[str, str]]:
    """Give job and operation of each row of the detailed view."""
    begin = next(i for i, line in enumerate(lines) if line.startswith("| job id"))
    found, id = [], ""
    for row in rows(lines[begin + 1 :]):
        id = row[0] or id
        found.append((id, row[1]))
    return sorted(found)


# FlowProject.print_status in the API: overview, detailed.


def test_the_overview(Project: Any, printed: Printed) -> None:
    """The overview counts jobs and, for each operation, those that are eligible."""
    lines = printed()
    expected = "Overview: 4 jobs/aggregates, 3 jobs/aggregates with eligible operations."
    assert expected == lines[0]
    assert ["first", "2", "[U]: 4"] in rows(lines)
    assert ["second", "1", "[U]: 4"] in rows(lines)
    assert "Detailed View:" not in lines


def test_no_overview(printed: Printed) -> None:
    """With ``overview=False`` there is no overview."""
    lines = printed(overview=False, detailed=True)
    assert "Detailed View:" == lines[0]


def test_the_lines_of_the_overview(Project: Any, printed: Printed) -> None:
    """`overview_max_lines` limits the labels that are shown."""
    Project.label("also")(lambda job: True)
    assert 2 == sum("%)" in line for line in printed())
    assert ["also"] == [line.split()[1] for line in printed(overview_max_lines=1) if "%)" in line]


def test_the_detailed_view(Project: Any, printed: Printed) -> None:
    """The detailed view has each job, with the operations that are eligible, and its labels."""
    jobs = of(Project)
    lines = printed(detailed=True)
    expected = [
        (jobs[0].id, "[ ]"),
        (jobs[1].id, "second [U]"),
        (jobs[2].id, "first [U]"),
        (jobs[3].id, "first [U]"),
    ]
    assert sorted(expected) == operations_of(lines)
    assert f"| {jobs[1].id} | second [U] | begun |" in lines
    assert f"| {jobs[2].id} | first [U] |  |" in lines


def test_all_operations(Project: Any, printed: Printed) -> None:
    """With `all_ops` operations that are not eligible are shown too."""
    expected = [(job.id, f"{name} [U]") for job in Project() for name in ("first", "second")]
    assert sorted(expected) == operations_of(printed(detailed=True, all_ops=True))


def test_only_incomplete(Project: Any, printed: Printed) -> None:
    """With `only_incomplete` only jobs with eligible operations are shown."""
    shown = {id for id, _ in operations_of(printed(detailed=True, only_incomplete=True))}
    assert {of(Project)[a].id for a in (1, 2, 3)} == shown


def test_some_jobs(Project: Any, printed: Printed) -> None:
    """`jobs` are those that are shown."""
    jobs = of(Project)
    lines = printed(jobs=[jobs[1], jobs[3]], detailed=True)
    assert {jobs[1].id, jobs[3].id} == {id for id, _ in operations_of(lines)}
    assert lines[0].startswith("Overview: 2 jobs/aggregates, 2 ")


@pytest.mark.parametrize(
    ("names", "expected"), [(["first"], {"first"}), (["f.*", "second"], {"first", "second"})]
)
def test_some_operations(printed: Printed, names: list[str], expected: set[str]) -> None:
    """`operation` are regular expressions of the operations that are shown."""
    lines = printed(detailed=True, all_ops=True, operation=names)
    assert expected == {name.split()[0] for _, name in operations_of(lines)}


# FlowProject.print_status in the API: parameters, param_max_width.


def parameters_of(Project: Any, lines: list[str]) -> dict[int, list[str]]:
    """Give the cells between operation and labels by the jobs' `a`."""
    numbers = {job.id: job.sp.a for job in Project()}
    return {numbers[row[0]]: row[2:-1] for row in rows(lines) if row[0] in numbers}


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("a", "{a}"),
        ("sp.a", "{a}"),
        ("deep.x", "{x}"),
        ("sp.deep.x", "{x}"),
        ("doc.text", "a long text of a document"),
        ("nowhere", "None"),
        ("doc.nowhere", "None"),
    ],
)
def test_a_parameter(Project: Any, printed: Printed, parameter: str, expected: str) -> None:
    """Parameters are keys of the state point, with or without ``sp.``, or of ``doc.``."""
    lines = printed(detailed=True, parameters=[parameter], jobs=[of(Project)[2]])
    assert {2: [expected.format(a=2, x=22)]} == parameters_of(Project, lines)
    assert parameter in next(row for row in rows(lines) if row[0] == "job id")


def test_several_parameters(Project: Any, printed: Printed) -> None:
    """Several parameters are shown in their order."""
    lines = printed(detailed=True, parameters=["same", "a"])
    assert {a: ["1", str(a)] for a in range(4)} == parameters_of(Project, lines)


def test_all_varying_parameters(Project: Any, printed: Printed) -> None:
    """PRINT_STATUS_ALL_VARYING_PARAMETERS shows the keys in which jobs differ."""
    lines = printed(detailed=True, parameters=Project.PRINT_STATUS_ALL_VARYING_PARAMETERS)
    header = next(row for row in rows(lines) if row[0] == "job id")
    assert ["job id", "operation/group", "a", "deep", "labels"] == header


def test_the_width_of_parameters(Project: Any, printed: Printed) -> None:
    """`param_max_width` limits the characters of a parameter."""
    lines = printed(detailed=True, parameters=["doc.text"], param_max_width=8)
    assert {8} == {len(cells[0]) for cells in parameters_of(Project, lines).values()}


# FlowProject.print_status in the API: expand, unroll, compact, pretty.


def test_expand(Project: Any, printed: Printed) -> None:
    """With `expand` operations have a table of their own; the one of the labels keeps them too."""
    id = of(Project)[2].id
    lines = printed(detailed=True, expand=True, jobs=[of(Project)[2]])
    begin = lines.index("Operations:")
    assert f"| {id} | first [U] |  |" in lines[:begin]
    assert ["job id", "operation/group", "eligible", "cluster_status"] == cells(lines[begin + 1])
    # signac-flow's template breaks the row of a first operation into two lines
    rest = " ".join(lines[begin + 3 :])
    assert [id, "first", "Y", "U"] == cells(rest)[:4]


def test_pretty(Project: Any, printed: Printed) -> None:
    """With `pretty` eligible operations are bold."""
    jobs = of(Project)
    assert f"| {jobs[1].id} | **second [U]** | begun |" in printed(detailed=True, pretty=True)


# Without `unroll`, or with `compact`, signac-flow 0.29.1 shows nothing, whatever jinja2 is
# installed: its templates for these do not compile ("for value['display_name'], value in").

only_flow = pytest.mark.parametrize("base", [flow.FlowProject], ids=["signac-flow"])
only_ours = pytest.mark.parametrize("base", [pointillist.FlowProject], ids=["pointillist"])


@only_flow
@pytest.mark.parametrize("arguments", [{"unroll": False}, {"compact": True}])
def test_views_that_signac_flow_has_lost(printed: Printed, arguments: dict[str, Any]) -> None:
    """signac-flow's own class cannot show these two views."""
    with pytest.raises(jinja2.TemplateSyntaxError):
        printed(detailed=True, **arguments)


@only_ours
def test_stack(Project: Any, printed: Printed) -> None:
    """Without `unroll` labels and operations are in separate rows, with a legend of symbols."""
    jobs = of(Project)
    lines = printed(detailed=True, unroll=False)
    rows_of_1 = lines.index(f"| {jobs[1].id} | begun |")
    assert "| + second [U] |" == lines[rows_of_1 + 1]
    assert f"| {jobs[2].id} |  |" in lines
    assert "[-]:ineligible [+]:eligible [*]:active [>]:running [X]:completed" in lines


@only_ours
def test_stack_of_all_operations(Project: Any, printed: Printed) -> None:
    """With `all_ops` symbols tell what is completed, eligible and ineligible."""
    lines = printed(detailed=True, unroll=False, all_ops=True, jobs=[of(Project)[1]])
    assert {"| X first [U] |", "| + second [U] |"} == {line for line in lines if "[U] |" in line}
    lines = printed(detailed=True, unroll=False, all_ops=True, jobs=[of(Project)[2]])
    assert {"| + first [U] |", "| - second [U] |"} == {line for line in lines if "[U] |" in line}


@only_ours
def test_pretty_symbols(printed: Printed) -> None:
    """With `pretty` the symbols of the separate rows are no letters."""
    lines = printed(detailed=True, pretty=True, unroll=False)
    assert "[\u25cb]:ineligible [\u25cf]:eligible [\u25b9]:active" in "\n".join(lines)
    assert "| **\u25cf second [U]** |" in lines


@only_ours
def test_compact(Project: Any, printed: Printed) -> None:
    """With `compact` there is one line for each job, and the number of further operations."""
    jobs = of(Project)
    lines = printed(detailed=True, compact=True)
    assert [1] * 4 == [sum(job.id in line for line in lines) for job in jobs.values()]
    assert f"| {jobs[1].id} | second [U] +(0) | begun |" in lines
    lines = printed(detailed=True, compact=True, all_ops=True)
    assert [1] * 4 == [sum(job.id in line for line in lines) for job in jobs.values()]
    assert f"| {jobs[1].id} | first [U] +(1) | begun |" in lines


# FlowProject.print_status in the API: output_format, file, err, dump_json, hide_progress.


def test_the_format_of_a_terminal(Project: Any, printed: Printed) -> None:
    """By default tables are drawn for a terminal."""
    lines = printed(output_format="terminal")
    assert "operation/group      number of eligible jobs  submission status" in lines


def test_the_format_html(printed: Printed) -> None:
    """``output_format="html"`` gives tables of a web page."""
    text = "".join(printed(output_format="html", detailed=True))
    assert 2 <= text.count("<table>")
    assert "<td>first</td>" in text


def test_a_format_that_is_not_known(printed: Printed) -> None:
    """Any other format is a ValueError that says which there are."""
    with pytest.raises(ValueError, match="terminal, markdown, or html"):
        printed(output_format="pdf")


def test_where_it_is_printed(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The status goes to stdout, progress to stderr; `file` and `err` are open files instead.

    They are documented as `str`.
    """
    Project().print_status()
    plain = capsys.readouterr()
    assert "Overview:" in plain.out
    assert "Fetching status" in plain.err
    out, err = io.StringIO(), io.StringIO()
    Project().print_status(file=out, err=err)
    assert ("", "") == capsys.readouterr()
    assert "Overview:" in out.getvalue()
    assert "Fetching status" in err.getvalue()


def test_no_progress(Project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """With `hide_progress` there is no bar."""
    Project().print_status(hide_progress=True)
    assert "Fetching" not in capsys.readouterr().err


def test_json(Project: Any, printed: Printed) -> None:
    """With `dump_json` all is given as JSON, by the jobs' ids."""
    status = json.loads("\n".join(printed(dump_json=True)))
    jobs = of(Project)
    assert {job.id for job in jobs.values()} == set(status)
    entry = status[jobs[1].id]
    assert jobs[1].id == entry["aggregate_id"]
    assert ["begun"] == entry["labels"]
    told = {"display_name": "second", "scheduler_status": 1, "eligible": True, "completed": False}
    assert told == entry["groups"]["second"]
    assert entry["groups"]["first"]["completed"]
    assert not entry["groups"]["first"]["eligible"]
    assert not status[jobs[2].id]["groups"]["second"]["eligible"]


# FlowProject.print_status in the API: template; profile.


def test_a_template(printed: Printed) -> None:
    """`template` names a file of the project's templates, which has the jobs and their states."""
    Path("templates").mkdir()
    Path("templates", "mine.jinja").write_text(
        "{% for job in jobs %}{{ job['groups']['first']['completed'] }}\n{% endfor %}"
    )
    assert ["False", "False", "True", "True"] == sorted(printed(template="mine.jinja"))


def test_the_template_of_the_project(printed: Printed) -> None:
    """A ``status.jinja`` in the project's templates replaces the one that ships."""
    Path("templates").mkdir()
    Path("templates", "status.jinja").write_text(
        '{% extends "base_status.jinja" %}{% block overview %}MINE\n{% endblock %}'
    )
    assert "MINE" == printed()[0]


def test_a_profile_needs_pprofile(Project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`profile` needs the package pprofile, and says so where it is not installed."""
    monkeypatch.setitem(sys.modules, "pprofile", None)
    with pytest.raises(ImportError, match="pip install pprofile"):
        Project().print_status(profile=True, hide_progress=True)


# FlowProject.print_status in the API: eligible_jobs_max_lines, and its configuration.


def configured(Project: Any, text: str) -> Any:
    """Give a project that has some lines in the section 'flow' of its configuration."""
    with Path(".signac", "config").open("a") as config:
        config.write(f"[flow]\n{text}\n")
    return Project()


def many(Project: Any) -> None:
    """Add twelve operations that are eligible for all jobs."""
    for number in range(12):
        Project.operation(f"many{number}")(lambda job, number=number: number)


def summary(lines: list[str]) -> tuple[int, str]:
    """Give how many operations the overview lists, and what it says of the rest."""
    cells = [row[0] for row in rows(lines)]
    omitted = [cell for cell in cells if "omitted" in cell]
    names = [cell for cell in cells if cell in ("first", "second") or cell.startswith("many")]
    return len(names), omitted[0] if omitted else ""


def test_ten_operations_by_default(Project: Any, printed: Printed) -> None:
    """By default ten operations are listed, and the others are counted."""
    many(Project)
    assert (10, "[4 more operations omitted]") == summary(printed())


@pytest.mark.parametrize(("limit", "listed", "omitted"), [(1, 1, 13), (13, 13, 1), (14, 14, 0)])
def test_lines_of_operations(
    Project: Any, printed: Printed, limit: int, listed: int, omitted: int
) -> None:
    """`eligible_jobs_max_lines` limits the operations that are listed."""
    many(Project)
    said = f"[{omitted} more operations omitted]" if omitted else ""
    assert (listed, said) == summary(printed(eligible_jobs_max_lines=limit))


def test_configured_lines_of_operations(Project: Any, printed: Printed) -> None:
    """``flow.eligible_jobs_max_lines`` is the limit where there is no argument."""
    many(Project)
    project = configured(Project, "eligible_jobs_max_lines = 3")
    assert (3, "[11 more operations omitted]") == summary(printed(project))
    assert 5 == summary(printed(project, eligible_jobs_max_lines=5))[0]


# The FlowProject, "The Project Status": flow.status_parallelization.


@pytest.mark.parametrize("value", ["none", "thread", "process"])
def test_parallelization(Project: Any, printed: Printed, value: str) -> None:
    """``flow.status_parallelization`` changes nothing in what is shown, a second time neither."""
    expected = sorted(printed(detailed=True, parameters=["a"]))
    project = configured(Project, f"status_parallelization = {value}")
    assert expected == sorted(printed(project, detailed=True, parameters=["a"]))
    assert expected == sorted(printed(project, detailed=True, parameters=["a"]))


def test_another_parallelization(Project: Any, printed: Printed) -> None:
    """Any other value of ``flow.status_parallelization`` is an error."""
    project = configured(Project, "status_parallelization = magic")
    with pytest.raises(RuntimeError, match="Valid choices are 'thread', 'process', or 'none'"):
        printed(project)


# FlowProject.print_status in the API: ignore_errors.


def broken(Project: Any) -> None:
    """Add an operation of which the condition raises."""

    def fails(job: Any) -> bool:
        raise ValueError("no")

    @Project.pre(fails)
    @Project.operation
    def third(job: Any) -> None:
        pass


def test_an_error_in_a_condition(Project: Any, printed: Printed) -> None:
    """An error in a condition ends the status; if errors are ignored, it is not eligible."""
    broken(Project)
    with pytest.raises(flow.errors.UserConditionError):
        printed()
    lines = printed(ignore_errors=True, operation=["third"])
    assert "Overview: 4 jobs/aggregates, 0 jobs/aggregates with eligible operations." == lines[0]


def test_a_scheduler_that_does_not_answer(
    Project: Any, printed: Printed, registry: dict[str, Any]
) -> None:
    """With `ignore_errors` an error of the scheduler does not end the status."""

    class Scheduler(FakeScheduler):
        def jobs(self) -> Any:
            raise RuntimeError("no answer")

    class Mine(ComputeEnvironment):
        scheduler_type = Scheduler

    lines = printed(Project(environment=Mine), ignore_errors=True)
    assert ["first", "2", "[U]: 4"] in rows(lines)


# The API: FlowProject.ALIASES.


def test_aliases(Project: Any, printed: Printed) -> None:
    """The legend has the alias of each state that a scheduler knows, also of those of groups."""
    states = ["registered", "inactive", "submitted", "held", "queued", "active", "error"]
    expected = ["[U]:unknown"]
    expected += [f"[{letter}]:{state}" for letter, state in zip("RISHQAE", states, strict=True)]
    expected += [f"[G{letter}]:group_{one}" for letter, one in zip("RISHQAE", states, strict=True)]
    assert expected == printed()[-1].split()
    assert "A" == Project.ALIASES["active"]


def test_aliases_of_ones_own(Project: Any, printed: Printed) -> None:
    """A class may have ALIASES of its own, which also shorten the values of parameters."""

    class Mine(Project):
        ALIASES = {**Project.ALIASES, "a long text of a document": "T"}

    lines = printed(Mine(), detailed=True, parameters=["doc.text"])
    assert {a: ["T"] for a in range(4)} == parameters_of(Mine, lines)
    assert "[T]:a long text of a document" in lines[-1]


# The API: FlowProject.get_job_status and completed_operations.


def test_the_status_of_a_job(Project: Any) -> None:
    """`get_job_status` says of each operation of a job whether it is eligible and completed."""
    jobs = of(Project)
    state = {"scheduler_status": JobStatus.unknown}
    expected = {
        "job_id": jobs[1].id,
        "labels": ["begun"],
        "operations": {
            "first": {**state, "eligible": False, "completed": True},
            "second": {**state, "eligible": True, "completed": False},
        },
        "_labels_error": None,
        "_operations_error": None,
    }
    assert expected == Project().get_job_status(jobs[1])


def test_the_status_of_a_job_with_errors(Project: Any) -> None:
    """An error in a condition is raised by `get_job_status`, or noted with `ignore_errors`."""
    broken(Project)
    project = Project()
    job = next(iter(project))
    with pytest.raises(flow.errors.UserConditionError):
        project.get_job_status(job)
    status = project.get_job_status(job, ignore_errors=True)
    assert {} == status["operations"]
    assert "fails" in status["_operations_error"]


def test_the_status_of_a_job_from_what_was_kept(Project: Any) -> None:
    """`cached_status` has what is known of the scheduler, by the ids of operations."""
    project = Project()
    job = next(iter(project))
    id = project.groups["first"]._generate_id((job,))
    status = project.get_job_status(job, cached_status={id: JobStatus.queued})
    assert JobStatus.queued == status["operations"]["first"]["scheduler_status"]
    assert JobStatus.unknown == status["operations"]["second"]["scheduler_status"]


def test_completed_operations(Project: Any) -> None:
    """`completed_operations` are those of which all postconditions hold."""
    project = Project()
    completed = {a: list(project.completed_operations(job)) for a, job in of(Project).items()}
    assert {0: ["first", "second"], 1: ["first"], 2: [], 3: []} == completed


def test_an_operation_without_postconditions_is_never_completed(Project: Any) -> None:
    """An operation without postconditions is not among the completed ones."""
    Project.operation("endless")(lambda job: None)
    project = Project()
    assert ["first", "second"] == list(project.completed_operations(of(Project)[0]))


# The command line: ``python project.py status --help``.


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (["--json"], {"dump_json": True}),
        (["-d"], {"detailed": True}),
        (["--detailed", "-a"], {"detailed": True, "all_ops": True}),
        (["--full"], {"detailed": True, "all_ops": True}),
        (["-d", "--all-operations"], {"detailed": True, "all_ops": True}),
        (["-d", "--only-incomplete-operations"], {"detailed": True, "only_incomplete": True}),
        (["-d", "-e"], {"detailed": True, "expand": True}),
        (["-d", "--expand"], {"detailed": True, "expand": True}),
        (["-d", "--pretty"], {"detailed": True, "pretty": True}),
        (["-d", "--no-overview"], {"detailed": True, "overview": False}),
        (["-m", "1"], {"overview_max_lines": 1}),
        (["--overview-max-lines=1"], {"overview_max_lines": 1}),
        (["-d", "-p", "a", "doc.text"], {"detailed": True, "parameters": ["a", "doc.text"]}),
        (["-d", "-p"], {"detailed": True, "parameters": True}),
        (
            ["-d", "--parameters", "doc.text", "--param-max-width", "9"],
            {"detailed": True, "parameters": ["doc.text"], "param_max_width": 9},
        ),
        (["--eligible-jobs-max-lines", "1"], {"eligible_jobs_max_lines": 1}),
        (["--output-format", "html"], {"output_format": "html"}),
        (["--output-format=markdown"], {"output_format": "markdown"}),
        (["-d", "-o", "f.*"], {"detailed": True, "operation": ["f.*"]}),
        (["-d", "--operation", "second"], {"detailed": True, "operation": ["second"]}),
        (["--ignore-errors"], {"ignore_errors": True}),
        (["--hide-progress"], {"hide_progress": True}),
    ],
)
def test_flags(
    Project: Any,
    printed: Printed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    arguments: dict[str, Any],
) -> None:
    """Each flag of ``status`` is the argument of `print_status` that it is documented to be."""
    expected = printed(**{"output_format": "terminal", **arguments})
    monkeypatch.setattr(sys, "argv", ["project.py", "status", *words])
    Project().main()
    shown = capsys.readouterr()
    assert expected == [line for line in shown.out.splitlines() if line]
    assert ("--hide-progress" not in words) == ("Fetching" in shown.err)


@only_ours
@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["-d", "--stack"], {"detailed": True, "unroll": False}),
        (["-d", "-1"], {"detailed": True, "compact": True}),
        (["-d", "--one-line"], {"detailed": True, "compact": True}),
    ],
)
def test_flags_of_the_lost_views(
    Project: Any,
    printed: Printed,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    arguments: dict[str, Any],
) -> None:
    """The flags of the views that signac-flow's class cannot show."""
    expected = printed(output_format="terminal", **arguments)
    monkeypatch.setattr(sys, "argv", ["project.py", "status", *words])
    Project().main()
    assert expected == [line for line in capsys.readouterr().out.splitlines() if line]


@pytest.mark.parametrize(
    ("words", "numbers"), [(["-f", "a.$lt", "2"], {0, 1}), (["--filter", "a", "3"], {3})]
)
def test_flags_that_select_jobs(
    Project: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    numbers: set[int],
) -> None:
    """``status`` has -f for jobs by their state points."""
    monkeypatch.setattr(sys, "argv", ["project.py", "status", "--json", *words])
    Project().main()
    assert {of(Project)[a].id for a in numbers} == set(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("flag", ["-j", "--job-id"])
def test_flags_that_select_jobs_by_id(
    Project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    """``status`` has -j for jobs by their ids."""
    ids = [of(Project)[a].id for a in (1, 2)]
    monkeypatch.setattr(sys, "argv", ["project.py", "status", "--json", flag, *ids])
    Project().main()
    assert set(ids) == set(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize("flag", ["-m", "--eligible-jobs-max-lines"])
def test_numbers_of_lines_are_positive(
    Project: Any, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """No lines at all is an error of the command line."""
    monkeypatch.setattr(sys, "argv", ["project.py", "status", flag, "0"])
    with pytest.raises(SystemExit) as caught:
        Project().main()
    assert 2 == caught.value.code
