"""Running operations in passes: what is eligible is carried out, then all is looked at again.

A failing operation does not end the run. It is not tried again in it, and what needs it waits.
"""

from __future__ import annotations

import logging
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from flow.aggregates import get_aggregate_id
from flow.errors import UserConditionError
from flow.project import IgnoreConditions
from flow.util.misc import _roundrobin

from .executions import Execution, Recipe
from .selection import chosen

if TYPE_CHECKING:
    from .recorded import Book

__all__ = ["Order", "Passes"]

_LOGGER = logging.getLogger("flow.project")  # signac-flow's words go where they always went

Order = str | Callable[[Any], Any] | None


@dataclass
class Passes:
    """One run of a project's operations.

    Parameters
    ----------
    project : FlowProject
        The project.
    aggregates : collection of tuple of signac Job
        What may be worked on.
    names : iterable of str or None
        The operations or groups, as regular expressions; None for all operations.
    num : int or None
        How many operations are carried out at most.
    num_passes : int or None
        How often one operation is carried out on the same jobs at most.
    order : {"none", "by-job", "cyclic", "random"} or callable or None
        In which order those of one pass are carried out; a callable gives the key to sort by.
    ignore : IgnoreConditions
        The conditions that do not count.
    carry : callable
        Carries out the operations of a pass; gives those that failed, with their errors.
    pretend : bool
        Whether nothing is written.
    book : Book or None
        Claims and records the operations, if that is done.
    """

    project: Any
    aggregates: Any
    names: Iterable[str] | None
    num: int | None
    num_passes: int | None
    order: Order
    ignore: IgnoreConditions
    carry: Callable[[list[Execution]], list[tuple[Execution, Exception]]]
    pretend: bool
    book: Book | None = None
    failed: list[tuple[Execution, Exception]] = field(default_factory=list)
    unjudged: list[tuple[Execution, Exception]] = field(default_factory=list)
    _times: Counter[tuple[str, str]] = field(default_factory=Counter)
    _count: int = 0
    _full: bool = False

    def run(self) -> None:
        """Carry out passes until nothing is eligible, or there were enough of them."""
        self._run()
        for execution, error in self.unjudged:
            print(f"waiting: {execution}: {error}", file=sys.stderr)

    def _run(self) -> None:
        names = list(self.project.operations if self.names is None else self.names)
        for number in count(1):
            if self._full:
                _LOGGER.warning(
                    "Reached the maximum number of operations that can be executed, but "
                    "there are still eligible operations."
                )
                return
            if not self.pretend:
                self.project.follow()
            if self.book is not None:
                self.book.begin()
            self.unjudged.clear()
            self.project._reregister_aggregates()
            with self.project._buffered():
                groups = set(self.project._gather_executable_flow_groups(names, number))
                found = list(self._select(groups))
            if not found:
                if self.book is not None and self.book.others_fell_silent():
                    continue
                return
            _LOGGER.info("Executing %i operation(s) (Pass #%02d)...", len(found), number)
            self.failed += self.carry(_ordered(found, self.order))
            if self.book is not None and not self._goes_on(self.book, len(found)):
                return

    def _goes_on(self, book: Book, count: int) -> bool:
        """Take back what was not carried out; return whether another pass may find more to do."""
        self._count -= len(book.undone)
        self._times.subtract(book.undone.keys())
        self._full = self._full and not book.undone
        return len(book.undone) < count or book.has_more

    def _select(self, groups: set[Any]) -> Iterator[Execution]:
        """Yield what is eligible and may be carried out in this pass."""
        told: set[str] = set()
        given_up = {execution.key for execution, _ in self.failed}
        silent = not _LOGGER.isEnabledFor(logging.INFO)
        for recipe, jobs in self._offered(groups):
            key = recipe.name, get_aggregate_id(jobs)
            again = self.num_passes is not None and self._times[key] >= self.num_passes
            if key in given_up or (again and silent and recipe.operation._postconditions):
                continue
            if self.book is not None and key in self.book.elsewhere:
                continue
            if not self._is_wanted(recipe, jobs):
                continue
            if self.num is not None and self._count >= self.num:
                self._full = True
                return
            execution = recipe.execution(jobs)
            if again:
                self._tell_again(execution, told)
                continue
            self._times[key] += 1
            self._count += 1
            yield execution

    def _is_wanted(self, recipe: Recipe, jobs: tuple[Any, ...]) -> bool:
        """Whether an operation is eligible, or is tried again although its conditions hold.

        Where operations are recorded, one whose conditions cannot be judged keeps no other waiting.
        """
        if self.book is None:
            return recipe.eligible(jobs, self.ignore)
        if self.book.leaves_out(jobs):
            return False
        try:
            wanted = recipe.eligible(jobs, self.ignore)
            return wanted or self.book.wants_again(recipe.name, jobs)
        except UserConditionError as error:
            self.unjudged.append((recipe.execution(jobs), error))
            return False

    def _offered(self, groups: set[Any]) -> Iterator[tuple[Recipe, tuple[Any, ...]]]:
        """Yield each operation of some groups with all jobs that it may be carried out on."""
        defaults = self.project._get_default_directives()
        for store, all_groups in self.project._group_to_aggregate_store.inverse.items():
            recipes = [
                Recipe(self.project, group, name, defaults)
                for group in all_groups
                if group in groups
                for name in group.operations
            ]
            if recipes:
                for _, jobs in chosen(store, self.aggregates):
                    for recipe in recipes:
                        yield recipe, jobs

    def _tell_again(self, execution: Execution, told: set[str]) -> None:
        _LOGGER.info(
            "Operation '%s' exceeds max. # of allowed passes (%s).", execution, self.num_passes
        )
        if not execution.recipe.operation._postconditions and execution.name not in told:
            told.add(execution.name)
            _LOGGER.warning("Operation '%s' has no postconditions!", execution.name)


def _ordered(found: list[Execution], order: Order) -> list[Execution]:
    """Return the operations of a pass in the order that was asked for."""
    if callable(order):
        return sorted(found, key=order)
    if order in (None, "none", "by-job"):
        return found
    if order == "cyclic":
        by_jobs: dict[str, list[Execution]] = {}
        for execution in found:
            by_jobs.setdefault(execution.key[1], []).append(execution)
        return list(_roundrobin(*(by_jobs[id] for id in sorted(by_jobs))))
    if order == "random":
        random.shuffle(found)
        return found
    raise ValueError(
        "Invalid value for the 'order' argument, valid arguments are "
        "'none', 'by-job', 'cyclic', 'random', None, or a callable."
    )
