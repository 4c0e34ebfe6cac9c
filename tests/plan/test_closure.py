"""What a function uses of its project: read from files, never run, the same for every machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pointillist.plan import closure
from pointillist.plan.closure import Closure
from pointillist.plan.ownmodules import OwnModules

Make = Callable[[dict[str, str]], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write the files of a project into a folder."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "lab" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "lab"

    return write


def used(root: Path, file: str = "project.py", name: str = "f") -> list[str]:
    """Return by place and name what a function of a project uses."""
    found = Closure(OwnModules(root))
    assert found.add(root / file, name, 1)
    return sorted(found.parts)


PROJECT = {
    "project.py": "import numpy as np\nfrom pkg import smooth\nA = [1]\nA.append(2)\n"
    "def f(x):\n    import helpers\n    return smooth(helpers.g(np.mean(x), A))\n",
    "helpers.py": "raise RuntimeError('it was run')\ndef g(x, y):\n    from pkg.deep import B, h\n"
    "    return h(x) + y + B\n",
    "pkg/__init__.py": "from .filters import *\nfrom .deep import h\n",
    "pkg/filters.py": "from typing import Any\nfrom . import deep as d\n"
    "def smooth(x: Any) -> Any:\n    return d.h(x)\n",
    "pkg/deep.py": "B = 1\ndef h(x): return h(x - 1) if x else k()\n"
    "def k():\n    import project\n    return project.f(0)\ndef unused(): pass\n",
}

USED = [
    *("helpers.py:g", "pkg/deep.py:B", "pkg/deep.py:h", "pkg/deep.py:k"),
    *("pkg/filters.py:d", "pkg/filters.py:smooth", "project.py:A", "project.py:f"),
    *("project.py:np", "project.py:smooth"),
]


def test_nothing_is_run(make: Make) -> None:
    """Modules are followed through imports of every kind, in circles too, and none is run."""
    root = make(PROJECT)
    before = set(sys.modules)
    assert USED == used(root)
    assert set() == set(sys.modules) - before


SCRIPT = """
import json, pathlib, sys
sys.path.insert(0, sys.argv[1])
from plan.closure import Closure
from plan.ownmodules import OwnModules
found = Closure(OwnModules(pathlib.Path(sys.argv[2])))
found.add(pathlib.Path(sys.argv[2], "project.py"), "f", 1)
print(json.dumps(found.parts))
"""


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_equal_on_all_pythons(make: Make, other_python: Callable[[str], str], version: str) -> None:
    """Every supported Python finds the same parts with the same texts."""
    root = make(PROJECT)
    found = Closure(OwnModules(root))
    found.add(root / "project.py", "f", 1)
    done = subprocess.run(
        [other_python(version), "-I", "-c", SCRIPT, Path(closure.__file__).parents[1], root],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.parts == json.loads(done.stdout)


def test_search_path(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules in folders of the project's that are on the search path count, in any order."""
    root = make(
        {
            "project.py": "import tools\ndef f(): return tools.g(tools.A)\n",
            "lib/tools.py": "def g(x): pass\n",
            "src/tools.py": "A = 1\n",
        }
    )
    assert ["project.py:f", "project.py:tools"] == used(root)
    monkeypatch.setattr(sys, "path", [str(root / "lib"), *sys.path, str(root / "src")])
    whole = ["lib/tools.py:g", "project.py:f", "project.py:tools", "src/tools.py:A"]
    assert whole == used(root)
    sys.path.reverse()
    assert whole == used(root)


def test_beside_the_module(make: Make) -> None:
    """What lies beside a program, or beside a package, is found from there."""
    root = make(
        {
            "scripts/project.py": "from tools import g\nfrom pkg.a import h\ndef f(): g(h)\n",
            "scripts/tools.py": "def g(x): pass\n",
            "scripts/pkg/__init__.py": "",
            "scripts/pkg/a.py": "import tools\ndef h(): return tools.g(1)\n",
        }
    )
    assert [
        *("scripts/pkg/a.py:h", "scripts/pkg/a.py:tools", "scripts/project.py:f"),
        *("scripts/project.py:g", "scripts/project.py:h", "scripts/tools.py:g"),
    ] == used(root, "scripts/project.py")


def test_installed_inside(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that are installed into the project's folder are not the project's own."""
    root = make(
        {
            "project.py": "import numpy\ndef f(): return numpy.mean()\n",
            ".venv/lib/python3.11/site-packages/numpy/__init__.py": "def mean(): return 1\n",
        }
    )
    monkeypatch.syspath_prepend(str(root / ".venv/lib/python3.11/site-packages"))
    assert ["project.py:f", "project.py:numpy"] == used(root)


def test_outside(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies outside of the project's folder is not its own, what is linked into it is."""
    root = make(
        {
            "project.py": "import shared, linked\ndef f(): return shared.g(linked.g())\n",
            "../elsewhere/shared.py": "def g(x): return 1\n",
        }
    )
    (root / "linked.py").symlink_to(tmp_path / "elsewhere" / "shared.py")
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    names = ["linked.py:g", "project.py:f", "project.py:linked", "project.py:shared"]
    assert names == used(root)
    assert not Closure(OwnModules(root)).add(tmp_path / "elsewhere" / "shared.py", "g", 1)


def test_linked_project(make: Make, tmp_path: Path) -> None:
    """A project that is reached by a link is the same project."""
    root = make(PROJECT)
    (tmp_path / "link").symlink_to(root)
    assert used(root) == used(tmp_path / "link")
    found = Closure(OwnModules(tmp_path / "link"))
    assert found.add(root / "project.py", "f", 1)
    assert used(root) == sorted(found.parts)


def test_folders_that_are_no_packages(make: Make) -> None:
    """A folder of data that is called like an installed package changes nothing."""
    root = make({"project.py": "import signal\ndef f(): return signal.alarm(1)\n", "signal/a": ""})
    assert ["project.py:f", "project.py:signal"] == used(root)


def test_broken_files(make: Make) -> None:
    """A module that no Python can read has no parts; what imports it has."""
    root = make({"project.py": "import b\ndef f(): return b.g()\n", "b.py": "def g(: return"})
    assert ["project.py:b", "project.py:f"] == used(root)


def test_encodings(make: Make) -> None:
    """Line endings and encodings are how a text is stored, not what it says."""
    text = 'def f(): return """ä\n b"""\n'
    root = make({"project.py": text})
    one = Closure(OwnModules(root))
    one.add(root / "project.py", "f", 1)
    for data in (
        text.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + text.encode(),
        b"# coding: latin-1\n" + text.encode("latin-1"),
    ):
        (root / "project.py").write_bytes(data)
        other = Closure(OwnModules(root))
        other.add(root / "project.py", "f", 1)
        assert one.parts == other.parts
