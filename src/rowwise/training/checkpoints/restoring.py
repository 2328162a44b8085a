"""Reading checkpoints, each process what it needs."""

import math
import os
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend.places import Read, places
from rowwise.errors import DataFileError
from rowwise.training.checkpoints.folders import checkpoints_in
from rowwise.training.checkpoints.manifest import (
    FILE,
    Manifest,
    StoredArray,
    StoredPart,
    read_manifest,
)
from rowwise.training.checkpoints.numbers import stored_dtype
from rowwise.training.checkpoints.variables import class_of, shape_of, state_of, trained_by


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
            is then as it was.
    """
    place = Path(folder)
    if not (place / FILE).is_file():
        found = checkpoints_in(place)
        if not found:
            raise DataFileError(
                f"There is no checkpoint in {str(place)!r}: expected a folder that save_checkpoint "
                "or Checkpoints wrote."
            )
        place = list(found.values())[-1]
    manifest = read_manifest(place)
    of_model, of_optimizer = state_of(model)
    pairs = [("model", of_model, manifest.model)]
    if of_optimizer:
        _check_optimizer(place, model.optimizer, of_model, manifest)
        pairs.append(("optimizer", of_optimizer, manifest.optimizer))
    for kind, variables, stored in pairs:
        _check(place, kind, variables, stored)
    for _, variables, stored in pairs:
        for variable, array in zip(variables, stored, strict=True):
            places.assign(variable, _reader(place, array))
    return manifest.step


def _check_optimizer(place: Path, optimizer: Any, of_model: list[Any], manifest: Manifest) -> None:
    """Raise unless the optimizer is such a one as was saved, and trains the same variables."""
    before = manifest.optimizer_class
    if before != class_of(optimizer):
        raise DataFileError(
            f"{str(place)!r} is of a model with optimizer {before or 'none'}, and "
            f"this one has {class_of(optimizer)}. Compile it with the same one, or load the "
            "weights alone into a model that is not compiled."
        )
    trained = trained_by(optimizer, of_model)
    for variable, now, then in zip(of_model, trained, manifest.trained, strict=False):
        if now != then:
            here, there = ("trains", "did not") if now else ("does not train", "did")
            raise DataFileError(
                f"{variable.path!r} {here}, and in {str(place)!r} it {there}. Freeze and thaw what "
                "was so when it was saved, and compile, before you load it."
            )


def _check(place: Path, kind: str, variables: list[Any], stored: tuple[StoredArray, ...]) -> None:
    """Raise unless ``stored`` are values of ``variables``, and all their files are there."""
    if len(variables) != len(stored):
        raise DataFileError(
            f"{str(place)!r} has {len(stored)} variables of the {kind}, and there are "
            f"{len(variables)}. Make the model and its optimizer as they were when it was saved."
        )
    for variable, array in zip(variables, stored, strict=True):
        here, there = (path.rpartition("/")[2] for path in (variable.path, array.path))
        # An optimizer's variables are named after its model's, whose names are made up anew.
        if shape_of(variable) != array.shape or (kind == "model" and here != there):
            raise DataFileError(
                f"{str(place)!r} has {array.path!r} with shape {array.shape}, where there is "
                f"{variable.path!r} with shape {shape_of(variable)}. Make the model as it was."
            )
        dtype = stored_dtype(_numpy_dtype(place, array))
        for part in array.parts:
            _open(place, part, dtype)
        if not _is_whole(array):
            raise DataFileError(f"{str(place)!r} does not have all of {array.path!r}, once.")


def _is_whole(array: StoredArray) -> bool:
    """Whether the parts are all of an array, and no number is in two of them."""
    if sum(math.prod(part.shape) for part in array.parts) != math.prod(array.shape):
        return False
    return all(
        _shared(one.start, one.shape, other) is None for one, other in combinations(array.parts, 2)
    )


def _shared(
    start: tuple[int, ...], shape: tuple[int, ...], part: StoredPart
) -> list[tuple[int, int]] | None:
    """Where a block and a part overlap: a range of indices for each dimension; None if nowhere."""
    ranges = [
        (max(a, b), min(a + n, b + m))
        for a, n, b, m in zip(start, shape, part.start, part.shape, strict=True)
    ]
    return ranges if all(first < last for first, last in ranges) else None


def _open(place: Path, part: StoredPart, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """A part's numbers, mapped."""
    path = place / part.file
    try:
        found: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataFileError(f"{str(path)!r} cannot be read: {error}.") from error
    if found.shape != part.shape or found.dtype != dtype:
        raise DataFileError(
            f"{str(path)!r} has shape {found.shape} and dtype {found.dtype}, and its checkpoint "
            f"says {part.shape} and {dtype}."
        )
    return found


def _reader(place: Path, array: StoredArray) -> Read:
    """A function that reads from a stored array; behind its last row are zeros."""
    dtype = _numpy_dtype(place, array)

    def read(start: tuple[int, ...], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        result = np.zeros(shape, dtype)
        for part in array.parts:
            ranges = _shared(start, shape, part)
            if ranges is None:
                continue
            here, there = (
                tuple(slice(a - o, b - o) for (a, b), o in zip(ranges, origin, strict=True))
                for origin in (start, part.start)
            )
            result[here] = _open(place, part, stored_dtype(dtype))[there].view(dtype)
        return result

    return read


def _numpy_dtype(place: Path, array: StoredArray) -> np.dtype[Any]:
    """NumPy's dtype, or for bfloat16 and its kind that of a library that Keras needs itself."""
    import ml_dtypes

    try:
        found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, array.dtype, array.dtype))
    except TypeError as error:
        raise DataFileError(
            f"{str(place)!r} says of {array.path!r} that it is of dtype {array.dtype!r}, which "
            "there is not."
        ) from error
    return found
