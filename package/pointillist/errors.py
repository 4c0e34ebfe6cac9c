"""Every error, in one tree.

::

    PointillistError
    ├── DeclarationError (TypeError)       a class body or a project says something that cannot be
    │   ├── SeedPatternError (ValueError)      a seed's pattern
    │   ├── UnknownField                       a name that is no field of the class
    │   └── UndeclaredFormat                   no format turns this type into such a file
    ├── RecordError                        about one record or a set of them
    │   ├── RecordNotFound (KeyError)          no record, or no class, of that name or these keys
    │   ├── SeveralRecords (LookupError)       more than one record where one was asked for
    │   └── CorruptRecord (ValueError)         a state point or a document that cannot be read
    ├── SpaceError (OSError)               the data space cannot be read or written
    ├── FormatError (ValueError)           a value cannot be written, or a file cannot be read
    ├── ProgramNotFound (FileNotFoundError)  MATLAB or another program is not there
    ├── ConfigurationError (ValueError)    a setting that cannot be
    ├── TemplateError (LookupError)        a project template, or the folder it should go to
    ├── ValueNotThere (LookupError)        a value was asked for without computing it
    ├── SchedulerError (RuntimeError)      a scheduler cannot be asked, or takes nothing more
    ├── TasksFailed (RuntimeError)         some tasks of a run failed; the run itself went on
    └── TaskError (RuntimeError)           one attempt of one task did not succeed
        ├── SeedUnreadable                     a seed is gone or may not be read
        ├── InputChanged                       an input changed while the step ran
        ├── StepFailed                         a Python step raised
        ├── CommandFailed                      a command or MATLAB function failed
        ├── TimedOut (TimeoutError)            a task took longer than its ``timeout``
        ├── OutputMissing                      a step did not make what it declares
        ├── OutputUnwritable                   a result could not be written
        └── Superseded                         another runner took the task over

A message says what happened, where, and what to do. Every error has the attributes ``record``
(text), ``step`` (text) and ``log`` (a path), each None where it does not apply; a TaskError also
``code`` (of a command that failed) and ``exception`` (the name of what a step raised).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "CommandFailed",
    "ConfigurationError",
    "CorruptRecord",
    "DeclarationError",
    "FormatError",
    "InputChanged",
    "OutputMissing",
    "OutputUnwritable",
    "PointillistError",
    "ProgramNotFound",
    "RecordError",
    "RecordNotFound",
    "SchedulerError",
    "SeedPatternError",
    "SeedUnreadable",
    "SeveralRecords",
    "SpaceError",
    "StepFailed",
    "Superseded",
    "TaskError",
    "TasksFailed",
    "TemplateError",
    "TimedOut",
    "UndeclaredFormat",
    "UnknownField",
    "ValueNotThere",
]


class PointillistError(Exception):
    """Base of every error that pointillist raises on purpose.

    Parameters
    ----------
    message : str
        What happened, where, and what to do.
    record, step : str, optional
        What it happened to.
    log : Path, optional
        Where the attempt's log lies.
    """

    def __init__(
        self,
        message: str,
        *,
        record: str | None = None,
        step: str | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.record = record
        self.step = step
        self.log = log

    def __str__(self) -> str:  # KeyError would show the repr of its argument
        return self.message

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message,), vars(self)


class DeclarationError(PointillistError, TypeError):
    """A class body or a project says something that cannot be."""


class SeedPatternError(DeclarationError, ValueError):
    """A seed's pattern cannot be used."""


class UnknownField(DeclarationError):
    """A name that is no field of the class."""


class UndeclaredFormat(DeclarationError):
    """No format turns this type into such a file."""


class RecordError(PointillistError):
    """Something about one record or a set of them."""


class RecordNotFound(RecordError, KeyError):
    """No record, or no class, of that name or these keys."""


class SeveralRecords(RecordError, LookupError):
    """More than one record where one was asked for."""


class CorruptRecord(RecordError, ValueError):
    """A state point or a document cannot be read."""


class SpaceError(PointillistError, OSError):
    """The data space cannot be read or written."""


class FormatError(PointillistError, ValueError):
    """A value cannot be written, or a file cannot be read."""


class ProgramNotFound(PointillistError, FileNotFoundError):
    """A program that a step needs is not there."""


class ConfigurationError(PointillistError, ValueError):
    """A setting that cannot be."""


class TemplateError(PointillistError, LookupError):
    """A project template, or the folder that it should go to."""


class ValueNotThere(PointillistError, LookupError):
    """A value was asked for without computing it."""


class SchedulerError(PointillistError, RuntimeError):
    """A scheduler cannot be asked, or takes nothing more."""


class TasksFailed(PointillistError, RuntimeError):
    """Some tasks of a run failed; the run itself went on."""


class TaskError(PointillistError, RuntimeError):
    """One attempt of one task did not succeed.

    Parameters
    ----------
    message : str
        What happened, where, and what to do.
    code : int, optional
        The exit code of the command that failed; ``-n`` when signal ``n`` ended it.
    exception : str, optional
        The name of the exception that the step raised.
    record, step, log
        As of every error.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        exception: str | None = None,
        record: str | None = None,
        step: str | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__(message, record=record, step=step, log=log)
        self.code = code
        self.exception = exception


class SeedUnreadable(TaskError):
    """A seed is gone or may not be read."""


class InputChanged(TaskError):
    """An input changed while the step ran."""


class StepFailed(TaskError):
    """A Python step raised."""


class CommandFailed(TaskError):
    """A command or a MATLAB function failed."""


class TimedOut(TaskError, TimeoutError):
    """A task took longer than its ``timeout``."""


class OutputMissing(TaskError):
    """A step did not make what it declares."""


class OutputUnwritable(TaskError):
    """A result could not be written."""


class Superseded(TaskError):
    """Another runner took the task over."""


def closest(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return the known name that was perhaps meant; empty if none is like it.

    Parameters
    ----------
    name : str
        What was said.
    known : iterable of str
        What could have been.
    likeness : float
        From 0 to 1: how like it must be.
    """
    import difflib  # which nobody needs as long as all is well

    return next(iter(difflib.get_close_matches(name, list(known), 1, likeness)), "")
