"""All records of one class, or those of them that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from signac.errors import JobsCorruptedError

from ..errors import CorruptRecord, RecordNotFound, SeveralRecords, ValueNotThere
from ..model import keys
from ..model.records import Record, RecordType
from ..space.dataspace import DataSpace
from ..space.membership import DIGEST, MEMBERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Collection", "matches_text"]

R = TypeVar("R", bound=Record)


class Collection(Generic[R]):
    """Records of one class, in the order of their keys.

    Parameters
    ----------
    space : DataSpace
        Where they lie.
    cls : type of Record
        Their class.
    chosen : iterable of Record, optional
        Those that fit; by default all.
    """

    def __init__(self, space: DataSpace, cls: type[R], chosen: Iterable[R] | None = None) -> None:
        self._space = space
        self._cls: Any = cls
        self._chosen = None if chosen is None else {record.id: record for record in chosen}

    @property
    def _records(self) -> Mapping[str, R]:
        return self._space.records(self._cls) if self._chosen is None else self._chosen

    def __iter__(self) -> Iterator[R]:
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, item: object) -> bool:
        """Whether a record, or a job id, is among them."""
        return (item.id if isinstance(item, Record) else item) in self._records

    def __repr__(self) -> str:
        some = [record.label for record in list(self)[:3]] + ["…"] * (len(self) > 3)
        return f"<{len(self)} {self._cls.__name__}{': ' if some else ''}{', '.join(some)}>"

    def get(self, id: str | None = None, /, **values: Any) -> R:
        """Return one record, by its job id, which may be shortened, or by its keys.

        Raises
        ------
        RecordNotFound
            If there is none.
        SeveralRecords
            If several fit.
        """
        if id is not None:
            found = [r for r in self if r.id.startswith(id)]
            asked = f"a job id that begins with {id!r}"
        else:
            found = list(self.where(**values))
            asked = " ".join(f"{name}={keys.encode(value)}" for name, value in values.items())
        if len(found) == 1:
            return found[0]
        name = self._cls.__name__
        if not found:
            raise RecordNotFound(
                f"there is no {name} with {asked or 'any keys'}; there are {len(self)}. "
                "Run discover if its files are new."
            )
        some = "; ".join([record.label for record in found[:3]] + ["…"] * (len(found) > 3))
        raise SeveralRecords(
            f"{len(found)} records of {name} have {asked or 'any keys'}: {some}. Give more keys, "
            "or use where(...)."
        )

    def first(self) -> R:
        """Return the first record.

        Raises
        ------
        RecordNotFound
            If there is none.
        """
        for record in self:
            return record
        name = self._cls.__name__
        if self._chosen is not None and len(self._space.records(self._cls)):
            raise RecordNotFound(
                f"no {name} fits; there are {len(self._space.records(self._cls))}."
            )
        raise RecordNotFound(f"there is no {name}. Run discover to find some.")

    def where(
        self,
        condition: Mapping[str, Any] | Callable[[R], bool] | None = None,
        /,
        **values: Any,
    ) -> Collection[R]:
        """Return the records that fit.

        Parameters
        ----------
        condition : mapping or callable, optional
            A signac filter (``{"session": {"$in": ["a", "b"]}}``), or a function of a record.
        **values
            Keys, properties or entries of the document, and their values.

        Returns
        -------
        Collection
            In the same order.

        Raises
        ------
        RecordNotFound
            If nothing is called like a name.
        DeclarationError
            If a key is given a value of another type.
        CorruptRecord
            If a state point cannot be read: signac filters all jobs or none.
        """
        chosen: Iterable[R] = list(self)
        if isinstance(condition, Mapping):
            root = self._space.signac_root(self._cls)
            found: set[str] = set()
            if root.is_dir():
                project = self._space.project_of(self._cls)
                try:
                    found = {job.id for job in project.find_jobs(dict(condition))}
                except JobsCorruptedError as error:
                    raise CorruptRecord(
                        f"signac cannot filter {project.workspace}: the state point of "
                        f"{', '.join(error.job_ids)} cannot be read. Restore it, or remove the "
                        "job's folder."
                    ) from error
            chosen = [record for record in chosen if record.id in found]
        elif condition is not None:
            chosen = [record for record in chosen if condition(record)]
        self._check_names(values)
        for name, value in values.items():
            if name in self._cls.keys:
                value = keys.check(value, self._cls.keys[name], f"{self._cls.__name__}.{name}")
            chosen = [record for record in chosen if look_up(record, name) == value]
        return Collection(self._space, self._cls, chosen)

    def _check_names(self, names: Iterable[str]) -> None:
        """Refuse a name that is neither key nor property, nor in the document of any record."""
        for name in names:
            if name in self._cls.keys or isinstance(getattr(self._cls, name, None), property):
                continue
            known = self._space.records(self._cls).values()
            if known and not any(name in record.document for record in known):
                raise RecordNotFound(
                    f"{self._cls.__name__} has no key, property or metadata {name!r}. Its keys: "
                    f"{', '.join(self._cls.keys)}."
                )

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row a record.

        Returns
        -------
        DataFrame
            Indexed by job id. The columns are the keys, the other plain entries of the documents,
            and those results that are numbers or text, where they are complete.
        """
        import pandas as pd

        cls: RecordType = self._cls
        rows = {}
        plain = (str, int, float, bool)
        for record in self:
            row = dict(record._keys)
            for name, value in record.document.items():
                if name not in (MEMBERS, DIGEST) and isinstance(value, plain):
                    row.setdefault(name, value)
            for name, field in cls.outputs.items():
                if field.stored and field.annotation in plain:
                    row[name] = _if_there(record, name)
            rows[record.id] = row
        scalars = [n for n, f in cls.outputs.items() if f.stored and f.annotation in plain]
        names = list(dict.fromkeys([*cls.keys, *(n for row in rows.values() for n in row)]))
        columns = [n for n in names if n not in scalars] + scalars
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=pd.Index(columns))
        frame.index.name = "id"
        return frame


def _if_there(record: Record, name: str) -> Any:
    try:
        return record.value(name, compute=False)
    except ValueNotThere:
        return None


def look_up(record: Record, name: str) -> Any:
    """Return a key, a property or an entry of the document of a record, or None."""
    cls = type(record)
    if name in cls.keys:
        return record._keys[name]
    if isinstance(getattr(cls, name, None), property):
        return getattr(record, name)
    return record.document.get(name)


def matches_text(record: Record, name: str, text: str) -> bool:
    """Whether a key, property or document entry is written as `text` (``--where session=a``)."""
    value = look_up(record, name)
    return value is not None and (keys.to_text(value) == text or str(value) == text)
