"""Making many jobs, each with five system calls: a folder, its state point, and its name.

The folder gets its name when its state point is written: who is killed on the way leaves nothing
that signac takes for a job.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from typing import Any

from ..model.records import RecordType
from .dataspace import DataSpace
from .layout import DOCUMENT, STATEPOINT, fresh_place
from .statepoints import Statepoints
from .writing import make, write_file, writing

__all__ = ["Creation"]


class Creation:
    """The jobs of one class, those that are there and those to be made.

    Who makes jobs holds the claim on the data space.

    Parameters
    ----------
    space : DataSpace
        The data space.
    cls : RecordType
        The class.

    Attributes
    ----------
    cls : RecordType
        The class.
    """

    def __init__(self, space: DataSpace, cls: RecordType) -> None:
        self._space = space
        self.cls = cls
        self._names = tuple(cls.keys)
        self._workspace = str(space.workspace(cls))
        self._statepoints = Statepoints(cls.keys, space.marks(cls))
        self._named: dict[tuple[Any, ...], tuple[str, str]] = {}
        self._is_ready = False

    def look(self, places: Iterable[tuple[Any, ...]]) -> None:
        """Look which jobs there are; the state points of those expected are not read.

        A job whose id is that of a place has the state point of that place, or a damaged one: it
        is read if it is not of the size that it must be.

        Parameters
        ----------
        places : iterable of tuple
            The keys of records that may be there, by their values in order.
        """
        expected: dict[str, tuple[Any, ...]] = {}
        for place in places:
            self._named[place] = named = self._statepoints.named(place)
            expected[named[0]] = place

        def recognise(id: str) -> dict[str, Any] | None:
            place = expected.get(id)
            if place is None:
                return None
            try:
                size = os.stat(f"{self._workspace}/{id}/{STATEPOINT}").st_size
            except OSError:
                return None
            return self._values(place) if size == len(self._named[place][1]) else None

        self._space.look(self.cls, recognise)

    def make(self, place: tuple[Any, ...]) -> None:
        """Make the job of a record, whatever is there of it.

        Raises
        ------
        CorruptRecord
            If the job is there without a state point that can be read.
        SpaceError
            If it cannot be written.
        """
        if not self.create(place):
            make(self._space, self.cls, self._values(place))

    def create(self, place: tuple[Any, ...], document: str | None = None) -> bool:
        """Make the job of a record where nothing is in the way, whole.

        Parameters
        ----------
        place : tuple
            The record's keys, by their values in order.
        document : str, optional
            The job's document.

        Returns
        -------
        bool
            False if it cannot be made so: something is there, or is left of a killed process, or
            cannot be written. `make` finds out what it is.

        Raises
        ------
        SpaceError
            If the workspace cannot be made.
        """
        if not self._is_ready:
            self._prepare()
        id, text = self._named.get(place) or self._statepoints.named(place)
        fresh, folder = fresh_place(self._workspace, id), f"{self._workspace}/{id}"
        try:
            os.mkdir(fresh)
        except OSError:
            return False
        try:
            if document is not None:
                write_file(f"{fresh}/{DOCUMENT}", document)
            write_file(f"{fresh}/{STATEPOINT}", text)  # the last: with it the folder is whole
            os.rename(fresh, folder)
        except OSError:
            for name in (STATEPOINT, DOCUMENT):
                with contextlib.suppress(OSError):
                    os.unlink(f"{fresh}/{name}")
            with contextlib.suppress(OSError):
                os.rmdir(fresh)
            return False
        self._space.learn(self.cls, id, self._values(place))
        return True

    def _values(self, place: tuple[Any, ...]) -> dict[str, Any]:
        return dict(zip(self._names, place, strict=True))

    def _prepare(self) -> None:
        with writing(self._space.workspace(self.cls)):
            self._space.project_of(self.cls)
            os.makedirs(self._workspace, exist_ok=True)
        self._is_ready = True
