"""Rows small enough to travel in a page: turned to their principal directions and rounded."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

_LARGEST = 127


@dataclass(frozen=True)
class RoundedRows:
    """Rows of length 1 in 8 bits, for cosines that are right to about two digits."""

    numbers: npt.NDArray[np.int8]
    """(n, c)."""
    scales: npt.NDArray[np.float32]
    """(n,): a row is its numbers times this."""
    columns: int
    """Of the rows before."""
    share: float
    """How much of the rows' squared length the columns hold that were kept; 1 for all."""


def rounded(rows: npt.NDArray[np.float32], columns: int) -> RoundedRows:
    """Rows (n, d) of length 1 or 0, with at most ``columns`` columns.

    They are turned so that the first columns hold as much of them as any columns could; turning
    changes no cosine.
    """
    d = rows.shape[1]
    share = 1.0
    if columns < d:
        with threadpool_limits(limits=1):  # the same sums on any number of cores
            lengths, directions = np.linalg.eigh(rows.T.astype(np.float64) @ rows)  # ascending
        total = float(lengths.sum())
        kept = directions[:, ::-1][:, :columns]
        share = float(lengths[::-1][:columns].sum() / total) if total else 1.0
        with threadpool_limits(limits=1):
            rows = rows @ kept.astype(np.float32)
    largest = np.abs(rows).max(axis=1, initial=0.0)
    scales = (np.where(largest > 0, largest, 1) / _LARGEST).astype(np.float32)
    numbers = np.rint(rows / scales[:, None]).astype(np.int8)
    return RoundedRows(numbers, scales, d, share)
