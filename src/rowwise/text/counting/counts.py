"""How often words occur, as a value whose parts can be merged in any order."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import require_strings, require_unicode
from rowwise.text.choosing import most_frequent, require_sizes
from rowwise.text.splitting import Splitter
from rowwise.text.vocabulary import Vocabulary
from rowwise.text.words import Words


@dataclass(frozen=True, eq=False, repr=False)
class WordCounts:
    """The distinct words of texts: how often each occurs, and where it was first seen.

    Parts of the same files can be counted anywhere and merged with ``+`` or ``merge``, in any
    order and grouping. The result is that of one pass over all files in their order: of equally
    frequent words the first seen comes first, so every word carries where that was. Parts must
    not overlap; a text in two of them counts twice.

    Words are kept in the order in which they were first seen, in arrays: about 40 bytes and the
    UTF-8 of the word for each. Pickles are as small.

    Attributes:
        strings: the words, Arrow ``large_string`` ``(words,)``.
        counts: how often each occurs, int64 ``(words,)``.
        text_counts: in how many texts each occurs, int64 ``(words,)``.
        files: the number of the file in which each was first seen, int32 ``(words,)``.
        places: where the text in which each was first seen stands in this file, int64
            ``(words,)``: at which byte its line begins (of what is unpacked, for gzip), in CSV at
            which line, and in Parquet in which row, from 0.
        positions: which word of this text it was, from 0, int32 ``(words,)``.
        texts: how many texts were counted.
    """

    strings: Any
    counts: NDArray[np.int64]
    text_counts: NDArray[np.int64]
    files: NDArray[np.int32]
    places: NDArray[np.int64]
    positions: NDArray[np.int32]
    texts: int

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        splitter: Splitter | None = None,
        *,
        file: int = 0,
        first: int = 0,
    ) -> "WordCounts":
        """Count the words of texts in memory.

        Args:
            texts: strings.
            splitter: how to cut them into words; as Keras's ``Tokenizer`` by default.
            file: the number of the file, or other source, that they are from.
            first: the place of the first in it. Parts that are merged differ in one of the two.

        Raises:
            InvalidTextError: ``texts`` is one string, or an item is not a string.
        """
        words = (splitter or Splitter()).split_all(texts)
        return cls.of_words(words, file, np.arange(first, first + len(words), dtype=np.int64))

    @classmethod
    def of_words(cls, words: Words, file: int, places: NDArray[np.int64]) -> "WordCounts":
        """Count texts that are cut into words already.

        Args:
            words: the words of the texts.
            file: the number of their file.
            places: int64 ``(texts,)``, where each text stands in it; they grow.

        Raises:
            InvalidTextError: a word is not a string, as a user's ``analyzer`` may return, or
                holds a lone surrogate.
        """
        require_strings(words.unique, "the words of a text")
        try:
            strings = pa.array(words.unique, type=pa.large_string())
        except UnicodeEncodeError:
            for position, word in enumerate(words.unique):
                require_unicode(word, position)
            raise
        firsts = _first_occurrences(words.codes)
        texts = np.searchsorted(words.offsets, firsts, side="right") - 1
        return cls(
            strings,
            words.counts(),
            words.text_counts(),
            np.full(len(strings), file, dtype=np.int32),
            places[texts],
            (firsts - words.offsets[texts]).astype(np.int32),
            len(words),
        )

    @property
    def words(self) -> list[str]:
        """The distinct words, in the order in which they were first seen."""
        words: list[str] = self.strings.to_numpy(zero_copy_only=False).tolist()
        return words

    def __len__(self) -> int:
        """Return the number of distinct words."""
        return len(self.counts)

    def merge(self, *others: "WordCounts") -> "WordCounts":
        """Add the counts of other texts; faster for many at once than one by one."""
        return merged([self, *others])

    def __add__(self, other: object) -> "WordCounts":
        if not isinstance(other, WordCounts):
            return NotImplemented
        return merged([self, other])

    def to_vocabulary(self, max_size: int | None = None, min_count: int = 1) -> Vocabulary:
        """Return what ``Vocabulary.build`` returns for the texts that were counted.

        Args:
            max_size: the largest ``len(vocabulary)``, the two reserved ids included.
            min_count: leave out words that occur less often.

        Raises:
            InvalidArgumentError: ``max_size`` is less than 2 or ``min_count`` negative.
        """
        require_sizes(max_size, min_count)
        place = pc.index(self.strings, pa.scalar(Vocabulary.unknown, self.strings.type)).as_py()
        unknown = None if place < 0 else place
        chosen = most_frequent(self.counts, max_size, min_count, unknown)
        words = self.strings.take(pa.array(chosen)).to_pylist()
        return Vocabulary(words, self.counts[chosen].tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WordCounts):
            return NotImplemented
        return (
            self.texts == other.texts
            and bool(self.strings.equals(other.strings))
            and np.array_equal(self.counts, other.counts)
            and np.array_equal(self.text_counts, other.text_counts)
            and all(map(np.array_equal, self._firsts(), other._firsts()))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"<WordCounts of {self.texts} texts: {len(self)} different words, "
            f"{int(self.counts.sum())} in all>"
        )

    def _firsts(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Where each word was first seen, the finest part first, as ``np.lexsort`` takes it."""
        return self.positions, self.places, self.files


def merged(parts: Iterable[WordCounts]) -> WordCounts:
    """Merge counts of parts that do not overlap; of none, they are empty.

    Raises:
        InvalidArgumentError: something among them is not a ``WordCounts``.
    """
    given = list(parts)
    for part in given:
        if not isinstance(part, WordCounts):
            raise InvalidArgumentError(f"Only WordCounts can be merged. Received: {part!r}")
    if len(given) == 1:
        return given[0]
    if not given:
        return WordCounts.from_texts([])
    strings = pa.concat_arrays([part.strings for part in given])
    counts, text_counts, files, places, positions = (
        np.concatenate([getattr(part, name) for part in given])
        for name in ("counts", "text_counts", "files", "places", "positions")
    )
    order = _order_of(positions, places, files, strings)
    if order is not None:
        strings = strings.take(pa.array(order))
        counts, text_counts = counts[order], text_counts[order]
        files, places, positions = files[order], places[order], positions[order]
    # Arrow numbers distinct values in the order of first appearance, which is now that of texts.
    encoded = strings.dictionary_encode()
    codes = encoded.indices.to_numpy()
    firsts = _first_occurrences(codes)
    return WordCounts(
        encoded.dictionary,
        _sums(codes, counts, len(firsts)),
        _sums(codes, text_counts, len(firsts)),
        files[firsts],
        places[firsts],
        positions[firsts],
        sum(part.texts for part in given),
    )


class Merger:
    """Merges counts as they come.

    Merging goes through all words of both sides. So small ones are kept until there are as many
    words in them as in the large one, and each word is gone through a few times only.
    """

    def __init__(self) -> None:
        self._total: list[WordCounts] = []
        self._waiting: list[WordCounts] = []
        self._words_waiting = 0

    def add(self, part: WordCounts) -> None:
        """Add the counts of one part."""
        self._waiting.append(part)
        self._words_waiting += len(part)
        if self._words_waiting >= max(_FEW_WORDS, *map(len, self._total), 0):
            self.result()

    def result(self) -> WordCounts:
        """Return the counts of all parts so far."""
        self._total = [merged([*self._total, *self._waiting])]
        self._waiting.clear()
        self._words_waiting = 0
        return self._total[0]


_FEW_WORDS = 1 << 18


def _first_occurrences(codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return where each code stands first; codes are numbered in the order of appearance."""
    highest = np.maximum.accumulate(codes)
    is_new = np.ones(len(codes), dtype=np.bool_)
    np.not_equal(highest[1:], highest[:-1], out=is_new[1:])
    return np.flatnonzero(is_new)


def _sums(codes: NDArray[np.int32], values: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    totals = np.zeros(size, dtype=np.int64)
    np.add.at(totals, codes, values)
    return totals


def _order_of(
    positions: NDArray[np.int32], places: NDArray[np.int64], files: NDArray[np.int32], strings: Any
) -> NDArray[np.intp] | None:
    """Return the order by where words were first seen; None if they stand in it."""
    later = positions[1:] > positions[:-1]
    for key in (places, files):
        later = (key[1:] > key[:-1]) | ((key[1:] == key[:-1]) & later)
    if later.all():  # parts of one file, one after the other
        return None
    order = np.lexsort((positions, places, files))
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in (positions, places, files):
        sorted_key = key[order]
        same &= sorted_key[1:] == sorted_key[:-1]
    if same.any():
        # Parts that claim the same place: the words decide, so that order never depends on that
        # of merging.
        ranks = np.empty(len(order), dtype=np.intp)
        ranks[pc.sort_indices(strings).to_numpy()] = np.arange(len(order))
        order = np.lexsort((ranks, positions, places, files))
    return order
