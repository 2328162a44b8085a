"""Finding the words of many texts at once, as spans of one byte buffer.

Texts are joined and cut by array operations instead of one by one. That is exact because the
joining character separates words anyway, and ``str.lower`` is applied to each text by itself
unless all characters are ASCII (the lower case of "Σ" depends on its neighbours, and that of "İ"
is two characters).
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rowwise.text.characters import ASCII_CLASSES, classify, mark_spans
from rowwise.text.checks import require_unicode
from rowwise.text.interning import TAIL, Interner
from rowwise.text.words import Words

Style = Literal["words", "marks", "characters"]

# Texts are worked on in runs of about this many characters: the temporary arrays of a run stay
# in the processor's cache and their memory is used again, which halves the time.
RUN_CHARACTERS = 1 << 19


def intern_texts(
    texts: list[str],
    style: Style,
    lower: bool,
    separators: str,
    joint: str,
    first_position: int = 0,
) -> Words:
    """Cut all texts into words and number the distinct ones.

    Args:
        texts: strings, checked.
        style: "words" are what stands between separators; "marks" keeps punctuation, see
            ``Splitter``; "characters" makes every character a token.
        lower: whether to make the texts lower-case first.
        separators: the characters that separate words in the style "words".
        joint: the character to join texts with: one that separates words and, when ``lower``, is
            its own lower case.
        first_position: the position of the first text, for error messages.

    Raises:
        InvalidTextError: a text holds a lone surrogate; the message names its position.
    """
    cutter = (
        _Characters(lower) if style == "characters" else _Words(style, lower, separators, joint)
    )
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    lengths = _lengths(texts)
    for first, last in _runs(lengths):
        run = texts[first:last]
        try:
            words_until = cutter.add(run, lengths[first:last])
        except UnicodeEncodeError:
            for position, text in enumerate(run, first_position + first):
                require_unicode(text, position)
            raise
        offsets[first + 1 : last + 1] = offsets[first] + words_until
    unique, codes = cutter.finish()
    return Words(unique, codes, offsets)


class _Characters:
    """Every character is a token, and its code point is its key."""

    def __init__(self, lower: bool) -> None:
        self._lower = lower
        self._codepoints = [np.zeros(0, dtype=np.uint32)]

    def add(self, texts: list[str], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add texts of these lengths; return the number of tokens up to the end of each."""
        if self._lower:
            texts = [text.lower() for text in texts]
            lengths = _lengths(texts)
        self._codepoints.append(_codepoints("".join(texts)))
        return np.cumsum(lengths)

    def finish(self) -> tuple[list[str], NDArray[np.int32]]:
        """Return the distinct tokens in the order of first appearance, and each token's code."""
        encoded = pa.array(np.concatenate(self._codepoints)).dictionary_encode()
        return list(map(chr, encoded.dictionary.to_pylist())), encoded.indices.to_numpy()


class _Words:
    """Words between separators, or words and marks."""

    def __init__(self, style: Style, lower: bool, separators: str, joint: str) -> None:
        self._marks = style == "marks"
        self._lower = lower
        self._joint = joint
        self._bytes_suffice = not self._marks and separators.isascii()
        # For every byte whether it belongs to a word; bytes above 127 are parts of characters.
        codes = set(map(ord, separators))
        self._is_word = bytes(code not in codes for code in range(256))
        self._separator_codes = np.array(sorted(codes), dtype=np.uint32)
        self._interner = Interner()

    def add(self, texts: list[str], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add texts of these lengths; return the number of tokens up to the end of each."""
        joint = self._joint
        joined = joint.join(texts)
        if self._lower and not joined.isascii():
            texts = [text.lower() for text in texts]
            lengths = _lengths(texts)
            joined = joint.join(texts)
        if joined.isascii():
            buffer = joined.encode()
            if self._lower:
                buffer = buffer.lower()
            starts, ends = self._spans_of_bytes(buffer)
            words_until = np.searchsorted(starts, np.cumsum(lengths + 1))
        elif self._bytes_suffice:
            encoded = [text.encode() for text in texts]
            buffer = joint.encode().join(encoded)
            starts, ends = self._spans_of_bytes(buffer)
            words_until = np.searchsorted(starts, np.cumsum(_lengths(encoded) + 1))
        else:
            buffer = joined.encode()
            codepoints = _codepoints(joined)
            starts, ends = self._spans_of_codepoints(codepoints)
            words_until = np.searchsorted(starts, np.cumsum(lengths + 1))
            place = _byte_places(codepoints)
            starts, ends = place[starts], place[ends]
        self._interner.add(buffer + TAIL, starts, ends)
        return words_until

    def finish(self) -> tuple[list[str], NDArray[np.int32]]:
        """Return the distinct tokens in the order of first appearance, and each token's code."""
        return self._interner.finish()

    def _spans_of_bytes(self, buffer: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self._marks:
            return mark_spans(np.frombuffer(buffer.translate(ASCII_CLASSES), dtype=np.uint8))
        return _runs_of_true(np.frombuffer(buffer.translate(self._is_word), dtype=np.bool_))

    def _spans_of_codepoints(
        self, codepoints: NDArray[np.uint32]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self._marks:
            return mark_spans(classify(codepoints))
        return _runs_of_true(~np.isin(codepoints, self._separator_codes))


def _runs(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Cut a list of texts into runs ``(first, last)`` of about ``RUN_CHARACTERS`` characters."""
    until = np.cumsum(lengths + 1)
    first = 0
    while first < len(lengths):
        done = int(until[first - 1]) if first else 0
        last = int(np.searchsorted(until, done + RUN_CHARACTERS, side="right"))
        last = max(last, first + 1)
        yield first, last
        first = last


def _lengths(items: list[str] | list[bytes]) -> NDArray[np.int64]:
    return np.fromiter(map(len, items), dtype=np.int64, count=len(items))


def _codepoints(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint32, copy=False)


def _byte_places(codepoints: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return where each character begins in UTF-8, and the end; int64 ``(characters + 1,)``."""
    places = np.zeros(len(codepoints) + 1, dtype=np.int64)
    widths = np.ones(len(codepoints), dtype=np.uint8)
    for limit in (0x80, 0x800, 0x10000):
        widths += codepoints >= limit
    np.cumsum(widths, out=places[1:])
    return places


def _runs_of_true(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of True start and where they end (exclusive)."""
    changes = np.empty(len(mask) + 1, dtype=np.bool_)
    changes[0] = changes[-1] = False
    if len(mask):
        changes[0], changes[-1] = mask[0], mask[-1]
        np.not_equal(mask[1:], mask[:-1], out=changes[1:-1])
    edges = np.flatnonzero(changes)
    return edges[0::2], edges[1::2]
