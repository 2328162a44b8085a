"""Which characters make words in the style that keeps punctuation marks."""

import unicodedata

import numpy as np
from numpy.typing import NDArray

# Classes of characters.
SPACE = 0  # white space and control characters: separates
WORD = 1  # letter, digit or underscore
MARK = 2  # any other visible character: a token of its own
APOSTROPHE = 3  # part of a word between two WORD characters, otherwise a MARK
ACCENT = 4  # combining mark: belongs to the character before it
FORMAT = 5  # joiner and the like, invisible: belongs to the character before it
_NOT_YET_KNOWN = 255

# Filled as characters are met: classifying all 1.1 million would take a second.
_CLASSES = np.full(0x110000, _NOT_YET_KNOWN, dtype=np.uint8)


def class_of(character: str) -> int:
    """Return the class of one character."""
    if character.isalnum() or character == "_":
        return WORD
    if character in "'\u2019":
        return APOSTROPHE
    category = unicodedata.category(character)
    if category == "Cf":
        return FORMAT
    if category[0] == "M":
        return ACCENT
    if character.isspace() or category[0] == "Z" or category == "Cc":
        return SPACE
    return MARK


ASCII_CLASSES = bytes(class_of(chr(code)) if code < 128 else SPACE for code in range(256))


def classify(codepoints: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the class of each character, uint8 of the same shape."""
    classes = _CLASSES[codepoints]
    unknown = np.unique(codepoints[classes == _NOT_YET_KNOWN])
    if len(unknown):
        _CLASSES[unknown] = [class_of(chr(code)) for code in unknown.tolist()]
        classes = _CLASSES[codepoints]
    return classes


def mark_spans(classes: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the tokens in a row of characters, given their classes.

    Returns:
        starts, ends: int64 ``(tokens,)``, positions in ``classes``.
    """
    size = len(classes)
    if not size:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    is_attached = classes >= ACCENT
    # What a character counts as: an attached one counts as the character that it belongs to.
    kinds = classes
    if is_attached.any():
        is_own = ~is_attached
        is_own[0] = True
        owner = np.maximum.accumulate(np.where(is_own, np.arange(size), 0))
        kinds = classes[owner]
        kinds[kinds == FORMAT] = SPACE  # nothing before it to belong to
        # An accent after white space stands alone: it is visible.
        stands_alone = (classes == ACCENT) & ((kinds == SPACE) | (kinds == ACCENT))
        kinds[stands_alone] = MARK
        is_attached &= ~stands_alone
    apostrophes = np.flatnonzero(classes == APOSTROPHE)
    if len(apostrophes):
        kinds = kinds.copy()
        last = size - 1
        inside = (
            (apostrophes > 0)
            & (apostrophes < last)
            & (kinds[np.maximum(apostrophes - 1, 0)] == WORD)
            & (classes[np.minimum(apostrophes + 1, last)] == WORD)
        )
        kinds[kinds == APOSTROPHE] = MARK
        kinds[apostrophes[inside]] = WORD
    is_word = kinds == WORD
    is_mark = kinds == MARK
    starts_here = is_word.copy()
    starts_here[1:] &= ~is_word[:-1]
    starts_here |= is_mark & ~is_attached
    ends_here = is_word | is_mark
    # A token ends where the next character is neither more of the word nor attached. What is
    # attached to white space is part of it, also behind an accent that stands alone there.
    goes_on = is_attached[1:] & ends_here[:-1] & ends_here[1:]
    goes_on |= is_word[1:] & is_word[:-1]
    ends_here[:-1] &= ~goes_on
    return np.flatnonzero(starts_here), np.flatnonzero(ends_here) + 1
