"""Saving large arrays without copies of them in memory.

On its way into a file, Keras copies each array two times. So while it saves, large variables show
it a few bytes in their place, and where those turn up in the HDF5 file, the values are written
afterwards from where they are.
"""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rowwise.backend import rows
from rowwise.layers.spare_rows import spare_rows_of
from rowwise.training.keras_seam import all_layers
from rowwise.training.spare_rows import note_spare_rows
from rowwise.training.watching import showing, watch

# Bytes; of less, copies do not matter.
LARGE = 1 << 20


def save_large(model: Any, path: Path, save: Callable[[], None]) -> None:
    """Call ``save()``, which has Keras write the weights of ``model`` to the HDF5 file at ``path``.

    What comes out is what ``save()`` alone would write, but for spare rows, which are left out.
    """
    values = {uuid.uuid4().bytes: variable for variable in _large_variables(model)}
    shown = {id(variable): np.frombuffer(key, np.uint8) for key, variable in values.items()}
    for variable in note_spare_rows(model):
        if id(variable) not in shown:
            shown[id(variable)] = np.asarray(variable)[: -spare_rows_of(variable)]
    with showing(shown):
        save()
    if not values:
        return
    places = _find_keys(path, set(values))
    if {key for _, key in places} != set(values):  # something was made of one before it was saved
        save()
        return
    with h5py.File(path, "r+") as file:
        for place, key in places:
            del file[place]
            _write_rows(file, place, values[key])


def _large_variables(model: Any) -> list[Any]:
    """Large variables of ``model`` and its optimizer that Keras's own code saves as they are."""
    if rows is None or not _saves_plainly(model):
        return []
    found = list(model.variables)
    others = [layer for layer in all_layers(model) if not _saves_plainly(layer)]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and _saves_plainly(optimizer):
        found += optimizer.variables
    left_out = {id(variable) for layer in others for variable in layer.variables}
    large = {
        id(variable): variable
        for variable in found
        if id(variable) not in left_out
        if variable.dtype in ("float16", "float32", "float64")
        if np.prod(variable.shape) * np.dtype(variable.dtype).itemsize >= LARGE
    }
    for variable in large.values():
        watch(variable)
    return list(large.values())


def _saves_plainly(owner: Any) -> bool:
    """Whether a layer's or optimizer's variables are saved by Keras or rowwise, not by a user."""
    return type(owner).save_own_variables.__module__.partition(".")[0] in ("keras", "rowwise")


def _write_rows(file: h5py.File, place: str, variable: Any) -> None:
    """Write a variable's value as a dataset."""
    assert rows is not None
    count, *others = variable.shape
    count -= spare_rows_of(variable)
    dataset = file.create_dataset(place, (count, *others), variable.dtype)
    start = 0
    for block in rows.on_host(variable.value):
        dataset[start : start + len(block)] = block[: count - start]
        start += len(block)


def _find_keys(path: Path, keys: set[bytes]) -> list[tuple[str, bytes]]:
    """Where one of ``keys`` is a dataset of its own in the HDF5 file, and which."""
    found: list[tuple[str, bytes]] = []

    def look_at(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype == np.uint8 and item.shape == (16,):
            key = item[()].tobytes()
            if key in keys:
                found.append((name, key))

    with h5py.File(path, "r") as file:
        file.visititems(look_at)
    return found
