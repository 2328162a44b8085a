"""Loading whatever model a file holds."""

import os
from typing import Any

from rowwise.classify.classifier import TextClassifier
from rowwise.classify.storage import read_description
from rowwise.training import load_keras_model


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a ``TextClassifier``, or else whatever Keras model the file at ``path`` holds.

    No code from the file is run: layers that are code (``Lambda``) are refused.

    Raises:
        DataFileError: there is no such file, or it holds no model.
    """
    if read_description(path) is not None:
        return TextClassifier.load(path)
    return load_keras_model(path)
