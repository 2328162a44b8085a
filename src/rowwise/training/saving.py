"""Saving models so that no half-written file is ever found."""

import os
from typing import Any

from rowwise.backend import keras
from rowwise.files import atomic_path


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write ``model`` to ``filepath``, ``.keras`` or ``.h5``, as ``keras.saving.save_model`` does.

    The file takes the place of an older one only when it is whole. (A folder, which
    ``zipped=False`` asks for, is written in place; and with ``overwrite=False`` Keras asks.)

    Raises:
        FileNotFoundError: the folder of ``filepath`` does not exist.
        ValueError: another suffix.
    """
    # `Model.save` of a rowwise model comes here, so this must not call it.
    known = str(filepath).endswith((".keras", ".h5", ".hdf5"))  # else Keras says what is wrong
    if zipped is False or not overwrite or not known:
        keras.saving.save_model(model, filepath, overwrite=overwrite, zipped=zipped, **kwargs)
        return
    with atomic_path(filepath) as temporary:
        keras.saving.save_model(model, temporary, zipped=zipped, **kwargs)
