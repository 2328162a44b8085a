"""Reading lines of a file block by block."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rowwise.text.reading import (
    BYTE_ORDER_MARK,
    decoded,
    lines_of,
    open_bytes,
    reading_faults,
)

# Large enough that arrays pay off, small enough that some of them are no matter.
BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class Block:
    """Whole lines of a file.

    Attributes:
        content: the lines, as bytes.
        text: the same, decoded.
        place: the byte of the file at which they begin.
        first: the number of the first line.
    """

    content: bytes
    text: str
    place: int
    first: int

    @cached_property
    def lines(self) -> list[str]:
        r"""The lines, less ``\n`` or ``\r\n``."""
        return lines_of(self.text)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The byte of the file at which each line begins, int64 ``(lines,)``."""
        ends = np.flatnonzero(np.frombuffer(self.content, dtype=np.uint8) == ord("\n"))
        starts = np.full(len(self.lines), self.place, dtype=np.int64)
        starts[1:] += ends[: len(starts) - 1] + 1
        return starts

    def numbered(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers."""
        return enumerate(self.lines, self.first)

    def ended(self) -> Iterator[str]:
        """The lines, each with the end that it has in the file."""
        return iter(io.StringIO(self.text, newline="\n"))


def blocks_of(
    path: str,
    start: int = 0,
    end: int | None = None,
    first: int = 1,
    size: int | None = None,
) -> Iterator[Block]:
    """The lines of a file, or of a part of it, in blocks.

    A longer line makes a longer block. A byte order mark is left out.

    Args:
        path: the file, unpacked if its name ends in ``.gz``.
        start: the byte at which a line begins.
        end: the byte at which another begins; None: the end of the file.
        first: the number of the first line.
        size: about how many bytes a block has; None: ``BLOCK_BYTES``.

    Raises:
        Fault: the file cannot be read, or is not UTF-8; the place is the line.
    """
    for place, content in _whole_lines(path, start, end, size):
        yield Block(content, decoded(content, first), place, first)
        first += content.count(b"\n")


def count_lines(path: str, end: int) -> int:
    """How many lines end in the first ``end`` bytes of a file.

    Raises:
        Fault: the file cannot be read.
    """
    return sum(chunk.count(b"\n") for chunk in _chunks(path, 0, end))


def next_line(path: str, start: int, size: int) -> int:
    """The byte at which the first line after the byte ``start`` begins, or ``size``.

    Raises:
        Fault: the file cannot be read.
    """
    # The byte before may be the end of a line.
    place = max(start - 1, 0)
    for chunk in _chunks(path, place, size, 1 << 16):
        if (found := chunk.find(b"\n")) >= 0:
            return place + found + 1
        place += len(chunk)
    return size


def _whole_lines(
    path: str, start: int, end: int | None, size: int | None
) -> Iterator[tuple[int, bytes]]:
    """Bytes that are whole lines, and where in the file they begin."""
    pieces: list[bytes] = []
    place = start
    for chunk in _chunks(path, start, end, size):
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            pieces.append(chunk)
            continue
        content = b"".join([*pieces, chunk[:cut]])
        pieces = [chunk[cut:]]
        begin, inside = _without_mark(place, content)
        if inside:
            yield begin, inside
        place += len(content)
    if content := b"".join(pieces):
        place, content = _without_mark(place, content)
        if content:
            yield place, content


def _without_mark(place: int, content: bytes) -> tuple[int, bytes]:
    if place or not content.startswith(BYTE_ORDER_MARK):
        return place, content
    return len(BYTE_ORDER_MARK), content[len(BYTE_ORDER_MARK) :]


def _chunks(path: str, start: int, end: int | None, size: int | None = None) -> Iterator[bytes]:
    size = size or BLOCK_BYTES
    left = None if end is None else end - start
    with open_bytes(path) as stream:
        with reading_faults():
            stream.seek(start)
        while left is None or left > 0:
            # Not around the yield: others' errors are none of reading.
            with reading_faults():
                chunk = stream.read(size if left is None else min(size, left))
            if not chunk:
                return
            left = None if left is None else left - len(chunk)
            yield chunk
