"""Which rows of a table are meant."""

from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import rows
from rowwise.errors import BackendError, InvalidArgumentError


def as_row_mask(chosen: Any, size: int) -> npt.NDArray[np.bool_]:
    """A boolean mask (size,) for a mask, ids or a slice of rows.

    Raises:
        InvalidArgumentError: a mask of another size, or ids without a row.
        BackendError: the backend does not train.
    """
    if rows is None:
        raise BackendError(
            "trainable_rows needs a backend that trains: JAX, TensorFlow or PyTorch. Set "
            "KERAS_BACKEND to one of jax, tensorflow and torch."
        )
    mask = np.zeros(size, dtype=bool)
    if isinstance(chosen, slice):
        mask[chosen] = True
        return mask
    array = np.asarray(chosen)
    if array.dtype == bool:
        if array.shape != (size,):
            raise InvalidArgumentError(
                f"A mask of rows must have shape ({size},), one entry for each row. Received "
                f"shape {array.shape}."
            )
        return array.copy()
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise InvalidArgumentError(
            "Rows are chosen by a boolean mask, by a list of ids or by a slice. Received an array "
            f"of shape {array.shape} and dtype {array.dtype}."
        )
    if array.size and not (array.min() >= 0 and array.max() < size):
        raise InvalidArgumentError(
            f"Rows have ids from 0 to {size - 1}. Received ids from {array.min()} to {array.max()}."
        )
    mask[array.astype(np.intp)] = True
    return mask
