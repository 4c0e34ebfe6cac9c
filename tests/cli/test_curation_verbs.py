"""``accept``, ``reset``, ``exclude``, ``include``, ``inventory``, ``prune``, as they are typed."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = '''
from __future__ import annotations

from pathlib import Path

import pointillist as pt


@pt.step
def double(number: float) -> float:
    """Double."""
    return 2 * number


@pt.step
def add(numbers: list[float]) -> float:
    """Add up."""
    return sum(numbers)


class Sample(pt.Record, table="samples.csv"):
    """A number in a file."""

    session: str = pt.key()
    index: int = pt.key()

    number: float = pt.seed("samples/{session}/{index}.txt")

    doubled: float = double.step(number).to()

    @property
    def parity(self) -> str:
        """Whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"


class Session(pt.Aggregate[Sample]):
    """All samples of a session."""

    session: str = pt.key()

    total: float = add.step(pt.each(Sample.doubled)).to()


class Lab(pt.Project):
    """The lab."""

    records = (Sample, Session)


@Lab.operation
def shout(job):
    """Write something."""
    Path(job.fn("shouted.txt")).write_text("!")


if __name__ == "__main__":
    Lab().main()
'''
ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}
Verb = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, verb: Verb) -> Path:
    """Give a project of sessions a and b, with two and one sample, that has run."""
    root = tmp_path_factory.mktemp("ran")
    (root / "project.py").write_text(PROJECT)
    (root / "samples.csv").write_text("session,index,subject\na,0,m1\na,1,m1\nb,0,m2\n")
    for session, count in {"a": 2, "b": 1}.items():
        (root / "samples" / session).mkdir(parents=True)
        for index in range(count):
            (root / "samples" / session / f"{index}.txt").write_text(f"{index + 1}\n")
    verb("discover", cwd=root)
    verb("run", "-o", r"Sa.*", r"Se.*", cwd=root)
    return root


@pytest.fixture
def project(ran: Path, tmp_path: Path) -> Path:
    """Give a copy of the project."""
    return Path(shutil.copytree(ran, tmp_path / "lab"))


def states(verb: Verb, root: Path) -> dict[str, str]:
    """Give the state of each task of a step as ``status --json`` has it."""
    printed, _ = verb("status", "--json", cwd=root)
    return {
        f"{row['record']} {row['step']}": f"{row['state']} {row['note']}".strip()
        for row in json.loads(printed)
        if row["class"]
    }


def job(verb: Verb, root: Path, label: str) -> str:
    """Give the id of a record."""
    printed, _ = verb("status", "--json", cwd=root)
    return next(str(row["job"]) for row in json.loads(printed) if row["record"] == label)


def test_accept(verb: Verb, project: Path) -> None:
    """It says what it accepts and what each was; with ``--pretend`` it only says so."""
    source = (project / "project.py").read_text()
    (project / "project.py").write_text(source.replace("2 * number", "number * 2"))
    stale = "  (was STALE (kept): source of the step changed ("
    printed, _ = verb("accept", "--pretend", cwd=project)
    assert printed.startswith(f"would accept  Sample session=a index=0  doubled{stale}")
    assert printed.endswith("\n3 tasks would be accepted.\n")
    printed, _ = verb("accept", "doubled", "--note", "same", "--where", "session=a", cwd=project)
    assert printed.startswith(f"accepted  Sample session=a index=0  doubled{stale}")
    assert printed.endswith("\n2 tasks accepted.\n")
    now = states(verb, project)
    assert "complete accepted" == now["Sample session=a index=1 doubled"]
    assert "stale kept" == now["Sample session=b index=0 doubled"]
    printed, _ = verb("accept", "--note", "same", "--where", "session=a", cwd=project)
    assert "nothing to accept: it is complete, excluded, or a matter of conditions.\n" == printed
    printed, _ = verb("status", "-d", "-o", "doubled", "--where", "session=a", cwd=project)
    assert ": same\n" in "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def test_not_accepted(verb: Verb, project: Path) -> None:
    """What is missing cannot be accepted: it is said, and the exit code is 1."""
    shutil.rmtree(project / "samples/b")
    sample = next(project.glob("workspace/*/doubled.txt"))
    sample.unlink()
    printed, _ = verb("accept", "doubled", "--note", "gone", cwd=project, code=1)
    assert "doubled.txt is missing: there is nothing to accept; `run` makes it\n" in printed
    _, errors = verb("accept", "nothing", "--note", "x", cwd=project, code=1)
    assert "no operation is called nothing" in errors
    _, errors = verb("accept", cwd=project, code=1)
    assert 'Error: say why it is right as it is: --note "…".\n' == errors


def test_reset(verb: Verb, project: Path) -> None:
    """It shows what it removes and how big that is, and refuses where it cannot ask."""
    id = job(verb, project, "Sample session=a index=0")
    for flags, code in ((("--pretend",), 0), ((), 1)):
        printed, errors = verb("reset", "doubled", "-j", id[:6], *flags, cwd=project, code=code)
        lines = [line.split() for line in printed.splitlines()]
        assert ["record", "step", "to", "remove", "size"] == lines[0]
        assert ["Sample", "session=a", "index=0", "doubled", "doubled.txt", "4", "B"] == lines[1]
        assert ["1", "task,", "4", "B."] == lines[2]
        assert code == errors.count("Say --yes, or --pretend to look only.")
    assert "complete" == states(verb, project)["Sample session=a index=0 doubled"]
    printed, _ = verb("reset", "doubled", "-j", id, "--dependents", "--yes", cwd=project)
    assert printed.endswith("2 reset; `run` makes them again.\n")
    now = states(verb, project)
    assert ("ready", "waiting", "complete") == (
        now["Sample session=a index=0 doubled"],
        now["Session session=a total"],
        now["Session session=b total"],
    )
    printed, _ = verb("reset", "doubled", "-j", id, "--yes", cwd=project)
    assert "nothing to reset.\n" == printed
    _, errors = verb("reset", "--yes", cwd=project, code=1)
    assert "Error: say what is to be reset: a STEP, -j ID, or --where KEY=VALUE." in errors


@pytest.mark.parametrize(("answer", "done"), [("y", True), ("", False)])
def test_reset_asks(verb: Verb, project: Path, answer: str, done: bool) -> None:
    """At a terminal it asks, and removes only what was agreed to."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "project.py", "reset", "total", "--where", "session=a"],
        cwd=project,
        env=ENVIRONMENT,
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        printed, _ = process.communicate()
    assert "total.txt" in printed and "Remove this? [y/N] " in printed
    assert (0 if done else 1) == process.returncode
    assert done != ("nothing was removed." in printed)
    now = states(verb, project)["Session session=a total"]
    assert ("ready" if done else "complete") == now


def test_exclude_and_include(verb: Verb, project: Path) -> None:
    """Excluding says which aggregates follow; the table has a column; including undoes it."""
    label = "Sample session=a index=0"
    id = job(verb, project, label)
    printed, _ = verb("exclude", "-j", id, "--reason", "60 Hz noise", cwd=project)
    assert f"excluded  {label}  (60 Hz noise)\n1 aggregate has other members now.\n" == printed
    printed, _ = verb("exclude", "-j", id, "--reason", "60 Hz noise", cwd=project)
    assert "nothing to do: all were excluded before.\n" == printed
    printed, _ = verb("status", "-o", "doubled", cwd=project)
    lines = [line.split() for line in printed.splitlines()]
    assert "records: 3 Sample (1 excluded), 2 Session" == printed.splitlines()[0]
    assert [["step", "complete", "excluded"], ["Sample.doubled", "2", "1"]] == lines[1:]
    printed, _ = verb("status", "-d", cwd=project)
    assert "member excluded: index=0 (60 Hz noise)" in printed
    printed, _ = verb("run", "-o", "total", cwd=project)
    assert "1 task done" in printed
    printed, _ = verb("run", "-o", r"S.*", cwd=project)
    assert "nothing to do: everything is complete or excluded.\n" == printed

    printed, _ = verb("include", "-j", id, cwd=project)
    assert f"included again  {label}\n1 aggregate has other members now.\n" == printed
    printed, _ = verb("include", "-j", id, cwd=project)
    assert "nothing to do: none of them was excluded.\n" == printed
    printed, _ = verb("status", "-d", cwd=project)
    assert "member included again: index=0" in printed


def test_exclude_by_where(verb: Verb, project: Path) -> None:
    """``--where`` that fits records and their aggregates excludes the records alone."""
    printed, _ = verb("exclude", "--where", "session=a", "--reason", "ill", cwd=project)
    assert [
        "excluded  Sample session=a index=0  (ill)",
        "excluded  Sample session=a index=1  (ill)",
        "1 aggregate has other members now.",
    ] == printed.splitlines()
    assert "excluded" == states(verb, project)["Session session=a total"]
    printed, _ = verb("include", "--where", "session=a", cwd=project)
    assert 2 == printed.count("included again  Sample")
    assert "excluded" not in states(verb, project).values()
    session = job(verb, project, "Session session=b")
    printed, _ = verb("exclude", "-j", session, "--reason", "of no use", cwd=project)
    assert "excluded  Session session=b  (of no use)\n" == printed
    for name in ("exclude", "include"):
        flags = ["--reason", "x"] if name == "exclude" else []
        printed, _ = verb(name, "--where", "session=z", *flags, cwd=project)
        assert "nothing to do: no record is selected.\n" == printed
        _, errors = verb(name, *flags, cwd=project, code=1)
        assert "Error: say which records: -j ID, or --where KEY=VALUE.\n" == errors
    _, errors = verb("include", "--where", "mouse=a", cwd=project, code=1)
    assert "no record has such a key, property or metadata" in errors


def test_inventory(verb: Verb, project: Path) -> None:
    """A grid of what is there, by keys, properties or metadata; for programs as JSON."""
    (project / "samples/b/0.txt").unlink()
    id = job(verb, project, "Sample session=a index=0")
    verb("exclude", "-j", id, "--reason", "ill", cwd=project)
    printed, _ = verb("inventory", cwd=project)
    assert [
        "Sample: session down, index across",
        "session  0         1",
        "a        excluded  there",
        "b        missing   none",
        "1 there, 1 with a seed missing, 1 excluded, 1 combinations without record",
    ] == printed.splitlines()
    printed, _ = verb("inventory", "subject", cwd=project)
    assert [
        "subject  there  missing  excluded",
        "m1       1      0        1",
        "m2       0      1        0",
        "1 there, 1 with a seed missing, 1 excluded",
    ] == printed.splitlines()
    printed, _ = verb("inventory", "session", "--class", "Session", "--json", cwd=project)
    assert ["there", "there"] == [one["presence"] for one in json.loads(printed)]
    printed, _ = verb("inventory", "parity,session", "--json", cwd=project)
    told = {(one["parity"], one["session"]): one for one in json.loads(printed)}
    assert {"excluded", "missing", "none", "there"} == {one["presence"] for one in told.values()}
    assert ("ill", id) == (told["even", "a"]["why"], told["even", "a"]["job"])
    assert ("none", None) == (told["odd", "b"]["presence"], told["odd", "b"]["job"])
    for wrong, message in {
        "mouse": "Sample has no key, property or metadata 'mouse'. Its keys: session, index.",
        "session,,index": "write names with commas between them, each once",
    }.items():
        _, errors = verb("inventory", wrong, cwd=project, code=1)
        assert message in errors
    _, errors = verb("inventory", "--class", "Block", cwd=project, code=1)
    assert "--class Block: there is no such class. There are: Sample, Session.\n" in errors


def test_prune(verb: Verb, project: Path) -> None:
    """It removes orphans, and nothing before it was told to."""
    printed, _ = verb("prune", cwd=project)
    assert "nothing to prune: no aggregate is orphaned.\n" == printed
    id = job(verb, project, "Session session=b")
    shutil.rmtree(project / "workspace" / job(verb, project, "Sample session=b index=0"))
    (project / "samples/b/0.txt").unlink()
    printed, _ = verb("why", "-j", id, cwd=project)
    assert (
        "no step of a record is selected; Session session=b is orphaned: its members are gone; "
        "`prune` removes it.\n"
    ) == printed
    for flags, code in ((("--pretend",), 0), ((), 1)):
        printed, _ = verb("prune", *flags, cwd=project, code=code)
        assert f"to remove  Session session=b  (job {id[:8]}): 3 entries, " in printed
        assert (project / "aggregates/Session/workspace" / id).exists()
    printed, _ = verb("prune", "--yes", cwd=project)
    assert printed.startswith(f"removed  Session session=b  (job {id[:8]}): 3 entries, ")
    assert not (project / "aggregates/Session/workspace" / id).exists()
    printed, _ = verb("status", cwd=project)
    assert "records: 2 Sample, 1 Session" == printed.splitlines()[0]


@pytest.mark.parametrize("name", ["accept", "reset", "exclude", "include", "inventory", "prune"])
def test_help(verb: Verb, ran: Path, name: str) -> None:
    """Each verb says what it does and shows commands to copy."""
    printed, _ = verb(name, "--help", cwd=ran)
    assert f"\nexamples:\n  python project.py {name}" in printed


@pytest.mark.parametrize(
    "words",
    [
        ("reset", "stats", "--yes"),
        ("exclude", "-j", "3f2a", "--reason", "x"),
        ("include", "-j", "3f2a"),
        ("inventory",),
        ("prune",),
        ("discover",),
        ("rekey", "-j", "3f2a", "index=3"),
    ],
    ids=lambda words: str(words[0]),
)
def test_without_record_classes(verb: Verb, tmp_path: Path, words: tuple[str, ...]) -> None:
    """In a project without record classes each says that there is nothing to do it on."""
    (tmp_path / "project.py").write_text(
        "import pointillist as pt\n\n\nclass Lab(pt.Project):\n    pass\n\n\n"
        'if __name__ == "__main__":\n    Lab().main()\n'
    )
    printed, errors = verb(*words, cwd=tmp_path, code=1)
    assert "" == printed
    assert (
        f"Error: Lab has no record classes, so there is nothing that `{words[0]}` could be done "
        "on. Name some: records = (Recording, …).\n"
    ) == errors
