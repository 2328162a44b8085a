r"""How a text file of vectors is laid out, told by its first lines.

Lines end at ``\n`` alone, since words hold U+0085, U+2028 and other characters at which Python's
text mode would split. word2vec and fastText write a header ``V D`` first, GloVe does not.
"""

from collections import Counter
from dataclasses import dataclass

from rowwise.errors import DataFileError

BOM = b"\xef\xbb\xbf"
# A line of more numbers does not fit into the bytes that formats are told by.
MOST_COLUMNS = 500_000
MOST_LINES = 200


@dataclass(frozen=True)
class Layout:
    """How the lines of a text file are to be read."""

    columns: int
    separator: bytes = b" "
    header: bool = False
    announced: int = 0
    """Rows that the header promises."""
    words: bool = True
    """Whether a line starts with a word; otherwise all of its fields are numbers."""


def first_lines(start: bytes, size: int) -> list[bytes]:
    """The whole lines in a file's first bytes, which are all of it if they are fewer than size."""
    lines = start.removeprefix(BOM).split(b"\n")
    if len(start) >= size or not lines[-1]:
        lines.pop()
    return lines[:MOST_LINES]


def header_of(line: bytes) -> tuple[int, int] | None:
    """Rows and columns that a header announces, or None for another line."""
    fields = line.split()
    # More digits than an int64 has are no number of rows.
    if len(fields) == 2 and all(field.isdigit() and len(field) < 20 for field in fields):
        return int(fields[0]), int(fields[1])
    return None


def _is_floret(line: bytes) -> bool:
    """Whether this is floret's header: six whole numbers, and what a word starts and ends with."""
    fields = line.split(b" ")
    return len(fields) == 8 and all(map(bytes.isdigit, fields[:6])) and not is_number(fields[6])


def find_layout(lines: list[bytes], name: str) -> Layout:
    """The layout of a file that starts with these lines.

    Raises:
        DataFileError: none of them is a word and numbers.
    """
    lines = [_trimmed(line) for line in lines]
    if lines and _is_floret(lines[0]):
        raise DataFileError(
            f"{name!r} is a table of floret: rows of buckets that n-grams are hashed to, without "
            "words. Load the .vec that floret writes of its words."
        )
    header = header_of(lines[0]) if lines else None
    following = [line for line in lines[1:] if line]
    fits = header is not None and 0 < header[1] < MOST_COLUMNS and _fits(following, header[1])
    if header is not None and fits and not _have_more(following, header[1]):
        separator = _separator(following)
        return Layout(header[1], separator, header=True, announced=header[0])
    if header is not None and _most_fields(following, _separator(following)) > 2:
        raise DataFileError(
            f"{name!r} announces {header[1]:,} columns in its first line, and the lines that "
            "follow have another number of them."
        )
    filled = [line for line in lines if line]
    if not filled:
        raise DataFileError(f"{name!r} holds no vectors: it has no line with a word.")
    separator = _separator(filled)
    fields = _most_fields(filled, separator)
    if fields < 2:
        raise DataFileError(
            f"{name!r}, line 1: expected a word and some numbers, found one field. Is this a file "
            "of word vectors?"
        )
    if separator == b"\t" and all(map(is_number, filled[0].split(separator))):
        numbers = sum(all(map(is_number, line.split(separator))) for line in filled)
        if numbers == len(filled):
            return Layout(fields, separator, words=False)
    return Layout(fields - 1, separator)


def is_number(field: bytes) -> bool:
    """Whether a field is a number as C and Python print it."""
    if not field or field[0] in b" _" or b"_" in field:
        return False
    try:
        float(field)
    except ValueError:
        return False
    return True


def looks_like_rows(lines: list[bytes]) -> bool:
    """Whether the first line that is filled ends in a number, after something else."""
    for line in lines:
        fields = _trimmed(line).replace(b"\t", b" ").split(b" ")
        if len(fields) > 1:
            return is_number(fields[-1])
    return False


def _trimmed(line: bytes) -> bytes:
    return line.removesuffix(b"\r").rstrip(b" \t")


def _separator(lines: list[bytes]) -> bytes:
    """Tab where every line has one and its last field, so cut, is a number; else the space."""
    tabs = bool(lines) and all(
        b"\t" in line and is_number(line.rsplit(b"\t", 1)[1]) for line in lines
    )
    return b"\t" if tabs else b" "


def _have_more(lines: list[bytes], columns: int) -> bool:
    """Whether lines have a word and more than so many numbers, each as many as the others.

    Words may hold spaces, and one or two may end in numbers, but not those of all lines.
    """
    separator = _separator(lines)
    rows = [line.split(separator)[1:] for line in lines]
    return (
        len(rows) > 2
        and len(rows[0]) > columns
        and all(len(row) == len(rows[0]) and all(map(is_number, row)) for row in rows)
    )


def _most_fields(lines: list[bytes], separator: bytes) -> int:
    """The number of fields that most of the lines have; 0 where there are none."""
    counts = Counter(len(line.split(separator)) for line in lines)
    return counts.most_common(1)[0][0] if counts else 0


def _fits(lines: list[bytes], columns: int) -> bool:
    """Whether at least half of the lines, if there are any, have a word and so many numbers."""
    separator = _separator(lines)
    enough = sum(len(line.split(separator)) > columns for line in lines)
    return 2 * enough >= len(lines)
