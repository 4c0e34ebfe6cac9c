"""Steps: functions and commands, wired to their arguments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pointillist.errors import DeclarationError
from pointillist.model.arguments import each, out
from pointillist.model.fields import Output, key, seed
from pointillist.model.options import Options
from pointillist.model.steps import Command, Step, Wired, command, matlab, shell, step


@step
def scale(values: list[float], factor: float = 2.0, *, offset: float = 0.0) -> list[float]:
    """Scale, and shift."""
    return [factor * value + offset for value in values]


@command(timeout="1m")
def resample(source: Path, out: Path, rate: int = 1000) -> list[Any]:
    """Give the arguments of sox."""
    return ["sox", source, "-r", rate, out]


def test_a_step_stays_callable() -> None:
    """A step is called like the function, and has its name and docstring."""
    assert [3.0] == scale([1.0], offset=1.0)
    assert ("scale", "Scale, and shift.") == (scale.__name__, scale.__doc__)
    assert ["sox", Path("a"), "-r", 8, Path("b")] == resample(Path("a"), Path("b"), 8)
    assert ("<step scale>", "<command resample>") == (repr(scale), repr(resample))


def test_options_of_a_decorator() -> None:
    """Options stand in the decorator, with or without parentheses, or at the wired step."""
    assert Options() == step()(lambda: 1).options
    assert Options(timeout=60.0) == resample.options == resample.step(seed("a"), out).call.options
    wired = scale.step([1.0])
    assert Options(np=4) == wired.options(np=4).call.options
    assert Options() == wired.call.options


@pytest.mark.parametrize(
    "wired",
    [
        scale.step([1.0]),
        scale.step([1.0], 2.0),
        scale.step(factor=2.0, values=[1.0]),
        scale.step(values=[1.0], offset=0.0),
    ],
)
def test_spellings_of_one_call(wired: Wired[Any]) -> None:
    """Arguments go by name with their defaults, so that two spellings are one call."""
    expected = {"values": [1.0], "factor": 2.0, "offset": 0.0}
    assert list(expected.items()) == list(wired.call.arguments.items())


def test_defaults_that_are_no_literals_stay_with_the_function() -> None:
    """A default such as a NumPy type is left to the function; one that is a literal is bound."""

    @step
    def load(raw: Path, kind: Any = np.uint8, fill: Any = None, place: Any = out) -> Any:
        return np.fromfile(raw, dtype=kind)

    raw = seed("a")
    assert {"raw": raw, "fill": None, "place": out} == load.step(raw).call.arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "missing a required argument: 'values'"),
        (([1.0], 2.0, 3.0), "too many positional arguments"),
    ],
)
def test_arguments_that_do_not_fit(arguments: Any, said: str) -> None:
    """Arguments that do not fit the signature are an error that shows it."""
    with pytest.raises(DeclarationError) as caught:
        scale.step(*arguments)
    assert (
        f"scale.step(...): {said}. The function is scale(values: 'list[float]', factor: 'float' = "
        "2.0, *, offset: 'float' = 0.0) -> 'list[float]'."
    ) == str(caught.value)


@pytest.mark.parametrize("argument", [key(), seed("a"), out, each(seed("a")), scale.step([1.0])])
def test_calling_instead_of_wiring(argument: Any) -> None:
    """A step called with fields, without ``.step``, is an error."""
    with pytest.raises(DeclarationError, match=r"Wire it: scale\.step\(\.\.\.\)\.to\(\.\.\.\)"):
        scale(argument)
    with pytest.raises(DeclarationError, match=r"Wire it: resample\.step"):
        resample(Path("a"), out=argument)


@pytest.mark.parametrize("decorator", [step, command])
@pytest.mark.parametrize("function", [len, np.mean, "2", Path, scale])
def test_steps_are_made_of_functions(decorator: Any, function: Any) -> None:
    """What is no plain function is an error that says how to write one."""
    with pytest.raises(DeclarationError, match="a step is made of a plain function, not of"):
        decorator(function)


def test_kinds() -> None:
    """Each way of wiring gives a call of its kind, with its name and places."""
    cut = shell("cut {raw} > {out.left} 2> {out.right}", raw=seed("a"))
    join = matlab("lab.join", out, each(seed("a")))
    assert isinstance(scale, Step)
    assert isinstance(resample, Command)
    assert ("python", "scale") == (scale.step([1.0]).call.kind, scale.step([1.0]).call.name)
    assert ("command", "resample") == (
        resample.step(seed("a"), out).call.kind,
        resample.step(seed("a"), out).call.name,
    )
    assert ("shell", ["left", "right"]) == (cut.call.kind, cut.call.out_parts)
    assert ("matlab", "lab.join", [None]) == (join.call.kind, join.call.name, join.call.out_parts)
    assert ["1", "2"] == list(join.call.arguments)


def test_ends() -> None:
    """``to`` and ``unstored`` end a wired step in a field, ``output`` takes a part of it."""
    wired = scale.step([1.0])
    stored: Any = wired.output("left").to("left.json", indent=2)
    unstored: Any = wired.unstored()
    assert isinstance(stored, Output)
    assert isinstance(unstored, Output)
    assert ("left", True, "left.json", {"indent": 2}) == (
        stored.part,
        stored.stored,
        stored.filename,
        stored.writer_options,
    )
    assert (None, False, None) == (unstored.part, unstored.stored, unstored.filename)
    assert stored.call is unstored.call is wired.call


@pytest.mark.parametrize("part", ["", 1, None])
def test_output_needs_a_name(part: Any) -> None:
    """``.output(...)`` takes a name."""
    with pytest.raises(DeclarationError, match="an output has a name"):
        scale.step([1.0]).output(part)


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        (["cp"], {}, "a shell command is text"),
        ("cp a b", {"x": 1}, r"has no \{x\} to fill in. Its names: none"),
        ("cp {a} {out}", {"x": 1}, r"has no \{x\} to fill in. Its names: a, out"),
        ("cp a {out}", {"out": 1}, r"gets a value for \{out\}"),
        ("cp {a b}", {}, "is no field"),
        ("cp '{a}' {out}", {}, "inside quotes"),
    ],
)
def test_shell_commands_that_cannot_be(template: Any, values: dict[str, Any], said: str) -> None:
    """Mistakes in a shell command are errors when it is wired."""
    with pytest.raises(DeclarationError, match=said):
        shell(template, **values)


@pytest.mark.parametrize(
    "name", ["", "a b", "f.m", "1f", "_f", "a..b", "größe", "f;quit", 3, "a\n"]
)
def test_matlab_names_that_cannot_be(name: Any) -> None:
    """What cannot be a MATLAB function is an error when it is wired."""
    with pytest.raises(DeclarationError) as caught:
        matlab(name)
    assert (
        f"{name!r} is no name of a MATLAB function. Give the name of the .m file without the "
        'suffix: pt.matlab("computeStats", raw, pt.out).'
    ) == str(caught.value)
