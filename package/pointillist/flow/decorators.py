"""The types of what decorates operations, for type checkers: signac-flow has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, overload

__all__ = ["ConditionClass", "Decorator", "GroupEntry", "HookClass", "OperationRegister"]

F = TypeVar("F", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function and gives it back."""

    def __call__(self, func: F, /) -> F:
        """Return the function."""


class ConditionClass(Protocol):
    """``P.pre`` and ``P.post``: conditions as decorators."""

    def __call__(self, condition: Callable[..., Any], tag: Any = None) -> Decorator:
        """Return a condition that is a function of the jobs."""

    def isfile(self, filename: str) -> Decorator:
        """Return the condition that a file is there."""

    def true(self, key: str) -> Decorator:
        """Return the condition that an entry of the document is true."""

    def false(self, key: str) -> Decorator:
        """Return the condition that an entry of the document is not true."""

    def never(self, func: F, /) -> F:
        """Give an operation a condition that never holds."""

    def not_(self, condition: Callable[..., Any]) -> Decorator:
        """Return the condition that another does not hold."""

    def copy_from(self, *other_funcs: Callable[..., Any]) -> Decorator:
        """Return the condition that those of other operations hold."""

    def after(self, *other_funcs: Callable[..., Any]) -> Decorator:
        """Return the condition that other operations are complete (``P.pre`` only)."""


class OperationRegister(Protocol):
    """``P.operation``: makes a function an operation."""

    @overload
    def __call__(self, func: F, /) -> F: ...

    @overload
    def __call__(
        self,
        func: str | None = None,
        name: str | None = None,
        *,
        cmd: bool = False,
        with_job: bool = False,
        directives: Mapping[str, Any] | None = None,
        aggregator: Any = None,
        on: Any = None,
    ) -> Decorator: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function, or what takes it."""


class HookClass(Protocol):
    """``P.operation_hooks``: functions called around an operation."""

    def on_start(self, hook_func: Callable[..., Any]) -> Decorator:
        """Return a decorator: call a function before the operation."""

    def on_exit(self, hook_func: Callable[..., Any]) -> Decorator:
        """Return a decorator: call a function after the operation, however it ended."""

    def on_success(self, hook_func: Callable[..., Any]) -> Decorator:
        """Return a decorator: call a function after the operation ended well."""

    def on_exception(self, hook_func: Callable[..., Any]) -> Decorator:
        """Return a decorator: call a function after the operation raised."""


class GroupEntry(Protocol):
    """What ``P.make_group`` gives: puts operations into a group."""

    @overload
    def __call__(self, func: F, /) -> F: ...

    @overload
    def __call__(self, func: None = None, /, *, directives: Any = None) -> Decorator: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function, or what takes it."""
