r"""Text files of GloVe, word2vec and fastText: one word a line, then its numbers.

word2vec and fastText write a header ``V D`` first, GloVe does not. The last D fields of a line
are numbers and the rest is the word, so a word may hold spaces; lines end at ``\n`` alone, since
words hold U+0085, U+2028 and other characters at which Python's text mode would split.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.files import atomic_path


def read(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Words and rows (n, d) of the file at ``path``.

    Of a word that occurs twice the first row is kept, as gensim does.

    Raises:
        DataFileError: a line is not a word and D numbers; the message names the line.
    """
    index: dict[str, int] = {}
    rows: list[npt.NDArray[np.float32]] = []
    columns = announced = lines = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            line = raw.rstrip(b"\n").removesuffix(b"\r").rstrip(b" ")
            if not line:
                continue
            fields = line.split(b" ")
            if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
                announced, columns = int(fields[0]), int(fields[1])
                continue
            lines += 1
            columns = columns or len(fields) - 1
            if columns < 1 or len(fields) <= columns:
                raise DataFileError(
                    f"{str(path)!r}, line {number}: expected a word and {columns or 'some'} "
                    f"numbers, found {len(fields)} fields. Is this a file of word vectors?"
                )
            word = b" ".join(fields[:-columns]).decode("utf-8", "replace")
            try:
                row = np.array(fields[-columns:], dtype=np.bytes_).astype(np.float32)
            except ValueError as error:
                raise DataFileError(
                    f"{str(path)!r}, line {number}: the last {columns} fields of a line must be "
                    f"numbers ({error})."
                ) from error
            if index.setdefault(word, len(rows)) == len(rows):
                rows.append(row)
    if not rows:
        raise DataFileError(f"{str(path)!r} holds no vectors: it has no line with a word.")
    if lines < announced:
        raise DataFileError(
            f"{str(path)!r} is cut short: its first line announces {announced:,} words, and "
            f"{lines:,} follow."
        )
    return list(index), np.stack(rows)


def write(path: Path, words: Sequence[str], rows: npt.NDArray[np.float32]) -> None:
    """Write word2vec's text format; every number so that it reads back exactly.

    Raises:
        InvalidArgumentError: a word is empty or holds a space or a line break.
    """
    for position, word in enumerate(words):
        if not word or " " in word or "\n" in word or "\r" in word:
            raise InvalidArgumentError(
                f"The text format cannot hold the word {word!r} (position {position}): words in it "
                "are not empty and hold no space or line break. Save as .safetensors instead."
            )
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{rows.shape[0]} {rows.shape[1]}\n")
        for word, row in zip(words, rows, strict=True):
            file.write(word + " " + " ".join(map(str, row)) + "\n")
