"""Carrying out the operations of one pass, one after the other or in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from flow.errors import UserOperationError
from flow.project import _JobOperation
from flow.util.misc import tqdm

from .executions import Execution

__all__ = ["Carrier"]

Failed = list[tuple[Execution, Exception]]


class Carrier:
    """Carries out operations; those that fail do not end it.

    Parameters
    ----------
    project : FlowProject
        The project.
    np : int or None
        In how many processes; negative for as many as there are processors.
    timeout : float or None
        Seconds that one operation may take.
    pretend : bool
        Whether commands are printed and nothing is done.
    progress : bool
        Whether a bar is shown.
    fail_fast : bool
        Whether the first failure is raised at once.
    """

    def __init__(
        self,
        project: Any,
        np: int | None,
        timeout: float | None,
        pretend: bool,
        progress: bool,
        fail_fast: bool,
    ) -> None:
        self._project = project
        self._timeout = timeout if timeout is None or timeout >= 0 else None
        self._pretend = pretend
        self._progress = progress
        self._fail_fast = fail_fast
        self._np = 1 if np is None or pretend else np if np >= 0 else os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Carrier:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def __call__(self, executions: list[Execution]) -> Failed:
        """Carry out operations and return those that failed, with their errors."""
        failed: Failed = []
        ends = self._in_turn(executions) if self._np == 1 else self._at_once(executions)
        for execution, error in self._shown(ends, len(executions)):
            if error is None:
                continue
            if self._fail_fast:
                raise error
            cause = error.__cause__ if isinstance(error, UserOperationError) else error
            print(f"failed: {execution}: {_said(cause or error)}", file=sys.stderr)
            failed.append((execution, error))
        return failed

    def _in_turn(self, executions: list[Execution]) -> Iterator[tuple[Execution, Exception | None]]:
        for execution in executions:
            try:
                self._project._execute_operation(execution, self._timeout, self._pretend)
            except Exception as error:
                yield execution, error
            else:
                yield execution, None

    def _at_once(self, executions: list[Execution]) -> Iterator[tuple[Execution, Exception | None]]:
        while executions:
            lost = []
            pool = self._begin()  # what is forked now knows the jobs and members of this pass
            for execution, future in [(one, self._begun(one, pool)) for one in executions]:
                error = future if isinstance(future, Exception) else future.exception()
                if isinstance(error, BrokenProcessPool):
                    lost.append(execution)
                    continue
                assert error is None or isinstance(error, Exception)
                yield execution, error
            # operations are begun in order: those that a dead worker had are among the first
            for execution in lost[: self._np]:
                yield (
                    execution,
                    UserOperationError(
                        f"A worker process died while operation {execution} was carried out, or "
                        "another one at the same time: killed, or out of memory. To find which, "
                        "carry them out one by one: run -o NAME -j ID."
                    ),
                )
            executions = lost[self._np :]

    def _begin(self) -> ProcessPoolExecutor:
        """Fork the workers."""
        self._close()
        self._pool = ProcessPoolExecutor(
            self._np,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_begin,
            initargs=(self._project, self._timeout),
        )
        return self._pool

    def _begun(self, execution: Execution, pool: ProcessPoolExecutor) -> Future[None] | Exception:
        """Hand an operation to the workers; its command is made here, as it may raise."""
        try:
            cmd = execution.cmd if execution.forks(self._timeout) else None
            return pool.submit(_work, execution.name, [job.id for job in execution._jobs], cmd)
        except Exception as error:
            return error

    def _shown(self, ends: Iterable[Any], count: int) -> Iterable[Any]:
        return tqdm(ends, total=count) if self._progress else ends

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _said(error: BaseException) -> str:
    """Return what went wrong, in a line."""
    remote = type(error).__name__ == "_RemoteTraceback"  # of an operation in another process
    text = str(error).strip()
    if remote:
        causes = text.strip('"').split("\n\nThe above exception was the direct cause")[0]
        return causes.rstrip().splitlines()[-1]
    return f"{type(error).__name__}: {text}".splitlines()[0]


# In a worker process, which was forked from the run and so has its project.

_project: Any = None
_timeout: float | None = None
_at_work = False
_given_up = False


def _begin(project: Any, timeout: float | None) -> None:
    global _project, _timeout
    _project, _timeout = project, timeout
    signal.signal(signal.SIGINT, _interrupted)


def _interrupted(number: int, frame: Any) -> None:
    """End the operation at hand, and begin no other; the run ends the worker."""
    global _given_up
    _given_up = True
    if _at_work:
        signal.default_int_handler(number, frame)


def _work(name: str, ids: list[str], cmd: str | None) -> None:
    """Carry out one operation; its command if it has a process of its own, else its function."""
    global _at_work
    jobs = tuple(_project.open_job(id=id) for id in ids)
    operation = _JobOperation(name, name, jobs, cmd or "", {"fork": cmd is not None}, set())
    _at_work = True
    try:
        if _given_up:  # it had been handed out already
            raise KeyboardInterrupt
        _project._execute_operation(operation, _timeout)
    except KeyboardInterrupt:
        raise UserOperationError(f"Operation {operation} was interrupted.") from None
    except SystemExit as error:
        raise UserOperationError(f"Operation {operation} exited with {error.code}.") from None
    finally:
        _at_work = False
