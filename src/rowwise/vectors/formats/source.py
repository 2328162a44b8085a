"""A file to read vectors from, packed or not: its first bytes, a stream, or all of it as bytes."""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.packed import GuardedReader, packing_of, unpacked
from rowwise.vectors.formats.text_layout import Layout, find_layout, first_lines

# Formats are told by so many bytes, which are to hold several rows of a text file.
START_BYTES = 2**20
_PIECE = 4 * 2**20


class Reader:
    """A stream of a source's content, which knows how far in the file it is."""

    def __init__(self, stream: "GuardedReader | IO[bytes]", done: Callable[[], int]) -> None:
        self._stream = stream
        self.done = done
        """Bytes of the file, packed as they are, that were read so far."""

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, fewer only at the end."""
        return self._stream.read(size)


@dataclass(frozen=True)
class Source:
    """A file, or a member of a zip file, or a folder.

    Attributes:
        path: the file or folder.
        packed: how it is packed (``gzip``, ``bzip2``, ``xz``, ``zstd``, ``zip``), or None.
        member: the member's name in a zip.
    """

    path: Path
    packed: str | None = None
    member: str | None = None

    @property
    def name(self) -> str:
        """For messages."""
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder of files."""
        return self.member is None and self.path.is_dir()

    @cached_property
    def start(self) -> bytes:
        """The first ``START_BYTES`` bytes of the content; none of a folder."""
        if self.is_folder:
            return b""
        with self.open() as reader:
            return reader.read(START_BYTES)

    @cached_property
    def lines(self) -> list[bytes]:
        """The first whole lines of the content, at most ``MOST_LINES``."""
        return first_lines(self.start, START_BYTES)

    @cached_property
    def layout(self) -> Layout:
        """How the lines of a text are laid out; DataFileError where it is no text of vectors."""
        return find_layout(self.lines, self.name)

    @cached_property
    def size(self) -> int:
        """Bytes of the file, packed as it is."""
        if self.member is None:
            return self.path.stat().st_size
        with damage_named(f"{self.name!r} cannot be read"), zipfile.ZipFile(self.path) as archive:
            return archive.getinfo(self.member).compress_size

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """The content as a stream."""
        if self.packed == "zip":
            with self._open_member() as reader:
                yield reader
            return
        with self.path.open("rb") as file:
            if self.packed is None:
                yield Reader(file, file.tell)
                return
            with damage_named(f"{self.name!r} cannot be unpacked"):
                stream = unpacked(cast(BinaryIO, file), self.packed)
            guarded = GuardedReader(stream, self.size, self.name)
            try:
                yield Reader(guarded, file.tell)
            finally:
                guarded.close()

    @contextmanager
    def _open_member(self) -> Iterator[Reader]:
        with damage_named(f"{str(self.path)!r} is no whole zip file"):
            archive = zipfile.ZipFile(self.path)
        with archive:
            with damage_named(f"{self.name!r} cannot be read"):
                info = archive.getinfo(str(self.member))
                stream = archive.open(info)
            packed_size = min(info.compress_size, self.path.stat().st_size)
            guarded = GuardedReader(stream, packed_size, self.name)
            progress = max(info.file_size, 1)
            try:
                yield Reader(guarded, lambda: int(stream.tell() / progress * packed_size))
            finally:
                guarded.close()

    @cached_property
    def content(self) -> npt.NDArray[np.uint8]:
        """All bytes, read only: a memory map, or in memory where the file is packed."""
        if self.packed is None:
            if not self.path.stat().st_size:
                return np.empty(0, dtype=np.uint8)
            return np.memmap(self.path, dtype=np.uint8, mode="r")
        whole = io.BytesIO()
        with self.open() as reader:
            while piece := reader.read(_PIECE):
                whole.write(piece)
        content: npt.NDArray[np.uint8] = np.frombuffer(whole.getbuffer(), dtype=np.uint8)
        content.flags.writeable = False
        return content


def plain_source(path: Path) -> Source:
    """The source at ``path``, with what it is packed by; zip files are opened elsewhere.

    Raises:
        DataFileError: there is nothing there.
    """
    # Not the methods of Path, which raise OSError for a name that is too long.
    if os.path.isdir(path):
        return Source(path)
    if not os.path.isfile(path):
        raise DataFileError(f"There is no file of vectors at {str(path)!r}. Check the path.")
    with path.open("rb") as file:
        return Source(path, packed=packing_of(file.read(8)))
