"""Steps: a function or command, and what it is wired to."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from ..commands.shell import fields as template_fields
from ..errors import DeclarationError
from .arguments import Each, Out, is_literal, out_parts
from .fields import Field, Output
from .options import Options

__all__ = ["Call", "Command", "Step", "Wired", "command", "matlab", "shell", "step"]

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Kind = Literal["python", "command", "shell", "matlab"]

_MATLAB_NAME = re.compile(r"(?!.*\.m$)[A-Za-z]\w*(\.[A-Za-z]\w*)*", re.ASCII)


@dataclass(frozen=True, eq=False)
class Call:
    """A function or command with its arguments: what one step does.

    Parameters
    ----------
    kind : {"python", "command", "shell", "matlab"}
        A Python function; a Python function that returns an argument list; a shell template; a
        MATLAB function.
    target : callable or str
        The function, the template, or the MATLAB function's name.
    arguments : Mapping
        The arguments by name: parameters for a function (defaults included), the template's own
        values for a shell command, ``"1"``, ``"2"``, … for MATLAB.
    options : Options
        How it is carried out.
    """

    kind: Kind
    target: Callable[..., Any] | str
    arguments: Mapping[str, Any]
    options: Options = field(default_factory=Options)

    @property
    def name(self) -> str:
        """What is called, for people."""
        return self.target if isinstance(self.target, str) else self.target.__qualname__

    @functools.cached_property
    def out_parts(self) -> list[str | None]:
        """The parts of every ``out`` among the arguments."""
        if self.kind == "shell":
            return [
                name.partition(".")[2] or None
                for name in template_fields(str(self.target))
                if name.partition(".")[0] == "out"
            ]
        return out_parts(dict(self.arguments))


class Wired(Generic[R_co]):
    """A step with its arguments, on its way to a field: end it in `to` or `unstored`."""

    def __init__(self, call: Call, part: str | None = None) -> None:
        self.call = call
        self.part = part

    def to(self, name: str | None = None, /, **options: Any) -> R_co:
        """Keep the result in a file or folder of the record.

        Parameters
        ----------
        name : str, optional
            The file's name. By default the field's name and the suffix of its type.
        **options
            Handed to the format's writer (``dpi=200``, ``compression="gzip"``).

        Returns
        -------
        R
            The field, which stands for the result.
        """
        made: Any = Output(self.call, self.part, True, name, options)
        return made  # type: ignore[no-any-return]  # the field stands for the result

    def unstored(self) -> R_co:
        """Compute the result when it is asked for, and never store it."""
        made: Any = Output(self.call, self.part, False, None, {})
        return made  # type: ignore[no-any-return]  # the field stands for the result

    def output(self, part: str) -> Wired[Any]:
        """Take one of several outputs.

        A Python step returns a mapping or an object with such an entry; a command has a
        ``pt.out("part")``.
        """
        if not isinstance(part, str) or not part:
            raise DeclarationError(
                f'.output({part!r}): an output has a name, .output("spikes"), the one under which '
                "the step returns or writes it."
            )
        return Wired(self.call, part)

    def options(self, **options: Any) -> Wired[R_co]:
        """Return this wired step with other options: see `Options`."""
        changed = replace(self.call, options=self.call.options.updated(**options))
        return Wired(changed, self.part)


class Step(Generic[P, R]):
    """A plain Python function that can be wired; it stays callable.

    Parameters
    ----------
    function : callable
        Defined at the level of a module, so that workers find it by name.
    options : Options
        How it is carried out.
    """

    def __init__(self, function: Callable[P, R], options: Options) -> None:
        self.function = function
        self.options = options
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain function with values."""
        _refuse_fields(self.function, args, kwargs)
        return self.function(*args, **kwargs)

    def step(self, *args: P.args, **kwargs: P.kwargs) -> Wired[R]:
        """Wire the function to fields, keys and literals.

        Raises
        ------
        DeclarationError
            If the arguments do not fit the function's signature.
        """
        bound = _bind(self.function, args, kwargs)
        return Wired(Call("python", self.function, bound, self.options))

    def __repr__(self) -> str:
        return f"<step {self.function.__qualname__}>"


class Command(Generic[P]):
    """A function that returns an argument list; the command's output is at ``pt.out``."""

    def __init__(self, function: Callable[P, Any], options: Options) -> None:
        self.function = function
        self.options = options
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the plain function: give the argument list."""
        _refuse_fields(self.function, args, kwargs)
        return self.function(*args, **kwargs)

    def step(self, *args: P.args, **kwargs: P.kwargs) -> Wired[Any]:
        """Wire the command to fields, keys and literals."""
        bound = _bind(self.function, args, kwargs)
        return Wired(Call("command", self.function, bound, self.options))

    def __repr__(self) -> str:
        return f"<command {self.function.__qualname__}>"


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(**options: Any) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a Python function a step: ``@pt.step`` or ``@pt.step(version="2", timeout="2h")``.

    Parameters
    ----------
    function : callable
        Gets values, returns a value; or takes ``pt.out``, writes there and returns that path.
    **options
        See `Options`.

    Returns
    -------
    Step
        The function, with a method ``step`` that wires it.
    """
    if function is not None:
        return Step(_plain(function), Options())
    chosen = Options().updated(**options)
    return lambda function: Step(_plain(function), chosen)


@overload
def command(function: Callable[P, Any], /) -> Command[P]: ...
@overload
def command(**options: Any) -> Callable[[Callable[P, Any]], Command[P]]: ...
def command(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function that returns an argument list a command.

    Parameters
    ----------
    function : callable
        Gets paths, keys and literals; returns a list of text, numbers and paths: the program and
        its arguments. No shell sees them.
    **options
        See `Options`.

    Returns
    -------
    Command
        The function, with a method ``step`` that wires it.

    Examples
    --------
    >>> @command
    ... def resample(source, out, rate=1000):
    ...     return ["sox", source, "-r", rate, out]
    """
    if function is not None:
        return Command(_plain(function), Options())
    chosen = Options().updated(**options)
    return lambda function: Command(_plain(function), chosen)


def shell(template: str, /, **values: Any) -> Wired[Any]:
    """Wire a shell command.

    Parameters
    ----------
    template : str
        ``{name}`` stands for a field of the class, a key or one of `values`, ``{out}`` for the
        place of the output (``{out.part}`` where there are several). What is filled in is quoted.
        Without ``{out}`` what the command prints is its value.
    **values
        More things to fill in: fields, ``pt.each(...)``, literals.

    Returns
    -------
    Wired
        To be ended in ``.to(...)`` or ``.unstored()``.
    """
    if not isinstance(template, str):
        raise DeclarationError(
            f'a shell command is text, pt.shell("cp {{raw}} {{out}}"), got {template!r}.'
        )
    names = template_fields(template)
    for name in values:
        if name == "out":
            raise DeclarationError(
                f"the shell command {template!r} gets a value for {{out}}, which is the place of "
                "the output. Give the value another name."
            )
        if name not in names:
            raise DeclarationError(
                f"the shell command {template!r} has no {{{name}}} to fill in. Its names: "
                f"{', '.join(names) or 'none'}."
            )
    return Wired(Call("shell", template, dict(values)))


def matlab(function: str, /, *arguments: Any) -> Wired[Any]:
    """Wire a MATLAB function.

    Parameters
    ----------
    function : str
        Its name; the file lies in the project's ``matlab/`` folder or on MATLAB's path.
    *arguments
        Fields (as paths), keys, literals, ``pt.each(...)`` and ``pt.out``, in MATLAB's order.
        Without ``pt.out`` the function's first return value is the step's value.

    Returns
    -------
    Wired
        To be ended in ``.to(...)`` or ``.unstored()``.
    """
    if not isinstance(function, str) or not _MATLAB_NAME.fullmatch(function):
        raise DeclarationError(
            f"{function!r} is no name of a MATLAB function. Give the name of the .m file without "
            'the suffix: pt.matlab("computeStats", raw, pt.out).'
        )
    return Wired(Call("matlab", function, {str(i): a for i, a in enumerate(arguments, 1)}))


def _plain(function: Any) -> Any:
    if not inspect.isfunction(function):
        raise DeclarationError(
            f"a step is made of a plain function, not of {function!r}. Write a function around it, "
            'def name(...), with @pt.step above; options have names: @pt.step(version="2").'
        )
    return function


def _refuse_fields(function: Callable[..., Any], args: Any, kwargs: Any) -> None:
    name = function.__qualname__
    if any(isinstance(a, Field | Wired | Each | Out) for a in (*args, *kwargs.values())):
        raise DeclarationError(
            f"{name}(...) is called with fields, which have no values in a class body. Wire it: "
            f"{name}.step(...).to(...)."
        )


def _bind(function: Callable[..., Any], args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the arguments by name, with those defaults that are literals."""
    signature = inspect.signature(function)
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise DeclarationError(
            f"{function.__qualname__}.step(...): {error}. "
            f"The function is {function.__qualname__}{signature}."
        ) from None
    given = set(bound.arguments)
    bound.apply_defaults()
    return {
        n: v
        for n, v in bound.arguments.items()
        if n in given or is_literal(v) or isinstance(v, Out)
    }
