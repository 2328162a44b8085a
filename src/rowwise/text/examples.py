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
import json
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.text.csv_rows import csv_rows
from rowwise.text.reading import (
    Fault,
    lines_of,
    listed,
    name_of,
    naming,
    read_bytes,
    read_utf8,
    shown,
    type_name,
)

# The line or row (from 1) in which something stands, and the values of the columns asked for.
_Row = tuple[int, Sequence[Any]]

_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".parquet": "parquet", ".pq": "parquet"}
_SUFFIXES |= dict.fromkeys((".jsonl", ".ndjson", ".json", ".jsonlines"), "jsonl")


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
    if format is not None and format not in _READERS:
        raise InvalidArgumentError(
            f"`format` must be one of {', '.join(_READERS)}. Received: {format!r}."
        )
    names = [text] if label is None else [text, label]
    texts: list[str] = []
    labels: list[str] = []
    with naming(path):
        kind = format or format_of(path)
        if kind is None and path == "-":
            raise Fault(f"`format` must be given, one of {', '.join(_READERS)}")
        if kind is None:
            read_bytes(path)  # a missing file or a folder is said to be that
            known = ", ".join(sorted(_SUFFIXES))
            raise Fault(f"the suffix must tell the format ({known}); or give `format`")
        unit = "row" if kind == "parquet" else "line"
        readers = (_text_of, _label_of)
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
            raise Fault("there are no rows of data. Add at least one")
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
    labels: Sequence[str], source: str | os.PathLike[str] | None = None, each: int = 1
) -> None:
    """Make sure that a classifier can be trained: two different labels, ``each`` often enough.

    Raises:
        DataFileError: there are no labels, all are the same, or one has fewer than ``each``
            examples; the message names ``source``.
    """
    start = "" if source is None else f"{name_of(source)}: "
    if len(set(labels)) < 2:
        found = f"all {len(labels)} are {shown(labels[0])}" if labels else "there are none"
        raise DataFileError(
            f"{start}a classifier needs at least two different labels; {found}. Add examples of "
            "another label, or name another column."
        )
    counts = Counter(labels)
    if rare := [label for label, count in counts.items() if count < each]:
        raise DataFileError(
            f"{start}every label needs at least {each} examples; fewer are there of "
            f"{listed(rare, 5)}. Add examples, leave these labels out, or name another column if "
            "these are no labels."
        )


def _read_csv(path: str | os.PathLike[str], names: list[str]) -> Iterator[_Row]:
    rows = csv_rows(read_utf8(path))
    return _columns_of(rows, names, "Put quotes around a text that has commas")


def _read_tsv(path: str | os.PathLike[str], names: list[str]) -> Iterator[_Row]:
    content = read_utf8(path)
    lines = enumerate(lines_of(content), start=1)
    rows = [(number, line.split("\t")) for number, line in lines if line or "\t" not in content]
    return _columns_of(rows, names, "A text cannot hold tabs or line breaks in this format")


def _columns_of(rows: list[tuple[int, list[str]]], names: list[str], remedy: str) -> Iterator[_Row]:
    """The columns asked for, below the header or, when they are numbers, from the first row on."""
    header = [cell.strip() for cell in rows[0][1]]
    width = len(header)
    if all(re.fullmatch("[0-9]+", name) for name in names) and not set(names) <= set(header):
        wrong = [name for name in names if not 1 <= int(name) <= width]
        if wrong:
            raise Fault(f"there is no column {wrong[0]}; they count from 1 to {width}", "line 1")
        columns = [int(name) - 1 for name in names]
    else:
        columns = [_position(name, header, f"line {rows[0][0]}", header=True) for name in names]
        rows = rows[1:]
    for number, row in rows:
        if len(row) != width:
            hint = remedy if len(row) > width else "Fill up the row, with empty cells if need be"
            problem = f"expected {width} fields, as in the first row, found {len(row)}. {hint}"
            raise Fault(problem, f"line {number}")
        yield number, [row[column] for column in columns]


def _read_json_lines(path: str | os.PathLike[str], names: list[str]) -> Iterator[_Row]:
    for number, line in enumerate(lines_of(read_utf8(path)), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "too long a number, or too deep a list")
            problem = f"{shown(line)} is not JSON ({reason}). Write one whole object on each line"
            raise Fault(problem, place) from error
        if not isinstance(value, dict):
            problem = f"expected a JSON object, found {type_name(value)}. Write one on each line"
            raise Fault(problem, place)
        keys = list(value)
        yield number, [value[keys[_position(name, keys, place)]] for name in names]


def _read_parquet(path: str | os.PathLike[str], names: list[str]) -> Iterator[_Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(io.BytesIO(read_bytes(path))) as file:
            schema = file.schema_arrow
            for name, labels in zip(names, (False, True), strict=False):
                kind = schema.field(_position(name, schema.names, "the schema")).type
                if not _is_readable(kind, labels):
                    wanted = "strings, numbers or booleans" if labels else "strings"
                    problem = f"expected {wanted}, found {kind}. Name another column or convert it"
                    raise Fault(problem, f"column {shown(name)}")
            table = file.read(columns=names)
            values = [table.column(name).to_pylist() for name in names]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Fault(f"cannot be read as Parquet ({shown(error, 90)}). Write it again") from error
    return iter(enumerate(zip(*values, strict=True), start=1))


def _is_readable(kind: Any, labels: bool) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    checks = [types.is_string, types.is_large_string, types.is_string_view]
    if labels:
        checks += [types.is_integer, types.is_floating, types.is_boolean]
    return any(check(kind) for check in checks)


_READERS: dict[str, Callable[[str | os.PathLike[str], list[str]], Iterator[_Row]]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_json_lines,
    "parquet": _read_parquet,
}


def _position(name: str, columns: list[str], place: str, *, header: bool = False) -> int:
    """The position of the column ``name``, which must be there exactly once."""
    if columns.count(name) == 1:
        return columns.index(name)
    if name in columns:
        raise Fault(f"two columns are named {shown(name)}. Rename one of them", place)
    lower = [column.lower() for column in columns]
    near = get_close_matches(name.lower(), lower, n=1)
    hint = f"Name one of these{', or count columns from 1 if there is no header' * header}"
    if len(columns) == 1 and (found := [mark for mark in ";\t|," if mark in columns[0]]):
        mark = {"\t": "tabs"}.get(found[0], repr(found[0]))
        hint = f"The columns seem to be separated by {mark}: write them with commas, or as TSV"
    elif near:
        hint = f"Did you mean {shown(columns[lower.index(near[0])])}?"
    there = listed(columns)
    raise Fault(f"there is no column {shown(name)}; the columns are {there}. {hint}", place)


def _text_of(value: object) -> str:
    if not isinstance(value, str):
        raise Fault(f"expected a text, found {type_name(value)}. Write a string")
    return _encodable(value)


def _label_of(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value.strip()):
        raise Fault("the label is missing. Add it, or leave this example out")
    if not isinstance(value, (str, int, float)):
        wanted = "a string, a number or a boolean"
        raise Fault(f"expected a label, found {type_name(value)}. Write {wanted}")
    return _encodable(str(value).strip())


def _encodable(value: str) -> str:
    # JSON can spell half of a surrogate pair ("\ud83d"), which is no character.
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = ascii(value[error.start])
        raise Fault(f"{half} is half of a surrogate pair. Write a character") from error
    return value
