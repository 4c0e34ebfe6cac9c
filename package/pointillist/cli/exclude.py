"""``exclude``: a record is left out of everything, with a reason."""

from __future__ import annotations

import argparse
from typing import Any

from ..flow.compiled import CompiledProject
from ..space import exclusions
from ..space.dataspace import DataSpace
from ..view.console import console_for
from ..view.curation import show_exclusions
from .selection import add_selection, selected_records

__all__ = ["add", "main"]

EXAMPLES = """examples:
  python project.py exclude -j 3f2a --reason "60 Hz noise"
  python project.py exclude --where session=a recording_index=4 --reason "60 Hz noise"
  python project.py include -j 3f2a               takes it in again
"""


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the verb."""
    parser = verbs.add_parser(
        "exclude",
        help="Leave a record out of everything, with a reason.",
        description="None of the record's steps is run any more, and it is a member of no "
        "aggregate; what was made of it is kept. `include` takes it in again. Where --where "
        "selects records and aggregates of them, the records are excluded; the aggregates follow.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_selection(parser, step=False)
    parser.add_argument("--reason", required=True, help="Why, for everybody who wonders later.")
    return parser


def main(lab: CompiledProject, args: argparse.Namespace) -> int:
    """Carry ``exclude`` out; return the exit code."""
    space = lab.engine.space
    lab.engine.planner()  # what the journals say, as of now
    records = selected_records(lab, args)
    if not args.job_id:
        records = _without_those_above(space, records)
    found = exclusions.exclude(space, lab.engine.journal, records, args.reason)
    show_exclusions(console_for(), found, args.reason, followers(space, found), len(records))
    return 0


def _without_those_above(space: DataSpace, records: list[Any]) -> list[Any]:
    """Leave out the aggregates of which members, or members of members, are selected too."""
    chosen = {record.id for record in records}

    def holds(record: Any) -> bool:
        if type(record).__member__ is None:
            return False
        below = [*space.members(record), *space.excluded_members(record)]
        return any(member.id in chosen or holds(member) for member in below)

    return [record for record in records if not holds(record)]


def followers(space: DataSpace, records: list[Any]) -> int:
    """Return how many aggregates some records belong to, or would if they were included."""
    ids = {record.id for record in records}
    return sum(
        any(m.id in ids for m in [*space.members(one), *space.excluded_members(one)])
        for cls in space.classes
        if cls.__member__ is not None
        for one in space.records(cls).values()
    )
