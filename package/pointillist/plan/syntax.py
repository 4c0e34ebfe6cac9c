"""A syntax tree as text that depends on what it does only, equal on all supported Pythons.

Left out are comments, docstrings, positions, ``pass``, type parameters and annotations; but not the
annotations that are data: in the body of a class that has a decorator or a base (a dataclass, a
NamedTuple), and of a function that is registered by them (``@f.register``). Imports beside each
other are in order of name. Node names are written with their fields in order of name, empty fields
left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

__all__ = ["LEFT_OUT", "annotations_count", "bound_name", "serialise", "single_imports"]

LEFT_OUT = {
    *("annotation", "returns", "type_comment", "type_ignores", "type_params", "kind", "ctx"),
    *("lineno", "col_offset", "end_lineno", "end_col_offset"),
}
"""Names of the fields of a syntax tree that say nothing about what it does."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Import = ast.Import | ast.ImportFrom


def serialise(node: ast.AST) -> str:
    """Return a syntax tree as text that depends on what it does only."""
    return _text(node, False)


def annotations_count(node: ast.AST) -> bool:
    """Whether the annotations right in a class or function may be read when the program runs."""
    if isinstance(node, ast.ClassDef):
        return bool(node.decorator_list or node.bases or node.keywords)
    decorators = getattr(node, "decorator_list", [])
    return any(isinstance(d, ast.Attribute) and d.attr == "register" for d in decorators)


def single_imports(statement: _Import) -> Iterator[_Import]:
    """Yield an import as one statement for each name that it binds."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            yield ast.Import([alias])
        else:
            yield ast.ImportFrom(statement.module, [alias], statement.level)


def bound_name(statement: _Import) -> str:
    """Return the name that an import of one thing binds."""
    [alias] = statement.names
    if alias.asname or isinstance(statement, ast.ImportFrom):
        return alias.asname or alias.name
    return alias.name.partition(".")[0]


def _text(value: Any, annotated: bool) -> str:
    if isinstance(value, list):
        return f"[{','.join(_text(item, annotated) for item in value)}]"
    if isinstance(value, ast.AST):
        return _node(value, annotated)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"int:{value:#x}"  # a decimal number may have too many digits to be written
    # ascii: which characters repr shows depends on the Unicode tables of the interpreter
    return f"{type(value).__name__}:{value!a}"


def _node(node: ast.AST, annotated: bool) -> str:
    if isinstance(node, ast.AnnAssign) and not annotated and node.value is not None:
        node = ast.Assign(targets=[node.target], value=node.value)
    counts = isinstance(node, _Definition) and annotations_count(node)
    shown = []
    for name in sorted(node._fields):
        inner: Any = getattr(node, name, None)
        if name in LEFT_OUT and not (name == "annotation" and annotated):
            continue
        if isinstance(node, ast.JoinedStr):
            inner = _joined(inner)
        if isinstance(inner, list) and name in ("body", "orelse", "finalbody"):
            inner = list(_statements(inner, name == "body" and isinstance(node, _Definition)))
            inner = [i for i in inner if not _says_nothing(i) or (counts and _declares(i))]
            texts = [_text(i, counts and _declares(i)) for i in inner]
            if texts:
                shown.append(f"{name}=[{','.join(texts)}]")
        elif inner is not None and inner != []:
            inside = isinstance(node, ast.arguments) and annotated
            inside = inside or (name == "args" and counts and not isinstance(node, ast.ClassDef))
            shown.append(f"{name}={_text(inner, inside)}")
    return f"{type(node).__name__}({','.join(shown)})"


def _declares(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign)


def _says_nothing(statement: ast.stmt) -> bool:
    bare = isinstance(statement, ast.AnnAssign) and statement.value is None
    return bare or isinstance(statement, ast.Pass)


def _statements(body: list[ast.stmt], documented: bool) -> Iterator[ast.stmt]:
    """Yield statements without the docstring; imports beside each other in order of name."""
    imports: list[ast.stmt] = []
    for place, statement in enumerate(body):
        if isinstance(statement, _Import):
            imports += single_imports(statement)
            continue
        yield from sorted(imports, key=serialise)
        imports = []
        if not (documented and place == 0 and _is_text(statement)):
            yield statement
    yield from sorted(imports, key=serialise)


def _is_text(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return False
    return isinstance(statement.value.value, str)


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
