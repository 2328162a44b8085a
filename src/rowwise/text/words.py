"""The words of many texts as arrays: each distinct word once, and one code per word."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Words:
    """All words of a list of texts, dictionary-encoded.

    Attributes:
        unique: the distinct words, in the order in which they first appear.
        codes: int32 ``(words,)``; ``unique[codes[i]]`` is the i-th word of all texts in a row.
        offsets: int64 ``(texts + 1,)``; text ``t`` owns ``codes[offsets[t]:offsets[t + 1]]``.
    """

    unique: list[str]
    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def from_lists(cls, lists: Iterable[Iterable[str]]) -> "Words":
        """Encode texts that are lists of words already; a word may be any hashable value."""
        code_of: dict[Any, int] = {}
        codes: list[int] = []
        offsets = [0]
        for words in lists:
            codes.extend([code_of.setdefault(word, len(code_of)) for word in words])
            offsets.append(len(codes))
        return cls(
            list(code_of), np.array(codes, dtype=np.int32), np.array(offsets, dtype=np.int64)
        )

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of words of each text, int64 ``(texts,)``."""
        return np.diff(self.offsets)

    def counts(self) -> NDArray[np.int64]:
        """Return how often each distinct word occurs, int64 ``(len(unique),)``."""
        return np.bincount(self.codes, minlength=len(self.unique))

    def text_counts(self) -> NDArray[np.int64]:
        """Return in how many texts each distinct word occurs, int64 ``(len(unique),)``."""
        size = len(self.unique)
        totals = np.zeros(size, dtype=np.int64)
        for first, last in _blocks(self.offsets, 1 << 17):
            bounds = self.offsets[first : last + 1]
            # One number per (text, word); sorting brings the repeats of a word in a text together.
            # Small numbers sort faster.
            dtype: type[np.signedinteger[Any]] = (
                np.int32 if (last - first) * size < 1 << 31 else np.int64
            )
            texts = np.arange(last - first, dtype=dtype)
            firsts = np.repeat(texts * dtype(size), np.diff(bounds))
            pairs = firsts + self.codes[bounds[0] : bounds[-1]]
            pairs.sort()
            is_new = np.ones(len(pairs), dtype=bool)
            np.not_equal(pairs[1:], pairs[:-1], out=is_new[1:])
            # Sorting moved numbers within their texts only, so `firsts` still fits.
            totals += np.bincount((pairs - firsts)[is_new], minlength=size)
        return totals

    def without(self, is_left_out: NDArray[np.bool_]) -> "Words":
        """Leave out every occurrence of some of the distinct words; ``unique`` stays as it is.

        Args:
            is_left_out: bool ``(len(unique),)``.
        """
        if not is_left_out.any():
            return self
        kept = ~is_left_out[self.codes]
        kept_until = np.zeros(len(kept) + 1, dtype=np.int64)
        np.cumsum(kept, out=kept_until[1:])
        return Words(self.unique, self.codes[kept], kept_until[self.offsets])

    def to_lists(self, values: Sequence[Any] | None = None) -> list[list[Any]]:
        """Return each text as a list: of its words, or of ``values[code]`` for each word."""
        table = np.empty(len(self.unique), dtype=object)
        table[:] = self.unique if values is None else values
        lists: list[list[Any]] = []
        with _no_garbage_search():
            # Block by block, so that the flat copies stay small and their memory is used again.
            for first, last in _blocks(self.offsets, 1 << 14):
                bounds = self.offsets[first : last + 1]
                flat = table[self.codes[bounds[0] : bounds[-1]]].tolist()
                cuts = (bounds - bounds[0]).tolist()
                lists += [flat[start:end] for start, end in pairwise(cuts)]
        return lists


@contextmanager
def _no_garbage_search() -> Iterator[None]:
    """Let Python not look for reference cycles while very many lists are made.

    It would walk through all of them again and again, which takes as long as making them, and
    lists of words and numbers have no cycles.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _blocks(offsets: NDArray[np.int64], words: int) -> Iterator[tuple[int, int]]:
    """Cut texts into runs ``(first, last)`` of about that many words, each at least one text."""
    first, count = 0, len(offsets) - 1
    while first < count:
        last = int(np.searchsorted(offsets, offsets[first] + words, side="right")) - 1
        last = min(max(last, first + 1), count)
        yield first, last
        first = last
