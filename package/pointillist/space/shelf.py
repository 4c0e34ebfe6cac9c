"""The records of one class: those that are asked for are made, of the others the ids are enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

from ..errors import RecordError
from ..model import keys
from ..model.records import RecordType, sort_key
from .index import Sheet

__all__ = ["Shelf", "decoded", "kinds_of"]


class Shelf(Mapping[str, Any]):
    """The records of one class by id, in the order of their keys.

    Parameters
    ----------
    make : callable
        Makes the record of an id, from its row in a sheet.
    seen : int or None
        When the workspace was changed that was read; None if it may be changing.

    Attributes
    ----------
    foreign : int
        How many jobs lie among them that are no records of the class.
    problems : list of RecordError
        What is wrong with single ones, which are left out.
    """

    def __init__(self, make: Callable[[str, Sheet], Any], seen: int | None) -> None:
        self.seen = seen
        self.foreign = 0
        self.problems: list[RecordError] = []
        self._make = make
        self._ids: dict[str, Sheet | None] = {}
        self._made: dict[str, Any] = {}
        self._is_sorted = True
        self._by_keys: dict[tuple[Any, ...], Any] | None = None

    def tell(self, ids: Iterable[str], sheet: Sheet) -> None:
        """Put records on it whose keys a sheet has, no two of them with the same ones."""
        self._ids.update(dict.fromkeys(ids, sheet))

    def put(self, record: Any) -> None:
        """Put a record on it."""
        self._ids[record.id] = None
        self._made[record.id] = record
        self._is_sorted, self._by_keys = False, None

    def put_all(self, found: Iterable[Any]) -> bool:
        """Put records on it, but for those whose keys another one has, which are a problem.

        Returns
        -------
        bool
            False if a record has the keys of one of which a sheet tells: then nothing is done.
        """
        ordered = sorted(((sort_key(r), r.id, r) for r in found), key=lambda told: told[:2])
        sheets = {id(sheet): sheet for sheet in self._ids.values() if sheet is not None}
        if ordered and sheets:
            told = {
                sheet.keys[sheet.rows[id]] for id, sheet in self._ids.items() if sheet is not None
            }
            if any(orjson.dumps(list(map(keys.encode, p))) in told for p, _, _ in ordered):
                return False
        places: dict[tuple[Any, ...], Any] = {}
        for place, _, record in ordered:
            first = places.setdefault(place, record)
            if first is not record:
                self.problems.append(
                    RecordError(
                        f"{record.label}: the jobs {first.id[:8]}… and {record.id[:8]}… have the "
                        "same keys; the second is left out. Declare the key in which they differ.",
                        record=record.label,
                    )
                )
        for record in places.values():
            self._ids[record.id] = None
            self._made[record.id] = record
        self._is_sorted = not sheets
        return True

    def some(self, ids: Iterable[str]) -> list[Any]:
        """Return some of the records, in their order."""
        return sorted((self[id] for id in ids), key=sort_key)

    @property
    def ids(self) -> Iterable[str]:
        """The ids of all, in no order."""
        return self._ids.keys()

    @property
    def by_keys(self) -> dict[tuple[Any, ...], Any]:
        """The records by the values of their keys."""
        if self._by_keys is None:
            self._by_keys = {sort_key(record): record for record in self._all().values()}
        return self._by_keys

    def _all(self) -> dict[str, Any]:
        if len(self._made) < len(self._ids):
            for id in self._ids:
                self[id]
        if not self._is_sorted:
            by_place = sorted(self._made.values(), key=lambda record: (sort_key(record), record.id))
            self._made = {record.id: record for record in by_place}
            self._is_sorted = True
        return self._made

    def __getitem__(self, id: str) -> Any:
        found = self._made.get(id)
        if found is None:
            sheet = self._ids[id]
            assert sheet is not None
            found = self._made.setdefault(id, self._make(id, sheet))
            self._is_sorted = False
        return found

    def __contains__(self, id: object) -> bool:
        return id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def values(self) -> Any:
        """Return the records, in their order."""
        return self._all().values()

    def items(self) -> Any:
        """Return ids and records, in their order."""
        return self._all().items()


def kinds_of(cls: RecordType) -> list[list[str]]:
    """Return the names and types of the keys of a class, as the index has them."""
    return [[name, kind.__qualname__] for name, kind in cls.keys.items()]


def decoded(cls: RecordType, told: bytes) -> dict[str, Any]:
    """Return the keys of a record of a class, from their values in order, as a sheet has them.

    Raises
    ------
    TypeError, ValueError
        If one of them cannot be such a key.
    """
    return {
        name: keys.decode(value, kind)
        for (name, kind), value in zip(cls.keys.items(), orjson.loads(told), strict=True)
    }
