"""``ExampleFiles``: labelled texts in files larger than memory."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths
from rowwise.text.indexed.holding_out import hold_out
from rowwise.text.indexed.index import Index, index_of
from rowwise.text.indexed.sources import Names
from rowwise.text.wording import counted


class ExampleBlock(NamedTuple):
    """Some examples that stand together in a file.

    Attributes:
        texts: strings.
        labels: their labels as places in ``classes``, int32 ``(texts,)``; None if not asked for.
        weights: float32 ``(texts,)``; None if not asked for.
    """

    texts: list[str]
    labels: NDArray[np.int32] | None
    weights: NDArray[np.float32] | None


class ExampleFiles:
    """Texts with labels in files that need not fit into memory.

    One pass over the files finds where blocks of examples begin, checks every value, and notes the
    labels; it takes one to four bytes of memory for each example. Texts stay in the files until
    they are read. Files that can be read from the beginning only, those packed with gzip and
    Parquet with row groups of more than 4 MB, are copied to the folder for temporary files
    (``TMPDIR``), with the columns asked for; the copy is gone with this object and its parts.

    Args:
        paths: one path or many, of CSV, TSV, JSON Lines or Parquet. ``read_examples`` says what
            they may hold.
        text: the column of texts; a number in files without a header.
        label: the column of labels, or None.
        weight: the column of the examples' weights, numbers of at least 0, or None.
        format: ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"parquet"`` for all files; by default the
            suffixes tell.
        classes: the labels that there may be, in this order; None: those found, sorted.
        progress: as in ``Vectors.load``, with the bytes of files that are done.

    Attributes:
        classes: the labels, strings; None without ``label``.

    Raises:
        DataFileError: a file is missing, or anything in it is not as it must be; the message names
            the file, the line and the column. Also when a file has changed since.
        InvalidArgumentError: another argument has a value that makes no sense.
    """

    def __init__(
        self,
        paths: Paths,
        *,
        text: str,
        label: str | None = None,
        weight: str | None = None,
        format: str | None = None,
        classes: Iterable[str] | None = None,
        progress: Any = None,
    ) -> None:
        self._set(index_of(paths, Names(text, label, weight), format, classes, progress), None)

    def _set(self, index: Index, chosen: NDArray[np.bool_] | None) -> None:
        self._index, self._chosen = index, chosen
        self.classes = index.classes
        self._counts = np.diff(index.begins)
        if chosen is not None:
            self._counts = np.add.reduceat(chosen, index.begins[:-1], dtype=np.int64)

    def __len__(self) -> int:
        """How many examples there are."""
        return int(self._counts.sum())

    @property
    def has_weights(self) -> bool:
        """Whether the examples have weights."""
        return self._index.names.weight is not None

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels as places in ``classes``, in the order of the files: unsigned (examples,)."""
        codes = self._index.codes
        return codes if codes is None or self._chosen is None else codes[self._chosen]

    @property
    def class_counts(self) -> dict[str, int]:
        """How many examples each label has."""
        if self.classes is None or self.labels is None:
            return {}
        counts = np.bincount(self.labels, minlength=len(self.classes))
        return dict(zip(self.classes, counts.tolist(), strict=True))

    @property
    def block_counts(self) -> NDArray[np.int64]:
        """How many examples are in each block of the files, int64 ``(blocks,)``."""
        return self._counts

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(source.size for source in self._index.sources)

    def blocks_in(self, size: int) -> int:
        """How many blocks have texts of about ``size`` characters together."""
        index = self._index
        # What is noted of an example counts, too, where texts are short.
        total = index.characters + 24 * int(index.begins[-1])
        return max(1, round(size * len(index.files) / total))

    def split(self, share: float, seed: int = 0) -> tuple["ExampleFiles", "ExampleFiles"]:
        """Hold examples out, of each label as near to ``share`` as can be.

        Args:
            share: of the examples, more than 0 and less than 1.
            seed: chooses them; the same seed chooses the same ones.

        Returns:
            the others, and those held out. They read the same files.

        Raises:
            InvalidArgumentError: another ``share``, or one of the two would be empty.
        """
        if not 0 < share < 1:
            raise InvalidArgumentError(
                f"`share` must be more than 0 and less than 1. Received: {share!r}."
            )
        held = hold_out(self.labels, len(self), share, seed)
        if held.all() or not held.any():
            raise InvalidArgumentError(
                f"Cannot hold {share:.0%} of {len(self)} examples out: one side would be empty. "
                "Give more examples."
            )
        chosen = np.ones(self._index.begins[-1], np.bool_) if self._chosen is None else self._chosen
        parts = []
        for part in (~held, held):
            of_all = chosen.copy()
            of_all[chosen] = part
            made = object.__new__(type(self))
            made._set(self._index, of_all)
            parts.append(made)
        return parts[0], parts[1]

    def blocks(self) -> Iterator[ExampleBlock]:
        """All examples, block by block, in the order of the files.

        Raises:
            DataFileError: a file has changed, or cannot be read any more.
        """
        return self.read(np.flatnonzero(self._counts).tolist())

    def read(self, blocks: Sequence[int]) -> Iterator[ExampleBlock]:
        """The examples of some blocks.

        Args:
            blocks: their numbers, growing.

        Raises:
            DataFileError: a file has changed, or cannot be read any more.
        """
        index = self._index
        for block, (texts, weights) in zip(blocks, index.read(blocks), strict=True):
            of_block = slice(index.begins[block], index.begins[block + 1])
            codes = None if index.codes is None else index.codes[of_block].astype(np.int32)
            weighed = None if weights is None else np.asarray(weights, dtype=np.float32)
            if self._chosen is not None:
                kept = self._chosen[of_block]
                texts = list(compress(texts, kept.tolist()))
                codes = None if codes is None else codes[kept]
                weighed = None if weighed is None else weighed[kept]
            yield ExampleBlock(texts, codes, weighed)

    def __repr__(self) -> str:
        files = len(self._index.sources)
        labels = "" if self.classes is None else f", {counted(len(self.classes), 'label')}"
        held = f"{counted(len(self), 'text')} in {counted(files, 'file')}"
        return f"<ExampleFiles: {held}{labels}>"
