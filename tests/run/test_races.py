"""Several runners at once, and runners that stop for so long that others take over from them."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointillist.cli.run import run_steps
from pointillist.plan.states import State
from pointillist.run import heartbeat
from pointillist.space.identity import Identity

from .filecalls import count, stopping

LONG = bool(os.environ.get("POINTILLIST_LONG"))

MANY = """
from __future__ import annotations
from pathlib import Path
import time
import pointillist as pt


@pt.step
def doubled(number: int) -> int:
    return 2 * number


@pt.step
def halves(number: int) -> dict[str, int]:
    return {"low": number // 2, "high": number - number // 2}


@pt.step
def added(low: int, high: int) -> int:
    time.sleep(0.002)  # some work, so that no runner is at the end before the others have begun
    return low + high


@pt.step
def total(numbers: list[int]) -> int:
    return sum(numbers)


class Item(pt.Record):
    number: int = pt.key()

    @property
    def parity(self) -> str:
        return "odd" if self.number % 2 else "even"

    twice: int = doubled.step(number).to()
    pair = halves.step(twice)
    low: int = pair.output("low").to()
    high: int = pair.output("high").to()
    both: int = added.step(low, high).to()
    fourfold: int = doubled.step(both).to()


class Group(pt.Aggregate[Item]):
    parity: str = pt.key()
    total: int = total.step(pt.each(Item.fourfold)).to()


class Lab(pt.Project):
    records = (Item, Group)
"""

RECORDS = 125
TASKS = 4 * RECORDS + 2


@pytest.fixture(autouse=True)
def quick_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be known: looking at all packages takes longer than a whole run."""
    monkeypatch.setattr("pointillist.run.environment._describe", lambda root: {"python": "3"})


def told(shop: Any, work: Callable[[], Any], number: int) -> Callable[[], None]:
    """Let a fork do something, what it prints go to a file, and nothing of it fail."""

    def does() -> None:
        printed = os.open(shop.root / f"printed {number}", os.O_WRONLY | os.O_CREAT)
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        summary = work()
        assert [] == summary.failed, [str(attempt.error) for _, attempt in summary.failed]
        assert [] == summary.still_failed

    return does


def printed(shop: Any) -> str:
    """Return what all forks have printed."""
    return "".join(path.read_text() for path in sorted(shop.root.glob("printed *")))


@pytest.mark.parametrize("number", range(10 if LONG else 3))
def test_four_runners(workshop: Any, fork_off: Any, number: int) -> None:
    """Four runners on 500 tasks: each is done once, none fails, nothing is left over."""
    shop = workshop(MANY)
    shop.lab().add_product(shop.module.Item, number=range(RECORDS))
    together = multiprocessing.get_context("fork").Barrier(4)

    def work() -> Any:
        lab = shop.lab()
        lab.sync()
        together.wait()
        return run_steps(lab, lab.engine.planner(), None, None)

    runners = [fork_off(told(shop, work, n)) for n in range(4)]
    assert [0] * 4 == [os.waitpid(pid, 0)[1] for pid in runners], printed(shop)
    assert "" == printed(shop)
    assert TASKS == len(shop.completed()) and {1} == set(shop.completed().values())
    assert {"complete"} == {attempt["outcome"] for attempt in shop.attempts()}
    assert [] == shop.leftovers()
    assert Counter({State.COMPLETE: TASKS}) == Counter(v.state for v in shop.verdicts().values())
    lab = shop.lab()
    totals = {g.parity: g.total for g in lab[shop.module.Group]}
    assert {"odd": 4 * sum(range(1, 125, 2)), "even": 4 * sum(range(0, 125, 2))} == totals
    journals = {attempt["runner"] for attempt in with_runners(shop)}
    assert len(journals) > 1, "the race was no race"


@pytest.mark.parametrize("number", range(10 if LONG else 3))
def test_four_runners_after_a_dead_one(workshop: Any, fork_off: Any, number: int) -> None:
    """Four runners find all tasks claimed by a dead one: each is taken over once, and done once."""
    shop = workshop(MANY)
    shop.lab().add_product(shop.module.Item, number=range(RECORDS))
    leave_claims(shop)
    runners = [fork_off(told(shop, shop.run, n)) for n in range(4)]
    assert [0] * 4 == [os.waitpid(pid, 0)[1] for pid in runners], printed(shop)
    assert "" == printed(shop)
    assert TASKS == len(shop.completed()) and {1} == set(shop.completed().values())
    died = [a for a in shop.attempts() if a["outcome"] == "interrupted"]
    assert {"its runner 20200101T000000-here-1 died"} == {a["error"] for a in died}
    assert [] == shop.leftovers()
    assert Counter({State.COMPLETE: TASKS}) == Counter(v.state for v in shop.verdicts().values())


def leave_claims(shop: Any) -> None:
    """Let a runner that died have claimed every step of every record."""
    runner = "20200101T000000-here-1"
    opening = {"kind": "runner", "format": 1, "runner": runner, "start": 0.0}
    journal = shop.root / f".pointillist/runs/{runner}.jsonl"
    dead = {**Identity.own().as_json(), "started": "17"}
    journal.write_text(json.dumps({**opening, **dead}) + "\n")
    for job in shop.jobs():
        for step in ("twice", "pair", "both", "fourfold", "total"):
            if (step == "total") == ("aggregates" in job.parts):
                os.link(journal, job / f".{step}.claim.1")


def with_runners(shop: Any) -> list[dict[str, Any]]:
    """Return the attempts with the journals that they stand in."""
    return [
        {**data, "runner": journal.stem}
        for journal in sorted(shop.root.glob(".pointillist/runs/*.jsonl"))
        for data in map(json.loads, journal.read_text().splitlines())
        if data["kind"] == "attempt"
    ]


SLEEPY = """
from __future__ import annotations
from pathlib import Path
import os
import pointillist as pt


@pt.step
def signed(raw: Path) -> dict[str, str]:
    who = f"{raw.read_text()} by {os.getpid()}"
    return {"left": who, "right": who}


@pt.step
def same(left: str, right: str) -> str:
    return "same" if left == right else f"{left} is not {right}"


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
    pair = signed.step(raw)
    left: str = pair.output("left").to()
    right: str = pair.output("right").to()
    judged: str = same.step(left, right).to()
    pieces: Path = pt.shell("mkdir {out} && cp {left} {out}/1 && cp {right} {out}/2").to("pieces")


class Lab(pt.Project):
    records = (Item,)
"""


@pytest.fixture
def sleepy(workshop: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Make projects whose outputs say which runner made them; heartbeats go fast."""
    monkeypatch.setattr(heartbeat, "BEAT", 0.01)
    monkeypatch.setattr(heartbeat, "SILENCE", 0.05)

    def made(name: str) -> Any:
        shop = workshop(SLEEPY, name)
        (shop.root / "raw").mkdir()
        (shop.root / "raw/a.txt").write_text("a")
        shop.lab().discover()
        return shop

    return made


def elsewhere(work: Callable[[], Any]) -> Callable[[], Any]:
    """Let something be done on a host that cannot be seen from here."""

    def does() -> Any:
        socket.gethostname = lambda: "elsewhere"
        usual = time.time
        time.time = lambda: usual() + 60.0  # and its clock is a minute ahead
        return work()

    return does


def wait_until_stopped(pid: int) -> bool:
    """Wait until a child has stopped itself; return False if it has ended instead."""
    status = os.waitpid(pid, os.WUNTRACED)[1]
    assert os.WIFSTOPPED(status) or status == 0, status
    return os.WIFSTOPPED(status)


def check_right(shop: Any, raw: str) -> None:
    """Hold that all is complete, made of `raw` by one runner, and that nothing is left over."""
    contents = {Path(place).name: text.decode() for place, text in shop.outputs().items()}
    assert contents["left.txt"].startswith(f"{raw} by ")
    assert contents["left.txt"] == contents["right.txt"] == contents["1"] == contents["2"]
    assert "same" == contents["judged.txt"].strip()
    assert [] == shop.leftovers()
    verdicts = {task: str(verdict) for task, verdict in shop.verdicts().items()}
    assert {"complete"} == set(verdicts.values()), verdicts


@pytest.mark.parametrize("quick", [0.0, float("inf")], ids=["a claim a step", "a claim for many"])
@pytest.mark.parametrize(
    ("old", "later"),
    [(False, False), (True, False), (True, True)],
    ids=["fresh", "over old outputs", "and done once more"],
)
def test_stopped_past_its_heartbeat(
    sleepy: Any,
    fork: Any,
    fork_off: Any,
    monkeypatch: pytest.MonkeyPatch,
    old: bool,
    later: bool,
    quick: float,
) -> None:
    """A runner stops anywhere, another one takes over; the first wakes up and does no harm.

    Stopped before its closing line its work is repeated; after it, what it made is published by
    the other one. It ends well, and prints nothing; the judgement knows what lies there.
    """
    monkeypatch.setattr("pointillist.run.claiming.QUICK", quick)

    def made(name: str) -> Any:
        shop = sleepy(name)
        if old:
            (shop.root / "raw/a.txt").write_text("old")
            assert 0 == fork(shop.run)
            (shop.root / "raw/a.txt").write_text("new")
        return shop

    shop = made("counted")
    points = count(fork, shop.root, elsewhere(shop.run))
    assert 30 < points
    repeated = 0
    for number in range(1, points + 1, 1 if LONG or not later else 2):
        shop, raw = made(f"lab {number}"), "new" if old else "a"
        stops = elsewhere(lambda s=shop, n=number: stopping(s.root, n, s.run))
        before = shop.completed()
        sleeper = fork_off(told(shop, stops, 0))
        try:
            assert wait_until_stopped(sleeper), number
            counted = Counter(shop.completed()) - Counter(before)
            assert 0 == fork(told(shop, shop.run, 1)), (number, printed(shop))
            check_right(shop, raw)
            if later:
                raw = "later"
                (shop.root / "raw/a.txt").write_text(raw)
                assert 0 == fork(told(shop, shop.run, 2)), (number, printed(shop))
            there = shop.outputs()
        finally:
            os.kill(sleeper, signal.SIGCONT)
        assert 0 == os.waitpid(sleeper, 0)[1], (number, printed(shop))
        assert "" == printed(shop), number
        check_right(shop, raw)
        assert there == shop.outputs(), number
        times = shop.completed()
        assert all(1 + old + later == times[key] for key in counted), (number, times)
        repeated += max(times.values()) > min(times.values())
        assert 0 == shop.run().done, number
    assert 0 < repeated, "nobody recorded late what another one had done"
