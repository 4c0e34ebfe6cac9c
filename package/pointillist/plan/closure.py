"""All that a function of a project uses of the project, however deep; nothing is imported for it.

Module by module the names that are read are followed to the statements that bind them, through
imports at the level of a module and inside functions, also to files that were never imported.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from pathlib import Path

from .ownmodules import OwnModule, OwnModules, parse
from .scopes import Read, reads
from .syntax import serialise

__all__ = ["Closure", "digest_of", "sha"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Import = ast.Import | ast.ImportFrom


class Closure:
    """What some functions use, collected.

    Parameters
    ----------
    modules : OwnModules
        The modules of the project.

    Attributes
    ----------
    parts : dict of str to str
        By where it lies and what it is called, what each thing does, as text.
    """

    def __init__(self, modules: OwnModules) -> None:
        self.parts: dict[str, str] = {}
        self._modules = modules
        self._followed: set[tuple[str, tuple[str, ...]]] = set()

    def add(self, path: Path, qualname: str, line: int) -> bool:
        """Add a function of the project, and all that it uses.

        Parameters
        ----------
        path : Path
            Its file.
        qualname : str
            Its qualified name.
        line : int
            Where it begins, for a function without a name.

        Returns
        -------
        bool
            Whether the file is the project's own.
        """
        module = self._modules.read(path)
        if module is None:
            return False
        first, *rest = qualname.split(".")
        if module.binding(first) and rest[:1] in ([], ["<locals>"]):
            self._follow(module, (first,))
        else:
            self._add(module, qualname, _definitions(module.tree, qualname, line))
        return True

    def add_alone(self, path: Path, name: str, qualname: str, line: int) -> None:
        """Add a function of another package by its name and text, without what it uses."""
        found = _definitions(parse(path) or ast.Module([], []), qualname, line)
        self.parts[f"{name}:{qualname}"] = "".join(map(serialise, found))

    def digest(self) -> str | None:
        """Return a hash over all parts; None if there are none."""
        return digest_of(self.parts)

    def _add(self, module: OwnModule, name: str, nodes: list[ast.AST]) -> None:
        if nodes:
            self.parts[f"{module.place}:{name}"] = "".join(map(serialise, nodes))
        for node in nodes:
            for read in reads(node):
                self._read(module, read)

    def _read(self, module: OwnModule, read: Read) -> None:
        if read.imports:
            for statement in read.imports:
                self._through(module, statement, read.chain[1:])
        else:
            self._follow(module, read.chain)

    def _follow(self, module: OwnModule, chain: tuple[str, ...]) -> None:
        """Add all that binds the first of some names in a module; through imports, the rest."""
        if (module.place, chain) in self._followed:
            return
        self._followed.add((module.place, chain))
        first, *rest = chain
        units = module.binding(first)
        if units:
            self.parts[f"{module.place}:{first}"] = "\n".join(unit.text for unit in units)
        for unit in units:
            for read in unit.reads:
                self._read(module, read)
            if isinstance(unit.node, _Import):
                self._through(module, unit.node, tuple(rest))
        if not units:
            for star in module.stars:
                self._star(module, star.node, star.text, chain)

    def _star(self, module: OwnModule, node: ast.AST, text: str, chain: tuple[str, ...]) -> None:
        assert isinstance(node, ast.ImportFrom)
        found = self._modules.imported(node, module.path)
        if not found:
            self.parts[f"{module.place}:{text}"] = ""  # of a package: it may bind any name
        for path in found:
            other = self._modules.read(path)
            if other is not None:
                self._follow(other, chain)

    def _through(self, module: OwnModule, statement: _Import, rest: tuple[str, ...]) -> None:
        chain = rest
        if isinstance(statement, ast.ImportFrom):
            chain = (statement.names[0].name, *rest)
        for path in self._modules.imported(statement, module.path):
            self._descend(path, chain)

    def _descend(self, path: Path, chain: tuple[str, ...]) -> None:
        """Follow names that are taken from a module, or from modules inside of it."""
        if not chain:
            return
        module = self._modules.read(path) if path.is_file() else None
        if module is not None:
            self._follow(module, chain)
        for inner in self._modules.inside(path, chain[0]):
            self._descend(inner, chain[1:])


def _definitions(tree: ast.AST, qualname: str, line: int) -> list[ast.AST]:
    """Return the function of a qualified name; of one inside of another function the outer one.

    Functions without a name are found by their line.
    """
    found: list[ast.AST] = [tree]
    for part in qualname.split("."):
        inside: list[ast.AST] = [
            node
            for outer in found
            for node in ast.walk(outer)
            if isinstance(node, _Function | ast.ClassDef) and node.name == part
        ]
        if not inside:
            break
        found = inside
        if any(isinstance(node, _Function) for node in found):
            return found
    return [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == line]


def digest_of(parts: Mapping[str, str]) -> str | None:
    """Return a hash over texts and what they are called; None if there are none."""
    return sha(*(f"{name}\n{parts[name]}" for name in sorted(parts))) if parts else None


def sha(*texts: str) -> str:
    """Return a hash over texts."""
    return hashlib.sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
