"""Writing checkpoints, each process what it has."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rowwise.backend.places import Part, places
from rowwise.errors import InvalidArgumentError
from rowwise.training.checkpoints.folders import name_of, old_of, temporary_of
from rowwise.training.checkpoints.manifest import Manifest, StoredArray, StoredPart
from rowwise.training.checkpoints.numbers import stored
from rowwise.training.checkpoints.variables import class_of, shape_of, state_of, trained_by


def save_checkpoint(model: Any, folder: str | os.PathLike[str]) -> Path:
    """Write what training needs to go on into a new folder in ``folder``, named by the step.

    That is the values of all variables of the model and its optimizer. Where several processes
    train, each calls this after the same step and writes its part; all of them have to see the same
    ``folder``. The checkpoint is there when all have written, or not at all.

    Args:
        model: built, and compiled if it is to train on.
        folder: is made if it does not exist.

    Returns:
        the folder of the checkpoint.

    Raises:
        InvalidArgumentError: the model is not built, or ``folder`` is a file.
        OSError: a file cannot be written; nothing of the checkpoint is left.
    """
    parent = Path(folder)
    if parent.exists() and not parent.is_dir():
        raise InvalidArgumentError(f"{str(parent)!r} is a file. Name a folder for checkpoints.")
    of_model, of_optimizer = state_of(model)
    optimizer = getattr(model, "optimizer", None)
    step = 0 if optimizer is None else int(optimizer.iterations)
    target = parent / name_of(step)
    temporary = temporary_of(target)
    is_first = places.process()[0] == 0
    if is_first:
        shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed
        temporary.mkdir(parents=True)
    try:
        places.wait_for_all(f"begin {target.name}")
        arrays = [
            [_store(temporary, f"{kind}-{place}", one) for place, one in enumerate(some)]
            for kind, some in (("model", of_model), ("optimizer", of_optimizer))
        ]
        places.wait_for_all(f"written {target.name}")
        if is_first:
            trained = trained_by(optimizer, of_model)
            Manifest(step, class_of(optimizer), trained, *map(tuple, arrays)).write(temporary)
            _sync(temporary)
            _replace(target, temporary)
    finally:
        if is_first:  # else it is not there any more
            shutil.rmtree(temporary, ignore_errors=True)
    places.wait_for_all(f"end {target.name}")
    return target


def _store(folder: Path, name: str, variable: Any) -> StoredArray:
    """Write those parts of a variable's value that this process has."""
    shape = shape_of(variable)
    parts = []
    for number, part in enumerate(_cut(places.parts_of(variable.value), shape)):
        file = f"{name}-{number}.npy"
        if part.values is not None:
            with open(folder / file, "wb") as opened:
                np.save(opened, stored(part.values), allow_pickle=False)
                opened.flush()
                os.fsync(opened.fileno())
        parts.append(StoredPart(file, part.start, part.shape))
    return StoredArray(variable.path, shape, str(variable.dtype), tuple(parts))


def _cut(parts: list[Part], shape: tuple[int, ...]) -> Iterator[Part]:
    """Parts without what is behind the last row of an array of ``shape``."""
    for part in parts:
        if not shape or part.start[0] + part.shape[0] <= shape[0]:
            yield part
        elif part.start[0] < shape[0]:
            count = shape[0] - part.start[0]
            values = None if part.values is None else part.values[:count]
            yield Part(part.start, (count, *part.shape[1:]), values)


def _replace(target: Path, temporary: Path) -> None:
    """Put a folder that is whole in the place of one that was there."""
    if target.exists():
        old = old_of(target)
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        temporary.rename(target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """See to it that a folder's entries are on the disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
