"""The places: names that are told apart, and no two things in one place."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pointillist.space.layout import (
    JobFolder,
    Layout,
    claims_in,
    is_job,
    logs_in,
    operation_claim,
    stages_in,
)

STEPS = st.from_regex(r"[A-Za-z_]\w{0,12}", fullmatch=True)


@given(STEPS, st.lists(st.integers(1, 10**6), min_size=1, unique=True))
def test_claims_are_read_back_from_their_names(step: str, generations: list[int]) -> None:
    """The names of claims give step and generations, ascending."""
    folder = JobFolder(Path("job"))
    names = [folder.claim(step, generation).name for generation in generations]
    assert {step: sorted(generations)} == claims_in(
        [*names, "x.claim.1", ".x.claim.", "stats.json"]
    )


@given(STEPS, st.lists(st.integers(1, 10**6), min_size=1, unique=True))
def test_logs_are_read_back_from_their_names(step: str, attempts: list[int]) -> None:
    """The names of logs give step and attempts, ascending."""
    folder = JobFolder(Path("job"))
    names = [folder.log(step, attempt).name for attempt in attempts]
    assert {folder.logs} == {folder.log(step, attempt).parent for attempt in attempts}
    assert {step: sorted(attempts)} == logs_in([*names, "x.log", ".1.log", "x.1.txt"])


@given(st.text(min_size=1), st.text(min_size=1), STEPS)
def test_claims_of_operations(name: str, other: str, step: str) -> None:
    """Operations of any name have claims of their own, apart from steps and groups."""
    folder = JobFolder(Path("job"))
    group = "agg-0123456789abcdef0123456789abcdef"
    tokens = [operation_claim(name), operation_claim(name, group), step]
    assert {token: [7] for token in tokens} == claims_in(folder.claim(t, 7).name for t in tokens)
    assert (name == other) is (operation_claim(name) == operation_claim(other))


@given(STEPS, STEPS)
def test_stages_of_one_step_are_not_another_steps(step: str, other: str) -> None:
    """All that an attempt leaves beside its outputs is found by its step, and by no other."""
    folder = JobFolder(Path("job"))
    names = [
        folder.stage(step, 1, "runner").name,
        folder.stage_file(step, 2, "runner", "a.png").name,
        folder.control(step, 1, "runner").name,
        folder.replaced(step, "spikes").name,
    ]
    assert names == stages_in(names, step)
    assert (names if other == step else []) == stages_in(names, other)


def test_runners_stage_in_different_places() -> None:
    """Two runners, or two generations, never share a stage."""
    folder = JobFolder(Path("job"))
    places = {
        folder.stage("s", 1, "a"),
        folder.stage("s", 1, "b"),
        folder.stage("s", 2, "a"),
        folder.stage_file("s", 1, "a", "out"),
        folder.control("s", 1, "a"),
    }
    assert 5 == len(places)


def test_journals_are_listed_oldest_first(layout: Layout) -> None:
    """Journals are listed by the time in their names; what is not finished is not listed."""
    layout.runs.mkdir(parents=True)
    for name in ("20261120T140301-b-1.jsonl", "20261120T140300-z-9.jsonl", "20270101T000000-a.new"):
        (layout.runs / name).touch()
    assert ["20261120T140300-z-9", "20261120T140301-b-1"] == [p.stem for p in layout.journals()]


def test_no_journals(layout: Layout) -> None:
    """A project that never ran has no journals."""
    assert [] == layout.journals()


def test_a_job_is_named_by_its_hash() -> None:
    """Only 32 hexadecimal digits name a job."""
    assert [True, False, False, False] == [
        is_job(name)
        for name in ("0123456789abcdef" * 2, "all_my_recordings_of_last_summer", "0" * 31, "A" * 32)
    ]
