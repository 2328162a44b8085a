"""The rows of a file: block by block in one pass, and those of some blocks again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rowwise.text.columns import CSV_REMEDY, TSV_REMEDY, Row, cells_of, json_values
from rowwise.text.counting.blocks import Block, blocks_of
from rowwise.text.counting.texts import tsv_rows
from rowwise.text.csv_rows import csv_row_groups
from rowwise.text.indexed.sources import Names, Source
from rowwise.text.parquet_columns import parquet_faults
from rowwise.text.reading import open_bytes

# So much of a file is read at once when its examples are shuffled: small, so that many places of
# it come together, and large enough that the disk does not mind.
BLOCK_BYTES = 1 << 19
# Rows of a Parquet file that is read from its beginning to its end.
_ROWS = 1 << 10


@dataclass(frozen=True)
class Place:
    """A block of a file."""

    start: int
    """The byte, row group or number at which it begins."""
    end: int
    """The byte, row group or number at which it ends."""
    first: int
    """The number of its first line or row."""


Found = tuple[Place, list[Row]]


def blocks_in(source: Source, names: Names) -> Iterator[Found]:
    """All rows of a file, in blocks of about ``BLOCK_BYTES``; of Parquet in small ones.

    Raises:
        Fault: the file cannot be read, or anything in it is not as it must be.
    """
    if source.format == "parquet":
        return _parquet_batches(source, names)
    return (_csv_blocks if source.format == "csv" else _line_blocks)(source, names)


def row_groups_in(source: Source, names: Names) -> Iterator[Found]:
    """All rows of a Parquet file; a row group is a block.

    Raises:
        Fault: as ``blocks_in``.
    """
    import pyarrow.parquet as pq

    with open_bytes(source.location) as stream:
        with parquet_faults():
            file = pq.ParquetFile(stream)
        first = 1
        for group in range(file.num_row_groups):
            rows = list(_group(file, group, first, names))
            yield Place(group, group + 1, first), rows
            first += len(rows)


def rows_of(source: Source, places: Iterable[Place], names: Names) -> Iterator[list[Row]]:
    """The rows of blocks that ``blocks_in`` or ``row_groups_in`` found.

    Raises:
        Fault: the file cannot be read, or is no longer what it was.
    """
    source.require_unchanged()
    if source.format == "parquet":
        import pyarrow.parquet as pq

        with open_bytes(source.location) as stream:
            with parquet_faults():
                file = pq.ParquetFile(stream)
            for place in places:
                yield list(_group(file, place.start, place.first, names))
    elif source.format == "csv":
        for place in places:
            blocks = blocks_of(source.location, place.start, place.end, place.first)
            groups = csv_row_groups(_ended(blocks), lambda: iter(()))
            shift = place.first - 1
            rows = [(number + shift, row) for group in groups for number, row in group]
            yield _cells(source, rows)
    else:
        read = _reader_of_lines(source, names)
        for place in places:
            blocks = blocks_of(source.location, place.start, place.end, place.first)
            yield [row for block in blocks for row in read(block)]


def _line_blocks(source: Source, names: Names) -> Iterator[Found]:
    read = _reader_of_lines(source, names)
    for block in blocks_of(source.location, size=BLOCK_BYTES):
        end = block.place + len(block.content)
        yield Place(block.place, end, block.first), list(read(block))


def _reader_of_lines(source: Source, names: Names) -> Callable[[Any], Iterator[Row]]:
    columns = source.columns
    if columns is None:
        return lambda block: json_values(block.numbered(), names.all)
    return lambda block: cells_of(tsv_rows(block, columns, source.header), columns, TSV_REMEDY)


def _ended(blocks: Iterator[Block]) -> Iterator[str]:
    for block in blocks:
        yield from block.ended()


class _Lines:
    """The lines of a file with their ends.

    Attributes:
        place: the byte at which the line begins that comes next.
        number: the number of that line.
    """

    def __init__(self, source: Source) -> None:
        self._blocks = blocks_of(source.location, size=BLOCK_BYTES)
        self.place, self.number = 0, 1

    def __iter__(self) -> Iterator[str]:
        for block in self._blocks:
            self.place = block.place
            plain = block.text.isascii()
            for line in block.ended():
                self.place += len(line) if plain else len(line.encode())
                self.number += 1
                yield line


def _csv_blocks(source: Source, names: Names) -> Iterator[Found]:
    lines = _Lines(source)
    start, first = 0, 1
    # A line is taken only when it is needed, so the last one of a group is its own.
    for rows in csv_row_groups(lines, lambda: _Lines(source), BLOCK_BYTES):
        yield Place(start, lines.place, first), _cells(source, rows)
        start, first = lines.place, lines.number


def _cells(source: Source, rows: list[tuple[int, list[str]]]) -> list[Row]:
    assert source.columns is not None
    below = [row for row in rows if row[0] > source.header]
    return list(cells_of(below, source.columns, CSV_REMEDY))


def _parquet_batches(source: Source, names: Names) -> Iterator[Found]:
    import pyarrow.parquet as pq

    with open_bytes(source.location) as stream:
        with parquet_faults():
            # Without these a whole row group would be in memory at once.
            file = pq.ParquetFile(stream, buffer_size=1 << 20, pre_buffer=False)
            batches = file.iter_batches(batch_size=_ROWS, columns=names.all)
        first = 1
        while True:
            # Not around the yield: others' errors are none of reading.
            with parquet_faults():
                batch = next(batches, None)
                rows = [] if batch is None else list(_rows_of_columns(batch, first, names))
            if batch is None:
                return
            yield Place(first, first + len(rows), first), rows
            first += len(rows)


def _group(file: Any, group: int, first: int, names: Names) -> Iterator[Row]:
    with parquet_faults():
        table = file.read_row_group(group, columns=names.all)
        yield from _rows_of_columns(table, first, names)


def _rows_of_columns(table: Any, first: int, names: Names) -> Iterator[Row]:
    columns = [table.column(name).to_pylist() for name in names.all]
    return enumerate(zip(*columns, strict=True), first)
