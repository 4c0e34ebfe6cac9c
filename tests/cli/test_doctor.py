"""``pointillist doctor``: what it says of real programs, packages, disks and projects."""

from __future__ import annotations

import json
import multiprocessing
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import flow  # noqa: F401  # the forks of this process then need not import it
import pytest
import signac
from packaging.requirements import Requirement

import pointillist
from pointillist.cli import checks, spacechecks
from pointillist.cli.checks import Finding
from pointillist.cli.doctor import examine
from pointillist.cli.main import main
from pointillist.commands.matlab import find_program
from pointillist.space.filesystem import Mount, Room, Trial, mount_of

PROGRAM = Path(sys.executable).with_name("pointillist")
PACKAGE = Path(pointillist.__file__).parent
HEAVY = {"flow", "h5py", "matplotlib", "numpy", "pandas", "ray", "scipy", "signac"}
SLURM = Path(__file__).resolve().parents[1] / "slurm.sh"
DOWN = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
SLURM_PROGRAMS = ("sbatch", "scontrol", "squeue")

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root mounts and changes its user")
needs_matlab = pytest.mark.skipif(
    not (shutil.which("matlab") or shutil.which("octave-cli")),
    reason="neither MATLAB nor Octave is there",
)

Doctor = Callable[..., dict[str, Finding]]
Programs = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a signac project with three jobs."""
    folder = tmp_path / "lab"
    lab = signac.init_project(str(folder))
    for number in range(3):
        lab.open_job({"number": number}).init()
    return folder


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Give a function that carries the verb out and returns what it found, by name."""

    def run(folder: Path, code: int = 0) -> dict[str, Finding]:
        assert code == main(["doctor", str(folder), "--json"])
        printed = capsys.readouterr()
        assert "" == printed.err
        found = [Finding(**told) for told in json.loads(printed.out)]
        assert (code == 1) == any(finding.state == "problem" for finding in found)
        assert len({finding.name for finding in found}) == len(found)
        return {finding.name: finding for finding in found}

    return run


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Give a function that puts a program under some names on an otherwise empty PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(script: str, *names: str) -> Path:
        for name in names:
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        return folder

    return make


@pytest.fixture
def disk(project: Path) -> Iterator[Path]:
    """Give a project whose workspace is a small disk of its own."""
    workspace = project / "workspace"
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=100", "tmpfs", str(workspace)]
    subprocess.run(command, check=True)
    try:
        yield workspace
    finally:
        subprocess.run(["umount", "-l", workspace], check=True)


def started(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Carry the verb out as a user does."""
    command = [str(PROGRAM), "doctor", *map(str, arguments)]
    env = {**os.environ, **environment}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


# the whole


@needs_matlab
def test_healthy_project(project: Path, tree: Callable[[Path], object]) -> None:
    """Where all is well: one line each, exit code 0, and the folder is as it was."""
    before = tree(project)
    done = started(project)
    program, mount = find_program(), mount_of(project)
    assert mount is not None
    expected = [
        re.escape(f"OK       python       {sys.version.split()[0]}, {sys.executable}"),
        re.escape(f"OK       pointillist  {pointillist.__version__}, {PACKAGE}"),
        re.escape(f"OK       signac       {version('signac')}"),
        re.escape(f"OK       signac-flow  {version('signac-flow')}"),
        re.escape(f"OK       ray          {version('ray')}"),
        re.escape(f"OK       h5py         {version('h5py')}"),
        re.escape(f"OK       matplotlib   {version('matplotlib')}"),
        re.escape(f"OK       MATLAB       {program.version()}, {program.path}"),
        re.escape(
            "OK       scheduler    none (StandardEnvironment, chosen by SIGNAC_FLOW_ENVIRONMENT): "
            "`run` works, `submit` needs one"
        ),
        re.escape(f"OK       project      {project}"),
        "OK       jobs         3 jobs",
        "OK       writable     the project's folder and its workspace",
        re.escape(f"OK       file system  {mount.kind}, mounted on {mount.point}")
        + r"( \((perhaps )?a network file system\))?, with hard links",
        r"(OK  |note)     space        [0-9.]+ [TGM]B free of [0-9.]+ [TGM]B.*",
        r"(OK  |note)     inodes       ([0-9,]+ free of [0-9,]+|not counted by the file system).*",
        "OK       clock        the file system's agrees with this machine's",
    ]
    lines = done.stdout.splitlines()
    wrong = [(e, s) for e, s in zip(expected, lines, strict=True) if not re.fullmatch(e, s)]
    assert [] == wrong
    assert (0, "") == (done.returncode, done.stderr)
    assert before == tree(project)


@pytest.fixture
def tree() -> Callable[[Path], object]:
    """Take down what lies below a folder, and the times of the files."""
    return lambda folder: {
        str(path): path.is_dir() or path.lstat().st_mtime_ns for path in folder.rglob("*")
    }


def test_json_and_lines_agree(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines and data say the same; only a finding with something to do has a remedy's sentence."""
    (project / "pointillist.toml").write_text('[roots]\nnas = "/no/such/folder"')
    assert 1 == main(["doctor", str(project)])
    lines = capsys.readouterr().out.splitlines()
    assert 1 == main(["doctor", "--json", str(project)])
    found = json.loads(capsys.readouterr().out)
    assert [{"name", "remedy", "state", "text"}] * len(lines) == [set(told) for told in found]
    words = {"ok": "OK", "note": "note", "problem": "problem"}
    assert [words[told["state"]] for told in found] == [line.split()[0] for line in lines]
    assert all(told["name"] in line for told, line in zip(found, lines, strict=True))
    (problem,) = [line for line in lines if line.startswith("problem")]
    assert (
        "problem  root         nas: /no/such/folder is no folder that can be read. Mount it, or "
        "write its place: nas = under [roots] in .pointillist/config.toml."
    ) == problem


def test_this_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a folder the current one is looked at."""
    monkeypatch.chdir(project)
    assert 0 == main(["doctor"])
    assert f"OK       project      {project}\n" in capsys.readouterr().out


def test_terminal(project: Path) -> None:
    """On a terminal marks have colours and long findings are folded below their beginning."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "60"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen([PROGRAM, "doctor", project], stdout=theirs, env=env) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the end, on Linux
                break
    os.close(ours)
    assert 0 == process.returncode
    lines = said.decode().splitlines()
    assert any(line.startswith("\x1b[32mOK") and "signac-flow" in line for line in lines)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert max(map(len, plain)) <= 60
    assert any(re.match(" {22}[^ ]", line) for line in plain)


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The verb's help has commands to copy."""
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--help"])
    assert 0 == caught.value.code
    assert "examples:\n  pointillist doctor  " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "light"),
    [
        (["--help"], HEAVY | {"rich"}),
        (["templates"], HEAVY | {"rich"}),
        (["doctor", "--help"], HEAVY | {"rich"}),
        (["doctor"], HEAVY),
    ],
)
def test_starts_light(tmp_path: Path, arguments: list[str], light: set[str]) -> None:
    """The program imports nothing heavy: not to say what it can do, and not to look either."""
    code = (
        "import sys\nfrom pointillist.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "pointillist.cli.doctor" in done.stderr
    assert set() == light & set(done.stderr.split())


# what is installed


def distribution(folder: Path, name: str, number: str) -> None:
    """Write what an installer notes of a package."""
    place = folder / f"{name.replace('-', '_')}-{number}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")


def test_other_version(tmp_path: Path) -> None:
    """A package of a version that does not fit is a problem, also one that is else not shown."""
    distribution(tmp_path / "site", "signac-flow", "0.28.0")
    distribution(tmp_path / "site", "pandas", "1.5.3")
    done = started(tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert 1 == done.returncode
    problems = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert [
        "problem  signac-flow  0.28.0 is installed, <0.30,>=0.29.1 is needed. "
        "pip install 'signac-flow<0.30,>=0.29.1'",
        "problem  pandas       1.5.3 is installed, >=2.1 is needed. pip install 'pandas>=2.1'",
    ] == problems


def test_package_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is a problem, and so is what has lost its files."""
    assert Finding(
        "absent", "problem", "not installed", "pip install 'absent>=1'"
    ) == checks.package(Requirement("absent>=1"))
    distribution(tmp_path, "absent", "1.2")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Finding(
        "absent", "problem", "1.2, but its files are gone", "pip install --force-reinstall 'absent'"
    ) == checks.package(Requirement("absent"))


@pytest.mark.parametrize(
    ("number", "state"), [("3.10.14", "problem"), ("3.11.0", "ok"), ("3.13.9", "ok")]
)
def test_python(number: str, state: str) -> None:
    """The interpreter's version is held against what pointillist says that it needs."""
    found = checks.python(number, ">=3.11,<3.14")
    assert ("python", state) == (found.name, found.state)
    assert f"{number}, {sys.executable}" == found.text
    assert (">=3.11,<3.14" in found.remedy) == (state == "problem")


def test_next_to_nothing_installed(project: Path) -> None:
    """With the bare interpreter it still runs, and says what to install."""
    code = "from pointillist.cli.main import main; raise SystemExit(main())"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, "doctor", project],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (1, "") == (done.returncode, done.stderr)
    told = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert (
        f"problem  pointillist  {PACKAGE} is on Python's path, but not installed"
        in (told["pointillist"])
    )
    assert "problem  scheduler    cannot be asked: No module named 'flow'" in told["scheduler"]
    assert told["jobs"].startswith("OK ")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("raise RuntimeError('broken')", "could not be looked at: RuntimeError: broken"),
        ("import os; os._exit(3)", "ended without an answer"),
    ],
)
def test_check_that_fails(project: Path, tmp_path: Path, source: str, text: str) -> None:
    """A check that raises or dies is a problem of its own; the others go on."""
    (tmp_path / "site/flow").mkdir(parents=True)
    (tmp_path / "site/flow/__init__.py").write_text(source)
    done = started(project, "--json", PYTHONPATH=str(tmp_path / "site"))
    assert (1, "") == (done.returncode, done.stderr)
    found = {told["name"]: told for told in json.loads(done.stdout)}
    assert ("problem", text) == (found["scheduler"]["state"], found["scheduler"]["text"])
    assert "ok" == found["clock"]["state"]


# MATLAB


def test_no_matlab(project: Path, doctor: Doctor, programs: Programs) -> None:
    """Neither MATLAB nor Octave is a note with what to install: only some steps need one."""
    found = doctor(project)["MATLAB"]
    assert ("note", "none: neither matlab nor octave-cli is on PATH") == (found.state, found.text)
    assert found.remedy.startswith("Only steps in MATLAB need one: install ")


def test_matlab_of_the_settings(
    project: Path, doctor: Doctor, programs: Programs, tmp_path: Path
) -> None:
    """The program that the settings name is told; one that is not there is a problem."""
    matlab = programs("exit 1", "matlab") / "matlab"
    (tmp_path / "VersionInfo.xml").write_text(
        "<MathWorks_version_info><version>24.2.0.2712019</version><release>R2024b</release>"
        "</MathWorks_version_info>"
    )
    settings = project / "pointillist.toml"
    settings.write_text(f'matlab = "{matlab}"')
    assert (
        Finding(
            "MATLAB",
            "ok",
            f"MATLAB R2024b 24.2.0.2712019, {matlab}, named by the project's settings",
        )
        == doctor(project)["MATLAB"]
    )
    settings.write_text('matlab = "nonsense"')
    found = doctor(project, code=1)["MATLAB"]
    assert "problem" == found.state
    assert '"nonsense", named by the configuration, is no program' in found.text


def test_octave_that_does_not_start(project: Path, doctor: Doctor, programs: Programs) -> None:
    """An Octave that says no version is a problem."""
    place = programs("exit 127", "octave-cli") / "octave-cli"
    found = doctor(project, code=1)["MATLAB"]
    assert ("problem", f"{place} does not say its version") == (found.state, found.text)


# the scheduler


def test_client_without_a_controller(
    project: Path, doctor: Doctor, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm's programs without a controller: what they say, and what to do."""
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")
    programs(f"echo '{DOWN}' >&2; exit 1", *SLURM_PROGRAMS)
    found = doctor(project, code=1)["scheduler"]
    text = "DefaultSlurmEnvironment: sbatch and squeue are there, but the scheduler does not answer"
    assert (
        "problem",
        f"{text}: scontrol ping failed (exit 1): {DOWN}",
    ) == (found.state, found.text)
    assert "`run` works" in found.remedy
    assert "SIGNAC_FLOW_ENVIRONMENT=StandardEnvironment" in found.remedy
    programs("exit 0", "scontrol")
    found = doctor(project, code=1)["scheduler"]
    assert f"{text}: squeue failed (exit 1): {DOWN}" == found.text


@pytest.mark.parametrize(
    ("names", "environment", "missing"),
    [
        (["sbatch"], "DefaultSlurmEnvironment", "squeue"),
        (["qsub"], "DefaultPBSEnvironment", "qstat"),
        (["bjobs"], "DefaultLSFEnvironment", "bsub"),
    ],
)
def test_half_a_client(
    project: Path,
    doctor: Doctor,
    programs: Programs,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    environment: str,
    missing: str,
) -> None:
    """A scheduler's program that signac-flow needs and that is not there is named."""
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")
    programs("exit 0", *names)
    found = doctor(project, code=1)["scheduler"]
    text = f"{environment}: of its programs {missing} cannot be found on PATH"
    assert ("problem", text) == (found.state, found.text)


@pytest.mark.parametrize(
    ("names", "answer", "text"),
    [
        (
            ["qsub", "qstat"],
            "<Data><Job><Job_Id>1.host</Job_Id></Job></Data>",
            "DefaultPBSEnvironment: qsub and qstat answer, 1 job of yours",
        ),
        (
            ["bsub", "bjobs"],
            '{"RECORDS": []}',
            "DefaultLSFEnvironment: bsub and bjobs answer, 0 jobs of yours",
        ),
        (
            ["bsub", "bjobs"],
            "No unfinished job found",
            "DefaultLSFEnvironment: bsub and bjobs are there, but the scheduler does not answer: "
            "RuntimeError: Could not parse LSF JSON output.",
        ),
    ],
)
def test_other_schedulers(
    project: Path,
    doctor: Doctor,
    programs: Programs,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    answer: str,
    text: str,
) -> None:
    """Every scheduler is asked by signac-flow itself, so that it is known whether they agree."""
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")
    programs(f"echo '{answer}'", *names)
    assert text == doctor(project, code=int("not answer" in text))["scheduler"].text


def test_environments_that_are_named(
    project: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that signac-flow has not, and a scheduler that nothing leads to: problems."""
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "SlurmEnvironment")
    found = doctor(project, code=1)["scheduler"]
    assert "SIGNAC_FLOW_ENVIRONMENT: Unknown environment 'SlurmEnvironment'." == found.text
    monkeypatch.setenv("SIGNAC_FLOW_ENVIRONMENT", "SimpleSchedulerEnvironment")
    monkeypatch.delenv("SIMPLE_SCHEDULER", raising=False)
    found = doctor(project, code=1)["scheduler"]
    assert ("problem", True) == (found.state, found.text.endswith("SIMPLE_SCHEDULER is not set"))


def free_port() -> int:
    """Return a port that is free, as the next one is."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def test_real_slurm(
    project: Path, tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real Slurm answers; when its controller has ended, that is what is said."""
    path = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
    missing = [
        name
        for name in (*SLURM_PROGRAMS, "munged", "slurmctld", "slurmd")
        if shutil.which(name, path=path) is None
    ]
    if missing or os.getuid():
        pytest.skip(f"only root starts Slurm, where it is installed; missing: {missing}")
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm/slurm.conf"))
    try:
        subprocess.run([SLURM, "start", tmp_path / "slurm", str(free_port())], check=True)
        text = "DefaultSlurmEnvironment: sbatch and squeue answer, 0 jobs of yours"
        assert Finding("scheduler", "ok", text) == doctor(project)["scheduler"]
    finally:
        subprocess.run([SLURM, "stop", tmp_path / "slurm"], check=True)
    found = doctor(project, code=1)["scheduler"]
    assert "problem" == found.state
    assert "scontrol ping failed (exit 1): Slurmctld(primary) at " in found.text
    assert found.text.endswith("is DOWN")


# what hangs


@pytest.fixture
def hanging(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], int]:
    """Put programs of Slurm on PATH that hang; give a function that waits for one and its id."""
    monkeypatch.delenv("SIGNAC_FLOW_ENVIRONMENT")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    programs(f"/bin/sleep 1000 & echo $! > {fifo}; wait", "sbatch")
    programs("exit 0", "scontrol", "squeue")
    return lambda: int(fifo.read_text())


def is_gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.01)
    return False


def test_program_that_hangs(project: Path, hanging: Callable[[], int]) -> None:
    """What hangs is ended when its time is over and told as that; all else is there."""
    findings = examine(project, limit=1.0)
    first = next(findings)
    pid = hanging()
    found = {finding.name: finding for finding in (first, *findings)}
    assert ("problem", "no answer within 1 s") == (
        found["scheduler"].state,
        found["scheduler"].text,
    )
    assert found["scheduler"].remedy.startswith("`run` works.")
    assert "ok" == found["clock"].state
    assert is_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(
    project: Path,
    hanging: Callable[[], int],
    tree: Callable[[Path], object],
    number: signal.Signals,
) -> None:
    """Ended while something hangs, it says nothing; Ctrl-C leaves no process and no file."""
    before = tree(project)
    with subprocess.Popen(
        [PROGRAM, "doctor", project], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        pid = hanging()
        process.send_signal(number)
        out, errors = process.communicate()
    assert "" == errors
    assert (130 if number == signal.SIGINT else -number) == process.returncode
    assert "clock" not in out
    if number == signal.SIGINT:
        assert is_gone(pid)
        assert before == tree(project)
    else:
        os.kill(pid, signal.SIGKILL)  # its own time would be over in ten seconds


# the project


def test_no_project(tmp_path: Path, doctor: Doctor) -> None:
    """A folder without a project is a note with how to make one, and nothing is tried in it."""
    (tmp_path / "project.py").touch()
    before = tmp_path.stat().st_mtime_ns
    found = doctor(tmp_path)
    assert (
        Finding(
            "project",
            "note",
            f"no signac project in {tmp_path}",
            "`python project.py discover` makes one of it.",
        )
        == found["project"]
    )
    assert {"jobs", "writable", "clock"}.isdisjoint(found)
    assert before == tmp_path.stat().st_mtime_ns
    (tmp_path / "project.py").unlink()
    assert doctor(tmp_path)["project"].remedy.startswith("`pointillist new recordings my_project`")


def test_inside_a_project(project: Path, doctor: Doctor) -> None:
    """In a folder of a project it is said where the project is."""
    found = doctor(project / "workspace")["project"]
    assert ("note", f"`pointillist doctor {project}` looks at it.") == (found.state, found.remedy)


def test_wrong_folder(tmp_path: Path, doctor: Doctor) -> None:
    """A folder that is not there, a file, and a project of signac 1 are problems."""
    (tmp_path / "file").touch()
    (tmp_path / "old").mkdir()
    (tmp_path / "old/signac.rc").write_text("project = old\n")
    for name, text in {
        "gone": f"{tmp_path}/gone is not there",
        "file": f"{tmp_path}/file is no folder",
        "old": f"{tmp_path}/old is a project of signac 1",
    }.items():
        found = doctor(tmp_path / name, code=1)["project"]
        assert ("problem", text) == (found.state, found.text)


def test_folder_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a folder that somebody has removed it still says what it can."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert 0 == main(["doctor"])
    assert "\nnote     project      no signac project in ." in capsys.readouterr().out


def test_any_name(tmp_path: Path) -> None:
    """A folder's name may hold any bytes, whatever standard output can print."""
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xc3\xa4 lab")
    signac.init_project(folder)
    for arguments in ([], ["--json"]):
        done = started(folder, *arguments, PYTHONIOENCODING="ascii")
        assert (0, "") == (done.returncode, done.stderr)
        assert "lab" in done.stdout


def test_jobs_of_several_classes(project: Path, doctor: Doctor) -> None:
    """The jobs of each further class are counted by themselves."""
    for name, count in {"records/Stimulus": 1, "aggregates/Block": 2}.items():
        lab = signac.init_project(str(project / name))
        for number in range(count):
            lab.open_job({"number": number}).init()
    (project / "workspace/notes").mkdir()
    assert "3 jobs, Stimulus 1, Block 2" == doctor(project)["jobs"].text


def test_job_that_cannot_be_read(project: Path, doctor: Doctor) -> None:
    """A state point that is no JSON or not there is named."""
    place = next((project / "workspace").iterdir()) / "signac_statepoint.json"
    place.write_text("{")
    found = doctor(project, code=1)["jobs"]
    assert ("problem", f"{place} is no JSON") == (found.state, found.text.partition(":")[0])
    place.unlink()
    found = doctor(project, code=1)["jobs"]
    assert f"{place} cannot be read: No such file or directory" == found.text


def test_workspace_that_leads_nowhere(project: Path, doctor: Doctor) -> None:
    """A workspace on a disk that is not mounted is a problem, none at all a note."""
    shutil.rmtree(project / "workspace")
    found = doctor(project)
    assert ("note", "none: no workspace yet") == (found["jobs"].state, found["jobs"].text)
    assert Finding("writable", "ok", "the project's folder") == found["writable"]
    (project / "workspace").symlink_to("/no/such/disk")
    found = doctor(project, code=1)
    text = f"{project}/workspace is no folder, or leads to none"
    assert ("problem", text) == (found["jobs"].state, found["jobs"].text)


def test_settings_that_cannot_be(project: Path, doctor: Doctor) -> None:
    """A wrong setting is told once, in the words of the error that a run would end with."""
    (project / "pointillist.toml").write_text("hash_limit = -1")
    found = doctor(project, code=1)
    assert "hash_limit = -1 is no setting" in found["settings"].text
    assert ["settings"] == [name for name, told in found.items() if told.state == "problem"]


def test_root(project: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A named root that is there is told, with where it is on this machine."""
    (project / "pointillist.toml").write_text('[roots]\nnas = "/no/such/folder"')
    monkeypatch.setenv("POINTILLIST_ROOT_NAS", "/usr")
    assert Finding("root", "ok", "nas: /usr") == doctor(project)["root"]


@pytest.mark.parametrize(("name", "state"), [("flow", "problem"), ("signal", "note")])
def test_file_that_hides_a_module(project: Path, doctor: Doctor, name: str, state: str) -> None:
    """A file with the name of a package that we need is a problem, of one of Python's a note."""
    for file in ("init.py", "project.py", f"{name}.py"):
        (project / file).touch()
    found = doctor(project, code=int(state == "problem"))["imports"]
    text = f"{project}/{name}.py hides the module {name} from everything that runs in this folder"
    assert (state, text) == (found.state, found.text)


# the disk


@needs_root
def test_workspace_on_another_disk(project: Path, disk: Path) -> None:
    """Both disks are told, and that there are no hard links between them; that is a note."""
    found = spacechecks.data_space(project)
    (system,) = [told for told in found if told.name == "file system"]
    assert "note" == system.state
    text = f", workspace on tmpfs, mounted on {disk}; no hard links from the one to the other"
    assert system.text.endswith(text)
    texts = [told.text for told in found if told.name in ("space", "inodes")]
    assert ["project", "project", "workspace", "workspace"] == [t.split(":")[0] for t in texts]
    assert ["workspace: 4.2 MB free of 4.2 MB", "workspace: 99 free of 100"] == texts[2:]


@needs_root
def test_read_only_workspace(project: Path, disk: Path) -> None:
    """A workspace that cannot be written is a problem, and nothing is left in the project."""
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    before = {path.name for path in project.iterdir()}
    found = {told.name: told for told in spacechecks.data_space(project)}
    text = f"{disk} cannot be written: Read-only file system"
    assert ("problem", text) == (found["writable"].state, found["writable"].text)
    assert "clock" not in found
    assert before == {path.name for path in project.iterdir()}


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that anybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
@pytest.mark.parametrize(
    ("closed", "mode", "name", "text"),
    [
        (".", 0o755, "writable", "{}/lab cannot be written: Permission denied"),
        (".", 0o700, "project", "{}/lab cannot be read: Permission denied"),
        ("workspace", 0o755, "writable", "{}/lab/workspace cannot be written: Permission denied"),
        ("workspace", 0o700, "jobs", "{}/lab/workspace cannot be read: Permission denied"),
    ],
)
def test_folder_of_another_user(
    open_folder: Path, project: Path, closed: str, mode: int, name: str, text: str
) -> None:
    """Who may not write a folder, or not look into it, is told which one."""
    folder = open_folder / "lab"
    shutil.copytree(project, folder)
    subprocess.run(["chown", "-R", "65534:65534", folder], check=True)
    os.chown(folder / closed, 0, 0)
    (folder / closed).chmod(mode)
    context = multiprocessing.get_context("fork")
    said = context.SimpleQueue()

    def ask() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        said.put([*spacechecks.settings(folder), *spacechecks.data_space(folder)])

    process = context.Process(target=ask)
    process.start()
    process.join()
    assert 0 == process.exitcode
    problems = {told.name: told.text for told in said.get() if told.state == "problem"}
    assert text.format(open_folder) == problems[name]
    assert {name, "writable"} >= set(problems)


@pytest.mark.parametrize(
    ("free", "size", "state", "text"),
    [
        (80 * 10**9, 100 * 10**9, "ok", "80.0 GB free of 100.0 GB"),
        (999 * 10**6, 10 * 10**9, "note", "999.0 MB free of 10.0 GB"),
        (9 * 10**9, 10**12, "note", "9.0 GB free of 1.0 TB"),
        (0, 10**15, "note", "0 B free of 1000.0 TB"),
        (0, 0, "ok", "not told by the file system"),
    ],
)
def test_room(free: int, size: int, state: str, text: str) -> None:
    """Less than 1 GB or 1 % is little."""
    found = spacechecks.room(Room(free, size, 0, 0))
    assert (state, text, state == "note") == (found.state, found.text, bool(found.remedy))


@pytest.mark.parametrize(
    ("free", "inodes", "state", "text"),
    [
        (5000, 100000, "ok", "5,000 free of 100,000"),
        (999, 100000, "note", "999 free of 100,000"),
        (0, 0, "ok", "not counted by the file system"),
    ],
)
def test_inodes(free: int, inodes: int, state: str, text: str) -> None:
    """Less than 1 % of the inodes is little."""
    found = spacechecks.inodes(Room(0, 0, free, inodes))
    assert (state, text, state == "note") == (found.state, found.text, bool(found.remedy))


@pytest.mark.parametrize(
    ("ahead", "state", "text"),
    [
        (-0.4, "ok", "the file system's agrees with this machine's"),
        (3.2, "ok", "the file system's is 3 s ahead of this machine's"),
        (-61.0, "note", "the file system's is 61 s behind this machine's"),
    ],
)
def test_clock(ahead: float, state: str, text: str) -> None:
    """A clock that is off by more than some seconds is told, and which is ahead."""
    found = spacechecks.clock(Trial(True, ahead))
    assert (state, text, state == "note") == (found.state, found.text, bool(found.remedy))


@pytest.mark.parametrize(
    ("kind", "links", "state", "text"),
    [
        ("nfs4", True, "ok", "nfs4, mounted on /d (a network file system), with hard links"),
        (
            "cifs",
            False,
            "note",
            "cifs, mounted on /d (a network file system); no hard links there",
        ),
        (
            "fuse.sshfs",
            True,
            "ok",
            "fuse.sshfs, mounted on /d (perhaps a network file system), with hard links",
        ),
    ],
)
def test_network(kind: str, links: bool, state: str, text: str) -> None:
    """A network file system is called one, and it is said whether there are hard links."""
    found = spacechecks.file_system([Mount(Path("/d"), kind)], Trial(links, 0.0))
    assert (state, text) == (found.state, found.text)


def test_unknown_file_system() -> None:
    """Where the system does not tell what is mounted, that is said."""
    found = spacechecks.file_system([None], Trial(True, 0.0))
    assert ("ok", "unknown, with hard links") == (found.state, found.text)
