"""``inventory``: which combinations of keys are there, missing or excluded."""

from __future__ import annotations

import argparse
import json

from ..errors import ConfigurationError, RecordNotFound
from ..flow.compiled import CompiledProject
from ..model.records import RecordType
from ..values.inventory import inventory
from ..view.console import console_for
from ..view.inventory import inventory_json, show_inventory
from .leftout import tell_left_out

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py inventory                           all keys of the first class
  python project.py inventory session,recording_index   sessions down, indices across
  python project.py inventory subject                   how many of each; metadata too
  python project.py inventory session,parity --class Block
  python project.py inventory --json                    for programs
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "inventory",
        help="Which combinations of keys are there, missing or excluded.",
        description="A grid of the records: the values of the last name across, those of the "
        "names before it down. With one name a list with counts.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="?",
        metavar="KEY,KEY",
        help="Keys, properties or metadata; by default all keys of the class.",
    )
    parser.add_argument(
        "--class", dest="kind", metavar="CLASS", help="The records' class; by default the first."
    )
    parser.add_argument("--json", action="store_true", help="Print it for programs.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``inventory`` out; return the exit code."""
    cls = _class(lab, args.kind)
    lab.engine.planner()  # what the journals say, as of now
    unread = tell_left_out(lab, foreign=False)
    names = _names(lab, cls, args.names)
    entries = inventory(lab.engine.space, cls, names)
    if args.json:
        print(json.dumps(inventory_json(names, entries), indent=1, default=str))
    else:
        show_inventory(console_for(), cls.__name__, names, entries)
    return 1 if unread else 0


def _class(lab: CompiledProject, name: str | None) -> RecordType:
    classes = lab.engine.space.classes
    if name is None:
        return next((cls for cls in classes if lab.engine.space.is_first(cls)), classes[0])
    for cls in classes:
        if cls.__name__ == name:
            return cls
    known = ", ".join(cls.__name__ for cls in classes)
    raise ConfigurationError(f"--class {name}: there is no such class. There are: {known}.")


def _names(lab: CompiledProject, cls: RecordType, said: str | None) -> list[str]:
    if said is None and cls.keys:
        return list(cls.keys)
    if said is None:
        raise ConfigurationError(f"{cls.__name__} has no keys: say by what it is counted.")
    names = [name.strip() for name in said.split(",")]
    if len(set(names)) < len(names) or not all(names):
        raise ConfigurationError(f"{said!r}: write names with commas between them, each once.")
    records = lab.engine.space.records(cls).values()
    for name in names:
        if name in cls.keys or isinstance(getattr(cls, name, None), property):
            continue
        if not any(name in record.document for record in records):
            raise RecordNotFound(
                f"{cls.__name__} has no key, property or metadata {name!r}. Its keys: "
                f"{', '.join(cls.keys)}."
            )
    return names
