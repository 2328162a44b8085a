"""Which ids a table takes, and what is said of one that it does not take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rowwise.backend import check_on_host, keras
from rowwise.errors import InvalidIdError

ops = keras.ops

# From here on a floating-point type skips whole numbers, so an id held in it may be another's.
EXACT_LIMITS = {"float16": 2**11, "bfloat16": 2**8, "float32": 2**24, "float64": 2**53}


@dataclass(frozen=True)
class IdRange:
    """The ids of one layer: whole numbers from 0 to ``size - 1``."""

    layer: str
    size: int

    def invalid(self, ids: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of ``ids`` (any shape, any real dtype) have no row; same shape."""
        wrong: npt.NDArray[np.bool_] = ~((ids >= 0) & (ids < self.size))  # NaN is wrong, too
        if ids.dtype.kind not in "iub":
            wrong |= ids != np.floor(ids)
            wrong |= ids >= EXACT_LIMITS.get(ids.dtype.name, 2**8)
        return wrong

    def check(self, ids: npt.NDArray[Any]) -> None:
        """Raise an InvalidIdError that names the worst of ``ids`` if any has no row."""
        wrong = self.invalid(ids)
        if not wrong.any():
            return
        values = np.where(wrong, ids, 0).astype(np.float64)
        distance = np.where(wrong, np.maximum(-values, values - (self.size - 1)), -np.inf)
        distance[np.isnan(values)] = np.inf
        position = tuple(int(i) for i in np.unravel_index(np.argmax(distance), ids.shape))
        raise self.error(ids[position], position, int(wrong.sum()), ids.size)

    def distance(self, ids: Any) -> Any:
        """How far ``ids``, a tensor, are from those that have a row: float32, same shape.

        0 for any between the first and the last, infinite for NaN.
        """
        values = ops.cast(ids, "float32")
        below, above = -values, values - float(self.size - 1)
        far = ops.maximum(ops.maximum(below, above), 0.0)
        return ops.where(ops.isnan(values), float("inf"), far)

    def check_tensor(self, ids: Any) -> Any:
        """Which of ``ids``, a tensor, have no row: boolean, same shape.

        Any that has none is an error, which comes as ``rowwise.backend.check_on_host`` says.
        """
        wrong = self.invalid_tensor(ids)
        check_on_host(ops.any(wrong), ids, self.check)
        return wrong

    def invalid_tensor(self, ids: Any) -> Any:
        """As ``invalid``, for a tensor of the running backend."""
        dtype = keras.backend.standardize_dtype(ids.dtype)
        wrong = (ids < 0) | (ids >= self.size)
        if "float" in dtype:  # NaN is one that is not its floor
            wrong = ops.logical_or(wrong, ops.not_equal(ids, ops.floor(ids)))
            wrong = ops.logical_or(wrong, ids >= EXACT_LIMITS.get(dtype, 2**8))
        return wrong

    def error(
        self, worst: Any, position: tuple[int, ...], wrong: int, total: int
    ) -> InvalidIdError:
        """The error for ``worst`` at ``position``, one of ``wrong`` bad ids among ``total``."""
        where = (
            f" at position {position[0] if len(position) == 1 else position}" if position else ""
        )
        count = f" ({wrong:,} of {total:,} ids are invalid)" if total > 1 else ""
        error = InvalidIdError(
            f"Layer {self.layer!r} has {self.size:,} rows, so ids must be whole numbers from 0 to "
            f"{self.size - 1}. Received: {_plain(worst)}{where}{count}. {self._cause(worst)}"
        )
        error.worst, error.position = worst, position
        return error

    def _cause(self, worst: Any) -> str:
        if np.asarray(worst).dtype.kind not in "iub":
            if not np.isfinite(worst) or worst != np.floor(worst):
                return (
                    "Likely cause: numbers that are not ids reached the layer, for instance scaled "
                    "features or a column with missing values."
                )
            if worst >= EXACT_LIMITS.get(worst.dtype.name, 2**8):
                return (
                    f"Likely cause: float rounding, since {worst.dtype.name} cannot hold every id "
                    'of this size. Keep ids as integers, as with Input(..., dtype="int32").'
                )
        if worst == self.size:
            return (
                "Likely cause: off by one. When ids start at 1, as a Tokenizer's do, input_dim "
                "must be the number of words + 1."
            )
        if worst == -1:
            return (
                "Likely cause: -1 as a sign for a missing value or unknown category. Give those an "
                'id of their own, or use invalid_ids="oov" and oov_id=.'
            )
        if worst < 0:
            return "Likely cause: an integer overflow, or arithmetic on ids."
        return (
            "Likely cause: the ids were made with a larger vocabulary than the layer was. Limit "
            "it, as with Tokenizer(num_words=...), or raise input_dim."
        )


def check_integers(name: str, values: Any) -> None:
    """Raise an InvalidIdError when ``values`` would change on the way to an int32 input.

    Args:
        name: of the model's input.
        values: what was given for it: an array or a tensor. In a compiled function the error
            comes as ``rowwise.backend.check_on_host`` says.
    """
    if isinstance(values, np.ndarray):
        _check_integers_on_host(name, values)
    elif "float" in (dtype := keras.backend.standardize_dtype(values.dtype)):
        changes = ops.logical_or(
            ops.not_equal(values, ops.floor(values)),
            ops.logical_not(ops.abs(values) < EXACT_LIMITS.get(dtype, 2**8)),
        )
        check_on_host(ops.any(changes), values, lambda host: _check_integers_on_host(name, host))


def _check_integers_on_host(name: str, values: npt.NDArray[Any]) -> None:
    limits = np.iinfo(np.int32)
    if values.dtype.kind in "iu":
        if values.dtype.itemsize < 4 or not values.size:
            return
        if values.min() >= limits.min and values.max() <= limits.max:
            return
        wrong = (values < limits.min) | (values > limits.max)
    elif values.dtype.kind == "f" or values.dtype.name == "bfloat16":
        limit = min(EXACT_LIMITS.get(values.dtype.name, 2**8), limits.max)
        wrong = ~((np.abs(values) < limit) & (values == np.floor(values)))
    else:
        return
    if wrong.any():
        position = tuple(int(i) for i in np.argwhere(wrong)[0])
        error = InvalidIdError(
            f"Input {name!r} takes ids, whole numbers of 32 bits. Received: "
            f"{_plain(values[position])} at position {position}, dtype {values.dtype.name}. Likely "
            f"cause: {_why_no_integer(values[position])}."
        )
        error.worst, error.position = values[position], position
        raise error


def _why_no_integer(value: Any) -> str:
    if np.isnan(value):
        return "a column with missing values, which a table of text is read with as NaN"
    if np.isinf(value):
        return "a division by zero, or a number that was too large"
    if value == np.floor(value):
        return "float rounding, or hashes that are not yet ids"
    return "scaled features, or a column of measurements among those of ids"


def _plain(value: Any) -> str:
    """A NumPy scalar as a person writes it."""
    return repr(value.item() if hasattr(value, "item") else value)
