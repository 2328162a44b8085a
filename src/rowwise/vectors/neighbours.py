"""The best rows of a table for some queries: exact, in one pass, in blocks that stay in cache."""

import threading

import numpy as np
import numpy.typing as npt

from rowwise.vectors.norms import DoubleArray, FloatArray, Norms, RowArray, unit
from rowwise.vectors.objectives import Objective

Positions = npt.NDArray[np.intp]

# Scores of a block: 8 MiB, which stay in cache between the product and the search for the best.
# Smaller ones are no faster, and slower where other programs run: the threads of every product
# wait for each other.
BLOCK_SCORES = 1 << 21
# A block has so many rows at most; more gain nothing where there are few queries.
BLOCK_ROWS = 1 << 16
# Of so many scores only the highest is compared with what has been found already.
GROUP = 64
# Numbers of the rows that are scored exactly at once.
EXACT_NUMBERS = 1 << 20


def best_rows(
    rows: RowArray,
    norms: Norms,
    objective: Objective,
    count: int,
    excluded: tuple[Positions, Positions] | None = None,
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

    Returns:
        positions (m, k) and scores (m, k) float64; k is ``count`` or less if there are fewer
        rows. A query that has fewer than k rows left has position -1 and score -inf at its end.
    """
    count = min(count, len(rows))
    search = _Search(rows, norms, objective, count)
    search.leave_out(excluded)
    step = min(BLOCK_ROWS, max(1, BLOCK_SCORES // max(objective.queries, 1)))
    step = max(GROUP, step - step % GROUP)
    if count:
        for start in range(0, len(rows), step):
            search.look_at(start, min(start + step, len(rows)), step)
        search.settle()
    return search.positions, search.scores


# Memory that is new to a process is slow at first: each thread keeps that of its scores.
_kept = threading.local()


def _scratch(rows: int, columns: int) -> FloatArray:
    """Numbers (rows, columns) of any value, which the next call in this thread gives again."""
    size = rows * columns
    if size > BLOCK_SCORES:
        return np.empty((rows, columns), dtype=np.float32)
    if not hasattr(_kept, "scores") or len(_kept.scores) < size:
        _kept.scores = np.empty(size, dtype=np.float32)
    scores: FloatArray = _kept.scores[:size].reshape(rows, columns)
    return scores


class _Search:
    """The best rows so far, and what has to be beaten."""

    def __init__(self, rows: RowArray, norms: Norms, objective: Objective, count: int) -> None:
        self._rows, self._norms, self._objective, self._count = rows, norms, objective, count
        queries = objective.queries
        self.positions: Positions = np.full((queries, count), -1, dtype=np.intp)
        self.scores: DoubleArray = np.full((queries, count), -np.inf)
        self._floor: FloatArray = np.full(queries, -np.inf, dtype=np.float32)
        self._waiting: list[tuple[Positions, Positions]] = []
        self._buffer: FloatArray = np.empty((0, queries), dtype=np.float32)
        self._out: tuple[Positions, Positions] = (np.empty(0, np.intp), np.empty(0, np.intp))

    def leave_out(self, excluded: tuple[Positions, Positions] | None) -> None:
        """Keep pairs of a query and a row out of the results."""
        if excluded is not None:
            order = np.argsort(excluded[1], kind="stable")
            self._out = excluded[0][order], excluded[1][order]

    def look_at(self, start: int, stop: int, step: int) -> None:
        """Score the rows from ``start`` to ``stop`` and keep the best; ``step`` fills a block."""
        scores = self._scored(start, stop, step)
        # Rows that stand step / GROUP apart are a group: so maxima are taken along memory.
        apart = step // GROUP
        groups = scores.reshape(GROUP, apart, -1)
        tops = groups.max(axis=0)
        if start == 0 and self._count <= apart:
            self._begin(groups, tops)
        # "Not less" takes in NaN, where float32 could not tell.
        group, queries = np.nonzero(~(tops < self._floor) & (tops != -np.inf))
        members = groups[:, group, queries]
        member, hits = np.nonzero(~(members < self._floor[queries]) & (members != -np.inf))
        if len(hits):
            self._waiting.append((queries[hits], member * apart + group[hits] + start))
            if sum(len(found) for found, _ in self._waiting) > self.positions.size:
                self.settle()

    def settle(self) -> None:
        """Score the rows that wait exactly, and keep the best of each query."""
        if not self._waiting:
            return
        queries, positions = map(np.concatenate, zip(*self._waiting, strict=True))
        self._waiting.clear()
        exact = np.empty(len(queries))
        step = max(1, EXACT_NUMBERS // max(self._rows.shape[1], 1))
        for first in range(0, len(queries), step):
            part = slice(first, first + step)
            exact[part] = self._objective.exact(queries[part], unit(self._rows[positions[part]]))
        touched = np.unique(queries)
        queries = np.concatenate([np.repeat(touched, self._count), queries])
        positions = np.concatenate([self.positions[touched].ravel(), positions])
        exact = np.concatenate([self.scores[touched].ravel(), exact])
        order = np.lexsort((positions, -exact, queries))
        ordered = queries[order]
        rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        best = rank < self._count
        self.positions[ordered[best], rank[best]] = positions[order[best]]
        self.scores[ordered[best], rank[best]] = exact[order[best]]
        self._floor[:] = self.scores[:, -1] - self._objective.slack

    def _scored(self, start: int, stop: int, step: int) -> FloatArray:
        """Scores (step, queries) of a block; -inf behind its end and where a row is left out."""
        if len(self._buffer) != step:
            self._buffer = _scratch(step, self._objective.queries)
        scores, size = self._buffer, stop - start
        ready = self._norms.unit_rows
        block = (self._rows if ready is None else ready)[start:stop].astype(np.float32, copy=False)
        inverse = self._norms.inverse[start:stop] if ready is None else None
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            self._objective.score(block, inverse, scores[:size])
        scores[size:] = -np.inf
        first, last = np.searchsorted(self._norms.bad, (start, stop))
        scores[self._norms.bad[first:last] - start] = -np.inf
        first, last = np.searchsorted(self._out[1], (start, stop))
        scores[self._out[1][first:last] - start, self._out[0][first:last]] = -np.inf
        return scores

    def _begin(self, groups: FloatArray, tops: FloatArray) -> None:
        """Take the best rows of the best groups of the first block, for something to beat."""
        apart, queries = tops.shape
        best = np.argpartition(tops, apart - self._count, axis=0)[apart - self._count :]
        number = np.broadcast_to(np.arange(queries), best.shape)
        member = groups[:, best, number].argmax(axis=0)
        real = groups[member, best, number] != -np.inf
        groups[member, best, number] = -np.inf  # else they would be found again
        self._waiting.append((number[real], (member * apart + best)[real]))
        self.settle()
