"""Calls of MATLAB functions in sessions: started once, used again while all is as it was.

A call in a session is to be told from one in a program of its own by nothing but the time it takes;
what cannot be held is listed in ``matlab/README.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .matlab import Program
from .process import Finished
from .session import Session, Setting

__all__ = ["Sessions"]


class Sessions:
    """Gives each call a session that is free, and starts one if there is none.

    One session is kept. It is used again by the process that started it, while program, folder,
    search path and environment are what they were.
    """

    def __init__(self) -> None:
        self._free: Session | None = None

    def run(
        self,
        program: Program,
        folder: Path,
        *,
        search_path: Sequence[Path],
        cwd: Path,
        log: Path,
        timeout: float | None = None,
        wait: Callable[..., object] = lambda call, *arguments: call(*arguments),
    ) -> Finished:
        """Carry out a call that `pointillist.commands.matlab.prepare` has written.

        It ends as it would in a program of its own (`pointillist.commands.process.run`). The
        session ends with a call that takes too long, is interrupted, or ends the program.

        Parameters
        ----------
        program : Program
            What carries it out.
        folder : Path
            The folder of the call.
        search_path : sequence of Path
            Folders with the user's functions, as they were given to ``prepare``.
        cwd, log, timeout, wait
            As for a program of its own.

        Returns
        -------
        Finished
            With code 1 after an error; the program's own code if the call has ended it.

        Raises
        ------
        TimedOut, ProgramNotFound, CommandFailed
            As for a program of its own.
        """
        begin = time.monotonic()
        setting = Setting.now(program, search_path, cwd)
        code: int | None = None
        while code is None:
            session = self._taken(setting) or Session(setting, log)
            try:
                code = session.run(folder.absolute(), log, timeout, wait)
            finally:
                if session.is_usable:
                    self.close()
                    self._free = session
                else:
                    session.end()
        return Finished(code, time.monotonic() - begin)

    def _taken(self, setting: Setting) -> Session | None:
        """Take the session that is free, if it is as wanted; else end it."""
        session, self._free = self._free, None
        if session is None or session.setting.pid != setting.pid:
            return None  # it is of the process that this one was forked from
        if session.setting == setting and session.lives():
            return session
        session.end()
        return None

    def close(self) -> None:
        """End the session that is kept."""
        session, self._free = self._free, None
        if session is not None and session.setting.pid == os.getpid():
            session.end()

    def __enter__(self) -> Sessions:
        """Use sessions for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the session that is kept."""
        self.close()
