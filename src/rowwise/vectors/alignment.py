"""Rows for a vocabulary, out of vectors that hold other words in another order."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rowwise.text import Vocabulary
from rowwise.vectors.vectors import Vectors


class Alignment(NamedTuple):
    """A table for a vocabulary, and which of its rows came from the vectors."""

    rows: npt.NDArray[np.float32]
    """(len(vocabulary), d)."""
    covered: npt.NDArray[np.bool_]
    """(len(vocabulary),); never true for padding and unknown."""

    @property
    def coverage(self) -> float:
        """Share of the vocabulary's real words that have a row of their own; 1 when it has none."""
        return float(self.covered[2:].mean()) if len(self.covered) > 2 else 1.0


def align(vectors: Vectors, vocabulary: Vocabulary, seed: int = 0) -> Alignment:
    """A table (len(vocabulary), d) with the row of each word that ``vectors`` hold.

    A word is looked for as it is, then in lower case. Padding is zero; a word without a row, and
    unknown, gets random numbers with each column's own mean and standard deviation, from a
    generator of its own.

    Args:
        vectors: where rows are taken from.
        vocabulary: whose ids number the table's rows.
        seed: of the random rows.
    """
    positions = np.array(
        [
            vectors.index(word)
            if word in vectors
            else (vectors.index(word.lower()) if word.lower() in vectors else -1)
            for word in vocabulary.words
        ],
        dtype=np.intp,
    )
    positions[:2] = -1
    covered = positions >= 0
    generator = np.random.default_rng(seed)
    rows = np.empty((len(vocabulary), vectors.dimension), dtype=np.float32)
    missing = int((~covered).sum())
    noise = generator.standard_normal((missing, vectors.dimension), dtype=np.float32)
    if len(vectors):
        noise = vectors.rows.mean(axis=0) + noise * vectors.rows.std(axis=0)
    rows[~covered] = noise
    rows[covered] = vectors.rows[positions[covered]]
    rows[vocabulary.padding_id] = 0
    return Alignment(rows, covered)
