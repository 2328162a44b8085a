"""Loading models that Keras or rowwise saved, the older ``.h5`` files too."""

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5py

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
    if path.is_dir():
        _check_folder(path)
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(8)
        if start == _HDF5_START:
            _check_h5(path)
            return load_h5_model(path, custom_objects, compile, safe_mode)
        if not start.startswith(_ZIP_START):
            raise DataFileError(
                f"{str(path)!r} is not a Keras model: expected a `.keras` or `.h5` file, and it is "
                "neither by its content."
            )
        _check_zip(path)
    return keras.models.load_model(
        filepath, custom_objects=custom_objects, compile=compile, safe_mode=safe_mode
    )


def _check_folder(path: Path) -> None:
    """Raise a DataFileError for a folder with a model in it, as `rowwise train` leaves it."""
    model = path / "model.keras"
    if model.exists() and not (path / "config.json").exists():
        raise DataFileError(f"{str(path)!r} is a folder. The model in it is {str(model)!r}.")


def _check_zip(path: Path) -> None:
    """Raise a DataFileError unless the file is a whole zip with the members of a model."""
    try:
        with zipfile.ZipFile(path) as archive:
            missing = {"config.json", "model.weights.h5"} - set(archive.namelist())
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError) as error:
        raise DataFileError(f"{str(path)!r} is not a whole Keras model: {error}.") from error
    if missing:
        raise DataFileError(
            f"{str(path)!r} is a zip file, but not a Keras model: it has no "
            f"{' and no '.join(sorted(missing))}."
        )
    if damaged:
        raise DataFileError(f"{str(path)!r} is damaged: its part {damaged!r} cannot be read.")


def _check_h5(path: Path) -> None:
    """Raise a DataFileError unless the file is a whole HDF5 file with a model."""
    try:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise DataFileError(
                    f"{str(path)!r} holds weights without a model. Make the model as it was, and "
                    "use its `load_weights`."
                )
    except OSError as error:
        raise DataFileError(f"{str(path)!r} is not a whole HDF5 file: {error}.") from error
