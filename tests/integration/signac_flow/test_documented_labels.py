"""Labels as signac-flow documents them: decorators, names and texts.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import io
from typing import Any

import flow
import pytest


def labels(Project: Any) -> dict[int, list[str]]:
    """Give the labels of each job by its `a`."""
    project = Project()
    return {job.sp.a: sorted(project.labels(job)) for job in project}


# The API: FlowProject.label and FlowProject.labels.


def test_a_label_is_called_as_its_function(Project: Any) -> None:
    """A label shows under its function's name for the jobs for which it is true."""

    @Project.label
    def large(job: Any) -> bool:
        return job.sp.a > 0

    assert {0: [], 1: ["large"], 2: ["large"]} == labels(Project)


def test_any_true_value(Project: Any) -> None:
    """A label shows if what its function returns counts as true, whatever its type."""

    @Project.label
    def large(job: Any) -> Any:
        return job.sp.a

    assert {0: [], 1: ["large"], 2: ["large"]} == labels(Project)


def test_a_text_is_the_label(Project: Any) -> None:
    """The example: a label that returns a text shows as that text."""

    @Project.label
    def foo_label(job: Any) -> str | None:
        return f"a is {job.sp.a}" if job.sp.a else None

    assert {0: [], 1: ["a is 1"], 2: ["a is 2"]} == labels(Project)


def test_a_label_with_a_name(Project: Any) -> None:
    """``label("name")`` names the label."""

    @Project.label("not-small")
    def large(job: Any) -> bool:
        return job.sp.a > 1

    assert {0: [], 1: [], 2: ["not-small"]} == labels(Project)


def test_a_text_wins_over_a_name(Project: Any) -> None:
    """A label that returns a text shows as the text, also if it has a name."""

    @Project.label("name")
    def large(job: Any) -> str:
        return "text"

    assert {a: ["text"] for a in range(3)} == labels(Project)


def test_an_empty_call(Project: Any) -> None:
    """``label()`` is the same as ``label``."""

    @Project.label()
    def large(job: Any) -> bool:
        return job.sp.a > 1

    assert {0: [], 1: [], 2: ["large"]} == labels(Project)


def test_the_function_is_given_back(Project: Any) -> None:
    """A label's function stays a plain function, which can be a condition too."""
    seen: list[int] = []

    @Project.label
    def large(job: Any) -> bool:
        return job.sp.a > 1

    @Project.pre(large)
    @Project.operation
    def hello(job: Any) -> None:
        seen.append(job.sp.a)

    Project().run()
    assert [2] == seen


def test_several_labels(Project: Any) -> None:
    """A job shows all labels that are true of it."""

    @Project.label
    def even(job: Any) -> bool:
        return job.sp.a % 2 == 0

    @Project.label
    def small(job: Any) -> bool:
        return job.sp.a < 2

    assert {0: ["even", "small"], 1: ["small"], 2: ["even"]} == labels(Project)


# The API: flow.label, flow.staticlabel and flow.classlabel.


def test_a_method_as_label(base: Any, Project: Any) -> None:
    """``@label()`` makes a method of the class a label."""

    class Labelled(Project):
        limit = 1

        @flow.label()
        def large(self, job: Any) -> bool:
            return job.sp.a > self.limit

    assert {0: [], 1: [], 2: ["large"]} == labels(Labelled)


def test_a_static_method_as_label(Project: Any) -> None:
    """``@staticlabel()`` makes a static method a label."""

    class Labelled(Project):
        @flow.staticlabel()
        def large(job: Any) -> bool:  # noqa: N805 - the decorator makes it static
            return job.sp.a > 1

    assert {0: [], 1: [], 2: ["large"]} == labels(Labelled)


def test_a_class_method_as_label(Project: Any) -> None:
    """``@classlabel()`` makes a class method a label."""

    class Labelled(Project):
        limit = 1

        @flow.classlabel()
        def large(cls, job: Any) -> bool:  # noqa: N805 - the decorator makes it a class method
            return job.sp.a > cls.limit

    assert {0: [], 1: [], 2: ["large"]} == labels(Labelled)


@pytest.mark.parametrize("kind", [flow.label, flow.staticlabel])
def test_a_method_as_label_with_a_name(Project: Any, kind: Any) -> None:
    """``@label("name")`` and its kin name the label."""

    def large(*arguments: Any) -> bool:
        return arguments[-1].sp.a > 1

    Labelled = type("Labelled", (Project,), {"large": kind("not-small")(large)})
    assert {0: [], 1: [], 2: ["not-small"]} == labels(Labelled)


def test_a_method_that_returns_a_text(Project: Any) -> None:
    """A method's text is the label, as a function's is."""

    class Labelled(Project):
        @flow.staticlabel()
        def large(job: Any) -> str:  # noqa: N805 - the decorator makes it static
            return f"a is {job.sp.a}"

    assert {a: [f"a is {a}"] for a in range(3)} == labels(Labelled)


def test_labels_are_inherited(Project: Any) -> None:
    """A subclass has the labels of its base beside its own."""

    @Project.label
    def even(job: Any) -> bool:
        return job.sp.a % 2 == 0

    class Sub(Project):
        pass

    @Sub.label
    def large(job: Any) -> bool:
        return job.sp.a > 1

    assert {0: ["even"], 1: [], 2: ["even"]} == labels(Project)
    assert {0: ["even"], 1: [], 2: ["even", "large"]} == labels(Sub)


# The FlowProject, "The Project Status".


def printed(Project: Any, **arguments: Any) -> str:
    """Give what `print_status` prints."""
    out = io.StringIO()
    Project().print_status(file=out, err=io.StringIO(), output_format="markdown", **arguments)
    return out.getvalue()


def test_labels_in_the_overview(Project: Any) -> None:
    """The overview shows for each label of how many jobs it is true, the most frequent first."""

    @Project.label
    def large(job: Any) -> bool:
        return job.sp.a > 1

    @Project.label
    def small(job: Any) -> bool:
        return job.sp.a < 2

    lines = [line for line in printed(Project).splitlines() if "%)" in line]
    assert ["small", "large"] == [line.split()[1] for line in lines]
    assert ["2/3 (66.67%)", "1/3 (33.33%)"] == [" ".join(line.split()[-3:-1]) for line in lines]


def test_labels_in_the_detailed_view(Project: Any) -> None:
    """The detailed view shows the labels of each job."""

    @Project.label
    def large(job: Any) -> bool:
        return job.sp.a > 1

    @Project.operation
    def hello(job: Any) -> None:
        pass

    lines = printed(Project, detailed=True).splitlines()
    for job in Project():
        shown = "large" if job.sp.a > 1 else ""
        assert 1 == lines.count(f"| {job.id} | hello [U] | {shown} |")


def test_labels_without_operations(Project: Any) -> None:
    """A project that has labels only still shows them in the overview."""

    @Project.label
    def large(job: Any) -> bool:
        return job.sp.a > 1

    assert "1/3 (33.33%)" in printed(Project)


# The API: FlowProject.get_job_status.


def test_labels_of_a_job_are_sorted_and_single(Project: Any) -> None:
    """`get_job_status` has a job's labels in their order, each once."""

    @Project.label
    def z(job: Any) -> bool:
        return True

    @Project.label
    def one(job: Any) -> str:
        return "same"

    @Project.label
    def other(job: Any) -> str:
        return "same"

    project = Project()
    assert ["same", "z"] == project.get_job_status(next(iter(project)))["labels"]


def test_a_label_that_raises(Project: Any) -> None:
    """An error in a label is raised, or noted with `ignore_errors`."""

    @Project.label
    def broken(job: Any) -> bool:
        raise ValueError("no")

    project = Project()
    job = next(iter(project))
    with pytest.raises(ValueError, match="no"):
        project.get_job_status(job)
    status = project.get_job_status(job, ignore_errors=True)
    assert [] == status["labels"]
    assert "no" == status["_labels_error"]
