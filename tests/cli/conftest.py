"""What the tests of the command line share: verbs in processes that start fast."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}

# A process that has imported everything, and forks one for each verb that it is asked for. It has
# no threads, so what is forked is as good as what is started, and 0.7 s faster.
SERVER = """
import json, os, runpy, sys, tempfile, traceback
import pointillist.project, rich.progress

def carry_out(cwd, argv, out, err):
    os.chdir(cwd)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
    sys.argv, sys.path[0] = ["project.py", *argv], cwd
    code = 0
    try:
        runpy.run_path("project.py", run_name="__main__")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            carry_out(*json.loads(line), out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        print(json.dumps([code, out.read().decode(), err.read().decode()]), flush=True)
"""

Verb = Callable[..., tuple[str, str]]


def checked(code: int, answer: tuple[int, str, str]) -> tuple[str, str]:
    """Give output and errors of a verb that exited as expected and without a traceback."""
    found, out, err = answer
    assert code == found, out + err
    assert "Traceback" not in out + err
    return out, err


@pytest.fixture(scope="session")
def verb() -> Iterator[Verb]:
    """Give a function that runs a verb of the project in `cwd`, which must exit with `code`."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None

        def run(*arguments: str, cwd: Path, code: int = 0) -> tuple[str, str]:
            assert server.stdin is not None and server.stdout is not None
            print(json.dumps([str(cwd), arguments]), file=server.stdin, flush=True)
            return checked(code, json.loads(server.stdout.readline()))

        yield run
        server.stdin.close()


@pytest.fixture(scope="session")
def started() -> Verb:
    """Give a function that does the same in a process started afresh, as a user does."""

    def run(*arguments: str, cwd: Path, code: int = 0, **environment: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "project.py", *arguments],
            cwd=cwd,
            env={**ENVIRONMENT, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return checked(code, (done.returncode, done.stdout, done.stderr))

    return run


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory, verb: Verb) -> Path:
    """Give the template `recordings` after a run over one session; to be copied, not changed."""
    root = tmp_path_factory.mktemp("recordings") / "lab"
    template = Path(__file__).resolve().parents[2] / "project_templates" / "recordings"
    shutil.copytree(template, root, ignore=shutil.ignore_patterns("__pycache__", "recordings"))
    code = "import fake_recordings as f; f.SESSIONS = 'a'; f.make(f.Path('recordings'))"
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
    verb("discover", cwd=root)
    verb("run", cwd=root)
    return root


@pytest.fixture(scope="session")
def block() -> Callable[[Path], str]:
    """Give a function that gives the job id of the block of the even recordings."""

    def find(root: Path) -> str:
        (found,) = [
            file.parent.name
            for file in root.glob("aggregates/Block/workspace/*/signac_statepoint.json")
            if "even" == json.loads(file.read_text())["parity"]
        ]
        return found

    return find
