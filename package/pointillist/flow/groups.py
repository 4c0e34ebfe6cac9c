"""Groups of operations, and which store each takes its jobs from."""

from __future__ import annotations

from typing import Any

from flow.aggregates import aggregator
from flow.errors import FlowProjectDefinitionError
from flow.project import FlowCmdOperation, FlowGroup

from .stores import AggregateStore

__all__ = ["function_of", "register_groups"]


def function_of(operation: Any) -> Any:
    """Return the function that an operation was made of."""
    return operation._cmd if isinstance(operation, FlowCmdOperation) else operation._op_func


def register_groups(project: Any) -> None:
    """Make a project's groups, give them their operations, and each a store.

    Parameters
    ----------
    project : FlowProject
        The project, whose operations are registered.

    Raises
    ------
    FlowProjectDefinitionError
        If the operations of a group work on jobs of different kinds.
    """
    entries = [e for cls in type(project).__mro__ for e in getattr(cls, "_GROUPS", ())]
    for entry in entries:
        project._groups[entry.name] = FlowGroup(
            entry.name, submit_options=entry.submit_options, run_options=entry.run_options
        )
    for name, operation in project._operations.items():
        function = function_of(operation)
        own = getattr(function, "_flow_group_operation_directives", {})
        for cls in type(project).__mro__:
            for group in function._flow_groups.get(cls, ()):
                project._groups[group].add_operation(name, operation, own.get(group))
        project._groups[name].operation_directives[name] = getattr(function, "_flow_directives", {})
    stores: dict[Any, Any] = {}
    for entry in entries:
        group = project._groups[entry.name]
        kind = _kind_of(project, entry, group)
        if kind not in stores:
            is_record = kind in project._operation_records.values()
            stores[kind] = project._store(kind) if is_record else _store_of_jobs(kind, project)
        project._group_to_aggregate_store[group] = stores[kind]


def _kind_of(project: Any, entry: Any, group: Any) -> Any:
    """Return the record class, or the aggregator, whose jobs a group works on."""
    records = {name: project._operation_records.get(name) for name in group.operations}
    kinds = set(records.values())
    if len(kinds) > 1 or (entry.group_aggregator is not None and kinds != {None}):
        if kinds != {None} and entry.name not in project._operations:
            told = ", ".join(
                f"{name} (on {record.__name__})" if record else f"{name} (on jobs)"
                for name, record in records.items()
            )
            raise FlowProjectDefinitionError(
                f"The group '{entry.name}' has operations on different kinds of jobs: {told}. "
                "Make one group for each kind, without a group_aggregator for operations with on=."
            )
    (record,) = kinds or {None}
    if record is not None:
        return record
    if entry.group_aggregator is not None:
        return entry.group_aggregator
    if entry.name in project._operations:
        return function_of(project._operations[entry.name])._flow_aggregate
    return aggregator.groupsof()


def _store_of_jobs(kind: Any, project: Any) -> Any:
    if kind._is_default_aggregator:
        return kind._create_AggregateStore(project)
    return AggregateStore(kind, project)
