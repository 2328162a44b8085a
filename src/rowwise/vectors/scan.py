"""One pass over some rows of a table, and what has to be beaten in it."""

import math
import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from rowwise.vectors.norms import DoubleArray, FloatArray, Norms, RowArray, unit
from rowwise.vectors.objectives import Objective

Positions = npt.NDArray[np.intp]

# Scores that one block has at most: 8 MiB, which stay in cache between the product and the search
# for the best. Smaller ones are no faster, and slower where other programs run: the threads of
# every product wait for each other.
BLOCK_SCORES = 1 << 21
# Of so many scores only the highest is compared with what has been found already; of fewer, where
# there would be fewer groups than a few times the rows that are wanted.
GROUP = 64
GROUPS_FOR_EACH = 2
# Numbers of the rows that are scored exactly at once.
EXACT_NUMBERS = 1 << 20
# So many times the rows that are wanted may wait before they are scored exactly.
PATIENCE = 4


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


class Scan:
    """The best of the rows that were looked at, for each of m queries.

    Args:
        rows: see ``neighbours.best_rows``.
        norms: of these rows.
        objective: how rows are scored.
        count: how many rows are wanted.
        step: how many rows a block has, a whole number of groups; the last one may have fewer.
        out: query numbers and ascending positions of rows that are not to be found there.

    Attributes:
        positions: (m, count), best first; -1 where there are fewer. Right after ``settle``.
        scores: (m, count) float64, their exact scores; -inf where there are fewer.
    """

    def __init__(
        self,
        rows: RowArray,
        norms: Norms,
        objective: Objective,
        count: int,
        step: int,
        out: tuple[Positions, Positions],
    ) -> None:
        self._rows, self._norms, self._objective, self._count = rows, norms, objective, count
        self._out = out
        queries = objective.queries
        self.positions: Positions = np.full((queries, count), -1, dtype=np.intp)
        self.scores: DoubleArray = np.full((queries, count), -np.inf)
        # A row needs a quick score of at least this, for each query.
        self._floor: FloatArray = np.full(queries, -np.inf, dtype=np.float32)
        # The highest quick scores of groups, of which each is of another row.
        self._tops: FloatArray = np.empty((0, queries), dtype=np.float32)
        self._waiting: list[tuple[Positions, Positions, FloatArray]] = []
        self._ready = norms.unit_rows
        # Scores lie in memory as the rows do: those of a row together, or those of a query.
        self._along_rows = self._ready is not None and self._ready.flags.f_contiguous
        self._group, self._step = _group_of(step, count), step
        self._buffer: FloatArray | None = None

    def look_at(self, starts: Iterable[int]) -> None:
        """Score the rows of blocks that begin there, and keep the best."""
        is_first = True
        for start in starts:
            self._look_at_block(start, min(start + self._step, len(self._rows)), is_first)
            is_first = False

    def join(self, other: "Scan") -> None:
        """Take over what another pass for the same queries found, in other rows."""
        self._raise_by_tops(other._tops)
        self._waiting += other._waiting
        queries, places = np.nonzero(other.positions >= 0)
        if len(queries):
            unknown = np.full(len(queries), np.inf, dtype=np.float32)
            self._waiting.append((queries, other.positions[queries, places], unknown))

    def settle(self) -> None:
        """Score the rows that wait exactly, and keep the best of each query."""
        if not self._waiting:
            return
        queries, positions, quick = map(np.concatenate, zip(*self._waiting, strict=True))
        self._waiting.clear()
        # The floor has risen since. "Not less" keeps NaN, where float32 could not tell.
        still = ~(quick < self._floor[queries])
        queries, positions = queries[still], positions[still]
        exact = np.empty(len(queries))
        step = max(1, EXACT_NUMBERS // max(self._rows.shape[1], 1))
        for first in range(0, len(queries), step):
            part = slice(first, first + step)
            exact[part] = self._objective.exact(queries[part], unit(self._rows[positions[part]]))
        known, places = np.nonzero(self.positions >= 0)
        queries = np.concatenate([known, queries])
        positions = np.concatenate([self.positions[known, places], positions])
        exact = np.concatenate([self.scores[known, places], exact])
        order = np.lexsort((positions, -exact, queries))
        ordered = queries[order]
        rank = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        best = rank < self._count
        self.positions[ordered[best], rank[best]] = positions[order[best]]
        self.scores[ordered[best], rank[best]] = exact[order[best]]
        lowest = (self.scores[:, -1] - self._objective.slack).astype(np.float32)
        np.maximum(self._floor, lowest, out=self._floor)

    def _look_at_block(self, start: int, stop: int, is_first: bool) -> None:
        scores = self._scored(start, stop)
        # Rows that stand step / group apart are a group: so maxima are taken along memory.
        apart = self._step // self._group
        if self._along_rows:
            groups = scores.T.reshape(-1, self._group, apart).transpose(1, 2, 0)
        else:
            groups = scores.reshape(self._group, apart, -1)
        tops = groups.max(axis=0)
        if self._objective.excess < math.inf:
            self._raise_by_tops(np.fmax(tops, np.float32(-np.inf)))
        elif is_first and self._count <= apart:
            self._begin(groups, tops, start)
        group, queries = np.nonzero(~(tops < self._floor) & (tops != -np.inf))
        members = groups[:, group, queries]
        member, hits = np.nonzero(~(members < self._floor[queries]) & (members != -np.inf))
        if len(hits):
            found = member * apart + group[hits] + start
            self._waiting.append((queries[hits], found, members[member, hits]))
            if sum(len(found) for found, *_ in self._waiting) > PATIENCE * self.positions.size:
                self.settle()

    def _scored(self, start: int, stop: int) -> FloatArray:
        """Scores (step, queries) of a block; -inf behind its end and where a row is left out."""
        if self._buffer is None:
            shape = self._step, self._objective.queries
            self._buffer = _scratch(*shape[::-1]).T if self._along_rows else _scratch(*shape)
        scores, size = self._buffer, stop - start
        ready = self._ready
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

    def _raise_by_tops(self, tops: FloatArray) -> None:
        """Raise the floor to what the ``count`` highest of all groups' quick scores say."""
        tops = np.concatenate([self._tops, tops])
        if len(tops) >= self._count:
            tops = np.partition(tops, len(tops) - self._count, axis=0)[-self._count :]
            error = self._objective.slack + self._objective.excess
            np.maximum(self._floor, (tops[0] - error).astype(np.float32), out=self._floor)
        self._tops = tops

    def _begin(self, groups: FloatArray, tops: FloatArray, start: int) -> None:
        """Take the best rows of the best groups of the first block, for something to beat."""
        apart, queries = tops.shape
        best = np.argpartition(tops, apart - self._count, axis=0)[apart - self._count :]
        number = np.broadcast_to(np.arange(queries), best.shape)
        member = groups[:, best, number].argmax(axis=0)
        quick = groups[member, best, number]
        real = quick != -np.inf
        groups[member, best, number] = -np.inf  # else they would be found again
        found = (member * apart + best)[real] + start
        self._waiting.append((number[real], found, quick[real]))
        self.settle()


def _group_of(step: int, count: int) -> int:
    """How many rows of a block of ``step`` are a group: so many that enough groups are left."""
    most = step // max(GROUPS_FOR_EACH * count, 1)
    return min(GROUP, 1 << (most.bit_length() - 1)) if most else 1
