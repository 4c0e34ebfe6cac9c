"""Carrying out one call: a Python function in this process, or a command in one of its own."""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ..commands import process
from ..commands.matlab import MatlabCall, Program, prepare, result
from ..commands.process import Finished
from ..commands.sessions import Sessions
from ..commands.shell import fill
from ..errors import (
    CommandFailed,
    DeclarationError,
    FormatError,
    OutputMissing,
    PointillistError,
    StepFailed,
    TimedOut,
)
from ..formats import as_path, coerce, format_for
from ..model import keys
from ..model.arguments import Each, Out, Ref
from ..model.fields import Field, Key, Output, Seed
from ..model.records import Record
from ..model.steps import Call
from ..plan.tasks import step_of
from ..space.dataspace import DataSpace
from . import interruption, strays, timelimit
from .interruption import interruptible
from .logs import begin_log
from .printing import LazyLog, printing_to
from .strays import contained
from .timelimit import Overdue, within

_OURS = (__file__, interruption.__file__, strays.__file__, timelimit.__file__)
"""What comes before the step's own code in a traceback."""

__all__ = ["Bench", "named", "part_of", "read_field"]


@dataclass
class Bench:
    """Where one attempt works: what its arguments stand for and where its outputs go.

    Parameters
    ----------
    space : DataSpace
        The records.
    record : Record
        The record that the task is on.
    places : dict of str
        Where each output is to be written, by its part.
    log_place : str
        Where the attempt's log is made, if one is needed.
    control : str
        A folder in which a command finds what it is called with; made if one needs it.
    program : callable
        Gives the program for MATLAB functions.
    timeout : float or None
        Seconds that a step which says nothing itself may take.
    sessions : Sessions or None
        Carry out MATLAB functions; if there are none, each starts a program of its own.

    Attributes
    ----------
    matlab : str
        The MATLAB that was used, if any was.
    printed : bool
        Whether the log was made.
    members : list of Record or None
        The record's members as they are recorded, whoever comes or goes meanwhile.
    """

    space: DataSpace
    record: Record
    places: Mapping[str | None, str]
    log_place: str
    control: str
    program: Any
    timeout: float | None = None
    sessions: Sessions | None = None
    members: list[Any] | None = None
    matlab: str = ""
    printed: bool = False
    _unstored: dict[tuple[str, int], Any] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The attempt's log."""
        return Path(self.log_place)

    def begin_log(self) -> None:
        """Make the log, if it is not there."""
        begin_log(self.log)
        self.printed = True

    def carry_out(self, call: Call, annotation: Any) -> Any:
        """Carry a call out and return its value.

        Parameters
        ----------
        call : Call
            What to do.
        annotation : object
            The type that a command's return value or printed text is turned into.

        Raises
        ------
        StepFailed, CommandFailed, TimedOut
            If it did not end well.
        """
        if call.kind == "python":
            return self._python(self.record, call)
        return self._command(self.record, call, annotation)

    # values and paths

    def value_of(self, record: Record, name: str) -> Any:
        """Return the value that a Python function gets for a field."""
        target = type(record).__fields__[name]
        if isinstance(target, Output) and not target.stored:
            return self._computed(record, target)
        if isinstance(target, Key):
            return record._keys[name]
        return interruptible(read_field, self.space, record, target)

    def _computed(self, record: Record, target: Output) -> Any:
        call = step_of(record, target).call
        key = (record.id, id(call))
        if key not in self._unstored:
            if call.kind == "python":
                self._unstored[key] = self._python(record, call)
            else:
                self._unstored[key] = self._command(record, call, target.annotation)
        return part_of(self._unstored[key], target)

    def _members(self, record: Record) -> list[Any]:
        if self.members is not None and record is self.record:
            return self.members
        return self.space.members(record)

    def _for_python(self, record: Record, argument: Any) -> Any:
        if isinstance(argument, Each):
            return [self._for_python(m, argument.argument) for m in self._members(record)]
        if isinstance(argument, list):
            return [self._for_python(record, item) for item in argument]
        if isinstance(argument, dict):
            return {name: self._for_python(record, item) for name, item in argument.items()}
        if isinstance(argument, Ref):
            return self.value_of(record, argument.field)
        return Path(self.places[argument.part]) if isinstance(argument, Out) else argument

    def _for_command(self, record: Record, argument: Any) -> Any:
        if isinstance(argument, Each):
            return [self._for_command(m, argument.argument) for m in self._members(record)]
        if isinstance(argument, list):
            return [w for item in argument for w in _spread(item, self._for_command(record, item))]
        if isinstance(argument, dict):
            return {name: self._for_command(record, item) for name, item in argument.items()}
        if isinstance(argument, Out):
            return Path(self.places[argument.part])
        if not isinstance(argument, Ref):
            return argument
        target = type(record).__fields__[argument.field]
        if isinstance(target, Key):
            return keys.encode(record._keys[target.name])
        if isinstance(target, Output) and not target.stored:
            return self._computed(record, target)
        path = self.space.path(record, target)
        absent = isinstance(target, Seed) and target.optional and not path.exists()
        return None if absent else path

    # carrying out

    def _limit(self, call: Call) -> float | None:
        return self.timeout if call.options.timeout is None else call.options.timeout

    def _python(self, record: Record, call: Call) -> Any:
        function = cast(Any, call.target)
        values = {n: self._for_python(record, given) for n, given in call.arguments.items()}
        printed = LazyLog(self._begun_log)
        with printing_to(printed):
            try:
                limit = self._limit(call)
                return interruptible(within, limit, contained, _called, function, values)
            except KeyboardInterrupt:
                raise
            except Overdue as error:
                log = self.log if self.printed else None
                raise TimedOut(_too_long(named(call), limit), log=log) from error
            except BaseException as error:  # a cancelled task of asyncio is no Exception either
                trace = error.__traceback__
                while trace and trace.tb_frame.f_code.co_filename in _OURS:
                    trace = trace.tb_next
                printed.write("".join(traceback.format_exception(type(error), error, trace)))
                raise StepFailed(
                    f"{named(call)} raised {type(error).__name__}: {error}",
                    exception=type(error).__name__,
                    log=self.log,
                ) from error

    def _begun_log(self) -> Path:
        self.begin_log()
        return self.log

    def _command(self, record: Record, call: Call, annotation: Any) -> Any:
        arguments = {
            name: self._for_command(record, argument) for name, argument in call.arguments.items()
        }
        returns = not call.out_parts
        self.begin_log()
        carry_out = self._matlab if call.kind == "matlab" else self._program
        try:
            finished, value = carry_out(record, call, arguments, returns)
        except TimedOut:
            text = _too_long(named(call), self._limit(call))
            raise TimedOut(f"{text} What it had started was ended as well.", log=self.log) from None
        if finished.code != 0:
            raise CommandFailed(
                f"{named(call)} failed ({finished.ending})"
                f"{_last_words(self.log, call.kind == 'matlab')}",
                code=finished.code,
                log=self.log,
            )
        return coerce(value, annotation) if returns else None

    def _program(
        self, record: Record, call: Call, arguments: Mapping[str, Any], returns: bool
    ) -> tuple[Finished, str | None]:
        """Carry a shell command or a program out; return what it printed, if that is wanted."""
        words = self._words(call, arguments)
        control = Path(self.control)
        printed = control / "printed" if returns else None
        if printed is not None:
            control.mkdir(exist_ok=True)
        finished = self._run(call, words, {}, printed)
        return finished, _text_of(printed) if printed and finished.code == 0 else None

    def _matlab(
        self, record: Record, call: Call, arguments: Mapping[str, Any], returns: bool
    ) -> tuple[Finished, Any]:
        """Carry a MATLAB function out; return its value, if that is wanted."""
        program: Program = self.program()
        self.matlab = f"{program.path} {program.version()}"
        spread = [w for name, v in arguments.items() for w in _spread(call.arguments[name], v)]
        matlab_call = MatlabCall(str(call.target), tuple(spread), 1 if returns else 0)
        folder = self.space.layout.matlab
        search_path = [folder] if folder.is_dir() else []
        job = self._job(record)
        if self.sessions is not None:
            return self.sessions.run(
                program,
                matlab_call,
                search_path=search_path,
                job=job,
                cwd=self.space.layout.root,
                log=self.log,
                timeout=self._limit(call),
                wait=interruptible,
            )
        control = Path(self.control)
        control.mkdir(exist_ok=True)
        for file in control.iterdir():  # of an unstored value's call
            file.unlink()
        words, env = prepare(program, matlab_call, folder=control, search_path=search_path, job=job)
        finished = self._run(call, words, env)
        return finished, result(control) if returns and finished.code == 0 else None

    def _run(
        self,
        call: Call,
        words: list[str] | str,
        env: Mapping[str, str],
        printed: Path | None = None,
    ) -> Finished:
        return process.run(
            words,
            shell=call.kind == "shell",
            cwd=self.space.layout.root,
            env=env,
            log=self.log,
            timeout=self._limit(call),
            stdout=printed,
            wait=interruptible,
        )

    def _words(self, call: Call, arguments: Mapping[str, Any]) -> list[str] | str:
        if call.kind == "shell":
            places = {f"out.{part}": Path(path) for part, path in self.places.items() if part}
            out = Path(self.places[None]) if None in self.places else None
            words = {
                name: _spread(call.arguments[name], value)
                if isinstance(call.arguments[name], Each)
                else value
                for name, value in arguments.items()
            }
            return fill(str(call.target), {**words, **places, "out": out})
        listed = _called(cast(Any, call.target), arguments)
        plain = (str, int, float, os.PathLike)
        if not isinstance(listed, list | tuple) or not all(isinstance(w, plain) for w in listed):
            raise DeclarationError(
                f"the command {call.name} returned {listed!r}; it must return a list of text, "
                "numbers and paths: the program and its arguments."
            )
        return [os.fspath(w) if isinstance(w, os.PathLike) else str(w) for w in listed]

    def _job(self, record: Record) -> dict[str, Any]:
        cls = type(record)
        paths = {"job": str(record.folder), "project": str(self.space.layout.root)}
        for name, target in cls.__fields__.items():
            if isinstance(target, Seed) or (isinstance(target, Output) and target.stored):
                paths[name] = self.space.field_place(record, target)
        return {
            "id": record.id,
            "statepoint": self.space.statepoint(cls, record._keys),
            "document": dict(self.space.document(cls, record.id)),
            "paths": paths,
        }


def _spread(argument: Any, value: Any) -> list[Any]:
    """Return the words of a command that an argument stands for: one, or those of all members."""
    if isinstance(argument, Each):
        return [word for inner in value for word in _spread(argument.argument, inner)]
    return [value]


def read_field(space: DataSpace, record: Record, target: Field) -> Any:
    """Return the value of a seed or stored output as its type says; None for an absent seed.

    Raises
    ------
    FormatError
        If the file is not what it should be.
    """
    place = space.field_place(record, target)
    if isinstance(target, Seed) and target.optional and not os.path.exists(place):
        return None
    format = format_for(target.annotation, place.rpartition("/")[2])
    try:
        return format.read(as_path(place, format))
    except FormatError as error:
        raise FormatError(f"{type(record).__name__}.{target.name}: {error}") from error


def part_of(value: Any, target: Output) -> Any:
    """Return the part of a step's value that a field takes.

    Raises
    ------
    OutputMissing
        If the value has no such part.
    """
    if target.part is None:
        return value
    if isinstance(value, Mapping) and target.part in value:
        return value[target.part]
    if not isinstance(value, Mapping) and hasattr(value, target.part):
        return getattr(value, target.part)
    raise OutputMissing(
        f"the step returned {type(value).__name__} without {target.part!r}, which "
        f"{target.name} takes. Return a dict, or an object, with that entry."
    )


def _called(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call a function with all its arguments by name, also those that cannot be given so."""
    signature = _signature(function)
    if signature is None:
        return function(**values)
    bound = inspect.BoundArguments(signature, OrderedDict(values))
    return function(*bound.args, **bound.kwargs)


@functools.lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of a function, or None if every argument may be given by name."""
    signature = inspect.signature(function)
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    if all(parameter.kind in named for parameter in signature.parameters.values()):
        return None
    return signature


def named(call: Call) -> str:
    """Return what is called, for a message: a function's name, or a short shell command."""
    if call.kind != "shell":
        return call.name
    text = " ".join(call.name.split())
    return f'"{text[:57]}..."' if len(text) > 60 else f'"{text}"'


def _too_long(name: str, seconds: float | None) -> str:
    return f"{name} took longer than its timeout of {seconds:g} s. Raise timeout= if it may."


def _last_words(log: Path, is_matlab: bool) -> str:
    """Return what a command printed last, as the end of a message.

    That is its last line, or what our MATLAB driver says of an error: all from ``error: `` on. A
    full disk has room for no last words, and is told instead.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 2000))
            lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line]
        disk = os.statvfs(log.parent)
    except OSError:
        return ""
    full = f"; the disk of {log.parent} is full" if disk.f_bavail * disk.f_frsize < _FULL else ""
    begins = [n for n, line in enumerate(lines) if line.startswith("error: ")]
    if begins and is_matlab:
        text = " ".join(line.strip() for line in lines[begins[-1] :]).removeprefix("error: ")
    else:
        text = lines[-1].strip() if lines else ""
    return full + (f": {text[:300]}" if text else "")


_FULL = 16_384
"""Bytes left on a disk that counts as full."""


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").removesuffix("\n")
    except UnicodeDecodeError as error:
        raise PointillistError(f"what the command printed is no UTF-8 text: {error}") from error
