"""The command line of a project, through real processes: every verb, its flags, its errors."""

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
import signac

PROJECT = '''
from __future__ import annotations

from pathlib import Path

import pointillist as pt


@pt.step
def double(number: float) -> float:
    """Double."""
    if number < 0:
        raise ValueError("there is no half of a negative number")
    return 2 * number


@pt.step
def describe(number: float) -> dict[str, float]:
    """Describe."""
    return {"value": number}


@pt.step
def add(numbers: list[float]) -> float:
    """Add up."""
    return sum(numbers)


class Sample(pt.Record):
    """A number in a file."""

    session: str = pt.key()
    index: int = pt.key()

    number: float = pt.seed("samples/{session}/{index}.txt")

    doubled: float = double.step(number).to()
    stats: dict[str, float] = describe.step(number).to()

    @property
    def parity(self) -> str:
        """Whether the index is odd or even."""
        return "odd" if self.index % 2 else "even"


class Session(pt.Aggregate[Sample]):
    """All samples of a session."""

    session: str = pt.key()

    total: float = add.step(pt.each(Sample.doubled)).to()
    stats: dict[str, float] = describe.step(total).to()
    root: float = pt.matlab("sqrt", 6.25).to()


class Lab(pt.Project):
    """The lab."""

    records = (Sample, Session)


@Lab.pre.isfile("doubled.txt")
@Lab.post.isfile("shouted.txt")
@Lab.operation
def shout(job):
    """Write what a step has made, louder."""
    Path(job.fn("shouted.txt")).write_text("!")


if __name__ == "__main__":
    Lab().main()
'''

ENVIRONMENT = {**os.environ, "SIGNAC_FLOW_ENVIRONMENT": "StandardEnvironment"}
Verb = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, started: Verb) -> Path:
    """Give a project that was discovered: sessions a and b with two and one sample."""
    root = tmp_path_factory.mktemp("fresh")
    (root / "project.py").write_text(PROJECT)
    for session, numbers in {"a": (1, 2), "b": (-1,)}.items():
        (root / "samples" / session).mkdir(parents=True)
        for index, number in enumerate(numbers):
            (root / "samples" / session / f"{index}.txt").write_text(f"{number}\n")
    printed, errors = started("discover", cwd=root)
    assert (
        """\
Sample: 3 found, 3 new, 0 gone
Session: 2 aggregates, 2 new, 0 with other members
"""
        == printed
    )
    assert "" == errors
    return root


@pytest.fixture(scope="module")
def ran(
    fresh: Path, tmp_path_factory: pytest.TempPathFactory, started: Verb
) -> tuple[Path, str, str]:
    """Give the project after a run, in which one sample fails, with what the run printed."""
    root = Path(shutil.copytree(fresh, tmp_path_factory.mktemp("ran") / "lab"))
    return (root, *started("run", cwd=root, code=1))


@pytest.fixture
def project(fresh: Path, tmp_path: Path) -> Path:
    """Give a copy of the project that did not run yet."""
    return Path(shutil.copytree(fresh, tmp_path / "lab"))


def jobs(root: Path) -> dict[str, str]:
    """Give the ids of the jobs by what they are."""
    found = {}
    for file in [*root.glob("workspace/*/signac_s*"), *root.glob("aggregates/*/*/*/signac_s*")]:
        keys = json.loads(file.read_text())
        found[" ".join(str(value) for value in keys.values())] = file.parent.name
    return found


def states(verb: Verb, root: Path, *flags: str) -> dict[str, str]:
    """Give the state of each task as ``status --json`` has it."""
    printed, _ = verb("status", "--json", *flags, cwd=root)
    return {f"{row['record']} {row['step']}": row["state"] for row in json.loads(printed)}


def test_run(ran: tuple[Path, str, str]) -> None:
    """A run tells each task and why, ends with a table of failures, and exits with 1."""
    _, printed, errors = ran
    lines = errors.splitlines()
    assert "[ 1/12] Sample session=a index=0  doubled  (output doubled.txt is missing)" == lines[0]
    assert (
        "failed: Sample session=b index=0  doubled: double raised ValueError: there is no half of "
        "a negative number"
    ) in lines
    assert "2 tasks waiting:\n  1 task for Sample.doubled, which failed\nrecord " in printed
    assert "/.pointillist/logs/doubled.1.log\n" in printed
    assert "\n9 tasks done, 1 failed in " in printed


def test_own_operations_run_after_steps(ran: tuple[Path, str, str]) -> None:
    """An operation with conditions runs in the same `run`, where its conditions hold."""
    root = ran[0]
    shouted = {file.parent.name for file in root.glob("workspace/*/shouted.txt")}
    assert {jobs(root)["a 0"], jobs(root)["a 1"]} == shouted


def test_status(verb: Verb, ran: tuple[Path, str, str]) -> None:
    """`status` has a line for each step and operation, and a column for each state."""
    printed, errors = verb("status", cwd=ran[0])
    assert [
        "records: 3 Sample, 2 Session",
        "step complete waiting failed",
        "Sample.doubled 2 · 1",
        "Sample.stats 3 · ·",
        "Session.total 1 1 ·",
        "Session.stats 1 1 ·",
        "Session.root 2 · ·",
        "shout 2 1 ·",
    ] == [" ".join(line.split()) for line in printed.splitlines()]
    assert "" == errors


def test_status_in_detail(verb: Verb, ran: tuple[Path, str, str]) -> None:
    """`status -d` says why of each task; only incomplete ones, if asked."""
    printed, _ = verb("status", "-d", "--only-incomplete", "--where", "session=b", cwd=ran[0])
    assert "FAILED" in printed and "failed at attempt 1: double raised ValueError" in printed
    assert "WAITING   Sample session=b index=0 doubled is failed" in printed
    assert "complete" not in printed.partition("\n\n")[2]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            ["-o", "doubled"],
            {
                "Sample session=a index=0 doubled",
                "Sample session=a index=1 doubled",
                "Sample session=b index=0 doubled",
            },
        ),
        (["-o", "Session\\.t.*"], {"Session session=a total", "Session session=b total"}),
        (
            ["-o", "stats", "--where", "session=b"],
            {"Sample session=b index=0 stats", "Session session=b stats"},
        ),
        (["-o", "stats", "--where", "session=a", "parity=odd"], {"Sample session=a index=1 stats"}),
        (["-o", "doubled", "-f", "index", "1"], {"Sample session=a index=1 doubled"}),
        (["-o", "total", "-f", '{"session": {"$in": ["b", "c"]}}'], {"Session session=b total"}),
    ],
)
def test_selection(
    verb: Verb, ran: tuple[Path, str, str], flags: list[str], expected: set[str]
) -> None:
    """Names, expressions, keys, properties and signac filters select, over all classes."""
    assert expected == set(states(verb, ran[0], *flags))


def test_selection_by_job_id(verb: Verb, ran: tuple[Path, str, str]) -> None:
    """``-j`` takes ids of every class, shortened as far as they are one job's."""
    ids = jobs(ran[0])
    wanted = ids["Session a"]
    length = next(
        n for n in range(1, 33) if sum(id.startswith(wanted[:n]) for id in ids.values()) < 2
    )
    found = states(verb, ran[0], "-o", "total", "doubled", "-j", wanted[:length], ids["a 1"])
    assert {"Session session=a total", "Sample session=a index=1 doubled"} == set(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "-o", "nonsense"],
            "no operation is called nonsense. There are: shout, Sample.doubled, Sample.stats, "
            "Session.total, Session.stats, Session.root.",
        ),
        (
            ["status", "-o", "Sample.("],
            "'Sample.(' is neither the name of an operation nor a regul",
        ),
        (["next", "nonsense"], "no operation is called nonsense. There are: shout, "),
        (["exec", "nonsense"], "no operation is called nonsense. There are: shout, "),
        (["submit", "-o", "nonsense"], "no operation is called nonsense. There are: shout, "),
        (
            ["status", "-j", "xyz"],
            "there is no job whose id begins with 'xyz'. `status -d` lists th",
        ),
        (["run", "-j", ""], "5 job ids begin with '': "),
        (["rekey", "-j", "xyz", "index=3"], "there is no job whose id begins with 'xyz'."),
        (["status", "--where", "session"], "--where 'session': write KEY=VALUE, as in session=a."),
        (
            ["run", "--where", "sesion=a"],
            "--where sesion=…: no record has such a key, property or metadata. Keys: session, ind",
        ),
        (["run", "-j", "x", "-f", "index", "1"], "-j/--job-id and -f/--filter cannot be combined"),
        (["submit", "--pretend"], "signac-flow sees no scheduler here (StandardEnvironment). "),
    ],
)
def test_errors(verb: Verb, ran: tuple[Path, str, str], arguments: list[str], message: str) -> None:
    """A mistake on the command line is one clear line on stderr, exit code 1, no traceback."""
    _, errors = verb(*arguments, cwd=ran[0], code=1)
    lines = [line for line in errors.splitlines() if line.startswith("Error: ")]
    assert 1 == len(lines)
    assert lines[0].startswith(f"Error: {message}")
    assert errors.endswith(f"{lines[0]}\n")


def test_error_of_keys(verb: Verb, ran: tuple[Path, str, str]) -> None:
    """`rekey` names the keys and their types."""
    id = jobs(ran[0])["a 0"]
    _, errors = verb("rekey", "-j", id, "idx=3", cwd=ran[0], code=1)
    assert "Error: 'idx=3': write KEY=VALUE with a key of Sample: session, index.\n" == errors
    _, errors = verb("rekey", "-j", id, "index=x", cwd=ran[0], code=1)
    assert "Error: 'index=x': 'x' is no int.\n" == errors


def test_selections_of_nothing(verb: Verb, ran: tuple[Path, str, str]) -> None:
    """What selects nothing is no error, and is not called complete."""
    printed, _ = verb("run", "--where", "session=q", cwd=ran[0])
    assert "nothing to do: no record is selected.\n" == printed
    printed, _ = verb("status", "-d", "--where", "session=q", cwd=ran[0])
    assert "records: 0 Sample, 0 Session\nno record is selected\n" == printed


def test_before_anything_is_discovered(verb: Verb, fresh: Path, tmp_path: Path) -> None:
    """An empty project says how to begin."""
    shutil.copy(fresh / "project.py", tmp_path)
    assert (
        "nothing to do: there are no records yet, `discover` finds them.\n"
        == (verb("run", "-o", "stats", cwd=tmp_path)[0])
    )
    printed, _ = verb("status", "-o", "stats", cwd=tmp_path)
    assert printed.endswith("there are no records yet, `discover` finds them\n")


def test_what_is_left_out(verb: Verb, project: Path) -> None:
    """A corrupt state point is one line in every verb and exit code 1; the others go on."""
    id = jobs(project)["b 0"]
    place = project / "workspace" / id / "signac_statepoint.json"
    place.write_text('{"session": "b"')
    other = signac.get_project(str(project)).open_job({"rig": "blue"}).init()
    line = f"left out: Sample {id[:8]}…: the state point {place} cannot be read: "
    for name, flags, code in (("status", [], 0), ("run", ["-o", "doubled"], 1)):
        printed, errors = verb(name, *flags, cwd=project, code=code)
        assert 1 == errors.count("left out: ") and errors.startswith(line)
    assert "2 tasks done in " in printed
    _, errors = verb("status", cwd=project)
    assert errors.endswith("left alone: 1 job without all keys of Sample\n")
    assert ["signac_statepoint.json"] == [file.name for file in Path(other.path).iterdir()]


def test_discover_again(verb: Verb, project: Path) -> None:
    """A second `discover` finds nothing new; without files it says what was looked for."""
    assert verb("discover", cwd=project)[0].startswith("Sample: 3 found, 0 new, 0 gone\n")
    (project / "samples").rename(project / "elsewhere")
    printed, _ = verb("discover", cwd=project)
    assert printed.startswith(
        "Sample: 0 found, 0 new, 3 gone\n  looked for: samples/{session}/{index}.txt\n  gone: "
    )


def test_on_a_terminal(project: Path) -> None:
    """On a terminal a run shows a bar, which is gone at the end, and colours."""
    ours, theirs = pty.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "project.py", "run", "-o", "doubled"],
        cwd=project,
        env=environment,
        stdout=theirs,
        stderr=theirs,
    ) as run:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert 1 == run.returncode
    text = shown.decode()
    assert "\x1b[31mfailed: Sample session=b index=0  doubled: double raised" in text
    assert "\x1b[2K" in text, "the bar's line is erased"
    assert "2 tasks done, 1 failed in " in text
    assert "output doubled.txt is missing" not in text


def test_pretend_and_number(verb: Verb, project: Path) -> None:
    """``--pretend`` does nothing; ``-n`` does as many tasks, in order, steps before operations."""
    printed, _ = verb("run", "--pretend", "-o", "Sample.doubled", "total", cwd=project)
    assert (
        """\
Sample session=a index=0  doubled  (output doubled.txt is missing)
Sample session=a index=1  doubled  (output doubled.txt is missing)
Sample session=b index=0  doubled  (output doubled.txt is missing)
Session session=a  total  (after Sample.doubled)
Session session=b  total  (after Sample.doubled)
5 tasks would be done.
"""
        == printed
    )
    printed, _ = verb("run", "--pretend", "-n", "2", "-o", "total", "Sample.doubled", cwd=project)
    assert printed.endswith("2 tasks would be done.\n")
    assert not list(project.glob("workspace/*/doubled.txt"))
    printed, _ = verb("run", "-n", "3", cwd=project)
    assert "3 tasks done in " in printed and "; stopped before the end.\n" in printed
    assert 3 == len(
        [*project.glob("workspace/*/doubled.txt"), *project.glob("workspace/*/stats.json")]
    )
    assert not list(project.glob("workspace/*/shouted.txt"))


def test_operations_that_were_not_selected(verb: Verb, project: Path) -> None:
    """A step whose inputs are to be made by one that is not selected says so; exit code 0."""
    printed, _ = verb("run", "-o", "total", cwd=project)
    assert (
        """\
2 tasks waiting:
  2 tasks for Sample.doubled, which is still to be done but was not selected
nothing to do.
"""
        == printed
    )


def test_fail_fast_and_retry(verb: Verb, project: Path) -> None:
    """``--fail-fast`` ends at the first failure; what failed is tried again only if asked."""
    (project / "samples" / "a" / "0.txt").write_text("-5\n")
    printed, _ = verb("run", "--fail-fast", cwd=project, code=1)
    assert "0 tasks done, 1 failed in " in printed and "stopped before the end" in printed
    printed, errors = verb("run", "-o", "doubled", cwd=project, code=1)
    assert "1 task done, 1 failed in " in printed
    assert "1 task failed before with the same inputs, arguments and source, not tried" in printed
    assert "Sample session=a index=0  doubled" not in errors
    printed, errors = verb("run", "-o", "doubled", "--retry-failed", cwd=project, code=1)
    assert "0 tasks done, 2 failed in " in printed
    assert 2 == errors.count("double raised ValueError")


def test_order(verb: Verb, project: Path) -> None:
    """``--order cyclic`` goes step by step, ``random`` shuffles records; makers come first."""
    _, errors = verb("run", "-o", "Sample.*", "--order", "cyclic", "-n", "4", cwd=project, code=1)
    steps = [line.split()[4] for line in errors.splitlines() if line.startswith("[")]
    assert ["doubled", "doubled", "doubled", "stats"] == steps
    printed, _ = verb("run", "--order", "random", cwd=project, code=1)
    assert "6 tasks done in " in printed


def test_ignore_conditions(verb: Verb, project: Path) -> None:
    """``--ignore-conditions post`` does again what is complete."""
    for flags in ([], ["--ignore-conditions", "post"]):
        printed, _ = verb("run", "-o", "Sample.stats", *flags, cwd=project)
        assert printed.startswith("3 tasks done in ")


def test_parallel(verb: Verb, project: Path) -> None:
    """``-p`` carries steps out in worker processes."""
    printed, _ = verb("run", "-o", "Sample.stats", "-p", "2", cwd=project)
    assert "done in" in printed
    executors = {
        json.loads(path.read_text().splitlines()[0])["executor"]
        for path in (project / ".pointillist/runs").glob("*.jsonl")
        if '"operation":"Sample.stats"' in path.read_text()
    }
    assert {"processes"} == executors


def test_rerun_source(verb: Verb, project: Path) -> None:
    """A changed source is shown and kept; ``--rerun source`` does it again."""
    verb("run", "-o", "Sample.stats", cwd=project)
    text = PROJECT.replace('{"value": number}', '{"value": number + 0.5}')
    (project / "project.py").write_text(text)
    printed, _ = verb("run", "-o", "Sample.stats", cwd=project)
    assert (
        """\
3 tasks kept although the source of the step changed: `status -d` names them, \
`run --rerun source` does them again.
nothing to do.
"""
        == printed
    )
    printed, _ = verb("run", "-o", "Sample.stats", "--rerun", "source", cwd=project)
    assert printed.startswith("3 tasks done in ")
    (file,) = project.glob(f"workspace/{jobs(project)['a 1']}/stats.json")
    assert {"value": 2.5} == json.loads(file.read_text())


def test_matlab(verb: Verb, project: Path) -> None:
    """``--matlab`` names the program; one that is not there is a failure that says so."""
    printed, errors = verb("run", "-o", "root", "--matlab", "/no/matlab", cwd=project, code=1)
    assert "2 failed in " in printed
    assert 2 == errors.count("/no/matlab")
    verb("run", "-o", "root", "--matlab", "octave-cli", "--retry-failed", cwd=project)
    assert {"complete"} == set(states(verb, project, "-o", "root").values())


def test_next_and_exec(verb: Verb, project: Path) -> None:
    """`next` prints job ids; `exec` carries out one operation on them, whatever the state."""
    ids = jobs(project)
    expected = {ids["a 0"], ids["a 1"], ids["b 0"]}
    assert expected == set(verb("next", "Sample.doubled", cwd=project)[0].split())
    assert "" == verb("next", "total", cwd=project)[0]
    for _ in range(2):
        printed, errors = verb("exec", "Sample.doubled", ids["a 0"][:12], cwd=project)
        assert ("done: Sample session=a index=0  doubled\n", "") == (printed, errors)
    assert expected - {ids["a 0"]} == set(verb("next", "doubled", cwd=project)[0].split())
    printed, errors = verb("exec", "doubled", cwd=project, code=1)
    assert 2 == printed.count("done: ")
    assert errors.startswith("failed: Sample session=b index=0  doubled: double raised ValueError")
    _, errors = verb("exec", "total", ids["Session b"], cwd=project, code=1)
    assert errors.startswith("failed: Session session=b  total: ")
    _, errors = verb("exec", "total", ids["a 0"], cwd=project, code=1)
    assert (
        f"Error: total is no operation of the job {ids['a 0']}. It is one of Session.\n" == errors
    )


def test_own_operations_by_name(started: Verb, project: Path) -> None:
    """Operations with conditions of their own answer to the same verbs."""
    ids = jobs(project)
    started("exec", "doubled", ids["a 0"], cwd=project)
    assert f"{ids['a 0']}\n" == started("next", "shout", cwd=project)[0]
    printed, _ = started("run", "-o", "shout", "--pretend", cwd=project)
    assert f"exec shout {ids['a 0']}" in printed and 1 == printed.count("exec")
    started("run", "-o", "shout", "--where", "session=b", cwd=project)
    assert not list(project.glob("workspace/*/shouted.txt"))
    started("run", "-o", "shout", "-j", ids["a 0"], cwd=project)
    assert [ids["a 0"]] == [file.parent.name for file in project.glob("workspace/*/shouted.txt")]


def test_rekey(verb: Verb, project: Path) -> None:
    """A renamed file: `discover` says one gone and one new, `rekey` moves the job's results."""
    verb("run", "-o", "Sample.stats", "--where", "session=b", cwd=project)
    (project / "samples" / "b" / "0.txt").rename(project / "samples" / "b" / "7.txt")
    old = jobs(project)["b 0"]
    printed, _ = verb("discover", cwd=project)
    assert (
        f"""\
Sample: 3 found, 1 new, 1 gone
  new: Sample session=b index=7
  gone: Sample session=b index=0  (job {old[:8]})
  renamed? `rekey -j ID key=value …` moves a job with its results to other keys.
"""
        in printed
    )
    printed, _ = verb("rekey", "-j", old[:8], "index=7", cwd=project)
    id = jobs(project)["b 7"]
    assert f"Sample session=b index=0 is now Sample session=b index=7, job {id}\n" == printed
    assert (
        "complete" == states(verb, project, "-o", "Sample.stats")["Sample session=b index=7 stats"]
    )


def test_submit(started: Verb, ran: tuple[Path, str, str], tmp_path: Path) -> None:
    """`submit --pretend` prints the scripts of what is to be done; no scheduler need answer."""
    for name in ("squeue", "scontrol"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    root = Path(shutil.copytree(ran[0], tmp_path / "lab"))
    session = root / "aggregates" / "Session" / "workspace" / jobs(root)["Session a"]
    (session / "total.txt").unlink()
    slurm = {
        "SIGNAC_FLOW_ENVIRONMENT": "DefaultSlurmEnvironment",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }
    printed, _ = started("submit", "--pretend", "--where", "session=a", cwd=root, **slurm)
    assert 1 == printed.count("Session.total: 1 task in 1 batch job of 1 core\n$ sbatch ")
    assert 2 == printed.count("/project.py work SUBMISSION ")
    assert "#SBATCH --job-name=" in printed
    printed, _ = started(
        "submit", "--pretend", "--where", "session=b", "-o", "total", cwd=root, **slurm
    )
    waits = "nothing would be submitted.\nnot submitted: 1 waiting; `why` says more.\n"
    assert waits == printed


def test_a_reader_that_has_seen_enough(ran: tuple[Path, str, str]) -> None:
    """`status | head` ends without a complaint."""
    command = f"{sys.executable} project.py status -d | true"
    done = subprocess.run(
        command,
        shell=True,
        cwd=ran[0],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("", "") == (done.stdout, done.stderr)


def test_status_loads_no_heavy_package(ran: tuple[Path, str, str]) -> None:
    """`status` loads neither arrays' files nor tables, pictures or clusters (numpy is signac's)."""
    code = """if True:
        import atexit, runpy, sys
        sys.argv = ["project.py", "status", "-d"]
        heavy = ("h5py", "matplotlib", "pandas", "ray", "scipy")
        atexit.register(lambda: print(*[n for n in heavy if n in sys.modules], file=sys.stderr))
        runpy.run_path("project.py", run_name="__main__")
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ran[0],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\n" == done.stderr


@pytest.mark.parametrize("name", ["run", "status", "next", "exec", "submit", "discover", "rekey"])
def test_help(verb: Verb, fresh: Path, name: str) -> None:
    """Each verb says what it does and shows commands to copy."""
    printed, _ = verb(name, "--help", cwd=fresh)
    assert f"\nexamples:\n  python project.py {name} " in printed or (
        f"\nexamples:\n  python project.py {name}\n" in printed
    )
    assert "\n\n" in printed.partition("usage:")[2], "a description follows the usage"


def test_no_verb(verb: Verb, fresh: Path) -> None:
    """Without a verb the usage is shown, with all of them."""
    printed, errors = verb(cwd=fresh, code=2)
    assert "{status,next,run,submit,exec,discover,rekey," in printed + errors
