"""``rekey``: a record gets other keys, its job moves with its results."""

from __future__ import annotations

import argparse

from ..errors import ConfigurationError
from ..flow.compiled import CompiledProject
from ..model import keys
from ..model.records import RecordType
from ..space import changes
from ..view.console import console_for

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py rekey -j 3f2a recording_index=7
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "rekey",
        help="Give a record other keys; its job moves with its results.",
        description="Give a record other keys, for example after its raw file was renamed. The "
        "job moves with all results and its history, so that nothing is computed again.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-j", "--job-id", required=True, help="The job's id, or how it begins.")
    parser.add_argument("keys", nargs="+", metavar="KEY=VALUE", help="The new values.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``rekey`` out; return the exit code."""
    (job,) = lab._get_aggregate_from_id(args.job_id)
    record = lab.record_of(job)
    values = _parsed(type(record), args.keys)
    moved = changes.rekey(lab.engine.space, lab.engine.journal, record, values)
    console_for().print(f"{record.label} is now {moved.label}, job {moved.id}", markup=False)
    return 0


def _parsed(cls: RecordType, words: list[str]) -> dict[str, object]:
    values = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in cls.keys:
            raise ConfigurationError(
                f"{word!r}: write KEY=VALUE with a key of {cls.__name__}: {', '.join(cls.keys)}."
            )
        try:
            values[name] = keys.from_text(text, cls.keys[name])
        except ValueError:
            raise ConfigurationError(
                f"{word!r}: {text!r} is no {cls.keys[name].__name__}."
            ) from None
    return values
