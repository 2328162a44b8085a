"""One file for a classifier: a ``.keras`` file with one member more.

Keras's members hold the model, and among them the vocabulary, which the table of words keeps.
The member ``rowwise.json`` holds the rest: how texts are split, the classes and the parameters.
"""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from rowwise.errors import DataFileError, InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.training import clone_model

MEMBER = "rowwise.json"
FORMAT = 1


def write(path: str | os.PathLike[str], model: Any, description: dict[str, Any]) -> None:
    """Write the Keras ``model`` and its ``description``, which JSON can hold, to one file."""
    if Path(path).suffix != ".keras":
        raise InvalidArgumentError(
            f"A classifier is saved to a `.keras` file. Received: {str(path)!r}."
        )
    # Adam's state is twice as large as the model, and whoever fits again starts anew.
    bare = clone_model(model)
    bare.set_weights(model.get_weights())
    bare.optimizer, bare.compiled = None, False
    with atomic_path(path) as temporary:
        bare.save(temporary)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(MEMBER, json.dumps({"format": FORMAT, **description}, default=_plain))


def _plain(value: Any) -> Any:
    """A NumPy number, as a search over parameters gives it, as JSON's."""
    return value.item() if isinstance(value, np.generic) else str(value)


def read_description(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """The description in the file at ``path``, or None where it holds none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if MEMBER not in archive.namelist():
                return None
            description: dict[str, Any] = json.loads(archive.read(MEMBER))
    except (OSError, ValueError, zipfile.BadZipFile):
        return None  # whoever loads the model says what is wrong with the file
    if description.get("format") != FORMAT:
        raise DataFileError(
            f"{str(path)!r} was written by another version of rowwise: expected format {FORMAT}, "
            f"found {description.get('format')!r}. Update rowwise."
        )
    return description
