"""Templates of scripts as signac-flow documents them.

Each test runs with signac-flow's own FlowProject and with ours; a comment names the page of
signac's documentation, and the section, that it is written from.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import flow
import flow.environment
import jinja2
import pytest
import signac
from flow.errors import SubmitError


@pytest.fixture
def project(base: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a project that prints its scripts, with one job and one operation `hello`."""
    monkeypatch.chdir(tmp_path)
    signac.init_project().open_job({"a": 0}).init()

    class Project(base):
        pass

    @Project.operation
    def hello(job: Any) -> None:
        pass

    return Project(environment=flow.environment.TestEnvironment)


def template(text: str, name: str = "script.sh", folder: str = "templates") -> None:
    """Put a template into the project in the working directory."""
    Path(folder).mkdir(exist_ok=True)
    Path(folder, name).write_text(text)


def script(project: Any, capsys: pytest.CaptureFixture[str], **arguments: Any) -> list[str]:
    """Give the lines of the script that `submit` makes, those that are empty left out."""
    capsys.readouterr()
    project.submit(**arguments)
    return [line for line in capsys.readouterr().out.splitlines() if line]


def job_of(project: Any) -> Any:
    """Give the project's only job."""
    (job,) = project
    return job


# Templates, "Replacing the default template".


def test_the_default_script(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The script that signac-flow makes changes into the project and runs the operation there."""
    lines = script(project, capsys)
    job = job_of(project)
    assert ["set -e", "set -u", f"cd {project.path}", f"# hello({job.id})"] == lines[:4]
    assert lines[4].startswith(sys.executable)
    assert lines[4].endswith(f" run -o hello -j {job.id}")
    assert "# Eligible to run:" == lines[5]
    assert lines[6].endswith(f" exec hello {job.id}")


def test_script_sh_replaces_the_default(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The example, with ``project.path`` for its ``project_dir``, which there is no more."""
    template(
        "cd {{ project.path }}\n{% for operation in operations %}\n"
        "{{ operation.cmd }}\n{% endfor %}\n"
    )
    first, second = script(project, capsys)
    assert f"cd {project.path}" == first
    assert second.endswith(f" run -o hello -j {job_of(project).id}")


# Templates, "Customize provided templates".


def test_a_script_that_extends_the_base(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The example: a line goes before what the base template has in its body."""
    other = type(project)(environment=flow.environment.TestEnvironment)
    plain = script(other, capsys)
    template(
        "{% extends base_script %}\n{% block body %}\n"
        "date >> execution.log\n{{ super() }}\n{% endblock %}\n"
    )
    assert [*plain[:3], "date >> execution.log", *plain[3:]] == script(project, capsys)


# Templates, "The base template".


@pytest.mark.parametrize(
    ("block", "after"),
    [
        ("header", None),
        ("preamble", None),
        ("tasks", None),
        ("project_header", None),
        ("custom_content", "cd "),
        ("body", "cd "),
        ("pre_operation", "# hello("),
        ("footer", "# "),
    ],
)
def test_the_blocks(
    project: Any, capsys: pytest.CaptureFixture[str], block: str, after: str | None
) -> None:
    """Each block of the base template can be replaced, and stands where it is documented to."""
    template(f"{{% extends base_script %}}{{% block {block} %}}MARK\n{{% endblock %}}")
    lines = script(project, capsys)
    assert 1 == lines.count("MARK")
    before = lines[: lines.index("MARK")]
    assert [] == before if after is None else before[-1].startswith(after)


def test_the_base_script_is_the_environments(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """``base_script`` is the template of the environment."""
    template("{{ base_script }}")
    assert ["base_script.sh"] == script(project, capsys)


def test_templates_that_ship_can_be_extended(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template may extend one that ships with signac-flow by its name."""
    template('{% extends "simple_scheduler.sh" %}')
    lines = script(project, capsys)
    assert "#!/bin/bash" == lines[0]
    assert lines[1].startswith(f"#SSCHED --job-name=Project/{job_of(project).id}/hello/")
    assert f"#SSCHED --chdir={project.path}" == lines[2]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("project.path", "{project.path}"),
        ("environment.__name__", "TestEnvironment"),
        ("operations | length", "1"),
        ("operations[0].name", "hello"),
        ("operations[0]", "hello({job.id})"),
        ("operations[0].directives.np", "1"),
        ("resources.ncpu_tasks", "1"),
        ("resources.num_nodes", "1"),
        ("parallel", "False"),
        ("force", "False"),
        ("hue", "red"),
    ],
)
def test_variables(
    project: Any, capsys: pytest.CaptureFixture[str], expression: str, expected: str
) -> None:
    """Templates have these variables; further arguments of `submit` become variables too."""
    template(f"{{{{ {expression} }}}}")
    shown = script(project, capsys, hue="red")
    assert [expected.format(project=project, job=job_of(project))] == shown


def test_the_id_is_that_of_the_cluster_job(
    project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """``id`` is the name under which signac-flow will know the cluster job."""
    template("{{ id }}")
    (shown,) = script(project, capsys)
    assert shown.startswith(f"Project/{job_of(project).id}/hello/")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a b' | quote_argument", "'a b'"),
        ("0.5 | format_memory", "512M"),
        ("4 | format_memory", "4G"),
        ("operations | calc_tasks('np', False)", "1"),
        ("5 | calc_num_nodes(4)", "2"),
        ("[[1, 1], [2, 2]] | map('first') | list | length", "2"),
        ("project | get_config_value('account', default='none')", "none"),
    ],
)
def test_filters(
    project: Any, capsys: pytest.CaptureFixture[str], expression: str, expected: str
) -> None:
    """Filters of signac-flow, and jinja's own, work in templates."""
    template(f"{{{{ {expression} }}}}")
    assert [expected] == script(project, capsys)


def test_the_body_of_mpi(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Recipes, "MPI-operations with custom script templates": every command gets a prefix."""
    template(
        "{% extends base_script %}\n{% block body %}\n{% for operation in operations %}\n"
        "mpiexec -n {{ operation.directives.np }} {{ operation.cmd }}\n"
        "{% endfor %}\n{% endblock %}\n"
    )
    assert script(project, capsys)[-1].startswith(f"mpiexec -n 1 {sys.executable} ")


# The command line's help: --template, --template-help, 'template_dir'.


def test_a_template_by_name(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """``submit(template=...)`` takes another file of the templates."""
    template("one")
    template("other", "other.sh")
    assert ["one"] == script(project, capsys)
    assert ["other"] == script(project, capsys, template="other.sh")


def test_the_flag_template(
    project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``submit --template`` takes another file of the templates."""
    template("other", "other.sh")
    monkeypatch.setattr(sys, "argv", ["project.py", "submit", "--template", "other.sh"])
    project.main()
    assert "other\n" == capsys.readouterr().out


def test_a_template_that_is_not_there(
    project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A template that is not found is an error, which the command line says in a sentence."""
    monkeypatch.setattr(sys, "argv", ["project.py", "submit", "--template", "other.sh"])
    with pytest.raises(jinja2.TemplateNotFound):
        project.main()
    assert "Did not find template script 'other.sh'." in capsys.readouterr().err


def test_the_flag_template_help(
    project: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``submit --template-help`` lists variables and filters, submits nothing, and exits with 2."""
    monkeypatch.setattr(sys, "argv", ["project.py", "submit", "--template-help"])
    with pytest.raises(SystemExit) as caught:
        project.main()
    assert 2 == caught.value.code
    printed = capsys.readouterr().out
    assert str(Path.cwd() / "templates") in printed
    words = set(printed.replace(",", " ").split())
    variables = {"base_script", "environment", "id", "operations", "project", "resources"}
    assert set() == variables - words
    filters = {
        *("calc_memory", "calc_num_nodes", "calc_tasks", "calc_walltime", "check_utilization"),
        *("format_memory", "format_timedelta", "get_account_name", "get_config_value"),
        *("get_prefix", "homogeneous_openmp_mpi_config", "identical", "print_warning"),
        *("quote_argument", "with_np_offset"),
    }
    assert set() == filters - words


def test_another_folder_of_templates(
    base: Any, project: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of the templates can be configured with 'template_dir'."""
    with Path(".signac", "config").open("a") as config:
        config.write("template_dir = forms\n")
    template("from forms", folder="forms")
    configured = type(project)(environment=flow.environment.TestEnvironment)
    assert ["from forms"] == script(configured, capsys)


# The API: flow.errors.TemplateError and ConfigKeyError; get_config_value.


def test_a_template_may_raise(project: Any) -> None:
    """``{% raise "..." %}`` in a template is an error with that text."""
    template('{% raise "too few nodes" %}')
    with pytest.raises(jinja2.TemplateError, match="too few nodes"):
        project.submit()


def test_a_value_of_the_configuration(project: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`get_config_value` gives a key of the section 'flow' of the configuration."""
    with Path(".signac", "config").open("a") as config:
        config.write("[flow]\naccount = mine\n")
    template("{{ project | get_config_value('account') }}")
    configured = type(project)(environment=flow.environment.TestEnvironment)
    assert ["mine"] == script(configured, capsys)


def test_a_value_that_is_not_configured(project: Any) -> None:
    """A key that a template needs and nobody has set is a SubmitError that says how to set it."""
    template("{{ project | get_config_value('account') }}")
    with pytest.raises(SubmitError, match=r"signac config --global set 'flow\.account' VALUE"):
        project.submit()
