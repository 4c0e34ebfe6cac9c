"""The source rule's hash: what changes it and what does not, equal on all Pythons."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pointillist.model.options import Options
from pointillist.model.steps import Call
from pointillist.plan.source import SourceReader

_COUNT = itertools.count()

Digest = Callable[..., str | None]


@pytest.fixture
def digest(tmp_path: Path) -> Iterator[Digest]:
    """Hash the function ``f`` of a project's module; other modules go by their names."""
    loaded: list[str] = []
    sys.path.insert(0, str(tmp_path))

    def load(name: str, text: str) -> None:
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(text))
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loaded.append(name)
        spec.loader.exec_module(module)

    def take(text: str, root: Path | None = None, **others: str) -> str | None:
        for name, other in others.items():
            load(name, other)
        load("project_under_test", text)
        function = vars(sys.modules["project_under_test"])["f"]
        call = Call("python", getattr(function, "function", function), {}, Options())
        return SourceReader(root or tmp_path, tmp_path / "matlab").digest([call])

    yield take
    sys.path.remove(str(tmp_path))
    for name in loaded:
        sys.modules.pop(name, None)


BASE = """
    def f(x):
        return x + 1
    """


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    # a comment\n    return x + 1   # another\n",
        'def f(x):\n    """What it does."""\n    return x + 1\n',
        "def f(x: int) -> float:\n    return x + 1\n",
        "def f( x ):\n\n    return (x\n            + 1)\n",
        "import os\nUNUSED = 3\ndef g(): pass\ndef f(x):\n    return x + 1\n",
        "import pointillist as pt\n@pt.step(retries=3)\ndef f(x):\n    return x + 1\n",
        "from pointillist import step\n@step\ndef f(x):\n    return x + 0x1\n",
    ],
    ids=["comments", "docstring", "annotations", "format", "the rest", "options", "spelling"],
)
def test_does_not_matter(digest: Digest, other: str) -> None:
    """Comments, docstrings, annotations, layout and our decorators do not change the hash."""
    assert digest(BASE) == digest(other)


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + 2\n",
        "def f(x):\n    return x + 1.0\n",
        "def f(x):\n    return x - 1\n",
        "def f(x, y=1):\n    return x + 1\n",
        "def f(y):\n    return y + 1\n",
        "def f(x):\n    return x + True\n",
        "import functools\n@functools.cache\ndef f(x):\n    return x + 1\n",
        "def f(x):\n    'not first'; 'two'\n    return x + 1\n",
    ],
)
def test_matters(digest: Digest, other: str) -> None:
    """What it does, its arguments and other decorators change the hash."""
    assert digest(BASE) != digest(other)


USED = [
    ("def g(x): return x * {}\ndef f(x): return g(x)\n", {}),
    ("def h(): return {}\ndef g(x): return x * h()\ndef f(x): return g(x)\n", {}),
    ("A = {}\ndef f(x): return x + A\n", {}),
    ("A = {}\nB = A + 1\ndef f(x): return x + B\n", {}),
    ("A: int = {}\ndef f(x): return x + A\n", {}),
    ("A, B = {}, 1\ndef f(x): return x + A\n", {}),
    ("A = [1]\nA += [{}]\ndef f(x): return A\n", {}),
    ("if True:\n    A = {}\nelse:\n    A = 0\ndef f(x): return A\n", {}),
    ("try:\n    A = {}\nexcept ValueError:\n    A = 0\ndef f(x): return A\n", {}),
    ("A = {}\ndef f(x, y=A): return x\n", {}),
    ("A = {}\ndef f(x): return (lambda: A)()\n", {}),
    ("class G:\n    def m(self): return {}\ndef f(x): return G().m()\n", {}),
    ("class B:\n    a = {}\nclass G(B): pass\ndef f(x): return G.a\n", {}),
    ("class G:\n    a = {}\ng = G()\ndef f(x): return g.a\n", {}),
    ("def d(f): return lambda x: f(x) + {}\n@d\ndef g(x): return x\ndef f(x): return g(x)\n", {}),
    (
        "import functools\ndef d(f):\n    @functools.wraps(f)\n    def g(x): return f(x) + {}\n"
        "    return g\n@d\ndef f(x): return x\n",
        {},
    ),
    ("from tools import g\ndef f(x): return g(x)\n", {"tools": "def g(x): return {}\n"}),
    ("from tools import g as k\ndef f(x): return k(x)\n", {"tools": "def g(x): return {}\n"}),
    ("import tools\ndef f(x): return tools.g(x)\n", {"tools": "def g(x): return {}\n"}),
    ("import tools as t\ndef f(x): return t.g(x)\n", {"tools": "def g(x): return {}\n"}),
    ("from tools import A\ndef f(x): return A\n", {"tools": "A = {}\n"}),
    ("from tools import A as B\ndef f(x): return B\n", {"tools": "A = {}\n"}),
    ("import tools\ndef f(x): return tools.A\n", {"tools": "A = {}\n"}),
    ("from tools import *\ndef f(x): return g(x)\n", {"tools": "def g(x): return {}\n"}),
    (
        "from tools import g\ndef f(x): return g(x)\n",
        {"more": "B = {}\n", "tools": "from more import B as C\ndef g(x): return C\n"},
    ),
]


@pytest.mark.parametrize(("text", "others"), USED, ids=[str(n) for n in range(len(USED))])
def test_what_is_used(digest: Digest, text: str, others: dict[str, str]) -> None:
    """What a step uses of its project counts, across modules, however it is spelled."""

    def filled(number: int) -> str | None:
        fill = str(number)
        return digest(
            text.replace("{}", fill), **{n: t.replace("{}", fill) for n, t in others.items()}
        )

    assert filled(4) == filled(4)
    assert filled(4) != filled(5)


def test_not_used(digest: Digest) -> None:
    """What a step does not use does not count, nor what lies outside of the project."""
    text = "import tools\nimport os.path\ndef f(x): return tools.g(os.path.join(x))\n"
    one = digest(text, tools="def g(x): return 1\ndef other(): return 2\n")
    assert one == digest(text, tools="def g(x): return 1\ndef other(): return 3\n")


def test_recursion(digest: Digest) -> None:
    """Functions that call each other are read once each."""
    text = "def g(x): return f(x)\ndef f(x): return g(x) + {}\n"
    assert digest(text.replace("{}", "1")) != digest(text.replace("{}", "2"))


def test_run_or_imported(digest: Digest, tmp_path: Path) -> None:
    """A step has one hash whether its module is the program that runs or is imported."""
    imported = digest(BASE)
    (tmp_path / "project_under_test.py").write_text(
        textwrap.dedent(BASE)
        + "from pathlib import Path\n"
        + "from pointillist.model.options import Options\n"
        + "from pointillist.model.steps import Call\n"
        + "from pointillist.plan.source import SourceReader\n"
        + "here = Path(__file__).parent\n"
        + "print(SourceReader(here, here).digest([Call('python', f, {}, Options())]))\n"
    )
    printed = subprocess.run(
        [sys.executable, tmp_path / "project_under_test.py"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert imported == printed.strip()


def test_version_instead(tmp_path: Path) -> None:
    """A step with a version has no source, nor has a shell command."""
    reader = SourceReader(tmp_path, tmp_path)
    assert None is reader.digest([Call("python", len, {}, Options(version="2"))])
    assert None is reader.digest([Call("shell", "cp a b", {}, Options())])


def test_matlab(tmp_path: Path) -> None:
    """Of ``.m`` files comments do not count, functions that are called do."""

    def take() -> str | None:
        call = Call("matlab", "first", {}, Options())
        return SourceReader(tmp_path, tmp_path).digest([call])

    assert None is take()
    (tmp_path / "first.m").write_text("function y = first(x)\n  y = second(x) + 1;\nend\n")
    (tmp_path / "third.m").write_text("function y = third(x)\n  y = 1;\nend\n")
    alone = take()
    (tmp_path / "second.m").write_text("function y = second(x)\n  y = 2 * x;\nend\n")
    both = take()
    assert None not in (alone, both) and alone != both
    (tmp_path / "second.m").write_text(
        "% doubles\nfunction y = second(x)\n\n  y = 2 * x; % so\nend\n"
    )
    (tmp_path / "third.m").write_text("function y = third(x)\n  y = 3;\nend\n")
    assert both == take()
    (tmp_path / "second.m").write_text("function y = second(x)\n  y = 3 * x;\nend\n")
    assert both != take()
