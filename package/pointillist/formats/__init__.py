"""How a value becomes a file and comes back.

======================  =======================================================
type                    suffixes, the one of ``.to()`` first
======================  =======================================================
``Path``                any name; a file or a folder
``str``                 ``.txt``, any other of a text file, ``.json``
``int float bool``      ``.txt``, ``.json``
``bytes``               ``.bin``, any other
``dict``                ``.json``, ``.h5``, ``.npz``, ``.mat``
``list tuple``          ``.json``
``dict[str, ndarray]``  ``.h5``, ``.npz``, ``.mat``
``ndarray``             ``.h5``, ``.npy``, ``.mat``
``DataFrame``           ``.csv``, ``.tsv``
``Figure``              ``.png``, ``.pdf``, ``.svg``
anything                ``.pkl``, ``.pickle``
======================  =======================================================

Writing the same value twice gives the same bytes.
"""

from __future__ import annotations

from .base import Format, LazyFormat, as_path
from .coercion import coerce
from .registry import check_options, format_for, register, suffix_for

__all__ = [
    "Format",
    "LazyFormat",
    "as_path",
    "check_options",
    "coerce",
    "format_for",
    "register",
    "suffix_for",
]
