"""Saving models so that no half-written file is ever found."""

import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rowwise.backend import keras
from rowwise.errors import InvalidArgumentError
from rowwise.files import atomic_path
from rowwise.training.large_arrays import save_large
from rowwise.training.plan import embedding_layers

# Suffixes of the files of older Keras.
_LEGACY = (".h5", ".hdf5")


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
        InvalidArgumentError: ``.h5`` for a layer with ``trainable_rows``, which such a file loses.
        ValueError: another suffix.
    """
    if str(filepath).endswith(_LEGACY):
        _check_what_h5_loses(model)
    # `Model.save` of a rowwise model comes here, so this must not call it.
    known = str(filepath).endswith((".keras", *_LEGACY))  # else Keras says what is wrong
    if zipped is False or not overwrite or not known or _is_remote(filepath):
        keras.saving.save_model(model, filepath, overwrite=overwrite, zipped=zipped, **kwargs)
        return
    with atomic_path(filepath) as temporary:
        if not temporary.name.endswith(".keras"):
            keras.saving.save_model(model, temporary, zipped=zipped, **kwargs)
            return
        # Keras writes the zip file out of memory, where it takes all weights two times more. A
        # folder it writes weight by weight, and has the same files in it.
        folder = temporary.parent / "content"

        def save() -> None:
            keras.saving.save_model(model, folder, zipped=False, **kwargs)

        if "weights_format" in kwargs:  # another than HDF5, it may be
            save()
        else:
            save_large(model, folder / "model.weights.h5", save)
        _pack(folder, temporary)


def save_weights(
    model: Any, save: Callable[..., None], filepath: str | os.PathLike[str], **kwargs: Any
) -> None:
    """Write weights to ``filepath`` with ``save``, the ``save_weights`` of Keras for ``model``.

    The file takes the place of an older one only when it is whole. (Keras alone writes weights in
    parts, which ``max_shard_size`` asks for, and asks before overwriting.)

    Raises:
        FileNotFoundError: the folder of ``filepath`` does not exist.
        ValueError: a suffix that is not ``.weights.h5``.
    """
    plain = str(filepath).endswith(".weights.h5") and not kwargs
    if not plain or _is_remote(filepath):
        save(filepath, **kwargs)
        return
    with atomic_path(filepath) as temporary:
        save_large(model, temporary, lambda: save(temporary))


def _check_what_h5_loses(model: Any) -> None:
    """Say what is beside the configuration and the weights, for which such a file has no place."""
    for layer in embedding_layers(model):
        if layer.trainable_rows is not None:
            raise InvalidArgumentError(
                f"Layer {layer.name!r} has trainable_rows, for which a .h5 file has no place: "
                "all rows of a model loaded from it would train. Save the model as .keras."
            )
        if layer.vocabulary is not None:
            warnings.warn(
                f"A .h5 file has no place for the vocabulary of layer {layer.name!r}. Save the "
                "model as .keras to keep it.",
                stacklevel=4,
            )


def _is_remote(filepath: str | os.PathLike[str]) -> bool:
    """Whether it is an address, where Keras writes by way of other libraries."""
    return "://" in str(filepath)


def _pack(folder: Path, archive: Path) -> None:
    """Write a zip file, without compression, of all that is in ``folder``, which is used up."""
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            packed.write(path, path.relative_to(folder))
            path.unlink()  # so that the disk never holds more than one file two times
