"""Settings: the machine's win over the project's, and each mistake names file and setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointillist.errors import ConfigurationError
from pointillist.space.configuration import Configuration, read_configuration
from pointillist.space.layout import Layout
from pointillist.space.rulesets import Ruleset


@pytest.fixture
def machine(layout: Layout) -> Path:
    """Give the place of the machine's settings."""
    layout.own.mkdir()
    return layout.machine_settings


def test_no_settings(layout: Layout) -> None:
    """Without files everything is at its default."""
    assert Configuration(None, 100_000_000, {}, Ruleset()) == read_configuration(layout)


def test_all_settings(layout: Layout, machine: Path) -> None:
    """The machine's settings win; roots of both are known; relative ones are the project's."""
    layout.project_settings.write_text(
        'matlab = "matlab"\nhash_limit = "2g"\n'
        '[roots]\nnas = "nas"\nusb = "u"\n[rules]\nsource = "run"\n'
    )
    machine.write_text(
        'matlab = "/opt/matlab"\n[roots]\nnas = "/mnt/nas"\nhome = "~/lab"\nhere = "../data"\n'
    )
    assert Configuration(
        "/opt/matlab",
        2_000_000_000,
        {
            "nas": Path("/mnt/nas"),
            "usb": layout.root / "u",
            "home": Path.home() / "lab",
            "here": layout.root / "../data",
        },
        Ruleset(layout.project_settings, {"source": "run"}),
    ) == read_configuration(layout)


@pytest.mark.parametrize(
    ("text", "bytes"),
    [("0", 0), ("5", 5), ('"5k"', 5_000), ('"5K"', 5_000), ('"100m"', 10**8), ('"1G"', 10**9)],
)
def test_the_hash_limit(layout: Layout, text: str, bytes: int) -> None:
    """A limit is a number of bytes, or text with a unit."""
    layout.project_settings.write_text(f"hash_limit = {text}")
    assert bytes == read_configuration(layout).hash_limit


@pytest.mark.parametrize(
    "setting",
    [
        "matlab = 5",
        "hash_limit = true",
        "hash_limit = -1",
        'hash_limit = ""',
        'hash_limit = "m"',
        'hash_limit = "5"',
        'hash_limit = "5t"',
        'hash_limit = "²m"',
        "hash_limit = 1.5",
        'rerun = ["source"]',
        "roots = 5",
        "colour = true",
    ],
)
@pytest.mark.parametrize("of_machine", [False, True], ids=["project", "machine"])
def test_what_is_no_setting(layout: Layout, machine: Path, setting: str, of_machine: bool) -> None:
    """The error names the file, the setting and its value, and what there is."""
    path = machine if of_machine else layout.project_settings
    path.write_text(setting)
    with pytest.raises(ConfigurationError) as error:
        read_configuration(layout)
    name, _, value = setting.partition(" = ")
    assert f"{path}: {name} = " in str(error.value)
    assert value.strip('"[]').replace("true", "True") in str(error.value)
    assert "The settings are matlab (text), hash_limit" in str(error.value)


@pytest.mark.parametrize("text", ["[rules]", '[rules]\nsource = "run"', "rules = 5"])
def test_a_machine_has_no_rules(layout: Layout, machine: Path, text: str) -> None:
    """Rules in the machine's file are refused, with where they belong: all machines judge alike."""
    machine.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        read_configuration(layout)
    assert (
        f"{machine}: rules are the project's, so that every machine judges alike. "
        f"Move [rules] to {layout.project_settings}."
    ) == str(error.value)


@pytest.mark.parametrize("value", ["5", '""', "[]", "{a = 1}"])
def test_a_root_that_is_no_folder(layout: Layout, value: str) -> None:
    """The error names the file and the root."""
    layout.project_settings.write_text(f"[roots]\nnas = {value}")
    with pytest.raises(
        ConfigurationError, match=r"pointillist.toml: under .roots., nas = .* is no"
    ):
        read_configuration(layout)


@pytest.mark.parametrize("content", [b"matlab = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml(layout: Layout, content: bytes) -> None:
    """The error names the file and the parser's complaint."""
    layout.project_settings.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"pointillist.toml cannot be read: "):
        read_configuration(layout)


def test_a_file_that_cannot_be_read(layout: Layout) -> None:
    """A folder in a setting file's place is an error with its name."""
    layout.project_settings.mkdir()
    with pytest.raises(ConfigurationError, match=r"pointillist.toml cannot be read: .*directory"):
        read_configuration(layout)


def test_a_root_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment wins over files; what is no letter or digit becomes an underscore."""
    configuration = Configuration(roots={"nas": Path("/a"), "old-nas": Path("/b")})
    assert [Path("/a"), Path("/b")] == [configuration.root(name) for name in ("nas", "old-nas")]
    monkeypatch.setenv("POINTILLIST_ROOT_NAS", "/c")
    monkeypatch.setenv("POINTILLIST_ROOT_OLD_NAS", "~/d")
    assert [Path("/c"), Path.home() / "d"] == [
        configuration.root(name) for name in ("nas", "old-nas")
    ]


def test_an_unknown_root() -> None:
    """The error says both ways of giving a root its place."""
    with pytest.raises(ConfigurationError) as error:
        Configuration().root("nas")
    assert (
        "the root 'nas' has no place on this machine. Set POINTILLIST_ROOT_NAS, or write "
        'nas = "/the/folder" under [roots] in .pointillist/config.toml.'
    ) == str(error.value)
