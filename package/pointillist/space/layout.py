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
      .operation-<name>.claim.<generation>    a runner has taken a hand-written operation
      .<step>.stage.<generation>-<token>/     what an attempt has made so far
    aggregates/<Class>/workspace/<job id>/    a signac project for each aggregate class
    records/<Class>/workspace/<job id>/       a signac project for each further Record class
    .pointillist/
      runs/<runner>.jsonl                     a runner's journal
      environments/<hash>.json                what a runner ran with
      submissions/<name>.jsonl                what was handed to a scheduler at once
      submissions/<name>.ended.jsonl          the same, when nothing of it is left there
      submissions/<name>.<array>.<element>.out    what a batch job printed, if it did not go well
      claims/.operation-<name>-<aggregate id>.claim.<generation>    the same, on several jobs
      config.toml                             this machine's settings
      index                                   a cache
    pointillist.toml                          the project's settings
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

__all__ = [
    "CONTROL",
    "DOCUMENT",
    "STATEPOINT",
    "WORKSPACE",
    "JobFolder",
    "Layout",
    "claim_name",
    "claims_in",
    "fresh_place",
    "generations_in",
    "is_job",
    "is_pruned",
    "kind_folder",
    "logs_in",
    "operation_claim",
    "stage_name",
    "stages_in",
]

STATEPOINT = "signac_statepoint.json"
DOCUMENT = "signac_job_document.json"
WORKSPACE = "workspace"
CONTROL = ".call"
"""The name in a stage, which no output has, of the folder of what a command is called with."""
_OWN = ".pointillist"
_PRUNED = ".pruned"
_LINES = ".jsonl"
_ENDED = ".ended"
_JOB = re.compile("[0-9a-f]{32}")
_LOG = re.compile(r"(?P<step>\w+)\.(?P<attempt>\d+)\.log")
_PLAIN = re.compile(r"\w{1,100}", re.ASCII)
_CLAIM = re.compile(r"\.(?P<step>[\w-]+)\.claim\.(?P<generation>\d+)")


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
        self.is_left_out: Callable[[str], bool] = lambda journal: False
        """Whether a journal, by its name, need not be read; see `confinement`."""
        self.own = root / _OWN
        self.runs = self.own / "runs"
        self.environments = self.own / "environments"
        self.claims = self.own / "claims"
        self.submissions = self.own / "submissions"
        self.index = self.own / "index"
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
        """Return all journals that are to be read, oldest first.

        Raises
        ------
        OSError
            If their folder is there but cannot be read.
        """
        try:
            names = os.listdir(self.runs)
        except FileNotFoundError:
            return []
        found = [name for name in sorted(names) if name.endswith(_LINES)]
        return [self.runs / name for name in found if not self.is_left_out(name)]

    def submission(self, name: str, ended: bool = False) -> Path:
        """Return where it is written what a submission has handed to a scheduler."""
        return self.submissions / f"{name}{_ENDED if ended else ''}{_LINES}"

    def open_submissions(self) -> list[str]:
        """Return the names of the submissions of which something may be left, oldest first.

        Raises
        ------
        OSError
            If their folder is there but cannot be read.
        """
        try:
            found = os.listdir(self.submissions)
        except FileNotFoundError:
            return []
        names = [n[: -len(_LINES)] for n in found if n.endswith(_LINES)]
        return sorted(name for name in names if not name.endswith(_ENDED))

    def batch_output(self, submission: str, array: str, element: int | str) -> Path:
        """Return where it goes what a batch job prints."""
        return self.submissions / f"{submission}.{array}.{element}.out"

    def environment(self, digest: str) -> Path:
        """Return where the environment with this hash is kept."""
        return self.environments / f"{digest}.json"


class JobFolder:
    """The places in one job's folder.

    Parameters
    ----------
    place : str or Path
        The job's folder.

    Attributes
    ----------
    place : str
        The folder as text: joining texts costs a tenth of joining paths, and this is done for
        each file of each task.
    """

    __slots__ = ("place",)

    def __init__(self, place: str | Path) -> None:
        self.place = str(place)

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.place)

    @property
    def statepoint(self) -> Path:
        """The state point, signac's."""
        return Path(self.place, STATEPOINT)

    @property
    def document(self) -> Path:
        """The document, signac's."""
        return Path(self.place, DOCUMENT)

    @property
    def fresh(self) -> Path:
        """Where the folder is made before it takes its place, whole."""
        workspace, _, id = self.place.rpartition("/")
        return Path(fresh_place(workspace, id))

    @property
    def pruned(self) -> Path:
        """Where the folder goes, whole, before it is removed."""
        return self.path.with_name(f".{self.path.name}{_PRUNED}")

    def output(self, filename: str) -> Path:
        """Return an output's place."""
        return Path(self.place, filename)

    def file(self, name: str) -> str:
        """Return the place of anything in the folder, as text."""
        return f"{self.place}/{name}"

    def has_traces(self) -> bool:
        """Whether there may be a claim or a stage in the folder.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        return any(name[0] == "." and name != _OWN for name in os.listdir(self.place))

    @property
    def logs(self) -> Path:
        """The folder of the attempts' logs."""
        return Path(self.place, _OWN, "logs")

    def log(self, step: str, attempt: int) -> Path:
        """Return the log of one attempt."""
        return Path(self.log_place(step, attempt))

    def log_place(self, step: str, attempt: int) -> str:
        """Return the place of the log of one attempt, as text."""
        return f"{self.place}/{_OWN}/logs/{step}.{attempt}.log"

    def claim(self, step: str, generation: int) -> Path:
        """Return the place of a claim."""
        return Path(self.place, claim_name(step, generation))

    def stage(self, step: str, generation: int, runner: str) -> Path:
        """Return the folder in which an attempt's command makes its outputs."""
        return Path(self.place, stage_name(step, generation, runner))

    def stage_file(self, step: str, generation: int, runner: str, filename: str) -> Path:
        """Return the file to which an attempt's Python function writes one output."""
        return Path(self.place, f"{stage_name(step, generation, runner)}.{filename}")

    def control(self, step: str, generation: int, runner: str) -> Path:
        """Return the folder in which a command finds what it is called with."""
        return self.stage_file(step, generation, runner, CONTROL)

    def replaced(self, step: str, filename: str) -> Path:
        """Return where an old output folder goes while the new one takes its place."""
        return Path(self.place, f".{step}.replaced.{filename}")


def fresh_place(folder: str, name: str) -> str:
    """Return where a job's folder, or its document, is made before it takes its place, whole."""
    return f"{folder}/.{name}.new"


def operation_claim(name: str, aggregate: str = "") -> str:
    """Return what the claim of a hand-written operation is called in place of a step.

    No step has such a name, as it has a hyphen.

    Parameters
    ----------
    name : str
        The operation; it may have any name.
    aggregate : str
        The id of signac-flow's aggregate, for an operation on several jobs.
    """
    plain = name if _PLAIN.fullmatch(name) else hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"operation-{plain}-{aggregate}" if aggregate else f"operation-{plain}"


def claim_name(step: str, generation: int) -> str:
    """Return what a claim is called in its job's folder."""
    return f".{step}.claim.{generation}"


def stage_name(step: str, generation: int, runner: str) -> str:
    """Return what the stage of one attempt is called in its job's folder."""
    return f".{step}.stage.{generation}-{_token(runner)}"


@functools.lru_cache
def _token(runner: str) -> str:
    return hashlib.sha256(runner.encode()).hexdigest()[:12]


def claims_in(names: Iterable[str]) -> dict[str, list[int]]:
    """Return the generations of the claims among the names of a job's folder, by step."""
    found: dict[str, list[int]] = {}
    for name in names:
        match = _CLAIM.fullmatch(name) if name[0] == "." else None
        if match:
            found.setdefault(match["step"], []).append(int(match["generation"]))
    return {step: sorted(generations) for step, generations in found.items()}


def generations_in(names: Iterable[str], step: str) -> list[int]:
    """Return the generations of the claims on one step among the names of a job's folder."""
    start = f".{step}.claim."
    found = [name[len(start) :] for name in names if name.startswith(start)]
    return sorted(int(text) for text in found if text.isascii() and text.isdigit())


def logs_in(names: Iterable[str]) -> dict[str, list[int]]:
    """Return the attempts whose logs are among the names of a folder of logs, by step."""
    found: dict[str, list[int]] = {}
    for name in names:
        match = _LOG.fullmatch(name)
        if match:
            found.setdefault(match["step"], []).append(int(match["attempt"]))
    return {step: sorted(attempts) for step, attempts in found.items()}


def stages_in(names: Iterable[str], step: str) -> list[str]:
    """Return the names of the stages and replaced folders of a step in a job's folder."""
    start = (f".{step}.stage.", f".{step}.replaced.")
    return [name for name in names if name.startswith(start)]
