r"""word2vec's binary files: a header, then each word, a space and D native float32.

A line break may stand after the numbers (the C tool writes it, gensim does not), so leading ones
are no part of a word. Words are cut near 100 bytes by the C tool, so UTF-8 can be broken.
"""

import re
from typing import Any

import numpy as np

from rowwise.errors import DataFileError
from rowwise.text.wording import counted
from rowwise.vectors.formats.format import Content, Format, Loaded
from rowwise.vectors.formats.growing_table import GrowingTable
from rowwise.vectors.formats.holding import LONGEST_WORD, check_rows, check_words
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source
from rowwise.vectors.formats.table import new_report
from rowwise.vectors.formats.text_layout import MOST_COLUMNS, is_number
from rowwise.vectors.packing import PackedWords

_WHAT = "binary format of word2vec"
_BLOCK_BYTES = 4 * 2**20
_BLOCK_ROWS = 8_192
_HEADER = re.compile(rb"(\d{1,18}) (\d{1,18}) ?\r?\n")


def matches(source: Source) -> bool:
    """Whether a header is followed by a word and something that is no numbers in text."""
    start = source.start
    header = _HEADER.match(start)
    if header is None or not 0 < int(header[2]) < MOST_COLUMNS:
        return False
    columns = int(header[2])
    following = start[header.end() :].lstrip(b"\n")
    if not following:
        return False
    line = following.split(b"\n", 1)[0].removesuffix(b"\r").rstrip(b" \t")
    for separator in (b" ", b"\t"):
        fields = line.split(separator)[-columns:]
        if len(fields) == columns and all(map(is_number, fields)) and line.count(separator):
            return False  # a line of text
    if b"\n" not in following and _is_cut_row(following):
        return False
    space = following.find(b" ")
    if not 0 <= space <= LONGEST_WORD:
        return False
    # Lines of text, of which the first is malformed, are text all the same.
    return not _is_text(following[: 2**14], columns)


def _is_cut_row(line: bytes) -> bool:
    """Whether this is the start of a line of text, longer than what formats are told by."""
    numbers = line.split(b" ")[1:-1]
    return len(numbers) > 1 and all(map(is_number, numbers))


def _is_text(following: bytes, columns: int) -> bool:
    lines = [line.rstrip(b" \r\t") for line in following.split(b"\n")[:20]]
    rows = [line.replace(b"\t", b" ").split(b" ") for line in lines if line]
    good = sum(_is_row(row, columns) for row in rows)
    return good > 0 and 2 * good >= len(rows) - 1


def _is_row(fields: list[bytes], columns: int) -> bool:
    """Whether a line has as many numbers as it should, or a word and nothing but numbers."""
    enough = len(fields) >= columns and all(map(is_number, fields[-columns:]))
    return enough or (len(fields) > 2 and all(map(is_number, fields[1:])))


def read(source: Source, request: Request) -> Loaded:
    """Words and rows (n, d); DataFileError when the file is cut short."""
    report = new_report(source, "word2vec-binary")
    header = _HEADER.match(source.start)
    if header is None:
        raise DataFileError(
            f"{source.name!r} is no binary file of word2vec: it does not start with the number of "
            "words and of columns."
        )
    announced, columns = int(header[1]), int(header[2])
    width = 4 * columns
    table = GrowingTable(columns, request)
    # Words that are folded or may hold U+FFFD are told when all are there.
    only = request.only
    if only is not None and (request.lowercase or any("\ufffd" in word for word in only)):
        only = None
    wanted = None if only is None else {word.encode("utf-8", "surrogatepass") for word in only}
    promised = announced if request.limit is None else min(announced, request.limit)
    row = 0
    with source.open() as reader:
        reader.read(header.end())
        piece = b""
        while row < promised:
            more = reader.read(max(_BLOCK_BYTES, width))
            piece += more
            position, words, rows, lines = 0, [], [], []
            while row < promised:
                space = piece.find(b" ", position)
                end = space + 1 + width
                if space < 0 or end > len(piece):
                    break
                word = piece[position:space].lstrip(b"\n")
                row += 1
                position = end
                if wanted is None or word in wanted:
                    words.append(word)
                    rows.append(piece[space + 1 : end])
                    lines.append(row)
            numbers = np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), columns)
            table.add(PackedWords.join(words), numbers, lines)
            if request.limit is None and wanted is None:
                table.expect(reader.done() / max(source.size, 1), source.packed is not None)
            if request.progress is not None:
                request.progress(reader.done(), source.size)
            piece = piece[position:]
            if len(piece.lstrip(b"\n")) > LONGEST_WORD + 1 + width and b" " not in piece:
                raise DataFileError(
                    f"{source.name!r} is damaged: row {row + 1:,} has a word of more than "
                    f"{LONGEST_WORD:,} bytes."
                )
            if not more and row < promised:
                raise DataFileError(
                    f"{source.name!r} is cut short: it announces {counted(announced, 'word')}, "
                    f"and {row:,} follow."
                )
    return table.finish(request, report)


def write(file: Any, content: Content) -> None:
    """Write word2vec's binary format, as the C tool does.

    Raises:
        InvalidArgumentError: a word is empty, too long, or holds a space or a line break, or there
            are no rows or too many columns.
    """
    check_words(content.words, _WHAT, " \n", longest=LONGEST_WORD)
    check_rows(content.rows, _WHAT, most_columns=MOST_COLUMNS - 1)
    rows = content.rows
    file.write(f"{rows.shape[0]} {rows.shape[1]}\n".encode())
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = np.ascontiguousarray(rows[start : start + _BLOCK_ROWS], dtype="<f4")
        for word, row in zip(content.words[start : start + len(block)], block, strict=True):
            file.write(word.encode("utf-8") + b" " + row.tobytes() + b"\n")


WORD2VEC_BINARY = Format(
    name="word2vec-binary",
    about="word2vec's binary: a header, then a word and its float32 numbers",
    matches=matches,
    read=read,
    write=write,
    suffixes=(".bin", ".w2v"),
    streamed=True,
    float32_only=True,
)
