"""Reading files of text, and saying what is wrong with them, where, and what to do."""

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from rowwise.errors import DataFileError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What is wrong with a file that has no text, or no example.
EMPTY = "the file is empty. Expected text"
NO_ROWS = "there are no rows of data. Add at least one"

_TYPE_NAMES = {type(None): "null", bool: "a boolean", int: "a number", float: "a number"}
_TYPE_NAMES |= {str: "a string", list: "a list", dict: "an object"}


class Fault(Exception):
    """What is wrong, and in which line or row; the public functions add the file's name."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.place = place


def read_utf8(path: str | os.PathLike[str], blank: bool = False) -> str:
    """The text of a file (standard input for ``"-"``) in UTF-8, less a byte order mark.

    Raises:
        Fault: it cannot be read, is empty (or, unless ``blank``, white space), or is not UTF-8.
    """
    content = read_bytes(path).removeprefix(BYTE_ORDER_MARK)
    if not (content if blank else content.strip()):
        raise Fault(EMPTY)
    return decoded(content)


def decoded(content: bytes, first_line: int = 1) -> str:
    """UTF-8 as a string.

    Args:
        content: the bytes.
        first_line: the number of their first line, for error messages.

    Raises:
        Fault: they are not UTF-8, or hold a NUL byte; the place is the line.
    """
    if (nul := content.find(b"\0")) >= 0:
        problem = "a NUL byte: this is UTF-16 or no text at all. Save the file as UTF-8"
        raise Fault(problem, f"line {first_line + content.count(bytes([10]), 0, nul)}")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8. Save the file as UTF-8"
        place = f"line {first_line + content.count(bytes([10]), 0, error.start)}"
        raise Fault(problem, place) from error


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file, unpacked if its name ends in ``.gz``; standard input for ``"-"``.

    Raises:
        Fault: it cannot be read.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    with reading_faults():
        content = Path(path).read_bytes()
        return gzip.decompress(content) if is_packed(path) else content


def open_bytes(path: str | os.PathLike[str]) -> BinaryIO:
    """A stream of what ``read_bytes`` returns.

    Raises:
        Fault: the file cannot be opened. Reading may fail, too: do it in ``reading_faults``.
    """
    with reading_faults():
        return cast(BinaryIO, gzip.open(path)) if is_packed(path) else Path(path).open("rb")


def look_at(path: str | os.PathLike[str]) -> os.stat_result:
    """The size and the time of a file that is going to be read more than once.

    Raises:
        Fault: it cannot be opened, or is a pipe or a device; opening a pipe could take forever.
    """
    with reading_faults():
        found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        raise Fault("this is a pipe or a device, which cannot be read twice. Write it to a file")
    open_bytes(path).close()
    return found


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Whether a file is packed with gzip, by its name."""
    return Path(path).suffix.lower() == ".gz"


@contextmanager
def reading_faults() -> Iterator[None]:
    """Turn what goes wrong in reading and unpacking a file into a ``Fault``."""
    try:
        yield
    except FileNotFoundError as error:
        raise Fault("there is no such file. Check the path") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Fault(f"cannot be unpacked with gzip ({shown(error)}). Pack it again") from error
    except IsADirectoryError as error:
        raise Fault("this is a folder. Name a file in it") from error
    except OSError as error:
        raise Fault(f"cannot be read: {error.strerror}. Name a file that can be") from error


def lines_of(content: str) -> list[str]:
    r"""The lines, less ``\n`` or ``\r\n``; str.splitlines would also split at U+2028 and so on."""
    lines = content.removesuffix("\n").split("\n")
    return [line.removesuffix("\r") for line in lines] if "\r" in content else lines


@contextmanager
def naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn a ``Fault`` in the block into a DataFileError that names the file and the place."""
    try:
        yield
    except Fault as fault:
        place = f", {fault.place}" if fault.place else ""
        end = "" if str(fault).endswith("?") else "."
        raise DataFileError(f"{name_of(path)}{place}: {fault}{end}") from fault.__cause__


def name_of(path: str | os.PathLike[str]) -> str:
    """A file as messages name it."""
    return "standard input" if path == "-" else repr(os.fspath(path))


def shown(value: object, limit: int = 40) -> str:
    """On one line, and at most ``limit`` characters of it."""
    text = str(value)
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")


def listed(names: Iterable[str], limit: int = 20) -> str:
    """The first ``limit`` names, and how many more there are."""
    items = [shown(name) for name in names]
    more = f" and {len(items) - limit} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def type_name(value: object) -> str:
    """What JSON calls the type of ``value``."""
    return _TYPE_NAMES.get(type(value), type(value).__name__)
