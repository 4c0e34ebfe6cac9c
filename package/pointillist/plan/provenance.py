"""Provenance: from a value back to the raw files that it was made of, as plain data.

It follows the journals: a value leads to the attempt that made it, the attempt to the inputs as it
saw them, each of these to the attempt that had made it then, and so on down to the seeds. What the
class bodies say now is only asked for paths, labels and the names of unstored values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import UnknownField
from ..model.arguments import Ref, walk
from ..model.fields import Key, Output, Seed
from ..model.records import Record, RecordType, field_of
from ..model.steps import Call
from ..space.attempts import Attempt
from ..space.fingerprints import Fingerprint
from ..space.history import History, attempt_id, read_environment
from .planner import Planner
from .tasks import Task, step_of

__all__ = ["provenance"]

_VOUCHED = ("found", "accepted")


def provenance(
    planner: Planner, history: History, record: Record, fields: list[str] | None = None
) -> dict[str, Any]:
    """Return where values of a record come from.

    Parameters
    ----------
    planner : Planner
        Knows the records, and looks at the disk.
    history : History
        All attempts.
    record : Record
        The record.
    fields : list of str, optional
        Outputs or seeds of its class; by default all stored outputs.

    Returns
    -------
    dict
        ``job``, ``record``: its id and its label.

        ``values``: a list of nodes, one for each field. A node has

        - ``field``, ``job``, ``record``: what it is a value of; ``kind``: ``output``, ``seed``,
          ``unstored``, or ``unknown`` for what is no field any more and no attempt has made;
        - ``path``: relative to the project where it lies in it; None if it lies nowhere now;
        - ``fingerprint``: size, time and hash as they were recorded, by the attempt that it is an
          input of, or else by the one that made it; None if nothing was;
        - ``now``: what is there now, compared with that: ``unchanged``, ``changed``, ``gone``;
          for an optional seed that was not there ``absent`` or ``appeared``; ``there`` or
          ``missing`` where nothing was recorded; ``unknown`` if that cannot be told;
        - ``attempt``: the attempt that made it, a key of ``attempts``; None for a seed, and if no
          attempt is known; ``vouched``: the attempt by which it was found or accepted, if it was;
        - ``unstored``: the unstored values that the step computed on the way, by class and field;
        - ``members``: ids and labels of the members in order, if the step took anything of them;
        - ``inputs``: the nodes that it was made of, of members in their order; ``above`` is true
          instead if the attempt is that of an earlier node, which has them.

        ``attempts``: what journals say of each attempt, by a hash, with ``user``, ``host`` and
        ``executor`` of its runner and ``call``, the name of what the step calls.

        ``environments``: what these attempts ran in, by the hash in their ``environment``.

    Raises
    ------
    UnknownField
        If the class has no such field, or it is a key.

    Notes
    -----
    Content is read again only where size and time do not tell: where the time differs and the size
    does not, or the file was so young when it was recorded that its time says nothing.
    """
    cls = type(record)
    if fields is None:
        fields = [name for name, output in cls.outputs.items() if output.stored]
    found = _Tracer(planner, history)
    values = [found.value(record, name) for name in fields]
    return {
        "job": record.id,
        "record": record.label,
        "values": values,
        "attempts": found.attempts,
        "environments": found.environments(),
    }


class _Tracer:
    """Follows values back; what it met on the way is in `attempts`."""

    def __init__(self, planner: Planner, history: History) -> None:
        self.attempts: dict[str, dict[str, Any]] = {}
        self._planner = planner
        self._space = planner.space
        self._history = history
        self._opened: set[str] = set()
        self._records: dict[str, Record] = {
            id: record
            for cls in planner.space.classes
            for id, record in planner.space.records(cls).items()
        }

    def environments(self) -> dict[str, dict[str, Any]]:
        """Return the environments of the attempts met, those that are still there."""
        found = {}
        for told in self.attempts.values():
            digest = told.get("environment")
            if digest and digest not in found:
                environment = read_environment(self._space.layout, digest)
                if environment is not None:
                    found[digest] = environment
        return found

    def value(self, record: Record, name: str) -> dict[str, Any]:
        """Return the node of a value as it is now."""
        target = field_of(type(record), name)
        if isinstance(target, Key):
            raise UnknownField(
                f"{type(record).__name__}.{name} is a key: it comes from no file. Values that do: "
                f"{', '.join([*type(record).outputs, *type(record).seeds])}."
            )
        if isinstance(target, Output):
            task = Task(record, step_of(record, target))
            if not target.stored:
                return self._unstored(task, target)
            made = self._planner.attempts.last_good.get(task.key)
            if made is not None and name in made.outputs:
                return self._output(record.id, name, made.outputs[name].print, made.end)
        return self._node(record.id, name, "seed" if isinstance(target, Seed) else "output")

    def _unstored(self, task: Task, target: Output) -> dict[str, Any]:
        """Return the node of a value that is computed when it is asked for, from what is there."""
        node = self._node(task.record.id, target.name, "unstored")
        node["unstored"] = list(dict.fromkeys(_met(type(task.record), task.step.call)))
        needs = self._planner.needs(task)
        inputs = (name.split("/", 1) for name in needs.inputs)
        node["inputs"] = [self.value(self._records[job], field) for job, field in inputs]
        return node

    def _node(
        self, job: str, field: str, kind: str, seen: Fingerprint | None = None, had: bool = False
    ) -> dict[str, Any]:
        record = self._records.get(job)
        target = type(record).__fields__.get(field) if record is not None else None
        path = None
        if record is not None and (
            isinstance(target, Seed) or (isinstance(target, Output) and target.stored)
        ):
            path = self._space.path(record, target)
        root = self._space.layout.root
        inside = path is not None and path.is_relative_to(root)
        return {
            "field": field,
            "job": job,
            "record": record.label if record is not None else None,
            "kind": kind,
            "path": path and str(path.relative_to(root) if inside else path),
            "fingerprint": seen and seen.as_json(),
            "now": self._now(path, seen, had),
            "attempt": None,
            "inputs": [],
        }

    def _now(self, path: Any, seen: Fingerprint | None, had: bool) -> str:
        """Compare what is there now with what was seen; `had` if somebody looked at all."""
        if path is None:
            return "unknown"
        try:
            now = self._planner.snapshot.glance(path)
            if seen is None:
                there, not_there = ("appeared", "absent") if had else ("there", "missing")
                return there if now is not None else not_there
            if now is None:
                return "gone"
            if (seen.size, seen.count) != (now.size, now.count):
                return "changed"
            if seen.same_glance(now) and not (seen.young and seen.hash is not None):
                return "unchanged"
            if seen.hash is None:
                return "changed"
            same = self._planner.snapshot.hash(path, now) == seen.hash
            return "unchanged" if same else "changed"
        except OSError:
            return "unknown"

    def _input(self, name: str, seen: Fingerprint | None, before: float) -> dict[str, Any]:
        """Return the node of an input as an attempt saw it."""
        job, _, field = name.partition("/")
        record = self._records.get(job)
        target = type(record).__fields__.get(field) if record is not None else None
        if isinstance(target, Seed):
            return self._node(job, field, "seed", seen, had=True)
        return self._output(job, field, seen, before)

    def _output(
        self, job: str, field: str, seen: Fingerprint | None, before: float
    ) -> dict[str, Any]:
        """Return the node of an output that was there with the fingerprint `seen`."""
        makers = [a for a in self._history.of(job) if field in a.outputs]
        fitting = [a for a in makers if seen and _fits(a.outputs[field].print, seen)]
        exact = [a for a in fitting if seen and a.outputs[field].print.same_glance(seen)]
        made = _last([a for a in exact if a.outcome == "complete"], before)
        made = made or _last([a for a in fitting if a.outcome == "complete"], before)
        vouched = _last([a for a in fitting if a.outcome in _VOUCHED], before)
        if made is not None and vouched is not None and vouched.end < made.end:
            vouched = None
        attempt = made or vouched
        record = self._records.get(job)
        is_known = bool(makers) or (record is not None and field in type(record).outputs)
        node = self._node(job, field, "output" if is_known else "unknown", seen, had=True)
        if vouched is not None:
            node["vouched"] = self._describe(vouched)
        if attempt is None:
            return node
        key = node["attempt"] = self._describe(attempt)
        if key in self._opened:
            node["above"] = True
            return node
        self._opened.add(key)
        node["unstored"] = self._unstored_of(attempt)
        if attempt.members is not None:
            known = [(id, self._records.get(id)) for id in attempt.members]
            node["members"] = [{"job": id, "record": r and r.label} for id, r in known]
        node["inputs"] = [self._input(n, p, attempt.start) for n, p in attempt.inputs.items()]
        return node

    def _describe(self, attempt: Attempt) -> str:
        """Note an attempt and return its key."""
        key = attempt_id(attempt)
        if key not in self.attempts:
            told = self._history.described(attempt)
            step = self._step(attempt)
            told["call"] = step.call.name if step is not None else None
            self.attempts[key] = told
        return key

    def _step(self, attempt: Attempt) -> Any:
        record = self._records.get(attempt.job)
        if record is None:
            return None
        return type(record).__steps__.get(attempt.operation.rpartition(".")[2])

    def _unstored_of(self, attempt: Attempt) -> list[str]:
        """Return the unstored values that a step is computed through, by class and field."""
        step = self._step(attempt)
        if step is None or not _mentions_unstored(attempt.arguments):
            return []
        return list(dict.fromkeys(_met(step.record, step.call)))


def _fits(made: Fingerprint, seen: Fingerprint) -> bool:
    """Whether what was made can be what was seen."""
    if made.hash is not None and seen.hash is not None:
        return made.hash == seen.hash and made.count == seen.count
    return made.same_glance(seen)


def _last(attempts: list[Attempt], before: float) -> Attempt | None:
    """Return the last attempt that had ended at a time; the first of all if none had.

    The clocks of hosts differ: what made an input may seem to have ended after it was read.
    """
    ended = [attempt for attempt in attempts if attempt.end <= before]
    if ended:
        return ended[-1]
    return attempts[0] if attempts else None


def _mentions_unstored(arguments: Any) -> bool:
    if isinstance(arguments, dict):
        return any(n == "unstored" or _mentions_unstored(v) for n, v in arguments.items())
    return isinstance(arguments, list) and any(_mentions_unstored(v) for v in arguments)


def _met(cls: RecordType, call: Call) -> Iterator[str]:
    """Yield the unstored values that a call takes, and those that they take, by class and field."""
    for leaf in walk(dict(call.arguments)):
        if not isinstance(leaf, Ref):
            continue
        owner = cls
        for _ in range(leaf.depth):
            assert owner.__member__ is not None
            owner = owner.__member__
        target = owner.__fields__.get(leaf.field)
        if isinstance(target, Output) and not target.stored:
            yield f"{owner.__name__}.{target.name}"
            for step in owner.__steps__.values():
                if any(made.name == target.name for made in step.outputs):
                    yield from _met(owner, step.call)
