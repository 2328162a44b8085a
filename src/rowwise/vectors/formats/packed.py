"""Packed files: gzip, bzip2, xz and zstd, told by their first bytes and read as streams."""

import bz2
import gzip
import io
import lzma
from typing import IO, Any, BinaryIO, cast

from rowwise.errors import DataFileError
from rowwise.vectors.formats.damage import damage_named

_STARTS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}

# Vectors written as text pack to a tenth at best, and a table of zeros to a thousandth. What
# unpacks to more than this many times its size was made to fill a memory.
MOST_TIMES = 200
# Up to this size anything may unpack.
HARMLESS_BYTES = 64 * 2**20
# An xz file says how much memory unpacking takes; its own tool asks for 65 MiB at most.
_XZ_MEMORY = 256 * 2**20


def packing_of(start: bytes) -> str | None:
    """How a file with these first bytes is packed, or None."""
    return next((name for magic, name in _STARTS.items() if start.startswith(magic)), None)


def unpacked(file: BinaryIO, packing: str) -> BinaryIO:
    """The content of a packed file, as a stream."""
    if packing == "gzip":
        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if packing == "bzip2":
        return cast(BinaryIO, bz2.BZ2File(file))
    if packing == "xz":
        return cast(BinaryIO, io.BufferedReader(_XzReader(file), 2**20))
    import pyarrow as pa

    return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd"))


def packer(file: BinaryIO, packing: str) -> IO[bytes]:
    """A stream that packs what is written to it into ``file``, which stays open."""
    if packing == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0))
    if packing == "bzip2":
        return cast(IO[bytes], bz2.BZ2File(file, "wb"))
    if packing == "xz":
        return cast(IO[bytes], lzma.LZMAFile(file, "wb", preset=3))
    import pyarrow as pa

    return cast(IO[bytes], pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd"))


class _XzReader(io.RawIOBase):
    """An xz file, unpacked within a limit of memory, which ``lzma.LZMAFile`` does not have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._unpack = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        self._started = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._unpack.eof:
                rest = self._unpack.unused_data.lstrip(b"\0") or self._file.read(2**16)
                if not rest.strip(b"\0"):
                    if rest:
                        continue
                    return 0
                self._unpack = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
            else:
                rest = self._file.read(2**16) if self._unpack.needs_input else b""
                if self._unpack.needs_input and not rest:
                    raise EOFError("the file ends early")
            found = self._unpack.decompress(rest, len(buffer))
            if found:
                buffer[: len(found)] = found
                return len(found)


class GuardedReader:
    """A stream that is unpacked while it is read, and stops before it fills the memory.

    Args:
        stream: unpacks.
        packed_size: bytes of the packed file.
        name: of the file, for messages.
    """

    def __init__(self, stream: IO[bytes], packed_size: int, name: str) -> None:
        self._stream = stream
        self._name = name
        self._most = max(HARMLESS_BYTES, MOST_TIMES * packed_size)
        self._read = 0

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, fewer only at the end; DataFileError for a damaged file."""
        pieces: list[bytes] = []
        left = size
        with damage_named(
            f"{self._name!r} is damaged or cut short; it cannot be unpacked", "Get it once more."
        ):
            while left and (piece := self._stream.read(left)):
                pieces.append(piece)
                left -= len(piece)
        self._read += size - left
        if self._read > self._most:
            raise DataFileError(
                f"{self._name!r} unpacks to more than {self._most:,} bytes, which is {MOST_TIMES} "
                "times its size or more. That is no file of vectors; if you trust it, unpack it "
                "with another tool and load the result."
            )
        return b"".join(pieces)

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
