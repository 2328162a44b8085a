"""Files of vectors: one module per format, chosen by a file's content when reading."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.vectors.formats import keras_file, native, text

_WRITERS = {".safetensors": native.write, ".txt": text.write, ".vec": text.write}


def load(path: str | os.PathLike[str]) -> tuple[list[str], npt.NDArray[np.float32]]:
    """Words and rows (n, d) of a file whose format is told by its first bytes."""
    source = Path(path)
    if not source.is_file():
        raise DataFileError(f"There is no file of vectors at {str(source)!r}.")
    with source.open("rb") as file:
        start = file.read(native.START_BYTES)
    known = (format.read for format in (native, keras_file) if format.matches(start))
    return next(known, text.read)(source)


def save(path: str | os.PathLike[str], words: Sequence[str], rows: npt.NDArray[np.float32]) -> None:
    """Write words and rows (n, d) in the format that the suffix of ``path`` names."""
    target = Path(path)
    writer = _WRITERS.get(target.suffix)
    if writer is None:
        raise InvalidArgumentError(
            f"The suffix must be one of {', '.join(_WRITERS)}. Received: {target.name!r}."
        )
    writer(target, words, rows)
