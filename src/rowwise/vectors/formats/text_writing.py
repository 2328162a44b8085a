"""Writing text files of vectors; every number so that it reads back exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formats.format import Content

_BLOCK_ROWS = 1_024


def write_word2vec(file: Any, content: Content) -> None:
    """Write word2vec's text format, with its header.

    Raises:
        InvalidArgumentError: a word is empty or holds a space or a line break.
    """
    check_words(content.words, "text format", " \n\r")
    rows = content.rows
    file.write(f"{rows.shape[0]} {rows.shape[1]}\n".encode())
    _write_rows(file, content.words, rows)


def write_glove(file: Any, content: Content) -> None:
    """Write GloVe's text format, which has no header.

    Raises:
        InvalidArgumentError: a word is empty or holds a space or a line break, or the first row
            would be taken for a header.
    """
    check_words(content.words, "text format", " \n\r")
    _write_rows(file, content.words, content.rows)


def _write_rows(file: Any, words: Sequence[str], rows: npt.NDArray[Any]) -> None:
    for start in range(0, len(words), _BLOCK_ROWS):
        block = np.asarray(rows[start : start + _BLOCK_ROWS])
        # NumPy's own shortest text that reads back as the same number.
        numbers = block.astype(str).tolist()
        text = "".join(
            f"{word} {' '.join(row)}\n"
            for word, row in zip(words[start : start + _BLOCK_ROWS], numbers, strict=True)
        )
        file.write(text.encode("utf-8"))


def check_words(words: Sequence[str], what: str, forbidden: str, empty: bool = False) -> None:
    """Refuse words that a format cannot hold.

    Args:
        words: all words.
        what: the format, in the words of a message.
        forbidden: characters that no word may hold.
        empty: whether a word may be empty.

    Raises:
        InvalidArgumentError: names the first such word.
    """
    names = {" ": "space", "\n": "line break", "\t": "tab", "\0": "NUL character"}
    for position, word in enumerate(words):
        if (not empty and not word) or any(character in word for character in forbidden):
            held = [names[character] for character in forbidden if character in names]
            rule = "hold no " + " or ".join(held) if held else ""
            rule = rule if empty else " and ".join(filter(None, ["are not empty", rule]))
            raise InvalidArgumentError(
                f"The {what} cannot hold the word {word!r} (position {position}): words in it "
                f"{rule}. Save as .safetensors instead."
            )
        try:
            word.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InvalidArgumentError(
                f"The {what} cannot hold the word {word!r} (position {position}): it is no valid "
                "Unicode. Save as .safetensors instead."
            ) from error
