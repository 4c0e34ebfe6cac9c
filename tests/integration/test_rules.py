"""Each kind of change, made to a project that is done: what is stale then, and what must not be."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import pointillist as pt
from pointillist.plan import closure

assert pt.Project  # loaded once, for all the processes that are forked here

FILES = {
    "project.py": '''
        """A small lab."""

        from __future__ import annotations

        from pathlib import Path
        from typing import Any

        import helpers
        import pointillist as pt
        from filters import smooth

        FACTOR = 2


        def scaled(value: float) -> float:
            return value * FACTOR


        def unused(value: int) -> int:
            return value + 1


        @pt.step
        def level(raw: Path, note: str | None, gain: int = 2, offset: int = 0) -> float:
            """How loud it is."""
            import late

            values = [float(word) for word in raw.read_text().split()]
            return scaled(smooth(values)) * gain + helpers.shift(offset) + late.nothing()


        @pt.step
        def listed(frames: Path) -> dict[str, Any]:
            return {path.name: path.read_text() for path in sorted(frames.iterdir())}


        @pt.step(version="1")
        def total(levels: list[float]) -> float:
            return sum(levels)


        class Trace(pt.Record):
            """One trace."""

            group: str = pt.key()
            number: int = pt.key()

            raw: Path = pt.seed("raw/{group}_{number}.txt")
            frames: Path = pt.seed("frames/{group}_{number}")
            note: str | None = pt.seed("notes/{group}_{number}.txt", optional=True)

            level: float = level.step(raw, note, gain=3).to()
            listed: dict[str, Any] = listed.step(frames).to(indent=1)
            copied: Path = pt.shell("cp {raw} {out}").to("copied.txt")


        class Group(pt.Aggregate[Trace], order_by="number"):
            group: str = pt.key()

            total: float = total.step(pt.each(Trace.level)).to()
            peak: float = pt.matlab("peak", total, 5, 70).to()


        class Lab(pt.Project):
            records = (Trace, Group)
        ''',
    "helpers.py": """
        from pack.deep import SHIFT


        def shift(offset: int) -> int:
            return offset + SHIFT
        """,
    "filters.py": """
        def smooth(values: list[float]) -> float:
            return sum(values) / len(values)
        """,
    "late.py": """
        def nothing() -> int:
            return 0
        """,
    "pack/__init__.py": "",
    "pack/deep.py": "SHIFT = 0\n",
    "matlab/peak.m": """
        function y = peak(file, low, high)
          % never called: uncalled(1)
          unit = 'uncalled';
          y = clipped(str2double(fileread(file)), low, high);
        end
        """,
    "matlab/clipped.m": """
        function y = clipped(x, low, high)
          y = min(max(x, low), high);
        end
        """,
    "matlab/uncalled.m": "function y = uncalled(x)\n  y = x;\nend\n",
    "raw/a_1.txt": "1 2 3\n",
    "raw/a_2.txt": "4 5 6\n",
    "frames/a_1/one.txt": "one\n",
    "frames/a_1/two.txt": "two\n",
    "frames/a_2/one.txt": "1\n",
}

TASKS = {
    *("Trace group=a number=1 level", "Trace group=a number=1 listed"),
    *("Trace group=a number=1 copied", "Trace group=a number=2 level"),
    *("Trace group=a number=2 listed", "Trace group=a number=2 copied"),
    *("Group group=a total", "Group group=a peak"),
}
LEVELS = [f"Trace group=a number={number} level" for number in (1, 2)]


class Judged(NamedTuple):
    """What a process of its own said of each task; ``done`` is what it then did, if it ran."""

    states: dict[str, str]
    reasons: dict[str, list[list[str]]]
    done: int = 0

    def differing(self) -> dict[str, list[str]]:
        """Return what is stale or ready: each reason as rule, what, old → new.

        Hashes are shown by their first place: the first one is #1.
        """
        found = {}
        for task, reasons in self.reasons.items():
            if self.states[task].split()[0] in ("stale", "ready"):
                texts = [f"{rule} {what}: {old} → {new}" for rule, what, old, new in reasons]
                hashes = list(dict.fromkeys(re.findall(r"\b[0-9a-f]{8}\b", " ".join(texts))))
                for place, text in enumerate(hashes, 1):
                    texts = [t.replace(text, f"#{place}") for t in texts]
                found[task] = texts
        return found


def judge(root: Path, run: bool = False, begin: Callable[[], object] | None = None) -> Judged:
    """Judge a project in a new process, which may begin with something; then perhaps run it."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            sys.dont_write_bytecode = True
            sys.path.insert(0, str(root))
            if begin is not None:
                begin()
            lab = importlib.import_module("project").Lab()
            lab.sync()
            planner = lab.engine.planner()
            verdicts = {str(t).replace("  ", " "): planner.judge(t) for t in planner.tasks()}
            data = {
                "states": {t: f"{v.state} {v.note}".strip() for t, v in verdicts.items()},
                "reasons": {
                    task: [[r.rule, r.what, r.old, r.new] for r in verdict.reasons]
                    for task, verdict in verdicts.items()
                },
                "done": lab.run().done if run else 0,
            }
            with os.fdopen(writer, "w") as file:
                json.dump(data, file)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    assert 0 == os.waitpid(pid, 0)[1]
    return Judged(**json.loads(text))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is done."""
    root = tmp_path_factory.mktemp("original") / "lab"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())

    def discover() -> None:
        importlib.import_module("project").Lab().discover()

    assert len(TASKS) == judge(root, run=True, begin=discover).done
    return root


@pytest.fixture
def lab(original: Path, tmp_path: Path) -> Path:
    """A copy of it, times and all, to be changed."""
    return Path(shutil.copytree(original, tmp_path / "lab"))


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Change one place in a file of a project."""

    def change(root: Path) -> None:
        path = root / name
        text = path.read_text()
        assert 1 == text.count(old)
        path.write_text(text.replace(old, new))

    return change


def write(name: str, text: str) -> Callable[[Path], None]:
    """Write a file of a project."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)

    return change


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """Make several changes."""

    def change(root: Path) -> None:
        for each in changes:
            each(root)

    return change


def remove(name: str) -> Callable[[Path], None]:
    """Remove a file of a project."""
    return lambda root: (root / name).unlink()


def output(root: Path, name: str, number: int = 1) -> Path:
    """Return an output of one of the traces, or of the group."""
    [found] = [
        path
        for path in root.rglob(f"workspace/*/{name}")
        if json.loads((path.parent / "signac_statepoint.json").read_text()).get("number", number)
        == number
    ]
    return found


def truncated(root: Path) -> None:
    """Cut an output as a full disk does."""
    os.truncate(output(root, "copied.txt"), 3)


SOURCE = "source of the step: #1 → #2"
FIRST = LEVELS[:1]
LISTED = ["Trace group=a number=1 listed"]
COPIED = ["Trace group=a number=1 copied"]

CHANGES: dict[str, tuple[Callable[[Path], object], list[str], list[str]]] = {
    # outputs
    "output missing": (
        lambda root: output(root, "copied.txt").unlink(),
        COPIED,
        ["output copied.txt: 6 B → missing"],
    ),
    "output of another size": (
        lambda root: output(root, "copied.txt").write_text("1 2 3 and more\n"),
        COPIED,
        ["output copied.txt: 6 B → 15 B"],
    ),
    "output truncated": (truncated, COPIED, ["output copied.txt: 6 B → 3 B"]),
    "output empty": (
        lambda root: os.truncate(output(root, "copied.txt"), 0),
        COPIED,
        ["output copied.txt: 6 B → 0 B"],
    ),
    # inputs
    "input of the same size": (
        write("raw/a_1.txt", "1 2 4\n"),
        [*FIRST, *COPIED],
        ["input raw/a_1.txt: content #1 → content #2"],
    ),
    "input of another size": (
        write("raw/a_1.txt", "1 2 3 4\n"),
        [*FIRST, *COPIED],
        ["input raw/a_1.txt: 6 B → 8 B"],
    ),
    "optional seed appears": (
        write("notes/a_1.txt", "loud"),
        FIRST,
        ["input notes/a_1.txt: not there → 4 B"],
    ),
    "folder: file added": (
        write("frames/a_1/three.txt", "three\n"),
        LISTED,
        ["input frames/a_1: 8 B in 2 entries → 14 B in 3 entries"],
    ),
    "folder: empty file added": (
        write("frames/a_1/three.txt", ""),
        LISTED,
        ["input frames/a_1: 8 B in 2 entries → 8 B in 3 entries"],
    ),
    "folder: file removed": (
        remove("frames/a_1/two.txt"),
        LISTED,
        ["input frames/a_1: 8 B in 2 entries → 4 B in 1 entries"],
    ),
    "folder: file changed": (
        write("frames/a_1/two.txt", "owt\n"),
        LISTED,
        ["input frames/a_1: content #1 → content #2"],
    ),
    "folder: file renamed": (
        lambda root: (root / "frames/a_1/two.txt").rename(root / "frames/a_1/2.txt"),
        LISTED,
        ["input frames/a_1: content #1 → content #2"],
    ),
    # arguments
    "literal": (edit("project.py", "gain=3", "gain=4"), LEVELS, ["argument gain: 3 → 4"]),
    "default argument": (
        edit("project.py", "offset: int = 0", "offset: int = 1"),
        LEVELS,
        ["argument offset: 0 → 1"],
    ),
    "command template": (
        edit("project.py", "cp {raw}", "cp -p {raw}"),
        [*COPIED, "Trace group=a number=2 copied"],
        ['argument call: "cp {raw} {out}" → "cp -p {raw} {out}"'],
    ),
    "MATLAB argument order": (
        edit("project.py", "total, 5, 70", "total, 70, 5"),
        ["Group group=a peak"],
        ["argument 2: 5 → 70", "argument 3: 70 → 5"],
    ),
    "MATLAB function": (
        both(
            write("matlab/most.m", "function y = most(file, low, high)\n  y = high;\nend\n"),
            edit("project.py", '"peak", total', '"most", total'),
        ),
        ["Group group=a peak"],
        ['argument call: "peak" → "most"'],
    ),
    "writer option": (
        edit("project.py", "indent=1", "indent=2"),
        [*LISTED, "Trace group=a number=2 listed"],
        ["argument outputs.listed.indent: 1 → 2"],
    ),
    "file name": (
        edit("project.py", '"copied.txt"', '"copy.txt"'),
        [*COPIED, "Trace group=a number=2 copied"],
        ["output copy.txt: 6 B → missing"],
    ),
    # version
    "version": (
        edit("project.py", 'version="1"', 'version="2"'),
        ["Group group=a total"],
        ["version of the step: 1 → 2"],
    ),
    "version taken away": (
        edit("project.py", '@pt.step(version="1")', "@pt.step"),
        ["Group group=a total"],
        ["version of the step: 1 → none"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(lab: Path, name: str) -> None:
    """What depends on it is stale, for this reason, and runs; nothing else is."""
    change, tasks, reasons = CHANGES[name]
    change(lab)
    judged = judge(lab, run=True)
    assert dict.fromkeys(tasks, reasons) == judged.differing()
    assert {"stale"} == {judged.states[task] for task in tasks}
    assert judged.done >= len(tasks)
    assert set(TASKS) == {t for t, s in judge(lab).states.items() if s == "complete"}


SOURCES = {
    "function body": (edit("project.py", "* gain +", "* gain -"), LEVELS),
    "own helper": (edit("project.py", "value * FACTOR", "FACTOR * value"), LEVELS),
    "own helper in another module": (edit("filters.py", "/ len(values)", "/ 3"), LEVELS),
    "own helper that is imported in the function": (edit("late.py", "0", "-0"), LEVELS),
    "constant": (edit("project.py", "FACTOR = 2", "FACTOR = 3"), LEVELS),
    "constant of a package": (edit("pack/deep.py", "0", "1"), LEVELS),
    ".m file": (edit("matlab/peak.m", "low, high);", "low, high + 0);"), ["Group group=a peak"]),
    ".m file that is called": (
        edit("matlab/clipped.m", "min(max(x, low), high)", "max(min(x, high), low)"),
        ["Group group=a peak"],
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_source(lab: Path, name: str) -> None:
    """A change of the source is shown, and kept."""
    change, tasks = SOURCES[name]
    change(lab)
    judged = judge(lab, run=True)
    assert {task: [SOURCE] for task in tasks} == judged.differing()
    assert {"stale kept"} == {judged.states[task] for task in tasks}
    assert 0 == judged.done


def test_optional_seed_vanishes(lab: Path) -> None:
    """An optional seed that is gone again makes stale again."""
    write("notes/a_1.txt", "loud")(lab)
    assert 1 == judge(lab, run=True).done  # its level is the same: the total stays
    remove("notes/a_1.txt")(lab)
    reasons = ["input notes/a_1.txt: 4 B → not there"]
    assert {LEVELS[0]: reasons} == judge(lab).differing()


def test_input_above_the_hash_limit(lab: Path) -> None:
    """Above the limit the time decides, and the reason says that content was not compared."""
    (lab / "pointillist.toml").write_text("hash_limit = 5\n")
    write("raw/a_1.txt", "1 2 3 4\n")(lab)
    assert 4 == judge(lab, run=True).done
    os.utime(lab / "raw/a_1.txt", ns=(10**18, 10**18))
    judge(lab, run=True)
    os.utime(lab / "raw/a_1.txt", ns=(10**18 + 1, 10**18 + 1))
    times = "2001-09-09 01:46:40.000000000 UTC → 2001-09-09 01:46:40.000000001 UTC"
    judged = judge(lab)
    assert {t: [f"input raw/a_1.txt: {times}"] for t in [*FIRST, *COPIED]} == judged.differing()


def begin(change: Callable[[Any], object]) -> Callable[[], None]:
    """Do something with a project, in the process that then judges it."""

    def work() -> None:
        change(importlib.import_module("project").Lab())

    return work


def test_member_added(lab: Path) -> None:
    """An aggregate with a member more is stale, once the member has what is asked of it."""
    write("raw/a_3.txt", "7 8 9\n")(lab)
    shutil.copytree(lab / "frames/a_1", lab / "frames/a_3")
    added = begin(lambda project: [project.discover(), project.run(names=["level"])])
    judged = judge(lab, begin=added)
    assert ["argument members: 2 → 3"] == judged.differing()["Group group=a total"]


def test_member_removed(lab: Path) -> None:
    """An aggregate with a member less is stale."""
    shutil.rmtree(output(lab, "level.txt", 2).parent)
    assert {"Group group=a total": ["argument members: 2 → 1"]} == judge(lab).differing()


def test_members_reordered(lab: Path) -> None:
    """An aggregate whose members have another order is stale."""
    edit("project.py", 'order_by="number"', 'order_by="-number"')(lab)
    reasons = ["argument members: number=1, number=2 → number=2, number=1"]
    assert {"Group group=a total": reasons} == judge(lab).differing()


def test_rekey(lab: Path) -> None:
    """A record with another key is another record, with the results and history of the old."""
    (lab / "raw/a_2.txt").rename(lab / "raw/a_7.txt")
    (lab / "frames/a_2").rename(lab / "frames/a_7")

    def rekey(project: Any) -> None:
        [trace] = [trace for trace in project[type(project).records[0]] if trace.number == 2]
        project.rekey(trace, number=7)

    judged = judge(lab, run=True, begin=begin(rekey))
    assert {task.replace("number=2", "number=7") for task in TASKS} == set(judged.states)
    assert {"complete"} == set(judged.states.values())
    assert 0 == judged.done


# What must change nothing.


def holds(root: Path, before: Callable[[], object] | None = None) -> None:
    """All is complete, for no reason; a run does nothing; and all is complete again."""
    for judged in (judge(root, run=True, begin=before), judge(root, begin=before)):
        assert dict.fromkeys(TASKS, "complete") == judged.states
        assert {task: [] for task in TASKS} == judged.reasons
        assert 0 == judged.done


EDITS = {
    "nothing": [],
    "comment": [edit("project.py", "FACTOR = 2\n", "# twice\nFACTOR = 2  # as agreed\n")],
    "comment in a function": [edit("helpers.py", "    return", "    # moved\n    return")],
    "comment in an .m file": [edit("matlab/clipped.m", "high);", "high); % cut")],
    "block comment in an .m file": [
        edit("matlab/clipped.m", "  y =", "%{\n  y = 0;\n%}\n\n  # cut\n  y =")
    ],
    ".m file that is named in a comment and a string": [
        edit("matlab/uncalled.m", "y = x;", "y = 2 * x;")
    ],
    "docstring": [
        edit("project.py", '"""How loud it is."""', '"""Tell how\n\n        loud.\n        """'),
        edit("filters.py", "    return", "    'The mean.'\n    return"),
        edit("project.py", '"""A small lab."""', ""),
    ],
    "annotation": [
        edit("project.py", "value: float) -> float", "value: 'Any')"),
        edit("project.py", "    values = [", "    values: list[Any] = ["),
        edit("project.py", "frames: Path) -> dict[str, Any]", "frames)"),
        edit("pack/deep.py", "SHIFT = 0", "SHIFT: int = 0"),
    ],
    "line breaks": [
        edit(
            "project.py",
            "values = [float(word) for word in raw.read_text().split()]",
            "values = [\n        float(word)\n        for word in raw.read_text().split()\n    ]",
        ),
        edit("project.py", "(raw, note, gain=3)", "(\n    raw,\n    note,\n    gain=3,\n  )"),
        edit("matlab/peak.m", "low, high);", "low, ...\n              high);"),
    ],
    "quotes": [edit("project.py", 'pt.shell("cp {raw} {out}")', "pt.shell('''cp {raw} {out}''')")],
    "parentheses": [
        edit("project.py", "return value * FACTOR", "return (value) * (FACTOR)"),
        edit("filters.py", "sum(values) / len(values)", "(sum(values) / (len(values)))"),
    ],
    "order of imports": [
        edit("project.py", "import helpers\nimport pointillist as pt\nfrom filters import smooth\n",
             "from filters import smooth\nimport pointillist as pt, helpers\n"),
    ],
    "import that is not used": [edit("filters.py", "def smooth", "import os, late\n\ndef smooth")],
    "name of a function that is not used": [edit("project.py", "def unused", "def not_used")],
    "body of a function that is not used": [edit("project.py", "value + 1", "value + 2")],
    "options of a step": [
        edit("project.py", "@pt.step\ndef level", '@pt.step(memory="1g")\ndef level')
    ],
    "default that is spelled out": [edit("project.py", "gain=3)", "offset=0, gain=3)")],
    "argument by name": [edit("project.py", "level.step(raw, note", "level.step(raw, note=note")],
    "step below another": [
        edit("project.py", "    level: float = level.step(raw, note, gain=3).to()\n", ""),
        edit("project.py", '.to("copied.txt")\n',
             '.to("copied.txt")\n    level: float = level.step(raw, note, gain=3).to()\n'),
    ],
    "function below another": [
        edit("project.py", "def scaled(value: float) -> float:\n    return value * FACTOR\n", ""),
        edit("project.py", "class Trace",
             "def scaled(value):\n    return value * FACTOR\n\n\nclass Trace"),
    ],
    "another function": [
        edit("filters.py", "def smooth", "def rough(values):\n    return 1\n\n\ndef smooth")
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_harmless_edit(lab: Path, name: str) -> None:
    """What only changes how the source looks makes nothing stale."""
    for change in EDITS[name]:
        change(lab)
    holds(lab)


def test_line_endings(lab: Path) -> None:
    """Sources with the line endings of Windows are the same sources."""
    for path in [*lab.glob("*.py"), *lab.glob("pack/*.py"), *lab.glob("matlab/*.m")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert b"\r\n" in (lab / "project.py").read_bytes()
    holds(lab)


def test_touched(lab: Path) -> None:
    """Other times of all files and folders change nothing."""
    for path in [lab, *lab.rglob("*")]:
        os.utime(path)
    holds(lab)


def test_touched_long_ago(lab: Path) -> None:
    """Times from before the attempts change nothing either."""
    for path in [lab, *lab.rglob("*")]:
        os.utime(path, ns=(10**18, 10**18))
    holds(lab)


@pytest.mark.parametrize("command", ["cp -r", "cp -a", "cp -rL", "tar"])
def test_copied(lab: Path, tmp_path: Path, command: str) -> None:
    """A copy of the whole project is as complete as the project, which may be gone then."""
    copy = tmp_path / "copies" / "of" / "lab"
    copy.parent.mkdir(parents=True)
    if command == "tar":
        subprocess.run(["tar", "-cf", tmp_path / "lab.tar", "-C", lab, "."], check=True)
        copy.mkdir()
        subprocess.run(["tar", "-xf", tmp_path / "lab.tar", "-C", copy], check=True)
    else:
        subprocess.run([*command.split(), lab, copy], check=True)
    holds(copy)
    shutil.rmtree(lab)
    holds(copy)


@pytest.mark.parametrize("coarse", [10**9, 2 * 10**9])
def test_copied_with_coarse_times(lab: Path, tmp_path: Path, coarse: int) -> None:
    """A copy whose times are rounded down, as by rsync or on a USB stick, is complete."""

    def copy(source: str, target: str) -> None:
        shutil.copyfile(source, target)
        time = Path(source).stat().st_mtime_ns // coarse * coarse
        os.utime(target, ns=(time, time))

    shutil.copytree(lab, tmp_path / "copy", copy_function=copy)
    holds(tmp_path / "copy")


def test_moved(lab: Path, tmp_path: Path) -> None:
    """A project that is moved to another place is the same project."""
    (tmp_path / "elsewhere with spaces").mkdir()
    holds(lab.rename(tmp_path / "elsewhere with spaces" / "lab of others"))


def test_linked(lab: Path, tmp_path: Path) -> None:
    """A project that is reached by a link is the same project."""
    (tmp_path / "link").symlink_to(lab)
    holds(tmp_path / "link")


@pytest.mark.parametrize("folder", ["/", "raw", "matlab"])
def test_another_working_directory(lab: Path, folder: str) -> None:
    """Where a program is started from does not matter."""
    holds(lab, lambda: os.chdir(lab / folder))


def test_another_search_path(lab: Path) -> None:
    """The order of the search path does not matter, nor what else of the project is on it."""

    def reorder() -> None:
        sys.path[:] = [*reversed(sys.path), str(lab / "pack"), str(lab / "matlab")]

    holds(lab, reorder)


def test_imported_before(lab: Path) -> None:
    """It does not matter which modules of the project were imported before."""
    holds(lab, lambda: [importlib.import_module(name) for name in ("late", "pack.deep")])


def test_without_compiled_files(lab: Path) -> None:
    """Compiled files that Python keeps do not matter, nor whether it may write some."""

    def compiled() -> None:
        sys.dont_write_bytecode = False

    holds(lab, compiled)
    caches = list(lab.rglob("__pycache__"))
    assert caches
    for cache in caches:
        shutil.rmtree(cache)
    holds(lab)


def test_another_user(lab: Path) -> None:
    """What one user did is done for another, with another umask, at another place."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        copy = Path(shutil.copytree(lab, Path(place) / "checkout"))
        for path in [copy, *copy.rglob("*")]:
            os.chown(path, 65534, 65534)

        def become() -> None:
            # first, as root, what another user may not be able to read: the interpreter's modules
            project = importlib.import_module("project").Lab()
            project.sync()
            project.run()
            for name in [n for n, m in sys.modules.items() if _lies_in(m, copy)]:
                del sys.modules[name]
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os.umask(0o077)
            os.chdir("/")

        holds(copy, become)


def _lies_in(module: Any, root: Path) -> bool:
    return str(getattr(module, "__file__", None) or "").startswith(str(root))


def test_checked_out_by_git(lab: Path) -> None:
    """Files that git writes anew, with other times, are the same files."""

    def git(*arguments: str) -> None:
        names = ["-c", "user.name=lab", "-c", "user.email=lab@localhost"]
        subprocess.run(["git", *names, *arguments], cwd=lab, check=True, capture_output=True)

    git("init", "-b", "main")
    git("add", "--all", "--force")
    git("commit", "-m", "done")
    tracked = [path for path in lab.rglob("*") if path.is_file() and ".git" not in path.parts]
    before = {path: path.stat().st_mtime_ns for path in tracked}
    for path in tracked:
        path.unlink()
    git("checkout", "--", ".")
    assert [path for path in tracked if path.stat().st_mtime_ns == before[path]] == []
    holds(lab)


SCRIPT = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
from plan.closure import Closure
from plan.ownmodules import OwnModules
found = Closure(OwnModules(pathlib.Path(sys.argv[2])))
found.add(pathlib.Path(sys.argv[2], "project.py"), "level", 1)
print(found.digest())
"""


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_another_python(lab: Path, other_python: Callable[[str], str], version: str) -> None:
    """Another Python finds the source that is in the journal."""
    journals = lab.glob(".pointillist/runs/*.jsonl")
    lines = [json.loads(line) for path in journals for line in path.read_text().splitlines()]
    done = subprocess.run(
        [other_python(version), "-I", "-c", SCRIPT, Path(closure.__file__).parents[1], lab],
        capture_output=True,
        text=True,
        check=True,
    )
    seen = {line["source"] for line in lines if line.get("operation") == "Trace.level"}
    assert {done.stdout.strip()} == seen


def forget(root: Path) -> None:
    """Take away what was recorded and made; the jobs stay."""
    shutil.rmtree(root / ".pointillist")
    for path in root.rglob("workspace/*/*"):
        if not path.name.startswith("signac_"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_edited_while_it_runs(lab: Path) -> None:
    """A Python source that is edited while its step runs does not pass for what was run."""
    forget(lab)

    def during() -> None:
        import project  # type: ignore[import-not-found]  # the copy's

        def shift(offset: int) -> int:
            write("late.py", "def nothing() -> int:\n    return 1 - 1\n")(lab)
            return offset

        project.helpers.shift = shift

    assert len(TASKS) == judge(lab, run=True, begin=during).done
    judged = judge(lab)
    assert {task: [SOURCE] for task in LEVELS} == judged.differing()


def test_edited_before_it_runs(lab: Path) -> None:
    """A source that is edited after the project was opened does not pass for what was run."""
    forget(lab)

    def work(project: Any) -> None:
        write("filters.py", "def smooth(values):\n    return 7\n")(lab)
        project.run()

    assert {task: [SOURCE] for task in LEVELS} == judge(lab, begin=begin(work)).differing()


def test_m_file_edited_while_it_runs(lab: Path) -> None:
    """An ``.m`` file that is edited while it runs does not pass for what was run."""
    forget(lab)
    appended = (
        "f = fopen([mfilename('fullpath') '.m'], 'a'); fprintf(f, '\\n1;'); fclose(f);\n  unit"
    )
    edit("matlab/peak.m", "unit", appended)(lab)
    assert len(TASKS) == judge(lab, run=True).done
    assert {"Group group=a peak": [SOURCE]} == judge(lab).differing()
