"""Why tasks are in their states: one as a tree, many in a line each, all in groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ..plan.explanation import Explanation, argument_count
from ..plan.states import After, Awaits, Failed, Held, MissingSeed, Reason, State
from ..space.attempts import Attempt
from .quantities import counted, local_time
from .reasons import in_words
from .status import COLOURS

__all__ = ["show_all", "show_each", "show_one"]

_GROUPS = 12
_MOST = 3
_NEXT = {
    State.COMPLETE: "a run leaves it as it is",
    State.STALE: "the next run does it again",
    State.READY: "the next run does it",
    State.WAITING: "the next run does it once all is there that it waits for",
    State.RUNNING: "a runner has it",
    State.FAILED: "not tried again until something changes, or with `run --retry-failed`",
    State.EXCLUDED: "never run, until `include`",
    State.SUBMITTED: "a scheduler has it",
}
_ORDER = [State.FAILED, State.STALE, State.READY, State.WAITING, State.RUNNING, State.EXCLUDED]


def show_one(console: Console, explanation: Explanation) -> None:
    """Print one task as a tree, down to what it comes from."""
    head = _head(explanation)
    kept = explanation.verdict.note == "kept"
    head.append(f": {_NEXT[State.COMPLETE if kept else explanation.verdict.state]}")
    tree = Tree(head, guide_style="bright_black")
    _grow(tree, explanation, {explanation.key})
    console.print(tree, soft_wrap=False)  # else a terminal cuts long lines off


def _head(explanation: Explanation) -> Text:
    verdict = explanation.verdict
    head = Text(f"{explanation.record}  {explanation.step}  ")
    head.append(_state(explanation), style=COLOURS[verdict.state])
    return head


def _state(explanation: Explanation) -> str:
    verdict = explanation.verdict
    state = str(verdict.state)
    return (state if verdict.state is State.COMPLETE else state.upper()) + (
        f" ({verdict.note})" if verdict.note else ""
    )


def _grow(tree: Tree, explanation: Explanation, seen: set[tuple[str, str]]) -> None:
    for reason in explanation.verdict.reasons:
        if not isinstance(reason, Awaits | After):
            branch = tree.add(_told(reason))
            log = _log(explanation, reason)
            if log:
                branch.add(Text(log))
    for line in _lines(explanation):
        tree.add(Text(line))
    shown: Counter[str] = Counter()
    left: dict[str, Counter[str]] = {}
    for cause in explanation.causes:
        shown[cause.operation] += 1
        if shown[cause.operation] > _MOST:
            left.setdefault(cause.operation, Counter())[str(cause.verdict.state)] += 1
        elif cause.key in seen:
            tree.add(_head(cause).append(": as above"))
        else:
            seen.add(cause.key)
            _grow(tree.add(_head(cause)), cause, seen)
    for operation, states in left.items():
        counts = ", ".join(f"{count} {state}" for state, count in states.items())
        tree.add(Text(f"… and {states.total()} more for {operation}: {counts}"))


def _told(reason: Reason) -> Text:
    if isinstance(reason, Failed):
        attempt = reason.attempt
        when = local_time(attempt.end)
        return Text(f"failed at attempt {attempt.number} on {when}: {str(attempt.error).rstrip()}")
    if isinstance(reason, Held) and reason.alive is not False:
        return Text(_held(reason))
    return reason.__rich__()


def _held(reason: Held) -> str:
    """Return which runner has a task, where, and since when it is at work."""
    owner = reason.owner
    host = f" on {owner.identity.host}" if owner.identity is not None else ""
    since = f", at work since {local_time(owner.start)}" if owner.start is not None else ""
    unseen = "; it cannot be seen from here" if reason.alive is None else ""
    return f"by {reason.what}{host}{since}{unseen}"


def _log(explanation: Explanation, reason: Reason) -> str:
    if isinstance(reason, Failed) and reason.attempt.log:
        return f"→ logs {explanation.step} -j {explanation.job[:8]}"
    return ""


def _lines(explanation: Explanation) -> Iterator[str]:
    """Yield what a task that counts was compared with, and which rules did not act."""
    yield from _comparison(explanation)
    for rule, does, place in explanation.settings:
        says = f'{place} in pointillist.toml says {rule} = "{does}"'
        if does == "ignore":
            yield f"{says}: that was not looked at"
        else:
            yield f"{says if place else f'{rule} only shows'}: `run --rerun {rule}` does it again"


def _comparison(explanation: Explanation, brief: bool = False) -> Iterator[str]:
    verdict, attempt = explanation.verdict, explanation.compared
    if attempt is not None and brief:
        if verdict.note != "accepted":  # its reason says when
            else_ = "else " if verdict.reasons else ""
            yield f"{else_}as {_seen(attempt)}"
    elif attempt is not None:
        yield compared_in_words(attempt, bool(verdict.reasons) and verdict.note != "accepted")
    elif verdict.note == "found":
        yield "no attempt made its outputs; the next run notes what lies beside them"


def _seen(attempt: Attempt) -> str:
    when = local_time(attempt.start)[:-3]
    if attempt.outcome in ("found", "accepted"):
        return f"it was {attempt.outcome} on {when}"
    return f"attempt {attempt.number} saw it on {when}"


def compared_in_words(attempt: Attempt, others: bool = False) -> str:
    """Return with what a task that is complete, or kept, was compared.

    Parameters
    ----------
    attempt : Attempt
        What is recorded of it.
    others : bool
        Whether something was found to differ, and that was said.
    """
    when = local_time(attempt.start)[:-3]
    if attempt.outcome == "found":
        saw = f"lay beside its outputs when they were found on {when}"
    elif attempt.outcome == "accepted":
        saw = f"was there when it was accepted on {when}"
    else:
        saw = f"attempt {attempt.number} saw on {when}"
    counts = [counted(len(attempt.inputs), "input"), counted(argument_count(attempt), "argument")]
    if attempt.members is not None:
        counts.append(counted(len(attempt.members), "member"))
    nothing = "nothing else" if others else "nothing"
    return f"{nothing} that it depends on differs from what {saw} ({', '.join(counts)})"


def show_each(console: Console, explanations: Iterable[Explanation]) -> None:
    """Print a line a task: its state, why, and where that began."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for name in ("job", "record", "step", "state", "why"):
        table.add_column(name, overflow="fold")
    last = ""
    for one in explanations:
        table.add_row(
            Text(one.job[:8] if one.job != last else "", style="bright_black"),
            Text(one.record if one.job != last else ""),
            Text(one.step),
            Text(_state(one), style=COLOURS[one.verdict.state]),
            Text(_line(one)),
        )
        last = one.job
    console.print(table)


def _line(explanation: Explanation) -> str:
    verdict, causes, settings = explanation.verdict, explanation.causes, explanation.settings
    said = [in_words(verdict)] if verdict.reasons else []
    if verdict.state is State.RUNNING:
        said = [_told(reason).plain for reason in verdict.reasons]
    if verdict.state is State.COMPLETE:
        said += _comparison(explanation, brief=True)
    said += [f"kept by {place or 'default'}" for _, does, place in settings if does == "show"]
    told = "; ".join(said)
    for reason in verdict.reasons:
        log = _log(explanation, reason)
        told += f" {log}" if log else ""
    roots: dict[str, list[Explanation]] = {}
    for root in explanation.roots:
        roots.setdefault(_kind(root), []).append(root)
    began = [_root(found, explanation.job) for found in list(roots.values())[:_MOST]]
    if len(roots) > _MOST:
        began.append(f"… and {len(roots) - _MOST} more")
    if len(causes) == len(verdict.reasons) and not any(cause.causes for cause in causes):
        return "; ".join(began) or told  # they are what it waits for
    return f"{told} ← {'; '.join(began)}" if began else told


def _root(found: list[Explanation], job: str) -> str:
    root = found[0]
    whose = "" if root.job == job else f"{root.record} "
    state = "" if root.verdict.state is State.FAILED else f"is {root.verdict.state}: "
    logs = (_log(root, reason) for reason in root.verdict.reasons)
    log = "".join(f" {line}" for line in logs if line)
    more = f" (and {len(found) - 1} more like it)" if len(found) > 1 else ""
    return f"{whose}{root.step} {state}{in_words(root.verdict)}{log}{more}"


def show_all(console: Console, explanations: Iterable[Explanation], nothing: str) -> None:
    """Print what is not complete, what is alike together, in a screenful.

    Parameters
    ----------
    console : Console
        Where to.
    explanations : iterable of Explanation
        All tasks.
    nothing : str
        What is said if there is none.
    """
    listed = list(explanations)
    groups: dict[tuple[str, str, tuple[str, ...]], list[Explanation]] = {}
    kinds: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in listed:
        if one.verdict.state is not State.COMPLETE:
            key = (one.operation, _state(one), _kinds(one, kinds))
            groups.setdefault(key, []).append(one)
    left = [one for group in groups.values() for one in group]
    if not left:
        console.print(Text("everything is complete." if listed else f"{nothing}."))
        return
    states = Counter(one.verdict.state for one in left)
    counts = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    verb = "is" if len(left) == 1 else "are"
    console.print(Text(f"{counted(len(left), 'task')} {verb} not complete: {counts}."))
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))
    chosen = largest[:_GROUPS]
    for (operation, state, why), group in sorted(chosen, key=lambda item: _place(item[1][0])):
        console.print(
            Text.assemble(
                "\n",
                (f"{state:12}", COLOURS[group[0].verdict.state]),
                f"{len(group):>6}  {operation}: {_few(why)}",
            )
        )
        like = "" if len(group) == 1 else "e.g. "
        first = group[0]
        console.print(Text(f"{'':21}{like}{first.job[:8]} {first.record}: {_line(first)}"))
    rest = sum(len(group) for _, group in largest[_GROUPS:])
    if rest:
        console.print(
            Text(
                f"\n… and {counted(rest, 'task')} in {len(groups) - _GROUPS} smaller groups: "
                "`why STEP` shows those of one step, `why --json` all."
            )
        )
    console.print(Text("\n`why STEP -j ID` explains one task."))


def _few(kinds: tuple[str, ...]) -> str:
    more = (f"… and {len(kinds) - _MOST} more",) if len(kinds) > _MOST else ()
    return "; ".join((*kinds[:_MOST], *more))


def _place(explanation: Explanation) -> int:
    state = explanation.verdict.state
    return _ORDER.index(state) if state in _ORDER else len(_ORDER)


def _kind(explanation: Explanation) -> str:
    """Return what holds a task up that waits for no other, so that those alike can be counted."""
    verdict, kinds = explanation.verdict, []
    for reason in verdict.reasons:
        own = isinstance(reason, MissingSeed) and reason.source.name.startswith(explanation.job)
        whose = explanation.kind if own else ""
        kinds.append(f"{whose}.{reason.kind}" if whose else reason.kind)
    said = "; ".join(dict.fromkeys(kinds))
    if verdict.state is State.WAITING:
        return said
    state = "" if verdict.state is State.FAILED else f"is {verdict.state}: "
    return f"{explanation.operation} {state}{said}"


def _kinds(
    explanation: Explanation, known: dict[tuple[str, str], tuple[str, ...]]
) -> tuple[str, ...]:
    """Return why a task is in its state; of one that waits for others, where that began."""
    found = known.get(explanation.key)
    if found is None:
        kinds = [r.kind for r in explanation.verdict.reasons if not isinstance(r, Awaits | After)]
        for cause in explanation.causes:
            kinds += _kinds(cause, known) if cause.causes else (_kind(cause),)
        found = known[explanation.key] = tuple(dict.fromkeys(kinds))
    return found
