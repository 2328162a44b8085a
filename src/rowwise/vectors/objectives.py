"""What makes a row near: the cosine with one direction, or a product of several cosines.

Each objective can say two things of a row: slowly, in float64, the exact score; and quickly, in
float32, a score that the exact one does not exceed by more than ``slack``, and that itself exceeds
the exact one by ``excess`` at most.
"""

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rowwise.vectors.norms import DoubleArray, FloatArray

_ROUNDING = float(np.finfo(np.float32).eps) / 2

# Keeps a row that is opposite to a negative word from an infinite score, as in gensim and in the
# authors' own program.
EPSILON = 1e-6

# A product with one direction is bound by memory: one thread is enough, which waits for no other,
# and rows that several directions are compared with stay in the nearest cache.
FEW_ROWS = 2048


class Objective(Protocol):
    """How rows are scored for ``queries`` queries at once."""

    queries: int
    slack: float
    excess: float

    def score(self, rows: FloatArray, inverse: FloatArray | None, out: FloatArray) -> None:
        """Write the scores of b rows (b, d) into ``out`` (b, queries); NaN: it cannot tell.

        ``inverse`` (b,) is as in ``Norms``; None for rows of length 1.
        """

    def exact(self, queries: npt.NDArray[np.intp], rows: DoubleArray) -> DoubleArray:
        """The scores (h,) of pairs of a query's number (h,) and a row of length 1 (h, d)."""


def cosine_error(columns: int) -> float:
    """By how much a cosine in float32 may be wrong, whatever the order of its additions.

    A sum of d products of numbers of two rows of length 1 is wrong by at most d roundings, and so
    is a row's length; a few more are for converting and dividing.
    """
    return (2 * columns + 32) * _ROUNDING


class Cosine:
    """The cosine with one direction for each query.

    A direction may be a sum of words' directions: with a minus for the words that are taken away,
    that is 3CosAdd (Levy and Goldberg 2014, equation 1) divided by the direction's length.

    Args:
        directions: (queries, d) float64, each of length 1 or 0.
    """

    def __init__(self, directions: DoubleArray) -> None:
        self.queries = len(directions)
        self.slack = self.excess = cosine_error(directions.shape[1])
        self._exact = directions
        self._quick = directions.astype(np.float32)

    def score(self, rows: FloatArray, inverse: FloatArray | None, out: FloatArray) -> None:
        """See ``Objective.score``."""
        if rows.flags.f_contiguous or rows.strides[0] < rows.strides[1]:
            # Of a table that is kept by columns: quicker for any number of queries.
            np.matmul(self._quick, rows.T, out=out.T)
        elif self.queries == 1:
            np.einsum("ij,j->i", rows, self._quick[0], out=out[:, 0])
        else:
            np.matmul(rows, self._quick.T, out=out)
        if inverse is not None:
            out *= inverse[:, np.newaxis]

    def exact(self, queries: npt.NDArray[np.intp], rows: DoubleArray) -> DoubleArray:
        """See ``Objective.exact``."""
        cosines: DoubleArray = np.einsum("ij,ij->i", rows, self._exact[queries])
        return np.clip(cosines, -1, 1)


class MultipliedCosines:
    """3CosMul for one query: a product of cosines over another one.

    Cosines are shifted to (1 + cosine) / 2, which is not negative (Levy and Goldberg 2014,
    "Linguistic Regularities in Sparse and Explicit Word Representations", equation 4, note 7).

    Args:
        positive: (p, d) float64, directions of length 1 that a row should be near to.
        negative: (q, d) float64, those that it should be far from.
    """

    queries = 1
    slack = 0.0
    excess = math.inf  # a product near zero, divided by another one, may be far too large

    def __init__(self, positive: DoubleArray, negative: DoubleArray) -> None:
        self._positive, self._negative = positive, negative
        self._quick = np.concatenate([positive, negative]).astype(np.float32)
        self._error = cosine_error(positive.shape[1])

    def score(self, rows: FloatArray, inverse: FloatArray | None, out: FloatArray) -> None:
        """See ``Objective.score``: with every cosine as favourable as its error allows."""
        for start in range(0, len(rows), FEW_ROWS):
            part = slice(start, start + FEW_ROWS)
            self._score(rows[part], None if inverse is None else inverse[part], out[part, 0])

    def _score(self, rows: FloatArray, inverse: FloatArray | None, out: FloatArray) -> None:
        near, far = np.full(len(rows), 1, np.float32), np.full(len(rows), 1, np.float32)
        error = np.float32(self._error)
        for number, direction in enumerate(self._quick):
            shifted = np.einsum("ij,j->i", rows, direction)
            if inverse is not None:
                shifted *= inverse
            shifted += 1
            is_near = number < len(self._positive)
            shifted += error if is_near else -error
            shifted /= 2
            product = near if is_near else far
            product *= np.maximum(shifted, 0, out=shifted)
        far += np.float32(EPSILON)
        np.divide(near, far, out=out)
        out *= np.float32(1 + 1e-5)  # each of these operations rounds once more

    def exact(self, queries: npt.NDArray[np.intp], rows: DoubleArray) -> DoubleArray:
        """See ``Objective.exact``."""
        del queries  # there is one
        near = ((1 + rows @ self._positive.T) / 2).prod(axis=1)
        far = ((1 + rows @ self._negative.T) / 2).prod(axis=1)
        scores: DoubleArray = near / (far + EPSILON)
        return scores
