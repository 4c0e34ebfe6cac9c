"""One MATLAB that is started once and carries out many calls, one after the other.

Requests and answers are lines that are appended to two files in a spool folder; a line counts when
its end is there (see ``matlab/+pointillist/driver.m``). What the program prints goes to a third
file, and from it into the log of the call at hand.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..errors import TimedOut
from . import watch
from .literals import matlab_literal
from .matlab import Program, spelled
from .process import start
from .trees import Tree

__all__ = ["Session", "Setting"]

MOST_CALLS = 500
"""After so many calls a session is replaced: what MATLAB code leaks is gone with it."""

END = 10.0
"""Seconds in which a session must end that was asked to."""

SHORTEST, LONGEST = 0.0005, 0.01
"""Seconds between two looks for an answer."""

PIECE = 1 << 20
"""Bytes of what was printed that are carried over at once."""


@dataclass(frozen=True)
class Setting:
    """What a program finds that is started now.

    Attributes
    ----------
    program : Program
        What is started.
    search_path : tuple of Path
        Folders with the user's functions.
    cwd : Path
        The folder that it runs in.
    environment : dict of str to str
        The environment variables.
    pid : int
        The process that starts it.
    """

    program: Program
    search_path: tuple[Path, ...]
    cwd: Path
    environment: dict[str, str]
    pid: int

    @classmethod
    def now(cls, program: Program, search_path: Sequence[Path], cwd: Path) -> Setting:
        """Return what a program would find now."""
        return cls(program, tuple(search_path), cwd, dict(os.environ), os.getpid())


class Session:
    """A program at work, and its spool folder.

    Parameters
    ----------
    setting : Setting
        What it is started with.
    log : Path
        Where it is told that it cannot be started.

    Attributes
    ----------
    setting : Setting
        What it was started with.
    folder : Path
        The spool folder, where the calls are written as well.
    is_usable : bool
        Whether it may be given another call.

    Raises
    ------
    ProgramNotFound, CommandFailed
        When it cannot be started.
    """

    def __init__(self, setting: Setting, log: Path) -> None:
        self.setting = setting
        self.is_usable = True
        self._calls = 0
        self._read = 0
        self._begin_prints: bytes | None = None
        self._tree = Tree()
        self.folder = Path(tempfile.mkdtemp(prefix="pointillist-session-"))
        try:
            script = self.folder / "pointillist_session.m"
            words, env = spelled(setting.program, script)
            env = {**env, **self._tree.environment}
            script.write_text(_script(setting, env), encoding="ascii")
            self._requests = FileIO(self.folder / "pointillist_requests", "ab")
            self._answers = FileIO(self.folder / "pointillist_answers", "ab+")
            self._printed = FileIO(self.folder / "pointillist_printed", "ab+")
            prints = self._printed
            self._child = start(words, setting.cwd, env, prints, prints, None, log)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        watch.begun(self._child.pid, self.folder)

    def lives(self) -> bool:
        """Whether the program is there."""
        return self._child.poll() is None

    def run(self, log: Path, timeout: float | None, wait: Callable[..., object]) -> int | None:
        """Carry out the call that `pointillist.commands.matlab.prepare` has written into `folder`.

        Parameters
        ----------
        log : Path
            Gets what is printed, appended.
        timeout : float or None
            Seconds after which the program is ended.
        wait : callable
            Calls what waits; only there it may be interrupted.

        Returns
        -------
        int or None
            0, or 1 after an error; the program's exit code if the call has ended it, or if it
            never came to its first call; None if it was gone before the call began.

        Raises
        ------
        TimedOut
            If it took too long.
        """
        self.is_usable = False
        self._calls += 1
        deadline = None if timeout is None else time.monotonic() + timeout
        with FileIO(log, "ab") as file:
            prints = _Prints(self._printed, file)
            try:
                self._tree.begun(self._child)
                if self._begin_prints is None:
                    wait(self._await, 1, prints, deadline)
                    self._hear()
                    prints.carry_over()
                    self._begin_prints = os.pread(self._printed.fileno(), PIECE, 0)
                else:
                    _put(file, self._begin_prints)
                self._printed.truncate(0)
                prints = _Prints(self._printed, file)
                self._request(str(self.folder))
                wait(self._await, 2, prints, deadline)
            except subprocess.TimeoutExpired:
                self._tree.end()
                raise TimedOut(f"It took longer than {timeout:g} s.", log=log) from None
            except BaseException:
                self._tree.end()
                raise
            finally:
                prints.carry_over()
                self._tree.left()
        heard = self._hear()
        if len(heard) == 2:
            code, state = heard[1].split()
            self.is_usable = state == "stays" and self._calls < MOST_CALLS
            return int(code)
        return self._child.poll() if self._calls == 1 or heard else None

    def _request(self, folder: str) -> None:
        """Name the folder of a call, or none to end."""
        self._requests.write(matlab_literal(folder).encode("ascii") + b"\n")

    def _answered(self) -> bytes:
        """Return the whole lines that were answered since the last were heard."""
        text = os.pread(self._answers.fileno(), 4096, self._read)
        return text[: text.rfind(b"\n") + 1]

    def _hear(self) -> list[str]:
        """Take answers in."""
        text = self._answered()
        self._read += len(text)
        return text.decode("ascii").splitlines()

    def _await(self, lines: int, prints: _Prints, deadline: float | None) -> None:
        """Wait until so many lines are answered, or the program is gone."""
        seconds = SHORTEST
        while self._answered().count(b"\n") < lines and self.lives():
            prints.carry_over()
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("", 0)
            time.sleep(seconds)
            seconds = min(seconds * 1.1, LONGEST)

    def end(self) -> None:
        """End the program, if it is there still, and remove its folder."""
        try:
            if self.lives():
                with contextlib.suppress(OSError):
                    self._request("")
                try:
                    self._child.wait(END)
                except subprocess.TimeoutExpired:
                    self._tree.end()
        finally:
            watch.ended(self._child.pid)
            for file in (self._requests, self._answers, self._printed):
                file.close()
            shutil.rmtree(self.folder, ignore_errors=True)


class _Prints:
    """What is printed during one call, on its way into a log.

    A disk that is full takes nothing, and tells nobody: so it is where a program writes by itself.
    """

    def __init__(self, printed: FileIO, log: FileIO) -> None:
        self._printed = printed
        self._log = log
        self._begin = log.seek(0, os.SEEK_END)

    def carry_over(self) -> None:
        """Put into the log what was printed since the last time."""
        done = self._log.tell() - self._begin
        while piece := os.pread(self._printed.fileno(), PIECE, done):
            if not _put(self._log, piece):
                return
            done = self._log.tell() - self._begin


def _put(log: FileIO, text: bytes) -> bool:
    try:
        return log.write(text) == len(text)
    except OSError:
        return False


def _script(setting: Setting, env: dict[str, str]) -> str:
    folders = matlab_literal([str(path.absolute()) for path in setting.search_path] or None)
    names = matlab_literal(sorted({**setting.environment, **env}))
    fields = {"pid": str(setting.pid), "names": names, "search_path": folders}
    return "".join(f"session.{name} = {value};\n" for name, value in fields.items())
