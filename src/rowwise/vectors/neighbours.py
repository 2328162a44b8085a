"""The best rows of a table for some queries: exact, in one pass, in blocks that stay in cache."""

from collections.abc import Iterable
from concurrent.futures import Executor
from threading import Lock

import numpy as np

from rowwise.vectors import scan
from rowwise.vectors.norms import DoubleArray, Norms, RowArray
from rowwise.vectors.objectives import Objective
from rowwise.vectors.scan import Positions, Scan

# A block has so many rows at most; more gain nothing where there are few queries.
BLOCK_ROWS = 1 << 16
# Products of two numbers, some milliseconds: for less it is not worth while to wake a thread.
PART_PRODUCTS = 1 << 25
# Where several threads take blocks, there are about so many for each.
TURNS = 4


def best_rows(
    rows: RowArray,
    norms: Norms,
    objective: Objective,
    count: int,
    excluded: tuple[Positions, Positions] | None = None,
    helpers: tuple[Executor, int] | None = None,
) -> tuple[Positions, DoubleArray]:
    """The ``count`` rows with the highest scores for each query, best first.

    Rows are scored in float32, a block at a time. Those whose score comes so near to the
    ``count`` best ones found that rounding could have decided are scored again in float64. So the
    result is exact, and the same whatever the blocks, the other queries and the number of threads.
    Nothing of the size of the table is ever made. Equal scores come in the order of the rows.

    Args:
        rows: (n, d) float16, float32 or float64; may be mapped from a file.
        norms: of these rows.
        objective: how rows are scored, for m queries.
        count: how many rows to return.
        excluded: query numbers (e,) and positions of rows (e,) that are not to be returned there.
        helpers: threads that take parts of the rows, and how many they are; worth while where
            the products themselves use one thread.

    Returns:
        positions (m, k) and scores (m, k) float64; k is ``count`` or less if there are fewer
        rows. A query that has fewer than k rows left has position -1 and score -inf at its end.
    """
    count = min(count, len(rows))
    out = _in_order(excluded)
    threads = _threads(len(rows) * rows.shape[1] * objective.queries, helpers)
    step = _step(len(rows), objective.queries, threads)
    scans = [Scan(rows, norms, objective, count, step, out) for _ in range(threads)]
    if count:
        # Each thread takes the next block when it is done with one: on a busy machine one of them
        # may get a core for half of the time only.
        starts = _Shared(range(0, len(rows), step))
        futures = []
        if helpers is not None:
            futures = [helpers[0].submit(each.look_at, starts) for each in scans[1:]]
        scans[0].look_at(starts)
        for future, other in zip(futures, scans[1:], strict=True):
            if not future.cancel():  # one that has not begun finds nothing left
                future.result()
                scans[0].join(other)
        scans[0].settle()
    return scans[0].positions, scans[0].scores


def _in_order(excluded: tuple[Positions, Positions] | None) -> tuple[Positions, Positions]:
    if excluded is None:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    order = np.argsort(excluded[1], kind="stable")
    return excluded[0][order], excluded[1][order]


class _Shared:
    """Numbers that several threads take, each number once."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers, self._lock = iter(numbers), Lock()

    def __iter__(self) -> "_Shared":
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._numbers)


def _threads(products: int, helpers: tuple[Executor, int] | None) -> int:
    """How many threads it is worth while to wake, this one included."""
    most = 1 if helpers is None else 1 + helpers[1]
    return max(1, min(most, products // PART_PRODUCTS))


def _step(rows: int, queries: int, threads: int) -> int:
    """Rows of a block, so that blocks are of about the same size."""
    most = min(BLOCK_ROWS, max(1, scan.BLOCK_SCORES // max(queries, 1)))
    blocks = max(1, -(-rows // most), TURNS * threads if threads > 1 else 1)
    # A whole number of groups.
    return max(scan.GROUP, -(-rows // (blocks * scan.GROUP)) * scan.GROUP)
