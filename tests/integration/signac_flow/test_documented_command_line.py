"""The command line as signac-flow documents it: every verb, every flag, and what is global.

Each test runs with signac-flow's own FlowProject and with ours; they are written from FlowProject,
"main", in the API, from "Setup and Interface" on the page "The FlowProject", and from ``--help``.
What the flags do is held beside the methods that they stand for.
"""

from __future__ import annotations

import argparse
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flow
import pytest
import signac

FLAGS = {
    "status": {
        *("-j", "--job-id", "-f", "--filter", "--json", "-d", "--detailed", "-a"),
        *("--all-operations", "--only-incomplete-operations", "--stack", "-1", "--one-line", "-e"),
        *("--expand", "--pretty", "--full", "--no-overview", "-m", "--overview-max-lines", "-p"),
        *("--parameters", "--param-max-width", "--eligible-jobs-max-lines", "--ignore-errors"),
        *("--output-format", "--profile", "--hide-progress", "-o", "--operation"),
    },
    "next": set(),
    "run": {
        *("-j", "--job-id", "-f", "--filter", "-o", "--operation", "-n", "--num", "--pretend"),
        *("--progress", "--num-passes", "-t", "--timeout", "--switch-to-project-root", "-p"),
        *("--parallel", "--order", "--ignore-conditions"),
    },
    "submit": {
        *("--pretend", "--force", "--ignore-conditions", "--ignore-conditions-on-execution", "-j"),
        *("--job-id", "-f", "--filter", "-o", "--operation", "-n", "--num", "-b", "--bundle"),
        *("-p", "--parallel", "--template", "--template-help"),
    },
    "exec": set(),
}
"""The flags of each verb beside those of all: -h, --help, -v, --verbose, --debug."""

GLOBAL = {"-h", "--help", "-v", "--verbose", "--debug"}

Main = Callable[..., None]


def project_of(base: Any) -> Any:
    """Give a project with one operation in the working directory."""

    class Project(base):
        pass

    @Project.operation
    def hello(job: Any) -> None:
        job.doc.hello = True

    return Project()


@pytest.fixture(autouse=True)
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put one job into the working directory."""
    monkeypatch.chdir(tmp_path)
    signac.init_project().open_job({"a": 0}).init()


@pytest.fixture
def main(base: Any, monkeypatch: pytest.MonkeyPatch) -> Main:
    """Give the project's command line."""

    def call(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["project.py", *words])
        project_of(base).main()

    return call


def told(capsys: pytest.CaptureFixture[str], main: Main, *words: str) -> str:
    """Give the help of a verb."""
    with pytest.raises(SystemExit) as caught:
        main(*words, "--help")
    assert 0 == caught.value.code
    return capsys.readouterr().out


def flags(help: str) -> set[str]:
    """Give the flags that a help lists."""
    listed = "\n".join(re.findall(r"^  (-.*?)(?:  .*)?$", help, re.MULTILINE))
    return set(re.findall(r"(?<!\S)--?[\w-]+", listed))


def test_the_verbs(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    """The help names all verbs."""
    (verbs,) = re.findall(r"^  \{(.*)\}$", told(capsys, main), re.MULTILINE)
    assert set() == set(FLAGS) - set(verbs.split(","))


@pytest.mark.parametrize("verb", list(FLAGS))
def test_the_flags_of_each_verb(main: Main, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    """Every flag that signac-flow has is there, and has a help."""
    assert set() == (FLAGS[verb] | GLOBAL) - flags(told(capsys, main, verb))


@pytest.mark.parametrize("verb", list(FLAGS))
def test_no_flag_of_signac_flow_is_forgotten(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """The flags that are held above are all that signac-flow has."""

    def main(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["project.py", *words])
        project_of(flow.FlowProject).main()

    assert FLAGS[verb] | GLOBAL == flags(told(capsys, main, verb))


@pytest.mark.parametrize("verb", list(FLAGS))
def test_positional_arguments(main: Main, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    """The verbs take what signac-flow's take without a flag."""
    positional = {"next": ["name"], "submit": ["flags"], "exec": ["{hello}", "job_id"]}
    listed = told(capsys, main, verb).split("positional arguments:")[1:]
    found = re.findall(r"^  (\S+)", listed[0].split("\n\n")[0], re.MULTILINE) if listed else []
    assert positional.get(verb, []) == found


@pytest.mark.parametrize(
    ("verb", "titles"),
    [
        ("status", ["view"]),
        ("run", ["job-operation selection", "execution"]),
        ("submit", ["job-operation selection", "bundling", "templating"]),
    ],
)
def test_the_parts_of_a_help(
    main: Main, capsys: pytest.CaptureFixture[str], verb: str, titles: list[str]
) -> None:
    """The help of a verb has its flags under the titles of signac-flow's."""
    help = told(capsys, main, verb)
    assert titles == [title for title in titles if f"\n{title}:\n" in help]


def test_without_a_verb(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a verb the usage is printed, and the exit code is 2."""
    with pytest.raises(SystemExit) as caught:
        main()
    assert 2 == caught.value.code
    assert capsys.readouterr().out.startswith("usage: project.py [-h] [-v] [--debug]")


@pytest.mark.parametrize(
    "words", [["sing"], ["run", "--sing"], ["run", "--order", "backwards"], ["next"], ["exec"]]
)
def test_what_is_wrong_on_the_command_line(main: Main, words: list[str]) -> None:
    """A verb, flag or value that is not known, or missing, is exit code 2."""
    with pytest.raises(SystemExit) as caught:
        main(*words)
    assert 2 == caught.value.code


@pytest.mark.parametrize(
    "words", [["-v", "next", "hello"], ["next", "-v", "hello"], ["--debug", "next", "hello"]]
)
def test_verbosity(main: Main, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """-v and --debug, before the verb or after it, tell the environment."""
    main(*words)
    assert "Using environment configuration: StandardEnvironment" in capsys.readouterr().err
    main("next", "hello")
    assert "Using environment" not in capsys.readouterr().err


def test_a_parser_of_ones_own(base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`main` takes a parser, to which it adds the verbs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hue", default="red")
    monkeypatch.setattr(sys, "argv", ["project.py", "--hue", "blue", "run"])
    project_of(base).main(parser=parser)
    assert [True] == [job.doc.hello for job in signac.get_project()]


SCRIPT = """\
from {package} import FlowProject


class Project(FlowProject):
    pass


@Project.post.true("hello")
@Project.operation
def hello(job):
    print("hello", job)
    job.doc.hello = True


if __name__ == "__main__":
    Project().main()
"""


@pytest.mark.parametrize("package", ["flow", "pointillist"])
def test_a_script_from_elsewhere(package: str, tmp_path: Path) -> None:
    """The example: a script of one import and ``main()``; -vv tells what is executed."""
    (tmp_path / "project.py").write_text(SCRIPT.format(package=package))
    run = subprocess.run(
        [sys.executable, "project.py", "-vv", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    (job,) = signac.get_project()
    assert f"hello {job.id}\n" == run.stdout
    assert f"Execute operation 'hello({job.id})'..." in run.stderr


def test_an_execution_is_logged(base: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The FlowProject, "Conditions": each execution is told at the level INFO."""
    with caplog.at_level(logging.INFO):
        project_of(base).run()
    (job,) = signac.get_project()
    assert f"Execute operation 'hello({job.id})'..." in caplog.messages
