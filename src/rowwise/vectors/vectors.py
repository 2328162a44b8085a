"""``Vectors``: words and rows that belong together."""

import os
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError, UnknownWordError
from rowwise.vectors.asking import Asking
from rowwise.vectors.formats import load, save
from rowwise.vectors.interchange import Interchange
from rowwise.vectors.supplying import Supplying


class Vectors(Asking, Supplying, Interchange):
    """Words and their rows.

    Args:
        words: n different words.
        rows: (n, d) real numbers; kept as float32, without a copy when they are so already.
        subwords: what makes a row of a word's pieces: has ``vector(word)``, float32 (d,) or None.

    Raises:
        InvalidShapeError: ``rows`` is not a matrix, or has another number of rows than words.
        InvalidArgumentError: a word is not a string, or occurs twice.
    """

    def __init__(
        self, words: Sequence[str], rows: npt.ArrayLike, *, subwords: Any | None = None
    ) -> None:
        self.subwords = subwords
        self.rows: npt.NDArray[np.float32] = np.asarray(rows, dtype=np.float32)
        self.words: tuple[str, ...] = tuple(words)
        if self.rows.ndim != 2 or len(self.rows) != len(self.words):
            raise InvalidShapeError(
                f"`rows` must be a matrix with one row for each of the {len(self.words)} words. "
                f"Received an array of shape {self.rows.shape}."
            )
        self._index: dict[str, int] = {}
        for position, word in enumerate(self.words):
            if not isinstance(word, str):
                raise InvalidArgumentError(
                    f"Words must be strings. Received {word!r} at position {position}."
                )
            first = self._index.setdefault(word, position)
            if first != position:
                raise InvalidArgumentError(
                    f"Each word may occur once. Received {word!r} at positions {first} and "
                    f"{position}; drop one of the two rows."
                )

    @property
    def dimension(self) -> int:
        """Columns of a row."""
        return int(self.rows.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __getitem__(self, word: str) -> npt.NDArray[np.float32]:
        """The row of ``word``, float32 (d,); UnknownWordError when there is none."""
        row: npt.NDArray[np.float32] = self.rows[self.index(word)]
        return row

    def __repr__(self) -> str:
        return f"Vectors({len(self):,} words x {self.dimension} columns)"

    def index(self, word: str) -> int:
        """The position of ``word``; UnknownWordError when there is none."""
        position = self._index.get(word)
        if position is None:
            hint = ""
            if isinstance(word, str) and word.lower() in self._index:
                hint = f" {word.lower()!r} in lower case is there."
            raise UnknownWordError(f"The word {word!r} has no row among {len(self):,}.{hint}")
        return position

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write to ``path``: safetensors (``.safetensors``) or word2vec text (``.txt``, ``.vec``).

        The file takes the place of an older one only when it is whole.

        Raises:
            InvalidArgumentError: another suffix, or words that the format cannot hold.
        """
        save(path, self.words, self.rows)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``save`` wrote, or a text file of GloVe, word2vec or fastText.

        Raises:
            DataFileError: the file is missing, or holds no vectors; the message names the line.
        """
        words, rows = load(path)
        return cls(words, rows)
