"""signac-flow's parser with our verbs and flags beside its own."""

from __future__ import annotations

import argparse
from typing import Any

from ..flow.compiled import CompiledProject
from . import discover, exec, history, logs, next, provenance, rekey, run, status, submit

__all__ = ["ProjectParser"]


_OWN = {
    "run": run.extend,
    "status": status.extend,
    "next": next.extend,
    "exec": exec.extend,
    "submit": submit.extend,
}


_VERBS = """verbs:
  discover   make jobs of the files that match the seeds' patterns; aggregates follow
  status     what is done, what is not; with -d why
  run        carry out what must be done
  next       the jobs on which an operation can be carried out now
  exec       carry one operation out on some jobs, whatever their state is
  submit     hand operations to a scheduler
  rekey      give a record other keys; its job moves with its results
  logs       what an attempt of a step printed
  history    all attempts on a record: when, how they ended, who made them and where
  provenance from a value back to the raw files that it was made of

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
        common = {"verbose": 0, "debug": False}
        known = self._verbs.choices
        for name, extend in _OWN.items():
            extend(known[name])
        for module in (discover, rekey, logs, history, provenance):
            verb = module.add(self._verbs)

            def main(args: Any, module: Any = module) -> int:
                return int(module.main(self._lab, args))

            verb.set_defaults(func=main, **common)
        return super().parse_args(args, namespace)
