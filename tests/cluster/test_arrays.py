"""How tasks are laid out in arrays: bundles, limits, and what waits for what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.cluster.arrays import Array, Key, index_text, planned

ORDER = ["Run.a", "Run.b", "Block.c"]


def chain(count: int) -> dict[Key, list[Key]]:
    """Return two steps of some records, the second of which reads from the first."""
    tasks: dict[Key, list[Key]] = {}
    for n in range(count):
        tasks["Run.a", f"{n}"] = []
        tasks["Run.b", f"{n}"] = [("Run.a", f"{n}")]
    return tasks


def with_blocks(count: int, size: int) -> dict[Key, list[Key]]:
    """Return these with a step of blocks of records, each of which reads from its members."""
    blocks = {
        ("Block.c", f"block {n}"): [("Run.b", f"{m}") for m in range(n, min(n + size, count))]
        for n in range(0, count, size)
    }
    return {**chain(count), **blocks}


def shape(array: Array) -> tuple[str, list[int], set[int], set[int]]:
    """Return of an array the step, how long its elements are, and what it waits for."""
    return array.step, list(map(len, array.elements.values())), array.beside, array.after


def test_one_array_a_step() -> None:
    """Each step is an array; one waits for another element by element, aggregates for all of it."""
    arrays = planned(with_blocks(4, 2), ORDER, 1, 100, {})
    expected = [
        ("Run.a", [1, 1, 1, 1], set(), set()),
        ("Run.b", [1, 1, 1, 1], {0}, set()),
        ("Block.c", [1, 1], set(), {1}),
    ]
    assert expected == list(map(shape, arrays))
    assert {n: [("Run.b", f"{n}")] for n in range(4)} == arrays[1].elements


def test_bundles() -> None:
    """Bundles wait for whole arrays: one task that fails does not hold back those beside it."""
    arrays = planned(with_blocks(5, 5), ORDER, 2, 100, {})
    expected = [
        ("Run.a", [2, 2, 1], set(), set()),
        ("Run.b", [2, 2, 1], set(), {0}),
        ("Block.c", [1], set(), {1}),
    ]
    assert expected == list(map(shape, arrays))


def test_all_in_one() -> None:
    """A bundle of 0 is all tasks of a step."""
    expected = [("Run.a", [7], set(), set()), ("Run.b", [7], set(), {0})]
    assert expected == list(map(shape, planned(chain(7), ORDER, 0, 100, {})))


def test_longer_than_an_array_may_be() -> None:
    """What is longer than an array may be is several; each waits for its own part only."""
    arrays = planned(with_blocks(5, 5), ORDER, 1, 2, {})
    expected = [
        ("Run.a", [1, 1], set(), set()),
        ("Run.a", [1, 1], set(), set()),
        ("Run.a", [1], set(), set()),
        ("Run.b", [1, 1], {0}, set()),
        ("Run.b", [1, 1], {1}, set()),
        ("Run.b", [1], {2}, set()),
        ("Block.c", [1], set(), {3, 4, 5}),
    ]
    assert expected == list(map(shape, arrays))
    assert {0, 1} >= {number for array in arrays for number in array.elements}


def test_some_do_not_wait() -> None:
    """What reads from nothing that is to come waits for nothing, though others of its step do."""
    tasks = chain(4)
    del tasks["Run.a", "1"], tasks["Run.a", "2"]
    first, second, third = planned(tasks, ORDER, 1, 100, {})
    assert {0: [("Run.a", "0")], 1: [("Run.a", "3")]} == first.elements
    assert ({0: [("Run.b", "0")], 1: [("Run.b", "3")]}, {0}) == (second.elements, second.beside)
    assert ({0: [("Run.b", "1")], 1: [("Run.b", "2")]}, set()) == (third.elements, third.beside)


def test_numbers_of_makers() -> None:
    """Elements have the numbers of those that they wait for, also where some are left out."""
    tasks = chain(4)
    del tasks["Run.b", "1"]
    _, second = planned(tasks, ORDER, 1, 100, {})
    assert ([0, 2, 3], {0}) == (list(second.elements), second.beside)


def test_makers_of_different_numbers() -> None:
    """A task whose makers have different numbers waits for whole arrays."""
    tasks: dict[Key, list[Key]] = {("Run.a", "0"): [], ("Run.a", "1"): [], ("Run.b", "1"): []}
    tasks["Run.c", "1"] = [("Run.a", "1"), ("Run.b", "1")]
    arrays = planned(tasks, ["Run.a", "Run.b", "Run.c"], 1, 100, {})
    assert ("Run.c", [1], set(), {0, 1}) == shape(arrays[-1])


def test_submitted_before() -> None:
    """What reads from tasks that are queued already waits for the arrays that they are in."""
    tasks = {key: makers for key, makers in with_blocks(4, 2).items() if key[0] == "Block.c"}
    queued = {("Run.b", f"{n}"): f"{10 + n // 3}" for n in range(4)}
    (array,) = planned(tasks, ORDER, 1, 100, queued)
    assert ({"10", "11"}, set(), set()) == (array.queued, array.beside, array.after)


@pytest.mark.parametrize("bundle", [1, 7, 100])
def test_ten_thousand(bundle: int) -> None:
    """Ten thousand tasks are at most fifteen arrays of Slurm's usual length."""
    tasks = with_blocks(4500, 5)
    assert 9900 == len(tasks)
    assert 15 >= len(planned(tasks, ORDER, bundle, 1001, {}))


@given(st.sets(st.integers(0, 60)), st.integers(0, 9), st.integers(1, 20))
def test_each_task_once(gone: set[int], bundle: int, most: int) -> None:
    """Each task is in one element, and after all that it reads from; no array is too long."""
    tasks = {k: v for n, (k, v) in enumerate(with_blocks(20, 3).items()) if n not in gone}
    arrays = planned(tasks, ORDER, bundle, most, {})
    found = [key for array in arrays for keys in array.elements.values() for key in keys]
    assert sorted(tasks) == sorted(found)
    for n, array in enumerate(arrays):
        assert most >= len(array.elements)
        assert set(range(most)) >= set(array.elements)
        waits = array.beside | array.after
        assert set(range(n)) >= waits
        for number, keys in array.elements.items():
            makers = [maker for key in keys for maker in tasks[key] if maker in tasks]
            for maker in makers:
                (at,) = [w for w in waits if any(maker in e for e in arrays[w].elements.values())]
                assert at in array.after or maker in arrays[at].elements[number]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([0], "0"), ([0, 1, 2], "0-2"), ([3, 0, 1, 7, 9, 8], "0-1,3,7-9"), ([], "")],
)
def test_index_text(numbers: list[int], text: str) -> None:
    """Numbers of elements are written as Slurm takes them."""
    assert text == index_text(numbers)
