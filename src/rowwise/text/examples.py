r"""Reading labelled texts from CSV, TSV, JSON Lines and Parquet, and plain files of texts.

========  ===========================================  ===================================
format    suffixes                                     what it is
========  ===========================================  ===================================
csv       ``.csv``                                     commas, ``"`` quotes (RFC 4180)
tsv       ``.tsv``, ``.tab``                           tabs; a quote is a character as any
jsonl     ``.jsonl``, ``.ndjson``, ``.json(lines)``    one JSON object per line
parquet   ``.parquet``, ``.pq``                        Apache Parquet
========  ===========================================  ===================================

All but Parquet may be packed with gzip (``.csv.gz``). Files are UTF-8, with or without a byte
order mark; lines end with ``\n`` or ``\r\n``. Whatever is wrong with a file becomes one line that
names the file, the place and the remedy.
"""

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.text.checks import require_format
from rowwise.text.columns import (
    CSV_REMEDY,
    TSV_REMEDY,
    Row,
    cells_of,
    columns_in,
    json_values,
    label_of,
    text_of,
)
from rowwise.text.csv_rows import csv_rows
from rowwise.text.parquet_columns import check_schema, parquet_faults
from rowwise.text.reading import (
    NO_ROWS,
    Fault,
    lines_of,
    listed,
    name_of,
    naming,
    read_bytes,
    read_utf8,
    shown,
)

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}
_SUFFIXES |= dict.fromkeys((".jsonl", ".ndjson", ".json", ".jsonlines"), "jsonl")
NO_FORMAT = f"the suffix must tell the format ({', '.join(sorted(_SUFFIXES))}); or give `format`"


@dataclass(frozen=True)
class Examples:
    """Texts and, where they were asked for, their labels; both in the order of the file."""

    texts: list[str]
    labels: list[str] | None


def read_examples(
    path: str | os.PathLike[str],
    *,
    text: str,
    label: str | None = None,
    format: str | None = None,
) -> Examples:
    """Read a column of texts and, if ``label`` is given, a column of labels.

    Labels lose the white space around them; numbers and booleans of JSON and Parquet become
    ``str(value)``. Texts may be empty. Blank lines are skipped, but for a TSV file of one column,
    where a blank line is an empty text.

    Args:
        path: the file; ``"-"`` is standard input (then ``format`` is needed).
        text: name of the column of texts. In a CSV or TSV file without a header row, the number
            of the column, counted from 1: when all names are numbers and the cells of the first
            row do not include them all, the file has no header row.
        label: name (or number) of the column of labels.
        format: ``"csv"``, ``"tsv"``, ``"jsonl"`` or ``"parquet"``; by default the suffix tells.

    Raises:
        DataFileError: the file is missing, or anything in it is not as it must be.
        InvalidArgumentError: an unknown ``format``, or one column for both text and label.
    """
    if text == label:
        raise InvalidArgumentError(
            f"`text` and `label` must be two columns. Received {text!r} for both."
        )
    require_format(format, _READERS)
    names = [text] if label is None else [text, label]
    texts: list[str] = []
    labels: list[str] = []
    with naming(path):
        kind = format or format_of(path)
        if kind is None and path == "-":
            raise Fault(f"`format` must be given, one of {', '.join(_READERS)}")
        if kind is None:
            read_bytes(path)  # a missing file or a folder is said to be that
            raise Fault(NO_FORMAT)
        unit = "row" if kind == "parquet" else "line"
        readers = (text_of, label_of)
        for number, values in _READERS[kind](path, names):
            for name, value, read, into in zip(
                names, values, readers, (texts, labels), strict=False
            ):
                try:
                    into.append(read(value))
                except Fault as fault:
                    fault.place = f"{unit} {number}, column {shown(name)}"
                    raise
        if not texts:
            raise Fault(NO_ROWS)
    return Examples(texts, None if label is None else labels)


def format_of(path: str | os.PathLike[str]) -> str | None:
    """The format that the suffix of ``path`` tells, or None."""
    plain = Path(path)
    if plain.suffix.lower() == ".gz":
        plain = plain.with_suffix("")
    return _SUFFIXES.get(plain.suffix.lower())


def read_texts(path: str | os.PathLike[str]) -> list[str]:
    """Read a plain file of one text per line (``.gz`` too), or standard input for ``"-"``.

    A blank line is an empty text, so that line n is always text n.

    Raises:
        DataFileError: the file is missing or empty, or is not UTF-8.
    """
    with naming(path):
        return lines_of(read_utf8(path, blank=True))


def check_labels(
    labels: Sequence[str] | Mapping[str, int],
    source: str | os.PathLike[str] | None = None,
    each: int = 1,
) -> None:
    """Make sure that a classifier can be trained: two different labels, ``each`` often enough.

    Args:
        labels: of all examples; or how many examples each label has.
        source: the file that they are from, for the message.
        each: how many there must be of each.

    Raises:
        DataFileError: there are no labels, all are the same, or one has fewer than ``each``
            examples; the message names ``source``.
    """
    start = "" if source is None else f"{name_of(source)}: "
    counts = Counter(labels)
    if len(counts) < 2:
        alone = "".join(map(shown, counts))
        found = f"all {counts.total()} are {alone}" if counts else "there are none"
        raise DataFileError(
            f"{start}a classifier needs at least two different labels; {found}. Add examples of "
            "another label, or name another column."
        )
    if rare := [label for label, count in counts.items() if count < each]:
        raise DataFileError(
            f"{start}every label needs at least {each} examples; fewer are there of "
            f"{listed(rare, 5)}. Add examples, leave these labels out, or name another column if "
            "these are no labels."
        )


def _read_csv(path: str | os.PathLike[str], names: list[str]) -> Iterator[Row]:
    rows = csv_rows(read_utf8(path))
    return _columns_of(rows, names, CSV_REMEDY)


def _read_tsv(path: str | os.PathLike[str], names: list[str]) -> Iterator[Row]:
    content = read_utf8(path)
    lines = enumerate(lines_of(content), start=1)
    rows = [(number, line.split("\t")) for number, line in lines if line or "\t" not in content]
    return _columns_of(rows, names, TSV_REMEDY)


def _columns_of(rows: list[tuple[int, list[str]]], names: list[str], remedy: str) -> Iterator[Row]:
    columns = columns_in(rows[0], names)
    return cells_of(rows[columns.header :], columns, remedy)


def _read_json_lines(path: str | os.PathLike[str], names: list[str]) -> Iterator[Row]:
    return json_values(enumerate(lines_of(read_utf8(path)), start=1), names)


def _read_parquet(path: str | os.PathLike[str], names: list[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    content = io.BytesIO(read_bytes(path))
    with parquet_faults(), pq.ParquetFile(content) as file:
        check_schema(file.schema_arrow, names)
        table = file.read(columns=names)
        values = [table.column(name).to_pylist() for name in names]
    return iter(enumerate(zip(*values, strict=True), start=1))


_READERS: dict[str, Callable[[str | os.PathLike[str], list[str]], Iterator[Row]]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_json_lines,
    "parquet": _read_parquet,
}
