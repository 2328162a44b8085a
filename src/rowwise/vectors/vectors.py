"""``Vectors``: words and rows that belong together."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Self, cast

import numpy.typing as npt

from rowwise.errors import (
    InvalidArgumentError,
    InvalidShapeError,
    InvalidTextError,
    UnknownWordError,
)
from rowwise.text.checks import as_text_list, shorten
from rowwise.text.progress import progress_of
from rowwise.text.wording import counted
from rowwise.vectors.arguments import as_checksum, as_member, as_path, as_rows
from rowwise.vectors.asking import Asking
from rowwise.vectors.download import locate
from rowwise.vectors.formats import load, save
from rowwise.vectors.formats.format import Content
from rowwise.vectors.formats.request import Request, check_dtype, check_limit, wanted_words
from rowwise.vectors.interchange import Interchange
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.report import LoadReport
from rowwise.vectors.subwords import ComposedRows, Subwords
from rowwise.vectors.supplying import Supplying


class Vectors(Asking, Supplying, Interchange):
    """Words and their rows.

    Words and rows that were loaded are decoded, indexed and composed of subwords when they are
    first needed, so that a big file opens at once.

    Args:
        words: n different words.
        rows: (n, d) real numbers; an array of float16 or float32 is kept without a copy, also when
            it is a memory map, and anything else becomes float32. (``load(dtype="float64")``
            gives rows of float64.)
        subwords: makes rows for other words: ``vector(word)`` gives float32 (d,) or None.
        report: what was odd about the file that they come from.

    Attributes:
        subwords: as given.
        report: as given; None for vectors that were not loaded.

    Raises:
        InvalidShapeError: ``rows`` is not a matrix, or has another number of rows than words.
        InvalidTextError: a word is not a string.
        InvalidArgumentError: a word occurs twice, or ``rows`` holds no real numbers.
    """

    # What `rows` was composed of, where it was.
    _composed: ComposedRows | None = None

    def __init__(
        self,
        words: Sequence[str],
        rows: npt.ArrayLike,
        *,
        subwords: Subwords | None = None,
        report: LoadReport | None = None,
    ) -> None:
        table = as_rows(rows)
        self._words: Sequence[str] | PackedWords = tuple(as_text_list(words, "words"))
        self._rows: npt.NDArray[Any] | ComposedRows = table
        self.subwords = subwords
        self.report = report
        if table.ndim != 2 or len(table) != len(self._words):
            raise InvalidShapeError(
                "`rows` must be a matrix with one row for each of the "
                f"{counted(len(self._words), 'word')}. "
                f"Received an array of shape {table.shape}."
            )
        index: dict[str, int] = {}
        for position, word in enumerate(self._words):
            first = index.setdefault(word, position)
            if first != position:
                raise InvalidArgumentError(
                    f"Each word may occur once. Received {word!r} at positions {first} and "
                    f"{position}; drop one of the two rows."
                )
        self.__dict__["_index"] = index

    @cached_property
    def _index(self) -> dict[str, int]:
        words = self.words
        # From the last to the first: of a word that is there twice, the first row counts.
        return dict(zip(reversed(words), range(len(words) - 1, -1, -1), strict=True))

    @property
    def words(self) -> tuple[str, ...]:
        """The words in the order of their rows."""
        if isinstance(self._words, PackedWords):
            self._words = self._words.decode()
        return cast(tuple[str, ...], self._words)

    @property
    def rows(self) -> npt.NDArray[Any]:
        """The rows (n, d); not to be written to where they are a memory map.

        Those of a fastText file are composed of their subwords at the first use.
        """
        if isinstance(self._rows, ComposedRows):
            self._composed = self._rows
            self._rows = self._rows.all()
        return self._rows

    @property
    def dimension(self) -> int:
        """Columns of a row."""
        return int(self._rows.shape[1])

    def __len__(self) -> int:
        return len(self._words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and word in self._index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __getitem__(self, word: str) -> npt.NDArray[Any]:
        """The row of ``word``, (d,); UnknownWordError when there is none."""
        position = self.index(word)
        if isinstance(self._rows, ComposedRows):
            return self._rows.row(position)
        row: npt.NDArray[Any] = self._rows[position]
        return row

    def __repr__(self) -> str:
        return f"Vectors({counted(len(self), 'word')} x {counted(self.dimension, 'column')})"

    def index(self, word: str) -> int:
        """The position of ``word``; UnknownWordError when there is none."""
        if not isinstance(word, str):
            raise InvalidTextError(
                f"A word must be a string. Received: {shorten(word)}. For several words use get."
            )
        position = self._index.get(word)
        if position is None:
            hint = ""
            if word.lower() in self._index:
                hint = f" {word.lower()!r} in lower case is there."
            raise UnknownWordError(f"The word {word!r} has no row among {len(self):,}.{hint}")
        return position

    def save(self, path: str | os.PathLike[str], *, format: str | None = None) -> None:
        """Write to ``path``; the file takes the place of an older one only when it is whole.

        The format is told by the suffix: ``.safetensors`` (rowwise's own, which opens by mapping
        and holds everything), ``.txt`` and ``.vec`` (word2vec's text), ``.glove``, ``.npy`` (with
        the words in ``.words.txt`` beside it), ``.fifu``. Or name it: also ``word2vec-binary`` and
        ``fasttext`` (both ``.bin``), and the folders ``model2vec`` and ``tensorboard``. Formats
        that are written from start to end are packed for a further ``.gz``, ``.bz2``, ``.xz`` or
        ``.zst``.

        Warns:
            UserWarning: what a format cannot hold and was left out: subwords, digits of float64.

        Raises:
            InvalidArgumentError: no known format, or words that the format cannot hold.
        """
        content = Content(self.words, self.rows, self.subwords, self._composed)
        for sentence in save(as_path(path), content, format):
            warnings.warn(sentence, UserWarning, stacklevel=2)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        member: str | int | None = None,
        words: str | os.PathLike[str] | None = None,
        limit: int | None = None,
        only: Any = None,
        lowercase: bool = False,
        dtype: npt.DTypeLike = "float32",
        strict: bool = False,
        progress: Any = None,
        unpickle: bool = False,
        checksum: str | None = None,
    ) -> Self:
        """Read a file of vectors of any kind; what kind is told by its content.

        Text of GloVe, word2vec and fastText, binary files of word2vec, fastText, finalfusion,
        NumPy and rowwise, folders of model2vec and TensorBoard, models of Keras; also packed with
        gzip, bzip2, xz, zstd or zip. What was odd is told by ``report``.

        Args:
            path: a file or a folder; or an address (``https://...``), or a well-known name such
                as ``glove.6B.100d``, whose file is fetched once and kept (extra ``download``).
            format: the name of the format, where the content is not to decide.
            member: which file of a zip, or which layer of a model with several vocabularies, by
                its name or its number of columns.
            words: for rows without words (``.npy``, TSV), the file that has a word a line; by
                default it is looked for beside them.
            limit: at most so many rows of the file are looked at, the first ones; those of them
                that are left out, by ``only`` for instance, are not made up for by later ones.
            only: a ``Vocabulary``, a tokenizer or words: other rows are skipped, in text before
                their numbers are parsed.
            lowercase: whether words become lower case; of those that become the same, the first
                is kept. ``only`` is compared after that.
            dtype: of the rows: float16, float32 or float64. Rows that a file has so are mapped.
            strict: whether an odd row is an error.
            progress: True for a bar on standard error, or a function that is called with the
                bytes read so far and those of the file.
            unpickle: whether gensim's own files may be read, by an unpickler that knows arrays
                and plain values only.
            checksum: ``sha256:...``, which the file at an address must have.

        Warns:
            UserWarning: malformed rows were left out.

        Raises:
            DataFileError: there is no file, or it holds no vectors, or it is cut short; the
                message names the line or the byte.
            InvalidArgumentError: an argument makes no sense.
        """
        with progress_of(progress) as told:
            request = Request(
                limit=check_limit(limit),
                only=wanted_words(only),
                lowercase=bool(lowercase),
                dtype=check_dtype(dtype).name,
                strict=bool(strict),
                member=member,
                unpickle=unpickle is True,
                words=None if words is None else as_path(words, "words"),
                progress=told,
            )
            path = as_path(path)
            found, chosen = locate(path, as_member(member), as_checksum(checksum), told)
            loaded = load(found, replace(request, member=chosen), format)
            loaded.report.path = path
        made = cls.__new__(cls)
        made._words, made._rows = loaded.words, loaded.rows
        made.subwords, made.report = loaded.subwords, loaded.report
        if malformed := loaded.report.malformed:
            line, reason = malformed.examples[0]
            warnings.warn(
                f"{path!r}: {len(malformed):,} malformed rows were left out; the first is "
                f"line {line}: {reason}. `vectors.report` lists them.",
                UserWarning,
                stacklevel=2,
            )
        if request.only and not made._words:
            loaded.report.notes.append(
                f"None of the {counted(len(request.only), 'word')} in `only` is there"
                f"{'' if request.limit is None else f' among the first {request.limit:,}'}."
            )
        return made
