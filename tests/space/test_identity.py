"""Who a runner is, and whether it lives: real processes, dead ones and zombies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pointillist.space.identity import Identity, runner_name

Start = Callable[..., "subprocess.Popen[str]"]

SAY_WHO = """
import json, sys
from pointillist.space.identity import Identity
print(json.dumps(Identity.own().as_json()), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child(python: Start) -> Iterator[tuple[subprocess.Popen[str], Identity]]:
    """Start a process that says who it is and waits."""
    process = python(SAY_WHO)
    assert process.stdout is not None
    yield process, Identity.from_json(json.loads(process.stdout.readline()))
    process.kill()
    process.communicate()


def test_this_process_lives() -> None:
    """A process sees itself alive."""
    assert True is Identity.own().alive()


def test_another_process_lives_until_it_is_dead(
    child: tuple[subprocess.Popen[str], Identity],
) -> None:
    """A process lives, is dead as a zombie, and dead when it is gone."""
    process, identity = child
    assert process.pid == identity.pid
    assert True is identity.alive()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet waited for
    assert "Z" == Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    assert False is identity.alive()
    process.wait()
    assert False is identity.alive()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"started": "1"}, False),  # the process id is used by another by now
        ({"boot": "another"}, False),  # the machine has restarted
        ({"host": "elsewhere"}, None),
        ({"host": "elsewhere", "boot": "another"}, None),
        ({"namespace": "pid:[1]"}, None),  # a container
        ({"pid": 2**22 + 1}, False),  # beyond the highest process id
        ({"pid": 2**70}, False),
    ],
)
def test_what_is_not_this_process(said: dict[str, object], expected: bool | None) -> None:
    """Reused process ids, restarts, other hosts and containers are told from the living."""
    assert expected is replace(Identity.own(), **said).alive()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs root")
def test_a_process_hidden_by_the_system_is_not_taken_for_dead(
    child: tuple[subprocess.Popen[str], Identity],
) -> None:
    """Where ``/proc`` shows only one's own processes, it is unknown whether another's lives."""
    _, identity = child
    code = (
        "import json, os, sys\n"
        "from pointillist.space.identity import Identity\n"
        "who = Identity.from_json(json.loads(sys.argv[1]))\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "print(os.path.exists(f'/proc/{who.pid}'), who.alive())\n"
    )
    mounted = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c"),
            'mount -t proc -o hidepid=2 proc /proc && exec "$@"',
            *("sh", sys.executable, "-c", code, json.dumps(identity.as_json())),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in mounted.stderr or "unshare" in mounted.stderr:
        pytest.skip("no mounts here")
    assert "False None\n" == mounted.stdout


def test_plain_data_and_back() -> None:
    """An identity survives JSON."""
    own = Identity.own()
    assert own == Identity.from_json(json.loads(json.dumps(own.as_json())))


def test_an_identity_that_lacks_something() -> None:
    """What does not say all of it is no identity."""
    with pytest.raises(KeyError):
        Identity.from_json({"host": "a", "pid": 1})


def test_the_runners_name_is_a_file_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the host is called, the runner's name has no separators in it."""
    monkeypatch.setattr("socket.gethostname", lambda: "my host/née-1.lab")
    moment, host, pid = runner_name().split("-")
    assert (15, "my_host_née_1.lab", str(os.getpid())) == (len(moment), host, pid)
