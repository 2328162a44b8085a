"""The texts of a part of a file, block by block, each with its place in the file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rowwise.text.columns import (
    CSV_REMEDY,
    TSV_REMEDY,
    Columns,
    Row,
    cells_of,
    columns_in,
    json_values,
    text_of,
)
from rowwise.text.counting.blocks import BLOCK_BYTES, Block, blocks_of
from rowwise.text.csv_rows import csv_row_groups
from rowwise.text.parquet_columns import parquet_faults
from rowwise.text.reading import EMPTY, NO_ROWS, Fault, open_bytes, shown

# Of one column, while a row group is read.
_PARQUET_BUFFER = 1 << 20
# Repeated texts take up less of a file than of memory, so its size is not all.
_MOST_ROWS = 1 << 13
# Texts of one block, and the place of each in its file (int64), as `WordCounts.places` has it.
Texts = tuple[list[str], NDArray[np.int64]]


@dataclass(frozen=True)
class Part:
    """A file or a part of it, as a value that can be sent to whoever counts it."""

    file: int
    """The number of the file among all."""
    path: str
    """As the user gave it, for messages."""
    location: str
    """Where it is, from wherever it is read."""
    format: str
    """"text", "csv", "tsv", "jsonl" or "parquet"."""
    column: str | None
    """The name or number of the column of texts; None for plain text."""
    size: int
    """How many bytes of the file it is."""
    start: int = 0
    """The byte, or row group, at which it begins."""
    end: int | None = None
    """The byte, or row group, at which it ends; None: the end of the file."""
    columns: Columns | None = field(default=None)
    """Of a TSV file, if it is known already; there is no header to read then."""
    first: int = 1
    """The number of its first line or row, for messages."""
    is_whole: bool = True
    """Whether it is the whole file, in which there must be texts."""


def texts_of(part: Part) -> Iterator[Texts]:
    """Read the texts of a part, in blocks of about ``BLOCK_BYTES``.

    Raises:
        Fault: the file cannot be read, or anything in the part is not as it must be.
    """
    is_plain, is_parquet = part.format == "text", part.format == "parquet"
    if part.is_whole and not is_plain and not is_parquet:
        require_more_than_space(part)
    any_text = False
    for texts, places in _READERS[part.format](part):
        any_text = any_text or bool(texts)
        yield texts, places
    if part.is_whole and not any_text:
        raise Fault(EMPTY if is_plain else NO_ROWS)


def require_more_than_space(part: Part) -> None:
    """Make sure that the file is not empty.

    Raises:
        Fault: it holds white space only.
    """
    if all(not block.content.strip() for block in blocks_of(part.location)):
        raise Fault(EMPTY)


def tsv_rows(block: Block, columns: Columns, header: int = 0) -> Iterator[tuple[int, list[str]]]:
    """The rows of a TSV file below the line ``header``; blank ones only if it has one column."""
    for number, line in block.numbered():
        if number > header and (line or columns.width == 1):
            yield number, line.split("\t")


def tsv_head(
    blocks: Iterator[Block], names: Sequence[str]
) -> tuple[Columns, int, Iterator[Block]] | None:
    """The columns of a TSV file, the line of its header (0 for none), and all blocks once more.

    None if there are only blank lines.

    Raises:
        Fault: there is no such column.
    """
    seen: list[Block] = []
    first_line: tuple[int, list[str]] | None = None
    for block in blocks:
        seen.append(block)
        for number, line in block.numbered():
            first_line = first_line or (number, [line])
            if line:
                # A blank line is a row only if there is one column.
                row = (number, line.split("\t")) if "\t" in line else first_line
                columns = columns_in(row, names)
                header = row[0] if columns.header else row[0] - 1
                return columns, header, chain(seen, blocks)
    return None


def _plain(part: Part) -> Iterator[Texts]:
    for block in blocks_of(part.location, part.start, part.end, part.first):
        yield block.lines, block.starts


def _tsv(part: Part) -> Iterator[Texts]:
    assert part.column is not None
    blocks = blocks_of(part.location, part.start, part.end, part.first)
    columns, header = part.columns, 0
    if columns is None:
        head = tsv_head(blocks, [part.column])
        if head is None:
            return
        columns, header, blocks = head
    for block in blocks:
        rows = cells_of(tsv_rows(block, columns, header), columns, TSV_REMEDY)
        yield _texts_in(block, rows, part)


def _json_lines(part: Part) -> Iterator[Texts]:
    assert part.column is not None
    for block in blocks_of(part.location, part.start, part.end, part.first):
        yield _texts_in(block, json_values(block.numbered(), [part.column]), part)


def _csv(part: Part) -> Iterator[Texts]:
    assert part.column is not None
    columns = None
    groups = csv_row_groups(_ended_lines(part), lambda: _ended_lines(part))
    for rows in groups:
        if columns is None and rows:
            columns = columns_in(rows[0], [part.column])
            rows = rows[columns.header :]
        if columns is not None:
            numbers = np.fromiter((number for number, _ in rows), np.int64, len(rows))
            cells = cells_of(rows, columns, CSV_REMEDY)
            yield [_text(values[0], number, part) for number, values in cells], numbers


def _ended_lines(part: Part) -> Iterator[str]:
    """The lines, each with the end that it has in the file."""
    for block in blocks_of(part.location):
        yield from block.ended()


def _parquet(part: Part) -> Iterator[Texts]:
    import pyarrow.parquet as pq

    assert part.column is not None
    with open_bytes(part.location) as stream:
        with parquet_faults():
            file = pq.ParquetFile(stream, buffer_size=_PARQUET_BUFFER, pre_buffer=False)
            end = file.num_row_groups if part.end is None else part.end
            batches = file.iter_batches(
                batch_size=_rows_at_once(file.metadata, part.start, end),
                row_groups=list(range(part.start, end)),
                columns=[part.column],
            )
        number = part.first
        while True:
            # Not around the yield: others' errors are none of reading.
            with parquet_faults():
                batch = next(batches, None)
                values = [] if batch is None else batch.column(part.column).to_pylist()
            if batch is None:
                return
            texts = [_text(value, row, part) for row, value in enumerate(values, number)]
            yield texts, np.arange(number - 1, number - 1 + len(texts), dtype=np.int64)
            number += len(texts)


def _rows_at_once(metadata: Any, start: int, end: int) -> int:
    """How many rows are about a block, if all columns are decoded."""
    groups = [metadata.row_group(group) for group in range(start, end)]
    rows = sum(group.num_rows for group in groups)
    size = sum(group.total_byte_size for group in groups)
    return int(max(1, min(_MOST_ROWS, rows * BLOCK_BYTES // max(size, 1))))


def _texts_in(block: Block, rows: Iterable[Row], part: Part) -> Texts:
    numbers: list[int] = []
    texts: list[str] = []
    for number, values in rows:
        texts.append(_text(values[0], number, part))
        numbers.append(number)
    return texts, block.starts[np.array(numbers, dtype=np.int64) - block.first]


def _text(value: object, number: int, part: Part) -> str:
    try:
        return text_of(value)
    except Fault as fault:
        unit = "row" if part.format == "parquet" else "line"
        fault.place = f"{unit} {number}, column {shown(part.column)}"
        raise


_READERS: dict[str, Callable[[Part], Iterator[Texts]]] = {
    "text": _plain,
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _json_lines,
    "parquet": _parquet,
}
FORMATS = tuple(_READERS)
