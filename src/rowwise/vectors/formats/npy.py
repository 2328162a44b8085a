r"""NumPy's ``.npy``, with the words in a file beside it, a word a line.

The words of ``NAME.npy`` are written to ``NAME.words.txt``. Others put them in ``NAME.txt``, where
they are found, too, but which may as well be the text that the rows were converted from.

Layout: ``\x93NUMPY``, two bytes of version, the header's length, a header in Python's notation,
which is read as such and not run, then the numbers.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.vectors.formats.damage import damage_named
from rowwise.vectors.formats.format import Companion, Content, Format, Loaded
from rowwise.vectors.formats.holding import check_words
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import Source, plain_source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.formats.text_layout import looks_like_rows
from rowwise.vectors.formats.word_list import OWN, beside, check_count, find_words, read_words

_MAGIC = b"\x93NUMPY"
_MOST_HEADER = 2**16


def matches(source: Source) -> bool:
    """Whether the file starts as NumPy's do."""
    return source.start.startswith(_MAGIC)


def open_array(source: Source) -> npt.NDArray[Any]:
    """The array, mapped and read only; DataFileError when it is damaged or holds objects."""
    content = source.content
    file = io.BytesIO(content[:_MOST_HEADER].tobytes())
    with damage_named(f"{source.name!r} is no whole .npy file of numbers"):
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which are not unpickled")
        count = 1
        for size in shape:
            count *= size
        start = file.tell()
        if min(shape, default=0) < 0 or count * dtype.itemsize > len(content) - start:
            raise ValueError(f"it is cut short: its header promises an array of shape {shape}")
        flat = content[start : start + count * dtype.itemsize].view(dtype)
        return flat.reshape(shape, order="F" if fortran else "C")


def read(source: Source, request: Request) -> Loaded:
    """Rows (n, d), mapped, and the words beside them."""
    rows = open_array(source)
    if rows.ndim != 2 or rows.dtype.kind not in "fiu":
        raise DataFileError(
            f"{source.name!r} holds an array of shape {rows.shape} and type {rows.dtype}; expected "
            "a matrix of numbers, with a row for each word."
        )
    path = find_words(source.path, request.words)
    words = read_words(path)
    check_count(words, path, len(rows), source.name)
    return cut_down(words, rows, request, new_report(source, "npy"))


def write(path: Path, content: Content) -> None:
    """Write the rows."""
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(content.rows), allow_pickle=False)


def words_path(rows: Path, content: Content) -> Path:
    """The file for the words of ``rows``.

    Raises:
        InvalidArgumentError: it is there, and is not the list of words of the file at ``rows``.
    """
    path = beside(rows, OWN)
    if path.exists() and not _belongs(path, rows, content):
        raise InvalidArgumentError(
            f"The words of {str(rows)!r} would take the place of {str(path)!r}, which is not the "
            "list of words of such a file. Move it away, or save under another name."
        )
    return path


def _belongs(words: Path, rows: Path, content: Content) -> bool:
    """Whether a file holds these words already, or as many as there are rows to be replaced."""
    try:
        there = read_words(words)
        if len(there) == len(content.words) and list(there) == list(content.words):
            return True
        if looks_like_rows(plain_source(words).lines):
            return False
        return rows.is_file() and open_array(plain_source(rows)).shape[:1] == (len(there),)
    except DataFileError:
        return False


def write_words(path: Path, content: Content) -> None:
    """Write the words, a word a line.

    Raises:
        InvalidArgumentError: a word holds a line break.
    """
    check_words(content.words, "list of words beside an .npy file", "\n\r", empty=True)
    path.write_bytes("".join(f"{word}\n" for word in content.words).encode())


NPY = Format(
    name="npy",
    about="NumPy's .npy, with the words in a text file beside it",
    matches=matches,
    read=read,
    write=write,
    companion=Companion(words_path, write_words),
    suffixes=(".npy",),
)
