"""Scripts of arrays: signac-flow's templates, filled in for many tasks of one step."""

from __future__ import annotations

import inspect
import shlex
import sys
from dataclasses import dataclass
from typing import Any

from flow.errors import ConfigKeyError, NoSchedulerError, SubmitError
from flow.project import _SubmissionJobOperation
from flow.scheduling.slurm import SlurmScheduler

from ..errors import ConfigurationError
from ..model.options import Options
from .operations import directives

__all__ = ["Request", "array_command", "array_script", "has_arrays"]


@dataclass(frozen=True)
class Request:
    """What an element of an array asks of the scheduler.

    Parameters
    ----------
    options : Options
        Those of the step.
    count : int
        How many tasks an element carries out.
    parallel : bool
        Whether it carries them out at the same time.
    """

    options: Options
    count: int
    parallel: bool

    @property
    def cores(self) -> int:
        """How many cores."""
        return self.options.np * self._at_once

    @property
    def walltime(self) -> float | None:
        """How many seconds; None if the step does not say."""
        each = self.options.walltime
        return None if each is None else each * (1 if self.parallel else self.count)

    @property
    def all(self) -> Options:
        """What is asked for, as the options of one task."""
        memory = self.options.memory
        return self.options.updated(
            np=self.cores,
            ngpu=self.options.ngpu * self._at_once,
            memory=None if memory is None else memory * self._at_once,
            walltime=self.walltime,
        )

    @property
    def _at_once(self) -> int:
        return self.count if self.parallel else 1


class _ArrayOperation(_SubmissionJobOperation):  # type: ignore[misc]  # signac-flow has no types
    """An operation as templates know it, for all tasks of an array."""

    def __str__(self) -> str:
        return str(self.name)


def has_arrays(lab: Any) -> bool:
    """Whether a project's environment has a scheduler whose arrays are known here: Slurm."""
    try:
        return isinstance(lab._environment.get_scheduler(), SlurmScheduler)
    except NoSchedulerError:
        return False


def array_command(lab: Any) -> list[str]:
    """Return the command that hands a script over, as the environment says it."""
    flags = getattr(lab._environment, "submit_flags", None) or []
    return [*lab._environment.get_scheduler().submit_cmd, *flags]


def array_script(
    lab: Any, id: str, step: str, call: str, request: Request, options: dict[str, Any]
) -> str:
    """Return the script that each element of an array carries out.

    Parameters
    ----------
    lab : CompiledProject
        The project.
    id : str
        What the scheduler is to call the array.
    step : str
        The operation.
    call : str
        The verb of the project that does it, with its arguments.
    request : Request
        What an element asks for.
    options : dict
        What templates may know: ``template``, ``partition``, ``force``, …

    Raises
    ------
    ConfigurationError
        If a template needs a setting that is not there, or the environment refuses the request.
    """
    found = lab._environment._get_default_directives()
    found.update(directives(request.all))
    path = lab._entrypoint.get("path") or inspect.getfile(type(lab))
    program = shlex.join([lab._entrypoint.get("executable", sys.executable), path])
    # in place of the shell, which Slurm's signal at the time limit would end, and with it the rest
    operation = _ArrayOperation(
        id, step, (), f"exec {program} {call}", dict(found), set(found.user_keys)
    )
    try:
        script: str = lab._generate_submit_script(
            **{**options, "_id": id, "operations": [operation], "parallel": False}
        )
    except ConfigKeyError as error:
        raise ConfigurationError(
            f"a template needs the setting {error}. Say `signac config --global set {error} VALUE`."
        ) from error
    except SubmitError as error:
        raise ConfigurationError(
            f"{step} is not submitted: {error} What the environment "
            f"{lab._environment.__name__} refuses, --force submits nevertheless."
        ) from error
    return script
