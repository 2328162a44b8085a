"""Ways to lay a table on eight devices."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.layers.spare_rows import spare_rows_of
from rowwise.training.spare_rows import note_spare_rows

DEVICES = 8


def mesh(**axes: int) -> Any:
    """A mesh of devices, with the names of its axes and their sizes."""
    devices = [f"cpu:{number}" for number in range(int(np.prod(list(axes.values()))))]
    return keras.distribution.DeviceMesh(tuple(axes.values()), list(axes), devices)


def by_rows(axis: str, data: str, **axes: int) -> Any:
    """Tables divided by rows along ``axis``, examples along ``data``."""
    return laid_out((axis, None), data, **axes)


def laid_out(layout: tuple[str | None, ...], data: str, **axes: int) -> Any:
    found = keras.distribution.LayoutMap(mesh(**axes))
    found[".*embeddings"] = layout
    return keras.distribution.ModelParallel(layout_map=found, batch_dim_name=data)


LAYOUTS = {
    "all rows everywhere": lambda: keras.distribution.DataParallel(device_mesh=mesh(batch=DEVICES)),
    "rows and examples along one axis": lambda: by_rows("batch", "batch", batch=DEVICES),
    "rows along one axis, examples along another": lambda: by_rows(
        "model", "batch", batch=2, model=4
    ),
    "rows along one axis, the batch whole": lambda: by_rows("model", "batch", batch=1, model=8),
}


@contextmanager
def on_devices(distribution: Any) -> Iterator[None]:
    """Models made in the block lie on devices so."""
    keras.distribution.set_distribution(distribution)
    try:
        yield
    finally:
        keras.distribution.set_distribution(None)


def whole_state(model: Any) -> list[Any]:
    """Weights and what the optimizer keeps, without spare rows."""
    note_spare_rows(model)
    return [
        np.asarray(one)[: one.shape[0] - spare_rows_of(one)]
        if spare_rows_of(one)
        else np.asarray(one)
        for one in (*model.weights, *model.optimizer.variables)
    ]
