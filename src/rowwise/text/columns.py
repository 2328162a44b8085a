"""Finding the columns of a file by their names, and the values in its rows."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from rowwise.text.reading import Fault, listed, shown, type_name

# The line or row (from 1) in which something stands, and the values of the columns asked for.
Row = tuple[int, Sequence[Any]]

# What to do about a row with too many cells.
CSV_REMEDY = "Put quotes around a text that has commas"
TSV_REMEDY = "A text cannot hold tabs or line breaks in this format"


@dataclass(frozen=True)
class Columns:
    """Which columns of a CSV or TSV file were asked for."""

    places: list[int]
    """From 0."""
    width: int
    """How many columns there are."""
    header: bool
    """Whether the first row names them, and is no row of data."""


def columns_in(first_row: tuple[int, list[str]], names: Sequence[str]) -> Columns:
    """Find columns by the header or, when all names are numbers that are not in it, by number.

    Args:
        first_row: the line in which the first row stands, and its cells.
        names: the columns that are asked for.

    Raises:
        Fault: there is no such column.
    """
    header = [cell.strip() for cell in first_row[1]]
    width = len(header)
    if all(re.fullmatch("[0-9]+", name) for name in names) and not set(names) <= set(header):
        wrong = [name for name in names if not 1 <= int(name) <= width]
        if wrong:
            raise Fault(f"there is no column {wrong[0]}; they count from 1 to {width}", "line 1")
        return Columns([int(name) - 1 for name in names], width, header=False)
    place = f"line {first_row[0]}"
    return Columns([position(name, header, place, header=True) for name in names], width, True)


def cells_of(rows: Iterable[tuple[int, list[str]]], columns: Columns, remedy: str) -> Iterator[Row]:
    """The cells of the columns asked for.

    Args:
        rows: rows of data, each with its line.
        columns: the columns.
        remedy: what to do about a row with too many cells.

    Raises:
        Fault: a row has more or fewer cells than the first.
    """
    width, places = columns.width, columns.places
    for number, row in rows:
        if len(row) != width:
            hint = remedy if len(row) > width else "Fill up the row, with empty cells if need be"
            problem = f"expected {width} fields, as in the first row, found {len(row)}. {hint}"
            raise Fault(problem, f"line {number}")
        yield number, [row[place] for place in places]


def json_values(lines: Iterable[tuple[int, str]], names: Sequence[str]) -> Iterator[Row]:
    """The values of the columns asked for, of lines that are one JSON object each.

    Args:
        lines: lines with their numbers; blank ones are left out.
        names: the columns.

    Raises:
        Fault: a line is something else, or has no such column.
    """
    for number, line in lines:
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
        yield number, [value[keys[position(name, keys, place)]] for name in names]


def position(name: str, columns: list[str], place: str, *, header: bool = False) -> int:
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


def text_of(value: object) -> str:
    """A text.

    Raises:
        Fault: it is not a string, or holds half of a surrogate pair.
    """
    if not isinstance(value, str):
        raise Fault(f"expected a text, found {type_name(value)}. Write a string")
    return _encodable(value)


def label_of(value: object) -> str:
    """A label, as a string.

    Raises:
        Fault: it is missing, or neither a string nor a number.
    """
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    if missing or (isinstance(value, str) and not value.strip()):
        raise Fault("the label is missing. Add it, or leave this example out")
    if not isinstance(value, (str, int, float)):
        wanted = "a string, a number or a boolean"
        raise Fault(f"expected a label, found {type_name(value)}. Write {wanted}")
    return _encodable(str(value).strip())


def weight_of(value: object) -> float:
    """The weight of an example.

    Raises:
        Fault: it is no number of at least 0.
    """
    try:
        weight = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        weight = math.nan
    if not 0 <= weight < math.inf:
        raise Fault(f"expected a weight, found {shown(value)}. Write a number of at least 0")
    return weight


def _encodable(value: str) -> str:
    # JSON can spell half of a surrogate pair ("\ud83d"), which is no character.
    try:
        value.encode()
    except UnicodeEncodeError as error:
        half = ascii(value[error.start])
        raise Fault(f"{half} is half of a surrogate pair. Write a character") from error
    return value
