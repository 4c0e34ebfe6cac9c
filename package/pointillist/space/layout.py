"""Every file name that pointillist uses, and no other module knows one.

::

    workspace/.<job id>.new/                  a job that is being made
    workspace/.<job id>.pruned/               an orphaned aggregate that is being removed
    workspace/<job id>/                       the first Record class: a plain signac workspace
      signac_statepoint.json                  signac's
      signac_job_document.json                signac's
      <output>                                published whole by rename
      .pointillist/logs/<step>.<n>.log        what attempt n of a step printed
      .<step>.claim.<generation>              a runner has taken the step
      .<step>.stage.<generation>-<token>/     what an attempt has made so far
    aggregates/<Class>/workspace/<job id>/    a signac project for each aggregate class
    records/<Class>/workspace/<job id>/       a signac project for each further Record class
    .pointillist/
      runs/<runner>.jsonl                     a runner's journal
      environments/<hash>.json                what a runner ran with
      config.toml                             this machine's settings
    pointillist.toml                          the project's settings
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = [
    "DOCUMENT",
    "STATEPOINT",
    "WORKSPACE",
    "JobFolder",
    "Layout",
    "claims_in",
    "is_job",
    "is_pruned",
    "kind_folder",
    "stages_in",
]

STATEPOINT = "signac_statepoint.json"
DOCUMENT = "signac_job_document.json"
WORKSPACE = "workspace"
_OWN = ".pointillist"
_PRUNED = ".pruned"
_JOB = re.compile("[0-9a-f]{32}")
_CLAIM = re.compile(r"\.(?P<step>\w+)\.claim\.(?P<generation>\d+)")


def kind_folder(aggregate: bool) -> str:
    """Return the folder that holds the classes of one kind."""
    return "aggregates" if aggregate else "records"


def is_job(name: str) -> bool:
    """Whether a folder in a workspace is called like a job."""
    return _JOB.fullmatch(name) is not None


def is_pruned(name: str) -> bool:
    """Whether a folder in a workspace is a job's that was being removed."""
    return name.startswith(".") and name.endswith(_PRUNED) and is_job(name[1 : -len(_PRUNED)])


class Layout:
    """The places of one project.

    Parameters
    ----------
    root : Path
        The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root / _OWN
        self.runs = self.own / "runs"
        self.environments = self.own / "environments"
        self.machine_settings = self.own / "config.toml"
        self.project_settings = root / "pointillist.toml"
        self.matlab = root / "matlab"

    def project_of(self, name: str, aggregate: bool) -> Path:
        """Return the folder of the signac project of a class that is not the first."""
        return self.root / kind_folder(aggregate) / name

    def journal(self, runner: str) -> Path:
        """Return a runner's journal."""
        return self.runs / f"{runner}.jsonl"

    def journals(self) -> list[Path]:
        """Return all journals, oldest first."""
        return sorted(self.runs.glob("*.jsonl"))

    def environment(self, digest: str) -> Path:
        """Return where the environment with this hash is kept."""
        return self.environments / f"{digest}.json"


class JobFolder:
    """The places in one job's folder.

    Parameters
    ----------
    path : Path
        The job's folder.
    """

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def statepoint(self) -> Path:
        """The state point, signac's."""
        return self.path / STATEPOINT

    @property
    def document(self) -> Path:
        """The document, signac's."""
        return self.path / DOCUMENT

    @property
    def fresh(self) -> Path:
        """Where the folder is made before it takes its place, whole."""
        return self.path.with_name(f".{self.path.name}.new")

    @property
    def pruned(self) -> Path:
        """Where the folder goes, whole, before it is removed."""
        return self.path.with_name(f".{self.path.name}{_PRUNED}")

    def output(self, filename: str) -> Path:
        """Return an output's place."""
        return self.path / filename

    def log(self, step: str, attempt: int) -> Path:
        """Return the log of one attempt."""
        return self.path / _OWN / "logs" / f"{step}.{attempt}.log"

    def claim(self, step: str, generation: int) -> Path:
        """Return the place of a claim."""
        return self.path / f".{step}.claim.{generation}"

    def stage(self, step: str, generation: int, runner: str) -> Path:
        """Return the folder in which an attempt's command makes its outputs."""
        token = hashlib.sha256(runner.encode()).hexdigest()[:12]
        return self.path / f".{step}.stage.{generation}-{token}"

    def stage_file(self, step: str, generation: int, runner: str, filename: str) -> Path:
        """Return the file to which an attempt's Python function writes one output."""
        stage = self.stage(step, generation, runner)
        return stage.with_name(f"{stage.name}.{filename}")

    def control(self, step: str, generation: int, runner: str) -> Path:
        """Return the folder in which a command finds what it is called with."""
        return self.stage_file(step, generation, runner, ".call")  # no output has such a name

    def replaced(self, step: str, filename: str) -> Path:
        """Return where an old output folder goes while the new one takes its place."""
        return self.path / f".{step}.replaced.{filename}"


def claims_in(names: Iterator[str] | list[str]) -> dict[str, list[int]]:
    """Return the generations of the claims among the names of a job's folder, by step."""
    found: dict[str, list[int]] = {}
    for name in names:
        match = _CLAIM.fullmatch(name)
        if match:
            found.setdefault(match["step"], []).append(int(match["generation"]))
    return {step: sorted(generations) for step, generations in found.items()}


def stages_in(names: Iterator[str] | list[str], step: str) -> list[str]:
    """Return the names of the stages and replaced folders of a step in a job's folder."""
    start = (f".{step}.stage.", f".{step}.replaced.")
    return [name for name in names if name.startswith(start)]
