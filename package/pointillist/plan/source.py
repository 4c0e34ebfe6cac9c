"""The source of a step: a hash that changes when what the step does may have changed.

For a Python step it covers the syntax tree of its function, without comments, docstrings and
annotations, and those of the functions, classes and module-level constants of the same project
that it uses, however deep. For a MATLAB step it covers the ``.m`` file, without comments, and
those of the project's ``matlab/`` folder that it calls.

What it cannot see: installed packages, what is imported inside a function, names looked up at run
time (``getattr``, ``feval``, ``eval``), values of constants that are computed elsewhere, and ``.m``
files in other folders.

The tree is written in a form of our own, so that it is equal on all supported Pythons: node names
and their fields in order of name, empty fields left out.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ..commands.matlab import source_files, strip
from ..model.steps import Call, Command, Step

__all__ = ["SourceReader"]

_LEFT_OUT = {
    *("annotation", "returns", "type_comment", "type_ignores", "type_params", "kind", "ctx"),
    *("lineno", "col_offset", "end_lineno", "end_col_offset"),
}
_OWN_DECORATORS = {"step", "command"}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


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
        self._root = root.resolve()
        self._matlab = matlab_folder
        self._known: dict[int, str | None] = {}

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
        return found[0] if len(found) == 1 else _sha(*sorted(set(found)))

    def _digest(self, call: Call) -> str | None:
        if id(call) not in self._known:
            self._known[id(call)] = self._read(call)
        return self._known[id(call)]

    def _read(self, call: Call) -> str | None:
        if call.kind == "matlab":
            files = source_files(str(call.target), [self._matlab])
            texts = [f"{f.name}\n{strip(f.read_text('utf-8', 'replace'))}" for f in files]
            return _sha(*sorted(texts)) if texts else None
        if call.kind == "shell":
            return None  # the template is an argument
        assert callable(call.target)
        parts: dict[str, str] = {}
        self._collect(call.target, parts, own=True)
        return _sha(*(f"{name}\n{parts[name]}" for name in sorted(parts))) if parts else None

    def _collect(self, thing: Any, parts: dict[str, str], own: bool = False) -> None:
        """Add the source of a function or class, and of what it uses."""
        thing = thing.function if isinstance(thing, Step | Command) else thing
        thing = inspect.unwrap(thing) if callable(thing) else thing
        module = sys.modules.get(getattr(thing, "__module__", None) or "")
        if module is None or not isinstance(thing, FunctionType | type):
            return
        if not own and not self._is_ours(module):
            return
        name = f"{self._place(module)}:{thing.__qualname__}"
        node = _definition(module, thing.__qualname__)
        if name in parts or node is None:
            return
        parts[name] = serialise(node)
        if self._is_ours(module):
            self._uses(node, module, parts)

    def _uses(self, node: ast.AST, module: ModuleType, parts: dict[str, str]) -> None:
        for chain in _names(node):
            self._follow(chain, module, parts)

    def _follow(self, chain: tuple[str, ...], module: ModuleType, parts: dict[str, str]) -> None:
        first, *rest = chain
        if first not in vars(module):
            return
        value = vars(module)[first]
        if isinstance(value, ModuleType):
            if rest and self._is_ours(value):
                self._follow(tuple(rest), value, parts)
        elif self._is_ours(module) and not self._bound_here(first, module, parts):
            self._collect(value, parts)  # of a star import

    def _bound_here(self, name: str, module: ModuleType, parts: dict[str, str]) -> bool:
        """Add all that binds a name at the level of a module; return whether there is any."""
        label = f"{self._place(module)}:{name}"
        if label in parts:
            return True
        texts: list[str] = []
        used: list[ast.AST] = []
        found = False
        for statement in _statements(_tree(module).body):
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    if (alias.asname or alias.name) == name:
                        found = True
                        other = _imported(statement, module)
                        if other is not None and self._is_ours(other):
                            self._follow((alias.name,), other, parts)
            elif isinstance(statement, _Definition) and statement.name == name:
                texts.append(serialise(statement))
                used.append(statement)
            elif name in _bound(statement):
                value = getattr(statement, "value", None)
                if value is not None:
                    texts.append(serialise(value))
                    used.append(value)
        if texts:
            parts[label] = "".join(texts)
        for node in used:
            self._uses(node, module, parts)
        return found or bool(texts)

    def _place(self, module: ModuleType) -> str:
        """Return where a module lies: `__main__` and an imported project are one file."""
        if not self._is_ours(module):
            return module.__name__
        return Path(str(module.__file__)).resolve().relative_to(self._root).as_posix()

    def _is_ours(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        if not file:
            return False
        path = Path(file).resolve()
        return path.is_relative_to(self._root) and "site-packages" not in path.parts


def serialise(node: ast.AST) -> str:
    """Return a syntax tree as text that depends on what it does only.

    Comments, docstrings, annotations, positions and our own decorators are left out.
    """
    return _text(node)


def _text(value: Any) -> str:
    if isinstance(value, ast.AnnAssign):
        if value.value is None:
            return "Pass()"  # a bare annotation does nothing
        value = ast.Assign(targets=[value.target], value=value.value)
    if isinstance(value, ast.AST):
        shown = []
        for name in sorted(value._fields):
            inner: Any = getattr(value, name, None)
            if name in _LEFT_OUT or inner is None or inner == []:
                continue
            if name == "body" and isinstance(inner, list) and isinstance(value, _Definition):
                inner = _without_docstring(inner)
            if isinstance(value, ast.JoinedStr):
                inner = _joined(inner)
            if name == "decorator_list":
                inner = [d for d in inner if not _is_own(d)]
                if not inner:
                    continue
            shown.append(f"{name}={_text(inner)}")
        return f"{type(value).__name__}({','.join(shown)})"
    if isinstance(value, list):
        return f"[{','.join(_text(item) for item in value)}]"
    # ascii: which characters repr shows depends on the Unicode tables of the interpreter
    return f"{type(value).__name__}:{value!a}"


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:]
    return body


def _joined(pieces: list[ast.expr]) -> list[ast.expr]:
    """Return the pieces of an f-string, texts beside each other as one: Pythons cut differently."""
    found: list[ast.expr] = []
    for piece in pieces:
        last = found[-1] if found else None
        if not isinstance(piece, ast.Constant):
            found.append(piece)
        elif isinstance(last, ast.Constant):
            found[-1] = ast.Constant(str(last.value) + str(piece.value))
        elif piece.value:
            found.append(piece)
    return found


def _is_own(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return name in _OWN_DECORATORS


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, but for what `serialise` leaves out."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in _LEFT_OUT:
            continue
        for inner in value if isinstance(value, list) else [value]:
            own = isinstance(inner, ast.expr) and name == "decorator_list" and _is_own(inner)
            if isinstance(inner, ast.AST) and not own:
                yield from _walk(inner)


def _names(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """Yield every dotted name that is read in a tree: ``("np", "mean")``."""
    for inner in _walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            yield (inner.id,)
        elif isinstance(inner, ast.Attribute):
            chain: list[str] = []
            target: ast.expr = inner
            while isinstance(target, ast.Attribute):
                chain.append(target.attr)
                target = target.value
            if isinstance(target, ast.Name):
                yield (target.id, *reversed(chain))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, also those within ``if``, ``try``, ``with`` and loops."""
    for statement in body:
        yield statement
        if not isinstance(statement, _Definition):
            for inner in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(statement, inner, []))
            for handler in getattr(statement, "handlers", []):
                yield from _statements(handler.body)


def _bound(statement: ast.stmt) -> set[str]:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign):
        targets = [statement.target]
    return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def _imported(statement: ast.ImportFrom, module: ModuleType) -> ModuleType | None:
    name = statement.module or ""
    if statement.level:
        package = (module.__package__ or "").split(".")
        base = package[: len(package) - statement.level + 1]
        name = ".".join([*base, *([name] if name else [])])
    return sys.modules.get(name)


def _definition(module: ModuleType, qualname: str) -> _Definition | None:
    """Return the node of a function or class by its qualified name."""
    found: ast.AST | None = _tree(module)
    for part in qualname.split("."):
        if part == "<locals>" or found is None:
            continue
        inside = [n for n in ast.walk(found) if isinstance(n, _Definition) and n.name == part]
        found = inside[-1] if inside else None
    return found if isinstance(found, _Definition) else None


def _tree(module: ModuleType) -> ast.Module:
    file = getattr(module, "__file__", None)
    if not file:
        return ast.Module([], [])
    try:
        return _parse(file, Path(file).stat().st_mtime_ns)
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


@functools.lru_cache(maxsize=256)
def _parse(file: str, mtime: int) -> ast.Module:
    return ast.parse(Path(file).read_bytes())


def _sha(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
