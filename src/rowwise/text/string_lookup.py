"""Rows of strings, millions at a time."""

from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

# Against so many times fewer strings than there are in the column, Python's own table is faster
# than a hash table that is made anew for each call.
_FEW = 8


class StringLookup:
    """Finds the rows of strings.

    Args:
        strings: Arrow's ``large_string``, all different.
        first: the row of the first.
        unknown: the row of any other string.
    """

    def __init__(self, strings: Any, first: int, unknown: int) -> None:
        self._strings, self._first, self._unknown = strings, first, unknown

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return dict(zip(self._strings.to_pylist(), range(self._first, 2**31), strict=False))

    def rows(self, asked: Any) -> NDArray[np.int32]:
        """The rows of strings, int32 ``(asked,)``.

        Args:
            asked: Arrow's ``large_string``.
        """
        if len(asked) * _FEW <= len(self._strings):
            found = map(self._row_of.get, asked.to_pylist(), repeat(self._unknown))
            return np.fromiter(found, np.int32, len(asked))
        places = pc.index_in(asked, self._strings).fill_null(self._unknown - self._first)
        rows: NDArray[np.int32] = places.to_numpy().astype(np.int32) + np.int32(self._first)
        return rows
