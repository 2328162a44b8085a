r"""Blocks of whole lines of a text file, parsed: most by Arrow's CSV reader, odd ones by line.

The last D fields of a line are numbers and the rest is the word, so a word may hold separators.
Arrow expects each line to have the same number of fields; where a block has a line that has not,
or anything else that Arrow would read in another way, the block is taken apart by line first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as arrow_csv

from rowwise.text.wording import counted
from rowwise.vectors.formats.text_layout import BOM, Layout, is_number
from rowwise.vectors.packing import PackedWords, decode_word

Numbers = npt.NDArray[Any]


@dataclass
class Parsed:
    """What a block holds: k words, rows (k, d), their lines, and what was odd."""

    words: PackedWords
    rows: Numbers
    lines: Sequence[int]
    spaced: list[tuple[int, str]] = field(default_factory=list)
    malformed: list[tuple[int, str]] = field(default_factory=list)
    skipped: int = 0
    """Lines that were not wanted, and not looked at any further."""


class BlockParser:
    """Parses blocks of a file; may be called from several threads at once.

    Args:
        layout: of the file.
        dtype: of the numbers: float32 or float64; others are made of float32.
        chosen: whether a line whose word starts with these bytes, up to the first separator, is
            wanted; None for all lines.
    """

    def __init__(
        self, layout: Layout, dtype: np.dtype[Any], chosen: Callable[[bytes], bool] | None
    ) -> None:
        self._layout = layout
        self._chosen = chosen
        self._dtype = np.dtype("float64") if dtype == np.float64 else np.dtype("float32")
        self._number = pa.from_numpy_dtype(self._dtype)

    def __call__(self, block: bytes, lines: range) -> Parsed:
        """Parse whole lines with these numbers, the last with its line break."""
        if self._chosen is not None:
            wanted, numbers = self._choose(block, lines)
            parsed = self._parsed(wanted, numbers)
            parsed.skipped = len(lines) - len(numbers)
            return parsed
        return self._parsed(block, lines)

    def _parsed(self, block: bytes, lines: Sequence[int]) -> Parsed:
        # Searching for two bytes takes as long as parsing, so it is done only where it helps.
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        found = self._at_once(block, lines)
        if found is None:
            block = block.replace(self._layout.separator + b"\n", b"\n")
            found = self._at_once(block, lines)
        return found or self._by_line(block, lines)

    def _choose(self, block: bytes, lines: Sequence[int]) -> tuple[bytes, Sequence[int]]:
        """Only the lines that are wanted, told without a look at their numbers."""
        chosen, separator, find = self._chosen, self._layout.separator, block.find
        assert chosen is not None
        start, kept, numbers = 0, [], []
        for number in lines:
            end = find(b"\n", start) + 1
            stop = find(separator, start, end)
            if chosen(block[start : stop if stop >= 0 else end - 1]):
                kept.append(block[start:end])
                numbers.append(number)
            start = end
        return b"".join(kept), numbers

    def _at_once(self, block: bytes, lines: Sequence[int]) -> Parsed | None:
        """The block read by Arrow, or None where Arrow would misread it."""
        columns, separator = self._layout.columns, self._layout.separator
        if not block or b"\r" in block or block.startswith(BOM):
            return None
        with_words = self._layout.words
        try:
            parts = _read_csv(block, separator, with_words, columns, self._number)
        except pa.ArrowInvalid:
            return None
        if parts.num_rows != len(lines):
            return None  # Arrow leaves out empty lines
        rows = np.empty((len(lines), columns), dtype=self._dtype)
        for column in range(columns):
            _copy_column(parts.column(column + with_words), rows[:, column])
        words = _words(parts.column(0)) if with_words else _numbered(lines)
        return Parsed(words, rows, lines)

    def _by_line(self, block: bytes, lines: Sequence[int]) -> Parsed:
        """The block taken apart line by line."""
        columns, separator = self._layout.columns, self._layout.separator
        found = Parsed(PackedWords.join([]), np.empty((0, columns), dtype=self._dtype), [])
        words: list[bytes] = []
        numbers: list[bytes] = []
        places: list[int] = []
        for place, raw in zip(lines, block.split(b"\n"), strict=False):
            line = raw.removesuffix(b"\r").rstrip(separator)
            if not line:
                continue
            fields = line.rsplit(separator, columns)
            if self._layout.words and len(fields) > columns:
                word = fields[0]
            elif not self._layout.words and len(fields) == columns:
                word = b""
            else:
                wanted = f"a word and {columns} numbers" if self._layout.words else f"{columns}"
                shown = counted(len(line.split(separator)), "field")
                found.malformed.append((place, f"expected {wanted}, found {shown}"))
                continue
            if separator in word:
                found.spaced.append((place, decode_word(word)))
            words.append(word)
            numbers.append(line[len(word) + 1 :] if self._layout.words else line)
            places.append(place)
        rows, good = self._rows(numbers)
        if good is not None:
            for row in np.flatnonzero(~good).tolist():
                reason = f"the last {columns} fields of a line must be numbers"
                found.malformed.append((places[row], reason))
            kept = np.flatnonzero(good).tolist()
            words, places = [words[row] for row in kept], [places[row] for row in kept]
            still = set(places)
            found.spaced = [odd for odd in found.spaced if odd[0] in still]
            found.malformed.sort()
        found.words = PackedWords.join(words) if self._layout.words else _numbered(places)
        found.rows, found.lines = rows, places
        return found

    def _rows(self, numbers: list[bytes]) -> tuple[Numbers, npt.NDArray[np.bool_] | None]:
        """Rows of numbers, and which lines are good; None where all of them are."""
        columns, separator = self._layout.columns, self._layout.separator
        rows = np.empty((len(numbers), columns), dtype=self._dtype)
        block = b"\n".join(numbers) + b"\n"
        if numbers and b"\r" not in block and not block.startswith(BOM):
            try:
                parts = _read_csv(block, separator, False, columns, self._number)
            except pa.ArrowInvalid:
                pass
            else:
                if parts.num_rows == len(numbers):
                    for column in range(columns):
                        _copy_column(parts.column(column), rows[:, column])
                    return rows, None
        good = np.zeros(len(numbers), dtype=np.bool_)
        count = 0
        for place, line in enumerate(numbers):
            fields = line.split(separator)
            if all(map(is_number, fields)):
                with np.errstate(over="ignore"):
                    rows[count] = [float(number) for number in fields]
                good[place] = True
                count += 1
        return rows[:count], good


def _read_csv(block: bytes, separator: bytes, words: bool, columns: int, number: Any) -> Any:
    names = [str(column) for column in range(columns + words)]
    types = dict.fromkeys(names, number)
    if words:
        types["0"] = pa.binary()
    return arrow_csv.read_csv(
        pa.BufferReader(block),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, column_names=names, block_size=len(block) + 1
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=separator.decode(), quote_char=False, double_quote=False
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, null_values=[], check_utf8=False
        ),
    )


def _copy_column(column: Any, target: Numbers) -> None:
    start = 0
    for chunk in column.chunks:
        if len(chunk):
            # Not its `to_numpy`, which imports pandas where it is installed.
            values = np.frombuffer(chunk.buffers()[1], dtype=target.dtype)
            target[start : start + len(chunk)] = values[chunk.offset :][: len(chunk)]
        start += len(chunk)


def _words(column: Any) -> PackedWords:
    packed = column.combine_chunks()
    if isinstance(packed, pa.ChunkedArray):
        packed = packed.chunk(0)
    offsets = np.frombuffer(packed.buffers()[1], dtype=np.int32, count=len(packed) + 1)
    data = packed.buffers()[2]
    whole = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    first = int(offsets[0])
    return PackedWords(whole[first : int(offsets[-1])].copy(), offsets[1:].astype(np.int64) - first)


def _numbered(lines: Sequence[int]) -> PackedWords:
    """Words for rows without: the numbers of their lines, from 0."""
    return PackedWords.pack(str(line - 1) for line in lines)
