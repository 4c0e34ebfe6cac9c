"""Carry out one command as a child process with a log, and end it with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO

from ..errors import CommandFailed, ProgramNotFound, TimedOut
from . import watch
from .trees import Tree

__all__ = ["Finished", "run", "start"]

LONGEST_WORD = 100_000
"""Bytes of a command that are safely passed as one argument (Linux allows 128 KiB)."""


@dataclass(frozen=True)
class Finished:
    """How a command ended.

    Attributes
    ----------
    code : int
        Exit code; ``-n`` when signal ``n`` ended it.
    seconds : float
        Time from start to end.
    """

    code: int
    seconds: float

    @property
    def ending(self) -> str:
        """``exit 3`` or ``killed by SIGSEGV``."""
        if self.code >= 0:
            return f"exit {self.code}"
        try:
            return f"killed by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"killed by signal {-self.code}"


def run(
    argv: Sequence[str] | str,
    *,
    shell: bool = False,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    timeout: float | None = None,
    stdout: Path | None = None,
    wait: Callable[..., int] = lambda call, *arguments: call(*arguments),
) -> Finished:
    """Run a command to its end.

    It has a session of its own, reads nothing (``/dev/null``) and writes into the log. What it
    started is ended with it when the timeout is over or when waiting is interrupted (also by
    KeyboardInterrupt): SIGTERM, two seconds of grace, SIGKILL. On Linux that also reaches
    what moved to another process group or session, or has lost its parent.

    Parameters
    ----------
    argv : sequence of str, or str
        Program and arguments; with ``shell``, one text for ``/bin/sh``, of any length.
    shell : bool
        Whether ``argv`` is a shell command.
    cwd : Path
        Folder to run in.
    env : mapping of str to str
        Environment variables, added to this process's own.
    log : Path
        File that gets what is printed, appended; made if it is not there.
    timeout : float, optional
        Seconds after which the command is ended.
    stdout : Path, optional
        File that gets standard output instead of the log, from its beginning.
    wait : callable
        Calls what waits for the command; only there it may be interrupted.

    Returns
    -------
    Finished
        Exit code and time. A code that is not 0 raises nothing.

    Raises
    ------
    TimedOut
        When the command took longer than ``timeout``.
    ProgramNotFound
        When there is no such program.
    CommandFailed
        When the program cannot be started for another reason.
    """
    with contextlib.ExitStack() as files:
        errors = files.enter_context(log.open("ab"))
        prints = files.enter_context(stdout.open("wb")) if stdout else errors
        script = files.enter_context(_long_script(argv)) if shell else None
        words = _words(argv, shell=shell, script=script)
        begin = time.monotonic()
        tree = Tree()
        env = {**env, **tree.environment}
        child: subprocess.Popen[bytes] | None = None
        try:
            child = start(words, cwd, env, prints, errors, script, log)
            tree.begun(child)
            watch.begun(child.pid)
            code = wait(child.wait, timeout)
        except subprocess.TimeoutExpired:
            tree.end()
            raise TimedOut(
                f"{_named(argv)} took longer than its timeout of {timeout:g} s and was ended, with "
                f"all it had started. Raise timeout= if it may; what it printed is in {log}.",
                log=log,
            ) from None
        except BaseException:
            tree.end()
            raise
        finally:
            tree.left()
            if child is not None:
                watch.ended(child.pid)
        return Finished(code, time.monotonic() - begin)


@contextlib.contextmanager
def _long_script(command: Sequence[str] | str) -> Iterator[IO[bytes] | None]:
    """Give an open file with a shell command that is too long to be an argument, else None."""
    text = os.fsencode(command) if isinstance(command, str) else b""
    if len(text) <= LONGEST_WORD:
        yield None
        return
    with tempfile.TemporaryFile() as script:
        script.write(text)
        script.flush()
        script.seek(0)
        yield script


def _words(argv: Sequence[str] | str, *, shell: bool, script: IO[bytes] | None) -> list[str]:
    if not shell:
        return [argv] if isinstance(argv, str) else list(argv)
    if script is not None:
        return ["/bin/sh", f"/dev/fd/{script.fileno()}"]
    return ["/bin/sh", "-c", argv if isinstance(argv, str) else " ".join(argv)]


def _named(argv: Sequence[str] | str) -> str:
    """Name a command for a message, short."""
    text = argv if isinstance(argv, str) else " ".join(argv)
    return f'"{text[:77]}..."' if len(text) > 80 else f'"{text}"'


def start(
    words: list[str],
    cwd: Path,
    env: Mapping[str, str],
    stdout: IO[bytes] | FileIO,
    stderr: IO[bytes] | FileIO,
    script: IO[bytes] | None,
    log: Path,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; it reads nothing.

    Raises
    ------
    ProgramNotFound, CommandFailed
        When it cannot be started; the error names the log.
    """
    try:
        return subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=() if script is None else (script.fileno(),),
        )
    except OSError as error:
        if not cwd.is_dir():
            raise CommandFailed(
                f"{_named(words)} cannot start: its folder {cwd} is not there.", log=log
            ) from error
        if isinstance(error, FileNotFoundError):
            raise ProgramNotFound(
                f'The program "{words[0]}" is not there. Install it, put its folder on PATH, or '
                "write its full path into the command.",
                log=log,
            ) from error
        raise CommandFailed(
            f"{_named(words)} cannot start: {error.strerror}. Check that it is "
            "an executable program.",
            log=log,
        ) from error
