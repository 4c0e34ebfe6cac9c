"""The node's side: a batch job carries out the tasks of its element, and nothing else.

It finds in the submission which they are, and looks at their jobs only: it starts as fast among a
hundred thousand records as among ten.
"""

from __future__ import annotations

from ..errors import ConfigurationError
from ..plan.tasks import Task
from ..run.engine import Engine
from ..space.confinement import confine
from ..space.elements import read_element
from ..space.submissions import SentArray

__all__ = ["tasks_of_element"]


def tasks_of_element(
    engine: Engine, submission: str, array: str, element: int
) -> tuple[SentArray, list[Task]]:
    """Confine an engine to an element's jobs; return its array, and its tasks.

    Jobs that are gone since have no tasks.

    Parameters
    ----------
    engine : Engine
        The parts of the project, of which nothing was asked yet.
    submission, array : str
        What was submitted.
    element : int
        The element's number.

    Raises
    ------
    ConfigurationError
        If there is no such element, or the step is no longer there.
    """
    space = engine.space
    told = read_element(space.layout, submission, array, element)
    found = told.array
    steps = {s.operation: s for cls in space.classes for s in cls.__steps__.values() if s.stored}
    step = steps.get(found.step)
    if step is None:
        raise ConfigurationError(
            f"{found.step} was submitted, and is no step any more. There are: {', '.join(steps)}."
        )
    confine(space, {step.record: found.elements[element]}, told.index, told.is_left_out)
    engine.journal.executor = "slurm"
    engine.journal.batch = f"{submission}.{array}.{element}"
    records = space.records(step.record)
    return found, [Task(records[id], step) for id in found.elements[element] if id in records]
