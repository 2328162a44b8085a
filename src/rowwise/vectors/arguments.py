"""What the methods of ``Vectors`` accept, and the errors that name what came instead."""

import hashlib
import os
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text import Tokenizer, Vocabulary
from rowwise.text.checks import shorten

if TYPE_CHECKING:
    from rowwise.vectors.vectors import Vectors

# Rows of these are kept as they are, any other numbers become float32.
_KEPT = (np.dtype("float16"), np.dtype("float32"))


def as_path(value: Any, name: str = "path") -> str:
    """A path as a string.

    Raises:
        InvalidArgumentError: it is neither a string nor a ``pathlib.Path``, or no path that the
            system can have.
    """
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str):
        raise InvalidArgumentError(
            f"`{name}` must be a string or a pathlib.Path. Received: {shorten(value)}."
        )
    try:
        possible = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise InvalidArgumentError(
            f"`{name}` holds a character that no path can have. Received: {shorten(value)}."
        )
    return path


def as_whole_number(value: Any, name: str, least: int | None = None) -> int:
    """A whole number, also one of NumPy, as an int.

    Raises:
        InvalidArgumentError: it is something else, or less than ``least``, which is 1 or None.
    """
    is_number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_number or (least is not None and value < least):
        what = "a whole number" if least is None else "a positive whole number"
        raise InvalidArgumentError(f"`{name}` must be {what}. Received: {shorten(value)}.")
    return int(value)


def as_member(value: Any) -> str | int | None:
    """What chooses among the files of a zip or the layers of a model.

    Raises:
        InvalidArgumentError: it is no name, no whole number and not None.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise InvalidArgumentError(
            "`member` must be the name of a file in the zip or of a layer of the model, or a "
            f"number of columns. Received: {shorten(value)}."
        )
    return int(value)


def as_checksum(value: Any) -> str | None:
    """A checksum such as ``sha256:...``, or None.

    Raises:
        InvalidArgumentError: it is none, so that no file can have it.
    """
    if value is None:
        return None
    algorithm, _, digits = value.lower().partition(":") if isinstance(value, str) else ("", "", "")
    # Algorithms whose checksums may be of any length have the size 0.
    size = hashlib.new(algorithm).digest_size if algorithm in hashlib.algorithms_guaranteed else 0
    if not size or len(digits) != 2 * size or not set(digits) <= set("0123456789abcdef"):
        raise InvalidArgumentError(
            "`checksum` must be 'sha256:' and 64 hexadecimal digits, or those of another "
            f"algorithm. Received: {shorten(value)}."
        )
    return f"{algorithm}:{digits}"


def as_rows(rows: Any) -> npt.NDArray[Any]:
    """Rows as an array of float16 or float32, kept without a copy where it is one.

    Raises:
        InvalidArgumentError: they hold something else than real numbers.
        InvalidShapeError: they are of different lengths.
    """
    if isinstance(rows, np.ndarray) and rows.dtype in _KEPT:
        return rows
    try:
        array = np.asarray(rows)
    except ValueError as error:  # NumPy's word for ragged lists
        raise InvalidShapeError(f"`rows` must all have the same length ({error}).") from error
    if array.dtype.kind not in "fiub":
        raise InvalidArgumentError(
            f"`rows` must hold real numbers. Received: {shorten(rows)}, of dtype {array.dtype}."
        )
    return array.astype(np.float32)


def as_vocabulary(value: Any) -> Vocabulary:
    """A vocabulary, or that of a fitted tokenizer.

    Raises:
        InvalidArgumentError: it is neither, or the tokenizer's ids are not a vocabulary's.
    """
    if isinstance(value, Tokenizer):
        return value.vocabulary
    if not isinstance(value, Vocabulary):
        raise InvalidArgumentError(
            f"Expected a Vocabulary or a Tokenizer. Received: {type(value).__name__}. Make one "
            "with Vocabulary.from_words(words)."
        )
    return value


def as_vectors(value: Any) -> "Vectors":
    """Vectors.

    Raises:
        InvalidArgumentError: it is something else.
    """
    from rowwise.vectors.vectors import Vectors

    if not isinstance(value, Vectors):
        raise InvalidArgumentError(
            f"Expected Vectors. Received: {shorten(value)}. Load a file, an address or a "
            "well-known name with Vectors.load, or make them with Vectors(words, rows)."
        )
    return value
