"""What libraries raise for damaged files, and how it becomes an error of rowwise."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from tokenize import TokenError

from rowwise.errors import DataFileError, RowwiseError

# Readers of packed files, of NumPy's headers, of JSON and of HDF5 meet what their authors did not
# think of, and raise whatever comes of it: a size of Infinity is an OverflowError, for instance.
DAMAGE: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,  # also NotImplementedError and RecursionError
    SyntaxError,
    TokenError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""Errors that a file may cause by what it holds."""


@contextmanager
def damage_named(what: str, advice: str = "") -> Iterator[None]:
    """Raise a DataFileError for what a damaged file causes in the block.

    Args:
        what: that is wrong with which file; the cause comes after it in brackets.
        advice: a further sentence.
    """
    try:
        yield
    except RowwiseError:
        raise
    except DAMAGE as error:
        raise DataFileError(f"{what} ({error}). {advice}".rstrip()) from error
