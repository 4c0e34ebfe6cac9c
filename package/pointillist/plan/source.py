"""The source of a step: a hash that changes when what the step does may have changed.

For a Python step it covers its function and the functions, classes and module-level statements of
the same project that it uses, however deep and through any import, without comments, docstrings
and annotations. For a MATLAB step it covers the ``.m`` file, without comments, and those of the
project's ``matlab/`` folder that it calls. Nothing is imported or run to hash it. A file is read
when it is first asked for, so that a file that is edited while a program runs does not pass for
what the program has loaded.

What it cannot see: installed and compiled packages (of a step's function that is not the
project's own, that function alone is seen), dynamic calls (``getattr``, ``eval``, ``feval``, names
looked up at run time), ``.m`` files in other folders, the programs that a command starts, and files
that a function opens by itself.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from ..commands.matlab import source_files, strip
from ..model.arguments import is_literal
from ..model.steps import Call, Command, Step
from .closure import Closure, digest_of, sha
from .ownmodules import OwnModules

__all__ = ["SourceReader"]


class SourceReader:
    """Hashes the sources of steps, each once.

    Parameters
    ----------
    root : Path
        The project's folder: what lies in it is the project's own.
    matlab_folder : Path
        The project's folder of ``.m`` files.
    """

    def __init__(self, root: Path, matlab_folder: Path) -> None:
        self._modules = OwnModules(root)
        self._matlab = matlab_folder
        self._known: dict[Call, str | None] = {}

    def digest(self, calls: Iterable[Call]) -> str | None:
        """Return the hash over some calls; those with a version of their own do not count.

        Returns
        -------
        str or None
            None if there is nothing to hash: every call has a version, or no source.
        """
        parts = [self._digest(call) for call in calls if call.options.version is None]
        found = [part for part in parts if part is not None]
        if not found:
            return None
        return found[0] if len(found) == 1 else sha(*sorted(set(found)))

    def refresh(self) -> None:
        """Read ``.m`` files anew when they are asked for; Python stays as it was loaded."""
        self._known = {call: s for call, s in self._known.items() if call.kind != "matlab"}

    def _digest(self, call: Call) -> str | None:
        if call not in self._known:
            self._known[call] = self._read(call)
        return self._known[call]

    def _read(self, call: Call) -> str | None:
        if call.kind == "shell":
            return None  # the template is an argument
        if call.kind == "matlab":
            files = source_files(str(call.target), [self._matlab])
            return digest_of(
                {
                    file.relative_to(self._matlab).as_posix(): strip(
                        file.read_text("utf-8", "replace")
                    )
                    for file in files
                }
            )
        assert callable(call.target)
        with _deep():
            return self._python(call.target)

    def _python(self, target: Callable[..., Any]) -> str | None:
        closure = Closure(self._modules)
        for function in _functions(target):
            code = function.__code__
            path = Path(function.__globals__.get("__file__") or code.co_filename).absolute()
            qualname = code.co_qualname
            own = closure.add(path, qualname, code.co_firstlineno)
            if not own and function is target:
                closure.add_alone(path, function.__module__, qualname, code.co_firstlineno)
            if own:
                for name, value in _values(function):
                    closure.parts[f"{qualname}:{name}"] = f"{value!a}"
        return closure.digest()


def _functions(target: Any) -> Iterator[FunctionType]:
    """Yield a function, those that it wraps, and those that a function around it gave to it."""
    seen: list[Any] = []
    todo = [target]
    while todo:
        thing = todo.pop()
        if isinstance(thing, Step | Command):
            thing = thing.function
        if isinstance(thing, functools.partial):
            todo += [thing.func, *thing.args, *thing.keywords.values()]
        if isinstance(thing, FunctionType) and thing not in seen:
            seen.append(thing)
            todo += [value for _, value in _cells(thing)]
            todo.append(getattr(thing, "__wrapped__", None))
            yield thing


def _values(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the literals that a function got from the function around it."""
    for name, value in _cells(function):
        if is_literal(value):
            yield name, value


def _cells(function: FunctionType) -> Iterator[tuple[str, Any]]:
    code: CodeType = function.__code__
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue  # not bound yet


@contextlib.contextmanager
def _deep() -> Iterator[None]:
    """Let expressions be as deep as a long ``elif`` or a sum of a thousand terms is."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
