"""A worker on a Ray cluster, as its run sees it."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from typing import Any

from ..run.hands import Hand
from ..run.pooled import NOTHING, Wire, packed
from .demand import Demand
from .post import Post

__all__ = ["RayHand"]


class RayHand(Hand):
    """A worker that an actor holds.

    What it says comes in by a thread, which puts it into a pipe: so the run waits for it as it
    waits for workers of its own host, and Ctrl-C is not kept waiting by Ray.

    Parameters
    ----------
    work : bytes
        What the worker needs to know.
    space : DataSpace
        The records.
    demand : Demand
        What it holds of its node.
    width : int
        How many of the run's processes it counts for.

    Attributes
    ----------
    demand : Demand
        As above.
    is_up : bool
        Whether it has said that it works.
    node, host : str
        Where it has said that it is: Ray's name for the node, and the host's.
    asked : float
        When Ray was asked for it.
    """

    def __init__(self, work: bytes, space: Any, demand: Demand, width: int) -> None:
        import ray

        ours, theirs = multiprocessing.Pipe(duplex=False)
        super().__init__(Wire(ours, space))
        self.shape = self.demand = demand
        self.width = width
        self.is_up = False
        self.node = self.host = ""
        self.asked = time.monotonic()
        self._at = (NOTHING, 0.0)
        self._ray: Any = ray
        options: dict[str, Any] = {"concurrency_groups": _GROUPS, **demand.options}
        self._actor = self._ray.remote(**options)(Post).remote(work)
        self._tell = self._actor.told.options(concurrency_group="in")
        self._thread = threading.Thread(
            target=self._pass_on, args=(theirs,), name="pointillist ray", daemon=True
        )
        self._thread.start()

    def _pass_on(self, pipe: Any) -> None:
        hear = self._actor.heard.options(concurrency_group="out")
        try:
            while True:
                messages, end = self._ray.get(hear.remote())
                for message in messages:
                    pipe.send_bytes(message)
                if end is not None:
                    self.exitcode, *at = end
                    self._at = tuple(at)
                    break
        except Exception as error:  # the actor is gone, or was never made
            self.lost = self._reason(error)
        finally:
            pipe.close()

    def _reason(self, error: Exception) -> str:
        """Return why nothing more is heard; when this returns, the actor is known to be gone."""
        is_unreachable = isinstance(error, self._ray.exceptions.ActorUnavailableError)
        until = time.monotonic() + PATIENCE
        while isinstance(error, self._ray.exceptions.ActorUnavailableError):
            if time.monotonic() > until:
                break
            self._kill()  # what was on its way to it may be lost: it cannot go on
            time.sleep(0.05)
            try:
                self._ray.get(self._actor.heard.remote(), timeout=PATIENCE)
            except self._ray.exceptions.RayError as again:
                error = again
        living = {node["NodeID"] for node in self._ray.nodes() if node["Alive"]}
        if self.node and self.node not in living:
            return f"its node {self.host} is gone"
        if is_unreachable:
            return f"it can no longer be reached on {self.host}"
        return " ".join(str(error).split())

    def is_alive(self) -> bool:
        """Whether more may be heard of it."""
        return self._thread.is_alive()

    def doing(self) -> tuple[int, float]:
        """Return what the actor has said at its end."""
        return self._at

    def say(self, *message: Any) -> None:
        """Tell it something; what is not up yet is given up at once."""
        if message == ("over",) and not self.is_up:
            self._kill()
            return
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._tell.remote(bytes(packed(message)))

    def stop(self) -> None:
        """Let the actor send it SIGINT."""
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._actor.stop.options(concurrency_group="in").remote()

    def close(self) -> None:
        """End the actor, and with it what is left of the worker."""
        self._kill()
        self.wire.pipe.close()
        self._thread.join()

    def _kill(self) -> None:
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._actor)


PATIENCE = 30.0
"""Seconds in which Ray finds that an actor is gone which it cannot reach."""

_GROUPS = {"in": 1, "out": 1}
"""One thread for each direction, so that messages keep their order."""
