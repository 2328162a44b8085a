"""Putting together what a reader finds row by row."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats.format import Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.table import cut_down
from rowwise.vectors.packing import PackedWords
from rowwise.vectors.report import LoadReport

# How much more is set aside than the rows so far lead to expect.
_SPARE = 1.01


class GrowingTable:
    """A table that grows while a file is read, without ever standing in memory twice.

    Rows are only set aside for what was really read: a header may promise anything.
    """

    def __init__(self, columns: int, request: Request) -> None:
        self.rows = np.empty((0, columns), dtype=request.dtype)
        self.count = 0
        self.data: list[npt.NDArray[np.uint8]] = []
        self.lengths: list[npt.NDArray[np.uint32]] = []
        self._lines: list[Sequence[int]] = []

    def add(self, words: PackedWords, rows: npt.NDArray[Any], lines: Sequence[int]) -> None:
        """Add k words, their rows (k, d) and the lines where they stand."""
        stop = self.count + len(rows)
        if stop > len(self.rows):
            self._grow(int(stop * 1.25) + 1)
        with np.errstate(over="ignore"):  # beyond float16 is infinity
            self.rows[self.count : stop] = rows
        self.count = stop
        self.data.append(np.asarray(words.data))
        self.lengths.append(np.diff(words.ends, prepend=0).astype(np.uint32))
        self._lines.append(lines)

    def expect(self, share: float, packed: bool) -> None:
        """Set rows aside, given that those so far are this share of the file's."""
        expected = int(self.count / max(share, 1e-9) * _SPARE) + 64
        if share < 1 and self.count and expected > len(self.rows):
            # A packed file may begin with what packs badly, so it is not believed at once.
            self._grow(min(expected, 10 * self.count + 4096) if packed else expected)

    def _grow(self, rows: int) -> None:
        bigger = (rows, self.rows.shape[1])
        try:
            if not len(self.rows):
                self.rows = np.empty(bigger, dtype=self.rows.dtype)
            else:
                self.rows.resize(bigger, refcheck=False)  # in place, where the system can
        except MemoryError as error:
            raise DataFileError(
                f"There is not enough memory for {rows:,} rows of {bigger[1]:,} numbers. Load "
                "fewer with `limit` or `only`, or smaller numbers with `dtype='float16'`."
            ) from error

    def finish(self, request: Request, report: LoadReport) -> Loaded:
        """Leave out repeated words, and give what is left."""
        self.rows.resize((self.count, self.rows.shape[1]), refcheck=False)
        data = np.concatenate(self.data) if self.data else np.empty(0, dtype=np.uint8)
        lengths = np.concatenate(self.lengths) if self.lengths else np.empty(0, dtype=np.uint32)
        self.data, self.lengths = [], []
        words = PackedWords(data, np.cumsum(lengths, dtype=np.int64))
        return cut_down(words, self.rows, request, report, lines=_Lines(self._lines), own=True)


class _Lines:
    """The lines of rows, block by block."""

    def __init__(self, blocks: list[Sequence[int]]) -> None:
        self._blocks = blocks
        self._ends = np.cumsum([len(block) for block in blocks])

    def __getitem__(self, row: int) -> int:
        block = int(np.searchsorted(self._ends, row, side="right"))
        before = int(self._ends[block - 1]) if block else 0
        return self._blocks[block][row - before]
