"""Rows of whole numbers, millions at a time."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# A table from number to row may have so many times as many entries as there are numbers.
_SPARSE = 4
# Against so many times fewer numbers than there are in the column, a search is faster than a
# hash table, which is made anew for each call.
_FEW = 8
# From here on 64 bits are a negative number if they are signed.
_HIGH = np.uint64(1 << 63)


class NumberLookup:
    """Finds the rows of whole numbers of 64 bits.

    Args:
        numbers: int64 or uint64 ``(numbers,)``, all different.
        first: the row of the first.
        unknown: the row of any other number.
    """

    def __init__(self, numbers: NDArray[Any], first: int, unknown: int) -> None:
        self._numbers, self._first, self._unknown = numbers, first, unknown
        self._low = int(numbers.min()) if len(numbers) else 0
        self._span = int(numbers.max()) - self._low if len(numbers) else -1
        self._order = np.argsort(numbers, kind="stable").astype(np.int32)
        self._sorted = numbers[self._order]
        self._table: NDArray[np.int32] | None = None
        if len(numbers) and self._span < _SPARSE * len(numbers) + 1024:
            self._table = np.full(self._span + 2, unknown, dtype=np.int32)
            rows = np.arange(first, first + len(numbers), dtype=np.int32)
            self._table[self._offsets(numbers)] = rows

    def rows(self, asked: NDArray[Any]) -> NDArray[np.int32]:
        """The rows of numbers, int32 ``(asked,)``.

        Args:
            asked: int64 or uint64 ``(asked,)``.
        """
        if not len(self._numbers):
            return np.full(len(asked), self._unknown, dtype=np.int32)
        if self._table is not None:
            found: NDArray[np.int32] = self._table[self._offsets(asked)]
            return found
        outside = None
        if asked.dtype != self._numbers.dtype:
            # What the other type cannot hold is none of these numbers.
            outside = asked.astype(np.uint64) >= _HIGH
            asked = asked.astype(self._numbers.dtype)
        rows = self._hashed(asked) if len(asked) * _FEW > len(self._numbers) else self._found(asked)
        if outside is not None:
            rows[outside] = self._unknown
        return rows

    def _offsets(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Places in the table; behind its last number for one that is not in its range."""
        # In arithmetic modulo 2 ** 64 any number below the lowest is far above the highest.
        low = np.uint64(self._low % (1 << 64))
        offsets = numbers.astype(np.uint64) - low
        inside = offsets <= np.uint64(self._span)
        if self._numbers.dtype != numbers.dtype:
            # The same 64 bits are another number there.
            inside &= numbers.astype(np.uint64) < _HIGH
        return np.where(inside, offsets, np.uint64(self._span + 1)).astype(np.intp)

    def _hashed(self, asked: NDArray[Any]) -> NDArray[np.int32]:
        found = pc.index_in(pa.array(asked), pa.array(self._numbers))
        places = found.fill_null(self._unknown - self._first).to_numpy()
        rows: NDArray[np.int32] = places.astype(np.int32) + np.int32(self._first)
        return rows

    def _found(self, asked: NDArray[Any]) -> NDArray[np.int32]:
        places = np.searchsorted(self._sorted, asked)
        places[places == len(self._sorted)] = 0
        is_there = self._sorted[places] == asked
        rows = self._order[places] + np.int32(self._first)
        return np.where(is_there, rows, np.int32(self._unknown))
