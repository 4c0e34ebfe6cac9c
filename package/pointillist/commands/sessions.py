"""Calls of MATLAB functions in sessions: started once, used again while all is as it was.

A call in a session is to be told from one in a program of its own by nothing but the time it takes;
what cannot be held is listed in ``matlab/README.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .matlab import RESULT_FILE, MatlabCall, Program, prepare, result
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
        call: MatlabCall,
        *,
        search_path: Sequence[Path],
        job: Mapping[str, Any],
        cwd: Path,
        log: Path,
        timeout: float | None = None,
        wait: Callable[..., object] = lambda call, *arguments: call(*arguments),
    ) -> tuple[Finished, Any]:
        """Carry out a call.

        It ends as it would in a program of its own (`pointillist.commands.process.run`). The
        session ends with a call that takes too long, is interrupted, or ends the program.

        Parameters
        ----------
        program : Program
            What carries it out.
        call : MatlabCall
            The function and its arguments.
        search_path : sequence of Path
            Folders with the user's functions.
        job : mapping
            What ``pointillist.job()`` gives.
        cwd, log, timeout, wait
            As for a program of its own.

        Returns
        -------
        Finished
            With code 1 after an error; the program's own code if the call has ended it.
        object
            The return value, if one is wanted and it ended well.

        Raises
        ------
        DeclarationError, ConfigurationError, FormatError
            As of `pointillist.commands.matlab.prepare` and `pointillist.commands.matlab.result`.
        TimedOut, ProgramNotFound, CommandFailed
            As for a program of its own.
        """
        begin = time.monotonic()
        setting = Setting.now(program, search_path, cwd)
        code: int | None = None
        value: Any = None
        while code is None:
            session = self._taken(setting) or Session(setting, log)
            try:
                (session.folder / RESULT_FILE).unlink(missing_ok=True)
                prepare(program, call, folder=session.folder, search_path=search_path, job=job)
                code = session.run(log, timeout, wait)
                if code == 0 and call.nargout:
                    value = result(session.folder)
            finally:
                if session.is_usable:
                    self.close()
                    self._free = session
                else:
                    session.end()
        return Finished(code, time.monotonic() - begin), value

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
