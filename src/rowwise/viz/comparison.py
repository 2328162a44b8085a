"""What training did to a table: its words before and after."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text.wording import counted
from rowwise.vectors import Vectors

Numbers = npt.NDArray[np.float64]

# Rows that are compared at once: in 64 bits they stay in cache.
_BLOCK = 1024


@dataclass(frozen=True)
class Moved:
    """How far a word went, and past whom."""

    word: str
    distance: float
    """Between its rows before and after; Euclidean."""
    cosine: float
    """Of its rows before and after; 0 where one of them is zero."""
    gained: tuple[str, ...]
    """Nearest words after that were not among the nearest before, nearest first."""
    lost: tuple[str, ...]
    """Nearest words before that are not among the nearest after, nearest first."""


class Comparison:
    """The words of two tables; see :func:`compare`.

    Attributes:
        words: those of both tables, in the order of the later one.
        distances: between a word's rows before and after, Euclidean; float64 (n,).
        cosines: of a word's rows before and after, 0 where one of them is zero; float64 (n,).
        norms_before: float64 (n,).
        norms_after: float64 (n,).
        added: words of the later table alone.
        dropped: words of the earlier table alone.
    """

    def __init__(self, before: Vectors, after: Vectors) -> None:
        self._before, self._after = before, after
        self.words = tuple(word for word in after.words if word in before)
        self.added = tuple(word for word in after.words if word not in before)
        self.dropped = tuple(word for word in before.words if word not in after)
        if not self.words:
            raise InvalidArgumentError("The two tables have no word in common to be compared.")
        places = [np.array([one.index(word) for word in self.words]) for one in (before, after)]
        measured = [
            _measured(before.rows[first], after.rows[second])
            for first, second in zip(*(_blocks(place) for place in places), strict=True)
        ]
        columns = [np.concatenate(column) for column in zip(*measured, strict=True)]
        self.distances, self.cosines, self.norms_before, self.norms_after = columns

    @cached_property
    def unmoved(self) -> tuple[str, ...]:
        """Words whose rows are the same: never looked up, or frozen."""
        return tuple(self.words[place] for place in np.flatnonzero(self.distances == 0))

    def most_moved(self, count: int = 20, topn: int = 10) -> list[Moved]:
        """The words that went farthest, and what became of their neighbours.

        Rows that are not finite, before or after, are left out.

        Args:
            count: how many words at most; words that did not move are left out.
            topn: how many nearest words are looked at, before and after.

        Raises:
            InvalidArgumentError: one of them is less than 1.
        """
        for name, value in (("count", count), ("topn", topn)):
            if value < 1:
                raise InvalidArgumentError(f"`{name}` must be 1 or more. Received: {value!r}.")
        ranked = np.argsort(-np.nan_to_num(self.distances, posinf=0), kind="stable")[:count]
        places = [place for place in ranked if 0 < self.distances[place] < np.inf]
        words = [self.words[place] for place in places]
        if not words:
            return []
        before, after = (_nearest(vectors, words, topn) for vectors in (self._before, self._after))
        return [
            Moved(
                word,
                float(self.distances[place]),
                float(self.cosines[place]),
                tuple(near for near in later if near not in earlier),
                tuple(near for near in earlier if near not in later),
            )
            for word, place, earlier, later in zip(words, places, before, after, strict=True)
        ]

    def __str__(self) -> str:
        """A table of the ten words that went farthest."""
        lines = [
            f"{counted(len(self.words), 'word')} in both tables; {len(self.unmoved):,} did not "
            f"move, {len(self.added):,} are new, {len(self.dropped):,} are gone."
        ]
        odd = int((~np.isfinite(self.distances)).sum())
        if odd:
            lines.append(f"{counted(odd, 'word')} with rows that are not finite, before or after.")
        moved = self.most_moved(10)
        if moved:
            width = max(len("word"), *(len(one.word) for one in moved))
            lines.append(f"{'word':{width}}  distance  cosine  nearest words gained")
            lines += [
                f"{one.word:{width}}  {one.distance:8.3f}  {one.cosine:6.2f}  "
                f"{', '.join(one.gained[:5])}"
                for one in moved
            ]
        return "\n".join(lines)


def compare(before: Vectors, after: Vectors) -> Comparison:
    """Compare a table with what training made of it, word by word.

    ``Vectors.from_layer(layer)`` is such a table: take one before ``fit`` and one after.

    Args:
        before: words and rows.
        after: words and rows, as many columns. Words may have been added, dropped and reordered.

    Raises:
        InvalidShapeError: another number of columns.
        InvalidArgumentError: not Vectors, or no word in common.
    """
    for name, given in (("before", before), ("after", after)):
        if not isinstance(given, Vectors):
            raise InvalidArgumentError(
                f"`{name}` must be Vectors, as Vectors.from_layer(layer) and Vectors.load(path) "
                f"give them. Received: {type(given).__name__}."
            )
    if before.dimension != after.dimension:
        raise InvalidShapeError(
            "Both tables must have the same number of columns. Received: "
            f"{before.dimension} before and {after.dimension} after."
        )
    return Comparison(before, after)


def _blocks(places: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    return [places[start : start + _BLOCK] for start in range(0, len(places), _BLOCK)]


def _measured(
    before: npt.NDArray[np.floating], after: npt.NDArray[np.floating]
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Distances, cosines, and norms before and after, of rows (n, d): float64 (n,) each."""
    one, other = before.astype(np.float64), after.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        distances = np.linalg.norm(other - one, axis=1)
        norms = np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)
        product = norms[0] * norms[1]
        dots = np.einsum("nd,nd->n", one, other)
        cosines = np.divide(dots, product, out=np.zeros_like(dots), where=product != 0)
    return distances, cosines, *norms


def _nearest(vectors: Vectors, words: list[str], topn: int) -> list[list[str]]:
    """The nearest words of each word; of one whose row is zeros there are none."""
    with_direction = [word for word in words if vectors[word].any()]
    found = vectors.most_similar(with_direction, topn) if with_direction else []
    near = dict(zip(with_direction, found, strict=True))
    return [[name for name, _ in near.get(word, ())] for word in words]
