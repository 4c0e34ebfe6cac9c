"""A run starts MATLAB once; what it makes, and what it says, is as with a start for each step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Workshop

PROJECT = """
from pathlib import Path

import pointillist as pt


class Item(pt.Record):
    i: int = pt.key()

    process: int = pt.matlab("process").to()
    doubled: float = pt.matlab("doubled", i).unstored()
    table: Path = pt.matlab("tabulate", doubled, pt.out).to("table.txt")
    odd: float = pt.matlab("odd", i).to()
    left: Path = pt.matlab("leave", i, pt.out).to("left.txt")
    after: float = pt.matlab("doubled", i).to("after.txt")


class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

FUNCTIONS = {
    "process": "function id = process()\n id = getpid();\nend",
    "doubled": "function x = doubled(x)\n printf('doubling %d\\n', x);\n x = 2 * x;\nend",
    "tabulate": (
        "function tabulate(x, out)\n global calls; calls(end + 1) = x; disp(calls);\n"
        " job = pointillist.job(); f = fopen(out, 'w'); fprintf(f, '%d in %s\\n', x, job.id);\n"
        " warning('w');\n"
        " system('echo to the log'); setenv('CALLS', 'x'); cd('/');\nend"
    ),
    "odd": "function x = odd(x)\n if mod(x, 2) == 0 error('lab:even', '%d is even', x); end\nend",
    "leave": (
        "function leave(x, out)\n f = fopen(out, 'w'); fputs(f, 'made'); fclose(f);\n"
        " if x == 1 exit(0); elseif x == 2 exit(7); else kill(getpid(), 9); end\nend"
    ),
    "hang": (
        "function x = hang(x)\n f = fopen('begun', 'w'); fprintf(f, '%d', getpid()); fclose(f);\n"
        " rename('begun', 'told'); pause(600);\nend"
    ),
}

HANGING = """
import pointillist as pt


class Item(pt.Record):
    i: int = pt.key()

    process: int = pt.matlab("process").to()
    hung: int = pt.matlab("hang", i).options(timeout=TIMEOUT).to()
    again: int = pt.matlab("process").to("again.process.txt")


class Lab(pt.Project):
    records = (Item,)
"""


def made(
    workshop: Callable[..., Workshop], name: str, source: str = PROJECT, records: int = 3
) -> Workshop:
    """Make a project with some records and the functions."""
    shop = workshop(source, name)
    (shop.root / "matlab").mkdir()
    for function, text in FUNCTIONS.items():
        (shop.root / "matlab" / f"{function}.m").write_text(text)
    shop.lab().add_product(shop.module.Item, i=range(1, records + 1))
    return shop


def logs(shop: Workshop) -> dict[str, str]:
    """Return all logs by their place, without the project's folder in them."""
    files = shop.root.rglob("logs/*.log")
    return {
        str(file.relative_to(shop.root)): file.read_text().replace(str(shop.root), "")
        for file in files
    }


def processes(shop: Workshop) -> list[int]:
    """Return the processes in which steps were carried out."""
    return [int(file.read_text()) for file in sorted(shop.root.rglob("*process.txt"))]


@pytest.fixture
def octave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let MATLAB steps be carried out by GNU Octave, whatever else is installed."""
    from pointillist.run.attempt import Worker, find_program

    monkeypatch.setattr(Worker, "program", lambda self: find_program("octave-cli"))


def test_a_warm_run_makes_what_a_cold_one_makes(
    workshop: Callable[..., Workshop], octave: None
) -> None:
    """Outputs, logs, outcomes, errors and exit codes are equal, of steps that end in any way."""
    warm, cold = made(workshop, "warm"), made(workshop, "cold")
    warm.run()
    cold.run(cold_matlab=True)
    assert 3 == len(set(processes(cold)))

    def told(shop: Workshop) -> dict[tuple[str, str], Any]:
        return {
            (a["operation"], a["job"]): (
                a["outcome"],
                a.get("code"),
                str(a.get("error")).replace(str(shop.root), ""),
            )
            for a in shop.attempts()
        }

    def outputs(shop: Workshop) -> dict[str, bytes]:
        return {k: v for k, v in shop.outputs().items() if not k.endswith("process.txt")}

    outcomes = Counter(outcome for outcome, _, _ in told(cold).values())
    assert {"complete": 12, "failed": 3} == dict(outcomes)
    assert told(cold) == told(warm)
    assert outputs(cold) == outputs(warm)
    assert logs(cold) == logs(warm)


def test_a_run_starts_matlab_once(workshop: Callable[..., Workshop], octave: None) -> None:
    """All steps of a run are in one process, which ends with it; the next run has another."""
    shop = made(workshop, "lab")
    lab = shop.lab()
    assert 3 == lab.run(names=["process"]).done
    (first,) = set(processes(shop))
    assert not Path(f"/proc/{first}").exists()
    for file in shop.root.rglob("process.txt"):
        file.unlink()
    assert 3 == lab.run(names=["process"]).done
    assert {first} != set(processes(shop))


def test_cold_matlab_is_an_option_of_run(workshop: Callable[..., Workshop], octave: None) -> None:
    """From Python, each step then starts MATLAB anew."""
    shop = made(workshop, "lab")
    assert 3 == shop.lab().run(names=["process"], cold_matlab=True).done
    assert 3 == len(set(processes(shop)))


@pytest.mark.parametrize("flags", [[], ["--cold-matlab"]])
def test_cold_matlab_is_a_flag_of_run(workshop: Callable[..., Workshop], flags: list[str]) -> None:
    """On the command line too; without it MATLAB is started once."""
    shop = made(workshop, "lab")
    words = ["project.py", "run", "-o", "process", "--matlab", "octave-cli", *flags]
    subprocess.run([sys.executable, *words], cwd=shop.root, check=True, capture_output=True)
    assert (3 if flags else 1) == len(set(processes(shop)))


def test_ctrl_c_ends_the_step_and_its_session(
    workshop: Callable[..., Workshop], octave: None, fork_off: Callable[[Callable[[], object]], int]
) -> None:
    """The attempt is recorded as interrupted, no other is begun, and MATLAB is gone."""
    shop = made(workshop, "lab", HANGING.replace("TIMEOUT", "None"), records=1)
    pid = fork_off(lambda: shop.run(tells=True))
    while not (shop.root / "told").exists():
        assert (0, 0) == os.waitpid(pid, os.WNOHANG)
    os.kill(pid, signal.SIGINT)
    assert 0 == os.waitpid(pid, 0)[1]
    assert ["complete", "interrupted"] == [attempt["outcome"] for attempt in shop.attempts()]
    assert not Path("/proc", (shop.root / "told").read_text()).exists()


def test_a_step_that_takes_too_long_ends_its_session(
    workshop: Callable[..., Workshop], octave: None
) -> None:
    """It fails with its reason, and what comes next is carried out by another one."""
    shop = made(workshop, "lab", HANGING.replace("TIMEOUT", "0.3"), records=1)
    shop.run()
    outcomes = {a["operation"].partition(".")[2]: a for a in shop.attempts()}
    reason = (
        "hang took longer than its timeout of 0.3 s. Raise timeout= if it may. "
        "What it had started was ended as well."
    )
    assert reason == outcomes["hung"]["error"]
    again, first = processes(shop)
    assert int((shop.root / "told").read_text()) == first != again
