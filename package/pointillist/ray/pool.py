"""A pool whose workers are held by Ray actors, on one node or on many.

The run says who does what, as in a pool of forked workers. Each worker holds what its tasks ask
for (CPUs, GPUs, memory) as long as it lives; so it gets tasks that ask for the same, and makes way
when there are only others. One whose node is lost has failed nothing: what it was at is recorded as
interrupted, and done elsewhere.
"""

from __future__ import annotations

import contextlib
import pickle
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, PointillistError
from ..plan.states import Verdict
from ..plan.tasks import Task
from ..run import interruption
from ..run.hands import Hand
from ..run.passing import Key, Passing
from ..run.pool import Pool
from ..run.runner import Summary
from .cluster import Cluster
from .demand import Demand, demand_of
from .hand import RayHand
from .worker import Work, where_of

__all__ = ["RayPool"]

LATE = 5.0
"""Seconds after which workers that have nothing to do make way for one that Ray has no room for."""


@dataclass
class RayPool(Pool):
    """Carries tasks out on a Ray cluster.

    Parameters
    ----------
    cls : type
        The project's class.
    address : str or None
        Of a cluster: ``"auto"`` or ``"host:port"``; None starts a local one for the run.
    most : int
        How many CPUs of the cluster to use at most; 0 for all.
    """

    cls: type = field(kw_only=True)
    address: str | None = field(default=None, kw_only=True)
    most: int = field(default=0, kw_only=True)
    cluster: Cluster | None = field(default=None, init=False)

    def _run(self, ordered: list[Task], summary: Summary) -> None:
        try:
            super()._run(ordered, summary)
        finally:
            if self.cluster is not None:
                self.cluster.leave()

    def _passing(
        self, waits: dict[Task, set[Key]], verdicts: dict[Task, Verdict], summary: Summary
    ) -> Passing:
        where = where_of(self.cls)
        if self.cluster is None:
            self.cluster = Cluster(self.address, self.most)
            if self.cluster.url:
                self.listener.noted(f"Ray's dashboard: {self.cluster.url}")
        interruption.check()
        for task in waits:
            demand = demand_of(task.step.call.options)
            if not self.cluster.count(demand):
                raise ConfigurationError(f"{task}: {self.cluster.refused(demand)}")
        self.processes = max(1, min(self.most or self.cluster.cpus, self.cluster.cpus))
        return _RayPassing(self, self.cluster, self._work(where), waits, verdicts, summary)

    def _work(self, where: dict[str, str]) -> bytes:
        worker, journal = self.worker, self.worker.journal.open()
        with Path(journal).open("rb") as file:
            opening = file.readline()
        work = Work(
            **where,
            root=str(worker.space.layout.root),
            folder=_here(),
            journal=journal,
            opening=opening,
            rerun=worker.planner.rerun,
            retry_failed=worker.planner.retry_failed,
            fail_fast=self.fail_fast,
            again=self.again,
            cold_matlab=worker.cold_matlab,
            matlab=worker.matlab,
            timeout=worker.timeout,
        )
        return pickle.dumps(work)


class _RayPassing(Passing):
    """One going through of tasks by a pool on a Ray cluster."""

    shape = staticmethod(demand_of)

    def __init__(self, pool: RayPool, cluster: Cluster, work: bytes, *what: Any) -> None:
        super().__init__(pool, *what)
        self._cluster, self._work = cluster, work
        self._told = False

    def _begin_passing(self) -> None:
        # Ray's own processes do not hear Ctrl-C; a second one kills them with all their workers
        interruption.pass_on_to(lambda: self._cluster.processes)

    def _is_busy(self) -> bool:
        if any(hand.tasks for hand in self._living()):
            return True
        most = self._left_of_limit()
        return not self._is_over and (most is None or most > 0) and bool(self._agenda.wanted())

    # handing out

    def _fill(self) -> None:
        for number, hand in enumerate(self._hands):
            if isinstance(hand, RayHand) and hand.is_up:
                while self._give(number):
                    pass
        self._ask_back()
        most = self._left_of_limit()
        if self._is_over or (most is not None and most <= 0):
            return
        wanted: dict[Demand, tuple[Task, int]] = {}
        for task, count in self._agenda.wanted():
            demand = demand_of(task.step.call.options)
            first, before = wanted.get(demand, (task, 0))
            wanted[demand] = (first, before + count)
        for demand in sorted(wanted, key=lambda demand: demand.cpus):
            self._hire(demand, *wanted[demand])
        self._look_round(wanted)

    def _free(self) -> int:
        return self._pool.processes  # it holds what its tasks take

    def _hire(self, demand: Demand, first: Task, count: int) -> None:
        """Ask Ray for workers that can carry some tasks out, as many as are of use."""
        like = [hand for hand in self._ray_hands() if hand.shape == demand]
        coming = sum(not (hand.is_up or self._is_late(hand)) for hand in like)
        more = min(count - coming, self._cluster.count(demand) - len(like))
        width = self._agenda.width_of(first)
        for _ in range(more):
            free = self._pool.processes - sum(hand.width for hand in self._living())
            if width > free or None not in self._hands:
                self._make_way(demand)
                return
            number = self._hands.index(None)
            self._hands[number] = self._begin(number, first)

    def _begin(self, number: int, first: Task) -> Hand:
        demand, width = demand_of(first.step.call.options), self._agenda.width_of(first)
        return RayHand(self._work, self._worker.space, demand, width)

    def _make_way(self, demand: Demand) -> None:
        """End a worker that has nothing to do, for one with another demand."""
        for hand in self._ray_hands():
            if hand.is_up and not hand.tasks and hand.shape != demand:
                if not any(other.is_ending for other in self._living()):
                    hand.is_ending = True
                    hand.say("over")
                return

    def _look_round(self, wanted: dict[Demand, tuple[Task, int]]) -> None:
        """Look after workers that Ray has no room for."""
        hands = self._ray_hands()
        late = [hand for hand in hands if self._is_late(hand)]
        for hand in late:
            self._make_way(hand.demand)
        if late and not self._told and not any(hand.is_up for hand in hands):
            self._told = True
            self._pool.listener.noted(
                f"waiting for the Ray cluster: it has no room yet for a worker with "
                f"{late[0].demand}. Others use it, or the worker takes long to start …"
            )
        if wanted and not any(hand.tasks for hand in hands):
            for demand, (task, _) in wanted.items():
                if not self._cluster.count(demand):
                    raise PointillistError(f"{task}: {self._cluster.refused(demand)}")

    def _is_late(self, hand: RayHand) -> bool:
        return not hand.is_up and time.monotonic() - hand.asked > LATE

    def _ray_hands(self) -> list[RayHand]:
        return [hand for hand in self._hands if isinstance(hand, RayHand)]

    # hearing

    def _up(self, hand: RayHand, node: str, host: str) -> None:
        hand.is_up, hand.node, hand.host = True, node, host

    def _unfit(self, hand: RayHand, why: str) -> None:
        hand.is_ending = True
        if not self._is_over:
            raise ConfigurationError(f"a Ray worker cannot work {why}")

    # the end

    def _buried(self, hand: Hand) -> None:
        if hand.lost:
            self._cluster.look_again()
        super()._buried(hand)

    def _stop(self) -> None:
        for hand in self._living():
            hand.stop()


def _here() -> str:
    """Return the current folder; nothing if it is gone."""
    with contextlib.suppress(OSError):
        return str(Path.cwd())
    return ""
