"""Compiling steps to signac-flow operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flow.project import FlowGroup, FlowOperation

from ..model.options import Options
from ..model.pipeline import StepSpec
from ..model.records import Record
from ..plan.planner import Planner
from ..plan.tasks import Task

__all__ = ["Operation", "StepGroup", "compile_step", "directives", "group_of"]


class Operation(FlowOperation):  # type: ignore[misc]  # signac-flow has no types
    """A step as a signac-flow operation.

    Its preconditions are that its inputs are there, its postcondition that its outputs are.

    Parameters
    ----------
    step : StepSpec
        The step.
    carry_out : callable
        Carries the step out on one job.
    pre, post : callables
        The conditions, of one job.
    """

    def __init__(
        self,
        step: StepSpec,
        carry_out: Callable[..., Any],
        pre: list[Callable[..., bool]],
        post: list[Callable[..., bool]],
    ) -> None:
        super().__init__(op_func=carry_out, pre=pre, post=post)
        self.step = step


def compile_step(
    step: StepSpec,
    record_of: Callable[[Any], Record],
    planner: Callable[[], Planner],
    carry_out: Callable[[Task], None],
) -> Operation:
    """Return the operation that carries a step out.

    Parameters
    ----------
    step : StepSpec
        The step.
    record_of : callable
        Gives the record of a signac job.
    planner : callable
        Gives a planner that sees the disk as it is.
    carry_out : callable
        Carries a task out, whatever its state, or raises.
    """

    def task_of(job: Any) -> Task:
        return Task(record_of(job), step)

    def run(job: Any) -> None:
        carry_out(task_of(job))

    def inputs_are_there(job: Any) -> bool:
        looked = planner()
        task = task_of(job)
        needs = looked.needs(task)
        return (needs.members is None or bool(needs.members)) and all(
            source.optional or looked.snapshot.glance(source.path) is not None
            for source in needs.inputs.values()
        )

    def outputs_are_there(job: Any) -> bool:
        looked = planner()
        folder = looked.space.job_folder(record_of(job))
        return all(str(made.filename) in looked.snapshot.names(folder) for made in step.outputs)

    run.__name__ = step.operation
    inputs_are_there._flow_tag = f"inputs of {step.operation}"  # type: ignore[attr-defined]  # flow reads it
    outputs_are_there._flow_tag = f"outputs of {step.operation}"  # type: ignore[attr-defined]  # flow reads it
    return Operation(step, run, [inputs_are_there], [outputs_are_there])


class StepGroup(FlowGroup):  # type: ignore[misc]  # signac-flow has no types
    """The group of one step, called like its operation."""

    def _generate_id(self, aggregate: Any, operation_name: str | None = None) -> str:
        """Return what a scheduler calls it; signac-flow keeps it as a key, that has no dot."""
        return str(super()._generate_id(aggregate, operation_name)).replace(".", "-")


def group_of(operation: Operation) -> Any:
    """Return the signac-flow group that holds one operation."""
    name = operation.step.operation
    group = StepGroup(name)
    group.add_operation(name, operation)
    group.operation_directives[name] = directives(operation.step.call.options)
    return group


def directives(options: Options) -> Mapping[str, Any]:
    """Return a step's options as signac-flow's directives (hours, gigabytes)."""
    found: dict[str, Any] = {}
    if options.np != 1:
        found["np"] = options.np
    if options.ngpu:
        found["ngpu"] = options.ngpu
    if options.memory is not None:
        found["memory"] = options.memory
    if options.walltime is not None:
        found["walltime"] = options.walltime / 3600
    return found
