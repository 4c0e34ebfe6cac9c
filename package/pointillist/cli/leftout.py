"""What of the data space is left out, and why: said by every verb that looks at all of it."""

from __future__ import annotations

import sys

from ..flow.compiled import CompiledProject
from ..view.console import console_for
from ..view.summary import show_foreign, show_problems

__all__ = ["tell_left_out"]


def tell_left_out(lab: CompiledProject, foreign: bool = True) -> bool:
    """Read all records and say on standard error what could not be read.

    Parameters
    ----------
    lab : CompiledProject
        The project.
    foreign : bool
        Whether to name jobs too that are no records, as they lack a key.

    Returns
    -------
    bool
        Whether anything could not be read.
    """
    space, console = lab.engine.space, console_for(sys.stderr)
    for cls in space.classes:
        space.records(cls)
    show_problems(console, space.problems)
    if foreign:
        counts = {cls.__name__: space.foreign(cls) for cls in space.classes}
        show_foreign(console, counts)
    return bool(space.problems)
