"""Rows that a user gives a table to start with."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text.wording import counted

_MOST = float(np.finfo(np.float32).max)


def as_table(weights: Any, layer: str, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """``weights``, or the one array in a list of one, as Keras's layers take them too.

    Args:
        weights: what was given.
        layer: the name of the layer, for messages.
        shape: what the array's must be.

    Raises:
        InvalidShapeError: it is another one.
        InvalidArgumentError: a number is NaN, or infinite as a float32.
    """
    if isinstance(weights, (list, tuple)) and len(weights) == 1:
        weights = weights[0]
    table = np.asarray(weights)
    if table.shape != shape:
        raise InvalidShapeError(
            f"`weights` of layer {layer!r} must have shape (input_dim, output_dim) = {shape}. "
            f"Received shape {table.shape}."
        )
    if table.dtype.kind not in "fiub":  # bfloat16, or objects
        table = np.asarray(table, dtype="float32")
    # The extremes tell at once, and without an array of the table's size.
    if not table.size or (table.min() >= -_MOST and table.max() <= _MOST):
        return table
    bad = np.flatnonzero(~(np.abs(table) <= _MOST).all(axis=1))
    raise InvalidArgumentError(
        f"`weights` of layer {layer!r} must be finite, in float32 too. "
        f"{counted(len(bad), 'row')} of {len(table):,} with other numbers, row {bad[0]} first."
    )
