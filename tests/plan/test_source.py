"""The source rule's hash: what changes it and what does not, equal on all Pythons."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pointillist.model.options import Options
from pointillist.model.steps import Call
from pointillist.plan.source import SourceReader

Digest = Callable[..., str | None]


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Digest]:
    """Hash the function ``f`` of a project's module; other modules go by their names."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)

    def take(text: str, **others: str) -> str | None:
        for name in set(sys.modules) - before:
            del sys.modules[name]
        importlib.invalidate_caches()
        for name, other in {**others, "project_under_test": textwrap.dedent(text)}.items():
            path = tmp_path / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(other)
        function = vars(importlib.import_module("project_under_test"))["f"]
        call = Call("python", getattr(function, "function", function), {}, Options())
        return SourceReader(tmp_path, tmp_path / "matlab").digest([call])

    yield take
    for name in set(sys.modules) - before:
        del sys.modules[name]


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
    # changed after it was bound
    ("A = dict()\nA['b'] = {}\ndef f(x): return A\n", {}),
    ("A = []\nA.append({})\ndef f(x): return A\n", {}),
    ("A = dict()\nfor i in range({}):\n    A[i] = 1\ndef f(x): return A\n", {}),
    ("A = 1\ndef start():\n    global A\n    A = {}\nstart()\ndef f(x): return A\n", {}),
    ("import math\nmath.lab = {}\ndef f(x): return math.lab\n", {}),
    ("class G: pass\ng = G()\ng.a = {}\ndef f(x): return g.a\n", {}),
    ("def g(x): return 1\ng = [g, {}]\ndef f(x): return g\n", {}),
    # defined under a condition
    ("C = {}\nif C > 4:\n    A = 1\nelse:\n    A = 2\ndef f(x): return A\n", {}),
    ("if 1:\n    if 2 < {}:\n        def g(): pass\ndef f(x): return g()\n", {}),
    ("with open(__file__) as o:\n    A = {}\ndef f(x): return A\n", {}),
    ("match {}:\n    case 4: A = 1\n    case a: A = 2\ndef f(x): return A\n", {}),
    ("match [{}]:\n    case [A]: pass\ndef f(x): return A\n", {}),
    ("(A := {})\ndef f(x): return A\n", {}),
    ("for A in [{}]: pass\ndef f(x): return A\n", {}),
    ("[A := i for i in [{}]]\ndef f(x): return A\n", {}),
    # of functions and classes
    ("from functools import partial\ndef g(a): return a\nh = partial(g, {})\ndef f(x): h()\n", {}),
    ("def f(x):\n    def g(): return {}\n    return g()\n", {}),
    ("A = {}\ndef f(x):\n    class G:\n        a = A\n    return G.a\n", {}),
    ("A = {}\ndef f(x):\n    global A\n    A += x\n", {}),
    ("A = {}\ndef f(x): return [A for _ in x]\n", {}),
    ("x = {}\ndef f(y): return [x for x in x]\n", {}),
    ("class G:\n    @staticmethod\n    def f(x): return {}\nf = G.f\n", {}),
    ("A = {}\nclass G:\n    @staticmethod\n    def f(x): return A\nf = G.f\n", {}),
    ("f = lambda x: x + {}\n", {}),
    ("A = {}\nfs = [lambda x: x + A]\nf = fs[0]\n", {}),
    ("def make(n):\n    def f(x): return x + n\n    return f\nf = make({})\n", {}),
    ("def make(n):\n    return lambda x: x + n[0]\nf = make([{}])\n", {}),
    ("def d(f):\n    def g(x): return f(x)\n    return g\n@d\ndef f(x): return {}\n", {}),
    ("def d(f):\n    def g(x): return f(x) + {}\n    return g\n@d\ndef f(x): return 1\n", {}),
    (
        "from tools import d\n@d\ndef f(x): return 1\n",
        {
            "tools": (
                "import functools\ndef d(f):\n    @functools.wraps(f)\n"
                "    def g(x): return f(x) + {}\n    return g\n"
            )
        },
    ),
    (
        "import tools\n@tools.d({})\ndef f(x): return 1\n",
        {"tools": "def d(n): return lambda f: f\n"},
    ),
    (
        "import tools\nclass G(tools.B): pass\ndef f(x): return G()\n",
        {"tools": "class B: a = {}\n"},
    ),
    (
        "from dataclasses import dataclass as d\n@d\nclass G:\n    a{}: int = 0\ndef f(x): G()\n",
        {},
    ),
    (
        "from dataclasses import dataclass\n@dataclass\nclass G:\n    a{}: int\ndef f(x): G(1)\n",
        {},
    ),
    (
        "import functools\n@functools.singledispatch\ndef g(x): pass\n@g.register\n"
        "def _(x: int): return {}\ndef f(x): return g(x)\n",
        {},
    ),
    ("T = {'a': 1}\ndef g(): return {}\nT2 = {'g': g}\ndef f(x): return T2[x]()\n", {}),
    # whatever is imported, and wherever
    ("def f(x):\n    import tools\n    return tools.g(x)\n", {"tools": "def g(x): return {}\n"}),
    ("def f(x):\n    import tools as t\n    return t.A\n", {"tools": "A = {}\n"}),
    (
        "def f(x):\n    from tools import g as h\n    return h(x)\n",
        {"tools": "def g(x): return {}\n"},
    ),
    (
        "def f(x):\n    from tools import g\n    return [lambda: g(x)]\n",
        {"tools": "def g(x):\n    import more\n    return more.A\n", "more": "A = {}\n"},
    ),
    ("def f(x):\n    class G:\n        from tools import g\n", {"tools": "def g(x): return {}\n"}),
    (
        "try:\n    from tools import g\nexcept ImportError:\n    g = None\ndef f(x): return g(x)\n",
        {"tools": "def g(x): return {}\n"},
    ),
    ("from pkg.mod import g\ndef f(x): return g(x)\n", {"pkg/mod": "def g(x): return {}\n"}),
    ("import pkg.mod\ndef f(x): return pkg.mod.g(x)\n", {"pkg/mod": "def g(x): return {}\n"}),
    ("import pkg.mod as m\ndef f(x): return m.g(x)\n", {"pkg/mod": "def g(x): return {}\n"}),
    ("from pkg import mod\ndef f(x): return mod.g(x)\n", {"pkg/mod": "def g(x): return {}\n"}),
    (
        "def f(x):\n    import pkg.mod as m\n    return m.g(x)\n",
        {"pkg/mod": "def g(x): return {}\n"},
    ),
    (
        "from pkg import g\ndef f(x): return g(x)\n",
        {"pkg/__init__": "from .mod import g\n", "pkg/mod": "def g(x): return {}\n"},
    ),
    (
        "import pkg\ndef f(x): return pkg.mod.g(x)\n",
        {"pkg/__init__": "from . import mod\n", "pkg/mod": "def g(x): return {}\n"},
    ),
    (
        "import pkg\ndef f(x): return pkg.g(x)\n",
        {"pkg/__init__": "from .mod import *\n", "pkg/mod": "def g(x): return {}\n"},
    ),
    (
        "from pkg.sub.one import g\ndef f(x): return g(x)\n",
        {
            "pkg/sub/one": "from ..two import A\nfrom .three import B\ndef g(x): return A + B\n",
            "pkg/two": "A = {}\n",
            "pkg/sub/three": "B = 1\n",
        },
    ),
    (
        "from pkg.sub.one import g\ndef f(x): return g(x)\n",
        {
            "pkg/__init__": "",
            "pkg/sub/__init__": "",
            "pkg/sub/one": "def g(x):\n    from .three import B\n    return B\n",
            "pkg/two": "A = 1\n",
            "pkg/sub/three": "B = {}\n",
        },
    ),
    (
        "from tools import *\ndef f(x): return g(x)\n",
        {"tools": "from more import *\nfrom tools import *\n", "more": "def g(x): return {}\n"},
    ),
    # and from where, if it is not the project's own
    ("from math import <f> as g\ndef f(x): return g(x)\n", {}),
    ("import <m> as g\ndef f(x): return g.x\n", {}),
    ("def f(x):\n    from math import <f> as g\n    return g(x)\n", {}),
    ("from <m> import *\ndef f(x): return sin(x)\n", {}),
    (
        "from tools import <f> as g\ndef f(x): return g(x)\n",
        {"tools": "def sin(): 1\ndef cos(): 1\n"},
    ),
    ("def f(x): return g(x)\nfrom tools import <f> as g\n", {"tools": "sin = cos = 1\n"}),
]


def fill(text: str, number: int) -> str:
    """Return a text with the number 4 or 5 in its gap; or one of two functions or modules."""
    function, module = {4: ("sin", "math"), 5: ("cos", "cmath")}[number]
    return text.replace("{}", str(number)).replace("<f>", function).replace("<m>", module)


@pytest.mark.parametrize(("text", "others"), USED, ids=[str(n) for n in range(len(USED))])
def test_what_is_used(digest: Digest, text: str, others: dict[str, str]) -> None:
    """What a step uses of its project counts, across modules, however it is spelled."""

    def filled(number: int) -> str | None:
        return digest(fill(text, number), **{n: fill(t, number) for n, t in others.items()})

    assert filled(4) == filled(4)
    assert filled(4) != filled(5)


UNUSED = [
    ("def g(x): return {}\ndef f(x): return x\n", {}),
    ("def x(): return {}\ndef f(x): return x\n", {}),
    ("A = {}\ndef f(x):\n    A = x\n    return A\n", {}),
    ("A = {}\ndef f(x): return [A for A in x]\n", {}),
    ("A = {}\ndef f(x): return (lambda A: A)(x)\n", {}),
    ("A = {}\ndef f(x):\n    for A in x: print(A)\n    def g(): return A\n    return g\n", {}),
    ("A = {}\ndef f(x: A) -> A:\n    y: A = x\n    return y\n", {}),
    ("A = {}\ndef f(x): return x.A\n", {}),
    (
        "import tools\ndef f(x): return tools.g(x)\n",
        {"tools": "def g(x): 1\ndef h(x): return {}\n"},
    ),
    ("def f(x):\n    import tools\n    return tools.g(x)\n", {"tools": "def g(x): 1\nA = {}\n"}),
    ("import pointillist as pt\n@pt.step(retries={})\ndef f(x): return 1\n", {}),
    ("from pointillist import step as s\n@s(retries={})\ndef f(x): return 1\n", {}),
    (
        "import pointillist as pt\n@pt.step(retries={})\ndef g(x): pass\ndef f(x): return g(x)\n",
        {},
    ),
    ("A = {}\nimport math\ndef f(x): return math.sin(x)\n", {}),
    ("import math, cmath\nimport os.path\nif {}: import os\ndef f(x): return math.sin(x)\n", {}),
]


@pytest.mark.parametrize(("text", "others"), UNUSED, ids=[str(n) for n in range(len(UNUSED))])
def test_what_is_not_used(digest: Digest, text: str, others: dict[str, str]) -> None:
    """What only looks like something of the module that a step uses does not count."""

    def filled(number: int) -> str | None:
        return digest(fill(text, number), **{n: fill(t, number) for n, t in others.items()})

    assert filled(4) == filled(5)


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
    for program in (tmp_path / "project_under_test.py", "project_under_test.py"):
        printed = subprocess.run(
            [sys.executable, program], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert imported == printed.strip()


@pytest.mark.parametrize(
    "text",
    [
        "def f(x): return " + " + ".join(f"x[{n}]" for n in range(400)) + " + {}\n",
        "def f(x):\n    if x == {}: return 0\n"
        + "".join(f"    elif x == {n}: return {n}\n" for n in range(400)),
    ],
)
def test_deep(digest: Digest, text: str) -> None:
    """Long sums and long chains of ``elif``, as tables are written out, have a hash too."""
    assert digest(text.replace("{}", "-1")) != digest(text.replace("{}", "-2"))


def test_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python stays as it was when it was loaded; ``.m`` files are read anew after a refresh."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "once.py").write_text("import late\ndef f(): return late.A\n")
    (tmp_path / "late.py").write_text("A = 1\n")
    (tmp_path / "run.m").write_text("function run(), 1; end")
    reader = SourceReader(tmp_path, tmp_path)
    python = Call("python", importlib.import_module("once").f, {}, Options())
    matlab = Call("matlab", "run", {}, Options())
    loaded, written = reader.digest([python]), reader.digest([matlab])
    (tmp_path / "late.py").write_text("A = 2\n")
    (tmp_path / "run.m").write_text("function run(), 2; end")
    assert (loaded, written) == (reader.digest([python]), reader.digest([matlab]))
    reader.refresh()
    assert loaded == reader.digest([python])
    assert written != reader.digest([matlab])
    assert loaded != SourceReader(tmp_path, tmp_path).digest([python])
    del sys.modules["once"], sys.modules["late"]


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
