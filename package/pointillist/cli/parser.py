"""signac-flow's parser with our verbs and flags beside its own."""

from __future__ import annotations

import argparse
import sys
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..flow.compiled import CompiledProject
__all__ = ["ParserWithoutRecords", "ProjectParser"]


_EXTENDED = ("run", "status", "next", "exec", "submit")
"""signac-flow's verbs to which we add something."""


_NEW = (
    *("discover", "rekey", "accept", "reset", "exclude", "include", "inventory", "prune"),
    *("logs", "history", "provenance", "why"),
)
"""Our verbs."""


_OF_OPERATIONS = ("why", "history", "accept")
"""Those of our verbs that know operations written by hand on plain jobs too."""


_VERBS = """verbs:
  discover   make jobs of the files that match the seeds' patterns; aggregates follow
  status     what is done, what is not; with -d each task
  why        why a task is done, will be done, or will not; what it waits for
  run        carry out what must be done
  next       the jobs on which an operation can be carried out now
  exec       carry one operation out on some jobs, whatever their state is
  submit     hand operations to a scheduler
  rekey      give a record other keys; its job moves with its results
  logs       what an attempt of a step printed
  history    all attempts on a record: when, how they ended, who made them and where
  provenance from a value back to the raw files that it was made of
  accept     let what is there count as complete, with a note
  reset      remove what steps have made, so that it is made again
  exclude    leave a record out of everything, with a reason
  include    take it in again
  inventory  which combinations of keys are there, missing or excluded
  prune      remove aggregates that have lost all their members

`VERB --help` shows examples."""


class ProjectParser(argparse.ArgumentParser):
    """The parser that signac-flow fills with its verbs, and that then adds ours.

    signac-flow builds its verbs and parses in one go; so ours are added at the last moment.

    Parameters
    ----------
    lab : CompiledProject
        The project.
    """

    def __init__(self, lab: CompiledProject) -> None:
        super().__init__(
            description=f"{type(lab).__name__}: what is done, what is not, and why.",
            epilog=_VERBS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self._lab = lab

    def add_subparsers(self, **options: Any) -> Any:
        """Make verbs plain parsers, not copies of this one."""
        options.setdefault("parser_class", argparse.ArgumentParser)
        self._verbs = super().add_subparsers(**options)
        return self._verbs

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Add our verbs and flags to signac-flow's, and parse."""
        asked = _asked(args, self._verbs)
        for name in _EXTENDED:
            if name in asked:
                _module(name).extend(self._verbs.choices[name])
        _add_verbs(self._verbs, self._lab, asked)
        return super().parse_args(args, namespace)


class ParserWithoutRecords(argparse.ArgumentParser):
    """signac-flow's parser for a project without record classes: our verbs say that it has none.

    Parameters
    ----------
    lab : CompiledProject
        The project.
    """

    def __init__(self, lab: CompiledProject) -> None:
        super().__init__()
        self._lab = lab

    def add_subparsers(self, **options: Any) -> Any:
        """Make verbs plain parsers, not copies of this one."""
        options.setdefault("parser_class", argparse.ArgumentParser)
        self._verbs = super().add_subparsers(**options)
        return self._verbs

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Add our verbs to signac-flow's, unseen, and parse."""
        self._verbs.metavar = f"{{{','.join(self._verbs.choices)}}}"
        seen = list(self._verbs._choices_actions)
        _add_verbs(self._verbs, self._lab, _asked(args, self._verbs))
        self._verbs._choices_actions[:] = seen
        return super().parse_args(args, namespace)


def _module(verb: str) -> Any:
    return import_module(f".{verb}", __package__)


def _asked(args: list[str] | None, verbs: Any) -> set[str]:
    """Return the verbs that may be meant: only their modules are loaded. All, for the help."""
    known = {*verbs.choices, *_NEW}
    return known.intersection(sys.argv[1:] if args is None else args) or known


def _add_verbs(verbs: Any, lab: CompiledProject, asked: set[str]) -> None:
    for name in _NEW:
        if name not in asked:
            verbs.add_parser(name)
            continue
        module = _module(name)
        verb = module.add(verbs)
        if verb.description:  # examples keep their lines, and with them all else would keep its one
            verb.description = textwrap.fill(verb.description, 78)

        def main(args: Any, name: str = name, module: Any = module) -> None:
            if not lab.engine.space.classes and name not in _OF_OPERATIONS:
                raise ConfigurationError(
                    f"{type(lab).__name__} has no record classes, so there is nothing that "
                    f"`{name}` could be done on. Name some: records = (Recording, …)."
                )
            code = module.main(lab, args)
            if code:  # signac-flow does not look at what a verb returns
                sys.exit(code)

        verb.set_defaults(func=main, verbose=0, debug=False)
