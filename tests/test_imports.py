"""The house of rooms: imports point downwards, and importing pointillist stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "package" / "pointillist"
ROOMS = [  # from the cellar up
    *("errors", "formats", "commands", "model", "space", "plan"),
    *("run", "ray", "cluster", "values", "flow", "view", "cli", "project"),
]
OUTSIDE = {"__init__", "testing"}  # may import from every room
HEAVY = {"h5py", "matplotlib", "numpy", "pandas", "ray", "scipy"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """Give the room of ``pointillist.<room>...``; the package itself is ``__init__``."""
    return [*module.split("."), "__init__"][1]


def name_of(file: Path) -> str:
    """Give the dotted name of a module's file."""
    return ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)


def imported(file: Path, node: ast.AST) -> list[str]:
    """Give the dotted names that an import statement loads, relative ones resolved."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parent = name_of(file).split(".")[: -node.level]
        base = ".".join([*parent, base] if base else parent)
    if base == "pointillist":  # from pointillist import errors
        return [f"{base}.{alias.name}" if alias.name in ROOMS else base for alias in node.names]
    return [base]


def statements(node: ast.AST, *, at_import: bool) -> Iterator[ast.AST]:
    """Walk a module's statements; with ``at_import`` only those that run when it is imported."""
    for child in ast.iter_child_nodes(node):
        if at_import:
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from (each for rest in child.orelse for each in ast.walk(rest))
                continue
        yield child
        yield from statements(child, at_import=at_import)


def imports(file: Path, *, at_import: bool = False) -> list[tuple[int, str]]:
    """Give line and dotted name of each import in a module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [
        (node.lineno, name)
        for node in statements(tree, at_import=at_import)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imported(file, node)
    ]


def says(file: Path, line: int, name: str) -> str:
    """Name an import that should not be."""
    return f"{file.relative_to(PACKAGE)}:{line} imports {name}"


def test_every_module_lies_in_a_room() -> None:
    """There are modules, and none lies outside the rooms."""
    rooms = {room_of(name_of(file)) for file in MODULES}
    assert rooms
    assert set() == rooms - set(ROOMS) - OUTSIDE


def test_imports_point_downwards() -> None:
    """A module imports from its own room and those below, never from one above."""
    wrong = [
        says(file, line, name)
        for file in MODULES
        if (room := room_of(name_of(file))) not in OUTSIDE
        for line, name in imports(file)
        if name.split(".")[0] == "pointillist"
        if room_of(name) not in ROOMS or ROOMS.index(room_of(name)) > ROOMS.index(room)
    ]
    assert [] == wrong


def test_only_the_room_flow_touches_signac_flow() -> None:
    """Only ``flow/``, and ``project.py`` for the class FlowProject, import signac-flow."""
    allowed = {"flow", "project"}
    wrong = [
        says(file, line, name)
        for file in MODULES
        if room_of(name_of(file)) not in allowed
        for line, name in imports(file)
        if name.split(".")[0] == "flow"
    ]
    assert [] == wrong


def test_heavy_packages_are_imported_only_when_used() -> None:
    """Arrays, tables, pictures and Ray are imported inside the functions that use them."""
    wrong = [
        says(file, line, name)
        for file in MODULES
        for line, name in imports(file, at_import=True)
        if name.split(".")[0] in HEAVY
    ]
    assert [] == wrong


def test_modules_are_short() -> None:
    """No module has more than 500 lines."""
    lengths = {
        name_of(file): len(file.read_text(encoding="utf-8").splitlines()) for file in MODULES
    }
    assert {} == {name: length for name, length in lengths.items() if length > 500}


def test_importing_pointillist_is_light() -> None:
    """``import pointillist`` loads no heavy package (numpy is loaded by signac itself)."""
    code = "import sys, pointillist; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set() == set(done.stdout.split()) & (HEAVY - {"numpy"})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import scipy.io", ["scipy.io"]),
        ("def f():\n    import scipy", []),
        ("if TYPE_CHECKING:\n    import scipy\nelse:\n    import numpy", ["numpy"]),
        ("class A:\n    import ray", ["ray"]),
        ("try:\n    from . import keys\nexcept ImportError:\n    pass", ["pointillist.model"]),
        ("from ..errors import SpaceError", ["pointillist.errors"]),
        ("from pointillist import errors, step", ["pointillist.errors", "pointillist"]),
    ],
)
def test_imports_are_found(source: str, expected: list[str]) -> None:
    """The finder of imports sees what runs at import, and only that."""
    file = PACKAGE / "model" / "example.py"
    found = [
        name
        for node in statements(ast.parse(source), at_import=True)
        for name in imported(file, node)
    ]
    assert expected == found
