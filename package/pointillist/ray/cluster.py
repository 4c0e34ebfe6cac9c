"""The cluster of a run: joined, or a local one that is started and stopped with the run."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from ..errors import ConfigurationError
from .demand import Demand, Node

__all__ = ["Cluster"]

STORE = 100 * 2**20
"""Bytes of the object store of a local Ray; only messages pass through it."""

ANSWER = 5.0
"""Seconds in which the head of a cluster must answer."""

FRESH = 1.0
"""Seconds for which is believed what nodes there are."""


class Cluster:
    """A connection to a Ray cluster; it ends with `leave`.

    Parameters
    ----------
    address : str or None
        ``"auto"`` or ``"host:port"``; None starts a local Ray.
    processes : int
        How many CPUs a local Ray has at least.

    Attributes
    ----------
    url : str
        The link of its dashboard; empty if it has none.

    Raises
    ------
    ConfigurationError
        If there is no cluster, or Ray does not start.
    """

    def __init__(self, address: str | None, processes: int) -> None:
        try:
            import ray
        except ImportError:
            raise ConfigurationError(
                "the executor is ray, and Ray is not installed: pip install ray."
            ) from None
        self._ray: Any = ray
        self._nodes: list[Node] = []
        self._seen = float("-inf")
        self.is_local = self._is_ours = False
        self.url = ""
        if ray.is_initialized() and address is None:
            return  # the program has joined one by itself
        if address is None:
            more: dict[str, Any] = {
                "address": "local",
                "num_cpus": max(processes, os.cpu_count() or 1),
                "include_dashboard": False,
                "object_store_memory": STORE,
            }
        else:
            more = {"address": _found(address)}
        try:
            with _own_signals(), _quiet():
                context = ray.init(logging_level=logging.ERROR, log_to_driver=False, **more)
        except Exception as error:  # whatever Ray finds
            raise ConfigurationError(
                f"there is no way into the Ray cluster {more['address']}: "
                f"{type(error).__name__}: {error}"
            ) from error
        self._is_ours, self.is_local = True, address is None
        link = getattr(context, "dashboard_url", "")
        self.url = f"http://{link}" if link else ""

    @property
    def nodes(self) -> list[Node]:
        """The nodes that live."""
        if time.monotonic() - self._seen > FRESH:
            self._seen = time.monotonic()
            self._nodes = [
                Node(node["NodeManagerAddress"], node["Resources"])
                for node in self._ray.nodes()
                if node["Alive"]
            ]
        return self._nodes

    def look_again(self) -> None:
        """Ask for the nodes anew: one is gone."""
        self._seen = float("-inf")

    @property
    def cpus(self) -> int:
        """How many CPUs the nodes have together."""
        return int(sum(node.resources.get("CPU", 0.0) for node in self.nodes))

    def count(self, demand: Demand) -> int:
        """Return how many workers with such a demand there can be at once, and no others."""
        return sum(node.count(demand) for node in self.nodes)

    def refused(self, demand: Demand) -> str:
        """Say that no node is enough for a demand, and what nodes there are."""
        there = "\n  ".join(dict.fromkeys(map(str, self.nodes))) or "none"
        return f"it takes {demand}, and no node of the Ray cluster has that. The nodes:\n  {there}"

    @property
    def processes(self) -> list[Any]:
        """The processes that a local Ray began with; all others descend from them."""
        if not self.is_local:
            return []
        node = self._ray._private.worker._global_node
        started = node.all_processes.values() if node is not None else ()
        return [info.process for infos in started for info in infos]

    def leave(self) -> None:
        """End the connection, and with it the local Ray; one that the program has stays."""
        if self._is_ours:
            self._is_ours = False
            with _own_signals():
                self._ray.shutdown()


def _found(address: str) -> str:
    """Return where a cluster's head answers, as ``host:port``.

    Ray itself tries for minutes, and hears no Ctrl-C meanwhile.

    Raises
    ------
    ConfigurationError
        If none answers.
    """
    try:
        found = address
        if address == "auto":
            from ray._private.services import canonicalize_bootstrap_address

            found = canonicalize_bootstrap_address(address) or ""
        host, _, port = found.rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()
    except (OSError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"no Ray cluster answers at {address}: {error}. Start one (`ray start --head`), give "
            "the HOST:PORT that it names, or leave the address out: a local Ray is then started "
            "for the run."
        ) from None
    return found


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep who takes signals: Ray takes SIGTERM for itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what Ray says when it starts, before it looks at how much it is to say."""
    logger = logging.getLogger("ray")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
