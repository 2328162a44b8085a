"""How many rows a table has where they are divided among devices: as many on each.

A device cannot have a row less than another. So behind the last row of a table there may be *spare*
ones, which no id is for. They are no part of what is shown or saved as the table.
"""

from typing import Any

import numpy as np

from rowwise.backend import keras
from rowwise.backend.shards import TRAINS_ON_DEVICES


def rows_on_devices(row_count: int, name: str) -> int:
    """``row_count``, or the next number that can be divided as ``keras.distribution`` wants it.

    Args:
        row_count: of a table.
        name: of its variable, which is about to be made in the scope of names that is open.
    """
    distribution = keras.distribution.distribution() if TRAINS_ON_DEVICES else None
    if distribution is None:
        return row_count
    # The layout goes by a variable's path, which no variable has before it is made.
    layout = distribution.get_variable_layout(
        keras.Variable(keras.ops.zeros((0, 0)), trainable=False, name=name)
    )
    axes = getattr(layout, "axes", None)
    if not axes or axes[0] is None:
        return row_count
    mesh = layout.device_mesh
    count: int = dict(zip(mesh.axis_names, mesh.shape, strict=True))[axes[0]]
    return -(-row_count // count) * count


def spare_rows_of(variable: Any) -> int:
    """How many of a table's, or a slot's, rows are spare."""
    return getattr(variable, "rowwise_spare_rows", 0)


class WithSpareRows(keras.initializers.Initializer):
    """What ``initializer`` gives for a table of ``row_count`` rows; spare ones behind are zeros.

    So the rows are those that one device would begin with, and nothing that looks at a whole table
    finds more in it.
    """

    def __init__(self, initializer: Any, row_count: int) -> None:
        self._initializer, self._row_count = initializer, row_count

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Values of ``shape``."""
        values = self._initializer((self._row_count, *shape[1:]), dtype=dtype)
        missing = shape[0] - self._row_count
        return keras.ops.pad(values, [(0, missing), *[(0, 0)] * (len(shape) - 1)])


def with_spare(values: Any, row_count: int) -> Any:
    """The rows (n, d) of a table, or all ``row_count`` of them: then those behind are zeros."""
    missing = row_count - values.shape[0]
    if missing <= 0:
        return values
    return np.pad(values, [(0, missing), *[(0, 0)] * (len(values.shape) - 1)])
