"""How steps are wired: names, arguments, outputs and files, and every mistake in them."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.errors import DeclarationError, UndeclaredFormat, UnknownField
from pointillist.model.arguments import Each, Out, Ref

from .bodies import declare

RECORD = """\
class R(pt.Record):
    index: int = pt.key()
    raw: Path = pt.seed("{index}.bin")
"""
AGGREGATE = """\
class A(pt.Aggregate[Recording]):
    session: str = pt.key()
"""


def steps(body: str, head: str = RECORD) -> dict[str, Any]:
    """Give the steps of a class with these lines."""
    found: dict[str, Any] = declare(f"{head}    {body}")[head[6]].__steps__
    return found


def mistake(body: str, head: str = RECORD) -> DeclarationError:
    """Give the error that a class with these lines raises."""
    with pytest.raises(DeclarationError) as caught:
        declare(f"{head}    {body}")
    return caught.value


def test_names_of_steps() -> None:
    """A step is called like its output, or like the wired step if that was bound."""
    found = steps(
        "one: float = mean.step(raw).to()\n"
        "    s = sort.step(raw)\n"
        '    left: dict[str, Any] = s.output("left").to()\n'
        '    right: dict[str, Any] = s.output("right").to()\n'
    )
    assert ["one", "s"] == list(found)
    assert ["left", "right"] == [field.name for field in found["s"].outputs]
    assert "R.s" == found["s"].operation


def test_names_of_files() -> None:
    """A file is called as ``to`` says, else like the field with the suffix of its type."""
    found = steps(
        "table: pd.DataFrame = mean.step(raw, 1).to()\n"
        "    array: np.ndarray = mean.step(raw, 2).to()\n"
        "    number: float = mean.step(raw, 3).to()\n"
        '    plots: Path = mean.step(raw, 4).to("pictures/")\n'
        "    text: str = mean.step(raw, 5).unstored()\n"
    )
    assert ["table.csv", "array.h5", "number.txt", "pictures", None] == [
        step.outputs[0].filename for step in found.values()
    ]
    assert [True, True, True, True, False] == [step.stored for step in found.values()]


def test_one_step_wired_twice() -> None:
    """The same step with other literals is another step with its own result."""
    found = steps("one: float = mean.step(raw, 1).to()\n    two: float = mean.step(raw, 2.5).to()")
    assert [{"raw": Ref("raw"), "scale": 1}, {"raw": Ref("raw"), "scale": 2.5}] == [
        step.call.arguments for step in found.values()
    ]


def test_arguments_are_references_and_literals() -> None:
    """Fields become references, lists are walked, NumPy scalars become numbers."""
    found = steps(
        'm: Path = pt.matlab("f", raw, [index, {"a": (np.float64(0.5), None)}], pt.out,'
        ' np.int64(3)).to("m")'
    )
    assert {
        "1": Ref("raw"),
        "2": [Ref("index"), {"a": [0.5, None]}],
        "3": Out(),
        "4": 3,
    } == found["m"].call.arguments
    assert int is type(found["m"].call.arguments["4"])


def test_names_in_shell_commands() -> None:
    """The names in a shell command are fields of the class, or what stands beside it."""
    found = steps('m: Path = pt.shell("join {raw} {index} {n} > {out}", n=3).to("m")')
    assert {"n": 3, "raw": Ref("raw"), "index": Ref("index")} == found["m"].call.arguments
    members = steps('m: str = pt.shell("wc {files}", files=pt.each(Recording.raw)).to()', AGGREGATE)
    assert {"files": Each(Ref("raw", 1))} == members["m"].call.arguments


@pytest.mark.parametrize(
    ("head", "body", "said"),
    [
        (
            RECORD,
            'b: str = pt.shell("cat {rwa}").to()',
            "R.b: the command 'cat {rwa}' has {rwa}, which is no field of R.\n"
            "  fields: index, raw, b. Did you mean {raw}?",
        ),
        (
            RECORD,
            'b: str = pt.shell("cat {zzz}").to()',
            "R.b: the command 'cat {zzz}' has {zzz}, which is no field of R.\n"
            "  fields: index, raw, b. Braces of the shell's own are written {{zzz}}.",
        ),
        (
            AGGREGATE,
            "m: float = mean.step(Recording.raw).to()",
            "A.m: Recording.raw is no field of A. Take it from each member: "
            "pt.each(Recording.raw).",
        ),
        (
            "class S(pt.Aggregate[Block]):\n    session: str = pt.key()\n",
            "m: float = mean.step(pt.each(Recording.raw)).to()",
            "S.m: Recording.raw is no field of Block. Take it from each member: "
            "pt.each(pt.each(Recording.raw)).",
        ),
        (
            AGGREGATE,
            'j: Path = copy.step(session, pt.out).to("j")\n'
            "    m: float = mean.step(pt.each(j)).to()",
            "A.m: A.j is no field of Recording. It is one of A itself: write j without pt.each.",
        ),
        (
            RECORD,
            "m: float = mean.step(Recording.raw).to()",
            "R.m: Recording.raw is no field of R. A step takes fields of its own class, or of its "
            "members with pt.each(...).",
        ),
        (
            "class Q(Recording):\n",
            "raw = None",
            "Q.mean: Recording.raw is no field of Q. Q.raw overrides it with what is no field.",
        ),
    ],
)
def test_unknown_fields(head: str, body: str, said: str) -> None:
    """A field of another class is an error that says how to take it, if it can be."""
    error = mistake(body, head)
    assert said == str(error)
    assert isinstance(error, UnknownField)


@pytest.mark.parametrize(
    ("head", "argument", "said"),
    [
        (RECORD, "pt.each(raw)", "R.m: pt.each(...) takes a field from each member, and R has no "
         "members. Leave pt.each out, or make it a pt.Aggregate[Member]."),
        (AGGREGATE, "pt.each(pt.each(Recording.raw))", "A.m: pt.each(...) takes a field from each "
         "member, and Recording has no members."),
        (AGGREGATE, "pt.each(3)", "A.m: pt.each(...) takes fields of the members, such as "
         "pt.each(Recording.name)."),
        (AGGREGATE, "pt.each(pt.out)", "A.m: pt.out cannot stand in pt.each(...)"),
        (AGGREGATE, "pt.each(Recording.parity)", "A.m: an argument is a property"),
        (RECORD, "sort.step(raw)", "R.m: an argument is a wired step that is no field yet."),
        (RECORD, "sort.step(raw).to()", "R.m: an argument is a field without a name."),
        (RECORD, "sort", "R.m: an argument is <step sort>, which is not wired."),
        (RECORD, "copy", "R.m: an argument is <command copy>, which is not wired."),
        (RECORD, "Path('table.csv')", "R.m: an argument is the path 'table.csv', whose changes "
         "would go unseen. Declare the file as a seed: name: Path = pt.seed('table.csv')."),
        (RECORD, "raw, np.zeros(3)", "R.m: the argument array([0., 0., 0.]) (ndarray) is no field, "
         "key or literal. Literals are text, numbers, True, False, None, and lists and dicts of "
         "them."),
        (RECORD, "raw, [b'a']", "R.m: the argument b'a' (bytes) is no field, key or literal."),
        (RECORD, "raw, {1: 2}", "R.m: the argument {1: 2} has keys that are no text."),
        (RECORD, "raw, {'a': {3, 4}}", "R.m: the argument {3, 4} (set) is no field"),
    ],
)  # fmt: skip
def test_wrong_arguments(head: str, argument: str, said: str) -> None:
    """What a step cannot be called with is an error that says what it can."""
    assert str(mistake(f"m: float = mean.step({argument}).to()", head)).startswith(said)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["s = sort.step(raw)"],
            "R.s is wired but goes nowhere. End it in .to(...) to keep it in a file, or in "
            ".unstored().",
        ),
        (
            ['a: float = sort.step(raw).output("a")'],
            "R.a is wired but goes nowhere.",
        ),
        (
            ["s = sort.step(raw)", 'a: float = s.output("a")', 'b: float = s.output("b").to()'],
            "R.a is wired but goes nowhere.",
        ),
        (
            ["s = sort.step(raw)", 'b: float = s.output("b").unstored()', 'a = s.output("a")'],
            "R.a is wired but goes nowhere.",
        ),
        (
            ["m: Path = copy.step(raw, pt.out).unstored()"],
            "R.m: a step with pt.out writes a file, so it ends in .to(...), not .unstored().",
        ),
        (
            [
                "s = sort.step(raw)",
                'a: float = s.output("a").to()',
                'b: float = s.output("b").unstored()',
            ],
            "R.s: some outputs of this step are stored and some are not. End all in .to() or all "
            "in .unstored().",
        ),
        (
            [
                "s = sort.step(raw)",
                'a: float = s.output("a").to()',
                'b: float = s.output("a").to()',
            ],
            "R.s: a and b both take the output 'a' of one wired step.",
        ),
        (
            ["s = sort.step(raw)", "a: dict = s.to()", 'b: dict = s.to("c.json")'],
            "R.s: a and b both take the whole result of one wired step.",
        ),
        (
            [
                's = pt.matlab("f", raw, pt.out("a"), pt.out("b"))',
                'a: dict = s.output("a").to()',
            ],
            "R.s: the step writes the output 'b', which no field takes. Take it: "
            "b: Path = wired.output('b').to(\"…\").",
        ),
        (
            [
                's = pt.matlab("f", raw, pt.out("a"))',
                'a: dict = s.output("a").to()',
                'b: dict = s.output("b").to()',
            ],
            'R.s: the command does not say where b is written. Put pt.out("b") into it.',
        ),
        (
            ['s = pt.matlab("f", raw, pt.out)', 'a: dict = s.output("a").to()'],
            "R.s: the step has one output without a name, and the field takes .output('a').",
        ),
        (
            ['s = pt.shell("cat {raw}")', 'a: dict = s.output("a").to()'],
            "R.s: the command does not say where a is written. Put {out.a} into it.",
        ),
        (
            ['a: Path = pt.shell("split {raw} {out.a} {out.b}").to("a")'],
            "R.a: the step writes the output 'a', which no field takes.",
        ),
    ],
)
def test_outputs_that_do_not_fit(lines: list[str], said: str) -> None:
    """What a step writes and what fields take must be the same."""
    assert str(mistake("\n    ".join(lines))).startswith(said)


@pytest.mark.parametrize(
    ("annotation", "end", "said"),
    [
        ("Path", "to()", 'R.m: a Path needs a name: .to("name.ext"), or .to("name") a folder'),
        ("pd.DataFrame", 'to("m.xlsx")', "R.m: no format turns DataFrame into 'm.xlsx'."),
        ("Recording", "to()", "R.m: Recording has no default suffix."),
        ("float", 'to("m.json", dpi=100)', "R.m: JsonFormat has no writer option 'dpi'"),
        ("float", 'to("m.json", indent=object())', "R.m: the writer option indent=<object"),
    ],
)
def test_formats(annotation: str, end: str, said: str) -> None:
    """A type that cannot go into such a file is an error that names the field."""
    error = mistake(f"m: {annotation} = mean.step(raw).{end}")
    assert str(error).startswith(said)
    assert ("option" not in said) is isinstance(error, UndeclaredFormat)


@pytest.mark.parametrize(
    "name",
    ["a/b.txt", "/a.txt", "..", ".", "/", "", ".hidden", "signac_x.json", "a\nb", "a\0b", 3],
)
def test_file_names(name: Any) -> None:
    """An output is one plain, visible file of the record's folder."""
    assert (
        f'R.m: .to({name!r}) must be one plain file name, such as "m.txt": without folders, not '
        "hidden, and not one of signac's."
    ) == str(mistake(f"m: Path = mean.step(raw).to({name!r})"))


def test_two_outputs_with_one_file_name() -> None:
    """Two fields do not share a file, also not one of a base class."""
    said = "have the same file name 'mean.txt'. Rename one of them: .to(\"name.ext\")."
    twice = 'a: float = mean.step(raw).to("mean.txt")\n    mean: float = mean.step(raw).to()'
    assert f"R.mean and R.a {said}" == str(mistake(twice))
    head = "class Q(Recording):\n"
    inherited = 'a: float = mean.step(Recording.raw).to("mean.txt")'
    assert f"Q.a and Q.mean {said}" == str(mistake(inherited, head))


def test_overriding_one_of_two_outputs() -> None:
    """A subclass that overrides one output of a step keeps the other, under a name of its own."""
    names = declare(
        """
        class Sorted(pt.Record):
            index: int = pt.key()
            raw: Path = pt.seed("{index}.bin")
            s = sort.step(raw)
            left: dict[str, Any] = s.output("left").to()
            right: dict[str, Any] = s.output("right").to()

        class Again(Sorted):
            left: dict[str, Any] = sort.step(Sorted.raw).to()
        """
    )
    assert ["s", "left"] == sorted(names["Again"].__steps__, reverse=True)
    assert ["right"] == [field.name for field in names["Again"].__steps__["s"].outputs]
    assert ["left", "right"] == [field.name for field in names["Sorted"].__steps__["s"].outputs]


def test_a_step_name_of_a_base_class() -> None:
    """Two steps of a class and its base do not share a name."""
    source = """
    class Sorted(pt.Record):
        index: int = pt.key()
        s = sort.step(index)
        left: dict[str, Any] = s.to()

    class Again(Sorted):
        s = sort.step(Sorted.index)
        right: dict[str, Any] = s.to()
    """
    with pytest.raises(DeclarationError, match=r"^Again\.s: a base class has a step of this name"):
        declare(source)


def test_a_cycle_through_a_subclass() -> None:
    """A subclass that makes two steps need each other is an error that shows the circle."""
    source = """
    class More(Recording):
        twice: float = mean.step(Recording.mean).to()

    class Circle(More):
        mean: float = sort.step(More.twice).to()
    """
    with pytest.raises(DeclarationError) as caught:
        declare(source)
    assert str(caught.value) in {
        f"Circle: each of the steps {circle} needs the one before it. Break the circle."
        for circle in ("mean → twice → mean", "twice → mean → twice")
    }
