"""What is carried out: one operation on one job, or on one aggregate of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from flow.aggregates import get_aggregate_id
from flow.hooks import TrackOperations
from flow.project import FlowCmdOperation, IgnoreConditions, _JobOperation
from flow.util.misc import _TrackGetItemDict

__all__ = ["Execution", "Recipe", "hooks_around"]


class Recipe:
    """One operation of one group: everything that is the same for all jobs.

    Parameters
    ----------
    project : flow.FlowProject
        The project.
    group : flow.project.FlowGroup
        The group as a member of which the operation is carried out.
    name : str
        The operation.
    defaults : dict
        The operations' own directives, by name.
    """

    def __init__(self, project: Any, group: Any, name: str, defaults: dict[str, Any]) -> None:
        self.project = project
        self.group = group
        self.name = name
        self.operation = group.operations[name]
        self._defaults = defaults

    def eligible(self, jobs: tuple[Any, ...], ignore: IgnoreConditions) -> bool:
        """Return whether the operation is to be carried out on some jobs."""
        if ignore is not IgnoreConditions.NONE:
            return bool(self.operation._eligible(jobs, ignore))
        for condition in self.operation._preconditions:
            if not condition(jobs):
                return False
        after = self.operation._postconditions
        return not after or not all(condition(jobs) for condition in after)

    def execution(self, jobs: tuple[Any, ...]) -> Execution:
        """Return what to carry out on some jobs."""
        if self._static is not None:
            directives, prefix = self._static
        else:
            directives = self._directives(jobs)
            prefix = None
        return Execution(self, jobs, directives, prefix)

    @cached_property
    def _static(self) -> tuple[_TrackGetItemDict, str] | None:
        """Directives and the prefix of the command, if they are the same for all jobs.

        signac-flow works both out for each job, which is most of what an operation costs it.
        """
        environment = self.project._environment
        ways = ("get_prefix", "_get_omp_prefix", "_get_mpi_prefix")
        if any(not _is_of_flow(getattr(environment, way)) for way in ways):
            return None
        found = self.group._resolve_directives(self.name, self._defaults, environment)
        given = [*found._defined_directives.values(), *found._user_directives.values()]
        if any(callable(value) for value in given):
            return None
        directives = self._directives(())
        prefix = environment.get_prefix(Execution(self, (), directives, ""))
        return directives, str(prefix)

    def _directives(self, jobs: tuple[Any, ...]) -> _TrackGetItemDict:
        environment = self.project._environment
        found = self.group._resolve_directives(self.name, self._defaults, environment)
        found.evaluate(jobs)
        directives = _TrackGetItemDict(dict(found))
        directives._keys_set_by_user = set(found.user_keys)
        return directives


class Execution(_JobOperation):  # type: ignore[misc]  # signac-flow has no types
    """One operation on some jobs; its id and command are made when they are asked for.

    Parameters
    ----------
    recipe : Recipe
        The operation.
    jobs : tuple of signac Job
        What it works on.
    directives : dict
        Its directives for these jobs.
    prefix : str or None
        What its command begins with; None to ask the environment.
    """

    def __init__(
        self, recipe: Recipe, jobs: tuple[Any, ...], directives: Any, prefix: str | None
    ) -> None:
        self.recipe = recipe
        self.name = recipe.name
        self._jobs = jobs
        self.directives = directives
        if prefix is None:
            prefix = str(recipe.project._environment.get_prefix(self))
        self._prefix = prefix
        if prefix or recipe.group.run_options:
            self.directives["fork"] = True

    @property
    def key(self) -> tuple[str, str]:
        """What is the same each time that the operation is carried out on these jobs."""
        return self.name, get_aggregate_id(self._jobs)

    @cached_property
    def _id(self) -> str:
        return str(self.recipe.group._generate_id(self._jobs, self.name))

    @cached_property
    def _cmd(self) -> str:
        group = self.recipe.group
        cmd = group._run_cmd(
            entrypoint=self.recipe.project._entrypoint,
            operation_name=self.name,
            operation=self.recipe.operation,
            directives=self.directives,
            jobs=self._jobs,
        )
        return f"{self._prefix} {cmd}" if self._prefix or group.run_options else str(cmd)

    def forks(self, timeout: float | None) -> bool:
        """Return whether a process of its own is needed to carry it out."""
        return (
            bool(self.directives.get("fork", False))
            or timeout is not None
            or isinstance(self.recipe.operation, FlowCmdOperation)
            or self.directives.get("executable", sys.executable) != sys.executable
        )


def _is_of_flow(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("flow.")


@contextmanager
def hooks_around(hooks: list[Any], name: str, jobs: tuple[Any, ...]) -> Iterator[None]:
    """Call hooks around an operation, the project's first.

    Parameters
    ----------
    hooks : list of flow.hooks.hooks._Hooks
        The project's, and the operation's.
    name : str
        The operation.
    jobs : tuple of signac Job
        What it works on.
    """

    def call(trigger: str, *arguments: Any) -> None:
        for one in hooks:
            listed = getattr(one, trigger)
            if any(_is_tracking(hook) for hook in listed) and len(jobs) != 1:
                _call_tracking(listed, name, *arguments, jobs=jobs)
            else:
                listed(name, *arguments, *jobs)

    call("on_start")
    try:
        yield
    except Exception as error:
        call("on_exception", error)
        raise
    else:
        call("on_success")
    finally:
        call("on_exit")


def _is_tracking(hook: Any) -> bool:
    return isinstance(getattr(hook, "__self__", None), TrackOperations)


def _call_tracking(listed: Any, name: str, *arguments: Any, jobs: tuple[Any, ...]) -> None:
    """Call hooks of which some are `TrackOperations`, which takes a single job, for an aggregate.

    Each member's log gets its line.
    """
    for hook in listed:
        each = [(job,) for job in jobs] if _is_tracking(hook) else [jobs]
        for some in each:
            type(listed)([hook])(name, *arguments, *some)
