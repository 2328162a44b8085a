"""Rows of whole numbers, millions at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A table with an entry for every number of a range may have so many times as many as are needed.
_SPARSE = 4
# Numbers that lie near one another get places far apart (the finaliser of SplitMix64; Steele, Lea
# and Flood 2014).
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
# From here on 64 bits are a negative number if they are signed.
_HIGH = np.uint64(1 << 63)
_FREE = -1


class NumberLookup:
    """Finds the rows of whole numbers of 64 bits.

    Numbers that lie close together have a table with an entry for each of their range, others a
    hash table: a number is in the first free place from that of its hash on.

    Args:
        numbers: int64 or uint64 ``(numbers,)``, all different.
        first: the row of the first.
        unknown: the row of any other number.
    """

    def __init__(self, numbers: NDArray[Any], first: int, unknown: int) -> None:
        self._signed, self._unknown = numbers.dtype == np.int64, unknown
        low = int(numbers.min()) if len(numbers) else 0
        self._low = np.uint64(low % (1 << 64))
        self._span = (int(numbers.max()) if len(numbers) else 0) - low
        rows = np.arange(first, first + len(numbers), dtype=np.int32)
        bits = numbers.astype(np.uint64)
        self._is_close = self._span < _SPARSE * len(numbers) + 1024
        if self._is_close:
            self._rows = np.full(self._span + 2, unknown, dtype=np.int32)
            self._rows[self._offsets(bits)] = rows
        else:
            # At least twice as many places as numbers: most are found at once.
            self._shift = np.uint64(64 - (2 * len(numbers)).bit_length())
            self._rows, self._bits = self._filled(bits, rows)

    def rows(self, asked: NDArray[Any]) -> NDArray[np.int32]:
        """The rows of numbers, int32 ``(asked,)``.

        Args:
            asked: int64 or uint64 ``(asked,)``.
        """
        bits = asked.astype(np.uint64)
        rows: NDArray[np.int32]
        rows = self._rows[self._offsets(bits)] if self._is_close else self._found(bits)
        if (asked.dtype == np.int64) != self._signed:
            # The same 64 bits are another number there.
            rows[bits >= _HIGH] = self._unknown
        return rows

    def _offsets(self, bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Places in the table of a range; the last one, of the unknown, for any outside of it."""
        # In arithmetic modulo 2 ** 64 what is below the lowest is far above the highest.
        offsets: NDArray[np.uint64] = np.minimum(bits - self._low, np.uint64(self._span + 1))
        return offsets

    def _places(self, bits: NDArray[np.uint64]) -> NDArray[np.intp]:
        """Where each number's hash leads."""
        mixed = bits
        for shift, factor in _MIX:
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        return (mixed >> self._shift).astype(np.intp)

    def _filled(
        self, bits: NDArray[np.uint64], rows: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
        size = 1 << (64 - int(self._shift))
        table = np.full(size, _FREE, dtype=np.int32)
        held = np.zeros(size, dtype=np.uint64)
        places = self._places(bits)
        while len(rows):
            free = table[places] == _FREE
            table[places[free]] = rows[free]
            # Of several at one place the last one is there now; the others go on.
            left = table[places] != rows
            held[places[~left]] = bits[~left]
            places, bits, rows = (places[left] + 1) & (size - 1), bits[left], rows[left]
        return table, held

    def _found(self, bits: NDArray[np.uint64]) -> NDArray[np.int32]:
        places = self._places(bits)
        rows = self._rows[places]
        is_other = (self._bits[places] != bits) & (rows != _FREE)
        rows[rows == _FREE] = self._unknown
        waiting = np.flatnonzero(is_other)
        places, bits = places[waiting], bits[waiting]
        while len(waiting):
            places = (places + 1) & (len(self._rows) - 1)
            there = self._rows[places]
            is_free = there == _FREE
            rows[waiting] = np.where(is_free, self._unknown, there)
            left = ~is_free & (self._bits[places] != bits)
            waiting, places, bits = waiting[left], places[left], bits[left]
        return rows
