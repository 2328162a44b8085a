"""What a user asks for, as directions: words, rows of numbers, or words added and taken away."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.vectors.norms import DoubleArray, unit

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

Positions = npt.NDArray[np.intp]

_ROUNDING = 4 * float(np.finfo(np.float64).eps)

# A word, a row of numbers (d,), or one of these with a weight.
Term = str | npt.ArrayLike | tuple[str | npt.ArrayLike, float]


class Query(NamedTuple):
    """Directions to look in, and the rows that are not to be found there."""

    directions: DoubleArray
    """(m, d), each of length 1, or 0 for a query of zeros."""
    excluded: tuple[Positions, Positions]
    """Numbers of queries (e,) and positions of rows (e,)."""
    is_one: bool
    """Whether there is one query, so that the answer is one list."""
    words: Sequence[str] | None = None
    """The word of each query, where they are words."""

    def check_directions(self) -> None:
        """Raise an InvalidArgumentError if one is zeros, which nothing is nearest to."""
        zeros = np.flatnonzero(~self.directions.any(axis=1))
        if not len(zeros):
            return
        if self.words is not None:
            raise InvalidArgumentError(no_direction(f"The row of {self.words[zeros[0]]!r} is"))
        raise InvalidArgumentError(
            no_direction("The query is" if self.is_one else f"Query {zeros[0]} is")
        )


def as_query(vectors: "Vectors", asked: Any) -> Query:
    """The query for a word, a list of words, a row (d,) or rows (m, d).

    Raises:
        UnknownWordError: a word has no row.
        InvalidShapeError: rows of another shape.
        InvalidArgumentError: a row holds NaN or infinity.
    """
    words = [asked] if isinstance(asked, str) else asked
    if _are_words(words):
        words = list(words)
        positions = np.array([vectors.index(word) for word in words], dtype=np.intp)
        directions = _finite(unit(vectors.rows[positions]), words)
        excluded = np.arange(len(positions)), positions
        return Query(directions, excluded, isinstance(asked, str), words)
    rows = _as_numbers(asked)
    if rows.ndim not in (1, 2) or rows.shape[-1] != vectors.dimension:
        raise InvalidShapeError(
            f"A query must be a word, a list of words, or have shape ({vectors.dimension},) or "
            f"(queries, {vectors.dimension}). Received shape {rows.shape}."
        )
    none = np.empty(0, dtype=np.intp)
    directions = _finite(unit(np.atleast_2d(rows)), None)
    return Query(directions, (none, none), rows.ndim == 1)


class Terms(NamedTuple):
    """Words and rows that are added (positive) and taken away (negative)."""

    positive: DoubleArray
    """(p, d), each of length 1 times the size of its weight."""
    negative: DoubleArray
    """(q, d)."""
    excluded: tuple[Positions, Positions]
    weighted: bool
    """Whether a weight is another than 1 and -1."""

    def as_query(self) -> Query:
        """3CosAdd: one query in the direction of the sum.

        Raises:
            InvalidArgumentError: the sum is zeros.
        """
        total = sum_of_units(self.positive, self.negative)
        self._check(total)
        return Query(unit(total[np.newaxis]), self.excluded, True)

    def check_directions(self) -> None:
        """Raise an InvalidArgumentError if all of them are zeros, which nothing is nearest to."""
        self._check(np.concatenate([self.positive, self.negative]))

    def _check(self, numbers: DoubleArray) -> None:
        if not numbers.any():
            is_one = len(self.positive) + len(self.negative) == 1
            what = "The query is" if is_one else "The words of the query add up to"
            raise InvalidArgumentError(no_direction(what))


def as_terms(vectors: "Vectors", positive: Any, negative: Any) -> Terms:
    """The terms for gensim's ``positive`` and ``negative``: one of, or a list of ``Term``.

    Raises:
        UnknownWordError: a word has no row.
        InvalidShapeError: a row that is not of shape (d,).
        InvalidArgumentError: there is no term, or one holds NaN or infinity.
    """
    added, taken = _as_list(positive), _as_list(negative)
    if not added and not taken:
        raise InvalidArgumentError("Give at least one word or row in `positive` or `negative`.")
    directions: list[DoubleArray] = []
    signs: list[float] = []
    used: list[int] = []
    weighted = False
    for sign, terms in ((1.0, added), (-1.0, taken)):
        for term in terms:
            weight = 1.0
            if isinstance(term, tuple) and len(term) == 2 and _is_number(term[1]):
                term, weight = term[0], float(term[1])
                if not math.isfinite(weight):
                    raise InvalidArgumentError(f"A weight must be finite. Received: {weight}.")
                weighted |= abs(weight) != 1
            query = as_query(vectors, term)
            if not query.is_one:
                raise InvalidShapeError(
                    f"A term must be a word or have shape ({vectors.dimension},). "
                    f"Received shape {query.directions.shape}."
                )
            directions.append(query.directions[0] * abs(weight))
            signs.append(sign * weight)
            used += query.excluded[1].tolist()
    stacked, is_added = np.stack(directions), np.array(signs) >= 0
    rows = np.unique(np.array(used, dtype=np.intp))
    excluded = np.zeros(len(rows), dtype=np.intp), rows
    return Terms(stacked[is_added], stacked[~is_added], excluded, weighted)


def sum_of_units(added: DoubleArray, taken: DoubleArray) -> DoubleArray:
    """The sum (d,) of rows (p, d) less that of rows (q, d); 0 where only rounding is left of it."""
    largest = max(np.abs(added).max(initial=0), np.abs(taken).max(initial=0)) or 1.0
    added, taken = added / largest, taken / largest  # so that no weight is too large
    total: DoubleArray = added.sum(axis=0) - taken.sum(axis=0)
    size = np.abs(added).sum() + np.abs(taken).sum()
    return np.zeros_like(total) if np.abs(total).max(initial=0) <= _ROUNDING * size else total


def no_direction(what: str) -> str:
    """The sentence for what has no neighbours, such as "The query is"."""
    return f"{what} all zeros, which has no direction: no row is nearer to it than another."


def check_method(method: str) -> None:
    """Raise an InvalidArgumentError unless ``method`` is "add" or "mul"."""
    if method not in ("add", "mul"):
        raise InvalidArgumentError(f"`method` must be 'add' or 'mul'. Received: {method!r}.")


def _are_words(asked: Any) -> bool:
    """Whether ``asked`` is a collection of strings: not numbers, and not empty."""
    if isinstance(asked, np.ndarray):
        return asked.ndim == 1 and asked.dtype.kind in "UOT" and _are_words(asked.tolist())
    if not isinstance(asked, Iterable) or not isinstance(asked, Sequence | set | frozenset):
        return False
    return len(asked) > 0 and all(isinstance(word, str) for word in asked)


def _as_numbers(asked: Any) -> DoubleArray:
    try:
        if np.iscomplexobj(asked):
            raise TypeError("complex numbers")
        return np.asarray(asked, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"A query must be a word, a list of words, or rows of numbers. Received: {asked!r}."
        ) from error


def _finite(directions: DoubleArray, words: Sequence[str] | None) -> DoubleArray:
    bad = np.flatnonzero(~np.isfinite(directions).all(axis=1))
    if len(bad):
        raise InvalidArgumentError(
            "A query must not hold NaN or infinity."
            if words is None
            else f"The row of {words[bad[0]]!r} holds NaN or infinity and is near to nothing."
        )
    return directions


def _as_list(terms: Any) -> list[Any]:
    if terms is None:
        return []
    if isinstance(terms, str) or (isinstance(terms, np.ndarray) and terms.ndim == 1):
        return [terms]
    try:
        return list(terms)
    except TypeError as error:
        raise InvalidArgumentError(
            "`positive` and `negative` must be words or rows, or lists of them. "
            f"Received: {terms!r}."
        ) from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
