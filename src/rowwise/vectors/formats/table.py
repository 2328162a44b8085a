"""Putting together what a reader finds row by row, and cutting down what comes whole."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats.format import Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.packing import PackedWords, decode_word
from rowwise.vectors.report import LoadReport

# Rows moved at once when others are left out: a few MB.
_BLOCK_ROWS = 8_192
# How much more is set aside than the rows so far lead to expect.
_SPARE = 1.01


def new_report(source: Source, format_name: str) -> LoadReport:
    """An empty report on ``source``."""
    return LoadReport(
        path=str(source.path), format=format_name, packed=source.packed, member=source.member
    )


class GrowingTable:
    """A table that grows while a file is read, without ever standing in memory twice.

    Rows are only set aside for what was really read: a header may promise anything.
    """

    def __init__(self, columns: int, request: Request) -> None:
        self.rows = np.empty((0, columns), dtype=request.dtype)
        self.count = 0
        self.words: list[bytes] = []
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


def cut_down(
    words: PackedWords,
    rows: npt.NDArray[Any],
    request: Request,
    report: LoadReport,
    *,
    lines: Any = None,
    own: bool = False,
    trusted: bool = False,
) -> Loaded:
    """Leave out rows that are not wanted and words that stood there before.

    Only the first ``request.limit`` rows are looked at, whatever is left out of them.

    Args:
        words: n words.
        rows: (n, d).
        request: what is wanted.
        report: gets what is odd.
        lines: for the report, the line of each row; by default rows count from 1.
        own: ``rows`` may be changed.
        trusted: words are all different, whatever their bytes, as rowwise wrote them.
    """

    def line(place: int) -> int:
        return int(lines[place]) if lines is not None else place + 1

    if request.limit is not None and request.limit < len(words):
        assert not own  # such a table was not filled any further
        words, rows = words.first(request.limit), rows[: request.limit]
    if not trusted:
        words = _repaired(words, report, line)
    kept = _wanted(words, request) if request.only is not None or request.lowercase else None
    if not trusted:
        kept = _without_repeats(words, kept, report, line)
    if request.lowercase:
        assert kept is not None
        words, kept = _folded(words, kept, request, report)
    elif kept is not None:
        words = words.take(kept)
    if kept is not None:
        rows = _moved(rows, kept) if own else _copied(rows, kept, request)
    rows = rows.astype(request.dtype, copy=False)
    report.rows, report.columns = rows.shape
    if request.strict:
        report.check()
    return Loaded(words, rows, report)


def _repaired(words: PackedWords, report: LoadReport, line: Any) -> PackedWords:
    """The words with U+FFFD where they are not UTF-8, which the report is told."""
    wrong = words.undecodable()
    if not len(wrong):
        return words
    encoded = words.encoded()
    for place in wrong.tolist():
        decoded = decode_word(encoded[place])
        report.undecodable.add(line(place), decoded)
        encoded[place] = decoded.encode("utf-8", "surrogatepass")
    return PackedWords.join(encoded)


def _wanted(words: PackedWords, request: Request) -> npt.NDArray[np.intp]:
    only = request.only
    if only is None:
        count = len(words)
        return np.arange(count)
    decoded = words.decode()
    if request.lowercase:
        found = [place for place, word in enumerate(decoded) if word.lower() in only]
    else:
        found = [place for place, word in enumerate(decoded) if word in only]
    return np.array(found, dtype=np.intp)


def _without_repeats(
    words: PackedWords, kept: npt.NDArray[np.intp] | None, report: LoadReport, line: Any
) -> npt.NDArray[np.intp] | None:
    among = words if kept is None else words.take(kept)
    repeats = among.repeated()
    if not len(repeats):
        return kept
    places = np.arange(len(words)) if kept is None else kept
    for place in places[repeats].tolist():
        start = int(words.ends[place - 1]) if place else 0
        word = decode_word(words.data[start : words.ends[place]].tobytes())
        report.duplicates.add(line(place), word)
    return np.delete(places, repeats)


def _folded(
    words: PackedWords, kept: npt.NDArray[np.intp], request: Request, report: LoadReport
) -> tuple[PackedWords, npt.NDArray[np.intp]]:
    first: dict[str, int] = {}
    for place, word in zip(kept.tolist(), words.take(kept).decode(), strict=True):
        first.setdefault(word.lower(), place)
    report.folded += len(kept) - len(first)
    return PackedWords.pack(first), np.array(list(first.values()), dtype=np.intp)


def _moved(rows: npt.NDArray[Any], kept: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """The rows at ``kept``, which ascends, moved up within the table."""
    for start in range(0, len(kept), _BLOCK_ROWS):
        part = kept[start : start + _BLOCK_ROWS]
        rows[start : start + len(part)] = rows[part]
    rows.resize((len(kept), rows.shape[1]), refcheck=False)
    return rows


def _copied(
    rows: npt.NDArray[Any], kept: npt.NDArray[np.intp], request: Request
) -> npt.NDArray[Any]:
    if len(kept) == len(rows) or np.array_equal(kept, np.arange(len(kept))):
        return rows[: len(kept)]  # a view, so that a map stays a map
    copied = np.empty((len(kept), rows.shape[1]), dtype=request.dtype)
    for start in range(0, len(kept), _BLOCK_ROWS):
        part = kept[start : start + _BLOCK_ROWS]
        copied[start : start + len(part)] = rows[part]
    return copied
