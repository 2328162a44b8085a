"""N-grams of characters and the buckets that they hash to, as fastText has them.

A word is put between ``<`` and ``>``, and every run of ``minn`` to ``maxn`` characters is an
n-gram; single characters at either end are not. The hash is FNV-1a with 32 bits over the UTF-8
bytes, each of which is extended by its sign (P. Bojanowski et al.: Enriching Word Vectors with
Subword Information, 2017, and the source of fastText).
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_START = 2166136261
_PRIME = 16777619
_MASK = 0xFFFFFFFF
_LONGEST_CHARACTER = 4


class Ngrams(NamedTuple):
    """The n-grams of several words."""

    word: npt.NDArray[np.int64]
    """(k,), the position of the word that each n-gram is of; ascending."""
    hash: npt.NDArray[np.uint32]
    """(k,)."""


def hash_bytes(data: bytes) -> int:
    """fastText's hash of an n-gram."""
    value = _START
    for byte in data:
        # A byte from 128 on is a negative char, which becomes a huge unsigned number.
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * _PRIME) & _MASK
    return value


def hash_characters(ngram: bytes) -> int:
    """finalfusion's own hash of an n-gram: FNV-1a with 64 bits over its length and characters."""
    text = ngram.decode("utf-8", "replace")
    data = struct.pack("<Q", len(text)) + text.encode("utf-32-le", "surrogatepass")
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


HASHES: dict[str, Callable[[bytes], int]] = {
    "fasttext": hash_bytes,
    "finalfusion": hash_characters,
}
"""The hashes by the tool that has them."""


def ngrams_of(word: bytes, minn: int, maxn: int, edges: bool = False) -> Iterator[bytes]:
    """The n-grams of one word.

    Args:
        word: its bytes, without ``<`` and ``>``.
        minn: fewest characters.
        maxn: most characters.
        edges: whether a single ``<`` or ``>`` is one, too, as in finalfusion.
    """
    wrapped = b"<" + word + b">"
    starts = [at for at, byte in enumerate(wrapped) if byte & 0xC0 != 0x80]
    starts.append(len(wrapped))
    count = len(starts) - 1
    for first in range(count):
        for size in range(max(minn, 1), min(maxn, count - first) + 1):
            if edges or size > 1 or not (first == 0 or first + size == count):
                yield wrapped[starts[first] : starts[first + size]]


def hashed_ngrams(words: list[bytes], minn: int, maxn: int) -> Ngrams:
    """The hashes of the n-grams of all words at once, as ``ngrams_of`` and ``hash_bytes`` give."""
    minn = max(minn, 1)
    data = np.frombuffer(b"".join([b"<" + word + b">" for word in words]), dtype=np.uint8)
    starts = np.flatnonzero((data & 0xC0) != 0x80)
    lengths = np.diff(starts, append=len(data))
    if len(lengths) and int(lengths.max()) > _LONGEST_CHARACTER:
        return _one_by_one(words, minn, maxn)
    ends = np.cumsum([len(word) + 2 for word in words])
    # Of each character: its word, and how many characters of the word follow, itself included.
    word = np.searchsorted(ends, starts, side="right")
    stops = np.searchsorted(starts, ends)  # one past each word's last character
    left = stops[word] - np.arange(len(starts))
    begins = np.empty(len(starts), dtype=np.bool_)
    begins[1:] = word[1:] != word[:-1]
    begins[:1] = True
    extended = np.pad(data, (0, _LONGEST_CHARACTER)).view(np.int8).astype(np.int32).view(np.uint32)
    at = np.arange(len(starts))
    value = np.full(len(starts), _START, dtype=np.uint32)
    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]] = []
    for size in range(1, maxn + 1):
        longer = left[at] >= size
        at, value = at[longer], value[longer]
        if not len(at):
            break
        character = at + (size - 1)
        for byte in range(int(lengths[character].max())):
            within = lengths[character] > byte
            mixed = (value ^ extended[starts[character] + byte]) * np.uint32(_PRIME)
            value = np.where(within, mixed, value)
        if size >= minn:
            inner = ~(begins[at] | (left[at] == 1)) if size == 1 else slice(None)
            found.append((word[at[inner]], value[inner]))
    if not found:
        return Ngrams(np.empty(0, np.int64), np.empty(0, np.uint32))
    words_of = np.concatenate([each[0] for each in found])
    hashes = np.concatenate([each[1] for each in found])
    order = np.argsort(words_of, kind="stable")
    return Ngrams(words_of[order], hashes[order])


def _one_by_one(words: list[bytes], minn: int, maxn: int) -> Ngrams:
    """The same for words that are not UTF-8, whose characters may be of any length."""
    pairs = [
        (place, hash_bytes(ngram))
        for place, word in enumerate(words)
        for ngram in ngrams_of(word, minn, maxn)
    ]
    word = np.array([place for place, _ in pairs], dtype=np.int64)
    return Ngrams(word, np.array([value for _, value in pairs], dtype=np.uint32))
