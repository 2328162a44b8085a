"""Finding the classifier that a command names."""

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from rowwise.errors import DataFileError

if TYPE_CHECKING:
    from rowwise.classify import TextClassifier

MODEL_FILE = "model.keras"


def model_path(path: Path) -> Path:
    """The model in a folder that ``rowwise train`` wrote, or ``path`` itself.

    Raises:
        DataFileError: there is no such file.
    """
    if path.is_dir():
        if not (path / MODEL_FILE).is_file():
            raise DataFileError(
                f"There is no {MODEL_FILE} in the folder {str(path)!r}. Name a folder that "
                "`rowwise train` wrote, or a file."
            )
        return path / MODEL_FILE
    if not path.is_file():
        raise DataFileError(f"There is no file or folder {str(path)!r}. Check the path.")
    return path


def load_classifier(path: Path) -> "TextClassifier":
    """The classifier in a ``.keras`` file, or in a folder that ``rowwise train`` wrote.

    Raises:
        DataFileError: there is none.
    """
    path = model_path(path)
    _check_whole(path)  # before Keras is loaded, which takes seconds
    from rowwise.classify import TextClassifier

    return TextClassifier.load(path)


def _check_whole(path: Path) -> None:
    """Raise DataFileError unless ``path`` is a zip file, as models are, and not damaged."""
    wanted = "Expected a model that `rowwise train` or TextClassifier.save wrote."
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            names = archive.namelist()
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataFileError(f"{str(path)!r} is no model, or not a whole one. {wanted}") from error
    if damaged is not None:
        raise DataFileError(f"{str(path)!r} is damaged (at {damaged}). Save or copy it again.")
    if "config.json" not in names or "model.weights.h5" not in names:
        raise DataFileError(f"{str(path)!r} is a zip file, but no model. {wanted}")
