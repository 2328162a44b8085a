"""Word vectors out of a ``.keras`` file, read without Keras.

Such a file is a zip. rowwise's embedding layer keeps its vocabulary at
``assets/PATH/vocabulary.json``, and the table stands in ``model.weights.h5`` at
``PATH/vars/0``; PATH is the layer's place in the model, for instance ``layers/embedding``.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rowwise.errors import DataFileError
from rowwise.text import Vocabulary

_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.weights.h5"


def matches(start: bytes) -> bool:
    """Whether a file's first bytes are those of a zip."""
    return start.startswith(b"PK\x03\x04")


def read(path: Path) -> tuple[list[str], npt.NDArray[np.float32]]:
    """The words of a model's vocabulary and their rows (n, d), without padding and unknown.

    Raises:
        DataFileError: not a Keras model, or one whose table has no vocabulary.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            found = [name for name in members if name.endswith(f"/{_VOCABULARY}")]
            if _WEIGHTS not in members:
                raise DataFileError(f"{str(path)!r} is a zip file, but not a Keras model.")
            if not found:
                raise DataFileError(
                    f"The model in {str(path)!r} has no vocabulary, so its rows have no words. "
                    "Make its layer with Embedding(vocabulary, ...)."
                )
            vocabulary = Vocabulary.from_json(archive.read(found[0]).decode("utf-8"))
            layer = found[0].removeprefix("assets/").removesuffix(f"/{_VOCABULARY}")
            with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as weights:
                table = np.asarray(weights[f"{layer}/vars/0"])
    except (zipfile.BadZipFile, OSError, KeyError) as error:
        raise DataFileError(f"{str(path)!r} is not a whole Keras model: {error}.") from error
    if table.dtype.kind != "f":
        raise DataFileError(
            f"The table in {str(path)!r} is quantised ({table.dtype}). Load the model with Keras "
            "and ask its layer for rows, or save it before it is quantised."
        )
    if len(table) != len(vocabulary):
        raise DataFileError(
            f"The table in {str(path)!r} has {len(table):,} rows for {len(vocabulary):,} words."
        )
    return list(vocabulary.words[2:]), table[2:].astype(np.float32)
