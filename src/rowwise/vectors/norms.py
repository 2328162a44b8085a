"""Lengths of rows: what turns products with rows into cosines."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

RowArray = npt.NDArray[np.floating[Any]]
FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

# Numbers of a block of rows: 4 MiB as float32, which stays in cache while they are looked at.
BLOCK_NUMBERS = 1 << 20

# Squares of lengths outside of these come too near to where float32 ends.
_SMALLEST_SQUARE, _LARGEST_SQUARE = 1e-24, 1e24


def blocks(count: int, columns: int) -> Iterator[slice]:
    """Slices of ``count`` rows, each of at most ``BLOCK_NUMBERS`` numbers and at least one row."""
    step = max(1, BLOCK_NUMBERS // max(columns, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


class Norms:
    """The Euclidean lengths of a table's rows, measured once, block by block.

    Args:
        rows: (n, d) float16, float32 or float64; may be mapped from a file.

    Attributes:
        inverse: float32 (n,), 1 over the length of each row; 1 for a row of zeros, whose cosine
            with anything is 0. NaN where float32 does not do: for rows whose length is very
            large or very small, and for those in ``bad``.
        bad: the ascending positions of rows that hold NaN or infinity. They are near to nothing.
        unit_rows: float32 (n, d), what ``keep_unit_rows`` made, or None. In memory a column
            follows the other, which is what products with few queries are quickest with.
    """

    def __init__(self, rows: RowArray) -> None:
        squares = np.empty(len(rows), dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            for part in blocks(*rows.shape):
                block = rows[part].astype(np.float32, copy=False)
                np.einsum("ij,ij->i", block, block, out=squares[part])
        usual = (squares >= _SMALLEST_SQUARE) & (squares <= _LARGEST_SQUARE)
        self.inverse: FloatArray = np.full(len(rows), np.nan, dtype=np.float32)
        self.inverse[usual] = 1 / np.sqrt(squares[usual])
        unusual = np.flatnonzero(~usual)
        is_bad = np.zeros(len(unusual), dtype=np.bool_)
        for part in blocks(len(unusual), rows.shape[1]):
            places = unusual[part]
            block = rows[places]
            is_bad[part] = ~np.isfinite(block).all(axis=1)
            self.inverse[places[~block.any(axis=1)]] = 1
        self.bad: npt.NDArray[np.intp] = unusual[is_bad]
        self.unit_rows: FloatArray | None = None

    def keep_unit_rows(self, rows: RowArray) -> None:
        """Make the rows of length 1 once, for whoever asks often: a copy of the table in float32.

        Rows whose length float32 cannot tell become NaN, as their inverse is.
        """
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            columns = np.empty(rows.shape[::-1], dtype=np.float32)
            for part in blocks(*rows.shape):
                block = rows[part].astype(np.float32, copy=False)
                np.multiply(block.T, self.inverse[part], out=columns[:, part])
            self.unit_rows = columns.T


def unit(rows: RowArray) -> DoubleArray:
    """Rows (..., d) with length 1, as float64; rows of zeros stay zero.

    Each is divided by its largest number first, so that no square is too large or too small.
    """
    exact: DoubleArray = np.array(rows, dtype=np.float64)
    largest = np.abs(exact).max(axis=-1, keepdims=True, initial=0)
    with np.errstate(invalid="ignore"):  # a row with infinity becomes one with NaN
        exact /= np.where(largest > 0, largest, 1)
        lengths = np.sqrt(np.einsum("...j,...j->...", exact, exact))[..., np.newaxis]
        exact /= np.where(lengths > 0, lengths, 1)
    return exact
