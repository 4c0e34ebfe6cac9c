"""The order of steps and of classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointillist.errors import DeclarationError
from pointillist.model.arguments import Ref
from pointillist.model.fields import Output, key
from pointillist.model.pipeline import StepSpec, order_classes, order_steps
from pointillist.model.records import Aggregate, Record
from pointillist.model.steps import Call


class Recording(Record):
    """A file."""

    session: str = key()


class Block(Aggregate[Recording]):
    """Files."""

    session: str = key()


class Session(Aggregate[Block]):
    """Blocks."""

    session: str = key()


class Stimulus(Record):
    """Another record."""

    name: str = key()


def graph(needs: dict[str, list[str]]) -> dict[str, StepSpec]:
    """Give steps that need each other so."""
    steps = {}
    for name, needed in needs.items():
        arguments = {str(i): Ref(field) for i, field in enumerate(needed)}
        call = Call("matlab", "f", arguments)
        output = Output(call, None, True, None, {})
        output.name = name
        steps[name] = StepSpec(Recording, name, call, (output,))
    return steps


@st.composite
def acyclic(draw: Callable[[Any], Any]) -> dict[str, list[str]]:
    """Draw steps without a circle, declared in any order."""
    names = draw(st.lists(st.sampled_from("abcdefghij"), unique=True))
    needs = {
        name: draw(st.lists(st.sampled_from(names[:i]), unique=True)) if i else []
        for i, name in enumerate(names)
    }
    order = draw(st.permutations(names))
    return {name: needs[name] for name in order}


@given(acyclic())
def test_steps_come_after_what_they_need(needs: dict[str, list[str]]) -> None:
    """Every step comes after all that it needs, and none is lost."""
    order = list(order_steps("R", graph(needs)))
    assert sorted(needs) == sorted(order)
    for name, needed in needs.items():
        assert all(order.index(other) < order.index(name) for other in needed)


@given(acyclic())
def test_the_declared_order_is_kept(needs: dict[str, list[str]]) -> None:
    """Steps that are declared in a possible order stay in it."""
    order = list(order_steps("R", graph(needs)))
    ordered = {name: needs[name] for name in order}
    assert order == list(order_steps("R", graph(ordered)))


def test_circle() -> None:
    """Steps that need each other are an error that shows them."""
    with pytest.raises(DeclarationError, match=r"^R: each of the steps .* → .* needs the one"):
        order_steps("R", graph({"a": ["c"], "b": ["a"], "c": ["b"], "d": []}))


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ((Session, Stimulus, Block, Recording), [Recording, Block, Session, Stimulus]),
        ((Stimulus, Recording, Block), [Stimulus, Recording, Block]),
        ((), []),
    ],
)
def test_members_come_first(classes: tuple[Any, ...], expected: list[Any]) -> None:
    """Classes keep their order, but a member's class comes before its aggregate."""
    assert expected == order_classes(classes)


def test_a_member_that_is_missing() -> None:
    """An aggregate without its member's class is an error that says what to write."""
    with pytest.raises(DeclarationError) as caught:
        order_classes((Recording, Session))
    assert (
        "Session is an aggregate of Block, which is not among the project's records. Write: "
        "records = (Block, Session, …)."
    ) == str(caught.value)


@pytest.mark.parametrize("wrong", ["Recording", int, Recording(session="a"), None])
def test_what_is_no_record_class(wrong: Any) -> None:
    """Anything else among the records is an error."""
    with pytest.raises(DeclarationError, match="which is no record class"):
        order_classes((Recording, wrong))


def test_two_classes_of_one_name() -> None:
    """Two classes whose data would lie in one folder are an error."""
    other = type(Recording)("Recording", (Record,), type(Recording).__prepare__("", ()))
    with pytest.raises(DeclarationError, match="two classes of the project are called Recording"):
        order_classes((Recording, other))


def test_a_key_called_record() -> None:
    """Only the first record class has its state points to itself."""

    class Heart(Record):
        record: int = key()

    assert [Heart, Stimulus] == order_classes((Heart, Stimulus))
    with pytest.raises(DeclarationError, match=r"^Heart\.record: the state point of every record"):
        order_classes((Stimulus, Heart))
