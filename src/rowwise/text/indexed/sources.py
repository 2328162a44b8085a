"""The files that examples are read from."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rowwise.errors import InvalidArgumentError
from rowwise.text.checks import Paths, path_list, require_format
from rowwise.text.columns import Columns, columns_in, position
from rowwise.text.counting.blocks import blocks_of
from rowwise.text.counting.texts import tsv_head
from rowwise.text.csv_rows import csv_row_groups
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
    reading_faults,
    shown,
)

FORMATS = ("csv", "tsv", "jsonl", "parquet")


@dataclass(frozen=True)
class Names:
    """The columns that are read."""

    text: str
    label: str | None
    weight: str | None

    @property
    def all(self) -> list[str]:
        """Those that there are, texts first and weights last."""
        return [name for name in (self.text, self.label, self.weight) if name is not None]


@dataclass(frozen=True)
class Source:
    """A file, as a value that can be sent to whoever reads it."""

    path: str
    """As the user gave it, for messages."""
    location: str
    """Where it is, from wherever it is read."""
    format: str
    """One of ``FORMATS``."""
    size: int
    changed: int
    """When it was last written, in nanoseconds."""
    columns: Columns | None = None
    """Of a CSV or TSV file."""
    header: int = 0
    """The line of its header, 0 for none."""

    @property
    def unit(self) -> str:
        """What its places count."""
        return "row" if self.format == "parquet" else "line"

    def require_unchanged(self) -> None:
        """Make sure that places in the file still lead where they did.

        Raises:
            Fault: it was written or taken away since it was indexed.
        """
        with reading_faults():
            found = Path(self.location).stat()
        if (found.st_size, found.st_mtime_ns) != (self.size, self.changed):
            raise Fault(
                "the file has changed since its examples were found. Make the dataset anew, and "
                "leave files alone while they are read"
            )


def sources_of(paths: Paths, names: Names, format: str | None) -> list[Source]:
    """Look at the heads of files.

    Raises:
        InvalidArgumentError: there are no paths, ``format`` is unknown, a column is named twice.
        DataFileError: a file is missing or empty, or has no such column.
    """
    require_format(format, FORMATS)
    if len(set(names.all)) < len(names.all):
        raise InvalidArgumentError(
            "`text`, `label` and `weight` must be different columns. Received: "
            f"{', '.join(map(repr, names.all))}."
        )
    return [_source(path, names, format) for path in path_list(paths)]


def _source(path: str | os.PathLike[str], names: Names, format: str | None) -> Source:
    if path == "-":
        raise InvalidArgumentError(
            "Standard input can be read only once. Write it to a file, or read it into memory with "
            "read_examples('-')."
        )
    name = os.fspath(path)
    with naming(path):
        found = look_at(path)
        kind = format or format_of(path)
        if kind is None:
            raise Fault(NO_FORMAT)
        location = os.path.abspath(name)
        if kind != "parquet" and all(not block.text.strip() for block in blocks_of(location)):
            raise Fault(EMPTY)
        columns, header = _HEADS[kind](location, names)
        return Source(name, location, kind, found.st_size, found.st_mtime_ns, columns, header)


_Head = tuple[Columns | None, int]


def _csv_head(location: str, names: Names) -> _Head:
    def lines() -> Any:
        return (line for block in blocks_of(location) for line in block.ended())

    for rows in csv_row_groups(lines(), lines, 1):
        for number, row in islice(rows, 1):
            columns = columns_in((number, row), names.all)
            return columns, number if columns.header else 0
    raise Fault(EMPTY)


def _tsv_head(location: str, names: Names) -> _Head:
    head = tsv_head(blocks_of(location), names.all)
    if head is None:
        raise Fault(EMPTY)
    columns, header, _ = head
    return columns, header


def _jsonl_head(location: str, names: Names) -> _Head:
    del location, names  # each line names its own
    return None, 0


def _parquet_head(location: str, names: Names) -> _Head:
    import pyarrow.parquet as pq

    with open_bytes(location) as stream, parquet_faults(), pq.ParquetFile(stream) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    check_schema(schema, [names.text] if names.label is None else [names.text, names.label])
    if names.weight is not None:
        _check_weights(schema, [names.weight])
    if not rows:
        raise Fault(NO_ROWS)
    return None, 0


def _check_weights(schema: Any, names: Sequence[str]) -> None:
    from pyarrow import types

    for name in names:
        kind = schema.field(position(name, schema.names, "the schema")).type
        if not (types.is_integer(kind) or types.is_floating(kind)):
            problem = f"expected numbers, found {kind}. Name another column or convert it"
            raise Fault(problem, f"column {shown(name)}")


_HEADS = {"csv": _csv_head, "tsv": _tsv_head, "jsonl": _jsonl_head, "parquet": _parquet_head}


def is_readable_anywhere(source: Source, names: Names, most_bytes: int) -> bool:
    """Whether a part of about ``most_bytes`` can be read without reading what is before it."""
    if source.format != "parquet":
        return not is_packed(source.location)
    import pyarrow.parquet as pq

    with open_bytes(source.location) as stream, parquet_faults():
        metadata = pq.read_metadata(stream)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        columns = map(group.column, range(group.num_columns))
        sizes = [one.total_uncompressed_size for one in columns if one.path_in_schema in names.all]
        if sum(sizes) > most_bytes:
            return False
    return True
