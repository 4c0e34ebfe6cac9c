"""Submission: what the scheduler says, what is handed to it, and what is remembered of that."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import jinja2
from flow.errors import NoSchedulerError
from flow.project import _make_bundles
from flow.scheduling.base import JobStatus

__all__ = ["TEMPLATES", "ask_scheduler", "submit", "with_our_templates"]

TEMPLATES = Path(__file__).parent / "templates"
"""Our templates, which go before those of signac-flow."""


def ask_scheduler(project: Any, err: TextIO) -> dict[str, JobStatus]:
    """Return the states of a project's jobs on the scheduler, by name.

    A scheduler that cannot be asked is told of in a line; the states are then those last known.

    Parameters
    ----------
    project : FlowProject
        The project.
    err : file
        Where to say so.
    """
    try:
        scheduler = project._environment.get_scheduler()
    except NoSchedulerError:
        return {}
    print("Querying scheduler...", file=err)
    try:
        return {job.name(): job.status() for job in project.scheduler_jobs(scheduler)}
    except (RuntimeError, OSError, subprocess.SubprocessError, ValueError, LookupError) as error:
        print(
            f"The scheduler cannot be asked ({_said(error)}); what was last known of it counts.",
            file=err,
        )
        known = project._get_cached_scheduler_status()
        return {name: JobStatus(status) for name, status in known.items()}


def submit(
    project: Any,
    operations: Iterator[Any],
    num: int | None,
    bundle_size: int,
    **options: Any,
) -> None:
    """Submit operations in bundles, and remember each that the scheduler has taken.

    Parameters
    ----------
    project : FlowProject
        The project.
    operations : generator
        What is eligible.
    num : int or None
        How many of them to submit at most.
    bundle_size : int
        How many go into one script; 0 for all.
    **options
        For ``FlowProject._submit_operations``; with ``pretend`` scripts are printed, and nothing
        is submitted.
    """
    # The generator writes down what the scheduler said when it ends: that has to be before what is
    # submitted here is written down, or it would take it back.
    with project._buffered(), closing(operations):  # type: ignore[type-var]  # a generator
        chosen = list(islice(operations, num))
    with project._buffered(), project._update_cached_scheduler_status() as submitted:
        for bundle in _make_bundles(chosen, bundle_size):
            status = project._submit_operations(operations=bundle, **options)
            if status is not None and not options.get("pretend"):
                submitted.update({operation.id: status for operation in bundle})


def with_our_templates(environment: jinja2.Environment) -> jinja2.Environment:
    """Put our templates before signac-flow's, which they extend, and mend its own.

    Its ``base_script.sh`` ends parallel bundles with ``wait``, which says nothing of how their
    members ended; with ours they fail if one of these does.
    """
    assert isinstance(environment.loader, jinja2.ChoiceLoader)
    own, *others = environment.loader.loaders
    ours = jinja2.FileSystemLoader(TEMPLATES)
    packages = [p for p in others if not str(getattr(p, "package_name", "")).startswith("flow")]
    flows = _FlowTemplates("flow", "templates")
    theirs = jinja2.PrefixLoader({"signac-flow": flows})
    environment.loader = jinja2.ChoiceLoader([own, ours, theirs, *packages, flows])
    environment.filters["remember_pids"] = _remember_pids
    return environment


class _FlowTemplates(jinja2.PackageLoader):
    """signac-flow's templates, of which those of ``status --stack`` and ``-1`` do not compile."""

    def get_source(self, environment: jinja2.Environment, template: str) -> Any:
        """Return a template's text, mended."""
        text, *others = super().get_source(environment, template)
        return text.replace("for value['display_name'], value in", "for _, value in"), *others


def _remember_pids(script: str, operations: Iterable[Any]) -> str:
    """Return a script that notes the process id of each operation which it leaves running."""
    for operation in operations:
        line = re.compile(rf"(?m)^({re.escape(operation.cmd)}.* &)$")
        script = line.sub(lambda found: f'{found[1]}\npids="${{pids:-}} $!"', script)
    return script


def _said(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        cmd = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
        return f"{cmd.split()[0]} exited with {error.returncode}"
    return f"{type(error).__name__}: {error}" if not isinstance(error, RuntimeError) else str(error)
