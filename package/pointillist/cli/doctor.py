"""``pointillist doctor``: what is installed, found and reachable, and what to do if not.

A program or a file system that hangs must not hang this verb: every group of checks is carried
out in a fork of this process, with a session of its own, and ended when its time is over. When
this process is ended, the forks clear up after themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .checks import Finding, installed, matlab, no_answer, scheduler

__all__ = ["add", "examine", "main"]

EXAMPLES = """examples:
  pointillist doctor                     this machine, and the project in this folder
  pointillist doctor ~/my_project        a project elsewhere
  pointillist doctor --json              the same as data
"""

LIMIT = 10.0
"""Seconds after which a group of checks is ended."""

_GRACE = 1.0
_REPORT = "This should not be: please report it."
_MARKS = {"ok": ("OK", "green"), "note": ("note", "yellow"), "problem": ("problem", "red")}


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "doctor",
        help="Say what is installed, found and reachable, and what to do if not.",
        description="Look at Python, the packages, MATLAB or GNU Octave, the scheduler and the "
        "project in a folder: one line for each, marked OK, note or problem, with what to do. "
        "The exit code is 1 if there is a problem.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), help="Of a project; by default this one."
    )
    parser.add_argument("--json", action="store_true", help="Print data instead of lines.")
    return parser


def main(args: argparse.Namespace) -> int:
    """Carry ``doctor`` out; return the exit code."""
    found = []
    show = _shown_how() if not args.json else None
    try:
        with contextlib.closing(examine(args.folder)) as findings:
            for finding in findings:
                found.append(finding)
                if show is not None:
                    show(finding)
    except KeyboardInterrupt:
        return 130
    if args.json:
        print(json.dumps([asdict(finding) for finding in found], indent=1))
    return 1 if any(finding.state == "problem" for finding in found) else 0


def examine(folder: Path, limit: float = LIMIT) -> Generator[Finding]:
    """Carry all checks out, side by side, and give what they found in order.

    Parameters
    ----------
    folder : Path
        Of the project.
    limit : float
        Seconds that each group of checks may take.

    Yields
    ------
    Finding
        As soon as it and all before it are there.
    """
    from . import spacechecks

    with contextlib.suppress(FileNotFoundError):  # of a folder that is gone there is no path
        folder = folder.absolute()
    groups: dict[str, Callable[[], list[Finding]]] = {
        "packages": installed,
        "MATLAB": lambda: matlab(folder),
        "scheduler": scheduler,
        "settings": lambda: spacechecks.settings(folder),
        "project": lambda: spacechecks.data_space(folder),
    }
    with contextlib.ExitStack() as stack:
        begun = [
            stack.enter_context(contextlib.closing(_Group(name, check, limit)))
            for name, check in groups.items()
        ]
        for group in begun:
            yield from group.findings()


class _Group:
    """Some checks in a fork of this process."""

    def __init__(self, name: str, check: Callable[[], list[Finding]], limit: float) -> None:
        self._name, self._limit = name, limit
        self._until = time.monotonic() + limit
        self._said, theirs = os.pipe()
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            _carry_out(name, check, theirs, limit)
        os.close(theirs)

    def findings(self) -> list[Finding]:
        """Wait for what was found."""
        said = b""
        while select.select([self._said], [], [], max(0, self._until - time.monotonic()))[0]:
            part = os.read(self._said, 65536)
            if not part:
                break
            said += part
        else:
            return [no_answer(self._name, self._limit)]
        try:
            return [Finding(**told) for told in json.loads(said)]
        except ValueError:
            return [Finding(self._name, "problem", "ended without an answer", _REPORT)]

    def close(self) -> None:
        """End the fork with what it started: SIGTERM, grace, SIGKILL."""
        os.close(self._said)
        for number in (signal.SIGTERM, signal.SIGKILL):
            until = time.monotonic() + _GRACE
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._pid, number)
                os.killpg(self._pid, number)
            while os.waitpid(self._pid, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    break
                time.sleep(0.01)
            else:
                return


def _carry_out(name: str, check: Callable[[], list[Finding]], said: int, limit: float) -> None:
    """Be the fork: write what a check finds into a pipe, and end."""
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, _end)
        signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, limit + _GRACE)  # should the parent be gone
        nothing = os.open(os.devnull, os.O_RDWR)
        for usual in (0, 1, 2):
            os.dup2(nothing, usual)
        try:
            found = check()
        except OSError as error:
            found = [Finding(name, "problem", str(error), "Look at its permissions.")]
        except Exception as error:
            text = f"could not be looked at: {type(error).__name__}: {error}"
            found = [Finding(name, "problem", text, _REPORT)]
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # nothing may come before the end
        with open(said, "w", encoding="utf-8") as pipe:
            json.dump([asdict(finding) for finding in found], pipe)
    finally:
        os._exit(0)


def _end(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def _shown_how() -> Callable[[Finding], None]:
    """Give how findings are printed: with colours on a terminal, else in plain lines."""
    if sys.stdout.isatty():
        with contextlib.suppress(ImportError):
            from ..view.console import console_for

            return lambda finding: _show(console_for(), finding)
    return lambda finding: print(_printable(_line(finding)), flush=True)


def _line(finding: Finding) -> str:
    mark = _MARKS[finding.state][0]
    said = [finding.text.rstrip("."), finding.remedy] if finding.remedy else [finding.text]
    return f"{mark:9}{finding.name:13}{'. '.join(said)}"


def _printable(text: str) -> str:
    """Give text that standard output can print: a path may hold any bytes."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _show(console: Any, finding: Finding) -> None:
    from rich.table import Table
    from rich.text import Text

    mark, colour = _MARKS[finding.state]
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_column(width=7)
    row.add_column(width=11)
    row.add_column(overflow="fold")
    said = Text(_printable(finding.text))
    if finding.remedy:
        said.append(f"\n{_printable(finding.remedy)}", style=colour)
    row.add_row(Text(mark, style=colour), Text(finding.name, style="bold"), said)
    console.print(row)
