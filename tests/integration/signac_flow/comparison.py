"""A signac-flow project run under either import in the same folder, and what each run left."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow.scheduling.base import JobStatus

PROJECTS = Path(__file__).parent / "projects"
FLOW = "from flow import FlowProject"
POINTILLIST = "from pointillist import FlowProject"

# A process that has imported both, and forks one for each command line. Its script is called like
# the projects' and lies where they will lie: signac-flow takes the outermost script for the one
# that a forked operation or a batch script must start.
SERVER = """
import json, os, runpy, signal, sys, tempfile, traceback
import flow, flow.hooks, pointillist
pointillist.FlowProject

def carry_out(script, argv, environment, out, err):
    signal.alarm(100)  # `--num-passes -1` of a broken engine has no end
    os.environ.update(environment)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False)
    sys.stderr = open(2, "w", buffering=1, closefd=False)
    sys.argv = [script, *argv]
    code = 0
    try:
        runpy.run_path(os.path.abspath(script), run_name="__main__")
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        code = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

print("ready", flush=True)
for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            carry_out(*json.loads(line), out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0), err.seek(0)
        print(json.dumps([code, out.read().decode(), err.read().decode()]), flush=True)
"""

# Schedulers that have no jobs, and an MPI that knows one rank.
PROGRAMS = {
    "squeue": "exit 0",
    "qstat": "exit 0",
    "bjobs": """echo '{"RECORDS": []}'""",
    "simple-scheduler": "echo '{}'",  # signac-flow's own does not start with today's signac
    "mpiexec": 'shift 2; exec "$@"',
}

DOCUMENT = "signac_project_document.json"
TIME = re.compile(rb'"time": "[^"]*"')


@dataclass(frozen=True)
class Line:
    """A command line of ``project.py``.

    In its words, ``{0}`` stands for the first job id and so on, as they sort; ``{printed}`` for
    the first line that the command line before it printed.
    """

    words: str
    environment: str = "StandardEnvironment"
    unordered: bool = False
    """Whether only what is printed counts, and not its order."""


@dataclass(frozen=True)
class Outcome:
    """What a command line did."""

    line: Line
    code: int
    out: str
    err: str = field(compare=False)
    files: dict[str, bytes]

    @property
    def printed(self) -> Any:
        """What it printed: parsed, if it is JSON; sorted, if the order does not count."""
        if "--json" in self.line.words:
            return json.loads(self.out)
        if self.line.unordered:
            return sorted(_parts(self.out, self.line.words.split()[0]))
        return self.out

    @property
    def documents(self) -> dict[str, Any]:
        """The documents of the project and of its jobs."""
        return {
            name: json.loads(text)
            for name, text in self.files.items()
            if name.endswith("_document.json")
        }

    @property
    def names(self) -> set[str]:
        """The names of all files."""
        return set(self.files)

    def differences(self, other: Outcome) -> Iterator[str]:
        """Yield what another did differently, one text for each thing that differs."""
        for aspect in ("code", "printed", "names", "documents"):
            one, two = getattr(self, aspect), getattr(other, aspect)
            if one != two:
                yield self._told(aspect, one, two)
        if self.code != other.code:
            yield self._told("err", self.err, other.err)
        for name in sorted(self.names & other.names):
            one, two = self.files[name], other.files[name]
            if one != two:
                yield self._told(name, one.decode(), two.decode())

    def _told(self, aspect: str, one: Any, two: Any) -> str:
        """Tell what differs, line by line."""
        texts = [value if isinstance(value, str) else _spread(value) for value in (one, two)]
        unified = difflib.unified_diff(*(text.splitlines() for text in texts), lineterm="", n=1)
        return "\n".join((f"{self.line.words}: {aspect}", *list(unified)[2:]))


@dataclass
class Bench:
    """One folder in which projects are run, in turn."""

    folder: Path
    server: subprocess.Popen[str]

    def lay_out(self, project: str, imported: str, *changes: tuple[str, str]) -> None:
        """Wipe the folder and put a project there, with that import; run its ``init.py``.

        Parameters
        ----------
        project : str
            The folder below ``projects``.
        imported : str
            The line that imports ``FlowProject``.
        changes : tuple of (str, str)
            What else is replaced in its ``project.py``, and by what.
        """
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(
            PROJECTS / project,
            self.folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        self.replace((FLOW, imported), *changes)
        code, _, err = self.script("init.py")
        assert 0 == code, err

    def replace(self, *changes: tuple[str, str]) -> None:
        """Replace what is once in the project's script."""
        script = self.folder / "project.py"
        text = script.read_text()
        for old, new in changes:
            assert 1 == text.count(old), old
            text = text.replace(old, new)
        script.write_text(text)

    def script(self, name: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run a script of the folder; give its exit code and what it printed to both streams."""
        assert self.server.stdin is not None and self.server.stdout is not None
        print(json.dumps([name, arguments, environment]), file=self.server.stdin, flush=True)
        code, out, err = json.loads(self.server.stdout.readline())
        return code, out, err

    def run(self, line: Line | str, printed: str = "") -> Outcome:
        """Run a command line of the project."""
        if isinstance(line, str):
            line = Line(line)
        ids = sorted(path.name for path in (self.folder / "workspace").iterdir())
        words = line.words.format(*ids, printed=printed).split()
        code, out, err = self.script("project.py", *words, SIGNAC_FLOW_ENVIRONMENT=line.environment)
        return Outcome(line, code, out, err, self.files())

    def live(
        self, project: str, imported: str, lines: list[Line | str], *changes: tuple[str, str]
    ) -> list[Outcome]:
        """Put a project there and run command lines, one after the other."""
        self.lay_out(project, imported, *changes)
        outcomes: list[Outcome] = []
        for line in lines:
            before = outcomes[-1].out.partition("\n")[0] if outcomes else ""
            outcomes.append(self.run(line, before))
        return outcomes

    def files(self) -> dict[str, bytes]:
        """Give the content of each file of the folder, without what must differ.

        That is the script, whose import is changed; the times in logs; and what signac-flow notes
        in the project's document of submissions that were only pretended.
        """
        found = {
            str(path.relative_to(self.folder)): TIME.sub(b'"time": ""', path.read_bytes())
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
        del found["project.py"]
        if DOCUMENT in found:
            document = json.loads(found[DOCUMENT])
            noted = document.get("_status", {})
            for id in [id for id, status in noted.items() if status == JobStatus.submitted]:
                del noted[id]
            found[DOCUMENT] = json.dumps(document).encode()
        return found


@contextmanager
def opened(root: Path) -> Iterator[Bench]:
    """Give a bench below a folder, for as long as it is needed."""
    folder, programs = root / "lab", root / "bin"
    folder.mkdir()
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    (folder / "project.py").write_text(SERVER)
    with subprocess.Popen(
        [sys.executable, "project.py"],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "SIMPLE_SCHEDULER": "simple-scheduler",
            # `-j a b` makes a set of jobs, which signac-flow works through in the set's order.
            "PYTHONHASHSEED": "0",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        assert "ready\n" == server.stdout.readline()
        yield Bench(folder, server)
        server.stdin.close()


def differences(one: list[Outcome], two: list[Outcome]) -> list[str]:
    """Give what differs after the first command line that two sides took differently.

    What comes after it follows from it.
    """
    for mine, other in zip(one, two, strict=True):
        found = list(mine.differences(other))
        if found:
            return found
    return []


def _spread(value: Any) -> str:
    """Spell a value with a line for each of its parts."""
    return json.dumps(sorted(value) if isinstance(value, set) else value, indent=1)


def _parts(out: str, verb: str) -> list[str]:
    """Split what a verb printed into what may come in another order.

    Those are scripts, or lines. In a status table another order puts a job's id and labels into
    another row of the same job: there it is words, and ``--json`` tells which belong together.
    """
    if verb == "submit":
        return re.split(r"(?<=# Submit command:).*\n", out)
    return out.split() if verb == "status" else out.splitlines()
