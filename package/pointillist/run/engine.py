"""What one process needs to judge and do the tasks of a project, made once and shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..plan.planner import Planner
from ..plan.source import SourceReader
from ..plan.tasks import Task
from ..space.dataspace import DataSpace
from ..space.journals import Journal
from ..space.memory import Attempts
from ..space.rulesets import RULES
from ..space.snapshot import Snapshot
from .environment import Environment

if TYPE_CHECKING:
    from .attempt import Worker

__all__ = ["Engine"]


@dataclass
class Engine:
    """The parts that judge and do the tasks of one data space.

    Parameters
    ----------
    space : DataSpace
        The records.
    matlab : str or None
        The program for MATLAB steps that was asked for.
    """

    space: DataSpace
    matlab: str | None = None
    journal: Journal = field(init=False)
    attempts: Attempts = field(init=False)
    environment: Environment = field(init=False)
    sources: SourceReader = field(init=False)

    def __post_init__(self) -> None:
        layout = self.space.layout
        self.attempts = self.space.attempts
        self.journal = Journal(layout, "serial")
        self.environment = Environment(layout)
        self.sources = SourceReader(layout.root, layout.matlab)
        steps = [step for cls in self.space.classes for step in cls.__steps__.values()]
        # now, as near as can be to their import: what is edited later is not what runs here
        self.sources.digest(step.call for step in steps if step.call.kind != "matlab")

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.space.layout.root

    def planner(self, rerun: frozenset[str] = frozenset(), retry_failed: bool = False) -> Planner:
        """Return a planner that looks at the disk, and at the journals, as they are now.

        Raises
        ------
        ConfigurationError
            If there is no rule of a name in `rerun`, or the project's settings cannot be.
        """
        unknown = rerun - RULES.keys()
        if unknown:
            raise ConfigurationError(
                f"rerun: {', '.join(sorted(unknown))} is no rule. The rules are {', '.join(RULES)}."
            )
        self.space.refresh()
        self.sources.refresh()
        return Planner(
            self.space,
            self.attempts.refresh(self.space.layout, self.journal),
            Snapshot(),
            self.sources,
            rerun,
            retry_failed,
        )

    def worker(self, planner: Planner) -> Worker:
        """Return what carries out the tasks that `planner` wants done."""
        from .attempt import Worker  # nobody else needs it

        return Worker(self.space, planner, self.journal, self.environment, self.matlab)


def closure(planner: Planner, tasks: list[Task]) -> list[Task]:
    """Return tasks with all that they need, such that each comes after those it reads from."""
    ordered: dict[Task, Any] = {}

    def visit(task: Task) -> None:
        if task in ordered:
            return
        for maker in planner.needs(task).upstream:
            visit(maker)
        ordered[task] = None

    for task in tasks:
        visit(task)
    return list(ordered)
