"""Giving every distinct word of a large text a number, without a Python object per word.

A word is a run of bytes in a UTF-8 buffer. Its first eight bytes, read as one unsigned number,
are its key: Arrow dictionary-encodes numbers about seven times as fast as strings. Unused bytes
of a key are 0xFF, which occurs nowhere in UTF-8, so equal keys mean equal words (NULs in words
included). The few longer words are dictionary-encoded as strings first; their key is 0xFF in
the first byte and their number in the others, so that one dictionary holds all words in the
order in which they first appear.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

KEY_BYTES = 8
# A buffer must go on for this many bytes after its last word, because a key reads eight bytes.
TAIL = b"\xff" * KEY_BYTES
_UNUSED = 0xFF
# The bits to set in the key of a word of n bytes.
_UNUSED_BITS = ~np.array([(1 << (8 * n)) - 1 for n in range(KEY_BYTES + 1)], dtype=np.uint64)


class Interner:
    """Collects words as spans of byte buffers and numbers the distinct ones."""

    def __init__(self) -> None:
        # One item per buffer; long words are given by their places among the buffer's words.
        self._keys = [np.zeros(0, dtype=np.uint64)]
        self._long_places = [np.zeros(0, dtype=np.int64)]
        self._long_words = [pa.array([], type=pa.large_binary())]

    def add(self, buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Add the words ``buffer[starts[i]:ends[i]]``; the buffer ends with ``TAIL``.

        Spans are not empty, in order, and do not overlap; the bytes are UTF-8.
        """
        lengths = ends - starts
        # One eight-byte number at every byte of the buffer, without a copy.
        eight_bytes: NDArray[np.uint64] = np.ndarray(
            (len(buffer) - KEY_BYTES + 1,), dtype="<u8", buffer=buffer, strides=(1,)
        )
        keys = eight_bytes[starts].astype(np.uint64, copy=False)
        keys |= _UNUSED_BITS.take(lengths, mode="clip")
        long = np.flatnonzero(lengths > KEY_BYTES)
        self._keys.append(keys)
        self._long_places.append(long)
        self._long_words.append(_take_spans(buffer, starts[long], ends[long]))

    def finish(self) -> tuple[list[str], NDArray[np.int32]]:
        """Return the distinct words in the order of first appearance, and each word's code."""
        long_words, long_codes = _encode(self._long_words)
        ends = np.cumsum([len(places) for places in self._long_places])
        parts = np.split(long_codes.astype(np.uint64), ends[:-1])
        for keys, places, codes in zip(self._keys, self._long_places, parts, strict=True):
            keys[places] = (codes << 8) | _UNUSED
        keys_found, codes_of_keys = _encode(list(map(pa.array, self._keys)))
        return _words_of_keys(keys_found.to_numpy(), long_words), codes_of_keys


def _encode(chunks: list[pa.Array]) -> tuple[pa.Array, NDArray[np.int32]]:
    """Return the distinct values of all chunks together, and the code of each value."""
    encoded = pa.chunked_array(chunks).dictionary_encode()
    if not encoded.num_chunks:  # Arrow drops empty chunks
        return chunks[0], np.zeros(0, dtype=np.int32)
    # All chunks are numbered in one go, so the last one's dictionary holds everything.
    dictionary = encoded.chunk(encoded.num_chunks - 1).dictionary
    return dictionary, np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks])


def _take_spans(buffer: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pa.Array:
    if not len(starts):
        return pa.array([], type=pa.large_binary())
    # Read as an array of strings whose every other string is the gap between two words.
    bounds = np.stack([starts, ends], axis=1).astype(np.int64, copy=False).ravel()
    words_and_gaps = pa.Array.from_buffers(
        pa.large_binary(), len(bounds) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(buffer)]
    )
    return words_and_gaps.take(pa.array(np.arange(0, len(bounds), 2)))


def _words_of_keys(keys: NDArray[np.uint64], long_words: pa.Array) -> list[str]:
    is_long = (keys & _UNUSED) == _UNUSED
    rows = np.full((len(keys), KEY_BYTES + 1), _UNUSED, dtype=np.uint8)
    rows[:, :KEY_BYTES] = keys.astype("<u8").view(np.uint8).reshape(-1, KEY_BYTES)
    rows[is_long] = _UNUSED
    # Drop the unused bytes; the ninth column stays, as the mark at which to split.
    kept = rows != _UNUSED
    kept[:, KEY_BYTES] = True
    words = list(map(bytes.decode, rows[kept].tobytes().split(b"\xff")))
    words.pop()
    long = list(map(bytes.decode, long_words.to_numpy(zero_copy_only=False).tolist()))
    for place in np.flatnonzero(is_long).tolist():
        words[place] = long[int(keys[place]) >> 8]
    return words
