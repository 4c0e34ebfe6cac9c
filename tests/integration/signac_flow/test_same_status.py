"""The status table is signac-flow's, of a project of any size and in every form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import flow
import pytest

from .comparison import FLOW, POINTILLIST, Bench, Line, differences, opened

FORMATS = ["terminal", "markdown", "html"]
TEMPLATES = Path(flow.__file__).parent / "templates"

SOME_DONE: list[Line | str] = [
    "run -o build equilibrate -j {0} {1} {2} {3} {4}",
    "run -o sample --num 4",
]
FLAGS = [
    "-d",
    "-d --pretty",
    "-d -a -p",
    "-d -p N sp.thermostat.kT doc.energy --param-max-width 5",
    "-d -e --no-overview",
    "-d -a --only-incomplete-operations",
    "-d -m 1 --eligible-jobs-max-lines 2",
    "--full -o build s.* -j {0} {7}",
]
# Of these signac-flow's templates have an error of syntax.
STACKED = ["-d --stack", "-d --stack --pretty -a -p", "-d -1", "-d -1 -a", "-d -e -1"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Give the folder in which the projects are run."""
    with opened(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


def test_ten_thousand_jobs(bench: Bench) -> None:
    """Three operations and two labels in different stages give the same table in each format."""
    bench.lay_out("survey", FLOW)
    lines = [["status", "--output-format", format] for format in FORMATS]
    with_flow = [bench.script("project.py", *words) for words in lines]
    bench.replace((FLOW, POINTILLIST))
    with_pointillist = [bench.script("project.py", *words) for words in lines]
    for (code, out, _), (code_again, out_again, err) in zip(
        with_flow, with_pointillist, strict=True
    ):
        assert (0, 0) == (code, code_again), err
        assert out == out_again
        assert "10000 jobs/aggregates, 8334 jobs/aggregates with eligible operations" in out
        labels = re.findall(r"(observed|quality \d)\D+(\d+)/10000", out)
        assert [("observed", "5000"), ("quality 0", "625"), ("quality 8", "625")] == labels
        eligible = re.findall(r"(reduce|extract|match)\D+(\d+)", out)
        assert [("reduce", "5000"), ("extract", "2500"), ("match", "834")] == eligible


@pytest.mark.parametrize("format", FORMATS)
def test_flags(bench: Bench, format: str) -> None:
    """Every flag shows the same of a project of which some is done, in every format."""
    lines = [*SOME_DONE, *(f"status --output-format {format} {flags}" for flags in FLAGS)]
    with_flow = bench.live("polymers", FLOW, lines)
    with_pointillist = bench.live("polymers", POINTILLIST, lines)
    assert [] == differences(with_flow, with_pointillist)
    assert [0] * len(lines) == [outcome.code for outcome in with_flow]


def mend_templates(folder: Path) -> None:
    """Put those templates into a project that signac-flow cannot read, without their error."""
    (folder / "templates").mkdir()
    for name in ("base_status_stack.jinja", "base_status_compact.jinja"):
        text = (TEMPLATES / name).read_text()
        assert 1 == text.count("for value['display_name'], value in")
        text = text.replace("for value['display_name'], value in", "for name, value in")
        (folder / "templates" / name).write_text(text)


@pytest.mark.parametrize("mended", [True, False])
def test_stacked_and_one_line(bench: Bench, mended: bool) -> None:
    """``--stack`` and ``--one-line`` show what signac-flow means to show.

    It cannot, by itself: it needs templates of the project's own. We do not, but take them.
    """
    shown: list[list[str]] = []
    for imported in (FLOW, POINTILLIST):
        bench.live("polymers", imported, SOME_DONE)
        if imported == FLOW or mended:
            mend_templates(bench.folder)
        outcomes = [bench.run(f"status {flags}") for flags in STACKED]
        assert [0] * len(STACKED) == [outcome.code for outcome in outcomes], outcomes[0].err
        shown.append([outcome.out for outcome in outcomes])
    assert shown[0] == shown[1]
