"""What is written in a project's class: operations and labels, also on records, and conditions."""

from __future__ import annotations

from typing import Any

from flow.errors import FlowProjectDefinitionError
from flow.project import _FlowProjectClass

from ..errors import DeclarationError
from .conditions import mended

__all__ = ["FlowProjectType", "check_on"]


class FlowProjectType(_FlowProjectClass):  # type: ignore[misc]  # signac-flow has no types
    """The class of project classes."""

    _OPERATION_RECORDS: dict[Any, Any]
    _LABEL_RECORDS: dict[Any, Any]

    def __new__(metacls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        """Make a project class with registers of its own."""
        cls = super().__new__(metacls, name, bases, namespace)
        cls._OPERATION_RECORDS = {}
        cls._LABEL_RECORDS = {}
        return cls

    @staticmethod
    def _setup_preconditions_class(parent_class: Any) -> Any:
        return mended(_FlowProjectClass._setup_preconditions_class(parent_class))

    @staticmethod
    def _setup_postconditions_class(parent_class: Any) -> Any:
        return mended(_FlowProjectClass._setup_postconditions_class(parent_class))

    @staticmethod
    def _setup_operation_object(parent_class: Any) -> Any:
        register = _FlowProjectClass._setup_operation_object(parent_class)
        kind = type("OperationRegister", (type(register),), {"__call__": _register_operation})
        kind.__doc__ = f"{type(register).__doc__ or ''}{_ON}"
        return kind()


_ON = """
            on : type of Record, optional, keyword-only
                The class on whose jobs the operation works: an `Aggregate` over plain jobs, or a
                class of `Project.records`. By default the jobs of the workspace.
"""


def _register_operation(
    register: Any,
    func: Any = None,
    name: str | None = None,
    *,
    on: Any = None,
    aggregator: Any = None,
    **options: Any,
) -> Any:
    """Add an operation as signac-flow does, and keep on which class it works."""
    if on is None:
        call = super(type(register), register).__call__
        return call(func, name, aggregator=aggregator, **options)
    check_on(on)
    if aggregator is not None:
        raise FlowProjectDefinitionError(
            f"An operation has either on={on.__name__} or an aggregator: with on= its one job is "
            f"that of {on.__name__}, and job.members are those that it groups."
        )
    if isinstance(func, str):
        func, name = None, func

    def add(function: Any) -> Any:
        call = super(type(register), register).__call__
        added = call(function, name, **options)
        register._parent_class._OPERATION_RECORDS[added] = on
        return added

    return add if func is None else add(func)


def check_on(on: Any) -> None:
    """Refuse what is no record class.

    Raises
    ------
    DeclarationError
        If `on` is none.
    """
    from ..model.records import RecordType

    if not isinstance(on, RecordType):
        raise DeclarationError(
            f"on={on!r} is no record class. Declare one: class Session(pt.Aggregate[Job]) with the "
            "keys that its jobs share, and write on=Session."
        )
