"""Numbers that every step computes with."""

from typing import Any

import numpy.typing as npt

from rowwise.backend import keras, rows

ops = keras.ops


class Constant:
    """An array, computed in 64 bits or of integers, as a tensor.

    Where steps are not compiled it is made once: bringing it to a device takes longer than to
    compute with it. In what is compiled, a tensor of one function would be none of another.

    Args:
        values: the numbers.
    """

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._values = values
        self._made: dict[str, Any] = {}

    def __call__(self, dtype: Any) -> Any:
        """The tensor of a dtype."""
        name = keras.backend.standardize_dtype(dtype)
        made = self._made.get(name)
        if made is None:
            made = ops.convert_to_tensor(self._values.astype(name))
            if rows is not None and rows.IS_EAGER:
                self._made[name] = made
        return made
