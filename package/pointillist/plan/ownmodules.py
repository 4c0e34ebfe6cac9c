"""The modules of a project as files: what each binds, and which a name imports; none is run."""

from __future__ import annotations

import ast
import functools
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .scopes import Read, bound, dotted, reads
from .syntax import bound_name, serialise, single_imports

__all__ = ["OwnModule", "OwnModules", "Unit", "parse"]

_Import = ast.Import | ast.ImportFrom
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Guards = tuple[tuple[str, list[ast.AST]], ...]
_OURS = {"step", "command"}
"""Decorators of ours: what they say is no source, but options."""


@dataclass(frozen=True)
class Unit:
    """One statement of a module that binds or changes a name.

    Parameters
    ----------
    node : ast.AST
        The statement.
    guards : tuple of (str, list of ast.AST)
        What stands around it: ``if``, ``try``, ``with``, ``match``.
    role : {"binds", "changes", "registers"}
        It binds the name; changes what it is (``a[0] = 1``); or is a function that a decorator
        hands to it (``@a.register``).
    """

    node: ast.AST
    guards: _Guards = ()
    role: Literal["binds", "changes", "registers"] = "binds"

    @functools.cached_property
    def text(self) -> str:
        """What it does, with its guards."""
        node = self.node
        if isinstance(node, ast.ImportFrom):  # as what is said where it is looked up
            node = ast.ImportFrom(node.module, [ast.alias(node.names[0].name)], node.level)
        elif isinstance(node, ast.Import):
            [alias] = node.names
            node = ast.Import([ast.alias(alias.name if alias.asname else bound_name(node))])
        guards = [f"{word}({','.join(map(serialise, nodes))})" for word, nodes in self.guards]
        return " ".join([*guards, serialise(node)])

    @functools.cached_property
    def reads(self) -> list[Read]:
        """The names that it and its guards take from the module."""
        nodes = [self.node, *(node for _, nodes in self.guards for node in nodes)]
        return [read for node in nodes for read in reads(node)]


@dataclass
class OwnModule:
    """One file of the project.

    Parameters
    ----------
    path : Path
        The file.
    place : str
        Where it lies in the project.
    tree : ast.Module
        Its syntax tree, without our own decorators.
    """

    path: Path
    place: str
    tree: ast.Module
    units: dict[str, list[Unit]] = field(default_factory=dict)
    stars: list[Unit] = field(default_factory=list)

    def __post_init__(self) -> None:
        _leave_out_ours(self.tree)
        self._collect(self.tree.body, ())

    def binding(self, name: str) -> list[Unit]:
        """Return all that makes a name what it is."""
        found = self.units.get(name, [])
        if any(u.role == "binds" and not isinstance(u.node, _Import) for u in found):
            return found
        return [unit for unit in found if unit.role != "registers"]

    def _collect(self, body: Iterable[ast.stmt], guards: _Guards) -> None:
        for statement in body:
            for word, header, inner in _blocks(statement):
                self._add(Unit(header, guards), bound([header]))
                self._collect(inner, (*guards, (word, [header])))
            if isinstance(statement, _Import):
                for single in single_imports(statement):
                    if single.names[0].name == "*":
                        self.stars.append(Unit(single, guards))
                    else:
                        self._add(Unit(single, guards), [bound_name(single)])
            elif not any(True for _ in _blocks(statement)):
                names = bound([statement])
                self._add(Unit(statement, guards), names)
                changed = set(_changed(statement)) - set(names)
                self._add(Unit(statement, guards, "changes"), changed)
                self._add(Unit(statement, guards, "registers"), _registered(statement))

    def _add(self, unit: Unit, names: Iterable[str]) -> None:
        for name in names:
            known = self.units.setdefault(name, [])
            if not isinstance(unit.node, _Import) or unit.text not in [u.text for u in known]:
                known.append(unit)


def _blocks(statement: ast.stmt) -> Iterator[tuple[str, ast.AST, list[ast.stmt]]]:
    """Yield the blocks of a statement that holds others: a word, what is asked, the statements."""
    if isinstance(statement, ast.If):
        yield "if", statement.test, statement.body
        yield "else", statement.test, statement.orelse
    elif isinstance(statement, ast.Try | ast.TryStar):
        yield "try", ast.Tuple([]), statement.body
        for handler in statement.handlers:
            yield "except", handler.type or ast.Tuple([]), handler.body
        yield "else", ast.Tuple([]), statement.orelse
        yield "finally", ast.Tuple([]), statement.finalbody
    elif isinstance(statement, ast.With):
        yield "with", ast.With(statement.items, []), statement.body
    elif isinstance(statement, ast.Match):
        for case in statement.cases:
            header = ast.match_case(case.pattern, case.guard, [])
            yield "case", ast.Match(statement.subject, [header]), case.body


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yield names that a statement changes without binding: ``a[0] = 1``, ``a.append(1)``."""
    for node in ast.walk(statement):
        target: ast.expr | None = None
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            target = node
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            target = node.value.func if isinstance(node.value.func, ast.Attribute) else None
        elif isinstance(node, ast.Global):
            yield from node.names
        if isinstance(statement, _Function | ast.ClassDef):
            continue  # only when it is called
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            yield target.id


def _registered(statement: ast.stmt) -> Iterator[str]:
    for decorator in getattr(statement, "decorator_list", []):
        chain, _ = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        if len(chain) > 1:
            yield chain[0]


def _leave_out_ours(tree: ast.Module) -> None:
    """Take ``@pt.step`` and ``@pt.command`` out of a tree, however they are imported."""
    names: dict[str, str] = {}
    decorated: list[ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in ast.walk(tree):
        if isinstance(node, _Function) and node.decorator_list:
            decorated.append(node)
        elif isinstance(node, _Import):
            for single in single_imports(node):
                module = single.module if isinstance(single, ast.ImportFrom) else None
                origin = module or single.names[0].name
                if origin.partition(".")[0] == "pointillist" and not getattr(single, "level", 0):
                    thing = single.names[0].name if module else ""
                    names[bound_name(single)] = thing

    def is_ours(decorator: ast.expr) -> bool:
        chain, _ = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
        return bool(chain) and chain[0] in names and (chain[1:] or (names[chain[0]],))[-1] in _OURS

    for function in decorated:
        function.decorator_list = [d for d in function.decorator_list if not is_ours(d)]


class OwnModules:
    """Finds and reads the modules of a project.

    Parameters
    ----------
    root : Path
        The project's folder: what lies in it is the project's own, but for installed packages.
    """

    def __init__(self, root: Path) -> None:
        self._roots = list(dict.fromkeys([root.absolute(), root.resolve()]))
        self._standard = Path(os.__file__).parent
        self._read: dict[Path, OwnModule | None] = {}
        self._places: dict[Path, str | None] = {}

    def read(self, path: Path) -> OwnModule | None:
        """Return a module by its file; None if it is not the project's own, or cannot be read."""
        if path not in self._read:
            place = self._place(path)
            tree = None if place is None else parse(path)
            self._read[path] = None if tree is None else OwnModule(path, str(place), tree)
        return self._read[path]

    def imported(self, statement: _Import, by: Path) -> list[Path]:
        """Return the module that an import takes its name from.

        Returns
        -------
        list of Path
            A file, or the folder of a package without ``__init__.py``. Several where it depends on
            the search path which it is; none if it is not the project's own.
        """
        if isinstance(statement, ast.Import):
            [alias] = statement.names
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            return self._named(name, self._bases(by))
        if statement.level:
            folder = by.parent
            for _ in range(statement.level - 1):
                folder = folder.parent
            if statement.module is None:
                initial = folder / "__init__.py"
                return [initial if initial.is_file() else folder]
            return self._named(statement.module, [folder])
        return self._named(statement.module or "", self._bases(by))

    def inside(self, module: Path, name: str) -> list[Path]:
        """Return a module of a package."""
        if module.name == "__init__.py":
            return _find(module.parent, name)
        return _find(module, name) if module.is_dir() else []

    def _named(self, name: str, folders: Iterable[Path]) -> list[Path]:
        first, *rest = name.split(".")
        found = [path for folder in folders for path in _find(folder, first)]
        for part in rest:
            found = [path for module in found for path in self.inside(module, part)]
        return list(dict.fromkeys(found))

    def _bases(self, by: Path) -> Iterator[Path]:
        """Yield the folders of the project that modules are imported from."""
        yield self._roots[0]
        folder = by.parent
        while (folder / "__init__.py").is_file():
            folder = folder.parent
        for entry in (folder, *map(Path, sys.path)):
            place = self._place(entry) if entry.is_absolute() else None
            if place is not None:
                yield self._roots[0] / place

    def _place(self, path: Path) -> str | None:
        if path not in self._places:
            self._places[path] = self._look_up(path)
        return self._places[path]

    def _look_up(self, path: Path) -> str | None:
        for root in self._roots:
            for spelled in (path, path.resolve()):
                if spelled.is_relative_to(root) and not spelled.is_relative_to(self._standard):
                    place = spelled.relative_to(root)
                    if not {"site-packages", "dist-packages"} & set(place.parts):
                        return place.as_posix()
        return None


def _find(folder: Path, name: str) -> list[Path]:
    for path in (folder / name / "__init__.py", folder / f"{name}.py"):
        if path.is_file():
            return [path]
    return [folder / name] if (folder / name).is_dir() else []


def parse(path: Path) -> ast.Module | None:
    """Return the syntax tree of a file, or None if it has none."""
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
