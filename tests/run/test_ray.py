"""A Ray cluster: its workers do what a serial run does, on two nodes, one of which may be lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pointillist.errors import ConfigurationError
from pointillist.plan.states import State
from pointillist.ray.worker import Work

from .test_pool import (
    BASIS,
    CHAIN,
    COMMAND,
    DEAF,
    DEATHS,
    END,
    PATIENT,
    Heard,
    executors,
    left,
    made,
    states,
)

ENOUGH = 100 * 2**20
"""Bytes of a node's object store."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Start a cluster with two nodes of one CPU each."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": ENOUGH, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    nodes.add_node(num_cpus=1, object_store_memory=ENOUGH, resources={"tape": 1})
    yield nodes
    nodes.shutdown()


def test_as_serial(workshop: Any, cluster: Any) -> None:
    """Results are those of a serial run and of a pool, byte for byte; each task is done once."""
    alone, pool, far = (made(workshop, CHAIN, 20, name) for name in ("alone", "pool", "far"))
    alone.run()
    pool.run(np=2)
    heard = Heard()
    summary = far.run(executor="ray", address=cluster.address, listener=heard)
    assert 20 * 4 + 3 == summary.done
    assert alone.outputs() == pool.outputs() == far.outputs()
    assert alone.completed() == far.completed()
    assert {State.COMPLETE} == set(states(far))
    assert [] == far.leftovers()
    assert {"ray"} == set(executors(far).values())
    for what in ("started", "ended"):
        assert 83 == len({task for told, task in heard.told if told == what})
    before = sorted(far.root.glob(".pointillist/runs/*"))
    assert 0 == far.run(executor="ray", address=cluster.address).done
    assert before == sorted(far.root.glob(".pointillist/runs/*"))


def test_lost_node(workshop: Any, cluster: Any) -> None:
    """What a lost node was at is recorded as interrupted, and done by one that is left."""
    spare = cluster.add_node(num_cpus=1, object_store_memory=ENOUGH)
    shop = made(workshop, BASIS + PATIENT + END, 6)
    process = begun(shop, 3, cluster.address)
    cluster.remove_node(spare, allow_graceful=False)
    until(process, lambda: bool(shop.attempts()))
    (shop.root / "free").touch()
    text = process.communicate(timeout=60)[0]
    assert 0 == process.returncode, text
    assert "6 tasks done" in text
    assert "again at once: Item i=" in text
    lost = [attempt for attempt in shop.attempts() if attempt["outcome"] != "complete"]
    assert ["interrupted"] == [attempt["outcome"] for attempt in lost]
    assert "the worker that carried it out is lost: it" in lost[0]["error"]
    assert {1} == set(shop.completed().values())
    assert 6 == len(shop.completed())
    assert [] == shop.leftovers()
    assert [] == left(shop)


def test_killed_actors(workshop: Any, cluster: Any) -> None:
    """What was recorded by workers that are lost with their actors is not done again."""
    source = """
@pt.step
def quick(i: int) -> int:
    with (HERE / "workers").open("a") as file:
        file.write(f"{os.getppid()}\\n")
    return i


@pt.step
def killer(numbers: list[int]) -> int:
    for pid in set((HERE / "workers").read_text().split()):
        if not (HERE / "killed").exists():
            (HERE / "killed").touch()
            os.kill(int(pid), signal.SIGKILL)
            until(lambda: False)
    return len(numbers)


class Item(pt.Record):
    i: int = pt.key()
    one: int = quick.step(i).to()


class Both(pt.Aggregate[Item]):
    count: int = killer.step(pt.each(Item.one)).to()
    again: int = quick.step(count).to()


class Lab(pt.Project):
    records = (Item, Both)
"""
    shop = made(workshop, BASIS + source, 8)
    summary = shop.run(executor="ray", address=cluster.address, np=1)
    assert (10, []) == (summary.done, summary.failed)
    assert {1} == set(shop.completed().values())
    outcomes = [a["outcome"] for a in shop.attempts() if a["outcome"] != "complete"]
    assert ["interrupted"] == outcomes
    assert [] == shop.leftovers()


def test_death(workshop: Any, cluster: Any) -> None:
    """A worker that dies has failed the task that it was at, and no other; the run goes on."""
    die = "os.kill(os.getpid(), signal.SIGKILL)"
    shop = made(workshop, BASIS + DEATHS.replace("DIE", die) + END, 60)
    summary = shop.run(executor="ray", address=cluster.address)
    assert ["Item i=30  second", "Item i=45  second"] == sorted(str(t) for t, _ in summary.failed)
    for _, attempt in summary.failed:
        assert "was killed by SIGKILL" in str(attempt.error)
        assert -signal.SIGKILL == attempt.code
        assert "at " in (shop.root / str(attempt.log)).read_text()
    assert 180 - 4 == summary.done
    assert {1} == set(shop.completed().values())
    assert [] == shop.leftovers()


RESOURCES = """
@pt.step(resources={"tape": 1})
def special(plain: int) -> int:
    return int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])


@pt.step
def plain(number: int) -> int:
    return number


class Item(pt.Record):
    i: int = pt.key()
    copy: int = plain.step(i).to()
    raylet: int = special.step(copy).to()
    again: int = plain.step(raylet).to()
"""


def test_resources(workshop: Any, cluster: Any) -> None:
    """A step goes to a node that has what it asks for; the workers take turns."""
    shop = made(workshop, BASIS + RESOURCES + END, 4)
    summary = shop.run(executor="ray", address=cluster.address)
    assert (12, []) == (summary.done, [attempt.error for _, attempt in summary.failed])
    raylet = next(iter(cluster.worker_nodes)).all_processes["raylet"][0].process.pid
    assert {raylet} == {item.raylet for item in shop.lab()[shop.module.Item]}


@pytest.mark.parametrize("option", ["np=64", "ngpu=1", "memory='90t'", "resources={'disk': 1}"])
def test_too_much(workshop: Any, cluster: Any, option: str) -> None:
    """A task that needs more than any node has is named at once, with what there is."""
    source = PATIENT.replace("@pt.step", f"@pt.step({option})")
    shop = made(workshop, BASIS + source + END, 2)
    with pytest.raises(ConfigurationError) as caught:
        shop.run(executor="ray", address=cluster.address)
    assert str(caught.value).startswith("Item i=0  made: it takes ")
    assert "1 CPU" in str(caught.value)
    assert "1 tape" in str(caught.value)
    assert [] == shop.attempts()


def test_another_folder(workshop: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that find another folder, or none, under the project's path end the run with why."""
    shop = made(workshop, CHAIN, 3)
    where = dict[str, Any]()
    original = Work.__init__

    def changed(self: Work, **told: Any) -> None:
        original(self, **{**told, **where})

    monkeypatch.setattr(Work, "__init__", changed)
    for told, said in [
        ({"opening": b"another one"}, "is another folder here"),
        ({"journal": str(shop.root / "none"), "root": "/nowhere"}, "/nowhere is not there"),
    ]:
        where |= told
        with pytest.raises(ConfigurationError, match=said) as caught:
            shop.run(executor="ray", address=cluster.address)
        assert "put it on a file system that all of them have" in str(caught.value)
    assert [] == shop.attempts()


def test_project_that_cannot_be_imported(workshop: Any, cluster: Any) -> None:
    """An error in project.py on a node ends the run, and is told."""
    shop = made(workshop, CHAIN, 3)
    (shop.root / "project.py").write_text("raise RuntimeError('no licence here')")
    with pytest.raises(ConfigurationError, match="no licence here"):
        shop.run(executor="ray", address=cluster.address)


def test_no_cluster(workshop: Any) -> None:
    """An address where there is no cluster, or without the executor, is an error that says so."""
    shop = made(workshop, CHAIN, 1)
    with pytest.raises(ConfigurationError, match="no Ray cluster answers at"):
        shop.run(executor="ray", address="127.0.0.1:1025")
    with pytest.raises(ConfigurationError, match="only with 'ray'"):
        shop.run(address="127.0.0.1:1025")


@pytest.mark.parametrize("source", [PATIENT, COMMAND], ids=["python", "command"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupt(workshop: Any, cluster: Any, source: str, number: int) -> None:
    """A signal ends what is at work, which is recorded as interrupted, and begins nothing more."""
    shop = made(workshop, BASIS + source + END, 5)
    process = begun(shop, 2, cluster.address)
    process.send_signal(number)
    text = process.communicate(timeout=30)[0]
    assert 128 + number == process.returncode, text
    assert "Traceback" not in text
    assert "were given up" in text
    assert 2 == [attempt["outcome"] for attempt in shop.attempts()].count("interrupted")
    assert [] == shop.leftovers()
    assert [] == left(shop)


def test_killed_run(workshop: Any, cluster: Any) -> None:
    """With a run that is killed its workers end, and so do their commands."""
    shop = made(workshop, BASIS + COMMAND + END, 5)
    process = begun(shop, 2, cluster.address)
    process.kill()
    process.communicate(timeout=30)
    assert [] == left(shop)
    (shop.root / "free").touch()
    shop.run()
    assert {State.COMPLETE} == set(states(shop))
    assert [] == shop.leftovers()


def test_local(workshop: Any) -> None:
    """Without an address a Ray is started for the run, and ended with it: also by two signals."""
    shop = made(workshop, BASIS + DEAF + END, 5)
    process = begun(shop, 2)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two at the same instant are one for the system
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=30)[0]
    assert 130 == process.returncode, text
    assert [] == left(shop)
    (shop.root / "free").touch()
    done = subprocess.run(
        [sys.executable, "project.py", "run", "--executor", "ray", "-p", "1"],
        cwd=shop.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    assert {"["} == {line[0] for line in done.stderr.splitlines()}, "Ray says nothing by itself"
    assert {1} == set(shop.completed().values())
    assert {State.COMPLETE} == set(states(shop))
    assert [] == left(shop)
    assert [] == shop.leftovers()


def begun(shop: Any, count: int, address: str | None = None) -> subprocess.Popen[str]:
    """Begin a run as a process of its own; wait until so many tasks are at work."""
    process = subprocess.Popen(
        [
            *(sys.executable, "project.py", "run", "--executor", "ray"),
            *(("--address", address) if address else ("-p", "2")),
        ],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(process, lambda: len(list(shop.root.glob("now*"))) >= count)
    return process


def until(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    """Wait until something is so, as long as a process lives."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
