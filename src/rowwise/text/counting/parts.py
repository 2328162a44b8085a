"""Cutting files into parts that can be counted by themselves."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths, path_list, require_format
from rowwise.text.counting.blocks import blocks_of, next_line
from rowwise.text.counting.texts import FORMATS, Part, require_more_than_space, tsv_head, tsv_rows
from rowwise.text.examples import NO_FORMAT, format_of
from rowwise.text.parquet_columns import check_schema, parquet_faults
from rowwise.text.reading import (
    EMPTY,
    NO_ROWS,
    Fault,
    is_packed,
    look_at,
    naming,
    open_bytes,
)


def files_of(
    paths: Paths, column: str | None, format: str | None, first_file: int = 0
) -> list[Part]:
    """The files that are to be counted, as one part each.

    Args:
        paths: one path or many.
        column: the column of texts; None for plain text.
        format: of all files; None: the suffixes tell.
        first_file: the number of the first file.

    Raises:
        InvalidArgumentError: there are no paths, ``format`` is unknown, or it does not go
            together with ``column``.
        DataFileError: a file is missing, or its suffix does not tell its format.
    """
    require_format(format, FORMATS)
    if format == "text" and column is not None:
        raise InvalidArgumentError(
            "Plain text has no columns: leave out `text`, or name another `format`. "
            f"Received: text={column!r}, format='text'."
        )
    return [
        _file(number, path, column, format)
        for number, path in enumerate(path_list(paths), first_file)
    ]


def cut(files: Sequence[Part], part_size: int) -> list[Part]:
    """Cut files into parts of about ``part_size`` bytes.

    Plain text, JSON Lines and TSV are cut at the ends of lines and Parquet at row groups. CSV,
    where a line may end inside quotes, and what is packed with gzip stay whole.

    Raises:
        DataFileError: a file cannot be read, or its head is not as it must be.
    """
    parts: list[Part] = []
    for file in files:
        with naming(file.path):
            if file.size <= part_size or is_packed(file.location) or file.format == "csv":
                parts.append(file)
            elif file.format == "parquet":
                parts += _row_groups(file, part_size)
            else:
                parts += _byte_ranges(_below_head(file), part_size)
    return parts


def _file(
    number: int, path: str | os.PathLike[str], column: str | None, format: str | None
) -> Part:
    if path == "-":
        raise InvalidArgumentError(
            "Standard input cannot be counted in parts. Write it to a file, or use "
            "Vocabulary.build(read_texts('-'))."
        )
    name = os.fspath(path)
    with naming(path):
        # What cannot be counted is said to be that at once, not after hours of counting.
        size = look_at(path).st_size
        kind = format or format_of(path)
        if kind is None and column is not None:
            raise Fault(NO_FORMAT)
        if kind is not None and kind != "text" and column is None:
            remedy = "Name it by `text`, or count its lines as they are by format='text'"
            raise Fault(f"the column of texts must be named in a file of {kind}. {remedy}")
        part = Part(number, name, os.path.abspath(name), kind or "text", column, size)
        if kind == "parquet":
            _check_parquet(part)
    return part


def _check_parquet(part: Part) -> None:
    import pyarrow.parquet as pq

    with open_bytes(part.location) as stream, parquet_faults(), pq.ParquetFile(stream) as file:
        check_schema(file.schema_arrow, [str(part.column)])
        if not file.metadata.num_rows:
            raise Fault(NO_ROWS)


def _row_groups(file: Part, part_size: int) -> Iterator[Part]:
    import pyarrow.parquet as pq

    with open_bytes(file.location) as stream, parquet_faults():
        metadata = pq.read_metadata(stream)
    groups = metadata.num_row_groups
    start, first, row, size = 0, 1, 1, 0
    for group in range(groups):
        found = metadata.row_group(group)
        row += found.num_rows
        size += file.size // groups
        if size >= part_size or group == groups - 1:
            yield replace(file, start=start, end=group + 1, first=first, size=size, is_whole=False)
            start, first, size = group + 1, row, 0


def _below_head(file: Part) -> Part:
    """The file from its first text on; that there is one is made sure."""
    blocks = blocks_of(file.location)
    if file.format == "text":
        if next(blocks, None) is None:
            raise Fault(EMPTY)
        return replace(file, is_whole=False)
    require_more_than_space(file)
    if file.format == "jsonl":
        if not any(line.strip() for block in blocks for line in block.lines):
            raise Fault(NO_ROWS)
        return replace(file, is_whole=False)
    assert file.column is not None
    head = tsv_head(blocks, [file.column])
    if head is None:
        raise Fault(EMPTY)
    columns, header, blocks = head
    for block in blocks:
        for number, _ in tsv_rows(block, columns, header):
            start = int(block.starts[number - block.first])
            return replace(file, start=start, columns=columns, is_whole=False)
    raise Fault(NO_ROWS)


def _byte_ranges(file: Part, part_size: int) -> Iterator[Part]:
    pieces = -(-file.size // part_size)
    start = file.start
    for piece in range(1, pieces + 1):
        wanted = file.size * piece // pieces
        end = file.size if piece == pieces else next_line(file.location, wanted, file.size)
        if end > start:
            yield replace(file, start=start, end=end, size=end - start)
            start = end
