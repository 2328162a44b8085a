"""Writing text files of vectors; every number so that it reads back exactly."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError
from rowwise.vectors.formats.format import Content
from rowwise.vectors.formats.holding import check_rows, check_words
from rowwise.vectors.formats.source import START_BYTES

_WHAT = "text format"
_BLOCK_ROWS = 1_024
_BOM = "\ufeff"


def write_word2vec(file: Any, content: Content) -> None:
    """Write word2vec's text format, with its header.

    Raises:
        InvalidArgumentError: a word is empty or holds a space or a line break, there are no rows,
            or a line would be too long to be read again.
    """
    check_words(content.words, _WHAT, " \n\r")
    check_rows(content.rows, _WHAT)
    rows, columns = content.rows.shape
    file.write(f"{rows} {columns}\n".encode())
    write_lines(file, content.rows, b" ", content.words)


def write_glove(file: Any, content: Content) -> None:
    """Write GloVe's text format, which has no header.

    Raises:
        InvalidArgumentError: as of ``write_word2vec``; also where the first word starts with what
            a reader takes for the file's byte order mark.
    """
    check_words(content.words, _WHAT, " \n\r")
    check_rows(content.rows, _WHAT)
    if content.words[0].startswith(_BOM):
        raise InvalidArgumentError(
            f"The format glove cannot hold the first word {content.words[0]!r}: its first "
            "character would read as a byte order mark. Save as word2vec-text instead."
        )
    write_lines(file, content.rows, b" ", content.words)


def write_lines(
    file: Any,
    rows: npt.NDArray[Any],
    separator: bytes,
    words: Sequence[str] | None = None,
) -> None:
    """Write a line for each row: its word, where there are words, and its numbers.

    Args:
        file: open for bytes.
        rows: (n, d).
        separator: stands between fields.
        words: n words.

    Raises:
        InvalidArgumentError: a line is longer than the bytes that readers tell a text by.
    """
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = np.asarray(rows[start : start + _BLOCK_ROWS])
        # NumPy's own shortest text that reads back as the same number.
        fields: list[list[str]] = block.astype(str).tolist()
        if words is not None:
            fields = [[words[start + place], *row] for place, row in enumerate(fields)]
        between = separator.decode()
        lines = [(between.join(row) + "\n").encode("utf-8") for row in fields]
        if max(map(len, lines)) > START_BYTES:
            raise InvalidArgumentError(
                f"A text of vectors cannot hold lines of more than {START_BYTES:,} bytes: it could "
                "not be read again. Save as .safetensors instead."
            )
        file.write(b"".join(lines))
