"""Loading models that Keras or rowwise saved, the older ``.h5`` files too."""

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rowwise.backend import keras
from rowwise.errors import DataFileError
from rowwise.training.h5 import load_h5_model

_HDF5_START = b"\x89HDF\r\n\x1a\n"
_ZIP_START = b"PK"


def load_keras_model(
    filepath: str | os.PathLike[str],
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load a model as ``keras.models.load_model`` does, and ``.h5`` files that it cannot.

    Keras 3 does not know the short names of losses and metrics (``"mse"``) when it compiles a
    model from an ``.h5`` file; here they are known. In such files embedding layers become
    ``rowwise.layers.Embedding`` and models ``rowwise.Sequential`` or ``rowwise.Model``.

    Args:
        filepath: a ``.keras`` or ``.h5`` file, or a folder that Keras wrote.
        custom_objects: names and classes or functions that the file mentions.
        compile: whether to compile the model as it was when saved.
        safe_mode: refuse a file's ``lambda`` layers, which are code.

    Raises:
        DataFileError: there is no such file, or it holds no Keras model.
    """
    path = Path(filepath)
    if not path.exists() and "://" not in str(filepath):
        raise DataFileError(f"There is no model at {str(path)!r}.")
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(8)
        if start == _HDF5_START:
            with _naming_damage(path):
                return load_h5_model(path, custom_objects, compile, safe_mode)
        if not start.startswith(_ZIP_START):
            raise DataFileError(
                f"{str(path)!r} is not a Keras model: expected a `.keras` or `.h5` file, and it is "
                "neither by its content."
            )
    with _naming_damage(path):
        return keras.models.load_model(
            filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode
        )


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Say which file it is when its content makes no model."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError) as error:
        raise DataFileError(f"{str(path)!r} is not a whole Keras model: {error}.") from error
