"""Bad input: one clear message with record, step and log; the rest goes on; nothing partial."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pointillist.errors import TasksFailed, UndeclaredFormat
from pointillist.plan.states import State

HEAD = """
from __future__ import annotations
from pathlib import Path
import os
import time
import pointillist as pt

HERE = Path(__file__).parent


@pt.step
def copy(raw: Path) -> str:
    return raw.read_text()


class Item(pt.Record):
    name: str = pt.key()
    raw: Path = pt.seed("raw/{name}.txt")
"""

TAIL = """

class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

OCTAVE = shutil.which("octave-cli") or shutil.which("matlab")
needs_matlab = pytest.mark.skipif(not OCTAVE, reason="neither MATLAB nor Octave is there")
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root mounts and changes its user")


def made(workshop: Any, wired: str, steps: str = "", names: str = "ab", name: str = "lab") -> Any:
    """Make a project with records ``a``, ``b`` and some steps."""
    head = HEAD.replace("\nclass Item", f"{steps}\n\nclass Item")
    shop = workshop(head + "".join(f"    {w}\n" for w in wired.splitlines()) + TAIL, name)
    (shop.root / "raw").mkdir()
    for letter in names:
        (shop.root / f"raw/{letter}.txt").write_text(letter)
    shop.lab().discover()
    return shop


def check_one_failure(shop: Any, summary: Any, step: str, error: str, done: int = 1) -> Path | None:
    """Hold that record a failed with one clear message and the rest went on; return the log."""
    assert done == summary.done
    [(task, attempt)] = summary.failed
    assert ("Item name=a", step) == (task.record.label, task.step.name)
    assert error == attempt.error
    assert [] == shop.leftovers()
    assert not any(step in place for place in shop.outputs() if shop_job(shop, "a") in place)
    with pytest.raises(TasksFailed) as told:
        shop.lab().run(retry_failed=True)
    assert ("Item name=a", f"Item.{step}") == (told.value.record, told.value.step)
    text = str(told.value)
    assert "Traceback" not in text and 1 == text.count(error)
    return told.value.log


def shop_job(shop: Any, name: str) -> str:
    """Return the job id of a record."""
    return str(shop.lab()[shop.module.Item].get(name=name).id)


def command_line(shop: Any, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``python project.py``."""
    return subprocess.run(
        [sys.executable, "project.py", *words],
        cwd=shop.root,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
    )


# steps and commands that fail


def test_step_raises(workshop: Any) -> None:
    """A Python step that raises: type and text in the message, the traceback in the log."""
    steps = (
        "\n@pt.step\ndef bad(raw: Path) -> str:\n"
        "    return raw.read_text() if raw.stem == 'b' else {}['volts']\n"
    )
    shop = made(workshop, "text: str = bad.step(raw).to()", steps)
    log = check_one_failure(shop, shop.run(), "text", "bad raised KeyError: 'volts'")
    assert log is not None and "{}['volts']" in log.read_text()


def test_on_the_command_line(workshop: Any) -> None:
    """``run`` prints a table with record, step, message and log, and exits with 1."""
    steps = "\n@pt.step\ndef bad(raw: Path) -> str:\n    return str(1 / 'ab'.index(raw.stem))\n"
    shop = made(workshop, "text: str = bad.step(raw).to()", steps)
    done = command_line(shop, "run")
    assert 1 == done.returncode
    text = " ".join(done.stdout.split())
    log = next(shop.root.rglob("text.1.log")).relative_to(shop.root)
    assert f"Item name=a text bad raised ZeroDivisionError: division by zero {log}" in text
    assert "1 task done, 1 failed" in text
    assert "Traceback" not in done.stdout + done.stderr
    again = command_line(shop, "run")
    assert 1 == again.returncode
    assert "failed before with the same inputs, arguments and source" in again.stdout


def test_command_exits_with_3(workshop: Any) -> None:
    """A command that fails: its exit code and the last line that it printed."""
    wired = (
        "text: Path = pt.shell('cp {raw} {out}; echo no signal >&2; "
        "grep b {raw} || exit 3').to('text.txt')"
    )
    shop = made(workshop, wired)
    error = (
        '"cp {raw} {out}; echo no signal >&2; grep b {raw} || exit 3" failed (exit 3): no signal'
    )
    log = check_one_failure(shop, shop.run(), "text", error)
    assert log is not None and "no signal\n" == log.read_text()


def test_command_is_killed(workshop: Any) -> None:
    """A command that a signal ends says which."""
    shop = made(
        workshop,
        "text: Path = pt.shell('cp {raw} {out}; grep b {raw} || kill -9 $$').to('text.txt')",
    )
    error = '"cp {raw} {out}; grep b {raw} || kill -9 $$" failed (killed by SIGKILL)'
    check_one_failure(shop, shop.run(), "text", error)


def test_program_is_missing(workshop: Any) -> None:
    """A command whose program is not there says its name and what to do."""
    steps = (
        "\n@pt.command\ndef resample(raw, out):\n"
        "    return ['cp' if Path(raw).stem == 'b' else 'soxx', raw, out]\n"
    )
    shop = made(workshop, "text: Path = resample.step(raw, pt.out).to('text.txt')", steps)
    error = (
        'The program "soxx" is not there. Install it, put its folder on PATH, or write its full '
        "path into the command."
    )
    check_one_failure(shop, shop.run(), "text", error)


def test_output_not_written(workshop: Any) -> None:
    """A command that ends well without its output is told so."""
    shop = made(
        workshop, "text: Path = pt.shell('grep b {raw} && cp {raw} {out}; true').to('text.txt')"
    )
    error = (
        '"grep b {raw} && cp {raw} {out}; true" ended well but did not write text.txt. Let it '
        "write to the path that it gets for pt.out."
    )
    check_one_failure(shop, shop.run(), "text", error)


def test_one_of_two_outputs_not_written(workshop: Any) -> None:
    """Of a command that writes one of two outputs neither takes its place."""
    wired = (
        "s = pt.shell('cp {raw} {out.x}; if grep b {raw}; then cp {raw} {out.y}; fi')\n"
        "x: Path = s.output('x').to('x.txt')\ny: Path = s.output('y').to('y.txt')"
    )
    shop = made(workshop, wired)
    summary = shop.run()
    [(_, attempt)] = summary.failed
    assert "did not write y.txt" in str(attempt.error) and "pt.out('y')" in str(attempt.error)
    assert {"x.txt", "y.txt"} == {Path(place).name for place in shop.outputs()}
    assert 2 == len(shop.outputs()) and [] == shop.leftovers()


def test_result_of_another_type(workshop: Any) -> None:
    """A value that does not fit its declared type is told with both."""
    steps = "\n@pt.step\ndef bad(raw: Path) -> int:\n    return 'b' if raw.stem == 'a' else 3\n"
    shop = made(workshop, "number: int = bad.step(raw).to()", steps)
    summary = shop.run()
    [(_, attempt)] = summary.failed
    assert str(attempt.error).startswith("what bad returned cannot be written to number.txt: ")
    assert 1 == summary.done and [] == shop.leftovers()


def test_format_that_raises(workshop: Any) -> None:
    """An error of any kind from a format is one task's failure, its traceback in the log."""
    steps = "\n@pt.step\ndef odd(raw: Path) -> dict:\n    d = {}\n    d['d'] = d\n    return d\n"
    shop = made(workshop, "data: dict = odd.step(raw).to()\ntext: str = copy.step(raw).to()", steps)
    summary = shop.run()
    assert 2 == summary.done and 2 == len(summary.failed)
    assert all(a.error.startswith("what odd returned cannot be") for _, a in summary.failed)


@needs_matlab
def test_matlab(workshop: Any) -> None:
    """A MATLAB function that errors, one whose file is missing, and one that is there at last."""
    shop = made(
        workshop,
        "text: Path = pt.matlab('louder', raw, pt.out).to('text.txt')\n"
        "gone: Path = pt.matlab('whisper', raw, pt.out).to('gone.txt')",
        names="ab",
    )
    (shop.root / "matlab").mkdir()
    (shop.root / "matlab/louder.m").write_text(
        "function louder(in, out)\n  [~, name] = fileparts(in);\n"
        "  if strcmp(name, 'a')\n    error('too\\nquiet: %d dB', 3);\n  end\n"
        "  copyfile(in, out);\nend\n"
    )
    summary = shop.run()
    assert 1 == summary.done and 3 == len(summary.failed)
    errors = {str(task): str(attempt.error) for task, attempt in summary.failed}
    folder = shop.root / "matlab"
    assert (
        f"louder failed (exit 1): too quiet: 3 dB in louder, line 4 ({folder}/louder.m)"
        == errors["Item name=a  text"]
    )
    assert (
        "whisper failed (exit 1): there is no function whisper. Put a file whisper.m into one of "
        f"these folders, or correct the name in the step. Searched: {folder}"
    ) == errors["Item name=a  gone"]
    assert [] == shop.leftovers()
    (shop.root / "matlab/whisper.m").write_text(
        "function whisper(in, out)\n  copyfile(in, out);\nend\n"
    )
    again = shop.run()
    assert (2, 1) == (again.done, len(again.still_failed))


# seeds


def test_seed_missing(workshop: Any) -> None:
    """A seed that is not there: its task waits and says for which file, what needs it as well."""
    shop = made(
        workshop,
        "text: str = copy.step(raw).to()\nt2: Path = pt.shell('cp {text} {out}').to('t2.txt')",
    )
    (shop.root / "raw/a.txt").unlink()
    summary = shop.run()
    assert (2, []) == (summary.done, summary.failed)
    [(task, verdict)] = summary.missing
    assert "Item name=a  text" == str(task)
    assert "waiting: raw is missing: raw/a.txt" == str(verdict)
    assert 2 == len(summary.waiting)


VANISHES = """
@pt.step
def slow(raw: Path) -> str:
    text = raw.read_text()
    if raw.stem == "a":
        CHANGE
    return text
"""


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("raw.unlink()", "vanished"),
        ("raw.write_text('another text')", "changed"),
        ("os.utime(raw, ns=(1, time.time_ns()))", "changed"),
    ],
)
def test_seed_changes_while_read(workshop: Any, change: str, word: str) -> None:
    """A seed that changes or vanishes while the step runs: what was made of it is discarded."""
    steps = VANISHES.replace("CHANGE", change)
    shop = made(workshop, "text: str = slow.step(raw).to()", steps)
    summary = shop.run()
    [(task, attempt)] = summary.failed
    assert ("Item name=a  text", "changed") == (str(task), attempt.outcome)
    assert (
        f"raw/a.txt {word} while the step ran; what was made of it is discarded. "
        "Run again when nothing writes to it any more."
    ) == attempt.error
    assert 1 == summary.done == len(shop.outputs()) and [] == shop.leftovers()


def test_seed_changed_is_tried_again(workshop: Any) -> None:
    """What failed as its seed changed is done at once, and counts as done."""
    steps = VANISHES.replace(
        "CHANGE",
        "time.time() < 0 or (HERE / 'once').exists() or "
        "((HERE / 'once').touch(), raw.write_text('grown'))",
    )
    shop = made(workshop, "text: str = slow.step(raw).to()", steps)
    summary = shop.run()
    assert (2, []) == (summary.done, summary.failed)
    assert ["changed", "complete", "complete"] == [a["outcome"] for a in shop.attempts()]
    assert {b"grown", b"b"} == set(shop.outputs().values())


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder in which another user can work too."""
    with tempfile.TemporaryDirectory(prefix="pointillist-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@needs_root
def test_seed_unreadable(workshop: Any, fork: Any, open_folder: Path) -> None:
    """A seed that may not be read, told to a user who is not root, who may."""
    shop = made(
        workshop,
        "text: str = copy.step(raw).to()\nc: Path = pt.shell('cp {raw} {out}').to('c.txt')",
        name=str(open_folder / "lab"),
    )
    shop.run()  # so that all is imported before the user is changed
    for letter in "ab":
        (shop.root / f"raw/{letter}.txt").write_text(f"{letter}, anew")
    (shop.root / "raw/a.txt").chmod(0)
    subprocess.run(["chown", "-R", "65534:65534", open_folder], check=True)
    (shop.root / "raw/a.txt").chmod(0)

    def work() -> None:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        os.chown(shop.root / "raw/a.txt", 65534, 65534)
        summary = shop.run()
        assert 2 == summary.done, summary
        errors = {str(task): attempt.error for task, attempt in summary.failed}
        text = "raw cannot be read: raw/a.txt: Permission denied. Look at its permissions."
        assert {"Item name=a  text": text, "Item name=a  c": text} == errors
        (shop.root / "raw/a.txt").chmod(0o600)
        assert 2 == shop.run().done  # tried again, as it had not got as far as to see its input

    assert 0 == fork(work)
    assert [] == shop.leftovers()


# records and declarations


def test_undeclared_format(workshop: Any) -> None:
    """A type that no format writes is an error when the class is made."""
    steps = "\n@pt.step\ndef thing(raw: Path) -> complex:\n    return 1j\n"
    with pytest.raises(UndeclaredFormat, match=r"Item\.thing"):
        made(workshop, "thing: complex = thing.step(raw).to('thing.xyz')", steps)


def test_corrupt_statepoint(workshop: Any) -> None:
    """A state point that cannot be read: named with its file, the others go on, exit 1."""
    shop = made(workshop, "text: str = copy.step(raw).to()")
    broken = shop.root / "workspace" / shop_job(shop, "a") / "signac_statepoint.json"
    broken.write_text('{"name": "a')
    done = command_line(shop, "run")
    assert 1 == done.returncode
    assert "1 task done" in done.stdout
    text = " ".join(done.stderr.split())
    assert 1 == text.count(f"the state point {broken} cannot be read") and "Traceback" not in text


# disks


@contextlib.contextmanager
def disk(place: Path, size: str) -> Iterator[None]:
    """Mount a small disk of its own."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@needs_root
def test_read_only_workspace(workshop: Any, tmp_path: Path) -> None:
    """A workspace that cannot be written: each task says so, no traceback, exit 1."""
    with disk(tmp_path / "lab/workspace", "4m"):
        shop = made(
            workshop,
            "text: str = copy.step(raw).to()\nt2: str = copy.step(text).to()".replace(
                "copy.step(text)", "copy.step(raw)"
            ),
        )
        assert 4 == shop.run().done
        for letter in "ab":
            (shop.root / f"raw/{letter}.txt").write_text(f"{letter}, anew")
        before = shop.outputs()
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "lab/workspace"], check=True)
        done = command_line(shop, "run")
        assert 1 == done.returncode and "Traceback" not in done.stdout + done.stderr
        folder = shop.root / "workspace" / shop_job(shop, "a")
        error = (
            f"{folder} cannot be written: Read-only file system. Make the workspace writable, or "
            "free some space."
        )
        assert error in " ".join(done.stdout.split())
        assert before == shop.outputs() and "0 tasks done, 4 failed" in done.stdout
        subprocess.run(["mount", "-o", "remount,rw", tmp_path / "lab/workspace"], check=True)
        assert 4 == shop.run().done and [] == shop.leftovers()


@needs_root
def test_read_only_project(workshop: Any, fork: Any, tmp_path: Path) -> None:
    """A project's folder that cannot be written gives one message, not one a task."""
    with disk(tmp_path / "lab", "4m"):
        shop = workshop(HEAD + "    text: str = copy.step(raw).to()\n" + TAIL)
        (shop.root / "raw").mkdir()
        (shop.root / "raw/a.txt").write_text("a")
        assert 0 == fork(lambda: shop.lab().discover())  # which keeps a file open to its end
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "lab"], check=True)
        done = command_line(shop, "run")
        assert 1 == done.returncode and "Traceback" not in done.stdout + done.stderr
        assert "Read-only file system" in done.stdout + done.stderr
        assert {} == shop.outputs()


FULL = """
@pt.step
def big(raw: Path) -> str:
    return "x" * (5_000_000 if raw.stem == "a" else 10)
"""


@needs_root
@pytest.mark.parametrize(
    ("wired", "error"),
    [
        ("text: str = big.step(raw).to()", "text.txt cannot be written: No space left on device."),
        (
            "text: Path = pt.shell('if grep b {raw}; then cp {raw} {out}; else head -c 5000000 "
            "/dev/zero > {out}; fi').to('text.txt')",
            " failed (exit 1); the disk of ",
        ),
    ],
    ids=["python", "command"],
)
def test_full_disk(workshop: Any, tmp_path: Path, wired: str, error: str) -> None:
    """A disk that is full: the task says so, the space is given back, the others go on."""
    with disk(tmp_path / "lab", "1m"):
        shop = made(workshop, wired, FULL)
        summary = shop.run()
        [(task, attempt)] = summary.failed
        assert "Item name=a  text" == str(task) and error in str(attempt.error)
        assert 1 == summary.done == len(shop.outputs()) and [] == shop.leftovers()


@needs_root
def test_disk_too_full_to_record(workshop: Any, tmp_path: Path) -> None:
    """With no room for the journal's line nothing is published, and the next run does it."""
    steps = """
@pt.step
def fills(raw: Path) -> str:
    if not (HERE / "free").exists():
        with open(HERE / "ballast", "wb") as file:
            try:
                while file.write(bytes(4096)):
                    file.flush()
            except OSError:
                pass
    return raw.read_text()
"""
    with disk(tmp_path / "lab", "1m"):
        shop = made(workshop, "text: str = fills.step(raw).to()", steps, "a")
        try:
            summary = shop.run()
        finally:
            (shop.root / "free").touch()
            (shop.root / "ballast").unlink()
        [(_, attempt)] = summary.failed
        assert "No space left on device" in str(attempt.error)
        assert {} == shop.outputs() and [] == shop.leftovers()
        assert 1 == shop.run(retry_failed=True).done


# names


@pytest.mark.parametrize("nasty", ["a'; rm -rf ~; '", "a\nb", "-a $(touch x) %d \\n {raw} ü"])
def test_nasty_names(workshop: Any, nasty: str) -> None:
    """A file name stays data in shell commands, programs and MATLAB functions."""
    shop = made(
        workshop,
        "s: Path = pt.shell('cp -- {raw} {out}').to('s.txt')\n"
        "c: Path = program.step(raw, pt.out).to('c.txt')\n"
        "p: str = copy.step(raw).to()"
        + ("\nm: Path = pt.matlab('copies', raw, pt.out, name).to('m.txt')" if OCTAVE else ""),
        "\n@pt.command\ndef program(raw, out):\n    return ['cp', '--', raw, out]\n",
        names="",
    )
    (shop.root / "matlab").mkdir()
    (shop.root / "matlab/copies.m").write_text(
        "function copies(in, out, name)\n"
        "  from = fopen(in, 'r'); data = fread(from, Inf, 'uint8=>uint8'); fclose(from);\n"
        "  to = fopen(out, 'w'); fwrite(to, data); fwrite(to, uint8(name)); fclose(to);\nend\n"
    )
    (shop.root / f"raw/{nasty}.txt").write_bytes(b"data")
    shop.lab().discover()
    summary = shop.run()
    assert ([], 4 if OCTAVE else 3) == (summary.failed, summary.done)
    found = {Path(place).name: content for place, content in shop.outputs().items()}
    assert b"data" == found["s.txt"] == found["c.txt"] == found["p.txt"]
    assert not OCTAVE or found["m.txt"] == b"data" + nasty.encode()
    assert not (shop.root / "x").exists()
    assert all(v.state is State.COMPLETE for v in shop.verdicts().values())
