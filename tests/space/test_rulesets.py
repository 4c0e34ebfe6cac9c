"""What rules do, for all steps and for single ones; each mistake names what there is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pointillist.errors import ConfigurationError
from pointillist.space.rulesets import RULES, Ruleset, read_ruleset

PLACE = Path("/lab/pointillist.toml")
OPERATIONS = ["Item.loud", "Item.stats", "Block.stats"]


def read(text: str) -> Ruleset:
    """Return what a settings file says about rules, checked against the steps."""
    found = read_ruleset(PLACE, tomllib.loads(text)["rules"])
    found.check(OPERATIONS)
    return found


def refused(text: str) -> str:
    """Return why a settings file is refused."""
    with pytest.raises(ConfigurationError) as error:
        read(text)
    return str(error.value)


def test_defaults() -> None:
    """Where nothing is said, all rules but the source's make a step run."""
    expected = {"input": "run", "argument": "run", "version": "run", "source": "show"}
    assert expected == RULES == Ruleset().of("Item.loud") == read("[rules]").of("Item.loud")
    assert "" == Ruleset().place("Item.loud", "source")


def test_the_more_special_wins() -> None:
    """What is said of ``Block.stats`` goes before ``stats``, and that before what is of all."""
    found = read(
        """
        [rules]
        source = "run"
        input = "show"
        [rules.stats]
        source = "ignore"
        version = "show"
        [rules."Block.stats"]
        version = "ignore"
        """
    )
    told = {name: tuple(found.of(name).values()) for name in OPERATIONS}
    assert {
        "Item.loud": ("show", "run", "run", "run"),
        "Item.stats": ("show", "run", "show", "ignore"),
        "Block.stats": ("show", "run", "ignore", "ignore"),
    } == told
    assert ["[rules]", "", "[rules.stats]", '[rules."Block.stats"]'] == [
        found.place(*which)
        for which in (
            ("Block.stats", "input"),
            ("Block.stats", "argument"),
            ("Block.stats", "source"),
            ("Block.stats", "version"),
        )
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules = 5", 'rules = 5 is no table. Write [rules], and below it source = "run".'),
        (
            '[rules]\nsorce = "run"',
            "under [rules], 'sorce' is no rule. The rules are input, argument, version, source.",
        ),
        (
            '[rules.stats]\noutput = "ignore"',
            'under [rules."stats"], the rule output cannot be set: an output that is gone is made '
            "again. The rules that can be are input, argument, version, source.",
        ),
        (
            '[rules]\nsource = "off"',
            "under [rules], source = 'off' is nothing that a rule does: \"run\" (the step runs "
            'again), "show" (it is shown, and what is there is kept), "ignore" (it is not looked '
            "at).",
        ),
        ("[rules]\nsource = true", "under [rules], source = True is nothing that a rule does: "),
        ('[rules]\nsource = ["run"]', "under [rules], source = ['run'] is nothing that a rule"),
        (
            '[rules.loudd]\nsource = "run"',
            "under [rules], 'loudd' is neither a rule nor a step. The rules are input, argument, "
            "version, source; the steps are Item.loud, Item.stats, Block.stats, or the part behind "
            "the dot for all classes.",
        ),
        (
            '[rules.Block.stats]\nsource = "run"',
            'write [rules."Block.stats"], with the quotes, for Block.stats.',
        ),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    """Each mistake names the file, what is wrong and what there is."""
    assert refused(text).startswith(f"{PLACE}: {said}")
