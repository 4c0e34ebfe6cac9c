"""The queue: what a scheduler has of this project's tasks, and what became of the rest.

It is asked once for everything, and only while something was submitted that is not known to have
ended. What it says is laid over what the planner has judged; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from ..errors import SchedulerError
from ..plan.planner import Planner
from ..plan.states import Reason, State, Verdict
from ..plan.tasks import Task
from ..space.dataspace import DataSpace
from ..space.elements import batch_of
from ..space.layout import Layout
from ..space.submissions import SentArray, Submission, open_submissions
from .arrays import Key
from .slurm import LOST, BatchJob, ended_jobs, jobs_of

__all__ = ["Batch", "Element", "Queue", "look"]

_GONE = "GONE"
"""The state of what neither the queue nor the accounts know any more."""

_UNKNOWN = "UNKNOWN"
"""The state of what nobody can be asked about now."""


@dataclass(slots=True)
class Batch(Reason):
    """That a batch job has a task, or had it when it ended; made by `Batch.of`.

    Parameters
    ----------
    job : BatchJob
        The batch job.
    """

    _: KW_ONLY
    job: BatchJob

    @classmethod
    def of(cls, job: BatchJob) -> Batch:
        """Return that `job` has the task."""
        return cls("scheduler", job.id, job=job)

    def __str__(self) -> str:
        job = self.job
        why = f" ({job.reason})" if job.reason else ""
        if job.state == _UNKNOWN:
            return f"in batch job {job.id}; the scheduler cannot be asked"
        if job.waits:
            how = "held" if "Held" in job.reason else "pending"
            return f"{how} in batch job {job.id}{why}"
        where = f" on {job.node}" if job.node else ""
        if job.is_left:
            return f"its turn is to come in batch job {job.id}, which is at work{where}"
        return f"batch job {job.id} ended{where}: {job.state}{why}"

    @property
    def kind(self) -> str:
        """What the scheduler says of the batch job, whichever it is."""
        return str(self).replace(f" {self.job.id}", "")

    @property
    def cause(self) -> dict[str, Any]:
        """The batch job: what the scheduler calls it and says of it."""
        job = self.job
        return {"batch": job.id, "state": job.state, "why": job.reason, "node": job.node}


@dataclass
class Element:
    """An element of an array that was submitted, with what the scheduler says of it now.

    Parameters
    ----------
    submission : Submission
        What it was submitted with.
    array : SentArray
        Its array.
    number : int
        Its number.
    job : BatchJob
        The batch job.
    """

    submission: Submission
    array: SentArray
    number: int
    job: BatchJob

    @property
    def keys(self) -> list[Key]:
        """Its tasks."""
        return [(self.array.step, job) for job in self.array.elements[self.number]]

    @property
    def is_lost(self) -> bool:
        """Whether the scheduler has ended it, or something went wrong there.

        Not one that waited for another which has failed: that says why.
        """
        if self.job.state not in LOST or self.job.reason.startswith("Dependency"):
            return False
        return self.number not in self.array.withdrawn


@dataclass
class Queue:
    """What a scheduler has of this project's tasks, and what has ended since it was last noted.

    Parameters
    ----------
    submissions : list of Submission
        Those of which something may be left.
    left : list of Element
        What has not ended.
    ended : list of Element
        What has, and is not noted.
    problem : str
        Why the scheduler cannot be asked; empty if it was, or there is nothing to ask.
    """

    submissions: list[Submission] = field(default_factory=list)
    left: list[Element] = field(default_factory=list)
    ended: list[Element] = field(default_factory=list)
    problem: str = ""

    def lay_over(self, planner: Planner) -> None:
        """Let a planner say which tasks are submitted, and which the scheduler has lost."""
        self._tell_dead(planner)
        for element, task in self._tasks(planner, self.left):
            verdict = planner.judge(task)
            settled = (State.COMPLETE, State.RUNNING, State.EXCLUDED)
            if verdict.state not in settled and not _attempted(planner, element, task):
                if verdict.note != "kept" or element.array.options.get("rerun"):
                    submitted = Verdict(State.SUBMITTED, (Batch.of(element.job),))
                    planner.take_over(task, submitted)
        for element, task in self.lost(planner):
            planner.take_over(task, Verdict(State.FAILED, (Batch.of(element.job),)))

    def queued(self, planner: Planner) -> dict[Key, str]:
        """Return which tasks are still to be carried out, with the arrays that they are in."""
        found = self._tasks(planner, self.left)
        return {t.key: e.job.array for e, t in found if not _attempted(planner, e, t)}

    def lost(self, planner: Planner) -> Iterator[tuple[Element, Task]]:
        """Yield the tasks that are undone because their batch jobs did not come to their ends."""
        self._tell_dead(planner)
        lost = [element for element in self.ended if element.is_lost]
        for element, task in self._tasks(planner, lost):
            if planner.judge(task).wanted and not _attempted(planner, element, task):
                yield element, task

    def _tell_dead(self, planner: Planner) -> None:
        """Let a planner know the runners of batch jobs that have ended, wherever they were."""
        ended = {f"{e.submission.batch_name(e.array.number)}.{e.number}" for e in self.ended}
        if ended:
            names = [path.stem for path in planner.space.layout.journals()]
            planner.silent |= {name for name in names if batch_of(name) in ended}

    def _tasks(self, planner: Planner, elements: list[Element]) -> list[tuple[Element, Task]]:
        """Return the tasks of elements, such that each comes after those it reads from."""
        of_step: dict[str, list[Element]] = {}
        for element in elements:
            of_step.setdefault(element.array.step, []).append(element)
        found = []
        for cls in planner.space.classes:
            for step in cls.__steps__.values():
                for element in of_step.get(step.operation, ()):
                    records = planner.space.records(cls)
                    jobs = element.array.elements[element.number]
                    found += [(element, Task(records[id], step)) for id in jobs if id in records]
        return found


def _attempted(planner: Planner, element: Element, task: Task) -> bool:
    """Whether a task was attempted since it was submitted, and the attempt came to its end.

    Attempts are counted: the clocks of hosts differ.
    """
    last = planner.attempts.last.get(task.key)
    before = element.array.counts.get(task.record.id, 0)
    count: int = planner.attempts.count.get(task.key, 0)
    return count > before and last is not None and last.outcome != "interrupted"


def look(space: DataSpace) -> Queue:
    """Ask the scheduler for all that was submitted and is not known to have ended.

    Raises
    ------
    SpaceError
        If what was submitted cannot be read.
    """
    layout: Layout = space.layout
    queue = Queue(open_submissions(layout))
    if not queue.submissions:
        return queue
    known: dict[tuple[str, int], BatchJob] = {}
    try:
        told = jobs_of(submission.user for submission in queue.submissions)
        known = {(job.name.rpartition("/")[2], job.element): job for job in told}
    except SchedulerError as error:
        queue.problem = str(error)
    unseen: list[Element] = []
    for submission in queue.submissions:
        for array in submission.arrays.values():
            name = submission.batch_name(array.number)
            for number in array.left:
                job = known.get((name, number))
                if job is None:
                    state = _UNKNOWN if queue.problem else _GONE
                    job = BatchJob(array.id, number, name, state)
                    unseen.append(Element(submission, array, number, job))
                else:
                    place = queue.left if job.is_left else queue.ended
                    place.append(Element(submission, array, number, job))
    if queue.problem:
        queue.left += [element for element in unseen if element.array.id]
        return queue
    asked = {element.array.id for element in unseen if element.array.id}
    accounts = {(job.array, job.element): job for job in ended_jobs(asked)} if asked else {}
    names = {name for name, _ in known}
    for element in unseen:
        job = accounts.get((element.array.id, element.number))
        element.job = _supposed(layout, element, names) if job is None else job
        (queue.left if element.job.is_left else queue.ended).append(element)
    return queue


def _supposed(layout: Layout, element: Element, names: set[str]) -> BatchJob:
    """Return how a batch job has ended of which the scheduler knows nothing any more.

    One that ended well has removed what it printed, any other that was at work has not. Of one
    that is cancelled while it waits no trace is left, while others of its array are known.
    """
    name = element.submission.batch_name(element.array.number)
    printed = layout.batch_output(element.submission.name, element.array.number, element.number)
    if printed.exists():
        return replace(element.job, state="FAILED", reason="no more is known")
    if name in names:
        return replace(element.job, state="CANCELLED")
    return element.job
