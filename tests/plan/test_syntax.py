"""Syntax trees as text: what counts, what does not, and the same text from every Python."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pointillist.plan import syntax
from pointillist.plan.syntax import serialise

SAMPLE = r'''
import os
import sys, os.path as p, json
from json import loads as read, dumps
def f(a, /, b: int = 1, *args: str, c=0x1F, **kw) -> None:
    """doc"""
    x = f"{a!r:>{b}} {{brace}} {c=}" f'{b:}' "tail" 'ü͸'
    y = f"a{{b}}c{a}d{{" "}}e" f"" f"{a:{b}.{c}}"
    w = f"{chr(65)}" f"x", rb"raw" b"bytes" if False else 0xffffffffffffffffffff
    try:
        pass
    except* ValueError as e:
        raise
    match a:
        case {"k": [1, *rest], **more} if rest: pass
        case str() | None: pass
        case A(x=1): pass
        case -1 | 2j | "a" "b" | [_, (1 | 2) as q]: pass
    with (open(a) as g, open(b)): pass
    lambda q, *, r=1: (yield)
    (n := 10)
    return [i for i in a if i], {**kw}, {*args}, a[1:2, ...], -1, 1e300, 1j, not a, 10**20
async def g(): return [i async for i in f()]
class C(Base, metaclass=M):
    """doc"""
    x: int
    y: int = 3
    def m(self): return super().m()
@deco(1)
def h(): "only doc"
global_x = u"text"
del global_x
big = 0x{big}, 123456789012345678901234567890, 1_000_000, 1e999, -0.0, 0.1, 1e-400, 07.5j, 0b1
texts = "\N{GREEK SMALL LETTER MU} \ud800 \x00 é é", 'it"s', b"\xff", """a
 b""", r"\d" "\\d"
ﬁx = ﬁx.ﬁx
nested = f"{f'{1 if 0 else 2}'}" if 0 else f'{"a" if x else "b"}{x!s:>10}{ x = }{x = !r:^9}'
lines = f"""{
x}
  {x:
>3}""", f"{x:%H:%M}", rf"\d{x}\n", f"\N{DIGIT ONE}{x}", f"{x}" "%s" f"{{", f"", f"a" u"b"
for i, (a, *b) in c: continue
else: pass
while 1: break
async def k():
    async with a as b, c: await d
    async for x in y: pass
    return {i: j for i in a for j in b if i if j}, {*()}, (yield), a if b else c, a < b <= c
try: import a.b
except (A, B): import c
except C as e: raise D from e
else: pass
finally: pass
x = y = *a, b
x[a:b:c, 1], x.y = 1, 2
assert x, "y"
x @= y; x //= y; x **= -y; ~x
global z
def g2():
    nonlocal_ = 1
    def h(): nonlocal nonlocal_
    return lambda *a, b=1, **k: (a, b, k)
'''.replace("{big}", "f" * 20_000)

NEWER = r"""
def f[T: (int, str), *Ts, **P](x: T) -> T:
    return f"{x + f"{x["a"]}" + '\n'.join(f"{y!r}" for y in x)}" f"{
        x  # why
    }"
class C[T](B): pass
type A[T] = list[T]
"""

SCRIPT = """
import ast, sys
sys.path.insert(0, sys.argv[1])
from plan.syntax import serialise
sys.stdout.buffer.write(serialise(ast.parse(sys.stdin.buffer.read())).encode())
"""


def told_by(python: str, text: str) -> str:
    """Return what another Python makes of a text."""
    package = Path(syntax.__file__).parents[1]
    done = subprocess.run(
        [python, "-I", "-c", SCRIPT, package],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_equal_on_all_pythons(other_python: Callable[[str], str], version: str) -> None:
    """A rich sample is written the same by every supported Python."""
    assert serialise(ast.parse(SAMPLE)) == told_by(other_python(version), SAMPLE)


def test_newer_syntax(other_python: Callable[[str], str]) -> None:
    """What only newer Pythons read is the same in them; type parameters do not count."""
    told = told_by(other_python("3.12"), NEWER)
    assert told == told_by(other_python("3.13"), NEWER)
    assert told == told_by(other_python("3.13"), NEWER.replace("[T: (int, str), *Ts, **P]", ""))


SAME = [
    ("def f():\n  pass", "def f():\n  'doc'"),
    ("def f():\n  'doc'\n  return 1", "def f():\n  return 1"),
    ("def f():\n  x: int\n  return 1", "def f():\n  return 1"),
    ("def f(x: int = 1) -> str: return 1", "def f(x=1): return 1"),
    ("x: int = 1", "x = 1"),
    ("class C:\n  x: int = 1\n  y: str", "class C:\n  x = 1"),
    ("if a:\n  pass\n  b()", "if a:\n  b()"),
    ("import a, b", "import b\nimport a"),
    ("def f():\n  import b\n  from c import d, a\n  b()", "def f():\n  from c import a\n"
     "  from c import d\n  import b\n  b()"),
    ("f('a')", 'f(("a"))'),
    ("f(10)", "f(0xA)"),
    ("x = f'{a}' 'b'", "x = f'{a}b'"),
    ("x = (a +\n b)", "x = a + b"),
    ("x = u'a'", "x = 'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    """Docstrings, annotations, ``pass``, the order of imports, and spelling do not count."""
    assert serialise(ast.parse(one)) == serialise(ast.parse(other))


DIFFERENT = [
    ("import a\nx()\nimport b", "import b\nx()\nimport a"),
    ("import a", "import a as b"),
    ("class C(B):\n  x: int = 1", "class C(B):\n  x = 1"),
    ("@dataclass\nclass C:\n  x: int", "@dataclass\nclass C:\n  pass"),
    ("@dataclass\nclass C:\n  x: int\n  y: int", "@dataclass\nclass C:\n  y: int\n  x: int"),
    ("@dataclass\nclass C:\n  x: int = 0", "@dataclass\nclass C:\n  x: ClassVar[int] = 0"),
    ("@f.register\ndef _(x: int): pass", "@f.register\ndef _(x: str): pass"),
    ("x = 1", "x = True"),
    ("x = 1", "x = 1.0"),
    ("x = 'a'", "x = b'a'"),
    ("x = f'{a!r}'", "x = f'{a!s}'"),
    ("x = f'{a:2}'", "x = f'{a:3}'"),
    ("def f():\n  1\n  'text'", "def f():\n  1"),
    ("try: a\nexcept B: c", "try: a\nexcept* B: c"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    """What it does counts, and annotations where they are data."""
    assert serialise(ast.parse(one)) != serialise(ast.parse(other))
