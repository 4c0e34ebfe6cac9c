"""Mistakes in a class body are errors when the class is made; they say where and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from pointillist.errors import DeclarationError, SeedPatternError, UndeclaredFormat, UnknownField

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


def mistake(source: str) -> DeclarationError:
    """Give the error that a class body raises."""
    with pytest.raises(DeclarationError) as caught:
        declare(source)
    return caught.value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'raw: Path = pt.seed("x{index}")',
            "R.raw is bound twice. A class body says each name once: give the second one a name "
            "of its own.",
        ),
        (
            "m: float = mean.step(raw)",
            "R.m is wired but goes nowhere. End it in .to(...) to keep it in a file, or in "
            ".unstored().",
        ),
        (
            "m: float = mean(raw)",
            "mean(...) is called with fields, which have no values in a class body. Wire it: "
            "mean.step(...).to(...).",
        ),
        (
            "m: Decimal = mean.step(raw).to()",
            "R.m: the type 'Decimal' cannot be read (NameError: name 'Decimal' is not defined). "
            "Import it at the top of the module, not under TYPE_CHECKING.",
        ),
        (
            "day: list[int] = pt.key()",
            "R.day: a key cannot be of type list[int]. It can be one of: str, int, float, bool, "
            "date, datetime, Path.",
        ),
        (
            "day: datetime.date",
            "R.day has a type but no value. A key is written day: datetime.date = pt.key().",
        ),
        (
            "id: str = pt.key()",
            "R.id: the name 'id' is taken: it means record.id. Choose another name.",
        ),
        (
            "m: float = mean.step(raw).to\n",
            "R.m ends in .to without parentheses: .to().",
        ),
        (
            "a = b = sort.step(raw)\n    c: dict[str, Any] = a.to()",
            "R.b and R.a are one wired step under two names. Keep one of them, or wire the step "
            "twice.",
        ),
        (
            "a: float = mean.step(raw).to()\n    b: float = a",
            "R.b and R.a are one value under two names. Keep one of them, or declare it twice.",
        ),
        (
            'b: str = pt.shell(f"cat {raw}").to()',
            "a field is made into text in a class body, where it has no value yet. In a shell "
            "command write {raw}, without an f before the quotes: "
            'pt.shell("cat {raw} > {out}"). Elsewhere hand the field to the step, and make the '
            "text in its function.",
        ),
    ],
)
def test_messages(line: str, said: str) -> None:
    """The whole text of what people will see most."""
    assert said == str(mistake(f"{RECORD}    {line}"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("def raw(self): ...", "R.raw is bound twice"),
        ("raw = 3", "R.raw is bound twice"),
        ("x = 3\n    x: int = pt.key()", "R.x is bound twice"),
        ("for n in (1, 2):\n        m: float = mean.step(raw, n).to()", "R.m is bound twice"),
        ("b: Path = Recording.raw", "R.b is Recording.raw under a second name"),
        ("m: float = mean", "R.m is a step that is not wired"),
        ("m: Path = pt.out", "R.m: pt.out is an argument of a step, not a field"),
        ("m: list = pt.each(raw)", r"R.m: pt.each(...) is an argument of a step, not a field"),
        ("day: str = pt.key", "R.day = pt.key lacks its parentheses"),
        ("m: float = mean.step(raw).unstored", "R.m ends in .unstored without parentheses"),
        ("m = mean.step(raw).to()", "R.m has no type. Write it, for example m: Path = …"),
        ("day = pt.key()", "R.day has no type. Write it, for example day: str = pt.key()"),
        ("out: str = pt.key()", "R.out: the name 'out' is taken: it means the place of an output"),
        ("_day: str = pt.key()", "R._day: a field's name cannot begin with an underscore"),
        ("job = sort.step(raw)\n    m: dict = job.to()", "R.job: the name 'job' is taken"),
        ("day: str | None = pt.key()", "R.day: a key cannot be of type str | None"),
        ("m: float = mean.step(str(raw)).to()", "a field is made into text"),
        ("other: Path = pt.seed(Path('x'))", "a seed's pattern is text"),
    ],
)
def test_names_and_values(line: str, said: str) -> None:
    """A name that is bound twice, shared, taken, untyped or not a field at all."""
    assert str(mistake(f"{RECORD}    {line}")).startswith(said)


def test_a_field_has_no_attributes_of_its_value() -> None:
    """Reaching into a field in a class body is an error that says what it stands for."""
    with pytest.raises(AttributeError, match=r"<seed> stands for a value of each record and has"):
        declare(f"{RECORD}    m: float = mean.step(raw.name).to()")
    with pytest.raises(AttributeError, match=r"<seed Recording.raw> stands for a value"):
        declare(f"{AGGREGATE}    m: float = mean.step(pt.each(Recording.raw.stem)).to()")


def test_a_field_hides_a_function() -> None:
    """Wiring a function once more after a field has taken its name is an error that says so."""
    with pytest.raises(AttributeError, match=r"it hides it in the rest of the class body: rename"):
        declare(
            f"{RECORD}    mean: float = mean.step(raw).to()\n    again: float = mean.step(raw).to()"
        )


def test_a_type_that_is_a_field() -> None:
    """Without string annotations, a key called like its type hides the type."""
    with pytest.raises(DeclarationError, match=r"Day.date: its type is the name of a field"):
        source = (
            "import pointillist as pt\nfrom datetime import date\n"
            "class Day(pt.Record):\n    date: date = pt.key()\n"
        )
        exec(compile(source, "days.py", "exec", dont_inherit=True), {"__name__": "days"})


def test_what_is_no_mistake() -> None:
    """Plain values, constants, narrowed and private annotations are left alone."""
    names = declare(
        AGGREGATE
        + """
    members: list[Recording]
    _cache: dict[str, int]
    rig: ClassVar[str]
    label_color = "blue"
    label_color = "red"

    @property
    def parity(self) -> str:
        return "x"

    @parity.setter
    def parity(self, value: str) -> None: ...
"""
    )
    assert ["session"] == list(names["A"].__fields__)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rig: str = pt.key()", "A.rig: an aggregate's key is looked up on its members, and "
         "Recording has no key or property 'rig'. Add a property to Recording, or use one of its "
         "keys.\n  keys: session, index."),
        ("method: str = pt.key()", "A.method: an aggregate's key is looked up on its members"),
        ("raw: Path = pt.key()", "A.raw: an aggregate's key is looked up on its members"),
        ("mean: float = pt.key()", "A.mean: an aggregate's key is looked up on its members"),
        ("index: str = pt.key()", "A.index is str, but Recording.index is int. Give both the same"),
        ("aggregate: str = pt.key()", "A.aggregate: the state point of an aggregate says"),
    ],
)  # fmt: skip
def test_keys_of_aggregates(line: str, said: str) -> None:
    """An aggregate's key is a key or property of its members, of the same type."""
    assert str(mistake(f"{AGGREGATE}    {line}")).startswith(said)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('(pt.Aggregate[Recording], order_by="rig")', "A: order_by='rig' is no key or property of "
         "Recording. Write a name in quotes, with '-' in front for descending, or a function of a "
         "member.\n  keys: session, index."),
        ('(pt.Aggregate[Recording], order_by=("index", "--session"))', "A: order_by='--session'"),
        ('(pt.Aggregate[Recording], order_by="raw")', "A: order_by='raw' is no key or property"),
        ("(pt.Aggregate[Recording], order_by=Recording.index)", "A: order_by=<key Recording.ind"),
        ('(pt.Record, order_by="session")', "A: order_by='session': only an aggregate has members"),
        ('(pt.Aggregate[Recording], orderby="index")', "class A(…, orderby=…): there is no such "
         "class argument. There are: order_by, select, table."),
        ("(pt.Aggregate)", "class A(pt.Aggregate) does not say what it is made of. Write the class "
         "of its members in brackets, declared above it: class A(pt.Aggregate[Recording]); "
         "or signac's Job: class A(pt.Aggregate[signac.job.Job])."),
        ("(pt.Aggregate[int])", "class A(pt.Aggregate[int]) does not say"),
        ("(pt.Aggregate[Path])", "class A(pt.Aggregate[Path]) does not say"),
        ('(pt.Aggregate["Recording"])', "class A(pt.Aggregate["),
    ],
)  # fmt: skip
def test_class_arguments(head: str, said: str) -> None:
    """What an aggregate is made of and ordered by is checked when the class is made."""
    source = f"class A{head}:\n    session: str = pt.key()\n"
    assert str(mistake(source)).startswith(said)


@pytest.mark.parametrize("order", ['"index"', '"-index"', '("parity", "-index")', '["session"]'])
def test_orders(order: str) -> None:
    """Members are ordered by keys and properties, either way."""
    source = f"class A(pt.Aggregate[Recording], order_by={order}):\n    session: str = pt.key()\n"
    found: Any = declare(source)["A"].__order__
    wanted = eval(order)
    assert ((wanted,) if isinstance(wanted, str) else tuple(wanted)) == found


def test_fields_in_a_plain_base() -> None:
    """A field in a base class that is no record would be lost; it is an error."""
    source = """
    class Mixin:
        rig: str = pt.key()

    class R(Mixin, pt.Record):
        index: int = pt.key()
    """
    assert (
        "Mixin.rig is a field in a class that is no record. Write class Mixin(pt.Record)."
    ) == str(mistake(source))


def test_seeds_are_read_when_the_class_is_made() -> None:
    """A seed's pattern that names no key is an error of the class, also in a subclass."""
    source = 'class R(pt.Record):\n    index: int = pt.key()\n    raw: Path = pt.seed("{indx}")'
    error = mistake(source)
    assert isinstance(error, SeedPatternError)
    assert (
        "R.raw = '{indx}' has the field {indx}, which is no key of R.\n"
        "  keys: index. Did you mean {index}?"
    ) == str(error)
    source = (
        'class R(pt.Record):\n    index: int = pt.key()\n    raw: list = pt.seed("{index}.wav")'
    )
    error = mistake(source)
    assert isinstance(error, UndeclaredFormat)
    assert str(error).startswith("R.raw cannot be read: no format turns list into '{index}.wav'. ")
    error = mistake("class R(Recording):\n    index = 3")
    assert str(error).startswith("R.raw = '{session}/{index}.bin' has the field {index}")


def test_errors_are_of_the_tree() -> None:
    """An unknown name is an UnknownField, and every mistake a TypeError too."""
    error = mistake(f"{AGGREGATE}    rig: str = pt.key()")
    assert isinstance(error, UnknownField)
    assert isinstance(error, TypeError)


# Keys by functions, and aggregates of plain jobs.


def test_key_by_a_function() -> None:
    """The key of an aggregate may be a function's; then members need not have its name."""
    made = declare("class A(pt.Aggregate[Recording]):\n    odd: bool = pt.key(lambda r: True)\n")
    assert {"odd": bool} == made["A"].keys


def test_key_by_a_function_of_a_record() -> None:
    """A record's own key cannot be worked out of anything."""
    assert (
        "R.odd: pt.key(function) is for the key of an aggregate, which is worked out from each "
        "member. A record's own key is pt.key()."
    ) == str(mistake(f"{RECORD}    odd: bool = pt.key(lambda record: True)"))


def test_key_of_an_aggregate_called_like_its_class() -> None:
    """`aggregate` says the class in the state point, and is no key."""
    said = str(mistake(f"{AGGREGATE}    aggregate: str = pt.key(lambda recording: 'x')"))
    assert said.startswith("A.aggregate: the state point of an aggregate says its class under this")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("class A(pt.Aggregate[int]): pass", "class A(pt.Aggregate[int]) does not say"),
        ("class A(pt.Aggregate): pass", "class A(pt.Aggregate) does not say"),
        ("class A(pt.Aggregate[Job], by='x'): pass", "class A(…, by=…): there is no such class"),
        (
            "class A(pt.Aggregate[Job]):\n    x: list[int] = pt.key()",
            "A.x: a key cannot be of type list[int]",
        ),
        ("class A(pt.Aggregate[Job]):\n    x = pt.key()", "A.x has no type"),
    ],
)
def test_aggregates_of_what(line: str, said: str) -> None:
    """An aggregate is of records or of signac's jobs; the error says how that is written."""
    assert str(mistake(f"from signac.job import Job\n{line}")).startswith(said)


def test_names_of_plain_jobs_are_not_known() -> None:
    """What a plain job has in its state point is not known when the class is made."""
    made = declare(
        "import signac\n"
        "class A(pt.Aggregate[signac.job.Job], order_by=('-x', 'y')):\n    z: str = pt.key()\n"
    )
    assert (("-x", "y"), {"z": str}) == (made["A"].__order__, made["A"].keys)
