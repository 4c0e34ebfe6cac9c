"""A worker's process: it imports the project, sees that the data space is the run's, and serves.

It is what a forked worker of a pool is, but that it knows only what lies on disk.
"""

from __future__ import annotations

import importlib
import importlib.util
import mmap
import os
import pickle
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError, PointillistError
from ..run.pooled import Place, Pooled, Wire, packed

__all__ = ["Work", "main", "where_of"]


@dataclass(frozen=True)
class Work:
    """What a worker needs to know of a run.

    Parameters
    ----------
    file : str
        Where the project's class is written down.
    module : str
        The name that it is imported by, if it lies in a package; else empty.
    cls : str
        The class.
    root : str
        The project's folder.
    folder : str
        The run's current folder.
    journal : str
        Where the run's journal lies.
    opening : bytes
        The first line of it.
    rerun : frozenset of str
        As in `Engine.planner`.
    retry_failed, fail_fast, again, cold_matlab : bool
        As in `Engine.planner`, `Runner` and `Worker`.
    matlab : str or None
        As in `Worker`.
    timeout : float or None
        As in `Worker`.
    """

    file: str
    module: str
    cls: str
    root: str
    folder: str
    journal: str
    opening: bytes
    rerun: frozenset[str]
    retry_failed: bool
    fail_fast: bool
    again: bool
    cold_matlab: bool
    matlab: str | None
    timeout: float | None


def where_of(cls: type) -> dict[str, str]:
    """Return how a worker finds a project's class: its ``file``, ``module`` and ``cls``.

    Raises
    ------
    ConfigurationError
        If it is not written down in a file.
    """
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None or "<locals>" in cls.__qualname__:
        raise ConfigurationError(
            f"{cls.__name__} is not defined in a file, at the level of a module, where the workers "
            "of a Ray cluster could import it from. Write it into project.py, and import it."
        )
    spec = module.__spec__
    name = spec.name if spec is not None and spec.parent else ""
    return {"file": str(Path(file).absolute()), "module": name, "cls": cls.__qualname__}


def main(pipe: int, memory: int, node: str) -> None:
    """Work for a run.

    Parameters
    ----------
    pipe : int
        The file descriptor of this end of the pipe to the actor.
    memory : int
        That of the memory in which it is noted which task this process is at.
    node : str
        What Ray calls the node.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # Ray blocks Ctrl-C
    connection = Connection(pipe)
    place = Place(mmap.mmap(memory, Place.FORM.size), 0)
    work: Work = pickle.loads(connection.recv_bytes())
    try:
        runner = _prepared(work, connection, place)
    except Exception as error:
        if not isinstance(error, PointillistError):
            traceback.print_exc()  # which Ray shows and keeps
        text = f"{type(error).__name__}: {error}"
        said = str(error) if isinstance(error, PointillistError) else text
        connection.send_bytes(packed([("unfit", f"on {socket.gethostname()}: {said}")]))
        return
    runner.wire.send([("up", node, socket.gethostname())])
    runner.serve()


def _prepared(work: Work, connection: Connection, place: Place) -> Pooled:
    _see(work)
    os.chdir(work.folder if Path(work.folder).is_dir() else work.root)
    lab = _project(work)
    lab.engine.matlab = work.matlab
    planner = lab.engine.planner(work.rerun, work.retry_failed)
    worker = lab.engine.worker(planner)
    worker.cold_matlab, worker.timeout = work.cold_matlab, work.timeout
    return Pooled(
        worker,
        around=lab.hooks_around,
        fail_fast=work.fail_fast,
        again=work.again,
        wire=Wire(connection, lab.engine.space),
        place=place,
        executor="ray",
    )


def _see(work: Work) -> None:
    """See whether the run's data space is here.

    Raises
    ------
    ConfigurationError
        If it is not.
    """
    what = ""
    try:
        with Path(work.journal).open("rb") as file:
            if file.readline() != work.opening:
                what = f"{work.root} is another folder here"
    except FileNotFoundError:
        is_there = Path(work.root).is_dir()
        what = f"{work.root} is {'another folder here' if is_there else 'not there'}"
    except OSError as error:
        what = f"{work.journal} cannot be read: {error.strerror or error}"
    if what:
        raise ConfigurationError(
            f"{what}. Each node must see the project's folder, under the same path: put it on a "
            "file system that all of them have."
        )


def _project(work: Work) -> Any:
    """Import the project, and open it."""
    if work.module:
        module = importlib.import_module(work.module)
    else:
        path = Path(work.file)
        sys.path.insert(0, str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None and spec.loader is not None, "it was imported from there"
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
    cls = attrgetter(work.cls)(module)
    beside = Path(work.root) == Path(work.file).parent
    return cls() if beside else cls(path=work.root)
