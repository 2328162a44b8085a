"""Rows that a user gives a table to start with."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.errors import InvalidArgumentError, InvalidShapeError
from rowwise.text.wording import counted


def as_table(weights: Any, layer: str, shape: tuple[int, int]) -> npt.NDArray[Any]:
    """``weights``, or the one array in a list of one, as Keras's layers take them too.

    Args:
        weights: what was given.
        layer: the name of the layer, for messages.
        shape: what the array's must be.

    Raises:
        InvalidShapeError: it is another one.
        InvalidArgumentError: a number is NaN or infinite.
    """
    if isinstance(weights, (list, tuple)) and len(weights) == 1:
        weights = weights[0]
    table = np.asarray(weights)
    if table.shape != shape:
        raise InvalidShapeError(
            f"`weights` of layer {layer!r} must have shape (input_dim, output_dim) = {shape}. "
            f"Received shape {table.shape}."
        )
    # The sum tells at once, and without an array of the table's size.
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = table.dtype.kind != "f" or np.isfinite(table.sum(dtype="float64"))
    if is_finite:
        return table
    bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(bad):
        raise InvalidArgumentError(
            f"`weights` of layer {layer!r} must be finite. {counted(len(bad), 'row')} of "
            f"{len(table):,} with NaN or infinity, row {bad[0]} first."
        )
    return table
