"""Arrays: how the tasks of a pipeline are laid out for a scheduler. Plain data, no IO.

Each step becomes one array, or several where the scheduler's arrays are not long enough; an
element carries out a bundle of tasks. What an array reads from others says what it waits for:
element by element where each of its elements has one task, made from those of the elements of the
same number; else until the whole of the other array has ended, however it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Array", "Key", "index_text", "planned"]

Key = tuple[str, str]
"""A task: operation and job."""


@dataclass
class Array:
    """Tasks of one step, in elements.

    Parameters
    ----------
    step : str
        The operation.
    elements : dict of int to list of (str, str)
        The tasks of each element, by its number.
    beside : set of int
        The places, among the planned arrays, of those that it waits for element by element.
    after : set of int
        The places of those that it waits for as a whole.
    queued : set of str
        The arrays, as the scheduler calls them, that it waits for and that were submitted before.
    """

    step: str
    elements: dict[int, list[Key]]
    beside: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    queued: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many tasks there are."""
        return sum(map(len, self.elements.values()))


def planned(
    tasks: Mapping[Key, Sequence[Key]],
    order: Iterable[str],
    bundle: int,
    most: int,
    queued: Mapping[Key, str],
) -> list[Array]:
    """Lay tasks out in arrays, such that each comes after those that it waits for.

    Parameters
    ----------
    tasks : Mapping of (str, str) to sequence of (str, str)
        The tasks, in order, with those whose results each reads.
    order : iterable of str
        The operations, such that each comes after those that it reads from.
    bundle : int
        How many tasks there are in an element; 0 for all.
    most : int
        How many elements there are in an array at most; their numbers are below it.
    queued : Mapping of (str, str) to str
        The tasks that the scheduler has already, with the array that each is in.
    """
    found: list[Array] = []
    places: dict[Key, tuple[int, int]] = {}
    of_step: dict[str, list[Key]] = {step: [] for step in order}
    for key in tasks:
        of_step[key[0]].append(key)
    for step, keys in of_step.items():
        for group in _groups(keys, tasks, places):
            for array in _arrays(step, group, tasks, places, bundle, most):
                for element, bundled in array.elements.items():
                    places |= dict.fromkeys(bundled, (len(found), element))
                makers = [m for b in array.elements.values() for key in b for m in tasks[key]]
                array.after = {places[m][0] for m in makers if m in places} - array.beside
                array.queued = {queued[m] for m in makers if m in queued and m not in places}
                found.append(array)
    return found


def _groups(
    keys: list[Key], tasks: Mapping[Key, Sequence[Key]], places: Mapping[Key, tuple[int, int]]
) -> list[list[Key]]:
    """Return tasks of a step in groups, so that none waits for an array it does not read from.

    Those that read from other records stay together: each might wait for arrays of its own.
    """
    found: dict[frozenset[int] | None, list[Key]] = {}
    for key in keys:
        near = all(maker[1] == key[1] for maker in tasks[key])
        waits = frozenset(places[maker][0] for maker in tasks[key] if maker in places)
        found.setdefault(waits if near or not waits else None, []).append(key)
    return list(found.values())


def _arrays(
    step: str,
    keys: list[Key],
    tasks: Mapping[Key, Sequence[Key]],
    places: Mapping[Key, tuple[int, int]],
    bundle: int,
    most: int,
) -> list[Array]:
    beside = _beside(keys, tasks, places) if bundle == 1 else None
    if beside is not None:
        numbers, arrays = beside
        elements = {number: [key] for number, key in sorted(zip(numbers, keys, strict=True))}
        return [Array(step, elements, beside=arrays)]
    size = bundle or max(len(keys), 1)
    bundles = [keys[n : n + size] for n in range(0, len(keys), size)]
    parts = [bundles[n : n + most] for n in range(0, len(bundles), most)]
    return [Array(step, dict(enumerate(part))) for part in parts]


def _beside(
    keys: list[Key], tasks: Mapping[Key, Sequence[Key]], places: Mapping[Key, tuple[int, int]]
) -> tuple[list[int], set[int]] | None:
    """Return the numbers that tasks get so that each waits for those of its own number only.

    None if there are no such numbers: two of its makers have different ones, or two tasks the
    same; or if a maker is one of several in its element.
    """
    numbers, arrays = [], set[int]()
    for key in keys:
        at = [places[maker] for maker in tasks[key] if maker in places]
        if len({number for _, number in at}) != 1:
            return None
        arrays |= {array for array, _ in at}
        numbers.append(at[0][1])
    return (numbers, arrays) if len(set(numbers)) == len(numbers) else None


def index_text(numbers: Iterable[int]) -> str:
    """Return numbers of elements as a scheduler takes them: ``0-3,7``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}-{b}" if a < b else f"{a}" for a, b in runs)
