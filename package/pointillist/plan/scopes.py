"""Which names a piece of Python takes from outside of itself, and which it binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .syntax import LEFT_OUT, annotations_count, bound_name, single_imports

__all__ = ["Read", "bound", "dotted", "reads"]

_Import = ast.Import | ast.ImportFrom
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = Mapping[str, list[_Import] | None]
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class Read:
    """A dotted name that is read: ``("np", "mean")``.

    Parameters
    ----------
    chain : tuple of str
        The name and the attributes taken from it.
    imports : tuple of ast.Import or ast.ImportFrom
        The imports that bind it inside of a function; empty for a name of the module.
    """

    chain: tuple[str, ...]
    imports: tuple[_Import, ...] = ()


def reads(node: ast.AST, scopes: tuple[_Scope, ...] = ()) -> Iterator[Read]:
    """Yield the names that a tree takes from its module or imports itself; local ones are none.

    Parameters
    ----------
    node : ast.AST
        A statement or expression at the level of a module.
    scopes : tuple
        What the functions around it bind, the innermost last.
    """
    if isinstance(node, ast.Name):
        yield from _resolved((node.id,), scopes)
    elif isinstance(node, ast.Attribute):
        chain, target = dotted(node)
        if chain:
            yield from _resolved(chain, scopes)
        else:
            yield from reads(target, scopes)
    elif isinstance(node, _Function | ast.Lambda):
        outside = [*getattr(node, "decorator_list", []), node.args.defaults, node.args.kw_defaults]
        if annotations_count(node):
            outside += [a.annotation for a in _parameters(node.args)]
        yield from _all(outside, scopes)
        body = node.body if isinstance(node.body, list) else [node.body]
        names: dict[str, list[_Import] | None] = {a.arg: [] for a in _parameters(node.args)}
        names |= {parameter.name: [] for parameter in getattr(node, "type_params", [])}
        yield from _all(body, (*scopes, names | bound(body)))
    elif isinstance(node, ast.ClassDef):
        yield from _all([node.decorator_list, node.bases, node.keywords, node.body], scopes)
        for imports in bound(node.body).values():
            for statement in imports or ():
                yield Read((bound_name(statement),), (statement,))
        if annotations_count(node):
            declared = [s.annotation for s in node.body if isinstance(s, ast.AnnAssign)]
            yield from _all(declared, scopes)
    elif isinstance(node, _COMPREHENSIONS):
        first = node.generators[0]
        yield from reads(first.iter, scopes)
        inner = (*scopes, bound([g.target for g in node.generators]))
        rest: list[Any] = [[g.iter for g in node.generators[1:]], first.ifs]
        rest += [g.ifs for g in node.generators[1:]]
        rest += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        yield from _all(rest, inner)
    elif not isinstance(node, _Import):
        yield from _all([v for n, v in ast.iter_fields(node) if n not in LEFT_OUT], scopes)


def _all(values: Iterable[Any], scopes: tuple[_Scope, ...]) -> Iterator[Read]:
    for value in values:
        if isinstance(value, list):
            yield from _all(value, scopes)
        elif isinstance(value, ast.AST):
            yield from reads(value, scopes)


def _resolved(chain: tuple[str, ...], scopes: tuple[_Scope, ...]) -> Iterator[Read]:
    for scope in reversed(scopes):
        if chain[0] in scope:
            imports = scope[chain[0]]
            if imports is None:
                break
            if imports:
                yield Read(chain, tuple(imports))
            return
    yield Read(chain)


def dotted(node: ast.expr) -> tuple[tuple[str, ...], ast.expr]:
    """Return the names of ``a.b.c``, and what they are taken from; none for ``f().b.c``."""
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        return (node.id, *reversed(chain)), node
    return (), node


def bound(nodes: Iterable[ast.AST]) -> dict[str, list[_Import] | None]:
    """Return the names that statements bind, each with the imports that do.

    Functions and classes among them bind their own names only. A name that is declared ``global``
    is None.
    """
    found: dict[str, list[_Import] | None] = {}
    elsewhere: set[str] = set()
    for node in nodes:
        _bind(node, found, elsewhere)
    return {name: imports for name, imports in found.items() if name not in elsewhere}


def _bind(node: Any, found: dict[str, list[_Import] | None], elsewhere: set[str]) -> None:
    inside: list[Any] = [v for n, v in ast.iter_fields(node) if n != "annotation"]
    if isinstance(node, _Import):
        for single in single_imports(node):
            imports = found.setdefault(bound_name(single), [])
            if imports is not None:
                imports.append(single)
        return
    if isinstance(node, ast.Global):
        found.update(dict.fromkeys(node.names))
    elif isinstance(node, ast.Nonlocal):
        elsewhere.update(node.names)
    elif isinstance(node, _Function | ast.Lambda):
        inside = [getattr(node, "decorator_list", []), node.args.defaults, node.args.kw_defaults]
    elif isinstance(node, ast.ClassDef):
        inside = [node.decorator_list, node.bases, node.keywords]
    elif isinstance(node, _COMPREHENSIONS):
        walruses = [n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr)]
        inside = [walruses]
    names = [getattr(node, "name", None), getattr(node, "rest", None)]
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        names.append(node.id)
    for name in names:
        if isinstance(name, str):
            found.setdefault(name, [])
    for value in inside:
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, ast.AST):
                _bind(inner, found, elsewhere)


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    found = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [*found, *(a for a in (arguments.vararg, arguments.kwarg) if a is not None)]
