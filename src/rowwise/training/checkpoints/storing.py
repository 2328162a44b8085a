"""Writing checkpoints, each process what it has."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend.places import Part, places
from rowwise.errors import InvalidArgumentError
from rowwise.training.checkpoints.folders import name_of
from rowwise.training.checkpoints.manifest import Manifest, StoredArray, StoredPart
from rowwise.training.checkpoints.variables import shape_of, state_of


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
    """
    parent = Path(folder)
    if parent.exists() and not parent.is_dir():
        raise InvalidArgumentError(f"{str(parent)!r} is a file. Name a folder for checkpoints.")
    of_model, of_optimizer = state_of(model)
    step = int(model.optimizer.iterations) if of_optimizer else 0
    target = parent / name_of(step)
    temporary = parent / f".{target.name}.tmp"
    is_first = places.process()[0] == 0
    if is_first:
        shutil.rmtree(temporary, ignore_errors=True)  # of a process that was killed
        temporary.mkdir(parents=True)
    places.wait_for_all(f"begin {target.name}")
    stored = [
        [_store(temporary, f"{kind}-{number}", variable) for number, variable in enumerate(some)]
        for kind, some in (("model", of_model), ("optimizer", of_optimizer))
    ]
    places.wait_for_all(f"written {target.name}")
    if is_first:
        Manifest(step, *map(tuple, stored)).write(temporary)
        _sync(temporary)
        _replace(target, temporary)
    places.wait_for_all(f"end {target.name}")
    return target


def _store(folder: Path, name: str, variable: Any) -> StoredArray:
    """Write those parts of a variable's value that this process has."""
    shape = shape_of(variable)
    stored = []
    for number, part in enumerate(_cut(places.parts_of(variable.value), shape)):
        file = f"{name}-{number}.npy"
        if part.values is not None:
            with open(folder / file, "wb") as opened:
                np.save(opened, _plain(part.values), allow_pickle=False)
                opened.flush()
                os.fsync(opened.fileno())
        stored.append(StoredPart(file, part.start, part.shape))
    return StoredArray(variable.path, shape, str(variable.dtype), tuple(stored))


def _cut(parts: list[Part], shape: tuple[int, ...]) -> Iterator[Part]:
    """Parts without what is behind the last row of an array of ``shape``."""
    for part in parts:
        if not shape or part.start[0] + part.shape[0] <= shape[0]:
            yield part
        elif part.start[0] < shape[0]:
            count = shape[0] - part.start[0]
            values = None if part.values is None else part.values[:count]
            yield Part(part.start, (count, *part.shape[1:]), values)


def _plain(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """``values``, of a dtype that ``.npy`` files know: bfloat16 they do not."""
    return values.view(f"u{values.dtype.itemsize}") if values.dtype.kind == "V" else values


def _replace(target: Path, temporary: Path) -> None:
    """Put a folder that is whole in the place of one that was there."""
    if target.exists():
        old = target.with_name(f".{target.name}.old")
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
