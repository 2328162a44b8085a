"""Text files of GloVe, word2vec and fastText: one word a line, then its numbers.

The file is read in blocks of half a MB. Threads parse them, and the rows go straight into the
table, so that nothing of the size of the file is ever in memory but the table itself.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from rowwise.errors import DataFileError
from rowwise.text.wording import counted
from rowwise.vectors.formats.format import Format, Loaded
from rowwise.vectors.formats.growing_table import GrowingTable
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import START_BYTES, Reader, Source
from rowwise.vectors.formats.table import new_report
from rowwise.vectors.formats.text_layout import BOM, Layout, looks_like_rows
from rowwise.vectors.formats.text_writing import write_glove, write_word2vec
from rowwise.vectors.report import LoadReport, Oddities

if TYPE_CHECKING:
    from rowwise.vectors.formats.text_blocks import Parsed

BLOCK_BYTES = 2**19
# A line longer than this is no row of vectors; it would be 800,000 numbers.
_LONGEST_LINE = 8 * 2**20
_MOST_THREADS = 4


def matches_word2vec(source: Source) -> bool:
    """Whether a line ends in a number after something else, and a header stands before."""
    return looks_like_rows(source.lines) and source.layout.header


def matches_glove(source: Source) -> bool:
    """Whether a line ends in a number after something else, and there is no header."""
    return looks_like_rows(source.lines) and not source.layout.header


def read(source: Source, request: Request) -> Loaded:
    """Words and rows (n, d).

    Raises:
        DataFileError: no line is a word and D numbers, many are not, or the file is cut short.
    """
    start = source.start
    if len(start) == START_BYTES and b"\n" not in start:
        raise DataFileError(
            f"{source.name!r} holds no vectors: its first line has more than {START_BYTES:,} bytes."
        )
    report = new_report(source, "word2vec-text" if source.layout.header else "glove")
    return read_rows(source, request, source.layout, report)


def read_rows(source: Source, request: Request, layout: Layout, report: LoadReport) -> Loaded:
    """The rows of a file of this layout."""
    table = GrowingTable(layout.columns, request)
    lines = 0
    with source.open() as reader:
        for parsed, done in _parsed_blocks(reader, source, request, layout):
            lines += len(parsed.lines) + len(parsed.malformed) + parsed.skipped
            for line, word in parsed.spaced:
                report.spaced.add(line, word)
            for line, reason in parsed.malformed:
                report.malformed.add(line, reason)
            if not request.strict:
                _give_up_on_prose(report, lines)
            table.add(parsed.words, parsed.rows, parsed.lines)
            if request.limit is None and request.only is None:
                table.expect(done / max(source.size, 1), source.packed is not None)
            if request.progress is not None:
                request.progress(done, source.size)
            if request.strict and report.malformed:
                table.finish(request, report)  # which raises for the first odd row of any kind
    if not lines and request.only is None:
        raise DataFileError(f"{source.name!r} holds no vectors: it has no line with a word.")
    if request.only is None and request.limit is None:
        _check_whole(source, layout, report, lines)
    elif report.malformed or not table.count:
        _check_sample(source, layout, report)
    return table.finish(request, report)


def _check_whole(source: Source, layout: Layout, report: LoadReport, lines: int) -> None:
    """Raise DataFileError where a file that was read to its end is prose or cut short."""
    _give_up_on_prose(report, lines, ended=True)
    if lines < layout.announced:
        raise DataFileError(
            f"{source.name!r} is cut short: its first line announces "
            f"{counted(layout.announced, 'word')}, and {lines:,} follow."
        )
    if layout.header and lines > layout.announced:
        report.notes.append(
            f"The first line announces {counted(layout.announced, 'word')}, and {lines:,} follow."
        )


def _check_sample(source: Source, layout: Layout, report: LoadReport) -> None:
    """Raise DataFileError where none of a file's first lines, wanted or not, is a row.

    Of some of the lines a tenth may be malformed by chance.
    """
    from rowwise.vectors.formats.text_blocks import BlockParser

    lines = source.lines[layout.header :]
    if lines:
        first = 1 + layout.header
        parse = BlockParser(layout, np.dtype("float32"), None)
        parsed = parse(b"\n".join([*lines, b""]), range(first, first + len(lines)))
        if parsed.malformed and not len(parsed.lines):
            report.malformed = Oddities(len(parsed.malformed), parsed.malformed)
            _give_up_on_prose(report, len(lines), ended=True)


def _give_up_on_prose(report: LoadReport, lines: int, ended: bool = False) -> None:
    """Raise DataFileError where more than a tenth of the lines are malformed."""
    if len(report.malformed) * 10 > lines and (ended or lines >= 1000):
        line, reason = report.malformed.examples[0]
        raise DataFileError(
            f"{report.path!r}, line {line}: {reason}. Is this a file of word vectors? "
            f"{len(report.malformed):,} of its first {lines:,} lines are malformed."
        )


def _parsed_blocks(
    reader: Reader, source: Source, request: Request, layout: Layout
) -> "Iterator[tuple[Parsed, int]]":
    """The blocks in their order, each with the bytes read up to its end; parsed by threads."""
    from rowwise.vectors.formats.text_blocks import BlockParser

    parse = BlockParser(layout, np.dtype(request.dtype), _chooser(request, layout))
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[tuple[Future[Parsed], int]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            blocks = _blocks(reader, source.name, layout.header)
            if request.limit is not None:
                blocks = _limited(blocks, request.limit, layout.separator)
            for block, lines in blocks:
                waiting.append((pool.submit(parse, block, lines), reader.done()))
                if len(waiting) > threads:
                    future, done = waiting.popleft()
                    yield future.result(), done
            while waiting:
                future, done = waiting.popleft()
                yield future.result(), done
        finally:
            for future, _ in waiting:
                future.cancel()


def _blocks(reader: Reader, name: str, header: bool) -> Iterator[tuple[bytes, range]]:
    """Blocks of whole lines, each with their numbers."""
    line, pieces, length = 1, list[bytes](), 0
    first = True
    while read := reader.read(BLOCK_BYTES):
        if first:
            read, first = read.removeprefix(BOM), False
        end = read.rfind(b"\n") + 1
        if not end:
            pieces.append(read)
            length += len(read)
            if length > _LONGEST_LINE:
                raise DataFileError(
                    f"{name!r}, line {line}: a line of more than {_LONGEST_LINE:,} bytes. Is this "
                    "a file of word vectors?"
                )
            continue
        block = b"".join([*pieces, memoryview(read)[:end]])
        pieces, length = [read[end:]], len(read) - end
        if header:
            block = block[block.index(b"\n") + 1 :]
            line, header = 2, False
        lines = range(line, line + block.count(b"\n"))
        if block:
            yield block, lines
        line = lines.stop
    last = b"".join(pieces)
    if last and not header:
        yield last + b"\n", range(line, line + 1)


def _limited(
    blocks: Iterator[tuple[bytes, range]], limit: int, separator: bytes
) -> Iterator[tuple[bytes, range]]:
    """The first ``limit`` lines that are not empty."""
    for block, lines in blocks:
        end = count = 0
        for line in block[:-1].split(b"\n"):
            limit -= bool(line.removesuffix(b"\r").rstrip(separator))
            end, count = end + len(line) + 1, count + 1
            if not limit:
                break
        yield block[:end], lines[:count]
        if not limit:
            return


def _chooser(request: Request, layout: Layout) -> "Callable[[bytes], bool] | None":
    """Tells by the first field of a line whether its word may be wanted."""
    only = request.only
    if only is None or not layout.words:
        return None
    separator = layout.separator.decode()
    if request.lowercase:
        firsts = {word.split(separator)[0] for word in only}
        return lambda field: field.decode("utf-8", "replace").lower() in firsts
    # A word with separators is known by its first part; U+FFFD may be any bytes.
    if any("\ufffd" in word for word in only):
        parts = {word.split(separator)[0] for word in only}
        return lambda field: field.decode("utf-8", "replace") in parts
    encoded = {word.split(separator)[0].encode("utf-8", "surrogatepass") for word in only}
    return encoded.__contains__


WORD2VEC_TEXT = Format(
    name="word2vec-text",
    about="text of word2vec and fastText: a header, then a word and its numbers a line",
    matches=matches_word2vec,
    read=read,
    write=write_word2vec,
    suffixes=(".txt", ".vec"),
    streamed=True,
)
GLOVE = Format(
    name="glove",
    about="text of GloVe: a word and its numbers a line, without a header",
    matches=matches_glove,
    read=read,
    write=write_glove,
    suffixes=(".glove",),
    streamed=True,
)
