"""What people say about records and results, as methods of a project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import UnknownField
from ..model.pipeline import StepSpec
from ..model.records import Record
from ..plan.tasks import Task
from ..space import exclusions
from .engine import Engine

if TYPE_CHECKING:
    from ..space.pruning import Pruned
    from .acceptance import Acceptance
    from .resetting import Reset

__all__ = ["Curated"]


class Curated:
    """A project whose records can be excluded and whose results can be accepted or reset."""

    engine: Engine

    def accept(
        self, record: Record | Iterable[Record], step: str | None = None, *, note: str
    ) -> list[Acceptance]:
        """Accept what is there: with its inputs as they are, it is complete.

        Parameters
        ----------
        record : Record or iterable of Record
            Whose results.
        step : str, optional
            The step, or one of its outputs; by default all steps.
        note : str
            Why they are right as they are.

        Returns
        -------
        list of Acceptance
            What was accepted, what each was before, and what could not be.

        Raises
        ------
        UnknownField
            If the record has no such step.
        """
        from .acceptance import accept

        return accept(self.engine, _tasks(self.engine, record, step), note)

    def reset(
        self,
        record: Record | Iterable[Record],
        step: str | None = None,
        *,
        dependents: bool = False,
    ) -> list[Reset]:
        """Remove what steps have made, so that the next run makes it again. It does not ask.

        Parameters
        ----------
        record : Record or iterable of Record
            Whose results.
        step : str, optional
            The step, or one of its outputs; by default all steps.
        dependents : bool
            Whether also what depends on them, of whatever record.

        Returns
        -------
        list of Reset
            What was removed, and what was left alone because a runner has it.

        Raises
        ------
        UnknownField
            If the record has no such step.
        """
        from .resetting import foresee_reset, reset

        found = foresee_reset(self.engine.planner(), _tasks(self.engine, record, step), dependents)
        return reset(self.engine, [one.task for one in found])

    def exclude(self, record: Record | Iterable[Record], *, reason: str) -> list[Record]:
        """Exclude records: their steps are not run, and they are members of no aggregate.

        Parameters
        ----------
        record : Record or iterable of Record
            The records.
        reason : str
            Why.

        Returns
        -------
        list of Record
            Those that were not excluded for this reason before.
        """
        return exclusions.exclude(self.engine.space, self.engine.journal, _listed(record), reason)

    def include(self, record: Record | Iterable[Record]) -> list[Record]:
        """Include records again that were excluded; return those that were."""
        return exclusions.include(self.engine.space, self.engine.journal, _listed(record))

    def prune(self) -> list[Pruned]:
        """Remove the folders of aggregates that have lost all their members. It does not ask.

        Returns
        -------
        list of Pruned
            Those that were removed, and those that were kept because a runner is at work there.
        """
        from ..space.pruning import prune

        return prune(self.engine.space, self.engine.journal)


def _listed(record: Record | Iterable[Record]) -> list[Record]:
    return [record] if isinstance(record, Record) else list(record)


def _tasks(engine: Engine, record: Record | Iterable[Record], step: str | None) -> list[Task]:
    """Return the tasks of records, or those of one step; members before their aggregates."""
    rank: dict[Any, int] = {cls: place for place, cls in enumerate(engine.space.classes)}
    listed = sorted(_listed(record), key=lambda one: rank[type(one)])
    return [Task(one, found) for one in listed for found in _steps(one, step)]


def _steps(record: Record, name: str | None) -> list[StepSpec]:
    stored = [step for step in type(record).__steps__.values() if step.stored]
    if name is None:
        return stored
    found = [s for s in stored if name in (s.name, *(made.name for made in s.outputs))]
    if not found:
        known = ", ".join(step.name for step in stored) or "none"
        raise UnknownField(f"{record.label} has no step {name!r}. Its steps: {known}.")
    return found
