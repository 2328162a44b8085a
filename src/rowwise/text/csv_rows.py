"""CSV rows, each with the line in which it begins, and what is wrong where one cannot be read."""

import csv
import io
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from rowwise.text.reading import Fault, shown

# csv reads fields of any length with this limit: a C long, which has 32 bits on some systems.
_NO_LIMIT = 2**31 - 1
# So many characters of rows are made at a time.
GROUP_CHARACTERS = 1 << 21
_limit_lock = threading.Lock()
_QUOTED = r'"[^"]*+(?:""[^"]*+)*+"'
_WHOLE_FIELD = re.compile(rf'(?:{_QUOTED}|[^",\r\n][^,\r\n]*+|)(?:,|\r?\n)')
_QUOTED_FIELD = re.compile(_QUOTED)


def csv_rows(content: str) -> list[tuple[int, list[str]]]:
    """The rows (RFC 4180) of ``content`` that are not blank, each with its first line, from 1.

    Raises:
        Fault: a quote or the end of a line stands where it must not; the place is its line.
    """
    groups = csv_row_groups(
        io.StringIO(content, newline="\n"), lambda: io.StringIO(content, newline="\n")
    )
    return [row for group in groups for row in group]


def csv_row_groups(
    lines: Iterable[str], again: Callable[[], Iterable[str]], characters: int | None = None
) -> Iterator[list[tuple[int, list[str]]]]:
    r"""The rows of ``csv_rows`` in groups.

    A group ends with the last line that was taken for it; the next one begins there.

    Args:
        lines: the lines, each with its ``\n``.
        again: gives the lines once more, to say what is wrong with one.
        characters: about how many a group has; None: ``GROUP_CHARACTERS``.

    Raises:
        Fault: as ``csv_rows``.
    """
    reader = csv.reader(lines, strict=True)
    start, ended = 1, False
    characters = characters or GROUP_CHARACTERS
    while not ended:
        group: list[tuple[int, list[str]]] = []
        size = 0
        # Not around the yield: what others read in between has its own limit.
        with _fields_of_any_length():
            try:
                while size < characters:
                    row = next(reader, None)
                    if row is None:
                        ended = True
                        break
                    if row:
                        group.append((start, row))
                        size += sum(map(len, row))
                    start = reader.line_num + 1
            except csv.Error as error:
                raise _fault_at(again(), start) from error
        yield group


def _fault_at(lines: Iterable[str], start: int) -> Fault:
    """What is wrong in a CSV row that begins at line ``start``: a quote, or a line's end."""
    rest = "".join(islice(lines, start - 1, None))
    offset = 0
    while (whole := _WHOLE_FIELD.match(rest, offset)) is not None:
        offset = whole.end()
    line = start + rest.count("\n", 0, offset)
    closed = _QUOTED_FIELD.match(rest, offset)
    if not rest.startswith('"', offset):
        problem = "a carriage return outside quotes. Quote the text, or end lines with a line feed"
        return Fault(problem, f"line {line}")
    remedy = 'Write a quote inside a text as ""'
    if closed is None:
        after = shown(rest[offset + 1 :])
        return Fault(f"the quote before {after} is never closed. {remedy}", f"line {line}")
    begin, after = shown(rest[offset:]), shown(rest[closed.end() :])
    problem = (
        f"the quoted text {begin}, begun in line {line}, ends where neither a comma nor the end of "
        f"the line follows, but {after}. {remedy}"
    )
    return Fault(problem, f"line {line + closed[0].count(chr(10))}")


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    # The limit belongs to the whole process, so it is put back; with the lock, no other reader
    # here finds it put back too early.
    with _limit_lock:
        before = csv.field_size_limit(_NO_LIMIT)
        try:
            yield
        finally:
            csv.field_size_limit(before)
