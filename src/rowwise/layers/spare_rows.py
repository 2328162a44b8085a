"""How many rows a table has where they are divided among devices: as many on each.

A device cannot have a row less than another. So behind the last row of a table there may be *spare*
ones, which no id is for. They are no part of what is shown or saved as the table.
"""

from typing import Any

import numpy as np

from rowwise.backend import keras


def rows_on_devices(row_count: int, name: str) -> int:
    """``row_count``, or the next number that can be divided as ``keras.distribution`` wants it.

    Args:
        row_count: of a table.
        name: of its variable, which is about to be made in the scope of names that is open.
    """
    distribution = keras.distribution.distribution()
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


def with_spare(values: Any, row_count: int) -> Any:
    """The rows (n, d) of a table, or all ``row_count`` of them: then those behind are zeros."""
    missing = row_count - values.shape[0]
    if missing <= 0:
        return values
    return np.pad(values, [(0, missing), *[(0, 0)] * (len(values.shape) - 1)])
