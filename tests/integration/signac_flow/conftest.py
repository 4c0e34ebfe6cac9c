"""What the tests of the drop-in FlowProject share: a real Slurm, and verbs that start fast."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import flow
import pytest
import signac

import pointillist

SLURM = Path(__file__).resolve().parents[2] / "slurm.sh"
SBIN = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
FINAL = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}

Done = subprocess.CompletedProcess[str]
Verb = Callable[..., Done]
Client = Callable[..., str]


class BatchJob(NamedTuple):
    """A job of Slurm."""

    id: str
    state: str
    name: str


BatchJobs = Callable[[Path], list[BatchJob]]

# A process that has imported everything, and forks one for each verb that it is asked for. It has
# no threads, so what is forked is as good as what is started, and 0.5 s faster. signac-flow takes
# the outermost script for the one that a batch script calls: the server's own name is a link, and
# for each verb it leads to the project's script.
SERVER = """
import json, os, runpy, sys, tempfile, traceback
import flow, pointillist
pointillist.FlowProject

def carry_out(cwd, argv, environment, out, err):
    os.chdir(cwd)
    os.environ.update(environment)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    sys.argv, sys.path[0] = ["project.py", *argv], cwd
    code = 0
    try:
        runpy.run_path("project.py", run_name="__main__")
    except SystemExit as error:
        code = error.code
        if not isinstance(code, int | None):
            print(code, file=sys.stderr)
            code = 1
        code = code or 0
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

link = sys.argv[0]
for line in sys.stdin:
    cwd, argv, environment = json.loads(line)
    os.unlink(link)
    os.symlink(os.path.join(cwd, "project.py"), link)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            carry_out(cwd, argv, environment, out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        print(json.dumps([code, out.read().decode(), err.read().decode()]), flush=True)
"""


@pytest.fixture(scope="session")
def verb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verb]:
    """Give a function that runs a verb of the ``project.py`` in `cwd` in a process of its own."""
    script = tmp_path_factory.mktemp("server") / "server.py"
    script.write_text(SERVER)
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:

        def run(*arguments: str, cwd: Path, **environment: str) -> Done:
            assert server.stdin is not None and server.stdout is not None
            print(json.dumps([str(cwd), arguments, environment]), file=server.stdin, flush=True)
            return Done(arguments, *json.loads(server.stdout.readline()))

        yield run
        assert server.stdin is not None
        server.stdin.close()


def free_ports() -> int:
    """Return a port that is free, as the next one is, and that no client is given by itself."""
    for port in random.SystemRandom().sample(range(20000, 32000, 2), 1000):
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise OSError("no two ports are free")


def skip_without(*programs: str) -> None:
    """Skip the test if one of the programs is not there."""
    missing = [
        name for name in programs if not shutil.which(name, path=f"{os.environ['PATH']}:{SBIN}")
    ]
    if missing:
        pytest.skip(f"Slurm is not installed: {', '.join(missing)} not found (see tests/slurm.sh)")


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give the environment variables that lead to a Slurm that runs as long as the tests."""
    skip_without("munged", "sbatch", "scontrol", "slurmctld", "slurmd", "squeue")
    if os.geteuid():
        pytest.skip("Slurm is started by root only, and this is another user")
    folder = tmp_path_factory.mktemp("slurm")
    try:
        subprocess.run([SLURM, "start", folder, str(free_ports())], check=True)
        yield {
            "SIGNAC_FLOW_ENVIRONMENT": "DefaultSlurmEnvironment",
            "SLURM_CONF": str(folder / "slurm.conf"),
        }
    finally:
        subprocess.run([SLURM, "stop", folder], check=True)


@pytest.fixture
def no_controller(tmp_path: Path) -> dict[str, str]:
    """Give the environment variables that lead to a Slurm whose controller does not run."""
    skip_without("sbatch", "squeue")
    configuration = tmp_path / "no controller.conf"
    configuration.write_text(
        f"ClusterName=none\nSlurmctldHost=localhost\nSlurmctldPort={free_ports()}\n"
        "MessageTimeout=1\nNodeName=localhost\nPartitionName=none Nodes=localhost\n"
    )
    return {
        "SIGNAC_FLOW_ENVIRONMENT": "DefaultSlurmEnvironment",
        "SLURM_CONF": str(configuration),
    }


@pytest.fixture
def client(slurm: dict[str, str]) -> Client:
    """Give a function that runs a client of Slurm and returns what it prints."""

    def run(*command: str) -> str:
        return subprocess.run(
            command, env={**os.environ, **slurm}, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    return run


@pytest.fixture
def sent(client: Client) -> BatchJobs:
    """Give a function that lists the batch jobs that were sent from a folder."""

    def ask(folder: Path) -> list[BatchJob]:
        listed = client(
            *("squeue", "--noheader", "--states", "all", "--sort", "i", "--format", "%i|%T|%j|%Z")
        )
        jobs = [line.split("|", 3) for line in listed.splitlines()]
        return [BatchJob(*job) for *job, where in jobs if where == str(folder)]

    return ask


@pytest.fixture
def reached(sent: BatchJobs) -> Callable[..., list[BatchJob]]:
    """Give a function that lists them when they all are in one of some states: else, ended."""

    def wait(folder: Path, *wanted: str) -> list[BatchJob]:
        deadline = time.monotonic() + 60
        while not {job.state for job in sent(folder)} <= set(wanted or FINAL):
            assert time.monotonic() < deadline, f"waited in vain: {sent(folder)}"
            time.sleep(0.02)
        return sent(folder)

    return wait


@pytest.fixture(
    params=[flow.FlowProject, pointillist.FlowProject], ids=["signac-flow", "pointillist"]
)
def base(request: pytest.FixtureRequest) -> Any:
    """Give signac-flow's class, then ours."""
    return request.param


@pytest.fixture
def Project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a class of the test's own; jobs with a = 0, 1, 2 lie in the working directory."""
    monkeypatch.chdir(tmp_path)
    for a in range(3):
        signac.init_project().open_job({"a": a}).init()

    class Project(base):
        pass

    return Project
