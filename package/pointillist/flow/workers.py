"""Carrying out the operations of one pass, one after the other or in several processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing, nullcontext
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from flow.errors import UserOperationError
from flow.project import _JobOperation
from flow.util.misc import tqdm

from ..run.interruption import check, in_worker, pass_on_to, uninterrupted
from .executions import Execution

if TYPE_CHECKING:
    from .recorded import Book

__all__ = ["Carrier"]

Failed = list[tuple[Execution, Exception]]
Ends = Generator[tuple[Execution, Exception | None], None, None]


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
    book : Book or None
        Claims and records the operations, if that is done.
    """

    def __init__(
        self,
        project: Any,
        np: int | None,
        timeout: float | None,
        pretend: bool,
        progress: bool,
        fail_fast: bool,
        book: Book | None = None,
    ) -> None:
        self._project = project
        self._book = book
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
        with closing(ends):
            for execution, error in self._shown(ends, len(executions)):
                if error is None:
                    continue
                if self._fail_fast:
                    raise error
                cause = error.__cause__ if isinstance(error, UserOperationError) else error
                print(f"failed: {execution}: {_said(cause or error)}", file=sys.stderr)
                failed.append((execution, error))
        return failed

    def _in_turn(self, executions: list[Execution]) -> Ends:
        with self._beating():
            for execution in executions:
                try:
                    self._carry(execution)
                except Exception as error:
                    yield execution, error
                else:
                    yield execution, None

    def _carry(self, execution: Execution) -> None:
        if self._book is None:
            self._project._execute_operation(execution, self._timeout, self._pretend)
        else:
            self._book.carry(execution, self._timeout)

    def _beating(self) -> AbstractContextManager[None]:
        return nullcontext() if self._book is None else self._book.beating()

    def _at_once(self, executions: list[Execution]) -> Ends:
        while executions:
            lost = []
            pool = self._begin()  # what is forked now knows the jobs and members of this pass
            begun: deque[tuple[Execution, Future[Any] | Exception]] = deque()
            try:
                with uninterrupted():
                    begun.extend((one, self._begun(one, pool)) for one in executions)
                with self._beating():
                    while begun:
                        execution, future = begun[0]
                        error = future if isinstance(future, Exception) else future.exception()
                        assert error is None or isinstance(error, Exception)
                        if isinstance(error, BrokenProcessPool):
                            lost.append(execution)
                            begun.popleft()
                            continue
                        with uninterrupted():
                            self._hear(execution, future)
                            begun.popleft()
                        yield execution, error
            finally:
                self._hear_rest(begun)
            died = self._died(lost)
            for execution in died:
                yield (
                    execution,
                    UserOperationError(
                        f"A worker process died while operation {execution} was carried out, or "
                        "another one at the same time: killed, or out of memory. To find which, "
                        "carry them out one by one: run -o NAME -j ID."
                    ),
                )
            executions = [one for one in lost if one not in died]

    def _died(self, lost: list[Execution]) -> list[Execution]:
        """Return those of the lost operations that a worker may have had when it died."""
        if lost and self._book is not None:
            self._close()  # now all workers have ended
            claimed = [one for one in lost if self._book.lost(one)]
            if claimed:
                return claimed
        # operations are begun in order: those that a dead worker had are among the first
        return lost[: self._np]

    def _hear(self, execution: Execution, future: Future[Any] | Exception) -> None:
        if self._book is not None and isinstance(future, Future):
            error = future.exception()
            self._book.hear(execution, None if error else future.result(), error)

    def _hear_rest(self, begun: Iterable[tuple[Execution, Future[Any] | Exception]]) -> None:
        """Record what was at work when a run was ended before its end."""
        if self._book is None or not begun:
            return
        self._close()
        for execution, future in begun:
            if isinstance(future, Future) and not future.cancelled():
                if isinstance(future.exception(), BrokenProcessPool):
                    self._book.lost(execution)
                else:
                    self._hear(execution, future)

    def _begin(self) -> ProcessPoolExecutor:
        """Fork the workers."""
        self._close()
        if self._book is not None:
            self._book.open()
        others = multiprocessing.active_children()
        pass_on_to(lambda: [p for p in multiprocessing.active_children() if p not in others])
        self._pool = ProcessPoolExecutor(
            self._np,
            mp_context=multiprocessing.get_context("fork"),
            initializer=_begin,
            initargs=(self._project, self._timeout, self._book),
        )
        return self._pool

    def _begun(self, execution: Execution, pool: ProcessPoolExecutor) -> Future[Any] | Exception:
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
            pass_on_to()


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
_book: Book | None = None


def _begin(project: Any, timeout: float | None, book: Book | None) -> None:
    global _project, _timeout, _book
    _project, _timeout, _book = project, timeout, book
    in_worker()
    if book is not None:
        book.join()
        threading.Thread(target=_end_with_the_run, daemon=True).start()


def _end_with_the_run() -> None:
    """End this process when the run has died: its claims are then taken for those of the dead."""
    run = multiprocessing.parent_process()
    assert run is not None
    wait([run.sentinel])
    os._exit(1)


def _work(name: str, ids: list[str], cmd: str | None) -> Any:
    """Carry out one operation; its command if it has a process of its own, else its function."""
    jobs = tuple(_project.open_job(id=id) for id in ids)
    operation = _JobOperation(name, name, jobs, cmd or "", {"fork": cmd is not None}, set())
    try:
        check()  # it had been handed out already
        if _book is not None:
            return _book.attempt(operation, _timeout)
        _project._execute_operation(operation, _timeout)
    except KeyboardInterrupt as error:
        raise _instead_of(error, f"Operation {operation} was interrupted.") from None
    except SystemExit as error:
        text = f"Operation {operation} exited with {error.code}."
        raise _instead_of(error, text) from None


def _instead_of(error: BaseException, text: str) -> UserOperationError:
    """Return an error that does not end the worker, with what was noted in the other."""
    made = UserOperationError(text)
    vars(made).update(vars(error))
    return made
