"""Reading checkpoints, each process what it needs."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend.places import Read, places
from rowwise.errors import DataFileError
from rowwise.training.checkpoints.folders import checkpoints_in
from rowwise.training.checkpoints.manifest import FILE, StoredArray, StoredPart, read_manifest
from rowwise.training.checkpoints.variables import shape_of, state_of


def load_checkpoint(model: Any, folder: str | os.PathLike[str]) -> int:
    """Give a model and its optimizer the state of a checkpoint; training then goes on from there.

    It may have been written by another number of processes, for another number of devices or by
    another backend.

    Args:
        model: made as the one that was saved, and compiled with such an optimizer if it is to train
            on; without one, its weights alone are loaded.
        folder: of the checkpoint; or one with checkpoints, of which the newest is taken.

    Returns:
        how many updates the optimizer had made.

    Raises:
        DataFileError: there is no checkpoint, it is damaged or belongs to another model. The model
            is then as it was, but where a file of numbers was cut short.
    """
    place = Path(folder)
    if not (place / FILE).is_file():
        found = checkpoints_in(place)
        if not found:
            raise DataFileError(
                f"There is no checkpoint in {str(place)!r}: expected a folder that save_checkpoint "
                "or Checkpoints wrote."
            )
        place = found[-1]
    manifest = read_manifest(place)
    of_model, of_optimizer = state_of(model)
    pairs = [("model", of_model, manifest.model)]
    if of_optimizer:
        pairs.append(("optimizer", of_optimizer, manifest.optimizer))
    for kind, variables, stored in pairs:
        _check(place, kind, variables, stored)
    for _, variables, stored in pairs:
        for variable, array in zip(variables, stored, strict=True):
            places.assign(variable, _reader(place, array))
    return manifest.step


def _check(place: Path, kind: str, variables: list[Any], stored: tuple[StoredArray, ...]) -> None:
    """Raise unless ``stored`` are values of ``variables``, and all their files are there."""
    if len(variables) != len(stored):
        raise DataFileError(
            f"{str(place)!r} has {len(stored)} variables of the {kind}, and there are "
            f"{len(variables)}. Make the model and its optimizer as they were when it was saved."
        )
    for variable, array in zip(variables, stored, strict=True):
        if shape_of(variable) != array.shape:
            raise DataFileError(
                f"{str(place)!r} has {array.path!r} with shape {array.shape}, and "
                f"{variable.path!r} has shape {shape_of(variable)}. Make the model as it was."
            )
        for part in array.parts:
            _open(place, part)
        if sum(int(np.prod(part.shape)) for part in array.parts) != int(np.prod(array.shape)):
            raise DataFileError(f"{str(place)!r} does not have all of {array.path!r}.")


def _open(place: Path, part: StoredPart) -> npt.NDArray[Any]:
    """A part's numbers, mapped."""
    path = place / part.file
    try:
        found: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataFileError(f"{str(path)!r} cannot be read: {error}.") from error
    if found.shape != part.shape:
        raise DataFileError(
            f"{str(path)!r} has shape {found.shape}, and its checkpoint says {part.shape}."
        )
    return found


def _reader(place: Path, array: StoredArray) -> Read:
    """A function that reads from a stored array; behind its last row are zeros."""

    def read(start: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        dtype = _numpy_dtype(array.dtype)
        result = np.zeros(shape, dtype)
        for part in array.parts:
            first = [max(a, b) for a, b in zip(start, part.start, strict=True)]
            ends = zip(start, shape, part.start, part.shape, strict=True)
            last = [min(a + n, b + m) for a, n, b, m in ends]
            if all(a < b for a, b in zip(first, last, strict=True)):
                here, there = (
                    tuple(slice(a - o, b - o) for a, b, o in zip(first, last, origin, strict=True))
                    for origin in (start, part.start)
                )
                result[here] = _open(place, part)[there].view(dtype)
        return result

    return read


def _numpy_dtype(name: str) -> np.dtype[Any]:
    """NumPy's dtype, or for bfloat16 and its kind that of a library that Keras needs itself."""
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, name))
        return found
