"""What is recorded of an attempt that fails: how its command ended, or what its step raised."""

from __future__ import annotations

from typing import Any

import pytest

PROJECT = """
from __future__ import annotations
import asyncio
from pathlib import Path
import pointillist as pt


class Odd(Exception):
    pass


@pt.step
def one(raw: Path) -> str:
    raise Odd("no")


@pt.step
def two(raw: Path) -> str:
    raise SystemExit(4)


@pt.step
def four(raw: Path) -> str:
    raise asyncio.CancelledError


@pt.step
def three(raw: Path) -> float:
    return {}


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")

    made: WHAT


class Lab(pt.Project):
    records = (Item,)
"""

CASES = {
    "exit code": ('str = pt.shell("exit 3; cat {raw} {out}").to()', 3, None),
    "signal": ('str = pt.shell("kill -9 $$; cat {raw} {out}").to()', -9, None),
    "octave": ('str = pt.matlab("noSuchFunction", raw, pt.out).to()', 1, None),
    "unstored": (
        'str = pt.shell("false {raw}").unstored()\n    last: str = pt.shell('
        '"echo {made} > {out}").to()',
        1,
        None,
    ),
    "exception": ("str = one.step(raw).to()", None, "Odd"),
    "exit": ("str = two.step(raw).to()", None, "SystemExit"),
    "cancelled": ("str = four.step(raw).to()", None, "CancelledError"),
    "writer": ("float = three.step(raw).to()", None, None),
    "no output": ('str = pt.shell("true {raw} {out}").to()', None, None),
}


@pytest.mark.parametrize("case", CASES)
def test_failed(workshop: Any, case: str) -> None:
    """The journal has the exit code of the command, or the name of the exception."""
    wired, code, exception = CASES[case]
    shop = workshop(PROJECT.replace("WHAT", wired))
    (shop.root / "raw").mkdir()
    (shop.root / "raw/a.txt").write_text("a")
    shop.lab().discover()
    shop.run()
    (attempt,) = shop.attempts()
    assert "failed" == attempt["outcome"]
    assert (code, exception) == (attempt.get("code"), attempt.get("exception"))
    assert attempt["error"] and attempt["environment"]


def test_complete(workshop: Any) -> None:
    """Of an attempt that ends well neither is said."""
    shop = workshop(PROJECT.replace("WHAT", 'str = pt.shell("cp {raw} {out}").to()'))
    (shop.root / "raw").mkdir()
    (shop.root / "raw/a.txt").write_text("a")
    shop.lab().discover()
    shop.run()
    (attempt,) = shop.attempts()
    assert "complete" == attempt["outcome"]
    assert not {"code", "exception", "error"} & set(attempt)
