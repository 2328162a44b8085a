"""What formats cannot hold, and would not give back, is refused before it is written."""

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from rowwise.errors import InvalidArgumentError

LONGEST_WORD = 65_535
"""Bytes of a word in binary files; a longer one is taken for damage by their readers."""
_NAMES = {" ": "space", "\n": "line break", "\t": "tab", "\0": "NUL character"}


def check_words(
    words: Sequence[str],
    what: str,
    forbidden: str,
    empty: bool = False,
    longest: int | None = None,
) -> None:
    """Refuse words that a format cannot hold.

    Args:
        words: all words.
        what: the format, in the words of a message.
        forbidden: characters that no word may hold.
        empty: whether a word may be empty.
        longest: the most bytes of a word.

    Raises:
        InvalidArgumentError: names the first such word.
    """
    for position, word in enumerate(words):
        if (not empty and not word) or any(character in word for character in forbidden):
            held = [_NAMES[character] for character in forbidden if character in _NAMES]
            rule = "hold no " + " or ".join(held) if held else ""
            rule = rule if empty else " and ".join(filter(None, ["are not empty", rule]))
            raise _refused(what, word, position, f"words in it {rule}")
        try:
            encoded = word.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _refused(what, word, position, "it is no valid Unicode") from error
        if longest is not None and len(encoded) > longest:
            raise _refused(what, word, position, f"it has more than {longest:,} bytes")


def _refused(what: str, word: str, position: int, why: str) -> InvalidArgumentError:
    shown = repr(word if len(word) <= 50 else f"{word[:50]}...")
    return InvalidArgumentError(
        f"The {what} cannot hold the word {shown} (position {position}): {why}. Save as "
        ".safetensors instead."
    )


def check_rows(
    rows: npt.NDArray[Any], what: str, none: bool = False, most_columns: int | None = None
) -> None:
    """Refuse a table whose shape a format cannot hold.

    Args:
        rows: (n, d).
        what: the format, in the words of a message.
        none: whether there may be no rows.
        most_columns: the most columns.

    Raises:
        InvalidArgumentError: there are no rows, no columns, or too many.
    """
    count, columns = rows.shape
    if not columns or (not count and not none):
        raise InvalidArgumentError(
            f"The {what} cannot hold {count:,} rows of {columns:,} numbers: it could not be read "
            "again. Save as .safetensors instead."
        )
    if most_columns is not None and columns > most_columns:
        raise InvalidArgumentError(
            f"The {what} cannot hold rows of {columns:,} numbers; {most_columns:,} are the most. "
            "Save as .safetensors instead."
        )
