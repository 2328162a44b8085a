"""Numbers as ``.npy`` files have them."""

from typing import Any

import numpy as np
import numpy.typing as npt


def stored_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype in the file: for bfloat16, which such files do not know, integers of that size."""
    return np.dtype(f"u{dtype.itemsize}") if dtype.kind == "V" else dtype


def stored(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The numbers, without a copy, as they are in the file."""
    return values.view(stored_dtype(values.dtype))
