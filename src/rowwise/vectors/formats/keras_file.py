"""Word vectors out of a ``.keras`` file, read without Keras.

Such a file is a zip. rowwise's embedding layer keeps its vocabulary at
``assets/PATH/vocabulary.json``, and the table stands in ``model.weights.h5`` at
``PATH/vars/0``; PATH is the layer's place in the model, for instance ``layers/embedding``.
"""

import io
import zipfile
import zlib

import numpy as np

from rowwise.errors import DataFileError
from rowwise.text import Vocabulary
from rowwise.vectors.formats import archive
from rowwise.vectors.formats.format import Format, Loaded
from rowwise.vectors.formats.request import Request
from rowwise.vectors.formats.source import ZIP_ERRORS, Source
from rowwise.vectors.formats.table import cut_down, new_report
from rowwise.vectors.packing import PackedWords

_VOCABULARY = "vocabulary.json"
_WEIGHTS = "model.weights.h5"


def matches(source: Source) -> bool:
    """Whether this is a zip with a model's weights."""
    return source.packed is None and is_model(source)


def is_model(source: Source) -> bool:
    """Whether a file is a zip with a model's weights."""
    return source.start.startswith(archive.START) and _WEIGHTS in archive.names(source.path)


def read(source: Source, request: Request) -> Loaded:
    """The words of a model's vocabulary and their rows (n, d), without padding and unknown.

    Raises:
        DataFileError: not a Keras model, or one whose table has no vocabulary.
    """
    import h5py

    name = source.name
    try:
        with zipfile.ZipFile(source.path) as model:
            found = [member for member in model.namelist() if member.endswith(f"/{_VOCABULARY}")]
            if not found:
                raise DataFileError(
                    f"The model in {name!r} has no vocabulary, so its rows have no words. "
                    "Make its layer with Embedding(vocabulary, ...)."
                )
        layer = found[0].removeprefix("assets/").removesuffix(f"/{_VOCABULARY}")
        written = Source(source.path, packed="zip", member=found[0]).content
        vocabulary = Vocabulary.from_json(written.tobytes().decode("utf-8"))
        # Read by a source, which is on its guard against what unpacks to too much.
        packed = Source(source.path, packed="zip", member=_WEIGHTS).content
        with h5py.File(io.BytesIO(packed.data), "r") as weights:
            table = np.asarray(weights[f"{layer}/vars/0"])
    except (*ZIP_ERRORS, zlib.error, KeyError, TypeError) as error:
        if isinstance(error, DataFileError):
            raise
        raise DataFileError(f"{name!r} is not a whole Keras model: {error}.") from error
    if table.dtype.kind != "f":
        raise DataFileError(
            f"The table in {name!r} is quantised ({table.dtype}). Load the model with Keras "
            "and ask its layer for rows, or save it before it is quantised."
        )
    if table.ndim != 2 or len(table) != len(vocabulary):
        raise DataFileError(
            f"The table in {name!r} has {len(table):,} rows for {len(vocabulary):,} words."
        )
    words = PackedWords.pack(vocabulary.words[2:])
    report = new_report(source, "keras")
    return cut_down(words, table[2:], request, report, trusted=True)


KERAS = Format(
    name="keras",
    about="a .keras model whose embedding layer has a vocabulary",
    matches=matches,
    read=read,
)
