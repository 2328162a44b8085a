"""Rows composed of the rows of n-grams, also for words that no table holds."""

from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rowwise.vectors.ngrams import HASHES, hashed_ngrams, ngrams_of
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.quantised import Matrix, QuantisedMatrix, take

FloatArray = npt.NDArray[np.float32]

# N-grams whose rows are gathered at once: some MB of rows.
_BLOCK_NUMBERS = 2**22
_BLOCK_CHARACTERS = 2**18
_END_OF_SENTENCE = b"</s>"


class Subwords(Protocol):
    """Makes a row for any word."""

    def vector(self, word: str) -> FloatArray | None:
        """The row (d,) of a word, from its n-grams alone; None when it has none."""
        ...


class BucketSubwords:
    """N-grams that are hashed to buckets, each of which has a row, as in fastText.

    Args:
        table: (m, d), the rows of buckets from row ``first`` on; plain or quantised.
        minn: fewest characters of an n-gram.
        maxn: most characters.
        buckets: how many an n-gram may be hashed to.
        index: where buckets were pruned, the row of each one that is left; None otherwise.
        first: the row of the first bucket.
        edges: whether ``<`` or ``>`` alone is an n-gram, as in finalfusion.
        hash: whose hash of an n-gram it is, a name in ``HASHES``.
    """

    def __init__(
        self,
        table: Matrix,
        *,
        minn: int,
        maxn: int,
        buckets: int,
        index: dict[int, int] | None = None,
        first: int = 0,
        edges: bool = False,
        hash: str = "fasttext",
    ) -> None:
        left = table.shape[0] - first
        rows = index.values() if index is not None else (0, buckets - 1)
        if buckets < 1 or left < 0 or any(not 0 <= row < left for row in rows):
            raise ValueError("there are fewer rows than buckets")
        if hash not in HASHES:
            raise ValueError(f"the hash {hash!r} is not known")
        self.table, self.first = table, first
        self.minn, self.maxn, self.buckets = minn, maxn, buckets
        self.index, self.edges, self.hash = index, edges, hash

    @property
    def fit_fasttext(self) -> bool:
        """Whether n-grams are cut and hashed as by fastText, and no bucket was pruned."""
        cut = self.minn > 1 or not self.edges
        return cut and self.hash == "fasttext" and self.index is None

    @property
    def fit_finalfusion(self) -> bool:
        """Whether n-grams are cut and hashed as by finalfusion, and no bucket was pruned."""
        cut = self.minn > 1 or (self.minn == 1 and self.edges)
        # Of buckets for its own hash, finalfusion counts the bits.
        counted = self.hash == "fasttext" or self.buckets.bit_count() == 1
        return cut and counted and self.index is None

    def rows_of(self, word: str) -> list[int]:
        """The rows of a word's n-grams in ``table``, as often as they occur."""
        encoded = word.encode("utf-8", "surrogatepass")
        if encoded == _END_OF_SENTENCE:
            return []
        hashed = HASHES[self.hash]
        found = [
            hashed(ngram) % self.buckets
            for ngram in ngrams_of(encoded, self.minn, self.maxn, self.edges)
        ]
        if self.index is not None:
            found = [self.index[bucket] for bucket in found if bucket in self.index]
        return [bucket + self.first for bucket in found]

    def vector(self, word: str) -> FloatArray | None:
        """The mean of the rows of a word's n-grams, float32 (d,); None when it has none."""
        rows = self.rows_of(word)
        if not rows:
            return None
        mean: FloatArray = take(self.table, np.array(rows)).mean(axis=0, dtype=np.float32)
        return mean

    def dense(self) -> FloatArray:
        """The rows of all buckets, or of those that are left, float32 (m, d); a view if it can."""
        if isinstance(self.table, QuantisedMatrix):
            return take(self.table, np.arange(self.first, self.table.shape[0]))
        rows: FloatArray = self.table[self.first :].astype(np.float32, copy=False)
        return rows

    @cached_property
    def _pruned(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        pairs = np.array(sorted((self.index or {}).items()), dtype=np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    def rows_of_all(
        self, words: list[bytes]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """For all n-grams of all words: the position of the word, and the row in ``table``.

        Of n-grams that are cut and hashed as by fastText only.
        """
        plain = [word if word != _END_OF_SENTENCE else b"" for word in words]
        word, hashes = hashed_ngrams(plain, self.minn, self.maxn)
        rows = hashes.astype(np.int64) % self.buckets
        good = np.array([each != _END_OF_SENTENCE for each in words], dtype=np.bool_)[word]
        if self.index is not None:
            left, places = self._pruned
            at = np.searchsorted(left, rows)
            at[at == len(left)] = 0
            good &= left[at] == rows if len(left) else False
            rows = places[at] if len(left) else rows
        return word[good], rows[good] + self.first


class ComposedRows:
    """The rows of n words, each the mean of its own row and those of its n-grams.

    They are composed when they are asked for, so that a big file opens by mapping alone.

    Args:
        table: (m, d), plain or quantised.
        own: (n,), each word's own row in ``table``.
        words: n words, their bytes as the n-grams have them.
        subwords: whose table ``table`` is, too.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        table: Matrix,
        own: npt.NDArray[np.intp],
        words: PackedWords,
        subwords: BucketSubwords,
    ) -> None:
        self.table, self.own, self.words, self.subwords = table, own, words, subwords
        self.shape = (len(own), table.shape[1])

    def __len__(self) -> int:
        return len(self.own)

    def row(self, position: int) -> FloatArray:
        """The row (d,) of the word at a position."""
        row: FloatArray = self._compose(np.array([position]))[0]
        return row

    def all(self) -> FloatArray:
        """All rows, float32 (n, d)."""
        rows = np.empty(self.shape, dtype=np.float32)
        # A word of 10 characters has some 30 n-grams of 3 to 6.
        step = max(1, _BLOCK_NUMBERS // (32 * self.shape[1]))
        starts, ends = self.words.starts, self.words.ends
        start = 0
        while start < len(rows):
            # Few words at a time, too, where they are long: they have many n-grams.
            short = int(np.searchsorted(ends, starts[start] + _BLOCK_CHARACTERS))
            stop = min(start + step, max(short, start + 1), len(rows))
            rows[start:stop] = self._compose(np.arange(start, stop))
            start = stop
        return rows

    def _compose(self, positions: npt.NDArray[np.intp]) -> FloatArray:
        sums = take(self.table, self.own[positions]).copy()
        word, rows = self.subwords.rows_of_all(self.words.take(positions).encoded())
        counts = 1 + np.bincount(word, minlength=len(positions))
        # As many n-grams at a time as the memory set aside for their rows holds.
        most = max(1, _BLOCK_NUMBERS // self.shape[1])
        for start in range(0, len(word), most):
            part = word[start : start + most]
            firsts = np.flatnonzero(np.diff(part, prepend=-1))
            gathered = take(self.table, rows[start : start + most])
            sums[part[firsts]] += np.add.reduceat(gathered, firsts, axis=0)
        sums /= counts[:, None].astype(np.float32)
        return sums


class ListedSubwords:
    """N-grams that are listed, each with its row, as in finalfusion's explicit vocabulary.

    Args:
        table: (m, d), plain or quantised.
        index: the row of each n-gram.
        minn: fewest characters of an n-gram.
        maxn: most characters.
    """

    def __init__(self, table: Matrix, index: dict[bytes, int], minn: int, maxn: int) -> None:
        if any(not 0 <= row < table.shape[0] for row in index.values()):
            raise ValueError("there are fewer rows than n-grams")
        self.table, self.index, self.minn, self.maxn = table, index, minn, maxn

    def vector(self, word: str) -> FloatArray | None:
        """The mean of the rows of a word's n-grams, float32 (d,); None when it has none."""
        encoded = word.encode("utf-8", "surrogatepass")
        found = [
            self.index[ngram]
            for ngram in ngrams_of(encoded, self.minn, self.maxn, edges=True)
            if ngram in self.index
        ]
        if not found:
            return None
        mean: FloatArray = take(self.table, np.array(found)).mean(axis=0, dtype=np.float32)
        return mean
